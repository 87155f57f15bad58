#include "experiments/report/cost.h"

#include "core/model/model.h"
#include "core/tensor/graph.h"

vlb_code vlb_chunk_flops(const vlb_model_config *config, double *flops, vlb_error *err) {
  vlb_model *model;
  vlb_policy *policy;
  VLB_TRY(vlb_model_create(config, &model, err));
  vlb_code code = vlb_policy_create(model, 1, &policy, err);
  if (!code) {
    *flops = vlb_graph_flops(vlb_policy_prefix_graph(policy), false) + (double)config->num_steps * vlb_graph_flops(vlb_policy_step_graph(policy), false);
    vlb_policy_free(policy);
  }
  vlb_model_free(model);
  return code;
}
