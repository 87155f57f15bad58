/* A trained model as a policy of the simulator: observation -> normalised batch -> actions in the robot's units. */
#ifndef VLB_PLAN_POLICY_ADAPTER_H
#define VLB_PLAN_POLICY_ADAPTER_H

#include "core/model/runner.h"
#include "sim/rollout/policy.h"

/* What every worker shares: read only while policies run. */
typedef struct {
  vlb_pretrained trained;
  const vlb_embodiment *embodiment; /* the robot it acts on */
  const vlb_inference_options *inference; /* as in vlb_policy_create; NULL: as written */
  uint64_t seed; /* of the sampling noise, stream VLB_RNG_SAMPLE keyed by task, episode and replan */
} vlb_policy_source;

/* Whether model and statistics fit the robot. VLB_USAGE names what does not. */
vlb_code vlb_policy_source_check(const vlb_policy_source *source, vlb_error *err);

/* Where the flow of one prediction starts: noise[T,max_action_dim], the same wherever the policy runs. task < 256, episode < 65536. */
void vlb_policy_noise(uint64_t seed, uint32_t task, uint32_t episode, uint32_t replan, const vlb_model_config *config, float *noise);

/* One policy per worker thread, `batch` observations per call. source must outlive it. Errors: VLB_USAGE when the model or its statistics
 * do not fit the robot or the vocabulary does not fit the model. Caller frees. */
typedef struct vlb_policy_adapter vlb_policy_adapter;
vlb_code vlb_policy_adapter_create(const vlb_policy_source *source, int batch, vlb_policy_adapter **adapter, vlb_error *err);
void vlb_policy_adapter_free(vlb_policy_adapter *adapter);
vlb_policy_callback vlb_policy_adapter_callback(vlb_policy_adapter *adapter);

#endif
