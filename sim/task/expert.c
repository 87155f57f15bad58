#include "sim/task/expert.h"

#include <math.h>
#include <string.h>

#include "sim/task/expert_parts.h"

/* m and rad within which the hand is where it should be */
static const double near_height = 0.008, near_angle = 0.15;

/* m that the hand backs off after letting go; level, out of a roofed place, farther */
static const double retreat = 0.045, retreat_level = 0.16;

vlb_code vlb_expert_reset(vlb_expert *e, const vlb_task *task, int task_index, int episode, uint64_t seed, const vlb_scene *scene,
                          vlb_error *err) {
  (void)scene;
  memset(e, 0, sizeof *e);
  if (!task->goal_count) return vlb_fail(err, VLB_USAGE, "task \"%s\" has no goal for the expert to reach", task->instruction);
  e->task = task;
  e->rng = vlb_rng_make(seed, VLB_RNG_EXPERT, (uint32_t)task_index, (uint32_t)episode);
  vlb_draw_manner(e);
  return VLB_OK;
}

/* ---- distances along and beside an axis ---- */

static double along(const double from[3], const double to[3], const double axis[3]) {
  double v[3];
  mju_sub3(v, to, from);
  return mju_dot3(v, axis);
}

static double beside(const double from[3], const double to[3], const double axis[3]) {
  double v[3];
  mju_sub3(v, to, from);
  mju_addToScl3(v, axis, -mju_dot3(v, axis));
  return mju_norm3(v);
}

/* How far beside the grasp the fingers still pass the thing. */
static double slack(const vlb_skill *k) { return k->half > 0 ? mju_clip(0.45 * (0.0385 - k->half), 0.003, 0.006) : 0.008; }

/* How far beside its place a thing can still be lowered. */
static double place_slack(const vlb_skill *k) { return mju_clip(0.4 * k->room, 0.003, 0.008); }

/* A funnel over a point: far back while the hand is beside it or turned, down to it in its middle; the less room there is, the
 * steeper. */
static double funnel(const vlb_expert *e, double distance, double free, double angle, double height) {
  double off = distance - free + 0.06 * fmax(0, angle - 0.1);
  return mju_clip(e->slope * off * 0.008 / free, 0, height);
}

/* Over what is in the way: the goal rises, and the hand goes sideways only once it is high enough. */
static void keep_clear(const vlb_scene *s, const mjData *d, const vlb_pose *hand, double width, int held, int skip, double weight,
                       vlb_pose *goal, double pace[3]) {
  static const double margin = 0.02;
  vlb_hurdle h = vlb_find_hurdle(s, d, hand->pos, goal->pos, width, vlb_hand_depth(s, d, hand, held) + margin, skip);
  goal->pos[2] += weight * h.rise;
  for (int i = 0; i < 2; i++) pace[i] *= 1 - weight * h.block;
}

/* ---- where the hand goes, skill by skill ---- */

/* The pose behind a thing that is pushed over the table: fingers open across the way. */
static vlb_pose behind(const vlb_expert *e, const mjModel *m, const mjData *d, const vlb_pose *hand, double lead) {
  const vlb_skill *k = &e->skill;
  vlb_pose out;
  double way[3], target[3], half[3];
  vlb_place_point(e, d, target);
  mju_sub3(way, target, d->xpos + 3 * k->body);
  way[2] = 0;
  mju_normalize3(way);
  vlb_body_extent(m, d, k->body, vlb_upright, half);
  for (int i = 0; i < 2; i++) out.pos[i] = d->xpos[3 * k->body + i] + way[i] * (lead - half[0]);
  out.pos[2] = target[2];
  /* the hand's x along the way or against it, whichever is nearer */
  double sign = hand->rot[0] * way[0] + hand->rot[3] * way[1] < 0 ? -1 : 1, x = sign * way[0], y = sign * way[1];
  memcpy(out.rot, (double[9]){x, y, 0, y, -x, 0, 0, 0, -1}, sizeof out.rot);
  return out;
}

static vlb_pose reach_pose(const vlb_expert *e, const mjModel *m, const mjData *d, const vlb_pose *hand) {
  return e->skill.kind == VLB_SKILL_PUSH ? behind(e, m, d, hand, -0.02) : vlb_grasp_pose(e, d);
}

static vlb_pose go_reach(const vlb_expert *e, const vlb_scene *s, const mjData *d, const vlb_pose *hand, double pace[3]) {
  vlb_pose goal = reach_pose(e, s->model, d, hand);
  double z[3], off, back;
  vlb_pose_axis(&goal, 2, z);
  off = beside(hand->pos, goal.pos, z);
  back = funnel(e, off, slack(&e->skill), vlb_turn_angle(hand->rot, goal.rot), e->hover);
  mju_addToScl3(goal.pos, z, -back);
  int root = s->model->body_rootid[e->skill.body];
  keep_clear(s, d, hand, 0.03, -1, e->skill.kind == VLB_SKILL_MOVE ? root : -1, vlb_ramp(off, 0.02, 0.06), &goal, pace);
  return goal;
}

