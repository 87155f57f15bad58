/* Names of cells: equal work has equal names, and whatever can change an outcome changes the name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "experiments/plan/cells.h"

static vlb_ablation *attention(void) {
  vlb_ablation *a = NULL;
  vlb_error err = {VLB_OK, ""};
  if (vlb_ablation_read("attention", false, &a, &err)) fail_msg("%s", err.message);
  return a;
}

static vlb_plan plan_of(const vlb_ablation *a) {
  vlb_plan plan;
  vlb_error err = {VLB_OK, ""};
  if (vlb_plan_make(a, &plan, &err)) fail_msg("%s", err.message);
  return plan;
}

/* names of the demos, train and eval cell of the first arm after one assignment */
typedef struct {
  char demos[32], train[32], eval[32];
} names;

static names names_after(const char *assignment) {
  vlb_ablation *a = attention();
  vlb_error err = {VLB_OK, ""};
  a->arm_count = 1;
  a->contrast_count = 0;
  a->floor = -1;
  if (assignment && vlb_settings_set(&a->arms[0].settings, assignment, &err)) fail_msg("%s", err.message);
  vlb_plan plan = plan_of(a);
  assert_true(plan.count >= 3);
  names n;
  memcpy(n.demos, plan.cells[0].name, sizeof n.demos);
  memcpy(n.train, plan.cells[1].name, sizeof n.train);
  memcpy(n.eval, plan.cells[2].name, sizeof n.eval);
  vlb_plan_free(&plan);
  free(a);
  return n;
}

/* demonstrations are shared by all arms; parents come before children */
static void shared_and_ordered(void **state) {
  (void)state;
  vlb_ablation *a = attention();
  vlb_plan plan = plan_of(a);
  int count[3] = {0, 0, 0};
  for (int i = 0; i < plan.count; i++) {
    const vlb_cell *c = &plan.cells[i];
    count[c->kind]++;
    assert_int_equal(c->parent_count, c->kind != VLB_CELL_DEMOS);
    if (c->parent_count) assert_true(c->parents[0] < i && plan.cells[c->parents[0]].kind == c->kind - 1);
    char hash[VLB_HASH_SIZE];
    vlb_hash(c->text, strlen(c->text), hash);
    assert_string_equal(hash, c->hash);
    assert_null(strstr(c->text, "time_sampling")); /* switches to the past are not in the names of those who stay in the present */
  }
  assert_int_equal(count[VLB_CELL_DEMOS], 1);
  assert_int_equal(count[VLB_CELL_TRAIN], 3);
  assert_int_equal(count[VLB_CELL_EVAL], 4);
  assert_true(plan.cells[plan.floor.eval[0].cell].untrained);
  vlb_plan_free(&plan);
  free(a);
}

/* two runs of a frozen VLM that differ in its precision alone */
static void precision_of_a_frozen_vlm_is_a_factor(void **state) {
  (void)state;
  vlb_ablation *a = attention();
  vlb_error err = {VLB_OK, ""};
  for (int i = 0; i < a->arm_count; i++) {
    if (vlb_settings_set(&a->arms[i].settings, "model.freeze=vlm", &err)) fail_msg("%s", err.message);
    if (i && vlb_settings_set(&a->arms[i].settings, i == 1 ? "train.prefix_cache=vision" : "train.prefix_precision=bfloat16", &err)) fail_msg("%s", err.message);
    if (vlb_settings_set(&a->arms[i].settings, "model.attention=cross", &err)) fail_msg("%s", err.message);
  }
  vlb_plan plan = plan_of(a);
  int trains = 0;
  for (int i = 0; i < plan.count; i++) trains += plan.cells[i].kind == VLB_CELL_TRAIN;
  assert_int_equal(trains, 2); /* of three arms, two are equal now */
  vlb_plan_free(&plan);
  free(a);
}

static void same(const char *assignment, bool demos, bool train, bool eval) {
  names before = names_after(NULL), after = names_after(assignment);
  if (demos != !strcmp(before.demos, after.demos) || train != !strcmp(before.train, after.train) || eval != !strcmp(before.eval, after.eval))
    fail_msg("%s: %s %s, %s %s, %s %s", assignment, before.demos, after.demos, before.train, after.train, before.eval, after.eval);
}

