#include "sim/rollout/record.h"

#include <string.h>

#include "sim/control/osc.h"


static int state_width(const mjModel *m) { return 1 + m->nq + m->nv; }

/* State, robot and pictures as they are before action k. */
static vlb_code record_before(const vlb_world *w, vlb_renderer *renderer, vlb_episode *e, int k, vlb_error *err) {
  const vlb_scene *s = w->scene;
  const mjModel *m = s->model;
  const mjData *d = w->data;
  size_t frame = (size_t)k, picture = frame * (size_t)e->image_size * (size_t)e->image_size * 3;
  float state[VLB_MAX_STATE];
  double *row = e->states + frame * (size_t)e->state_width, *robot = e->robot_states + frame * 9;
  row[0] = d->time;
  mju_copy(row + 1, d->qpos, m->nq);
  mju_copy(row + 1 + m->nq, d->qvel, m->nv);
  /* the policy's 32-bit numbers, so that training sees the very values that a rollout will show */
  vlb_eef_state(s, d, state);
  const mjtNum *quat = d->xquat + 4 * s->hand_body;
  for (int i = 0; i < 3; i++) {
    e->ee_pos[frame * 3 + (size_t)i] = robot[2 + i] = (double)state[i];
    e->ee_ori[frame * 3 + (size_t)i] = (double)state[3 + i];
  }
  for (int i = 0; i < 2; i++) e->gripper[frame * 2 + (size_t)i] = robot[i] = (double)state[6 + i];
  for (int i = 0; i < 4; i++) robot[5 + i] = quat[(i + 1) % 4];
  for (int i = 0; i < VLB_ARM_JOINTS; i++) e->joints[frame * VLB_ARM_JOINTS + (size_t)i] = d->qpos[s->arm_qpos[i]];
  VLB_TRY(vlb_render(renderer, w->model, d, s->camera[0], e->agentview + picture, err));
  return vlb_render(renderer, w->model, d, s->camera[1], e->wrist + picture, err);
}

/* Plays into `e`, which has room for max_steps frames. An error of the simulator ends the attempt without success. */
static vlb_code play(const vlb_record_settings *s, vlb_world *w, vlb_renderer *renderer, vlb_episode *e, int *frames, int *succeeded,
                     vlb_error *trouble, vlb_error *err) {
  const vlb_family *family = w->suite->family;
  *frames = *succeeded = 0;
  if (vlb_world_start(w, s->episode, s->seed, trouble)) return VLB_OK;
  VLB_TRY(family->expert_start(w, s->episode, s->seed, err));
  while (*frames < w->suite->max_steps) {
    double *action = e->actions + *frames * w->suite->embodiment->action_dim;
    VLB_TRY(record_before(w, renderer, e, *frames, err));
    family->expert_act(w, action);
    (*frames)++;
    if (vlb_world_step(w, action, trouble)) return VLB_OK;
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
  VLB_TRY(vlb_episode_alloc(out, world->suite->max_steps, state_width(world->scene->model), s->size, err));
  vlb_code code = play(s, world, renderer, out, &frames, succeeded, trouble, err);
  out->model_xml = strdup(world->scene->xml);
  if (!code && !out->model_xml) code = vlb_fail(err, VLB_FAILED, "no memory for a demonstration");
  if (code || !frames) {
    vlb_episode_free(out);
    return code;
  }
  vlb_episode_cut(out, frames);
  out->rewards[frames - 1] = out->dones[frames - 1] = 1;
  return VLB_OK;
}
