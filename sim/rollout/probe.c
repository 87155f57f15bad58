#include "sim/rollout/probe.h"

#include "sim/task/world.h"

static vlb_code move(vlb_world *w, vlb_error *err) {
  enum { STEPS = 20, SEED = 1 };
  VLB_TRY(vlb_world_start(w, 0, SEED, err));
  for (int k = 0; k < STEPS; k++) {
    /* down and sideways with a turn, closing half-way: free motion, contact of the fingers, and rotation are all in it */
    const double action[VLB_MAX_ACTION] = {0.4, k < 10 ? 0.3 : -0.3, -0.8, 0.1, -0.2, 0.3, k < 10 ? -1 : 1};
    VLB_TRY(vlb_world_step(w, action, err));
  }
  return VLB_OK;
}

vlb_code vlb_physics_probe(char hash[17], vlb_error *err) {
  vlb_suite *suite;
  vlb_scene *scene = NULL;
  vlb_world world = {0};
  VLB_TRY(vlb_suite_load("spatial", &suite, err));
  suite->settle_steps = 0;
  vlb_code code = vlb_task_compile(suite, 0, &scene, err);
  if (!code) code = vlb_world_open(&world, suite, 0, scene, err);
  if (!code) code = move(&world, err);
  if (!code) vlb_world_hash(&world, hash);
  vlb_world_close(&world);
  if (scene) vlb_scene_free(scene);
  vlb_suite_free(suite);
  return code;
}
