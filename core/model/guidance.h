/* Real-time chunking at inference (specification 18): what is left of the previous chunk pulls the new one at every flow step, so that it goes on where
 * the robot will be when it arrives. LeRobot's form: the Jacobian of its vector-Jacobian product is the identity. */
#ifndef VLB_MODEL_GUIDANCE_H
#define VLB_MODEL_GUIDANCE_H

#include <stdint.h>

enum { VLB_GUIDE_LINEAR, VLB_GUIDE_EXP, VLB_GUIDE_ONES, VLB_GUIDE_ZEROS };

typedef struct {
  const float *previous; /* [n,width] actions not executed yet; of a batch normalised and max_action_dim wide */
  int n;                 /* 0: nothing guides */
  int delay, horizon;    /* of them: executed before the new chunk is there; looked at at all */
  int schedule;          /* how the weight falls from delay to horizon */
  double most;           /* largest weight of the correction */
} vlb_guidance;

/* Weight of each action of the new chunk, out [T]: 1 up to delay, falling to 0 at min(horizon, n, T). */
void vlb_guidance_weights(const vlb_guidance *g, int T, float *out);

/* Weight of the correction at flow time t in (0,1]: with tau = 1 - t, min(most, (1-tau)/tau ((1-tau)^2 + tau^2) / (1-tau)^2), most at tau = 0. */
double vlb_guidance_strength(double t, double most);

/* One sample's velocity v [T,A] at x [T,A] and t becomes v - strength (previous - (x - t v)) weight, previous being 0 beyond its n. out may be v. */
void vlb_guidance_apply(const vlb_guidance *g, int T, int A, double t, const float *x, const float *v, float *out);

#endif
