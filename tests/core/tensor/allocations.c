#include "tests/core/tensor/allocations.h"

#include <string.h>

#include "core/tensor/backend.h"

static allocation_counts counts;
allocation_counts allocations(void) { return counts; }
size_t allocations_allowed(void) { return strncmp(vlb_backend_isa(), "avx512", 6) ? (size_t)-1 : 256; }
void allocations_clear(void) { counts = (allocation_counts){0, 0, 0}; }

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VLB_UNDER_ASAN
#endif
#endif
#if !defined(__SANITIZE_ADDRESS__) && !defined(VLB_UNDER_ASAN)

/* glibc's own entry points behind our doors: a definition in the program serves every shared library too */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t size);
void *memalign(size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **p, size_t alignment, size_t size);

extern const char __executable_start[], etext[]; /* by the linker: where the program's code lies */

static void note(const void *caller, size_t size) {
  const char *at = caller;
  if (at >= __executable_start && at < etext) {
    counts.ours++;
  } else {
    counts.libraries++;
    if (size > counts.largest) counts.largest = size;
  }
}
void *malloc(size_t size) {
  note(__builtin_return_address(0), size);
  return __libc_malloc(size);
}
void *calloc(size_t n, size_t size) {
  note(__builtin_return_address(0), n * size);
  return __libc_calloc(n, size);
}
void *realloc(void *p, size_t size) {
  note(__builtin_return_address(0), size);
  return __libc_realloc(p, size);
}
void *memalign(size_t alignment, size_t size) {
  note(__builtin_return_address(0), size);
  return __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  note(__builtin_return_address(0), size);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void **p, size_t alignment, size_t size) {
  note(__builtin_return_address(0), size);
  *p = __libc_memalign(alignment, size);
  return *p ? 0 : 12; /* ENOMEM */
}

#endif
