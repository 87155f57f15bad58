/* What the expert does next, by which grasp, and where to: read from goals, sites and joints. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/task/expert_parts.h"
#include "sim/task/predicates.h"

enum { MAX_ATTEMPTS = 4 };

/* The hand at rest: down, fingers along the world's y axis. */
static const double hand_down[9] = {1, 0, 0, 0, -1, 0, 0, 0, -1};

/* A grasp site of at most this half width is a place to push with closed fingers (m). */
static const double pushing_half = 0.001;

/* m: where the pads of a hand that pushes a flat thing over the table are, above the table */
static const double push_height = 0.018;

static double mark(const mjModel *m, const char *object, const char *which, int axis) {
  char name[128];
  snprintf(name, sizeof name, "%s_%s_site", object, which);
  int site = vlb_site(m, name);
  return site < 0 ? 0 : m->site_pos[3 * site + axis];
}

/* ---- which goal ---- */

static int moves_things(vlb_goal_kind kind) { return kind == VLB_GOAL_ON || kind == VLB_GOAL_IN; }

int vlb_next_goal(const vlb_expert *e, const vlb_scene *s, const mjData *d) {
  /* what closes waits for what goes in */
  for (int closing = 0; closing < 2; closing++)
    for (int i = 0; i < e->task->goal_count; i++) {
      const vlb_goal *g = &e->task->goals[i];
      if ((g->kind == VLB_GOAL_CLOSE) != closing || e->attempts[i] >= MAX_ATTEMPTS) continue;
      if (!vlb_goal_holds(g, e->task, s->model, d)) return i;
    }
  return -1;
}

/* ---- which grasp ---- */

static vlb_pose site_pose(const mjData *d, int site, int flipped) {
  vlb_pose p;
  memcpy(p.pos, d->site_xpos + 3 * site, sizeof p.pos);
  memcpy(p.rot, d->site_xmat + 9 * site, sizeof p.rot);
  for (int i = 0; flipped && i < 3; i++)
    for (int k = 0; k < 2; k++) p.rot[3 * i + k] *= -1;
  return p;
}

vlb_pose vlb_grasp_pose(const vlb_expert *e, const mjData *d) {
  vlb_pose p = site_pose(d, e->skill.grasp, e->skill.flipped);
  /* the wider the thing, the less room to the pads */
  double room = mju_clip((0.038 - e->skill.half) / 0.02, 0.1, 1);
  double offset[3] = {e->grasp_offset[0], e->grasp_offset[1] * room, e->grasp_offset[2]}, moved[3];
  mju_mulMatVec(moved, p.rot, offset, 3, 3);
  mju_addTo3(p.pos, moved);
  return p;
}

/* Velocity of a point fixed to the joint's body for a unit of the joint's speed. */
static void joint_motion(const mjModel *m, const mjData *d, int joint, const double point[3], double out[3]) {
  mjtNum arm[3];
  if (m->jnt_type[joint] == mjJNT_SLIDE) {
    mju_copy3(out, d->xaxis + 3 * joint);
    return;
  }
  mju_sub3(arm, point, d->xanchor + 3 * joint);
  mju_cross(out, d->xaxis + 3 * joint, arm);
}

/* Does pushing along the site's z move the joint towards its goal? */
static int pushes_the_right_way(const vlb_skill *k, const mjModel *m, const mjData *d, const vlb_pose *at) {
  double motion[3], z[3];
  if (k->joint < 0) return 0;
  joint_motion(m, d, k->joint, at->pos, motion);
  mju_normalize3(motion);
  vlb_pose_axis(at, 2, z);
  return k->way * mju_dot3(motion, z) > 0.4;
}

static int has_grasp(const mjModel *m, int body) {
  for (int site = 0; site < m->nsite; site++) {
    const char *name = mj_id2name(m, mjOBJ_SITE, site);
    if (m->site_bodyid[site] == body && name && strstr(name, "_grasp_")) return 1;
  }
  return 0;
}

/* ---- where to ---- */

void vlb_place_point(const vlb_expert *e, const mjData *d, double out[3]) {
  const vlb_skill *k = &e->skill;
  mju_copy3(out, k->target_body >= 0 ? d->xpos + 3 * k->target_body : d->site_xpos + 3 * k->target_site);
  for (int i = 0; i < 2; i++) out[i] += k->spot[i];
  out[2] += k->rest_height + k->drop;
}

/* Half sizes of the target's box along the world's axes. */
static void box_extent(const mjModel *m, const mjData *d, int site, double half[3]) {
  for (int i = 0; i < 3; i++) {
    half[i] = 0;
    for (int k = 0; k < 3; k++) half[i] += fabs(d->site_xmat[9 * site + 3 * i + k]) * m->site_size[3 * site + k];
  }
}

