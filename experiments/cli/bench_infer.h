/* `vlabench bench infer`: time of a chunk of actions, stage by stage, beside oneDNN's raw rate on the same shapes. */
#ifndef VLB_CLI_BENCH_INFER_H
#define VLB_CLI_BENCH_INFER_H

#include <jansson.h>

#include "experiments/cli/cli.h"

/* Measures the checkpoint directory that the second argument names, with two synthetic pictures (or as many as it has cameras, if fewer), for
 * about `seconds` on all threads, at the given precision. rows: NULL to print a table, else results are appended as JSON. */
vlb_code vlb_bench_infer(const vlb_args *args, double seconds, const vlb_context *ctx, json_t *rows, vlb_error *err);

#endif
