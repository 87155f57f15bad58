#include "sim/task/so100_expert.h"

#include <math.h>
#include <string.h>

#include "sim/task/expert_parts.h"
#include "sim/task/predicates.h"

enum { J = VLB_SO_JOINTS, JAW = 5 };

static const double pi = 3.14159265358979323846;
static const double servo_stiffness = 40; /* N m/rad: robots/so100.xml */
static const double squeeze = 0.045;      /* rad that the jaw is told to close beyond contact */

static void draw_manner(vlb_so_expert *e) {
  vlb_rng *r = &e->rng;
  e->speed = vlb_rng_range(r, 0.011, 0.014); /* m ahead of the hand: 0.17 to 0.22 m/s */
  e->gain = vlb_rng_range(r, 0.55, 0.7);
  e->slope = vlb_rng_range(r, 1.2, 1.6);
  e->hover = vlb_rng_range(r, 0.055, 0.075);
  e->lift = vlb_rng_range(r, 0.045, 0.06);
  e->noise = vlb_rng_range(r, 0.003, 0.007);
  e->opening = vlb_rng_range(r, 0.60, 0.68);
  for (int i = 0; i < 2; i++) e->grasp_offset[i] = vlb_rng_range(r, -0.003, 0.003);
  e->grasp_offset[2] = vlb_rng_range(r, 0.000, 0.004);
  for (int i = 0; i < 2; i++) e->place_offset[i] = vlb_rng_range(r, -0.004, 0.004);
}

static const vlb_goal *current(const vlb_so_expert *e) { return &e->task->goals[e->goal]; }

/* The collision box that an object consists of. */
static void take_up(vlb_so_expert *e, int goal) {
  const mjModel *m = e->scene->model;
  e->goal = goal;
  e->object = vlb_object_body(m, current(e)->a);
  mju_copy3(e->half, m->geom_size + 3 * m->body_geomadr[e->object]);
  e->phase = VLB_SO_REACH;
}

vlb_code vlb_so_expert_reset(vlb_so_expert *e, const vlb_task *task, int task_index, int episode, uint64_t seed, const vlb_scene *scene,
                             vlb_error *err) {
  memset(e, 0, sizeof *e);
  for (int i = 0; i < task->goal_count; i++)
    if (task->goals[i].kind != VLB_GOAL_IN && (task->goals[i].kind != VLB_GOAL_ON || vlb_object_body(scene->model, task->goals[i].b) < 0))
      return vlb_fail(err, VLB_USAGE, "task \"%s\": the SO-100's expert only knows \"in <object> <site>\" and \"on <object> <object>\"",
                      task->instruction);
  e->task = task;
  e->scene = scene;
  e->gripper = mj_name2id(scene->model, mjOBJ_BODY, "so_gripper");
  e->rng = vlb_rng_make(seed, VLB_RNG_EXPERT, (uint32_t)task_index, (uint32_t)episode);
  draw_manner(e);
  take_up(e, 0);
  return VLB_OK;
}

/* --- where things are: metres from the pan axis at the height of the desk --- */

static void to_arm(const vlb_so_expert *e, const mjData *d, const mjtNum world[3], double out[3]) {
  int pan = e->scene->model->jnt_bodyid[0];
  for (int i = 0; i < 3; i++) out[i] = world[i] - (i < 2 ? d->xpos[3 * pan + i] : e->scene->workspace[2]);
}

/* The middle between the jaws. */
static void hand_point(const vlb_so_expert *e, const mjData *d, double out[3]) {
  double local[3] = {0.092, 0, vlb_so_middle(d->qpos[JAW])}, world[3];
  mju_mulMatVec(world, d->xmat + 9 * e->gripper, local, 3, 3);
  mju_addTo3(world, d->xpos + 3 * e->gripper);
  to_arm(e, d, world, out);
}

static void object_point(const vlb_so_expert *e, const mjData *d, double out[3]) { to_arm(e, d, d->xpos + 3 * e->object, out); }

static void grasp_point(const vlb_so_expert *e, const mjData *d, double out[3]) {
  object_point(e, d, out);
  for (int i = 0; i < 3; i++) out[i] += e->grasp_offset[i];
}

/* Where the hand must be for the object to be over the target: dropped from just above a box's rim, set down on a thing. */
static void place_point(const vlb_so_expert *e, const mjData *d, const double hand[3], double out[3]) {
  const mjModel *m = e->scene->model;
  double object[3];
  int body = vlb_object_body(m, current(e)->b), site = vlb_site(m, current(e)->b);
  object_point(e, d, object);
  to_arm(e, d, body >= 0 ? d->xpos + 3 * body : d->site_xpos + 3 * site, out);
  for (int i = 0; i < 2; i++) out[i] += hand[i] - object[i] + (body >= 0 ? 0.5 : 1) * e->place_offset[i];
  out[2] += body >= 0 ? m->geom_size[3 * m->body_geomadr[body] + 2] + 0.001 : m->site_size[3 * site + 2] + 0.006;
  out[2] += e->half[2] + e->grip_height;
}

