/* Random actions through the rollout engine: whatever a robot is told to do, the simulator must finish or say what went wrong. */
#ifndef VLB_SIM_RANDOM_H
#define VLB_SIM_RANDOM_H

#include "sim/rollout/rollout.h"

typedef struct {
  int outcomes[VLB_EPISODE_NOT_RUN + 1]; /* episodes by outcome */
  int slipped;   /* episodes with a number that is not finite in what a policy reads, although nothing was reported */
  int64_t steps; /* control steps of all episodes */
} vlb_random_report;

/* Plays `per_task` episodes of each task, to the suite's step limit, without pictures. Actions come from a stream of their own
 * (seed, task, episode) and are uniform over the whole range of every dimension: to 1, and in every second episode to pi, which
 * clips most of them where the unit is 1 and turns every joint where it is a radian. They are new each step, or held for 4 or
 * 16, so that the arm trembles, pushes and runs into its limits. Errors: as vlb_rollouts_run. */
vlb_code vlb_random_run(const vlb_suite *suite, int per_task, uint64_t seed, const vlb_context *ctx, vlb_random_report *out, vlb_error *err);

#endif
