#include "sim/rollout/record.h"

#include <string.h>

#include "sim/rollout/push.h"

static int state_width(const mjModel *m) { return (int)(1 + m->nq + m->nv); }

void vlb_record_state(const vlb_world *w, double *row) {
  row[0] = w->data->time;
  mju_copy(row + 1, w->data->qpos, (int)w->model->nq);
  mju_copy(row + 1 + w->model->nq, w->data->qvel, (int)w->model->nv);
}

/* What LIBERO's files hold of the Panda beside the policy's state. */
static void record_panda(const vlb_world *w, vlb_episode *e, size_t frame) {
  const double *state = e->state + frame * (size_t)w->suite->embodiment->state_dim;
  const mjtNum *quat = w->data->xquat + 4 * w->scene->hand_body;
  double *robot = e->robot_states + frame * 9;
  for (int i = 0; i < 2; i++) robot[i] = state[6 + i];
  for (int i = 0; i < 3; i++) robot[2 + i] = state[i];
  for (int i = 0; i < 4; i++) robot[5 + i] = quat[(i + 1) % 4];
  for (int i = 0; i < VLB_ARM_JOINTS; i++) e->joints[frame * VLB_ARM_JOINTS + (size_t)i] = w->data->qpos[w->scene->arm_qpos[i]];
}

/* State, robot and pictures as they are before action k. */
static vlb_code record_before(const vlb_world *w, vlb_renderer *renderer, vlb_episode *e, int k, vlb_error *err) {
  const vlb_embodiment *robot = w->suite->embodiment;
  size_t frame = (size_t)k, picture = frame * (size_t)e->image_size * (size_t)e->image_size * 3;
  float state[VLB_MAX_STATE];
  vlb_record_state(w, e->states + frame * (size_t)e->state_width);
  /* the policy's 32-bit numbers, so that training sees the very values that a rollout will show */
  w->suite->family->state(w, state);
  for (int i = 0; i < robot->state_dim; i++) e->state[k * robot->state_dim + i] = (double)state[i];
  if (e->robot_states) record_panda(w, e, frame);
  for (int c = 0; c < robot->cameras; c++) VLB_TRY(vlb_render(renderer, w->model, w->data, w->scene->camera[c], e->image[c] + picture, err));
  return VLB_OK;
}

/* Small turn of a quaternion about a random axis. */
static void turn(double quat[4], double angle, vlb_rng *rng) {
  double spin[3], by[4], out[4];
  for (int i = 0; i < 3; i++) spin[i] = angle * vlb_rng_normal(rng);
  double size = mju_normalize3(spin);
  mju_axisAngle2Quat(by, spin, size);
  mju_mulQuat(out, quat, by);
  mju_copy4(quat, out);
}

void vlb_record_vary(vlb_world *w, double variety, int episode, uint64_t seed) {
  static const double PLACE = 0.025, ANGLE = 0.05, LIGHT = 0.25; /* m, rad, share */
  if (variety <= 0) return;
  vlb_rng rng = vlb_rng_make(seed, VLB_RNG_VARIETY, (uint32_t)w->task_index, (uint32_t)episode);
  mjModel *m = w->model;
  for (int c = 0; c < w->suite->embodiment->cameras; c++) {
    int id = w->scene->camera[c];
    double share = m->cam_bodyid[id] ? variety / 5 : variety;
    for (int i = 0; i < 3; i++) m->cam_pos[3 * id + i] += share * PLACE * vlb_rng_normal(&rng);
    turn(m->cam_quat + 4 * id, share * ANGLE, &rng);
  }
  double bright = 1 + variety * LIGHT * vlb_rng_normal(&rng);
  bright = bright < 0.4 ? 0.4 : bright > 1.6 ? 1.6 : bright;
  for (int i = 0; i < 3 * m->nlight; i++) m->light_diffuse[i] *= (float)bright;
  for (int i = 0; i < 3; i++) m->vis.headlight.diffuse[i] *= (float)bright;
  mj_camlight(m, w->data); /* where they are now */
}

