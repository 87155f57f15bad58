#include "sim/task/world.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"

vlb_code vlb_world_open(vlb_world *w, const vlb_suite *suite, int task, const vlb_scene *scene, vlb_error *err) {
  *w = (vlb_world){.suite = suite, .scene = scene, .task = &suite->tasks[task], .task_index = task};
  w->model = mj_copyModel(NULL, scene->model);
  w->data = w->model ? mj_makeData(w->model) : NULL;
  w->control = calloc(1, suite->family->control_size);
  w->expert = calloc(1, suite->family->expert_size);
  if (w->data && w->control && w->expert) return VLB_OK;
  vlb_world_close(w);
  return vlb_fail(err, VLB_FAILED, "no memory for a simulation");
}

void vlb_world_close(vlb_world *w) {
  if (w->control && w->suite->family->close) w->suite->family->close(w);
  if (w->data) mj_deleteData(w->data);
  if (w->model) mj_deleteModel(w->model);
  free(w->control);
  free(w->expert);
  *w = (vlb_world){0};
}

vlb_code vlb_world_start(vlb_world *w, int episode, uint64_t seed, vlb_error *err) {
  w->success = 0;
  w->score = 0;
  return w->suite->family->start(w, episode, seed, err);
}

vlb_code vlb_world_step(vlb_world *w, const double *action, vlb_error *err) {
  VLB_TRY(w->suite->family->step(w, action, err));
  if (w->success) w->score = 1;
  return VLB_OK;
}

void vlb_world_hold(const vlb_world *w, const double *last, double *action) {
  int n = w->suite->embodiment->action_dim;
  if (w->suite->family == &vlb_so_family) {
    mju_copy(action, w->data->ctrl, n);
    return;
  }
  mju_zero(action, n);
  action[n - 1] = last ? last[n - 1] : -1;
}

vlb_code vlb_world_again(vlb_world *w, int episode, int round, uint64_t seed, vlb_error *err) {
  w->success = 0;
  w->score = 0;
  return w->suite->family->again(w, episode, round, seed, err);
}

void vlb_world_hash(const vlb_world *w, char hash[17]) {
  char full[VLB_HASH_SIZE];
  const mjModel *m = w->scene->model;
  size_t nq = (size_t)m->nq, nv = (size_t)m->nv;
  hash[0] = 0;
  mjtNum *state = malloc((nq + nv) * sizeof *state);
  if (!state) return;
  mju_copy(state, w->data->qpos, (int)m->nq);
  mju_copy(state + nq, w->data->qvel, (int)m->nv);
  vlb_hash(state, (nq + nv) * sizeof *state, full);
  memcpy(hash, full, 16);
  hash[16] = 0;
  free(state);
}

vlb_code vlb_scenes_compile(const vlb_suite *suite, vlb_scene ***scenes, vlb_error *err) {
  vlb_scene **list = calloc((size_t)suite->task_count, sizeof *list);
  if (!list) return vlb_fail(err, VLB_FAILED, "no memory for %d scenes", suite->task_count);
  for (int i = 0; i < suite->task_count; i++) {
    vlb_code code = suite->family->compile(suite, i, &list[i], err);
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
