/* Who asks for heap memory, and how much. Under AddressSanitizer, which owns malloc, nothing is counted. */
#ifndef VLB_TEST_ALLOCATIONS_H
#define VLB_TEST_ALLOCATIONS_H

#include <stddef.h>

typedef struct {
  long ours;      /* requests by this program's own code */
  long libraries; /* requests by shared libraries (operator new, oneDNN, ...) */
  size_t largest; /* of those, in bytes */
} allocation_counts;

/* The largest that a library may make during a run. oneDNN keeps the arguments of an execution in a hash table that it fills anew each
 * time: some ten nodes of 8 to 104 bytes, which no interface of it avoids; its work space is ours. Before AVX-512 it has only an older
 * kernel, which allocates its packed operands too. */
size_t allocations_allowed(void);
void allocations_clear(void);
allocation_counts allocations(void); /* since the last clear */

#endif
