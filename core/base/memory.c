#include "core/base/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Linux promises memory that it does not have and ends the program when that is used. What the machine cannot give now is
 * refused here instead, so that the user reads how much was asked for. */
static bool available(size_t bytes) {
  FILE *in = fopen("/proc/meminfo", "r");
  char line[128];
  unsigned long long kilobytes;
  bool enough = true;
  while (in && fgets(line, sizeof line, in))
    if (sscanf(line, "MemAvailable: %llu kB", &kilobytes) == 1) enough = bytes / 1024 <= kilobytes;
  if (in) fclose(in);
  return enough;
}

float *vlb_floats(size_t count) {
  const size_t page = 2 << 20, line = 64;
  static const size_t large = 64 << 20;
  if (count > SIZE_MAX / sizeof(float) - page) return NULL;
  size_t bytes = count * sizeof(float), align = bytes >= 2 * page ? page : line;
  bytes = (bytes + align) / align * align;
  if (bytes >= large && !available(bytes)) return NULL;
  float *x = aligned_alloc(align, bytes);
  if (!x) return NULL;
  if (align == page) madvise(x, bytes, MADV_HUGEPAGE); /* a wish: nothing is lost when the kernel refuses */
  return memset(x, 0, bytes);
}
