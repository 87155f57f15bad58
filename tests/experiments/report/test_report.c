/* From stored episodes to evidence, tables and plots, with results that are counted by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/base/file.h"
#include "experiments/report/compare.h"
#include "experiments/report/grid.h"
#include "experiments/report/plot.h"
#include "experiments/report/published.h"
#include "experiments/report/table.h"
#include "experiments/store/episodes_csv.h"
#include "study.h"

static const char root[] = "store";

static study open_study(void) { return study_open("attention", study_attention, VLB_PRESET_QUICK); }

/* Stores an eval cell whose episode i of 50 succeeds when success(i). */
static void store_cell(const vlb_cell *cell, bool (*success)(int i), const char *isa) {
  vlb_episode_result rows[50];
  for (int i = 0; i < 50; i++)
    rows[i] = (vlb_episode_result){.task = i / 5, .episode = i % 5, .outcome = success(i) ? VLB_EPISODE_SUCCESS : VLB_EPISODE_TIMEOUT,
                                   .score = success(i), .steps = 100 + i, .replans = 10, .state_hash = "0123456789abcdef"};
  rows[49].outcome = rows[49].outcome == VLB_EPISODE_SUCCESS ? VLB_EPISODE_SUCCESS : VLB_EPISODE_POLICY_ERROR;
  study_store(root, cell, rows, 50, isa);
}

static bool first_30(int i) { return i < 30; }
static bool first_10(int i) { return i < 10; }
static bool from_5_to_35(int i) { return i >= 5 && i < 35; }
static bool never(int i) { return i < 0; }

static void store_all(const study *s, const char *isa_of_last) {
  assert_int_equal(system("rm -rf store"), 0);
  store_cell(&s->plan.cells[s->plan.arms[0].eval[0].cell], first_30, "x");
  store_cell(&s->plan.cells[s->plan.arms[1].eval[0].cell], first_10, "x");
  store_cell(&s->plan.cells[s->plan.arms[2].eval[0].cell], from_5_to_35, isa_of_last);
  store_cell(&s->plan.cells[s->plan.floor.eval[0].cell], never, "x");
}

static vlb_evidence *gather(const study *s) { return study_gather(s, root); }

/* cross: 0-29, self: 0-9, interleaved: 5-34. Contrasts: interleaved - cross, interleaved - self, cross - self */
static void counts_by_hand(void **state) {
  (void)state;
  study s = open_study();
  store_all(&s, "x");
  vlb_evidence *e = gather(&s);
  assert_int_equal(e->arms[0].successes, 30);
  assert_int_equal(e->arms[1].successes, 10);
  assert_int_equal(e->arms[2].successes, 30);
  assert_int_equal(e->floor.successes, 0);
  assert_int_equal(e->floor.errors, 1);
  assert_int_equal(e->arms[0].tasks, 10);
  int n;
  assert_int_equal(vlb_task_successes(&e->arms[2], 1, &n), 5);
  assert_int_equal(n, 5);
  const vlb_contrast_evidence *c = e->contrasts;
  assert_int_equal(c[0].pairs.only_a, 5);
  assert_int_equal(c[0].pairs.only_b, 5);
  assert_int_equal(c[0].pairs.both, 25);
  assert_int_equal(c[0].pairs.neither, 15);
  assert_true(c[0].p == 1 && !c[0].separable);
  assert_int_equal(c[1].pairs.only_a, 25);
  assert_int_equal(c[1].pairs.only_b, 5);
  assert_int_equal(c[2].pairs.only_a, 20);
  assert_int_equal(c[2].pairs.only_b, 0);
  assert_true(fabs(c[2].p - ldexp(1, -19)) < 1e-12);
  assert_true(fabs(c[2].p_holm - 3 * ldexp(1, -19)) < 1e-12);
  assert_true(c[1].separable && c[2].separable);
  assert_true(e->letters);
  assert_string_equal(e->arms[0].letters, "a");
  assert_string_equal(e->arms[1].letters, "b");
  assert_string_equal(e->arms[2].letters, "a");
  assert_true(e->arms[0].paper_mean == 87 && e->arms[1].paper_mean == 80 && e->arms[2].paper_mean == 86);
  assert_null(e->mixed);
  study_drop(e);
  study_close(&s);
}

