/* Makes what is missing of a plan, in order. */
#ifndef VLB_PLAN_RUNNER_H
#define VLB_PLAN_RUNNER_H

#include "experiments/plan/cells.h"
#include "experiments/store/store.h"

/* Runs every cell that is not done under root/cells. Several processes may do so in one store: none waits while there is a cell that nobody makes. A failed cell does not stop the others; what depends on it is skipped.
 * failed: number of cells without a result at the end. Errors: VLB_INTERRUPTED, or VLB_FAILED when the store itself cannot be used; cells that
 * fail are only counted and their messages warned. */
vlb_code vlb_plan_run(const vlb_plan *plan, const char *root, const vlb_context *ctx, int *failed, vlb_error *err);

#endif
