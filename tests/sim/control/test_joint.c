/* Joint position control of the SO-100: against the closed form of a servo, and what holding still looks like. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/control/joint.h"

/* robots/so100.xml */
static const double stiffness = 40, servo_damping = 2, joint_damping = 0.6, friction = 0.052;
static const double period = 1.0 / 30;
enum { ROLL = 4 };

typedef struct {
  vlb_scene *scene;
  mjData *data;
} world;

static int open_world(void **state) {
  vlb_error err = {0};
  world *w = calloc(1, sizeof *w);
  const vlb_scene_spec spec = {.embodiment = &vlb_so100, .arena = "desk"};
  if (!w || vlb_scene_compile(&spec, &w->scene, &err)) return -1;
  w->data = mj_makeData(w->scene->model);
  vlb_scene_home(w->scene, w->data);
  mj_forward(w->scene->model, w->data);
  *state = w;
  return 0;
}

static int close_world(void **state) {
  world *w = *state;
  mj_deleteData(w->data);
  vlb_scene_free(w->scene);
  free(w);
  return 0;
}

static void act(world *w, const double *targets, int steps) {
  vlb_error err = {0};
  for (int i = 0; i < steps; i++)
    if (vlb_joint_step(w->scene, w->scene->model, w->data, targets, &err)) fail_msg("%s", err.message);
}

static void the_control_period_is_a_thirtieth(void **state) {
  world *w = *state;
  act(w, w->scene->home, 30);
  assert_true(fabs(w->data->time - 1) < 1e-9);
}

static void it_sags_by_its_weight_and_no_further(void **state) {
  world *w = *state;
  double then[VLB_SO_JOINTS];
  act(w, w->scene->home, 60);
  mju_copy(then, w->data->qpos, VLB_SO_JOINTS);
  for (int i = 0; i < VLB_SO_JOINTS; i++) {
    double sag = w->scene->home[i] - then[i], weight = w->data->qfrc_bias[i] / stiffness;
    assert_true(fabs(sag - weight) < 1.05 * friction / stiffness + 1e-4); /* friction may hold it on the way */
    assert_true(fabs(sag) < 0.03);
  }
  act(w, w->scene->home, 300);
  for (int i = 0; i < VLB_SO_JOINTS; i++) assert_true(fabs(w->data->qpos[i] - then[i]) < 2e-4);
}

/* x'' = -(k x + c x') / I from x0 at rest, overdamped */
static double closed_form(double x0, double inertia, double c, double t) {
  double root = sqrt(c * c - 4 * stiffness * inertia), a = (-c + root) / (2 * inertia), b = (-c - root) / (2 * inertia);
  return x0 * (a * exp(b * t) - b * exp(a * t)) / (a - b);
}

static void a_step_is_the_servos(void **state) {
  world *w = *state;
  const double x0 = -0.05; /* within its torque */
  mjtNum unit[VLB_MAX_DOF] = {0}, column[VLB_MAX_DOF];
  double target[VLB_SO_JOINTS];
  act(w, w->scene->home, 60);
  unit[ROLL] = 1;
  mj_mulM(w->scene->model, w->data, column, unit);
  mju_copy(target, w->scene->home, VLB_SO_JOINTS);
  target[ROLL] = w->data->qpos[ROLL] - x0;
  for (int k = 1; k <= 15; k++) {
    act(w, target, 1);
    double x = w->data->qpos[ROLL] - target[ROLL], expected = closed_form(x0, column[ROLL], servo_damping + joint_damping, k * period);
    assert_true(fabs(x - expected) < 2.2 * friction / stiffness);
  }
  assert_true(fabs(w->data->qpos[ROLL] - target[ROLL]) < 1.1 * friction / stiffness);
}

static void a_large_step_runs_at_the_motors_speed(void **state) {
  world *w = *state;
  double target[VLB_SO_JOINTS], fastest = 0;
  mju_copy(target, w->scene->home, VLB_SO_JOINTS);
  target[ROLL] = 2.5;
  for (int k = 0; k < 45; k++) {
    act(w, target, 1);
    fastest = fmax(fastest, w->data->qvel[ROLL]);
  }
  assert_true(fastest > 3 && fastest < 2.94 / joint_damping);
  assert_true(fabs(w->data->qpos[ROLL] - 2.5) < 0.005);
}

static void targets_are_clipped_and_must_be_numbers(void **state) {
  world *w = *state;
  vlb_error err = {0};
  float seen[VLB_SO_JOINTS];
  double target[VLB_SO_JOINTS] = {9, -1.2, 1.0, 1.2, 0, 0.1};
  act(w, target, 60);
  vlb_joint_state(w->data, seen);
  assert_true(fabs((double)seen[0] - 1.91986) < 0.01);
  target[3] = NAN;
  assert_int_equal(vlb_joint_step(w->scene, w->scene->model, w->data, target, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "action 3"));
}

static void instability_is_reported(void **state) {
  world *w = *state;
  vlb_error err = {0};
  w->data->qvel[1] = 1e12;
  assert_int_equal(vlb_joint_step(w->scene, w->scene->model, w->data, w->scene->home, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "instability"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_control_period_is_a_thirtieth, open_world, close_world),
      cmocka_unit_test_setup_teardown(it_sags_by_its_weight_and_no_further, open_world, close_world),
      cmocka_unit_test_setup_teardown(a_step_is_the_servos, open_world, close_world),
      cmocka_unit_test_setup_teardown(a_large_step_runs_at_the_motors_speed, open_world, close_world),
      cmocka_unit_test_setup_teardown(targets_are_clipped_and_must_be_numbers, open_world, close_world),
      cmocka_unit_test_setup_teardown(instability_is_reported, open_world, close_world),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
