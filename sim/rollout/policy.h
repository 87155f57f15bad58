/* What a policy is to the simulator: a callback that turns observations into chunks of actions. */
#ifndef VLB_SIM_POLICY_H
#define VLB_SIM_POLICY_H

#include <stdint.h>

#include "core/data/embodiment.h"

/* Real-time chunking: the part of the previous chunk that is not executed yet guides the new one (specification 18). */
typedef struct {
  const float *previous;  /* [n,action_dim] in the robot's units */
  int n, delay, horizon;  /* actions; delay: of them those that will be executed before the new chunk is there */
  int schedule;           /* rtc_schedule: linear exp ones zeros */
  double weight;          /* largest weight */
} vlb_guide;

/* What the policy may look at. Images are as the policy sees them (the embodiment's view), [size,size,3] RGB. Borrowed until
 * the call returns. */
typedef struct {
  const vlb_embodiment *embodiment;
  const uint8_t *image[VLB_MAX_CAMERAS]; /* [cameras] */
  int size;                              /* pixels */
  float state[VLB_MAX_STATE];            /* [state_dim] */
  const char *instruction;
  int task, episode, replan;             /* key of the sampling noise */
  const vlb_guide *guide;                /* NULL: none */
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
