/* Large blocks of numbers. */
#ifndef VLB_BASE_MEMORY_H
#define VLB_BASE_MEMORY_H

#include <stddef.h>

/* count floats, zero, 64-byte aligned; free() them. Blocks of 4 MB and more ask for huge pages: kernels that walk tens of
 * megabytes spend a few percent less time on address translation. NULL on no memory, also when
 * the system would promise more than is free now. */
float *vlb_floats(size_t count);

#endif
