/* Initial states: placements drawn from the counter-based stream, then a short settling with the arm held. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/task/predicates.h"
#include "sim/world/engine.h"

enum { PLACEMENT_TRIES = 500, EPISODE_TRIES = 20, SETTLE_SUBSTEPS = 150 };

static const double drop_height = 0.001; /* m above the resting height */

/* --- what an object's marks say about its shape --- */

typedef struct {
  double bottom, top, radius; /* m; heights from the body's origin */
} extent;

static extent object_extent(const mjModel *m, const char *object) {
  char name[128];
  snprintf(name, sizeof name, "%s_bottom_site", object);
  double bottom = m->site_pos[3 * vlb_site(m, name) + 2];
  snprintf(name, sizeof name, "%s_top_site", object);
  double top = m->site_pos[3 * vlb_site(m, name) + 2];
  snprintf(name, sizeof name, "%s_horizontal_radius_site", object);
  const mjtNum *radius = m->site_pos + 3 * vlb_site(m, name);
  return (extent){bottom, top, fmax(fabs(radius[0]), fabs(radius[1]))};
}

/* Height of the surface that `on` offers and its centre. A box site is a region: things stand on its floor. */
static void support(const vlb_scene *scene, const mjData *d, const char *on, double out[3]) {
  const mjModel *m = scene->model;
  mju_copy3(out, scene->workspace);
  if (!on[0]) return;
  char name[128];
  int site = vlb_site(m, on);
  if (site < 0) {
    snprintf(name, sizeof name, "%s_top_site", on);
    site = vlb_site(m, name);
  }
  mju_copy3(out, d->site_xpos + 3 * site);
  if (m->site_type[site] == mjGEOM_BOX) out[2] -= m->site_size[3 * site + 2];
}

/* --- placing --- */

/* LIBERO's rule: too near in the plane and overlapping in height. Things that rest on each other are exempt. */
static int overlaps(const vlb_task *task, int i, const mjModel *m, const mjData *d) {
  extent a = object_extent(m, task->objects[i].name);
  const mjtNum *p = d->xpos + 3 * vlb_object_body(m, task->objects[i].name);
  const vlb_scene_object *under = vlb_task_object(task, task->placements[i].on);
  for (int k = 0; k < task->object_count; k++) {
    const vlb_scene_object *other = &task->objects[k];
    if (k == i || other == under || (other->movable && k > i)) continue; /* later ones are not placed yet */
    extent b = object_extent(m, other->name);
    const mjtNum *q = d->xpos + 3 * vlb_object_body(m, other->name);
    int apart = hypot(p[0] - q[0], p[1] - q[1]) > a.radius + b.radius;
    if (!apart && p[2] + a.bottom < q[2] + b.top && q[2] + b.bottom < p[2] + a.top) return 1;
  }
  return 0;
}

static void place_once(const vlb_task *task, int i, int episode, vlb_rng *rng, const vlb_scene *scene, mjData *d) {
  const mjModel *m = scene->model;
  const vlb_placement *where = &task->placements[i];
  double at[3];
  support(scene, d, where->on, at);
  if (where->at_count)
    for (int k = 0; k < 2; k++) at[k] += where->at[episode % where->at_count][k];
  double x = at[0] + vlb_rng_range(rng, where->x[0], where->x[1]);
  double y = at[1] + vlb_rng_range(rng, where->y[0], where->y[1]);
  double yaw = vlb_rng_range(rng, where->yaw[0], where->yaw[1]);
  double z = at[2] - object_extent(m, task->objects[i].name).bottom + drop_height;
  int joint = m->body_jntadr[vlb_object_body(m, task->objects[i].name)];
  mjtNum pose[7] = {x, y, z, cos(yaw / 2), 0, 0, sin(yaw / 2)};
  mju_copy(d->qpos + m->jnt_qposadr[joint], pose, 7);
  mj_kinematics(m, d);
}

/* Returns 0 when some object finds no free place. */
static int place_all(const vlb_task *task, int episode, vlb_rng *rng, const vlb_scene *scene, mjData *d) {
  for (int i = 0; i < task->object_count; i++) {
    if (!task->objects[i].movable) continue;
    int tries = 0;
    do place_once(task, i, episode, rng, scene, d);
    while (overlaps(task, i, scene->model, d) && ++tries < PLACEMENT_TRIES);
    if (tries == PLACEMENT_TRIES) return 0;
  }
  return 1;
}

static void start_joints(const vlb_task *task, vlb_rng *rng, const mjModel *m, mjData *d) {
  for (int s = 0; s < task->start_count; s++) {
    double range[2];
    int joints[32], n = vlb_goal_joints(m, task->starts[s].a, joints, 32);
    vlb_start_range(vlb_task_object(task, task->starts[s].a)->category, task->starts[s].kind, range);
    for (int i = 0; i < n; i++) d->qpos[m->jnt_qposadr[joints[i]]] = vlb_rng_range(rng, range[0], range[1]);
  }
}

/* Steps with the robot pinned where it is, so that everything else comes to rest; then the clock starts. */
static void settle(const vlb_scene *scene, mjData *d) {
  const mjModel *m = scene->model;
  mjtNum held[VLB_MAX_DOF];
  mju_copy(held, d->qpos, scene->robot_joints);
  for (int step = 0; step < SETTLE_SUBSTEPS; step++) {
    mj_step(m, d);
    mju_copy(d->qpos, held, scene->robot_joints);
    mju_zero(d->qvel, scene->robot_joints);
  }
  mju_zero(d->qvel, (int)m->nv);
  mju_zero(d->qacc_warmstart, (int)m->nv);
  d->time = 0;
  mj_forward(m, d);
}

