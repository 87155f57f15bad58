#include "sim/control/so_arm.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* m; pairs are along and across a link when its joint is at 0 */
static const double shoulder[2] = {0.0306, 0.119};    /* before the pan axis, above the desk: 16.5 + 102.5 mm */
static const double upper[2] = {0.028, 0.11257};      /* forward, up */
static const double lower[2] = {0.1349, 0.0052};      /* forward, up */
static const double hand = 0.0601 + 0.092;            /* wrist flex joint to where the jaws take hold */
static const double fixed_face = -0.010;              /* of the fixed jaw, from the roll axis */
static const double hinge = 0.0202, finger = 0.0676;  /* of the moving jaw: from the roll axis; to where it takes hold */
static const double parallel = 0.16;                  /* rad, jaw angle at which the faces are parallel */

static const double range[5][2] = {{-1.91986, 1.91986}, {-1.74533, 1.74533}, {-1.69, 1.69}, {-1.65806, 1.65806}, {-2.74385, 2.84121}};

void vlb_so_forward(const double q[5], vlb_so_pose *pose) {
  /* leans from the vertical, forwards */
  double lean_upper = atan2(upper[0], upper[1]) + q[1], lean_lower = atan2(lower[0], lower[1]) + q[1] + q[2];
  double l1 = hypot(upper[0], upper[1]), l2 = hypot(lower[0], lower[1]), pitch = q[1] + q[2] + q[3];
  double r = shoulder[0] + l1 * sin(lean_upper) + l2 * sin(lean_lower) + hand * cos(pitch);
  *pose = (vlb_so_pose){.x = r * cos(q[0]), .y = -r * sin(q[0]), .pitch = pitch, .roll = q[4]};
  pose->z = shoulder[1] + l1 * cos(lean_upper) + l2 * cos(lean_lower) - hand * sin(pitch);
}

/* Joints 1 to 3 for a hand at (r, z) in the arm's plane; the clipping and the return value 0 tell that they do not get there. */
static int solve_plane(double r, double z, double pitch, double q[5]) {
  double l1 = hypot(upper[0], upper[1]), l2 = hypot(lower[0], lower[1]), most = 0.995 * (l1 + l2);
  double along = r - hand * cos(pitch) - shoulder[0], up = z + hand * sin(pitch) - shoulder[1];
  double far = hypot(along, up), d = mju_clip(far, fabs(l1 - l2) + 1e-3, most), line = atan2(along, up);
  double lean_upper = line - acos(mju_clip((d * d + l1 * l1 - l2 * l2) / (2 * d * l1), -1, 1));
  double lean_lower = line + acos(mju_clip((d * d + l2 * l2 - l1 * l1) / (2 * d * l2), -1, 1));
  q[1] = lean_upper - atan2(upper[0], upper[1]);
  q[2] = lean_lower - atan2(lower[0], lower[1]) - q[1];
  q[3] = pitch - q[1] - q[2];
  return far <= most && q[3] <= range[3][1];
}

double vlb_so_inverse(const vlb_so_pose *p, double q[5]) {
  double r = hypot(p->x, p->y), pitch = p->pitch, lo = 0, hi = p->pitch;
  /* a flatter hand brings the wrist nearer and unbends it */
  if (!solve_plane(r, p->z, pitch, q)) {
    for (int i = 0; i < 40; i++) {
      pitch = (lo + hi) / 2;
      if (solve_plane(r, p->z, pitch, q)) lo = pitch;
      else hi = pitch;
    }
    (void)solve_plane(r, p->z, pitch = lo, q);
  }
  q[0] = -atan2(p->y, p->x);
  q[4] = p->roll;
  for (int i = 0; i < 5; i++) q[i] = mju_clip(q[i], range[i][0], range[i][1]);
  return pitch;
}

double vlb_so_gap(double jaw) { return hinge - fixed_face + finger * sin(mju_clip(jaw - parallel, -pi / 2, pi / 2)); }

double vlb_so_jaw(double gap) { return parallel + asin(mju_clip((gap - hinge + fixed_face) / finger, -1, 1)); }

double vlb_so_middle(double jaw) { return fixed_face + vlb_so_gap(jaw) / 2; }
