/* Speed of training beside the raw rate of oneDNN's matrix product in the same run. */
#ifndef VLB_TRAIN_BENCH_H
#define VLB_TRAIN_BENCH_H

#include "core/tensor/graph.h"
#include "core/train/train.h"

enum { VLB_BENCH_ROWS = 48 };

typedef struct {
  double step_seconds;       /* median optimiser step: batch, shards, sum, AdamW */
  double samples_per_second;
  double useful;             /* GFLOP/s of the useful operations (vlb_objective_flops) */
  double raw;                /* GFLOP/s of 512^3 products on as many threads, median over the same minutes */
  double flops;              /* useful operations of a step */
  double share;              /* of the wanted processor time that training got; well below 1 when other programs run */
  int threads;
  int64_t parameters;        /* trainable floats */
  /* Thread-seconds of a step per kind of op, slowest first; the last two rows are what is left: "batches" (pictures, noise, targets)
   * and "sum, AdamW, waiting". Timed in steps of their own, whose thread-seconds they add up to. */
  vlb_profile_row rows[VLB_BENCH_ROWS];
  int row_count;
  double profile_seconds;
} vlb_train_bench;

/* Measures about `seconds` in all on random data, in turns raw, train, train, raw. */
vlb_code vlb_bench_train(const vlb_model_config *model, const vlb_train_config *config, double seconds, const vlb_context *ctx,
                         vlb_train_bench *out, vlb_error *err);

#endif
