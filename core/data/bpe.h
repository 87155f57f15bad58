/* Byte-pair merges by rank. Private to core/data. */
#ifndef VLB_DATA_BPE_H
#define VLB_DATA_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open-addressing table from a pair of ids to its merge. */
typedef struct {
  int32_t left, right; /* left < 0: free slot */
  int32_t rank, merged;
} vlb_merge;

typedef struct {
  vlb_merge *slots;
  size_t mask; /* number of slots - 1, a power of two */
} vlb_merges;

bool vlb_merges_make(vlb_merges *m, size_t count); /* room for `count`; false: no memory */
void vlb_merges_free(vlb_merges *m);
/* The first rank of a pair wins. */
void vlb_merges_add(vlb_merges *m, int32_t left, int32_t right, int32_t rank, int32_t merged);
const vlb_merge *vlb_merges_find(const vlb_merges *m, int32_t left, int32_t right); /* NULL: no merge */

/* Merges the n ids of one piece in place: always the lowest rank, leftmost first. Returns the new length, or -1 without memory.
 * O(n log n), so a piece of a million bytes is no problem. */
long vlb_merge_piece(const vlb_merges *m, int32_t *ids, long n);

#endif