/* what never changes a result changes no name; what does changes it and everything after it */
static void names_follow_outcomes(void **state) {
  (void)state;
  same("train.checkpoint_every=7", true, true, true);
  same("train.prefix_cache=none", true, true, true); /* what is kept of a frozen VLM changes no bit */
  same("train.prefix_cache_gb=1", true, true, true);
  same("train.prefix_cache_memory_gb=0", true, true, true);
  same("train.prefix_precision=bfloat16", true, true, true); /* the file trains its VLM: there is nothing to round */
  same("eval.lanes=3", true, true, true);
  same("model.num_vlm_layers=0", true, true, true); /* all of text_layers, which is what the file says */
  same("eval.max_steps=280", true, true, true);      /* the suite's own limit */
  same("eval.seed=5", true, true, false);
  same("eval.max_steps=100", true, true, false);
  same("model.n_action_steps=5", true, true, false); /* arms that only act differently share their weights */
  same("model.num_steps=3", true, true, false);
  same("train.seed=5", true, false, false);
  same("train.shards=4", true, false, false);
  same("model.freeze=vlm", true, false, false);
  same("train.loss=2025", true, false, false);
  same("train.loss=spring2026", true, false, false);
  same("train.time_sampling=ratio", true, false, false);
  same("model.chunk_size=30", true, false, false);
  same("model.attention=self", true, false, false);
  same("demos.seed=5", false, false, false);
  same("demos.per_task=3", false, false, false);
  same("demos.noise=0.1", false, false, false);
  same("demos.variety=1", false, false, false);
  same("demos.noise=0", true, true, true);
  same("train.per_suite=true", true, true, true); /* of one suite: the same policy */
}

static const vlb_cell *cell_of(const vlb_plan *p, int arm, int eval) { return &p->cells[p->arms[arm].eval[eval].cell]; }

/* demonstrations suite by suite, shared by the arms; one policy of all of them; every suite rolled out by itself */
static void several_suites(void **state) {
  (void)state;
  vlb_ablation *a = attention();
  vlb_error err = {VLB_OK, ""};
  for (int i = 0; i < a->arm_count; i++)
    if (vlb_settings_set(&a->arms[i].settings, "demos.suite=libero", &err) || vlb_settings_set(&a->arms[i].settings, "eval.suite=goal,spatial", &err))
      fail_msg("%s", err.message);
  vlb_plan plan = plan_of(a);
  assert_int_equal(plan.count, 4 + 3 * (1 + 2) + 2);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(plan.arms[i].count, 2);
    assert_string_equal(plan.arms[i].eval[0].name, "goal");
    assert_string_equal(cell_of(&plan, i, 1)->settings.eval.suite.s, "spatial");
    assert_int_equal(cell_of(&plan, i, 0)->parents[0], cell_of(&plan, i, 1)->parents[0]);
    const vlb_cell *train = &plan.cells[cell_of(&plan, i, 0)->parents[0]];
    assert_int_equal(train->parent_count, 4);
    for (int k = 0; k < 4; k++) assert_int_equal(train->parents[k], k);
  }
  assert_string_equal(plan.cells[3].label, "demos long");
  assert_string_equal(cell_of(&plan, 0, 0)->label, "eval cross on goal");
  vlb_plan_free(&plan);
  free(a);
}

/* a suite's demonstrations and rollouts are the same cells alone and among others; the training is another */
static void suites_alone_and_together(void **state) {
  (void)state;
  same("eval.suite=spatial,goal", true, true, true);
  vlb_ablation *a = attention();
  vlb_error err = {VLB_OK, ""};
  a->arm_count = 1, a->contrast_count = 0, a->floor = -1;
  vlb_plan one = plan_of(a);
  assert_int_equal(vlb_settings_set(&a->arms[0].settings, "demos.suite=spatial,goal", &err), VLB_OK);
  vlb_plan two = plan_of(a);
  assert_string_equal(one.cells[0].name, two.cells[0].name);
  assert_string_not_equal(one.cells[1].name, two.cells[2].name);
  vlb_plan_free(&one);
  vlb_plan_free(&two);
  free(a);
}