int vlb_in_zone(const vlb_expert *e, const mjModel *m, const mjData *d) {
  static const double margin = 0.012;
  double box[3], target[3];
  box_extent(m, d, e->skill.target_site, box);
  vlb_place_point(e, d, target);
  for (int i = 0; i < 2; i++)
    if (fabs(target[i] - d->xpos[3 * e->skill.body + i]) > box[i] - margin) return 0;
  return 1;
}

/* Goals with the same target lie side by side along its longer side. */
static void share_box(vlb_skill *k, const vlb_task *task, const double box[3]) {
  int same = 0, before = 0, axis = box[1] > box[0] + 1e-6;
  for (int i = 0; i < task->goal_count; i++) {
    if (!moves_things(task->goals[i].kind) || strcmp(task->goals[i].b, task->goals[k->goal].b)) continue;
    before += i < k->goal;
    same++;
  }
  k->spot[axis] += ((before + 0.5) / same - 0.5) * 2 * box[axis];
}

/* In a drawer things go as far out as they can, away from what is above it. */
static void out_of_the_drawer(vlb_skill *k, const mjModel *m, const mjData *d, const double box[3], const double thing[3]) {
  static const double rim = 0.008;
  for (int j = 0; j < m->njnt; j++) {
    if (m->jnt_bodyid[j] != m->site_bodyid[k->target_site] || m->jnt_type[j] != mjJNT_SLIDE) continue;
    double way = m->jnt_range[2 * j] + m->jnt_range[2 * j + 1] < 0 ? -1 : 1;
    for (int i = 0; i < 2; i++) k->spot[i] += way * d->xaxis[3 * j + i] * fmax(0, box[i] - thing[i] - rim);
  }
}

static int under_roof(const vlb_skill *k) { return fabs(k->way_in[2]) < 0.5; }

/* Down; under a roof the shortest level way in, along the target's own axes, and a little above the floor. */
static void find_way_in(vlb_expert *e, const vlb_scene *s, const mjData *d) {
  static const double roof = 0.3, above_floor = 0.012;
  vlb_skill *k = &e->skill;
  const mjtNum *frame = k->target_site >= 0 ? d->site_xmat + 9 * k->target_site : d->xmat + 9 * k->target_body;
  double at[3], nearest = roof;
  int root = s->model->body_rootid[k->body];
  mju_copy3(k->way_in, (double[3]){0, 0, -1});
  vlb_place_point(e, d, at);
  if (!vlb_roofed(s, d, at, roof, root)) return;
  k->drop = above_floor;
  for (int i = 0; i < 4; i++) {
    double sign = i % 2 ? 1 : -1, way[3] = {sign * frame[i / 2], sign * frame[3 + i / 2], sign * frame[6 + i / 2]};
    double out = vlb_way_out(s, d, at, way, roof, root);
    if (out >= nearest) continue;
    nearest = out;
    mju_scl3(k->way_in, way, -1);
  }
}

/* The least turn about the vertical by which the thing's footprint fits into the box; none when it fits as it is. Under a roof it
 * goes in square, because the hand beside it has little room. */
static void turn_to_fit(vlb_skill *k, const mjModel *m, const mjData *d, const double box[3]) {
  static const double spare = 0.002;
  double rot[9], half[3], best = 1e9;
  const mjtNum *now = d->xmat + 9 * k->body;
  double yaw = atan2(now[3], now[0]);
  mju_copy(k->turned, now, 9);
  for (int i = under_roof(k); i < 5; i++) {
    double turn = i == 0 ? 0 : -yaw + (i - 1) * mjPI / 2, c, si;
    turn = atan2(sin(turn), cos(turn));
    c = cos(turn);
    si = sin(turn);
    /* the extent of the turned thing along the world's axes is that of the thing along axes turned back */
    double about[9] = {c, -si, 0, si, c, 0, 0, 0, 1}, back[9] = {c, si, 0, -si, c, 0, 0, 0, 1};
    mju_mulMatMat(rot, about, now, 3, 3, 3);
    vlb_body_extent(m, d, k->body, back, half);
    double over = fmax(0, half[0] - box[0] + spare) + fmax(0, half[1] - box[1] + spare);
    double price = 100 * over + fabs(turn);
    if (price >= best) continue;
    best = price;
    mju_copy(k->turned, rot, 9);
  }
}

