/* Meta-World's table of tasks and its random vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "sim/metaworld/rules.h"

/* Sizes of the difficulty groups, metaworld.md section 3. */
static void test_groups(void **state) {
  int count[4] = {0};
  (void)state;
  for (int i = 0; i < VLB_MW_TASKS; i++) count[vlb_mw_tasks[i].difficulty]++;
  assert_int_equal(count[VLB_MW_EASY], 28);
  assert_int_equal(count[VLB_MW_MEDIUM], 11);
  assert_int_equal(count[VLB_MW_HARD], 6);
  assert_int_equal(count[VLB_MW_VERY_HARD], 5);
}

static void check_ranges(const vlb_mw_task *t) {
  for (int k = 0; k < t->rand_size; k++)
    if (!(t->low[k] <= t->high[k])) fail_msg("%s: range %d is empty", t->name, k);
  for (int k = t->rand_size; k < VLB_MW_RAND; k++)
    if (t->low[k] != 0 || t->high[k] != 0) fail_msg("%s: number %d has a range but is not used", t->name, k);
  for (int k = 0; k < 3; k++) {
    if (!(t->goal_low[k] <= t->goal_high[k])) fail_msg("%s: goal range %d is empty", t->name, k);
    if (!(t->mocap_low[k] < vlb_mw_mocap_high[k])) fail_msg("%s: mocap box %d is empty", t->name, k);
    if (!(t->hand[k] >= t->mocap_low[k] - 1e-6 && t->hand[k] <= vlb_mw_mocap_high[k] + 1e-6)) fail_msg("%s: the hand starts outside its box", t->name);
  }
}

static void test_rows(void **state) {
  (void)state;
  for (int i = 0; i < VLB_MW_TASKS; i++) {
    const vlb_mw_task *t = &vlb_mw_tasks[i];
    vlb_mw_id found;
    assert_non_null(t->name);
    assert_non_null(t->model);
    assert_true(strlen(t->instruction) > 8);
    assert_true(t->rand_size == 3 || t->rand_size == 6);
    assert_int_equal(vlb_mw_find(t->name, &found, NULL), VLB_OK);
    assert_int_equal(found, i); /* so names differ */
    check_ranges(t);
  }
}

/* Whether anything in the rule is taken from `from`. */
static bool uses(const vlb_mw_rule *rule, vlb_mw_from from) {
  for (const vlb_mw_op *op = rule->reset; op->verb; op++)
    if (op->point.from == from) return true;
  return false;
}

/* Every rule sets the goal, sees an object and can be fulfilled; only the first half of a vector of three is read. */
static void test_rules(void **state) {
  (void)state;
  for (int i = 0; i < VLB_MW_TASKS; i++) {
    const vlb_mw_rule *rule = &vlb_mw_rules[i];
    int goals = 0;
    for (const vlb_mw_op *op = rule->reset; op->verb; op++) goals += op->verb == MW_GOAL;
    if (goals != 1) fail_msg("%s: its start sets %d goals", vlb_mw_tasks[i].name, goals);
    assert_int_equal(rule->reset[MW_MAX_OPS].verb, MW_DONE);
    assert_int_not_equal(rule->seen[0].point.from, MW_CONST);
    assert_true((rule->reached != NULL) != (rule->within > 0));
    if (vlb_mw_tasks[i].rand_size == 3 && (uses(rule, MW_R3) || uses(rule, MW_R3_XY))) fail_msg("%s reads numbers that it never draws", vlb_mw_tasks[i].name);
  }
}

static void test_names(void **state) {
  vlb_mw_id id;
  vlb_error err;
  (void)state;
  assert_int_equal(vlb_mw_find("door-open-v3", &id, &err), VLB_OK);
  assert_int_equal(id, VLB_MW_DOOR_OPEN);
  assert_int_equal(vlb_mw_find("door-open-v2", &id, &err), VLB_OK);
  assert_int_equal(vlb_mw_find("dor-open-v3", &id, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "did you mean door-open?"));
  assert_int_equal(vlb_mw_find("", &id, &err), VLB_USAGE);
  assert_int_equal(vlb_mw_find("-v3", &id, &err), VLB_USAGE);
}

static bool equal(const double *a, const double *b) { return !memcmp(a, b, VLB_MW_RAND * sizeof *a); }

/* In range, far enough apart, and a pure function of its arguments. */
static void test_draws(void **state) {
  (void)state;
  for (int i = 0; i < VLB_MW_TASKS; i++) {
    const vlb_mw_task *t = &vlb_mw_tasks[i];
    double first[VLB_MW_RAND], rand[VLB_MW_RAND];
    vlb_mw_draw((vlb_mw_id)i, 1, 0, first);
    for (int episode = 0; episode < 500; episode++) {
      vlb_mw_draw((vlb_mw_id)i, 1, episode, rand);
      for (int k = 0; k < VLB_MW_RAND; k++)
        if (!(rand[k] >= t->low[k] && rand[k] <= t->high[k])) fail_msg("%s: number %d is %g", t->name, k, rand[k]);
      if (i == VLB_MW_SWEEP_INTO) assert_true(hypot(rand[0], rand[1] - 0.84) >= 0.15);
      else if (hypot(rand[0] - rand[3], rand[1] - rand[4]) < t->apart) fail_msg("%s: start and goal are too near", t->name);
      assert_true(episode == 0 || !equal(first, rand));
    }
    vlb_mw_draw((vlb_mw_id)i, 1, 0, rand);
    assert_true(equal(first, rand));
    vlb_mw_draw((vlb_mw_id)i, 2, 0, rand);
    assert_false(equal(first, rand));
  }
}

/* Vectors are uniform: the mean of many lies in the middle. */
static void test_means(void **state) {
  enum { N = 4000 };
  double sum[VLB_MW_RAND] = {0};
  const vlb_mw_task *t = &vlb_mw_tasks[VLB_MW_REACH];
  (void)state;
  for (int episode = 0; episode < N; episode++) {
    double rand[VLB_MW_RAND];
    vlb_mw_draw(VLB_MW_REACH, 3, episode, rand);
    for (int k = 0; k < VLB_MW_RAND; k++) sum[k] += rand[k];
  }
  for (int k = 0; k < VLB_MW_RAND; k++)
    if (k != 1 && k != 4) /* the rejection pushes these apart */
      assert_true(fabs(sum[k] / N - (t->low[k] + t->high[k]) / 2) <= 0.03 * (t->high[k] - t->low[k]) + 1e-12);
}

/* The stream's numbers are part of every result. */
static void test_known(void **state) {
  double rand[VLB_MW_RAND];
  (void)state;
  vlb_mw_draw(VLB_MW_REACH, 0, 0, rand);
  const double wanted[VLB_MW_RAND] = {0.012847258902791037, 0.67485118370300978, 0.02, 0.055987571584872747, 0.89192954152382931, 0.2193232532258092};
  assert_true(equal(rand, wanted));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_groups), cmocka_unit_test(test_rows),  cmocka_unit_test(test_rules),
                                     cmocka_unit_test(test_names),  cmocka_unit_test(test_draws), cmocka_unit_test(test_means),
                                     cmocka_unit_test(test_known)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
