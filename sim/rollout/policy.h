/* What a policy is to the simulator: a callback that turns observations into chunks of actions. */
#ifndef VLB_SIM_POLICY_H
#define VLB_SIM_POLICY_H

#include <stdint.h>

#include "core/base/status.h"

enum { VLB_SIM_CAMERAS = 2, VLB_STATE_DIM = 8, VLB_ACTION_DIM = 7 };

/* What the policy may look at. Images are as the policy sees them: rotated by 180 degrees against the renderer's
 * bottom-up rows (libero.md section 7), [size,size,3] RGB. Borrowed until the call returns. */
typedef struct {
  const uint8_t *image[VLB_SIM_CAMERAS]; /* agentview, wrist */
  int size;                              /* pixels */
  float state[VLB_STATE_DIM];            /* eef position 3 (m), axis-angle 3 (rad), finger joints 2 (m) */
  const char *instruction;
  int task, episode, replan;             /* key of the sampling noise */
} vlb_observation;

typedef struct {
  void *self;
  int batch;          /* observations per call at most */
  int chunk;          /* actions per observation, T */
  int n_action_steps; /* executed before the next call */
  /* actions: [n, chunk, VLB_ACTION_DIM] in the environment's units; the simulator clips to [-1,1]. Called by one thread at a time
   * per policy value: the rollout engine gets one policy per worker thread. */
  vlb_code (*infer)(void *self, int n, const vlb_observation *observations, float *actions, vlb_error *err);
} vlb_policy_callback;

#endif
