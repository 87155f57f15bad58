#include "sim/rollout/world.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"

vlb_code vlb_world_open(vlb_world *w, const vlb_scene *scene, const vlb_task *task, vlb_error *err) {
  *w = (vlb_world){.scene = scene, .task = task};
  w->data = mj_makeData(scene->model);
  return w->data ? VLB_OK : vlb_fail(err, VLB_FAILED, "no memory for a simulation");
}

void vlb_world_close(vlb_world *w) {
  if (w->data) mj_deleteData(w->data);
  w->data = NULL;
}

vlb_code vlb_world_start(vlb_world *w, int task_index, int episode, uint64_t seed, int settle_steps, vlb_error *err) {
  static const double rest[VLB_ACTION_DIM] = {0, 0, 0, 0, 0, 0, -1};
  w->success = 0;
  VLB_TRY(vlb_task_reset(w->task, task_index, episode, seed, w->scene, w->data, err));
  vlb_osc_reset(&w->osc, w->scene, w->data);
  for (int i = 0; i < settle_steps; i++) VLB_TRY(vlb_world_step(w, rest, err));
  return VLB_OK;
}

vlb_code vlb_world_step(vlb_world *w, const double action[VLB_ACTION_DIM], vlb_error *err) {
  VLB_TRY(vlb_osc_step(&w->osc, w->scene, w->data, action, err));
  w->success |= vlb_task_success(w->task, w->scene, w->data);
  return VLB_OK;
}

void vlb_world_hash(const vlb_world *w, char hash[17]) {
  char full[VLB_HASH_SIZE];
  const mjModel *m = w->scene->model;
  size_t nq = (size_t)m->nq, nv = (size_t)m->nv;
  hash[0] = 0;
  mjtNum *state = malloc((nq + nv) * sizeof *state);
  if (!state) return;
  mju_copy(state, w->data->qpos, m->nq);
  mju_copy(state + nq, w->data->qvel, m->nv);
  vlb_hash(state, (nq + nv) * sizeof *state, full);
  memcpy(hash, full, 16);
  hash[16] = 0;
  free(state);
}

vlb_code vlb_scenes_compile(const vlb_suite *suite, vlb_scene ***scenes, vlb_error *err) {
  vlb_scene **list = calloc((size_t)suite->task_count, sizeof *list);
  if (!list) return vlb_fail(err, VLB_FAILED, "no memory for %d scenes", suite->task_count);
  for (int i = 0; i < suite->task_count; i++) {
    vlb_code code = vlb_task_compile(&suite->tasks[i], &list[i], err);
    if (!code) continue;
    vlb_scenes_free(list, i);
    return code;
  }
  *scenes = list;
  return VLB_OK;
}

void vlb_scenes_free(vlb_scene **scenes, int n) {
  for (int i = 0; scenes && i < n; i++) vlb_scene_free(scenes[i]);
  free(scenes);
}
