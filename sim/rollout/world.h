/* One running episode of one task: simulator state and controller. Rollouts and demonstrations share this loop, so that a
 * demonstration shows exactly what a policy meets. */
#ifndef VLB_SIM_WORLD_H
#define VLB_SIM_WORLD_H

#include "sim/control/osc.h"
#include "sim/rollout/policy.h"
#include "sim/task/task.h"

typedef struct {
  const vlb_scene *scene;
  const vlb_task *task;
  mjData *data;
  vlb_osc osc;
  int success; /* the goal held after some step, settling included (libero.md 9) */
} vlb_world;

/* scene and task are borrowed. */
vlb_code vlb_world_open(vlb_world *w, const vlb_scene *scene, const vlb_task *task, vlb_error *err);
void vlb_world_close(vlb_world *w);

/* Reset, then settle_steps control steps of [0,0,0,0,0,0,-1]. */
vlb_code vlb_world_start(vlb_world *w, int task_index, int episode, uint64_t seed, int settle_steps, vlb_error *err);

/* One control step; action [7] is clipped to [-1,1]. */
vlb_code vlb_world_step(vlb_world *w, const double action[VLB_ACTION_DIM], vlb_error *err);

/* First 16 hexadecimal digits of the SHA-256 of qpos and qvel; empty without memory. */
void vlb_world_hash(const vlb_world *w, char hash[17]);

/* Scenes of all tasks of a suite, compiled: [task_count], shared by all threads. Caller: vlb_scenes_free. */
vlb_code vlb_scenes_compile(const vlb_suite *suite, vlb_scene ***scenes, vlb_error *err);
void vlb_scenes_free(vlb_scene **scenes, int n);

#endif
