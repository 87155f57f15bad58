/* What a policy is to the simulator: a callback that turns observations into chunks of actions. */
#ifndef VLB_SIM_POLICY_H
#define VLB_SIM_POLICY_H

#include <stdint.h>

#include "core/data/embodiment.h"

/* What the policy may look at. Images are as the policy sees them (the embodiment's view), [size,size,3] RGB. Borrowed until
 * the call returns. */
typedef struct {
  const vlb_embodiment *embodiment;
  const uint8_t *image[VLB_MAX_CAMERAS]; /* [cameras] */
  int size;                              /* pixels */
  float state[VLB_MAX_STATE];            /* [state_dim] */
  const char *instruction;
  int task, episode, replan;             /* key of the sampling noise */
} vlb_observation;

typedef struct {
  void *self;
  int batch;          /* observations per call at most */
  int chunk;          /* actions per observation, T */
  int n_action_steps; /* executed before the next call */
  /* actions: [n, chunk, action_dim of the embodiment] in the robot's units; the simulator clips. Called by one thread at a time
   * per policy value: the rollout engine gets one policy per worker thread. */
  vlb_code (*infer)(void *self, int n, const vlb_observation *observations, float *actions, vlb_error *err);
} vlb_policy_callback;

#endif
