/* Where things are and how much room there is, from the model's solid geoms. */
#include <math.h>
#include <string.h>

#include "sim/task/expert_parts.h"

const double vlb_upright[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};

double vlb_ramp(double x, double lo, double hi) {
  double t = mju_clip((x - lo) / (hi - lo), 0, 1);
  return t * t * (3 - 2 * t);
}

vlb_pose vlb_hand_pose(const vlb_scene *s, const mjData *d) {
  vlb_pose p;
  memcpy(p.pos, d->site_xpos + 3 * s->eef_site, sizeof p.pos);
  memcpy(p.rot, d->site_xmat + 9 * s->eef_site, sizeof p.rot);
  return p;
}

void vlb_pose_axis(const vlb_pose *p, int axis, double out[3]) {
  for (int i = 0; i < 3; i++) out[i] = p->rot[3 * i + axis];
}

void vlb_turn_between(const double from[9], const double to[9], double out[3]) {
  mjtNum between[9], quat[4];
  mju_mulMatMatT(between, to, from, 3, 3, 3);
  mju_mat2Quat(quat, between);
  mju_quat2Vel(out, quat, 1);
}

double vlb_turn_angle(const double from[9], const double to[9]) {
  double turn[3];
  vlb_turn_between(from, to, turn);
  return mju_norm3(turn);
}

vlb_pose vlb_pose_along_joint(const mjModel *m, const mjData *d, int joint, const vlb_pose *pose, double step) {
  const mjtNum *axis = d->xaxis + 3 * joint, *anchor = d->xanchor + 3 * joint;
  vlb_pose out = *pose;
  mjtNum quat[4], turn[9], rel[3];
  if (m->jnt_type[joint] == mjJNT_SLIDE) {
    mju_addToScl3(out.pos, axis, step);
    return out;
  }
  mju_axisAngle2Quat(quat, axis, step);
  mju_quat2Mat(turn, quat);
  mju_sub3(rel, pose->pos, anchor);
  mju_mulMatVec(out.pos, turn, rel, 3, 3);
  mju_addTo3(out.pos, anchor);
  mju_mulMatMat(out.rot, turn, pose->rot, 3, 3, 3);
  return out;
}

double vlb_finger_width(const vlb_scene *s, const mjData *d) { return d->qpos[s->finger_qpos[0]] - d->qpos[s->finger_qpos[1]]; }

/* ---- single geoms ---- */

/* Half size of a geom's bounding box along the axes of the frame rot (row-major, its columns the axes). */
static void geom_extent(const mjModel *m, const mjData *d, int g, const double rot[9], double half[3]) {
  const mjtNum *size = m->geom_size + 3 * g;
  mjtNum local[9];
  mju_mulMatTMat(local, rot, d->geom_xmat + 9 * g, 3, 3, 3);
  for (int i = 0; i < 3; i++) {
    const mjtNum *r = local + 3 * i;
    switch (m->geom_type[g]) {
      case mjGEOM_BOX: half[i] = fabs(r[0]) * size[0] + fabs(r[1]) * size[1] + fabs(r[2]) * size[2]; break;
      case mjGEOM_CYLINDER: half[i] = sqrt(fmax(0, 1 - r[2] * r[2])) * size[0] + fabs(r[2]) * size[1]; break;
      case mjGEOM_CAPSULE: half[i] = size[0] + fabs(r[2]) * size[1]; break;
      case mjGEOM_SPHERE: half[i] = size[0]; break;
      default: half[i] = m->geom_rbound[g]; break;
    }
  }
}

