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
  assert_int_equal(plan.count, 3);
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
    assert_true(c->parent < i);
    if (c->kind != VLB_CELL_DEMOS) assert_int_equal(plan.cells[c->parent].kind, c->kind - 1);
    char hash[VLB_HASH_SIZE];
    vlb_hash(c->text, strlen(c->text), hash);
    assert_string_equal(hash, c->hash);
  }
  assert_int_equal(count[VLB_CELL_DEMOS], 1);
  assert_int_equal(count[VLB_CELL_TRAIN], 3);
  assert_int_equal(count[VLB_CELL_EVAL], 4);
  assert_true(plan.cells[plan.floor].untrained);
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
  same("eval.lanes=3", true, true, true);
  same("model.num_vlm_layers=0", true, true, true); /* all of text_layers, which is what the file says */
  same("eval.max_steps=280", true, true, true);      /* the suite's own limit */
  same("eval.seed=5", true, true, false);
  same("eval.max_steps=100", true, true, false);
  same("model.n_action_steps=5", true, true, false); /* arms that only act differently share their weights */
  same("model.num_steps=3", true, true, false);
  same("train.seed=5", true, false, false);
  same("train.shards=4", true, false, false);
  same("model.chunk_size=30", true, false, false);
  same("model.attention=self", true, false, false);
  same("demos.seed=5", false, false, false);
  same("demos.per_task=3", false, false, false);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(shared_and_ordered), cmocka_unit_test(names_follow_outcomes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