/* Where the hand must be for the held thing to be where it shall: upright as it was taken, also when the thing has slipped. */
static vlb_pose carry_pose(const vlb_expert *e, const mjData *d, const vlb_pose *hand) {
  const vlb_skill *k = &e->skill;
  vlb_pose out;
  double turn[9], rel[3], place[3];
  memcpy(out.rot, k->hand_rot, sizeof out.rot);
  mju_mulMatMatT(turn, out.rot, hand->rot, 3, 3, 3);
  mju_sub3(rel, hand->pos, d->xpos + 3 * k->body);
  mju_mulMatVec(out.pos, turn, rel, 3, 3);
  vlb_place_point(e, d, place);
  mju_addTo3(out.pos, place);
  return out;
}

/* The way down onto a place: into its funnel, and over the edge of what the thing stood on. */
static void lower(const vlb_expert *e, const vlb_pose *hand, double ahead, double angle, vlb_pose *goal) {
  double left = hypot(hand->pos[0] - e->source[0], hand->pos[1] - e->source[1]);
  double over_source = (e->source[2] + 0.75 * e->lift - goal->pos[2]) * vlb_ramp(ahead / (ahead + left), 0.2, 0.6);
  goal->pos[2] += fmax(funnel(e, ahead, place_slack(&e->skill), angle, e->lift), over_source);
}

/* The way in under a roof: down in front of it first, then straight in. */
static void slip_in(const vlb_expert *e, const vlb_pose *hand, double ahead, double angle, vlb_pose *goal) {
  double in_front = along(hand->pos, goal->pos, e->skill.way_in) - retreat_level;
  mju_addToScl3(goal->pos, e->skill.way_in, -fmin(3 * funnel(e, ahead, place_slack(&e->skill), angle, retreat_level), retreat_level));
  goal->pos[2] += mju_clip(e->slope * in_front, 0, e->lift);
}

/* Up first, sideways once clear of the neighbours, over what is in the way, to the target. */
static vlb_pose go_carry(const vlb_expert *e, const vlb_scene *s, const mjData *d, const vlb_pose *hand, double pace[3]) {
  const vlb_skill *k = &e->skill;
  vlb_pose goal = carry_pose(e, d, hand);
  double half[3], ahead = beside(hand->pos, goal.pos, k->way_in), angle = vlb_turn_angle(hand->rot, goal.rot);
  double left = hypot(hand->pos[0] - e->source[0], hand->pos[1] - e->source[1]), risen = hand->pos[2] - e->source[2];
  if (fabs(k->way_in[2]) < 0.5)
    slip_in(e, hand, ahead, angle, &goal);
  else
    lower(e, hand, ahead, angle, &goal);
  pace[0] = pace[1] = fmax(vlb_ramp(risen, 0.015, 0.06), vlb_ramp(left, 0.05, 0.10));
  vlb_body_extent(s->model, d, k->body, vlb_upright, half);
  keep_clear(s, d, hand, fmin(half[0], half[1]), k->body, s->model->body_rootid[k->body], vlb_ramp(ahead, 0.02, 0.06), &goal, pace);
  return goal;
}

/* What the joint has still to move in its way; negative: past its goal. */
static double joint_left(const vlb_skill *k, const mjModel *m, const mjData *d) {
  return k->way * (k->joint_goal - d->qpos[m->jnt_qposadr[k->joint]]);
}

/* The handle's pose, moved on along its joint: a little past the goal, so that the joint passes it. */
static vlb_pose go_along_joint(const vlb_expert *e, const mjModel *m, const mjData *d) {
  static const double past = 0.012, stride = 0.024, turn_past = 0.15, turn_stride = 0.5, arc = 0.05; /* m, rad */
  const vlb_skill *k = &e->skill;
  vlb_pose handle = vlb_grasp_pose(e, d);
  double more = joint_left(k, m, d);
  if (m->jnt_type[k->joint] == mjJNT_SLIDE) return vlb_pose_along_joint(m, d, k->joint, &handle, k->way * fmin(more + past, stride));
  double radius = beside(d->xanchor + 3 * k->joint, handle.pos, d->xaxis + 3 * k->joint);
  return vlb_pose_along_joint(m, d, k->joint, &handle, k->way * fmin(more + turn_past, fmin(turn_stride, arc / fmax(radius, 1e-3))));
}

static double left_to_push(const vlb_expert *e, const mjData *d) {
  double target[3];
  vlb_place_point(e, d, target);
  return hypot(target[0] - d->xpos[3 * e->skill.body], target[1] - d->xpos[3 * e->skill.body + 1]);
}

