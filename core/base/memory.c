#include "core/base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

bool vlb_memory_fits(size_t bytes) {
  static const size_t large = 64 << 20;
  if (bytes < large) return true;
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
  if (count > SIZE_MAX / sizeof(float) - page) return NULL;
  size_t bytes = count * sizeof(float), align = bytes >= 2 * page ? page : line;
  bytes = (bytes + align) / align * align;
  if (!vlb_memory_fits(bytes)) return NULL;
  float *x = aligned_alloc(align, bytes);
  if (!x) return NULL;
  if (align == page) madvise(x, bytes, MADV_HUGEPAGE); /* a wish: nothing is lost when the kernel refuses */
  return memset(x, 0, bytes);
}
