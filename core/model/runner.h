/* From what a robot sees to what it does: pictures, state and instruction are prepared as in training (specification sections 5 to 7), the
 * policy runs, actions come back in the robot's units. Everything that acts with a trained model goes through here. */
#ifndef VLB_MODEL_RUNNER_H
#define VLB_MODEL_RUNNER_H

#include "core/model/pretrained.h"

/* 8-bit RGB rows [height,width,3], as the policy sees them; borrowed. */
typedef struct {
  const uint8_t *rgb;
  int height, width;
} vlb_picture;

typedef struct {
  const vlb_picture *pictures; /* [config.cameras] in the policy's order */
  const float *state;          /* [state.dim] in the robot's units */
  const char *instruction;
  const float *noise;          /* [T,max_action_dim] where the flow starts; unused by objective l1 */
} vlb_sight;

typedef struct vlb_runner vlb_runner;

/* For up to `batch` observations at once, 64 at most. policy must outlive it. One per worker; options as in vlb_policy_create; with them observations
 * are run one after another, without them together. Caller frees. */
vlb_code vlb_runner_create(const vlb_pretrained *policy, int batch, vlb_runner **runner, vlb_error *err); /* options NULL */
vlb_code vlb_runner_create_for(const vlb_pretrained *policy, int batch, const vlb_inference_options *options, vlb_runner **runner, vlb_error *err);
void vlb_runner_free(vlb_runner *r);

/* Observation i of the next run is guided (guidance.h); previous is [n,action_dim] in the robot's units and copied, n <= T of it. Only for objective flow. */
void vlb_runner_guide(vlb_runner *r, int i, const vlb_guidance *guide);

/* n <= batch observations. actions: [n,T,action_dim] in the robot's units; a result does not depend on the others of the batch.
 * Errors: VLB_USAGE for an instruction that is not UTF-8. */
vlb_code vlb_runner_run(vlb_runner *r, int n, const vlb_sight *sights, float *actions, vlb_error *err);

const float *vlb_runner_normalised(const vlb_runner *r); /* [n,T,max_action_dim] of the last run */
const vlb_batch *vlb_runner_batch(const vlb_runner *r);  /* model inputs of the last run */
vlb_policy *vlb_runner_policy(vlb_runner *r); /* the one for a single observation */

#endif