/* Signed distance of a point from a geom; exact outside for the four shapes, the bounding sphere for others. */
static double geom_distance(const mjModel *m, const mjData *d, int g, const double point[3]) {
  const mjtNum *size = m->geom_size + 3 * g;
  mjtNum rel[3], p[3], out[3] = {0, 0, 0};
  mju_sub3(rel, point, d->geom_xpos + 3 * g);
  mju_mulMatTVec(p, d->geom_xmat + 9 * g, rel, 3, 3);
  switch (m->geom_type[g]) {
    case mjGEOM_PLANE: return p[2];
    case mjGEOM_SPHERE: return mju_norm3(p) - size[0];
    case mjGEOM_CAPSULE:
      p[2] -= mju_clip(p[2], -size[1], size[1]);
      return mju_norm3(p) - size[0];
    case mjGEOM_CYLINDER:
      out[0] = hypot(p[0], p[1]) - size[0];
      out[1] = out[2] = fabs(p[2]) - size[1];
      break;
    case mjGEOM_BOX:
      for (int i = 0; i < 3; i++) out[i] = fabs(p[i]) - size[i];
      break;
    default: return mju_norm3(p) - m->geom_rbound[g];
  }
  double inside = fmin(0, fmax(out[0], fmax(out[1], out[2])));
  if (m->geom_type[g] == mjGEOM_CYLINDER) out[2] = 0;
  for (int i = 0; i < 3; i++) out[i] = fmax(out[i], 0);
  return inside + mju_norm3(out);
}

/* Solid, and neither the robot's nor of the object `skip`. */
static int is_obstacle(const vlb_scene *s, int g, int skip) {
  const mjModel *m = s->model;
  int root = m->body_rootid[m->geom_bodyid[g]];
  return m->geom_group[g] == 0 && root != skip && root != m->body_rootid[s->hand_body];
}

static double point_clearance(const vlb_scene *s, const mjData *d, const double point[3], int skip) {
  double nearest = 1;
  for (int g = 0; g < s->model->ngeom; g++)
    if (is_obstacle(s, g, skip)) nearest = fmin(nearest, geom_distance(s->model, d, g, point));
  return nearest;
}

/* ---- the hand ---- */

enum { HAND_POINTS = 38 };

/* Corners of the pads 2*half apart, of the fingers' backs, of the palm, and a ring around the wrist, in the hand's frame (m,
 * from sim/world's gripper). */
static void hand_points(double half, double out[HAND_POINTS][3]) {
  static const double pad = 0.0095, tip = 0.0144, palm[2] = {-0.039, -0.089}, wrist[2] = {-0.1, -0.15};
  int n = 0;
  for (int side = -1; side <= 1; side += 2) {
    for (int x = -1; x <= 1; x += 2) {
      memcpy(out[n++], (double[3]){x * pad, side * (half + 0.001), tip}, sizeof *out);
      memcpy(out[n++], (double[3]){x * pad, side * (half + 0.010), tip}, sizeof *out);
      memcpy(out[n++], (double[3]){x * pad, side * (half + 0.0245), -0.007}, sizeof *out);
      memcpy(out[n++], (double[3]){x * pad, side * (half + 0.0245), -0.030}, sizeof *out);
    }
  }
  for (int k = 0; k < 2; k++) {
    for (int y = -1; y <= 1; y++)
      for (int x = -1; x <= 1; x += 2) memcpy(out[n++], (double[3]){x * 0.024, y * 0.1, palm[k]}, sizeof *out);
    for (int a = 0; a < 4; a++)
      memcpy(out[n++], (double[3]){0.045 * cos(a * mjPI / 2), 0.045 * sin(a * mjPI / 2), wrist[k]}, sizeof *out);
    memcpy(out[n++], (double[3]){0, 0, palm[k]}, sizeof *out);
  }
}

static void to_world(const vlb_pose *frame, const double local[3], double out[3]) {
  mju_mulMatVec(out, frame->rot, local, 3, 3);
  mju_addTo3(out, frame->pos);
}

double vlb_hand_clearance(const vlb_scene *s, const mjData *d, const vlb_pose *hand, double half, int skip) {
  double points[HAND_POINTS][3], world[3], nearest = 1;
  hand_points(half, points);
  for (int i = 0; i < HAND_POINTS; i++) {
    to_world(hand, points[i], world);
    nearest = fmin(nearest, point_clearance(s, d, world, skip));
  }
  return nearest;
}

