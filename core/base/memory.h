/* Large blocks of numbers. */
#ifndef VLB_BASE_MEMORY_H
#define VLB_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* count floats, zero, 64-byte aligned; free() them. Blocks of 4 MB and more ask for huge pages: kernels that walk tens of
 * megabytes spend a few percent less time on address translation. NULL on no memory, also when
 * the system would promise more than is free now. */
float *vlb_floats(size_t count);

/* Whether this many bytes are free now. Linux promises memory that it does not have and ends the program when that is used; who asks
 * for much asks here first, so that the user reads how much it was. Blocks below 64 MB are not worth the question: true. */
bool vlb_memory_fits(size_t bytes);

#endif
