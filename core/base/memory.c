#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

float *vlb_floats(size_t count) {
  const size_t page = 2 << 20, line = 64;
  size_t bytes = count * sizeof(float), align = bytes >= 2 * page ? page : line;
  bytes = (bytes + align) / align * align;
  float *x = aligned_alloc(align, bytes);
  if (!x) return NULL;
  if (align == page) madvise(x, bytes, MADV_HUGEPAGE); /* a wish: nothing is lost when the kernel refuses */
  return memset(x, 0, bytes);
}