typedef struct {
  const vlb_task *task;
  const vlb_scene *scene;
  mjData *data;
  int episode;
  vlb_rng rng;
} reset_job;

static vlb_code reset(void *self, vlb_error *err) {
  reset_job *job = self;
  mjData *d = job->data;
  for (int tries = 0; tries < EPISODE_TRIES; tries++) {
    vlb_scene_home(job->scene, d);
    for (int i = 0; i < job->scene->robot_joints; i++)
      if (job->scene->home_noise[i] > 0) d->qpos[i] += job->scene->home_noise[i] * vlb_rng_normal(&job->rng);
    start_joints(job->task, &job->rng, job->scene->model, d);
    mj_kinematics(job->scene->model, d);
    if (!place_all(job->task, job->episode, &job->rng, job->scene, d)) continue;
    settle(job->scene, d);
    return VLB_OK;
  }
  return vlb_fail(err, VLB_FAILED, "task \"%s\", episode %d: the objects do not fit; widen the regions or move them apart",
                  job->task->instruction, job->episode);
}

vlb_code vlb_task_reset(const vlb_task *task, int task_index, int episode, uint64_t seed, const vlb_scene *scene, mjData *data, vlb_error *err) {
  reset_job job = {task, scene, data, episode, vlb_rng_make(seed, VLB_RNG_PLACEMENT, (uint32_t)task_index, (uint32_t)episode)};
  return vlb_engine_guard(reset, &job, err);
}

/* Start positions are taken in turn, as by the episodes that follow; the numbers drawn are of a stream of their own. */
static vlb_code again(void *self, vlb_error *err) {
  reset_job *job = self;
  const mjModel *m = job->scene->model;
  mjData *d = job->data;
  for (int tries = 0; tries < EPISODE_TRIES; tries++) {
    if (!place_all(job->task, job->episode, &job->rng, job->scene, d)) continue;
    for (int i = 0; i < job->task->object_count; i++) {
      if (!job->task->objects[i].movable) continue;
      int joint = m->body_jntadr[vlb_object_body(m, job->task->objects[i].name)];
      mju_zero(d->qvel + m->jnt_dofadr[joint], 6);
    }
    mj_forward(m, d);
    return VLB_OK;
  }
  return vlb_fail(err, VLB_FAILED, "task \"%s\": the objects do not fit a second time; widen the regions or move them apart", job->task->instruction);
}

vlb_code vlb_task_again(const vlb_task *task, int task_index, int episode, int round, uint64_t seed, const vlb_scene *scene, mjData *data,
                        vlb_error *err) {
  reset_job job = {task, scene, data, episode + round,
                   vlb_rng_make(seed, VLB_RNG_PLACEMENT, (uint32_t)task_index, (uint32_t)round << 16 | (uint32_t)episode)};
  return vlb_engine_guard(again, &job, err);
}

/* --- names --- */

static vlb_code need(int id, const vlb_task *task, const char *name, vlb_error *err) {
  if (id >= 0) return VLB_OK;
  return vlb_fail(err, VLB_USAGE, "task \"%s\": the scene has no object or site \"%s\"", task->instruction, name);
}

static int object_or_site(const mjModel *m, const char *name) {
  int body = vlb_object_body(m, name);
  return body >= 0 ? body : vlb_site(m, name);
}

static vlb_code check_names(const vlb_task *task, const mjModel *m, vlb_error *err) {
  static const char *const marks[] = {"bottom", "top", "horizontal_radius"};
  char name[128];
  for (int i = 0; i < task->object_count; i++) {
    for (int k = 0; k < 3; k++) {
      snprintf(name, sizeof name, "%.47s_%s_site", task->objects[i].name, marks[k]);
      VLB_TRY(need(vlb_site(m, name), task, name, err));
    }
    if (task->placements[i].on[0]) VLB_TRY(need(object_or_site(m, task->placements[i].on), task, task->placements[i].on, err));
  }
  for (int i = 0; i < task->goal_count; i++) {
    VLB_TRY(need(object_or_site(m, task->goals[i].a), task, task->goals[i].a, err));
    if (task->goals[i].b[0]) VLB_TRY(need(object_or_site(m, task->goals[i].b), task, task->goals[i].b, err));
    if (task->goals[i].kind == VLB_GOAL_IN) VLB_TRY(need(vlb_site(m, task->goals[i].b), task, task->goals[i].b, err));
  }
  for (int i = 0; i < task->score_count; i++) {
    const vlb_goal *goal = &task->scores[i].goal;
    if (goal->b[0]) VLB_TRY(need(goal->kind == VLB_GOAL_IN ? vlb_site(m, goal->b) : object_or_site(m, goal->b), task, goal->b, err));
  }
  for (int i = 0; i < task->start_count; i++) VLB_TRY(need(object_or_site(m, task->starts[i].a), task, task->starts[i].a, err));
  return VLB_OK;
}

vlb_scene_spec vlb_task_scene(const vlb_suite *suite, int index) {
  const vlb_task *task = &suite->tasks[index];
  return (vlb_scene_spec){suite->embodiment, task->arena, task->objects, task->object_count, task->zones, task->zone_count};
}

vlb_code vlb_task_compile(const vlb_suite *suite, int index, vlb_scene **scene, vlb_error *err) {
  const vlb_task *task = &suite->tasks[index];
  const vlb_scene_spec spec = vlb_task_scene(suite, index);
  VLB_TRY(vlb_scene_compile(&spec, scene, err));
  vlb_code code = check_names(task, (*scene)->model, err);
  if (!code) return VLB_OK;
  vlb_scene_free(*scene);
  *scene = NULL;
  return code;
}