/* Slowly, and only as long as the hand is right behind the thing, so that it goes straight. */
static vlb_pose go_push(const vlb_expert *e, const mjModel *m, const mjData *d, const vlb_pose *hand, double pace[3]) {
  static const double firmness[3] = {1, 1, 2.5};
  vlb_pose at = behind(e, m, d, hand, 0);
  double way[3], lead = fmin(0.020, 0.5 * left_to_push(e, d) + 0.008);
  mju_sub3(way, d->xpos + 3 * e->skill.body, at.pos);
  way[2] = 0;
  mju_normalize3(way);
  double off[3] = {hand->pos[0] - at.pos[0], hand->pos[1] - at.pos[1], 0};
  mju_addToScl3(off, way, -mju_dot3(off, way));
  lead -= 0.025 * vlb_ramp(mju_norm3(off), 0.005, 0.02);
  for (int i = 0; i < 3; i++) pace[i] = firmness[i];
  return behind(e, m, d, hand, lead);
}

static vlb_pose go_work(const vlb_expert *e, const vlb_scene *s, const mjData *d, const vlb_pose *hand, double pace[3]) {
  switch (e->skill.kind) {
    case VLB_SKILL_MOVE: return go_carry(e, s, d, hand, pace);
    case VLB_SKILL_JOINT: return go_along_joint(e, s->model, d);
    default: return go_push(e, s->model, d, hand, pace);
  }
}

/* The way back: against the hand's own axis, but up from the table. */
static void way_back(const vlb_pose *hand, double out[3]) {
  vlb_pose_axis(hand, 2, out);
  mju_scl3(out, out, -1);
}

static vlb_pose go_leave(const vlb_expert *e, const vlb_pose *hand) {
  vlb_pose goal = *hand;
  double back[3];
  way_back(hand, back);
  mju_addToScl3(goal.pos, back, e->hover);
  return goal;
}

/* ---- phases change by what can be seen: how near, how high, how wide the fingers are ---- */

static int reached(const vlb_expert *e, const vlb_scene *s, const mjData *d, const vlb_pose *hand) {
  vlb_pose goal = reach_pose(e, s->model, d, hand);
  double z[3];
  vlb_pose_axis(&goal, 2, z);
  double depth = e->skill.kind == VLB_SKILL_PUSH ? near_height / 2 : near_height;
  return beside(hand->pos, goal.pos, z) < slack(&e->skill) + 0.001 && along(hand->pos, goal.pos, z) < depth &&
         vlb_turn_angle(hand->rot, goal.rot) < near_angle;
}

/* m/s; the robot's joints come first in qpos and in qvel. */
static double finger_speed(const vlb_scene *s, const mjData *d) { return fabs(d->qvel[s->finger_qpos[0]]) + fabs(d->qvel[s->finger_qpos[1]]); }

static int fingers_rest(const vlb_scene *s, const mjData *d) { return finger_speed(s, d) < 0.006; }

/* The fingers have come to rest about as wide as the thing is. */
static int holds(const vlb_expert *e, const vlb_scene *s, const mjData *d) {
  double width = vlb_finger_width(s, d), expected = 2 * e->skill.half;
  return (finger_speed(s, d) < 0.02 && width < expected + 0.0055) || (fingers_rest(s, d) && width < fmin(expected + 0.02, 0.077));
}

/* The fingers have closed on something wider than they should: the body below a knob, say. */
static int holds_wrongly(const vlb_expert *e, const vlb_scene *s, const mjData *d) {
  static const double nearly_open = 0.077;
  return fingers_rest(s, d) && vlb_finger_width(s, d) < nearly_open && !holds(e, s, d);
}

/* The fingers have closed on nothing, the thing is no longer between them, or what is pushed has slipped under them. */
static int lost(const vlb_expert *e, const vlb_scene *s, const mjData *d, const vlb_pose *hand) {
  static const double under = 0.035; /* m */
  if (e->skill.kind == VLB_SKILL_PUSH) {
    const mjtNum *thing = d->xpos + 3 * e->skill.body;
    double half[3];
    vlb_body_extent(s->model, d, e->skill.body, vlb_upright, half);
    return hypot(hand->pos[0] - thing[0], hand->pos[1] - thing[1]) < half[0] - under;
  }
  if (e->skill.half <= 0) return 0;
  vlb_pose at = vlb_grasp_pose(e, d);
  double gap[3];
  mju_sub3(gap, hand->pos, at.pos);
  return vlb_finger_width(s, d) < fmin(0.002, e->skill.half) || mju_norm3(gap) > 0.05;
}

