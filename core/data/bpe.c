#include "core/data/bpe.h"

#include <stdlib.h>

/* --- the table --- */

static size_t slot_of(const vlb_merges *m, int32_t left, int32_t right) {
  uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
  key *= 0x9e3779b97f4a7c15u;
  return (size_t)(key >> 32) & m->mask;
}

bool vlb_merges_make(vlb_merges *m, size_t count) {
  size_t size = 16;
  while (size < 2 * count) size *= 2;
  m->mask = size - 1;
  m->slots = malloc(size * sizeof *m->slots);
  for (size_t i = 0; m->slots && i < size; i++) m->slots[i].left = -1;
  return m->slots != NULL;
}

void vlb_merges_free(vlb_merges *m) {
  free(m->slots);
  m->slots = NULL;
}

const vlb_merge *vlb_merges_find(const vlb_merges *m, int32_t left, int32_t right) {
  for (size_t i = slot_of(m, left, right); m->slots[i].left >= 0; i = (i + 1) & m->mask)
    if (m->slots[i].left == left && m->slots[i].right == right) return &m->slots[i];
  return NULL;
}

void vlb_merges_add(vlb_merges *m, int32_t left, int32_t right, int32_t rank, int32_t merged) {
  if (vlb_merges_find(m, left, right)) return;
  size_t i = slot_of(m, left, right);
  while (m->slots[i].left >= 0) i = (i + 1) & m->mask;
  m->slots[i] = (vlb_merge){left, right, rank, merged};
}

/* --- one piece --- */

/* A pair that could be merged; the heap gives the lowest rank, then the leftmost place. */
typedef struct {
  int32_t rank, merged;
  long place;
} candidate;

typedef struct {
  const vlb_merges *merges;
  int32_t *ids;
  long *next, *previous; /* linked list over the symbols left; -1 ends it. next = -2: symbol is gone */
  candidate *heap;
  long heap_size;
} piece_state;

static bool before(const candidate *a, const candidate *b) {
  return a->rank != b->rank ? a->rank < b->rank : a->place < b->place;
}

static void push(piece_state *s, candidate c) {
  long i = s->heap_size++;
  for (long up; i > 0 && before(&c, &s->heap[up = (i - 1) / 2]); i = up) s->heap[i] = s->heap[up];
  s->heap[i] = c;
}

static candidate pop(piece_state *s) {
  candidate top = s->heap[0], last = s->heap[--s->heap_size];
  long i = 0;
  for (long down; (down = 2 * i + 1) < s->heap_size; i = down) {
    if (down + 1 < s->heap_size && before(&s->heap[down + 1], &s->heap[down])) down++;
    if (!before(&s->heap[down], &last)) break;
    s->heap[i] = s->heap[down];
  }
  s->heap[i] = last;
  return top;
}

/* Offers the pair that starts at `place`. */
static void offer(piece_state *s, long place) {
  if (place < 0 || s->next[place] < 0) return;
  const vlb_merge *m = vlb_merges_find(s->merges, s->ids[place], s->ids[s->next[place]]);
  if (m) push(s, (candidate){m->rank, m->merged, place});
}

static void apply(piece_state *s, candidate c) {
  long right = s->next[c.place];
  if (right < 0) return; /* gone, or nothing on its right any more */
  const vlb_merge *m = vlb_merges_find(s->merges, s->ids[c.place], s->ids[right]);
  if (!m || m->rank != c.rank) return; /* the pair changed since it was offered */
  s->ids[c.place] = c.merged;
  s->next[c.place] = s->next[right];
  s->next[right] = -2;
  if (s->next[c.place] >= 0) s->previous[s->next[c.place]] = c.place;
  offer(s, s->previous[c.place]);
  offer(s, c.place);
}

long vlb_merge_piece(const vlb_merges *m, int32_t *ids, long n) {
  if (n < 2) return n;
  /* n-1 pairs at the start and at most two new ones for each of at most n-1 merges */
  piece_state s = {.merges = m, .ids = ids};
  s.next = malloc((size_t)n * 2 * sizeof *s.next);
  s.heap = malloc((size_t)n * 3 * sizeof *s.heap);
  if (!s.next || !s.heap) {
    free(s.next);
    free(s.heap);
    return -1;
  }
  s.previous = s.next + n;
  for (long i = 0; i < n; i++) s.next[i] = i + 1 < n ? i + 1 : -1, s.previous[i] = i - 1;
  for (long i = 0; i < n; i++) offer(&s, i);
  while (s.heap_size) apply(&s, pop(&s));
  long kept = 0;
  for (long i = 0; i >= 0; i = s.next[i]) ids[kept++] = ids[i];
  free(s.next);
  free(s.heap);
  return kept;
}