static char *written(const vlb_evidence *e, void (*write)(const vlb_evidence *e, FILE *out)) {
  char *text;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  write(e, out);
  fclose(out);
  return text;
}

static void expect(const vlb_evidence *e, void (*write)(const vlb_evidence *e, FILE *out), const char *const *parts) {
  char *text = written(e, write);
  for (int i = 0; parts[i]; i++)
    if (!strstr(text, parts[i])) fail_msg("'%s' is not in\n%s", parts[i], text);
  free(text);
}

/* two suites, two training seeds: 4 x 50 episodes per arm in one table, paired one by one; rates weigh the suites equally */
static void suites_and_seeds(void **state) {
  (void)state;
  study s = open_study();
  vlb_error err = {VLB_OK, ""};
  vlb_plan_free(&s.plan);
  for (int i = 0; i < 3; i++)
    if (vlb_settings_set(&s.ablation->arms[i].settings, "eval.suite=spatial,goal", &err) || vlb_settings_set(&s.ablation->arms[i].settings, "train.seeds=2", &err))
      fail_msg("%s", err.message);
  assert_int_equal(vlb_plan_make(s.ablation, &s.plan, &err), VLB_OK);
  assert_int_equal(system("rm -rf store"), 0);
  bool (*const outcome[2][4])(int i) = {{first_30, first_10, first_10, never}, {first_30, never, first_30, never}};
  for (int arm = 0; arm < 2; arm++)
    for (int k = 0; k < 4; k++) store_cell(&s.plan.cells[s.plan.arms[arm].eval[k].cell], outcome[arm][k], "x");
  vlb_evidence *e = gather(&s);
  const vlb_arm_evidence *cross = &e->arms[0], *self = &e->arms[1];
  assert_int_equal(cross->n, 200);
  assert_int_equal(cross->tasks, 20);
  assert_int_equal(cross->part_count, 4);
  assert_int_equal(cross->suites, 2);
  assert_int_equal(cross->seeds, 2);
  assert_string_equal(cross->parts[3].suite, "goal");
  assert_int_equal(cross->parts[3].seed, 1);
  assert_int_equal(cross->parts[3].first, 150);
  assert_int_equal(cross->parts[3].first_task, 10);
  int n;
  assert_string_equal(e->columns.name[0], "Spatial");
  assert_true(cross->column[0].k == 40 && cross->column[0].n == 100 && cross->column[1].k == 10 && cross->column[1].n == 100);
  assert_int_equal(vlb_task_successes(cross, 11, &n), 5);
  assert_int_equal(n, 10);
  assert_true(fabs(cross->mean.estimate - (0.4 + 0.1) / 2) < 1e-12 && fabs(self->mean.estimate - 0.6 / 2) < 1e-12);
  assert_false(cross->training.estimated);
  assert_false(e->arms[2].known || e->floor.known);
  assert_true(e->contrasts[2].known); /* cross - self */
  assert_int_equal(e->contrasts[2].pairs.both, 40);
  assert_int_equal(e->contrasts[2].pairs.only_a, 10);
  assert_int_equal(e->contrasts[2].pairs.only_b, 20);
  assert_int_equal(e->contrasts[2].pairs.neither, 130);
  expect(e, vlb_table_markdown, (const char *const[]){"Suites spatial,goal, 20 tasks x 5 episodes per arm and training", "2 training seeds (from 1000)", "Training variance is NOT estimated", NULL});
  study_drop(e);
  study_close(&s);
}

