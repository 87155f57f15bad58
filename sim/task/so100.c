/* The family of the SO-100 and SO-101: joint position control, tasks made of data, partial credit. */
#include "sim/control/joint.h"
#include "sim/task/predicates.h"
#include "sim/task/so100_expert.h"
#include "sim/task/world.h"

typedef struct {
  int met[VLB_MAX_SCORES]; /* parts of the score that have held */
} progress;

/* A thing is put down only once it is let go. */
static int counts(const vlb_world *w, const vlb_goal *goal) {
  int held = goal->kind != VLB_GOAL_LIFTED && vlb_robot_touches(w->model, w->data, vlb_object_body(w->model, goal->a));
  return !held && vlb_goal_holds(goal, w->task, w->model, w->data);
}

/* Parts once earned are kept; all of them together are success. */
static void judge(vlb_world *w) {
  progress *p = w->control;
  int met = 0;
  w->score = 0;
  for (int i = 0; i < w->task->score_count; i++) {
    p->met[i] |= counts(w, &w->task->scores[i].goal);
    met += p->met[i];
    if (p->met[i]) w->score += w->task->scores[i].points;
  }
  if (w->task->score_count) w->success = met == w->task->score_count;
  else w->success |= vlb_task_success(w->task, w->scene, w->data);
}

static vlb_code step(vlb_world *w, const double *action, vlb_error *err) {
  VLB_TRY(vlb_joint_step(w->scene, w->model, w->data, action, err));
  judge(w);
  return VLB_OK;
}

/* The arm is told to stay where it is: what it sags by then, it sags by when a policy tells it to stay. */
static vlb_code start(vlb_world *w, int episode, uint64_t seed, vlb_error *err) {
  double here[VLB_SO_JOINTS];
  VLB_TRY(vlb_task_reset(w->task, w->task_index, episode, seed, w->scene, w->data, err));
  *(progress *)w->control = (progress){{0}};
  mju_copy(here, w->data->qpos, VLB_SO_JOINTS);
  for (int i = 0; i < w->suite->settle_steps; i++) VLB_TRY(vlb_world_step(w, here, err));
  return VLB_OK;
}

static vlb_code again(vlb_world *w, int episode, int round, uint64_t seed, vlb_error *err) {
  *(progress *)w->control = (progress){{0}};
  return vlb_task_again(w->task, w->task_index, episode, round, seed, w->scene, w->data, err);
}

static void state(const vlb_world *w, float *out) { vlb_joint_state(w->data, out); }

static vlb_code expert_start(vlb_world *w, int episode, uint64_t seed, vlb_error *err) {
  return vlb_so_expert_reset(w->expert, w->task, w->task_index, episode, seed, w->scene, err);
}

static void expert_act(vlb_world *w, double *action) { vlb_so_expert_act(w->expert, w->data, action); }

static int expert_finished(const vlb_world *w) { return vlb_so_expert_finished(w->expert); }

static const double *expert_wanted(const vlb_world *w) { return ((const vlb_so_expert *)w->expert)->wanted; }

const vlb_family vlb_so_family = {sizeof(progress), sizeof(vlb_so_expert), vlb_task_compile, vlb_task_digest, start, step, state,
                                  expert_start, expert_act, expert_finished, expert_wanted, NULL, again};
