#include "sim/control/osc.h"

#include <math.h>
#include <string.h>

#include "sim/world/engine.h"

enum { J = VLB_ARM_JOINTS };

/* libero.md 6: stiffness of the pose and of the null-space posture, both with damping ratio 1 */
static const double pose_kp = 150, posture_kp = 10;
static const double position_scale = 0.05, rotation_scale = 0.5, gripper_rate = 0.01;

/* ---- small dense linear algebra, row-major ---- */

/* a [n,n], symmetric positive definite, becomes its Cholesky factor L (lower triangle). A floor under the pivots keeps a
 * singular pose finite; the torque limits do the rest. */
static void cholesky(double *a, int n) {
  for (int j = 0; j < n; j++) {
    double d = a[j * n + j];
    for (int k = 0; k < j; k++) d -= a[j * n + k] * a[j * n + k];
    d = sqrt(fmax(d, 1e-12));
    a[j * n + j] = d;
    for (int i = j + 1; i < n; i++) {
      double s = a[i * n + j];
      for (int k = 0; k < j; k++) s -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = s / d;
    }
  }
}

/* x [n] becomes (L L')^-1 x. */
static void solve(const double *l, int n, double *x) {
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < i; k++) x[i] -= l[i * n + k] * x[k];
    x[i] /= l[i * n + i];
  }
  for (int i = n - 1; i >= 0; i--) {
    for (int k = i + 1; k < n; k++) x[i] -= l[k * n + i] * x[k];
    x[i] /= l[i * n + i];
  }
}

static double dot(const double *a, const double *b, int n) {
  double s = 0;
  for (int i = 0; i < n; i++) s += a[i] * b[i];
  return s;
}

/* ---- what the controller measures ---- */

typedef struct {
  double q[J], v[J], bias[J];
  double jac[6][J];   /* eef site: rows 0-2 translation, 3-5 rotation */
  double mass[J * J]; /* arm block of the mass matrix */
  double pos[3], rot[9], twist[6];
} measured;

/* Columns of the site's Jacobian from the seven hinges; no other joint moves the site. */
static void measure_jacobian(const vlb_scene *s, const mjData *d, measured *x) {
  for (int j = 0; j < J; j++) {
    int joint = s->model->dof_jntid[s->arm_dof[j]];
    const mjtNum *axis = d->xaxis + 3 * joint;
    mjtNum arm[3], linear[3];
    mju_sub3(arm, x->pos, d->xanchor + 3 * joint);
    mju_cross(linear, axis, arm);
    for (int i = 0; i < 3; i++) {
      x->jac[i][j] = linear[i];
      x->jac[3 + i][j] = axis[i];
    }
  }
}

/* By products with unit vectors, because the sparse storage of the mass matrix differs between MuJoCo versions. */
static void measure_mass(const vlb_scene *s, mjData *d, measured *x) {
  mjtNum unit[VLB_MAX_DOF] = {0}, column[VLB_MAX_DOF];
  for (int j = 0; j < J; j++) {
    unit[s->arm_dof[j]] = 1;
    mj_mulM(s->model, d, column, unit);
    unit[s->arm_dof[j]] = 0;
    for (int i = 0; i < J; i++) x->mass[i * J + j] = column[s->arm_dof[i]];
  }
}

static void measure(const vlb_scene *s, mjData *d, measured *x) {
  mju_copy(x->pos, d->site_xpos + 3 * s->eef_site, 3);
  mju_copy(x->rot, d->site_xmat + 9 * s->eef_site, 9);
  for (int j = 0; j < J; j++) {
    x->q[j] = d->qpos[s->arm_qpos[j]];
    x->v[j] = d->qvel[s->arm_dof[j]];
    x->bias[j] = d->qfrc_bias[s->arm_dof[j]];
  }
  measure_jacobian(s, d, x);
  measure_mass(s, d, x);
  for (int i = 0; i < 6; i++) x->twist[i] = dot(x->jac[i], x->v, J);
}

/* ---- the law ---- */

/* Half the sum of the cross products of the columns of the present and the wanted rotation. */
static void orientation_error(const double rot[9], const double goal[9], double e[3]) {
  memset(e, 0, 3 * sizeof *e);
  for (int c = 0; c < 3; c++) {
    mjtNum a[3] = {rot[c], rot[3 + c], rot[6 + c]}, b[3] = {goal[c], goal[3 + c], goal[6 + c]}, x[3];
    mju_cross(x, a, b);
    mju_addToScl3(e, x, 0.5);
  }
}

/* Inverse operational inertia J M^-1 J', whole [6,6] and its two diagonal blocks [3,3], all as Cholesky factors. */
static void operational_inertia(const measured *x, double whole[36], double linear[9], double angular[9]) {
  double factor[J * J], column[J];
  memcpy(factor, x->mass, sizeof factor);
  cholesky(factor, J);
  for (int c = 0; c < 6; c++) {
    memcpy(column, x->jac[c], sizeof column);
    solve(factor, J, column);
    for (int r = 0; r < 6; r++) whole[r * 6 + c] = dot(x->jac[r], column, J);
  }
  for (int r = 0; r < 3; r++)
    for (int c = 0; c < 3; c++) {
      linear[r * 3 + c] = whole[r * 6 + c];
      angular[r * 3 + c] = whole[(3 + r) * 6 + 3 + c];
    }
  cholesky(whole, 6);
  cholesky(linear, 3);
  cholesky(angular, 3);
}

