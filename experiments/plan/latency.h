/* What one prediction of a model costs: operations counted on its graph, processor time of one thread. */
#ifndef VLB_PLAN_LATENCY_H
#define VLB_PLAN_LATENCY_H

#include "core/base/context.h"
#include "core/model/config.h"

enum { VLB_LATENCY_RUNS = 15 };

typedef struct {
  double gflop;            /* useful operations of a chunk of actions for one observation */
  double ms, ms_lo, ms_hi; /* median of VLB_LATENCY_RUNS predictions and their quartiles; processor time, so other programs do not count */
} vlb_prediction_cost;

/* Operations of the products of one prediction: pictures, prefix and every step of the flow (one, of L1). Counted: nothing runs. */
vlb_code vlb_prediction_flops(const vlb_model_config *config, double *flops, vlb_error *err);

/* With weights from a seed: time does not depend on their values. */
vlb_code vlb_cost_measure(const vlb_model_config *config, vlb_prediction_cost *out, const vlb_context *ctx, vlb_error *err);

/* folder/latency.json. Unlike other results it is not the same bytes on a re-run: it is a measurement. */
vlb_code vlb_cost_write(const char *folder, const vlb_prediction_cost *latency, vlb_error *err);
vlb_code vlb_cost_read(const char *folder, vlb_prediction_cost *latency, vlb_error *err);

#endif