static int worked(const vlb_expert *e, const vlb_scene *s, const mjData *d, const vlb_pose *hand) {
  const vlb_skill *k = &e->skill;
  if (k->kind == VLB_SKILL_JOINT) return joint_left(k, s->model, d) <= 0;
  if (k->kind == VLB_SKILL_PUSH) return vlb_in_zone(e, s->model, d);
  vlb_pose goal = carry_pose(e, d, hand);
  return beside(hand->pos, goal.pos, k->way_in) < 0.009 && along(hand->pos, goal.pos, k->way_in) < near_height;
}

static void set_phase(vlb_expert *e, vlb_expert_phase phase, const vlb_pose *hand) {
  e->phase = phase;
  memcpy(e->source, hand->pos, sizeof e->source);
}

static int opened(const vlb_expert *e, const vlb_scene *s, const mjData *d) {
  double width = vlb_finger_width(s, d);
  return width > fmin(2 * e->skill.half + 0.04, 0.077) || (fingers_rest(s, d) && width > 2 * e->skill.half + 0.006);
}

static int left(const vlb_expert *e, const vlb_pose *hand) {
  double back[3];
  way_back(hand, back);
  return along(e->source, hand->pos, back) > (back[2] < 0.5 ? retreat_level : retreat);
}

static void choose(vlb_expert *e, const vlb_scene *s, const mjData *d, const vlb_pose *hand) {
  for (int goal; (goal = vlb_next_goal(e, s, d)) >= 0;) {
    e->attempts[goal]++;
    if (!vlb_choose_skill(e, s, d, goal)) continue;
    set_phase(e, VLB_EXPERT_REACH, hand);
    return;
  }
  e->phase = VLB_EXPERT_CHOOSE;
}

static void update_phase(vlb_expert *e, const vlb_scene *s, const mjData *d, const vlb_pose *hand) {
  int grips = e->skill.half > 0;
  if (e->phase == VLB_EXPERT_LEAVE && left(e, hand)) e->phase = VLB_EXPERT_CHOOSE;
  if (e->phase == VLB_EXPERT_CHOOSE) choose(e, s, d, hand);
  if (e->phase == VLB_EXPERT_REACH && reached(e, s, d, hand)) set_phase(e, grips ? VLB_EXPERT_GRASP : VLB_EXPERT_WORK, hand);
  if (e->phase == VLB_EXPERT_GRASP && holds(e, s, d)) set_phase(e, VLB_EXPERT_WORK, hand);
  if (e->phase == VLB_EXPERT_GRASP && holds_wrongly(e, s, d)) set_phase(e, VLB_EXPERT_RELEASE, hand);
  if (e->phase == VLB_EXPERT_WORK) {
    if (lost(e, s, d, hand))
      set_phase(e, VLB_EXPERT_LEAVE, hand);
    else if (worked(e, s, d, hand))
      set_phase(e, grips ? VLB_EXPERT_RELEASE : VLB_EXPERT_LEAVE, hand);
  }
  if (e->phase == VLB_EXPERT_RELEASE && opened(e, s, d)) set_phase(e, VLB_EXPERT_LEAVE, hand);
}

/* Fingers are closed to hold and to push with their tips. */
static int closes(const vlb_expert *e) {
  if (e->phase == VLB_EXPERT_CHOOSE || e->phase == VLB_EXPERT_RELEASE || e->skill.kind == VLB_SKILL_PUSH) return 0;
  if (e->skill.half <= 0) return 1;
  return e->phase == VLB_EXPERT_GRASP || e->phase == VLB_EXPERT_WORK;
}

void vlb_expert_act(vlb_expert *e, const vlb_scene *scene, const mjData *data, double action[7]) {
  vlb_pose hand = vlb_hand_pose(scene, data), goal = hand;
  double pace[3] = {1, 1, 1};
  update_phase(e, scene, data, &hand);
  switch (e->phase) {
    case VLB_EXPERT_REACH: goal = go_reach(e, scene, data, &hand, pace); break;
    case VLB_EXPERT_GRASP: goal = vlb_grasp_pose(e, data); break;
    case VLB_EXPERT_WORK: goal = go_work(e, scene, data, &hand, pace); break;
    case VLB_EXPERT_LEAVE: goal = go_leave(e, &hand); break;
    case VLB_EXPERT_RELEASE:
    case VLB_EXPERT_CHOOSE: break;
  }
  vlb_move_hand(e, &hand, &goal, pace, action);
  action[6] = e->wanted[6] = closes(e) ? 1 : -1;
}

int vlb_expert_finished(const vlb_expert *e, const vlb_scene *scene, const mjData *data) {
  vlb_pose hand = vlb_hand_pose(scene, data);
  int idle = e->phase == VLB_EXPERT_CHOOSE || (e->phase == VLB_EXPERT_LEAVE && left(e, &hand));
  return idle && vlb_next_goal(e, scene, data) < 0;
}
