/* The inside of a prefix cache, shared by its choice and reading (prefix_cache.c) and its filling (prefix_fill.c). */
#ifndef VLB_TRAIN_PREFIX_FILL_H
#define VLB_TRAIN_PREFIX_FILL_H

#include <stdatomic.h>

#include "core/model/prefix.h"
#include "core/train/cache_file.h"
#include "core/train/prefix_cache.h"

typedef struct {
  int64_t first, frames, visited; /* its frames in the dataset; how many of them this run visits */
  const uint8_t *real;            /* [R] */
  int rows;                       /* real ones */
  vlb_cache_file file;            /* open when frames are visited */
} vlb_cached_task;

struct vlb_prefix_cache {
  const vlb_model *model;
  const vlb_dataset *data;
  const vlb_context *ctx;
  vlb_prefix_source source;
  int depth, used; /* parts of a record: layers of the VLM that made it; those that the model reads */
  bool bf16;
  vlb_cached_task *task; /* [tasks] */
  uint8_t *real;         /* [tasks,R] */
  uint8_t *visited;      /* [frames] */
  int64_t visits;        /* frames that are visited */
  size_t most_touched;   /* bytes of mapped pages before they are let go */
  atomic_size_t touched;
};

/* bytes of a number of keys and values in a file */
static inline size_t vlb_cached_number(const vlb_prefix_cache *c) { return c->bf16 ? 2 : sizeof(float); }

/* Checks the frames that the run visits and makes those that are missing or damaged, with the VLM of `filler`, on all threads. */
vlb_code vlb_prefix_fill(vlb_prefix_cache *cache, const vlb_model *filler, vlb_error *err);

#endif
