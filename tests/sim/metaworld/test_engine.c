/* Meta-World's engine on the embedded models: resets, steps, observations, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "sim/metaworld/family.h"
#include "sim/metaworld/metaworld.h"

static void open_env(vlb_mw_id task, vlb_mw_env *env) {
  vlb_error err;
  char *xml = vlb_mw_style_xml(vlb_mw_tasks[task].model);
  assert_non_null(xml);
  if (vlb_mw_open(&(vlb_mw_source){.xml = xml}, task, env, &err)) fail_msg("%s", err.message);
  free(xml);
}

static void reset(vlb_mw_env *env, int episode, double obs[VLB_MW_OBS]) {
  double rand[VLB_MW_RAND];
  vlb_error err;
  vlb_mw_draw(env->task, 5, episode, rand);
  if (vlb_mw_reset(env, rand, obs, &err)) fail_msg("%s", err.message);
}

static bool step(vlb_mw_env *env, const double action[VLB_MW_ACTION], double obs[VLB_MW_OBS]) {
  bool success = false;
  vlb_error err;
  if (vlb_mw_step(env, action, obs, &success, &err)) fail_msg("%s", err.message);
  return success;
}

static bool same(const double *a, const double *b, int n) { return !memcmp(a, b, (size_t)n * sizeof *a); }

/* cur, prev, goal; the first observation has no other past than itself */
static void test_observation(void **state) {
  vlb_mw_env env;
  double rand[VLB_MW_RAND], first[VLB_MW_OBS], obs[VLB_MW_OBS];
  (void)state;
  open_env(VLB_MW_PUSH, &env);
  vlb_mw_draw(VLB_MW_PUSH, 5, 0, rand);
  reset(&env, 0, first);
  assert_true(same(first, first + 18, 18));
  assert_true(fabs(first[4] - rand[0]) < 1e-6 && fabs(first[5] - rand[1]) < 1e-6); /* the puck */
  for (int i = 11; i < 18; i++) assert_true(first[i] == 0);                        /* no second object */
  assert_true(first[36] == rand[3] && first[37] == rand[4]);
  assert_true(first[3] > 0.5 && first[3] <= 1); /* open */
  step(&env, (double[]){0, 0, 0, 0}, obs);
  assert_true(same(obs + 18, first, 18));
  assert_true(fabs(obs[7] * obs[7] + obs[8] * obs[8] + obs[9] * obs[9] + obs[10] * obs[10] - 1) < 1e-9);
  vlb_mw_close(&env);
}

/* Episodes do not know what was played before them. */
static void test_pure(void **state) {
  static const vlb_mw_id tasks[] = {VLB_MW_DRAWER_OPEN, VLB_MW_SHELF_PLACE, VLB_MW_STICK_PUSH, VLB_MW_PEG_INSERT_SIDE, VLB_MW_BIN_PICKING};
  (void)state;
  for (size_t t = 0; t < sizeof tasks / sizeof *tasks; t++) {
    vlb_mw_env a, b;
    double x[VLB_MW_OBS], y[VLB_MW_OBS], action[VLB_MW_ACTION];
    open_env(tasks[t], &a);
    open_env(tasks[t], &b);
    reset(&a, 3, x);
    for (int i = 0; i < 30; i++) step(&a, (double[]){1, -1, -1, 1}, x);
    reset(&a, 4, x);
    reset(&b, 4, y);
    assert_true(same(x, y, VLB_MW_OBS));
    for (int i = 0; i < 20; i++) {
      vlb_mw_expert(tasks[t], x, action);
      step(&a, action, x);
      step(&b, action, y);
      assert_true(same(x, y, VLB_MW_OBS));
    }
    assert_true(same(a.data->qpos, b.data->qpos, (int)a.model->nq));
    vlb_mw_close(&a);
    vlb_mw_close(&b);
  }
}

/* One centimetre a step, within the box, whatever the action asks for. */
static void test_motion(void **state) {
  vlb_mw_env env;
  double obs[VLB_MW_OBS];
  (void)state;
  open_env(VLB_MW_REACH, &env);
  reset(&env, 0, obs);
  assert_true(fabs(env.data->mocap_pos[0]) < 1e-6);
  step(&env, (double[]){0.5, 0, -7, 0}, obs);
  assert_true(fabs(env.data->mocap_pos[0] - 0.005) < 1e-6 && fabs(env.data->mocap_pos[2] - 0.19) < 1e-6);
  for (int i = 0; i < 120; i++) step(&env, (double[]){1, 1, 1, 0}, obs);
  for (int i = 0; i < 3; i++) assert_true(env.data->mocap_pos[i] == vlb_mw_mocap_high[i]);
  assert_true(obs[0] > 0.3); /* the hand follows */
  for (int i = 0; i < 250; i++) step(&env, (double[]){-1, -1, -1, 0}, obs);
  for (int i = 0; i < 3; i++) assert_true(env.data->mocap_pos[i] == vlb_mw_tasks[VLB_MW_REACH].mocap_low[i]);
  assert_true(obs[0] >= -0.525 && obs[1] >= 0.348 && obs[2] >= -0.0525);
  vlb_mw_close(&env);
}