/* seed s of n is the training with that seed alone */
static void several_trainings(void **state) {
  (void)state;
  vlb_ablation *a = attention();
  vlb_error err = {VLB_OK, ""};
  a->arm_count = 1, a->contrast_count = 0, a->floor = 0;
  assert_int_equal(vlb_settings_set(&a->arms[0].settings, "train.seeds=3", &err), VLB_OK);
  vlb_plan three = plan_of(a);
  assert_int_equal(three.count, 1 + 3 * 2 + 1);
  assert_int_equal(three.floor.count, 1);
  a->floor = -1;
  assert_int_equal(vlb_settings_set(&a->arms[0].settings, "train.seeds=1", &err), VLB_OK);
  assert_int_equal(vlb_settings_set(&a->arms[0].settings, "train.seed=1002", &err), VLB_OK);
  vlb_plan alone = plan_of(a);
  assert_string_equal(cell_of(&alone, 0, 0)->name, cell_of(&three, 0, 2)->name);
  assert_int_equal(three.arms[0].eval[2].seed, 2);
  vlb_plan_free(&alone);
  vlb_plan_free(&three);
  free(a);
}

/* an arm that starts from a source trains after it; the source is one cell for all arms and is not rolled out */
static void sources(void **state) {
  (void)state;
  vlb_ablation *a = attention();
  a->arm_count = 2, a->contrast_count = 0, a->floor = -1;
  a->arms[1].settings = a->sources[0].settings = a->arms[0].settings;
  vlb_plan without = plan_of(a);
  vlb_error err = {VLB_OK, ""};
  assert_int_equal(without.count, 3);
  a->source_count = 1;
  snprintf(a->sources[0].name, sizeof a->sources[0].name, "before");
  assert_int_equal(vlb_settings_set(&a->sources[0].settings, "demos.suite=goal", &err), VLB_OK);
  a->arms[0].init = 0;
  vlb_plan plan = plan_of(a);
  assert_int_equal(plan.count, 7);
  const vlb_cell *train = &plan.cells[cell_of(&plan, 0, 0)->parents[0]], *source = &plan.cells[train->parents[1]];
  assert_int_equal(train->parent_count, 2);
  assert_true(train->initialised && !source->initialised);
  assert_string_equal(source->label, "train before");
  assert_true(source < train && plan.cells[source->parents[0]].kind == VLB_CELL_DEMOS);
  assert_string_equal(cell_of(&plan, 1, 0)->name, cell_of(&without, 1, 0)->name);
  assert_string_not_equal(cell_of(&plan, 0, 0)->name, cell_of(&without, 0, 0)->name);
  vlb_plan_free(&plan);
  vlb_plan_free(&without);
  free(a);
}

/* Without a clock nothing of it is in a name, whatever is said beside it; with one, what it uses is. */
static void clocks(void **state) {
  (void)state;
  static const char *const idle[] = {"eval.threshold=0.9", "eval.similarity=3", "eval.rtc_horizon=4", "eval.control=sync", "eval.latency_spread=0.7"};
  names plain = names_after(NULL);
  for (int i = 0; i < 5; i++) {
    names other = names_after(idle[i]);
    assert_string_equal(other.eval, plain.eval);
  }
  static const char *const told[] = {"eval.latency=0.1", "eval.uplink=0.1", "eval.control=paper", "eval.control=lerobot", "eval.control=rtc", "eval.camera_period=0.1",
                                     "eval.control_every=2", "eval.fixed_time=10", "eval.trace_episodes=1"};
  enum { TOLD = sizeof told / sizeof *told };
  names n[TOLD];
  for (int i = 0; i < TOLD; i++) {
    n[i] = names_after(told[i]);
    assert_string_equal(n[i].train, n[0].train);
    assert_string_not_equal(n[i].eval, plain.eval);
    for (int k = 0; k < i; k++) assert_string_not_equal(n[i].eval, n[k].eval);
  }
  vlb_ablation *a = attention();
  vlb_error err = {VLB_OK, ""};
  a->arm_count = 3, a->contrast_count = 0, a->floor = -1;
  a->arms[1].settings = a->arms[2].settings = a->arms[0].settings;
  for (int i = 0; i < 3; i++) {
    assert_int_equal(vlb_settings_set(&a->arms[i].settings, i ? "eval.fixed_time=10" : "eval.latency=0.1", &err), VLB_OK);
  }
  assert_int_equal(vlb_settings_set(&a->arms[0].settings, "eval.put_back=2", &err), VLB_OK); /* of no use without fixed_time */
  assert_int_equal(vlb_settings_set(&a->arms[2].settings, "eval.put_back=2", &err), VLB_OK);
  vlb_plan plan = plan_of(a);
  assert_string_equal(cell_of(&plan, 0, 0)->name, n[0].eval);
  assert_string_equal(cell_of(&plan, 1, 0)->name, n[7].eval);
  assert_string_not_equal(cell_of(&plan, 2, 0)->name, n[7].eval);
  vlb_plan_free(&plan);
  free(a);
}

