/* Upstream's recorded episodes: reading them, and, where Meta-World's assets are, ours against them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "core/base/file.h"
#include "sim/metaworld/family.h"
#include "sim/metaworld/reference.h"

#define GOLDEN VLB_TEST_DATA "/metaworld/golden.json"

static void test_read(void **state) {
  vlb_mw_case *cases;
  int n;
  vlb_error err;
  (void)state;
  if (vlb_mw_cases_read(GOLDEN, &cases, &n, &err)) fail_msg("%s", err.message);
  assert_int_equal(n, 3);
  assert_int_equal(cases[0].task, VLB_MW_REACH);
  assert_int_equal(cases[1].task, VLB_MW_DRAWER_OPEN);
  assert_int_equal(cases[2].task, VLB_MW_STICK_PUSH);
  assert_int_equal(cases[0].success, 43);
  assert_int_equal(cases[0].moment_count, 5); /* the recording ends with the success */
  assert_int_equal(cases[0].qpos_count, 16);
  assert_true(fabs(cases[0].rand[5] - 0.18118910790805948) < 1e-15);
  for (int i = 0; i < n; i++) assert_true(cases[i].ranges_off < 1e-15); /* the recorded ranges are our table's */
  free(cases);
}

static void refuse(const char *text, const char *says) {
  vlb_mw_case *cases;
  int n;
  vlb_error err;
  assert_int_equal(vlb_file_write("bad.json", text, strlen(text), &err), VLB_OK);
  assert_int_equal(vlb_mw_cases_read("bad.json", &cases, &n, &err), VLB_USAGE);
  assert_null(cases);
  if (!strstr(err.message, says)) fail_msg("\"%s\" does not say \"%s\"", err.message, says);
}

static void test_refusals(void **state) {
  (void)state;
  refuse("", "bad.json");
  refuse("[]", "not a JSON object");
  refuse("{}", "no episodes");
  refuse("{\"_note\":\"x\"}", "no episodes");
  refuse("{\"raech-v3\":{}}", "did you mean reach?");
  refuse("{\"reach-v3\":3}", "not an object");
  refuse("{\"reach-v3\":{\"rand_vec\":[1,2,3]}}", "6 numbers");
  refuse("{\"reach-v3\":{\"rand_vec\":[1,2,3,4,5,6]}}", "obs_reset is not 39 numbers");
  refuse("{\"reach-v3\":{\"rand_vec\":[1,2,3,4,5,\"6\"]}}", "6 numbers");
}

static void test_goals(void **state) {
  vlb_mw_goals goals[VLB_MW_TASKS];
  vlb_error err;
  (void)state;
  if (vlb_mw_goals_read(VLB_TEST_DATA "/metaworld/goals.json", goals, &err)) fail_msg("%s", err.message);
  assert_int_equal(goals[VLB_MW_REACH].count, 3);
  assert_int_equal(goals[VLB_MW_WINDOW_OPEN].count, 3);
  assert_int_equal(goals[VLB_MW_PUSH].count, 0);
  vlb_mw_goals_free(goals);
  const char text[] = "{\"reach-v3\":[[1,2,3,4,5,6],[1,2,3]]}";
  assert_int_equal(vlb_file_write("goals.json", text, sizeof text - 1, &err), VLB_OK);
  assert_int_equal(vlb_mw_goals_read("goals.json", goals, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "vector 1"));
  vlb_mw_goals_free(goals);
}