/* The gripper closes with a positive effort. */
static void test_gripper(void **state) {
  vlb_mw_env env;
  double obs[VLB_MW_OBS], open;
  (void)state;
  open_env(VLB_MW_REACH, &env);
  reset(&env, 0, obs);
  open = obs[3];
  for (int i = 0; i < 20; i++) step(&env, (double[]){0, 0, 0, 1}, obs);
  assert_true(obs[3] < open - 0.1 && obs[3] >= 0);
  vlb_mw_close(&env);
}

/* The goal in an observation is clipped, the goal of the success rule is not. */
static void test_goal_clipped(void **state) {
  vlb_mw_env env;
  double obs[VLB_MW_OBS];
  const double rand[VLB_MW_RAND] = {0, 0.6, 0.02, 0, 0.85, 0.4}; /* above reach's goals */
  vlb_error err;
  (void)state;
  open_env(VLB_MW_REACH, &env);
  assert_int_equal(vlb_mw_reset(&env, rand, obs, &err), VLB_OK);
  assert_true(obs[38] == 0.4);
  step(&env, (double[]){0, 0, 0, 0}, obs);
  assert_true(obs[38] == vlb_mw_tasks[VLB_MW_REACH].goal_high[2] && env.goal[2] == 0.4);
  vlb_mw_close(&env);
}

/* ---- refusals ---- */

static void test_bad_action(void **state) {
  vlb_mw_env env;
  double obs[VLB_MW_OBS];
  bool success;
  vlb_error err;
  (void)state;
  open_env(VLB_MW_REACH, &env);
  reset(&env, 0, obs);
  assert_int_equal(vlb_mw_step(&env, (double[]){0, NAN, 0, 0}, obs, &success, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "action 1"));
  assert_int_equal(vlb_mw_step(&env, (double[]){0, 0, 0, INFINITY}, obs, &success, &err), VLB_FAILED);
  vlb_mw_close(&env);
}

/* What MuJoCo cannot go on with is an error, and the next reset mends it. */
static void test_instability(void **state) {
  vlb_mw_env env;
  double obs[VLB_MW_OBS], again[VLB_MW_OBS];
  bool success;
  vlb_error err;
  (void)state;
  open_env(VLB_MW_PUSH, &env);
  reset(&env, 0, obs);
  env.data->qvel[2] = 1e12;
  assert_int_equal(vlb_mw_step(&env, (double[]){0, 0, 0, 0}, obs, &success, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "simulator instability"));
  reset(&env, 0, obs);
  reset(&env, 0, again);
  assert_true(same(obs, again, VLB_MW_OBS));
  vlb_mw_close(&env);
}

static void refuse(const char *xml, const char *folder, vlb_mw_id task, vlb_code code, const char *text) {
  vlb_mw_env env;
  vlb_error err;
  assert_int_equal(vlb_mw_open(&(vlb_mw_source){folder, xml}, task, &env, &err), code);
  if (!strstr(err.message, text)) fail_msg("\"%s\" does not say \"%s\"", err.message, text);
  assert_null(strchr(err.message, '\n'));
}

static void test_wrong_scenes(void **state) {
  (void)state;
  refuse(NULL, "nowhere", VLB_MW_REACH, VLB_USAGE, "VLABENCH_METAWORLD_ASSETS");
  refuse("<mujoco", NULL, VLB_MW_REACH, VLB_FAILED, "MuJoCo");
  refuse("<mujoco/>", NULL, VLB_MW_REACH, VLB_FAILED, "mocap bodies");
  refuse("<mujoco><worldbody><body mocap=\"true\"/><body><joint name=\"a\"/><geom size=\".1\"/></body></worldbody><actuator><motor joint=\"a\"/>"
         "<motor joint=\"a\"/></actuator></mujoco>", NULL, VLB_MW_REACH, VLB_FAILED, "joint positions");
}

/* A scene of another task lacks the names of this one. */
static void test_missing_names(void **state) {
  vlb_mw_env env;
  double rand[VLB_MW_RAND], obs[VLB_MW_OBS];
  vlb_error err;
  char *xml = vlb_mw_style_xml("reach_v3");
  (void)state;
  assert_int_equal(vlb_mw_open(&(vlb_mw_source){.xml = xml}, VLB_MW_SOCCER, &env, &err), VLB_OK);
  free(xml);
  vlb_mw_draw(VLB_MW_SOCCER, 0, 0, rand);
  assert_int_equal(vlb_mw_reset(&env, rand, obs, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "the scene of soccer has nothing called 'goal_whole'"));
  vlb_mw_close(&env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_observation), cmocka_unit_test(test_pure),        cmocka_unit_test(test_motion),
      cmocka_unit_test(test_gripper),     cmocka_unit_test(test_goal_clipped), cmocka_unit_test(test_bad_action),
      cmocka_unit_test(test_instability), cmocka_unit_test(test_wrong_scenes), cmocka_unit_test(test_missing_names)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
