/* The LIBERO-style family: the Panda under operational-space control, tasks made of data, success by LIBERO's predicates. */
#include <stdio.h>

#include "sim/control/osc.h"
#include "sim/task/expert.h"
#include "sim/task/predicates.h"
#include "sim/task/world.h"

/* A stove that is on glows (libero.md 4): a policy sees it. */
static void light_burners(vlb_world *w) {
  for (int i = 0; i < w->task->object_count; i++) {
    char name[64];
    snprintf(name, sizeof name, "%s_burner", w->task->objects[i].name);
    int site = vlb_site(w->model, name);
    if (site < 0) continue;
    vlb_goal on = {.kind = VLB_GOAL_TURN_ON};
    snprintf(on.a, sizeof on.a, "%s", w->task->objects[i].name);
    w->model->site_rgba[4 * site + 3] = vlb_goal_holds(&on, w->task, w->model, w->data) ? 1.f : 0.f;
  }
}

static vlb_code step(vlb_world *w, const double *action, vlb_error *err) {
  VLB_TRY(vlb_osc_step(w->control, w->scene, w->data, action, err));
  w->success |= vlb_task_success(w->task, w->scene, w->data);
  light_burners(w);
  return VLB_OK;
}

static vlb_code start(vlb_world *w, int episode, uint64_t seed, vlb_error *err) {
  static const double rest[] = {0, 0, 0, 0, 0, 0, -1};
  VLB_TRY(vlb_task_reset(w->task, w->task_index, episode, seed, w->scene, w->data, err));
  vlb_osc_reset(w->control, w->scene, w->data);
  light_burners(w);
  for (int i = 0; i < w->suite->settle_steps; i++) VLB_TRY(vlb_world_step(w, rest, err));
  return VLB_OK;
}

static void state(const vlb_world *w, float *out) { vlb_eef_state(w->scene, w->data, out); }

static vlb_code expert_start(vlb_world *w, int episode, uint64_t seed, vlb_error *err) {
  return vlb_expert_reset(w->expert, w->task, w->task_index, episode, seed, w->scene, err);
}

static void expert_act(vlb_world *w, double *action) { vlb_expert_act(w->expert, w->scene, w->data, action); }

static int expert_finished(const vlb_world *w) { return vlb_expert_finished(w->expert, w->scene, w->data); }

static const double *expert_wanted(const vlb_world *w) { return ((const vlb_expert *)w->expert)->wanted; }

const vlb_family vlb_tabletop_family = {sizeof(vlb_osc), sizeof(vlb_expert), vlb_task_compile, vlb_task_digest, start, step, state,
                                        expert_start, expert_act, expert_finished, expert_wanted, NULL, NULL};
