/* Speed of training beside the raw rate of oneDNN's matrix product in the same run. */
#ifndef VLB_TRAIN_BENCH_H
#define VLB_TRAIN_BENCH_H

#include "core/tensor/graph.h"
#include "core/train/train.h"

enum { VLB_BENCH_ROWS = 48 };

/* Training with a form of the prefix cache (core/train/prefix_cache.h). */
typedef struct {
  const char *name;    /* "kv", "vision", "none" */
  double step_seconds; /* median */
  double cpu_seconds;  /* processor time of a step, mean: what other programs take does not count */
  double gb;           /* what a thousand frames take on disk */
} vlb_train_form;

enum { VLB_TRAIN_FORMS = 3 };

typedef struct {
  double step_seconds;       /* median optimiser step: batch, shards, sum, AdamW */
  double samples_per_second;
  double useful;             /* GFLOP/s of the useful operations (vlb_objective_flops) */
  double raw;                /* GFLOP/s of 512^3 products on as many threads, median over the same minutes */
  double flops;              /* useful operations of a step */
  double share;              /* of the wanted processor time that training got; well below 1 when other programs run */
  int threads;
  int64_t parameters;        /* trainable floats */
  vlb_train_form forms[VLB_TRAIN_FORMS]; /* with a frozen VLM: all forms of the cache, measured in turns there and back; the other figures are the first's */
  int form_count;                         /* 0: the VLM is trained */
  /* Processor time of a step per kind of op, slowest first; the last two rows are what is left: "batches" (pictures, noise, targets, reading the
   * prefix cache) and "sum, AdamW". Timed in steps of their own, whose processor time they add up to. */
  vlb_profile_row rows[VLB_BENCH_ROWS];
  int row_count;
  double profile_seconds;
} vlb_train_bench;

/* Measures about `seconds` in all on random data, in turns raw, train, train, raw. cache: an empty folder for the prefix cache of a frozen VLM, which is
 * filled there; NULL: no forms. */
vlb_code vlb_bench_train(const vlb_model_config *model, const vlb_train_config *config, double seconds, const char *cache, const vlb_context *ctx,
                         vlb_train_bench *out, vlb_error *err);

#endif