/* a policy per suite: each trained on its own demonstrations and rolled out on its own suite; the same cell as of that suite alone */
static void policy_per_suite(void **state) {
  (void)state;
  vlb_ablation *a = attention();
  vlb_error err = {VLB_OK, ""};
  a->arm_count = 1, a->contrast_count = 0, a->floor = -1;
  vlb_settings *s = &a->arms[0].settings;
  vlb_plan alone = plan_of(a);
  if (vlb_settings_set(s, "demos.suite=goal,spatial", &err) || vlb_settings_set(s, "eval.suite=spatial,goal", &err) ||
      vlb_settings_set(s, "train.per_suite=true", &err) || vlb_settings_fit(s, &err))
    fail_msg("%s", err.message);
  vlb_plan plan = plan_of(a);
  assert_int_equal(plan.count, 6);
  assert_string_equal(plan.cells[cell_of(&plan, 0, 0)->parents[0]].name, alone.cells[1].name);
  assert_string_equal(cell_of(&plan, 0, 0)->name, alone.cells[2].name);
  const vlb_cell *goal = &plan.cells[cell_of(&plan, 0, 1)->parents[0]];
  assert_string_equal(goal->label, "train cross on goal");
  assert_int_equal(goal->parent_count, 1);
  assert_string_equal(plan.cells[goal->parents[0]].label, "demos goal");
  assert_int_equal(vlb_settings_set(s, "eval.suite=spatial,object", &err), VLB_OK);
  assert_int_equal(vlb_settings_fit(s, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "no policy is trained for \"object\""));
  vlb_plan_free(&plan);
  vlb_plan_free(&alone);
  free(a);
}

static void lists_of_suites(void **state) {
  (void)state;
  vlb_suite_set set;
  vlb_error err = {VLB_OK, ""};
  assert_int_equal(vlb_suite_set_read("so100,libero", &set, &err), VLB_OK);
  assert_int_equal(set.count, 5);
  assert_string_equal(set.name[0], "so100");
  assert_string_equal(set.name[4], "long");
  assert_int_equal(vlb_suite_set_read("spatial,libero", &set, &err), VLB_USAGE);
  assert_string_equal(err.message, "suite \"spatial\" is named twice");
  assert_int_equal(vlb_suite_set_read("goal,,long", &set, &err), VLB_USAGE);
  assert_int_equal(vlb_suite_set_read("goal,", &set, &err), VLB_USAGE);
  assert_int_equal(vlb_suite_set_read("", &set, &err), VLB_USAGE);
  assert_int_equal(vlb_suite_set_read("a,b,c,d,e,f,g,h,i", &set, &err), VLB_USAGE);
}

static void same_instruction_twice(void **state) {
  (void)state;
  vlb_ablation *a = attention();
  vlb_plan plan;
  vlb_error err = {VLB_OK, ""};
  a->arm_count = 1, a->contrast_count = 0, a->floor = -1;
  assert_int_equal(vlb_settings_set(&a->arms[0].settings, "demos.suite=so101,so101_ood", &err), VLB_OK);
  assert_int_equal(vlb_settings_set(&a->arms[0].settings, "eval.suite=so101", &err), VLB_OK);
  assert_int_equal(vlb_plan_make(a, &plan, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "is a task of so101 and of so101_ood"));
  free(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(shared_and_ordered), cmocka_unit_test(precision_of_a_frozen_vlm_is_a_factor), cmocka_unit_test(names_follow_outcomes),
                                     cmocka_unit_test(several_suites), cmocka_unit_test(suites_alone_and_together),
                                     cmocka_unit_test(several_trainings), cmocka_unit_test(sources), cmocka_unit_test(policy_per_suite), cmocka_unit_test(clocks),
                                     cmocka_unit_test(lists_of_suites), cmocka_unit_test(same_instruction_twice)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