/* What leads the robot away from what the expert wants. */
typedef struct {
  double noise;
  vlb_push push;
  vlb_rng unsteady, pushing;
} troubles;

static troubles make_troubles(const vlb_record_settings *s, const vlb_world *w) {
  uint32_t task = (uint32_t)w->task_index, episode = (uint32_t)s->episode;
  return (troubles){.noise = s->noise, .push = {.chance = s->pushes},
                    .unsteady = vlb_rng_make(s->seed, VLB_RNG_UNSTEADY, task, episode),
                    .pushing = vlb_rng_make(s->seed, VLB_RNG_PUSH, task, episode)};
}

/* The robot's next action, as it is given. Frame k of the episode holds it, or what the expert wanted. */
static void choose_action(troubles *t, vlb_world *w, vlb_episode *e, int k, double given[VLB_MAX_ACTION]) {
  const vlb_family *family = w->suite->family;
  const vlb_embodiment *robot = w->suite->embodiment;
  double wanted[VLB_MAX_ACTION];
  family->expert_act(w, given);
  mju_copy(wanted, family->expert_wanted ? family->expert_wanted(w) : given, robot->action_dim);
  for (int i = 0; t->noise > 0 && i < robot->action_dim; i++) given[i] += t->noise * vlb_rng_normal(&t->unsteady);
  vlb_push_apply(&t->push, &t->pushing, given);
  mju_copy(e->actions + k * robot->action_dim, e->applied ? wanted : given, robot->action_dim);
  if (e->applied) mju_copy(e->applied + k * robot->action_dim, given, robot->action_dim);
}

/* Plays into `e`, which has room for max_steps frames. An error of the simulator ends the attempt without success. */
static vlb_code play(const vlb_record_settings *s, vlb_world *w, vlb_renderer *renderer, vlb_episode *e, int *frames, int *succeeded,
                     vlb_error *trouble, vlb_error *err) {
  const vlb_family *family = w->suite->family;
  *frames = *succeeded = 0;
  if (vlb_world_start(w, s->episode, s->seed, trouble)) return VLB_OK;
  if (s->start) mju_copy(s->start, w->data->xpos, 3 * (int)w->model->nbody);
  vlb_record_vary(w, s->variety, s->episode, s->seed);
  VLB_TRY(family->expert_start(w, s->episode, s->seed, err));
  troubles t = make_troubles(s, w);
  while (*frames < w->suite->max_steps) {
    double given[VLB_MAX_ACTION];
    VLB_TRY(record_before(w, renderer, e, *frames, err));
    choose_action(&t, w, e, (*frames)++, given);
    if (vlb_world_step(w, given, trouble)) return VLB_OK;
    if (family->expert_finished(w)) break;
  }
  *succeeded = w->success;
  return VLB_OK;
}

vlb_code vlb_record(const vlb_record_settings *s, vlb_world *world, vlb_renderer *renderer, vlb_episode *out, int *succeeded,
                    vlb_error *trouble, vlb_error *err) {
  int frames;
  memset(out, 0, sizeof *out);
  *trouble = (vlb_error){VLB_OK, ""};
  VLB_TRY(vlb_episode_alloc(out, world->suite->embodiment, world->suite->max_steps, state_width(world->scene->model), s->size, err));
  if (!s->wanted) vlb_episode_drop_applied(out);
  vlb_code code = play(s, world, renderer, out, &frames, succeeded, trouble, err);
  out->episode = s->episode;
  out->model_xml = world->scene->xml ? strdup(world->scene->xml) : NULL;
  if (!code && world->scene->xml && !out->model_xml) code = vlb_fail(err, VLB_FAILED, "no memory for a demonstration");
  if (code || !frames) {
    vlb_episode_free(out);
    return code;
  }
  vlb_episode_cut(out, frames);
  out->rewards[frames - 1] = out->dones[frames - 1] = 1;
  return VLB_OK;
}
