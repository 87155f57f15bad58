/* Who asks for heap memory, and how much. Under AddressSanitizer, which owns malloc, nothing is counted. */
#ifndef VLB_TEST_ALLOCATIONS_H
#define VLB_TEST_ALLOCATIONS_H

#include <stddef.h>

typedef struct {
  long ours;      /* requests by this program's own code */
  long libraries; /* requests by shared libraries (operator new, oneDNN, ...) */
  size_t largest; /* of those, in bytes */
} allocation_counts;

void allocations_clear(void);
allocation_counts allocations(void); /* since the last clear */

#endif