static void tables_say_it(void **state) {
  (void)state;
  study s = open_study();
  store_all(&s, "y");
  vlb_evidence *e = gather(&s);
  expect(e, vlb_table_markdown,
         (const char *const[]){"| Self-attention  |         20.0 (80) |  11.2 to 33.0 | 10/50 | b     |", "not separable", "<0.001",
                               "Cross-attention better", "micro scale, freezing = nothing", "MIXED: the cells were made under different isa",
                               "Training variance is NOT estimated", "Table 6", NULL});
  expect(e, vlb_table_latex, (const char *const[]){"\\toprule", "success \\%", "$<$0.001", "30/50", "\\bottomrule", NULL});
  expect(e, vlb_table_html, (const char *const[]){"<th class=\"r\">success % (paper)</th>", "&lt;0.001", "30/50", "</tbody></table>", NULL});
  expect(e, vlb_table_csv, (const char *const[]){"cross,Cross-attention,done,30,50,1,0.600000,", "untrained,untrained,done,0,50,1,0.000000,0.000000,", NULL});
  expect(e, vlb_columns_csv, (const char *const[]){"cross,Spatial,30,50,0.600000,", ",0.600000,87\n", NULL});
  expect(e, vlb_contrasts_csv, (const char *const[]){"interleaved,cross,shared,25,5,5,15,0,", "cross,self,shared,10,20,0,20,0.4,", NULL});
  expect(e, vlb_tasks_csv, (const char *const[]){"arm,suite,task,name,successes,episodes\ncross,spatial,0,pick_up_the_black_bowl", ",5,5\n", NULL});
  study_drop(e);
  study_close(&s);
}

/* a missing arm hides nothing else: its contrasts have no data, the others keep their place among three */
static void one_arm_missing(void **state) {
  (void)state;
  study s = open_study();
  store_all(&s, "x");
  char command[256];
  snprintf(command, sizeof command, "rm store/cells/%s/done", s.plan.cells[s.plan.arms[1].eval[0].cell].name);
  assert_int_equal(system(command), 0);
  vlb_evidence *e = gather(&s);
  assert_int_equal(e->missing, 1);
  assert_true(e->contrasts[0].known && !e->contrasts[1].known && !e->contrasts[2].known);
  assert_false(e->letters);
  expect(e, vlb_table_markdown, (const char *const[]){"INCOMPLETE: arm 'Self-attention'", "no data", "30/50", NULL});
  study_drop(e);
  study_close(&s);
}

static double by_arm(int arm, int suite, int seed) {
  (void)suite, (void)seed;
  return arm ? 0.8 : 0.6;
}

/* Meta-World's groups are columns; the embedded ones are of one size, so that the mean of the groups is also that over the tasks, and is not shown twice */
static void groups_are_columns(void **state) {
  (void)state;
  study s = study_open("groups", study_groups, VLB_PRESET_DEFAULT);
  assert_int_equal(system("rm -rf store"), 0);
  study_simulate(&s, root, by_arm);
  vlb_evidence *e = gather(&s);
  assert_int_equal(e->columns.count, 4);
  assert_string_equal(e->columns.kind, "groups");
  assert_string_equal(e->columns.name[3], "VeryHard");
  double mean = 0, tasks = 0;
  for (int c = 0; c < 4; c++) {
    mean += (double)e->arms[0].column[c].k / (double)e->arms[0].column[c].n / 4;
    tasks += (double)e->arms[0].column[c].k / e->arms[0].n;
  }
  assert_true(fabs(e->arms[0].mean.estimate - mean) < 1e-12 && fabs(e->arms[0].over_tasks.estimate - tasks) < 1e-12);
  assert_false(vlb_unequal_weights(e));
  expect(e, vlb_table_markdown, (const char *const[]){"| Easy | ", "Avg: mean of the 4 groups, each with weight 1/4", NULL});
  study_drop(e);
  study_close(&s);
}

