#include "sim/task/expert.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/task/predicates.h"

/* OSC's units: an action of 1 asks for this much (libero.md 6) */
static const double position_unit = 0.05, rotation_unit = 0.5;

/* distance between the pads: a rim between them, almost fully open (m) */
static const double holding_width = 0.0135, open_width = 0.055;

/* the hand points down with its fingers along the world's y axis */
static const double hand_down[9] = {1, 0, 0, 0, -1, 0, 0, 0, -1};

static double clamp(double x, double lo, double hi) { return fmin(fmax(x, lo), hi); }

/* 0 below lo, 1 above hi, smooth between */
static double ramp(double x, double lo, double hi) {
  double t = clamp((x - lo) / (hi - lo), 0, 1);
  return t * t * (3 - 2 * t);
}

static double mark_z(const mjModel *m, const char *object, const char *mark) {
  char name[128];
  snprintf(name, sizeof name, "%s_%s_site", object, mark);
  return m->site_pos[3 * vlb_site(m, name) + 2];
}

static void draw_manner(vlb_expert *e) {
  vlb_rng *r = &e->rng;
  e->speed = vlb_rng_range(r, 0.85, 1.0);
  e->gain = vlb_rng_range(r, 1.5, 1.8);
  e->slope = vlb_rng_range(r, 1.1, 1.5);
  e->hover = vlb_rng_range(r, 0.075, 0.10);
  e->lift = vlb_rng_range(r, 0.10, 0.13);
  e->noise = vlb_rng_range(r, 0.06, 0.16);
  e->grasp_offset[0] = vlb_rng_range(r, -0.006, 0.006);
  e->grasp_offset[1] = vlb_rng_range(r, -0.003, 0.003);
  e->grasp_offset[2] = vlb_rng_range(r, -0.016, -0.012);
  for (int i = 0; i < 2; i++) e->place_offset[i] = vlb_rng_range(r, -0.005, 0.005);
}

vlb_code vlb_expert_reset(vlb_expert *e, const vlb_task *task, int task_index, int episode, uint64_t seed, const vlb_scene *scene,
                          vlb_error *err) {
  const mjModel *m = scene->model;
  const vlb_goal *goal = &task->goals[0];
  memset(e, 0, sizeof *e);
  e->object = vlb_object_body(m, goal->a);
  e->target = vlb_object_body(m, goal->b);
  if (task->goal_count != 1 || goal->kind != VLB_GOAL_ON || e->object < 0 || e->target < 0)
    return vlb_fail(err, VLB_USAGE, "task \"%s\": the expert only knows goals of the form \"on <object> <object>\"", task->instruction);
  char name[128];
  snprintf(name, sizeof name, "%s_horizontal_radius_site", goal->a);
  e->rim_radius = m->site_pos[3 * vlb_site(m, name)] - 0.004;
  e->rim_height = mark_z(m, goal->a, "top");
  e->rest_height = mark_z(m, goal->b, "top") - mark_z(m, goal->a, "bottom");
  e->rng = vlb_rng_make(seed, VLB_RNG_EXPERT, (uint32_t)task_index, (uint32_t)episode);
  draw_manner(e);
  return VLB_OK;
}

static double finger_width(const vlb_scene *s, const mjData *d) { return d->qpos[s->finger_qpos[0]] - d->qpos[s->finger_qpos[1]]; }

/* Where the hand holds the object: its rim's side towards +y. */
static void grasp_point(const vlb_expert *e, const mjData *d, double out[3]) {
  const mjtNum *p = d->xpos + 3 * e->object;
  out[0] = p[0] + e->grasp_offset[0];
  out[1] = p[1] + e->rim_radius + e->grasp_offset[1];
  out[2] = p[2] + e->rim_height + e->grasp_offset[2];
}

/* Where the hand must be for the held object to stand in the middle of the target. */
static void place_point(const vlb_expert *e, const mjData *d, const double hand[3], double out[3]) {
  const mjtNum *p = d->xpos + 3 * e->object, *q = d->xpos + 3 * e->target;
  for (int i = 0; i < 2; i++) out[i] = q[i] + hand[i] - p[i] + e->place_offset[i];
  out[2] = q[2] + e->rest_height + e->grip_height;
}

static double flat_distance(const double a[3], const double b[3]) { return hypot(a[0] - b[0], a[1] - b[1]); }

/* A funnel over `point`: high far away, down to it in its middle. */
static double funnel(const vlb_expert *e, double distance, double height) {
  return clamp(e->slope * (distance - 0.008), 0, height);
}

static void go_reach(const vlb_expert *e, const mjData *d, const double hand[3], double goal[3]) {
  grasp_point(e, d, goal);
  goal[2] += funnel(e, flat_distance(hand, goal), e->hover);
}

/* Up first, sideways once clear of the neighbours, over the edge of what it stood on, down into the target's funnel. */
static void go_carry(const vlb_expert *e, const mjData *d, const double hand[3], double goal[3], double pace[3]) {
  place_point(e, d, hand, goal);
  double left = flat_distance(hand, e->source), risen = hand[2] - e->source[2], ahead = flat_distance(hand, goal);
  double over_source = (e->source[2] + 0.75 * e->lift - goal[2]) * ramp(ahead / (ahead + left), 0.2, 0.6);
  goal[2] += fmax(funnel(e, ahead, e->lift), over_source);
  pace[0] = pace[1] = fmax(ramp(risen, 0.015, 0.06), ramp(left, 0.05, 0.10));
}

