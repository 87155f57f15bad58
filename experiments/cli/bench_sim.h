/* `vlabench bench sim`: speed of the simulator, and how it stands random actions. */
#ifndef VLB_CLI_BENCH_SIM_H
#define VLB_CLI_BENCH_SIM_H

#include <jansson.h>

#include "experiments/cli/cli.h"

/* Measures the suite that the second argument names (default spatial), or with --random plays random actions in it. rows: NULL
 * to print a table, else results are appended as JSON. Errors: VLB_FELL_SHORT when random actions got past the simulator's checks. */
vlb_code vlb_bench_sim(const vlb_args *args, const vlb_context *ctx, json_t *rows, vlb_error *err);

#endif
