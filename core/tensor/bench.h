/* Speed of one op beside oneDNN's plain matrix product of the same shape, measured in the same minute. One thread. */
#ifndef VLB_TENSOR_BENCH_H
#define VLB_TENSOR_BENCH_H

#include <stdint.h>

#include "core/base/status.h"

/* A linear layer [rows,in] -> [rows,out], or (heads > 0) attention of `batch` sequences. */
typedef struct {
  int64_t rows, in, out;
  int64_t batch, queries, keys, heads, kv_heads, head_dim;
} vlb_bench_shape;

/* One direction of an op: GFLOP/s of the op with all it does around its products, and of those products alone as plain row-major
 * matrix products. */
typedef struct {
  double op, raw;
} vlb_bench_rate;

/* Takes about `seconds` in each direction, alternating op, raw, raw, op; medians. Errors: VLB_FAILED. */
vlb_code vlb_bench_op(const vlb_bench_shape *shape, double seconds, vlb_bench_rate *forward, vlb_bench_rate *backward, vlb_error *err);

#endif