/* The hand's pose when the thing stands where it shall, held by a grasp as it would be now. */
static vlb_pose hand_at_place(const vlb_expert *e, const mjData *d, int grasp, int flipped) {
  const vlb_skill *k = &e->skill;
  vlb_pose hand = site_pose(d, grasp, flipped), out;
  double turn[9], rel[3];
  mju_mulMatMatT(turn, k->turned, d->xmat + 9 * k->body, 3, 3, 3);
  mju_mulMatMat(out.rot, turn, hand.rot, 3, 3, 3);
  mju_sub3(rel, hand.pos, d->xpos + 3 * k->body);
  mju_mulMatVec(out.pos, turn, rel, 3, 3);
  vlb_place_point(e, d, rel);
  mju_addTo3(out.pos, rel);
  return out;
}

static const double highest_drop = 0.15; /* m */

/* How much higher the thing is let go so that the opening hand meets no wall; highest_drop: even there it does, or there is a
 * roof. */
static double drop_needed(const vlb_expert *e, const vlb_scene *s, const mjData *d, int grasp, int flipped, double half) {
  static const double step = 0.005, room = 0.010; /* the grip may be that much deeper than planned */
  vlb_pose hand = hand_at_place(e, d, grasp, flipped);
  int root = s->model->body_rootid[e->skill.body];
  double open = fmin(half + 0.01, 0.04);
  for (double drop = 0; drop < highest_drop; drop += under_roof(&e->skill) ? highest_drop : step) {
    if (vlb_hand_clearance(s, d, &hand, open, root) >= room) return drop;
    hand.pos[2] += step;
  }
  return highest_drop;
}

static void find_target(vlb_expert *e, const vlb_scene *s, const mjData *d, const vlb_goal *g) {
  const mjModel *m = s->model;
  vlb_skill *k = &e->skill;
  double box[3], thing[3];
  k->body = vlb_object_body(m, g->a);
  k->target_body = vlb_object_body(m, g->b);
  k->target_site = k->target_body < 0 ? vlb_site(m, g->b) : -1;
  k->rest_height = -mark(m, g->a, "bottom", 2);
  mju_copy(k->turned, d->xmat + 9 * k->body, 9);
  k->room = 0.03; /* how far beside an object another still is on it */
  if (k->target_body >= 0) {
    k->rest_height += mark(m, g->b, "top", 2);
    find_way_in(e, s, d);
    return;
  }
  box_extent(m, d, k->target_site, box);
  /* a zone's box is partly sunk into the surface */
  k->rest_height += vlb_task_object(e->task, g->b) ? -box[2] : s->workspace[2] - d->site_xpos[3 * k->target_site + 2];
  find_way_in(e, s, d);
  turn_to_fit(k, m, d, box);
  vlb_body_extent(m, d, k->body, vlb_upright, thing);
  k->room = fmax(0, fmin(box[0] - thing[0], box[1] - thing[1]));
  share_box(k, e->task, box);
  out_of_the_drawer(k, m, d, box, thing);
}

/* ---- which grasp, seen from both ends of the way ---- */

/* Downwards the hand is steadier, and the lower a thing is let go the better. */
static double rate_placing(const vlb_expert *e, const vlb_scene *s, const mjData *d, int grasp, int flipped, double half) {
  vlb_pose at = site_pose(d, grasp, flipped);
  double z[3], drop = drop_needed(e, s, d, grasp, flipped, half);
  vlb_pose_axis(&at, 2, z);
  return 4 * drop + 2 * (drop >= highest_drop) + 4 * (fabs(z[2]) < 0.6 && !under_roof(&e->skill));
}

/* The hand should turn little (rad) and have room, here and where the thing goes; smaller is better. */
static double rate_grasp(const vlb_expert *e, const vlb_scene *s, const mjData *d, int grasp, int flipped, double half) {
  static const double enough = 0.012, price_of_room = 250; /* m; rad per m */
  static const double uneasy_side = 0.4;                   /* the wrist turns farther to the left */
  const vlb_skill *k = &e->skill;
  int root = k->kind == VLB_SKILL_MOVE ? s->model->body_rootid[k->body] : -1;
  vlb_pose at = site_pose(d, grasp, flipped);
  double open = half > 0 ? fmin(half + 0.012, 0.04) : 0, room = vlb_hand_clearance(s, d, &at, open, root);
  double turn[3];
  vlb_turn_between(hand_down, at.rot, turn);
  double price = mju_norm3(turn) + uneasy_side * fmax(0, -turn[2]);
  if (k->kind == VLB_SKILL_MOVE) price += rate_placing(e, s, d, grasp, flipped, half);
  return price + price_of_room * fmax(0, enough - room);
}