/* Joint torques before clipping: decoupled pose servo, gravity and Coriolis terms, posture in the null space. */
static void torques(const vlb_osc *c, const measured *x, double tau[J]) {
  const double pose_kd = 2 * sqrt(pose_kp), posture_kd = 2 * sqrt(posture_kp);
  double whole[36], linear[9], angular[9], wrench[6], error[3], posture[J], leak[6];
  operational_inertia(x, whole, linear, angular);
  orientation_error(x->rot, c->goal_rot, error);
  for (int i = 0; i < 3; i++) {
    wrench[i] = pose_kp * (c->goal_pos[i] - x->pos[i]) - pose_kd * x->twist[i];
    wrench[3 + i] = pose_kp * error[i] - pose_kd * x->twist[3 + i];
  }
  solve(linear, 3, wrench);
  solve(angular, 3, wrench + 3);
  /* N' M a with N = I - M^-1 J' lambda J is M a - J' lambda J a: what the posture would move at the hand is taken away */
  for (int j = 0; j < J; j++) posture[j] = posture_kp * (c->rest[j] - x->q[j]) - posture_kd * x->v[j];
  for (int i = 0; i < 6; i++) leak[i] = dot(x->jac[i], posture, J);
  solve(whole, 6, leak);
  for (int j = 0; j < J; j++) {
    tau[j] = x->bias[j] + dot(x->mass + j * J, posture, J);
    for (int i = 0; i < 6; i++) tau[j] += x->jac[i][j] * (wrench[i] - leak[i]);
  }
}

/* Once per control step, from the pose as measured now: there is no integrator, so a steady lag is expected. The
 * orientation goal stays when no rotation is asked for. */
static void set_goal(vlb_osc *c, const vlb_scene *s, const mjData *d, const double action[6]) {
  double turn[3], angle, rot[9];
  mjtNum quat[4];
  for (int i = 0; i < 3; i++) {
    c->goal_pos[i] = d->site_xpos[3 * s->eef_site + i] + position_scale * action[i];
    turn[i] = rotation_scale * action[3 + i];
  }
  angle = mju_normalize3(turn);
  if (angle <= 0) return;
  mju_axisAngle2Quat(quat, turn, angle);
  mju_quat2Mat(rot, quat);
  mju_mulMatMat(c->goal_rot, rot, d->site_xmat + 9 * s->eef_site, 3, 3, 3);
}

static double clip(double x, double lo, double hi) { return fmin(fmax(x, lo), hi); }

static void drive_gripper(vlb_osc *c, const vlb_scene *s, mjData *d, double action) {
  double sign = (action > 0) - (action < 0);
  for (int i = 0; i < 2; i++) {
    const mjtNum *range = s->model->actuator_ctrlrange + 2 * s->finger_actuator[i];
    c->gripper[i] = clip(c->gripper[i] + gripper_rate * sign * (i ? 1 : -1), -1, 1);
    d->ctrl[s->finger_actuator[i]] = (range[0] + range[1]) / 2 + (range[1] - range[0]) / 2 * c->gripper[i];
  }
}

static void drive_arm(const vlb_osc *c, const vlb_scene *s, mjData *d) {
  measured x;
  double tau[J];
  measure(s, d, &x);
  torques(c, &x, tau);
  for (int j = 0; j < J; j++) {
    const mjtNum *range = s->model->actuator_ctrlrange + 2 * s->arm_actuator[j];
    d->ctrl[s->arm_actuator[j]] = clip(tau[j], range[0], range[1]);
  }
}

typedef struct {
  vlb_osc *controller;
  const vlb_scene *scene;
  mjData *data;
  double action[7];
} step_job;

static vlb_code step(void *self, vlb_error *err) {
  step_job *job = self;
  mjData *d = job->data;
  double start = d->time; /* MuJoCo resets the time when it gives up */
  /* mj_step1 and mj_step2 are the halves of mj_step around the controls: forward + step of libero.md 6 without doing the
   * kinematics twice (the test compares the bits) */
  for (int i = 0; i < VLB_SUBSTEPS; i++) {
    mj_step1(job->scene->model, d);
    if (i == 0) set_goal(job->controller, job->scene, d, job->action);
    drive_arm(job->controller, job->scene, d);
    drive_gripper(job->controller, job->scene, d, job->action[6]);
    mj_step2(job->scene->model, d);
    const char *what = vlb_engine_trouble(d);
    if (what) return vlb_fail(err, VLB_FAILED, "simulator instability in the control step at %.2f s: %s", start, what);
  }
  return VLB_OK;
}

void vlb_osc_reset(vlb_osc *c, const vlb_scene *scene, const mjData *data) {
  memset(c, 0, sizeof *c);
  mju_copy(c->goal_pos, data->site_xpos + 3 * scene->eef_site, 3);
  mju_copy(c->goal_rot, data->site_xmat + 9 * scene->eef_site, 9);
  for (int j = 0; j < J; j++) c->rest[j] = data->qpos[scene->arm_qpos[j]];
}

vlb_code vlb_osc_step(vlb_osc *c, const vlb_scene *scene, mjData *data, const double action[7], vlb_error *err) {
  step_job job = {.controller = c, .scene = scene, .data = data};
  for (int i = 0; i < 7; i++) {
    if (!isfinite(action[i])) return vlb_fail(err, VLB_FAILED, "action %d is not a finite number", i);
    job.action[i] = clip(action[i], -1, 1);
  }
  return vlb_engine_guard(step, &job, err);
}

void vlb_eef_state(const vlb_scene *scene, const mjData *data, float state[8]) {
  const mjtNum *quat = data->xquat + 4 * scene->hand_body;
  double turn[3];
  vlb_axis_angle((const double[]){quat[1], quat[2], quat[3], quat[0]}, turn);
  for (int i = 0; i < 3; i++) {
    state[i] = (float)data->site_xpos[3 * scene->eef_site + i];
    state[3 + i] = (float)turn[i];
  }
  for (int i = 0; i < 2; i++) state[6 + i] = (float)data->qpos[scene->finger_qpos[i]];
}