static void go_leave(const vlb_expert *e, const double hand[3], double goal[3]) {
  memcpy(goal, hand, 3 * sizeof *goal);
  goal[2] += e->hover;
}

/* Phases change by what can be seen: how near, how high, how wide the fingers are. */
static void update_phase(vlb_expert *e, const vlb_scene *s, const mjData *d, const double hand[3]) {
  double goal[3], width = finger_width(s, d);
  if (e->phase == VLB_EXPERT_REACH) {
    grasp_point(e, d, goal);
    if (flat_distance(hand, goal) < 0.010 && hand[2] - goal[2] < 0.008) e->phase = VLB_EXPERT_GRASP;
  }
  if (e->phase == VLB_EXPERT_GRASP && width < holding_width) {
    e->phase = VLB_EXPERT_CARRY;
    memcpy(e->source, hand, sizeof e->source);
    e->grip_height = hand[2] - d->xpos[3 * e->object + 2];
  }
  if (e->phase == VLB_EXPERT_CARRY) {
    place_point(e, d, hand, goal);
    if (flat_distance(hand, goal) < 0.009 && hand[2] - goal[2] < 0.008) e->phase = VLB_EXPERT_RELEASE;
  }
  if (e->phase == VLB_EXPERT_RELEASE && width > open_width) e->phase = VLB_EXPERT_LEAVE;
}

/* Half the sum of the cross products of the axes: the small rotation from the hand to pointing down. */
static void tilt_error(const mjtNum *r, double out[3]) {
  memset(out, 0, 3 * sizeof *out);
  for (int c = 0; c < 3; c++) {
    mjtNum a[3] = {r[c], r[3 + c], r[6 + c]}, b[3] = {hand_down[c], hand_down[3 + c], hand_down[6 + c]}, x[3];
    mju_cross(x, a, b);
    mju_addToScl3(out, x, 0.5);
  }
}

/* Position servo with a bounded speed in a straight line, and a mild correction of the hand's tilt. */
static void servo(const vlb_expert *e, const double hand[3], const mjtNum *rot, const double goal[3], const double pace[3], double action[6]) {
  double turn[3], n = 0;
  for (int i = 0; i < 3; i++) {
    action[i] = pace[i] * e->gain * (goal[i] - hand[i]) / position_unit;
    n += action[i] * action[i];
  }
  n = sqrt(n);
  for (int i = 0; i < 3; i++) action[i] *= n > 1e-9 ? e->speed * tanh(n / e->speed) / n : 0;
  tilt_error(rot, turn);
  for (int i = 0; i < 3; i++) action[3 + i] = clamp(turn[i] / rotation_unit, -0.3, 0.3);
}

/* Nobody's hand is perfectly steady or changes speed at once; the faster it moves, the less exact it is. */
static void humanize(vlb_expert *e, double action[6]) {
  static const double keep = 0.85, inertia = 0.35, turning = 0.15;
  double pace = sqrt(action[0] * action[0] + action[1] * action[1] + action[2] * action[2]);
  for (int i = 0; i < 6; i++) {
    double size = e->noise * (0.2 + 0.8 * pace) * (i < 3 ? 1 : turning);
    e->wander[i] = keep * e->wander[i] + sqrt(1 - keep * keep) * size * vlb_rng_normal(&e->rng);
    e->previous[i] = inertia * e->previous[i] + (1 - inertia) * action[i];
    action[i] = clamp(e->previous[i] + e->wander[i], -1, 1);
  }
}

void vlb_expert_act(vlb_expert *e, const vlb_scene *scene, const mjData *data, double action[7]) {
  double hand[3], goal[3], pace[3] = {1, 1, 1};
  memcpy(hand, data->site_xpos + 3 * scene->eef_site, sizeof hand);
  update_phase(e, scene, data, hand);
  switch (e->phase) {
    case VLB_EXPERT_REACH: go_reach(e, data, hand, goal); break;
    case VLB_EXPERT_GRASP: grasp_point(e, data, goal); break;
    case VLB_EXPERT_CARRY: go_carry(e, data, hand, goal, pace); break;
    case VLB_EXPERT_RELEASE: memcpy(goal, hand, sizeof goal); break;
    case VLB_EXPERT_LEAVE: go_leave(e, hand, goal); break;
  }
  servo(e, hand, data->site_xmat + 9 * scene->eef_site, goal, pace, action);
  humanize(e, action);
  action[6] = e->phase == VLB_EXPERT_GRASP || e->phase == VLB_EXPERT_CARRY ? 1 : -1;
}

int vlb_expert_finished(const vlb_expert *e, const vlb_scene *scene, const mjData *data) {
  return e->phase == VLB_EXPERT_LEAVE &&
         data->site_xpos[3 * scene->eef_site + 2] > data->xpos[3 * e->object + 2] + e->rim_height + 0.02;
}
