/* The twelve tasks of the Meta-World-style subset, done by their experts and left undone by a hand that rests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/metaworld/family.h"
#include "sim/metaworld/metaworld.h"

enum { TASKS = 12, SEED = 7 };

static const char *const names[TASKS] = {
    "reach",      "button-press-topdown", "drawer-open", /* easy */
    "push-wall",  "bin-picking",          "peg-insert-side", /* medium */
    "pick-place", "push",                 "push-back", /* hard */
    "pick-place-wall", "shelf-place",     "stick-push", /* very hard */
};

static void open_task(const char *name, vlb_mw_env *env) {
  vlb_error err = {0};
  vlb_mw_id task;
  assert_int_equal(vlb_mw_find(name, &task, &err), VLB_OK);
  char *xml = vlb_mw_style_xml(vlb_mw_tasks[task].model);
  assert_non_null(xml);
  if (vlb_mw_open(&(vlb_mw_source){.xml = xml}, task, env, &err)) fail_msg("%s: %s", name, err.message);
  free(xml);
}

/* The step at which the goal first holds, or 0. The hand rests where act is false. */
static int episode(vlb_mw_env *env, int index, bool act, int steps) {
  double rand[VLB_MW_RAND], obs[VLB_MW_OBS], action[VLB_MW_ACTION] = {0};
  vlb_error err = {0};
  bool success = false;
  const char *name = vlb_mw_tasks[env->task].name;
  vlb_mw_draw(env->task, SEED, index, rand);
  if (vlb_mw_reset(env, rand, obs, &err)) fail_msg("%s, draw %d: %s", name, index, err.message);
  for (int t = 1; t <= steps; t++) {
    if (act) vlb_mw_expert(env->task, obs, action);
    if (vlb_mw_step(env, action, obs, &success, &err)) fail_msg("%s, draw %d: %s", name, index, err.message);
    for (int i = 0; i < mjNWARNING; i++) assert_int_equal(env->data->warning[i].number, 0);
    if (success) return t;
  }
  return 0;
}

/* VLABENCH_TEST_DRAWS asks for more than the handful that a test has time for. */
static int draws(void) {
  const char *text = getenv("VLABENCH_TEST_DRAWS");
  return text ? atoi(text) : 3;
}

static void test_experts(void **state) {
  (void)state;
  int missed = 0;
  for (int i = 0; i < TASKS; i++) {
    vlb_mw_env env;
    int done = 0, steps = 0;
    open_task(names[i], &env);
    for (int k = 0; k < draws(); k++) {
      int t = episode(&env, k, true, VLB_MW_MAX_STEPS);
      done += t > 0;
      steps += t;
    }
    print_message("%-22s %d of %d, %.1f steps\n", names[i], done, draws(), done ? (double)steps / done : 0.0);
    missed += 50 * done < 49 * draws(); /* 98 % */
    vlb_mw_close(&env);
  }
  assert_int_equal(missed, 0);
}

static void test_rest_is_no_success(void **state) {
  (void)state;
  for (int i = 0; i < TASKS; i++) {
    vlb_mw_env env;
    open_task(names[i], &env);
    assert_int_equal(episode(&env, 0, false, 20), 0);
    vlb_mw_close(&env);
  }
}

/* Three tasks of each difficulty group. */
static void test_groups(void **state) {
  (void)state;
  for (int i = 0; i < TASKS; i++) {
    vlb_error err = {0};
    vlb_mw_id task;
    assert_int_equal(vlb_mw_find(names[i], &task, &err), VLB_OK);
    assert_int_equal(vlb_mw_tasks[task].difficulty, i / 3);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_groups),
      cmocka_unit_test(test_rest_is_no_success),
      cmocka_unit_test(test_experts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