/* A case made from our own episode passes, and every kind of difference is seen. Runs on the embedded model. */
static void test_compare(void **state) {
  vlb_mw_case made = {.task = VLB_MW_REACH, .moment_count = 1, .moment = {{.step = 2}}};
  vlb_mw_env env;
  vlb_mw_difference d;
  double obs[VLB_MW_OBS];
  bool success;
  vlb_error err;
  char *xml = vlb_mw_style_xml("reach_v3");
  const vlb_mw_source source = {.xml = xml};
  (void)state;
  vlb_mw_draw(VLB_MW_REACH, 1, 0, made.rand);
  assert_int_equal(vlb_mw_open(&source, VLB_MW_REACH, &env, &err), VLB_OK);
  assert_int_equal(vlb_mw_play_expert(&env, made.rand, &made.success, &err), VLB_OK);
  assert_true(made.success > 2);
  assert_int_equal(vlb_mw_reset(&env, made.rand, made.obs_reset, &err), VLB_OK);
  memcpy(obs, made.obs_reset, sizeof obs);
  for (int i = 0; i < 2; i++) {
    vlb_mw_expert(VLB_MW_REACH, obs, made.moment[0].action);
    assert_int_equal(vlb_mw_step(&env, made.moment[0].action, obs, &success, &err), VLB_OK);
  }
  memcpy(made.moment[0].obs, obs, sizeof obs);
  vlb_mw_close(&env);
  assert_int_equal(vlb_mw_compare(&made, &source, &d, &err), VLB_OK);
  assert_true(d.passed && d.reset == 0 && d.obs == 0 && d.action == 0);
  double *const touched[] = {&made.obs_reset[5], &made.moment[0].obs[20], &made.moment[0].action[0], &made.ranges_off};
  for (int i = 0; i < 4; i++) {
    *touched[i] += 2e-4;
    assert_int_equal(vlb_mw_compare(&made, &source, &d, &err), VLB_OK);
    assert_false(d.passed);
    *touched[i] -= 2e-4;
  }
  made.success++;
  assert_int_equal(vlb_mw_compare(&made, &source, &d, &err), VLB_OK);
  assert_false(d.passed);
  free(xml);
}

/* Ours against upstream's numbers, which hold for MuJoCo 2.2.2. */
static void test_golden(void **state) {
  const char *folder = getenv("VLABENCH_METAWORLD_ASSETS");
  vlb_mw_case *cases;
  int n;
  vlb_error err;
  (void)state;
  if (!folder || mj_version() != 222) {
    print_message("skipped: needs VLABENCH_METAWORLD_ASSETS and MuJoCo 2.2.2\n");
    skip();
  }
  assert_int_equal(vlb_mw_cases_read(GOLDEN, &cases, &n, &err), VLB_OK);
  for (int i = 0; i < n; i++) {
    vlb_mw_difference d;
    if (vlb_mw_compare(&cases[i], &(vlb_mw_source){.folder = folder}, &d, &err)) fail_msg("%s", err.message);
    if (!d.passed) fail_msg("%s: reset %g, obs %g, action %g, success %d", vlb_mw_tasks[cases[i].task].name, d.reset, d.obs, d.action, d.success);
  }
  free(cases);
}

/* All fifty scenes open and start. */
static void test_all_tasks(void **state) {
  const char *folder = getenv("VLABENCH_METAWORLD_ASSETS");
  (void)state;
  if (!folder) {
    print_message("skipped: needs VLABENCH_METAWORLD_ASSETS\n");
    skip();
  }
  for (int i = 0; i < VLB_MW_TASKS; i++) {
    vlb_mw_env env;
    double rand[VLB_MW_RAND], obs[VLB_MW_OBS];
    bool success = true;
    vlb_error err;
    if (vlb_mw_open(&(vlb_mw_source){.folder = folder}, (vlb_mw_id)i, &env, &err)) fail_msg("%s", err.message);
    vlb_mw_draw((vlb_mw_id)i, 1, 1, rand);
    if (vlb_mw_reset(&env, rand, obs, &err) || vlb_mw_step(&env, (double[]){0, 0, 0, 0}, obs, &success, &err)) fail_msg("%s", err.message);
    if (success) fail_msg("%s: done before it began", vlb_mw_tasks[i].name);
    vlb_mw_close(&env);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_read),    cmocka_unit_test(test_refusals), cmocka_unit_test(test_goals),
                                     cmocka_unit_test(test_compare), cmocka_unit_test(test_golden),   cmocka_unit_test(test_all_tasks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