double vlb_hand_depth(const vlb_scene *s, const mjData *d, const vlb_pose *hand, int held) {
  double points[HAND_POINTS][3], world[3], half[3], lowest = hand->pos[2];
  hand_points(vlb_finger_width(s, d) / 2, points);
  for (int i = 0; i < HAND_POINTS; i++) {
    to_world(hand, points[i], world);
    lowest = fmin(lowest, world[2]);
  }
  for (int g = 0; g < s->model->ngeom && held >= 0; g++) {
    if (s->model->geom_group[g] != 0 || s->model->body_rootid[s->model->geom_bodyid[g]] != s->model->body_rootid[held]) continue;
    geom_extent(s->model, d, g, vlb_upright, half);
    lowest = fmin(lowest, d->geom_xpos[3 * g + 2] - half[2]);
  }
  return hand->pos[2] - lowest;
}

/* ---- ways and places ---- */

void vlb_body_extent(const mjModel *m, const mjData *d, int body, const double rot[9], double half[3]) {
  mju_zero3(half);
  for (int g = 0; g < m->ngeom; g++) {
    double box[3];
    mjtNum rel[3], at[3];
    if (m->geom_group[g] != 0 || m->body_rootid[m->geom_bodyid[g]] != m->body_rootid[body]) continue;
    geom_extent(m, d, g, rot, box);
    mju_sub3(rel, d->geom_xpos + 3 * g, d->xpos + 3 * body);
    mju_mulMatTVec(at, rot, rel, 3, 3);
    for (int i = 0; i < 3; i++) half[i] = fmax(half[i], fabs(at[i]) + box[i]);
  }
}

/* How much of a geom's height counts for a way from a to b: all of it on the way, nothing well beside it or at its end. */
static double in_the_way(const mjtNum centre[3], const double half[3], const double a[3], const double b[3], double width) {
  enum { SAMPLES = 12 };
  double most = 0;
  for (int i = 0; i <= SAMPLES; i++) {
    double t = (double)i / SAMPLES, x = a[0] + t * (b[0] - a[0]), y = a[1] + t * (b[1] - a[1]);
    double beside = hypot(fmax(0, fabs(x - centre[0]) - half[0]), fmax(0, fabs(y - centre[1]) - half[1]));
    double ahead = hypot(b[0] - x, b[1] - y);
    most = fmax(most, (1 - vlb_ramp(beside, width, width + 0.03)) * vlb_ramp(ahead, 0.02, 0.06));
  }
  return most;
}

vlb_hurdle vlb_find_hurdle(const vlb_scene *s, const mjData *d, const double from[3], const double to[3], double width, double depth,
                           int skip) {
  static const double soft = 0.05;
  vlb_hurdle out = {0, 0};
  for (int g = 0; g < s->model->ngeom; g++) {
    if (!is_obstacle(s, g, skip) || s->model->geom_type[g] == mjGEOM_PLANE) continue;
    const mjtNum *centre = d->geom_xpos + 3 * g;
    double half[3];
    geom_extent(s->model, d, g, vlb_upright, half);
    double need = centre[2] + half[2] + depth;
    if (need <= from[2] && need <= to[2]) continue;
    double weight = in_the_way(centre, half, from, to, width);
    out.rise = fmax(out.rise, weight * (need - to[2]));
    out.block = fmax(out.block, weight * vlb_ramp(need - from[2], 0, soft));
  }
  return out;
}

int vlb_roofed(const vlb_scene *s, const mjData *d, const double point[3], double height, int skip) {
  for (double h = 0.01; h < height; h += 0.005) {
    double p[3] = {point[0], point[1], point[2] + h};
    if (point_clearance(s, d, p, skip) < 0) return 1;
  }
  return 0;
}

double vlb_way_out(const vlb_scene *s, const mjData *d, const double from[3], const double way[3], double longest, int skip) {
  static const double step = 0.01, roof = 0.3;
  for (double out = step; out < longest; out += step) {
    double p[3];
    mju_addScl3(p, from, way, out);
    if (point_clearance(s, d, p, skip) < 0) return longest;
    if (!vlb_roofed(s, d, p, roof, skip)) return out;
  }
  return longest;
}