static double flat_distance(const double a[3], const double b[3]) { return hypot(a[0] - b[0], a[1] - b[1]); }

/* A funnel over a point: high far away, down to it in its middle. */
static double funnel(const vlb_so_expert *e, double distance, double height) { return mju_clip(e->slope * (distance - 0.006), 0, height); }

/* Direction in the desk's plane from fixed to moving jaw that takes a square thing by two faces, nearest to `wanted`. */
static double face_direction(const mjData *d, int body, double wanted) {
  double yaw = atan2(d->xmat[9 * body + 3], d->xmat[9 * body]);
  return yaw + pi / 2 * round((wanted - yaw) / (pi / 2));
}

/* --- what to do --- */

typedef struct {
  double point[3], pace[3]; /* m; share of the speed along each axis */
  double direction;         /* of the jaws */
  double jaw;               /* rad */
} plan;

static double pan_direction(const mjData *d) { return -d->qpos[0]; }

static void plan_reach(const vlb_so_expert *e, const mjData *d, const double hand[3], plan *p) {
  grasp_point(e, d, p->point);
  p->direction = face_direction(d, e->object, atan2(p->point[1], p->point[0]));
  p->point[2] += funnel(e, flat_distance(hand, p->point), e->hover);
  p->jaw = e->opening;
}

static void plan_grasp(const vlb_so_expert *e, const mjData *d, plan *p) {
  grasp_point(e, d, p->point);
  p->direction = face_direction(d, e->object, atan2(p->point[1], p->point[0]));
  p->jaw = vlb_so_jaw(2 * e->half[1]) - squeeze;
}

/* Up first, sideways once clear of the neighbours, down into the target's funnel. */
static void plan_carry(const vlb_so_expert *e, const mjData *d, const double hand[3], plan *p) {
  int on = vlb_object_body(e->scene->model, current(e)->b);
  place_point(e, d, hand, p->point);
  double left = flat_distance(hand, e->source), risen = hand[2] - e->source[2], ahead = flat_distance(hand, p->point);
  p->point[2] += funnel(e, ahead, e->lift);
  p->pace[0] = p->pace[1] = fmax(vlb_ramp(risen, 0.012, 0.035), vlb_ramp(left, 0.04, 0.08));
  if (on >= 0) p->direction = face_direction(d, on, p->direction);
  p->jaw = vlb_so_jaw(2 * e->half[1]) - squeeze;
}

/* The jaws open about the thing, so that neither pushes it. */
static void plan_release(const vlb_so_expert *e, const mjData *d, const double hand[3], plan *p) {
  object_point(e, d, p->point);
  p->point[2] = hand[2];
  p->jaw = e->opening;
}

static void plan_leave(const vlb_so_expert *e, const double hand[3], plan *p) {
  memcpy(p->point, hand, sizeof p->point);
  p->point[2] += e->hover;
  p->jaw = e->opening;
}

/* The next goal that does not hold; none: home. */
static void next_goal(vlb_so_expert *e, const mjData *d) {
  for (int i = 0; i < e->task->goal_count; i++) {
    if (vlb_goal_holds(&e->task->goals[i], e->task, e->scene->model, d)) continue;
    take_up(e, i);
    return;
  }
  e->phase = VLB_SO_HOME;
}

static int at_home(const vlb_so_expert *e, const mjData *d) {
  for (int i = 0; i < J - 1; i++)
    if (fabs(d->qpos[i] - e->scene->home[i]) > 0.06) return 0;
  return 1;
}

/* Phases change by what can be seen: how near, how high, how wide the jaws are, whether the thing is still between them. */
static void update_phase(vlb_so_expert *e, const mjData *d, const double hand[3]) {
  double goal[3], object[3], jaw = d->qpos[JAW], held = vlb_so_jaw(2 * e->half[1]);
  object_point(e, d, object);
  if (e->phase == VLB_SO_REACH) {
    grasp_point(e, d, goal);
    if (flat_distance(hand, goal) < 0.006 && fabs(hand[2] - goal[2]) < 0.005) e->phase = VLB_SO_GRASP;
  }
  if (e->phase == VLB_SO_GRASP && jaw < held + 0.015) {
    e->phase = VLB_SO_CARRY;
    memcpy(e->source, hand, sizeof e->source);
    e->grip_height = hand[2] - object[2];
  }
  if (e->phase == VLB_SO_CARRY) {
    place_point(e, d, hand, goal);
    if (flat_distance(hand, object) > 0.035 || fabs(hand[2] - object[2]) > 0.03) e->phase = VLB_SO_REACH;
    else if (flat_distance(hand, goal) < 0.006 && hand[2] - goal[2] < 0.003) e->phase = VLB_SO_RELEASE;
  }
  if (e->phase == VLB_SO_RELEASE && jaw > held + 0.2) e->phase = VLB_SO_LEAVE;
  if (e->phase == VLB_SO_LEAVE && hand[2] > object[2] + e->half[2] + 0.045) next_goal(e, d);
  if (e->phase == VLB_SO_HOME && at_home(e, d)) e->phase = VLB_SO_DONE;
}