/* Fills grasp, flipped and half. Returns 0 when the body has no grasp that serves. */
static int choose_grasp(vlb_expert *e, const vlb_scene *s, const mjData *d) {
  const mjModel *m = s->model;
  vlb_skill *k = &e->skill;
  double best = 1e9;
  for (int site = 0; site < m->nsite; site++) {
    const char *name = mj_id2name(m, mjOBJ_SITE, site);
    if (m->site_bodyid[site] != k->body || !name || !strstr(name, "_grasp_")) continue;
    double half = m->site_size[3 * site] <= pushing_half ? 0 : m->site_size[3 * site];
    for (int flipped = 0; flipped < 2; flipped++) {
      vlb_pose at = site_pose(d, site, flipped);
      if (half <= 0 && !pushes_the_right_way(k, m, d, &at)) continue;
      double price = rate_grasp(e, s, d, site, flipped, half);
      if (price >= best - 1e-9) continue;
      best = price;
      k->grasp = site;
      k->flipped = flipped;
      k->half = half;
    }
  }
  return best < 1e9;
}

/* ---- which skill ---- */

/* A joint's value well inside the range that the goal asks for, at its nearer end. */
static int choose_joint(vlb_expert *e, const vlb_scene *s, const mjData *d, const char *name, vlb_goal_kind kind) {
  const mjModel *m = s->model;
  vlb_skill *k = &e->skill;
  int joints[32], n = vlb_goal_joints(m, name, joints, 32);
  const vlb_scene_object *object = vlb_task_object(e->task, name);
  double range[2], farthest = 0;
  if (!object || !vlb_start_range(object->category, kind, range)) return 0;
  for (int i = 0; i < n; i++) {
    double q = d->qpos[m->jnt_qposadr[joints[i]]], margin = 0.3 * (range[1] - range[0]);
    double wanted = q < range[0] + margin ? range[0] + margin : fmin(q, range[1] - margin);
    if (fabs(wanted - q) <= farthest) continue;
    farthest = fabs(wanted - q);
    k->joint = joints[i];
    k->joint_goal = wanted;
    k->way = wanted < q ? -1 : 1;
  }
  if (k->joint < 0) return 0;
  k->kind = VLB_SKILL_JOINT;
  k->body = m->jnt_bodyid[k->joint];
  return choose_grasp(e, s, d);
}

/* The part that a site is in must be open before anything goes in. */
static int is_shut(const vlb_expert *e, const vlb_scene *s, const mjData *d, const vlb_goal *g) {
  int joints[32];
  double range[2];
  vlb_goal open = {.kind = VLB_GOAL_OPEN};
  const vlb_scene_object *object = vlb_task_object(e->task, g->b);
  if (vlb_site(s->model, g->b) < 0 || !object || !vlb_start_range(object->category, VLB_GOAL_OPEN, range)) return 0;
  memcpy(open.a, g->b, sizeof open.a);
  return vlb_goal_joints(s->model, g->b, joints, 32) > 0 && !vlb_goal_holds(&open, e->task, s->model, d);
}

static int choose_move(vlb_expert *e, const vlb_scene *s, const mjData *d, const vlb_goal *g) {
  const mjModel *m = s->model;
  vlb_skill *k = &e->skill;
  find_target(e, s, d, g);
  if (!has_grasp(m, k->body)) {
    k->kind = VLB_SKILL_PUSH;
    k->rest_height += push_height + mark(m, g->a, "bottom", 2);
    return k->target_site >= 0;
  }
  if (!choose_grasp(e, s, d)) return 0;
  memcpy(k->hand_rot, hand_at_place(e, d, k->grasp, k->flipped).rot, sizeof k->hand_rot);
  for (int i = 0; i < 2; i++) k->spot[i] += e->place_offset[i] * mju_clip(k->room / 0.02, 0.3, 1);
  if (!under_roof(k)) k->drop = drop_needed(e, s, d, k->grasp, k->flipped, k->half);
  return 1;
}

int vlb_choose_skill(vlb_expert *e, const vlb_scene *s, const mjData *d, int goal) {
  const vlb_goal *g = &e->task->goals[goal];
  memset(&e->skill, 0, sizeof e->skill);
  e->skill.goal = goal;
  e->skill.joint = e->skill.grasp = e->skill.target_body = e->skill.target_site = -1;
  if (!moves_things(g->kind)) return choose_joint(e, s, d, g->a, g->kind);
  if (is_shut(e, s, d, g)) return choose_joint(e, s, d, g->b, VLB_GOAL_OPEN);
  return choose_move(e, s, d, g);
}