/* arms that started from other states are independent samples, and the table says so */
static void independent_samples(void **state) {
  (void)state;
  study s = open_study();
  store_all(&s, "x");
  vlb_evidence *e = gather(&s);
  e->arms[0].eval_seed++;
  vlb_compare_all(e);
  const vlb_contrast_evidence *c = &e->contrasts[2]; /* cross - self: 30 and 10 of 50 */
  vlb_interval want = vlb_newcombe(30, 50, 10, 50, 0.95);
  assert_true(c->known && !c->paired && fabs(c->p - vlb_boschloo(30, 50, 10, 50)) < 1e-12);
  assert_true(fabs(c->difference.interval.lo - want.lo) < 1e-12 && fabs(c->difference.interval.hi - want.hi) < 1e-12);
  assert_true(e->contrasts[1].paired); /* interleaved - self still share theirs */
  expect(e, vlb_table_markdown, (const char *const[]){"independent", "2 contrasts are between arms that do not share their episodes", "shared", NULL});
  study_drop(e);
  study_close(&s);
}

static void csv_refuses_damage(void **state) {
  (void)state;
  static const char *const bad[] = {"", "hello\n", "task,name,episode,seed,outcome,score,steps,replans,state_hash\n0,a,0,1,won,0,5,1,00\n",
                                    "task,name,episode,seed,outcome,score,steps,replans,state_hash\n0,a,0,1,success,1,5,1,00"};
  for (int i = 0; i < 4; i++) {
    vlb_error err = {VLB_OK, ""};
    vlb_episode_result *rows;
    int n, tasks;
    assert_int_equal(vlb_file_write("bad.csv", bad[i], strlen(bad[i]), &err), VLB_OK);
    assert_int_equal(vlb_episodes_csv_read("bad.csv", &rows, &n, &tasks, &err), VLB_FAILED);
    assert_non_null(strstr(err.message, "bad.csv:"));
  }
}

static void grid_quotes(void **state) {
  (void)state;
  vlb_grid *g = vlb_grid_new("");
  char *text;
  size_t size;
  vlb_grid_set(g, 0, 0, "a,b");
  vlb_grid_set(g, 0, 1, "say \"x\"");
  vlb_grid_set(g, 1, 0, "50%% & _more_");
  FILE *out = open_memstream(&text, &size);
  vlb_grid_csv(g, out);
  vlb_grid_latex(g, out);
  fclose(out);
  assert_non_null(strstr(text, "\"a,b\",\"say \"\"x\"\"\"\n50% & _more_,\n"));
  assert_non_null(strstr(text, "50\\% \\& \\_more\\_ &  \\\\"));
  free(text);
  free(g);
}

/* every number of the paper that a table may be asked for is there; the averages are the means of their rows */
static void published_numbers(void **state) {
  (void)state;
  vlb_published *p;
  vlb_error err = {VLB_OK, ""};
  double value, sum = 0;
  assert_int_equal(vlb_published_open(&p, &err), VLB_OK);
  static const char *const suites[] = {"Spatial", "Object", "Goal", "Long"};
  for (int i = 0; i < 4; i++) {
    assert_int_equal(vlb_published_value(p, "table6_attention", "CA+SA interleaved (ours)", suites[i], &value, &err), VLB_OK);
    sum += value;
  }
  assert_int_equal(vlb_published_value(p, "table6_attention", "CA+SA interleaved (ours)", "Avg", &value, &err), VLB_OK);
  assert_true(fabs(sum / 4 - value) < 0.051);
  assert_int_equal(vlb_published_value(p, "table12_chunk", "10", "Spatial", &value, &err), VLB_OK);
  assert_true(value == 90);
  assert_int_equal(vlb_published_value(p, "table11_state", "Suffix, SA", "Spatial", &value, &err), VLB_OK);
  assert_true(value == 80);
  assert_int_equal(vlb_published_value(p, "table11_state", "Prefix, CA", "Spatial", &value, &err), VLB_OK);
  assert_true(value == 89);
  assert_int_equal(vlb_published_value(p, "table6_attention", "AC", "Spatial", &value, &err), VLB_USAGE);
  vlb_published_close(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(counts_by_hand), cmocka_unit_test(suites_and_seeds), cmocka_unit_test(tables_say_it),      cmocka_unit_test(one_arm_missing),
                                     cmocka_unit_test(csv_refuses_damage), cmocka_unit_test(grid_quotes),
                                     cmocka_unit_test(groups_are_columns), cmocka_unit_test(independent_samples),
                                     cmocka_unit_test(published_numbers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
