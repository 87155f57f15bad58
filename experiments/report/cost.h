/* What an arm costs: operations of one chunk of actions, a pure function of its settings (times are not: 'vlabench bench infer' measures those). */
#ifndef VLB_REPORT_COST_H
#define VLB_REPORT_COST_H

#include "core/base/status.h"
#include "core/model/config.h"

/* Floating-point operations of the products of one chunk: pictures, prefix, and num_steps flow steps. */
vlb_code vlb_chunk_flops(const vlb_model_config *config, double *flops, vlb_error *err);

#endif
