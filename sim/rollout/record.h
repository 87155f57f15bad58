/* One demonstration: the scripted expert in the rollouts' control loop, observed before each action. */
#ifndef VLB_SIM_RECORD_H
#define VLB_SIM_RECORD_H

#include "core/base/rng.h"
#include "core/data/episodes.h"
#include "sim/render/render.h"
#include "sim/task/world.h"

/* Plays episode `episode` of the task. Frame k of *out holds what a policy would see when it must choose action k, and
 * action k: what the robot is given, or with `wanted` what the expert wanted (then out->applied is what it is given). Ends when the expert
 * has nothing left to do, or at the suite's max_steps. *succeeded: the goal holds after the last frame; what failed is in *out all the same (no frames when not even the start came to rest). Errors: VLB_FAILED only when pictures or
 * memory fail; an unstable simulation is a failed attempt, and *trouble says why (VLB_OK: nothing of the kind). Caller:
 * vlb_episode_free. */
typedef struct {
  int episode, size;
  uint64_t seed;
  double noise, variety, pushes; /* as in [demos] */
  bool wanted;
  double *start; /* [nbody,3] receives where the bodies are in the first frame; NULL: nobody asks */
} vlb_record_settings;
vlb_code vlb_record(const vlb_record_settings *s, vlb_world *world, vlb_renderer *renderer, vlb_episode *out, int *succeeded,
                    vlb_error *trouble, vlb_error *err);

/* Puts this world's cameras and lamps where the episode has them: moved by some centimetres and turned by some degrees (a camera on the robot by a
 * fifth of that), the light brighter or darker. variety 0 changes nothing. */
void vlb_record_vary(vlb_world *w, double variety, int episode, uint64_t seed);

/* A row of the episode's states: time, qpos, qvel. */
void vlb_record_state(const vlb_world *w, double *row);

#endif