/* A point a little ahead of the hand towards the plan's: a straight line at a bounded speed. */
static void step_ahead(const vlb_so_expert *e, const plan *p, const double hand[3], double out[3]) {
  double step[3], n = 0;
  for (int i = 0; i < 3; i++) {
    step[i] = p->pace[i] * e->gain * (p->point[i] - hand[i]);
    n += step[i] * step[i];
  }
  n = sqrt(n);
  for (int i = 0; i < 3; i++) out[i] = hand[i] + (n > 1e-9 ? step[i] * e->speed * tanh(n / e->speed) / n : 0);
}

/* Joint targets for a point between the jaws, fingers down. */
static void solve(const mjData *d, const plan *p, const double point[3], double target[J]) {
  double middle = vlb_so_middle(d->qpos[JAW]), pitch = pi / 2, pan = atan2(point[1], point[0]);
  /* the middle lies beside the roll axis, where depends on the pose: a few rounds settle it */
  for (int i = 0; i < 5; i++) {
    double roll = remainder(p->direction - pan, 2 * pi);
    double ahead = middle * cos(roll) * sin(pitch), aside = middle * sin(roll), above = middle * cos(roll) * cos(pitch);
    vlb_so_pose pose = {point[0] - ahead * cos(pan) + aside * sin(pan), point[1] - ahead * sin(pan) - aside * cos(pan), point[2] - above,
                        pi / 2, roll};
    pan = atan2(pose.y, pose.x);
    pitch = vlb_so_inverse(&pose, target);
  }
  target[JAW] = p->jaw;
}

/* The lead over the measured angles: bounded, never changing at once, not perfectly steady. */
static void lead(vlb_so_expert *e, const mjData *d, const double target[J], double action[J]) {
  static const double keep = 0.85, inertia = 0.4, most = 0.085, most_jaw = 0.16;
  double largest = 0, pace;
  for (int i = 0; i < J - 1; i++) largest = fmax(largest, fabs(target[i] - d->qpos[i]));
  pace = mju_clip(largest / most, 0, 1);
  for (int i = 0; i < J; i++) {
    double ahead = target[i] - d->qpos[i];
    if (i == JAW) ahead = mju_clip(ahead, -most_jaw, most_jaw);
    else if (largest > most) ahead *= most / largest;
    e->previous[i] = inertia * e->previous[i] + (1 - inertia) * ahead;
    e->wander[i] = keep * e->wander[i] + sqrt(1 - keep * keep) * e->noise * (0.15 + 0.85 * pace) * vlb_rng_normal(&e->rng);
    const mjtNum *range = e->scene->model->actuator_ctrlrange + 2 * i;
    double sag = i == JAW ? 0 : d->qfrc_bias[i] / servo_stiffness;
    e->wanted[i] = mju_clip(d->qpos[i] + e->previous[i] + sag, range[0], range[1]);
    action[i] = mju_clip(d->qpos[i] + e->previous[i] + e->wander[i] + sag, range[0], range[1]);
  }
}

void vlb_so_expert_act(vlb_so_expert *e, const mjData *d, double action[J]) {
  plan p = {.pace = {1, 1, 1}, .direction = pan_direction(d) + d->qpos[4], .jaw = d->qpos[JAW]};
  double hand[3], ahead[3], target[J];
  hand_point(e, d, hand);
  update_phase(e, d, hand);
  switch (e->phase) {
    case VLB_SO_REACH: plan_reach(e, d, hand, &p); break;
    case VLB_SO_GRASP: plan_grasp(e, d, &p); break;
    case VLB_SO_CARRY: plan_carry(e, d, hand, &p); break;
    case VLB_SO_RELEASE: plan_release(e, d, hand, &p); break;
    case VLB_SO_LEAVE: plan_leave(e, hand, &p); break;
    case VLB_SO_HOME:
    case VLB_SO_DONE: break;
  }
  if (e->phase >= VLB_SO_HOME) {
    mju_copy(target, e->scene->home, J);
  } else {
    step_ahead(e, &p, hand, ahead);
    solve(d, &p, ahead, target);
  }
  lead(e, d, target, action);
}

int vlb_so_expert_finished(const vlb_so_expert *e) { return e->phase == VLB_SO_DONE; }
