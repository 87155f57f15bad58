#include "experiments/report/columns.h"

#include <ctype.h>
#include <string.h>

#include "sim/rollout/suites.h"

/* What the paper calls what we call otherwise than by a capital letter. */
static const char *const paper_names[][2] = {{"very_hard", "VeryHard"},
                                             {"so100_pick_place", "PickPlace"},
                                             {"so100_stacking", "Stacking"},
                                             {"so100_sorting", "Sorting"},
                                             {"so101", "InDistribution"},
                                             {"so101_ood", "OutOfDistribution"},
                                             {"pick up the cube and place it in the box", "PickPlace"},
                                             {"pick up the red cube and put it on top of the blue cube", "Stacking"},
                                             {"put the red cube in the right box and the blue cube in the left box", "Sorting"}};

static void name_column(char out[32], const char *ours) {
  for (size_t i = 0; i < sizeof paper_names / sizeof *paper_names; i++)
    if (!strcmp(ours, paper_names[i][0])) {
      snprintf(out, 32, "%s", paper_names[i][1]);
      return;
    }
  const char *slash = strrchr(ours, '/');
  snprintf(out, 32, "%.31s", slash && slash[1] ? slash + 1 : ours);
  out[0] = (char)toupper((unsigned char)out[0]);
}

static int add_column(vlb_columns *c, const vlb_column_suite *s, const char *ours) {
  char name[32];
  name_column(name, ours);
  for (int i = s->first; i < c->count; i++)
    if (!strcmp(c->name[i], name)) return i;
  if (c->count == VLB_MAX_COLUMNS) return -1;
  memcpy(c->name[c->count], name, sizeof name);
  return c->count++;
}

static bool has_credit(const vlb_suite *suite) {
  for (int t = 0; t < suite->task_count; t++)
    if (suite->tasks[t].score_count) return true;
  return false;
}

/* Groups in the order of the paper's table, whatever order the tasks are in. */
static void add_groups(vlb_columns *c, const vlb_column_suite *s, const vlb_suite *suite) {
  static const char *const order[] = {"easy", "medium", "hard", "very_hard"};
  for (int i = 0; i < 4; i++)
    for (int t = 0; t < suite->task_count; t++)
      if (!strcmp(suite->tasks[t].group, order[i])) (void)add_column(c, s, order[i]);
}

static vlb_code add_suite(vlb_columns *c, const char *name, vlb_error *err) {
  if (vlb_columns_suite(c, name)) return VLB_OK;
  if (c->suite_count == VLB_MAX_COLUMNS) return vlb_fail(err, VLB_USAGE, "more than %d suites in one table", VLB_MAX_COLUMNS);
  vlb_suite *suite;
  VLB_TRY(vlb_suite_open(name, &suite, err));
  vlb_column_suite *s = &c->suite[c->suite_count++];
  *s = (vlb_column_suite){.first = c->count, .tasks = suite->task_count};
  snprintf(s->suite, sizeof s->suite, "%s", name);
  bool credit = has_credit(suite), by_task = credit && suite->task_count > 1;
  c->credit |= credit;
  add_groups(c, s, suite);
  vlb_code code = VLB_OK;
  for (int t = 0; t < suite->task_count; t++) {
    const vlb_task *task = &suite->tasks[t];
    int column = add_column(c, s, task->group[0] ? task->group : by_task ? task->instruction : name);
    if (column < 0) code = vlb_fail(err, VLB_USAGE, "%s: more than %d columns in one table", name, VLB_MAX_COLUMNS);
    s->column[t] = (signed char)(column - s->first);
    memcpy(s->task[t], task->name, sizeof s->task[t]);
    c->kind = task->group[0] ? "groups" : by_task ? "tasks" : "suites";
  }
  vlb_suite_free(suite);
  return code;
}

vlb_code vlb_columns_of(const vlb_ablation *a, vlb_columns *columns, vlb_error *err) {
  memset(columns, 0, sizeof *columns);
  columns->kind = "suites";
  for (int i = 0; i < a->arm_count; i++) {
    vlb_suite_set set;
    VLB_TRY(vlb_suite_set_read(a->arms[i].settings.eval.suite.s, &set, err));
    for (int k = 0; k < set.count; k++) VLB_TRY(add_suite(columns, set.name[k], err));
  }
  return VLB_OK;
}

const vlb_column_suite *vlb_columns_suite(const vlb_columns *c, const char *suite) {
  for (int i = 0; i < c->suite_count; i++)
    if (!strcmp(c->suite[i].suite, suite)) return &c->suite[i];
  return NULL;
}

int vlb_column_of(const vlb_columns *c, const char *suite, int task) {
  const vlb_column_suite *s = vlb_columns_suite(c, suite);
  return s && task >= 0 && task < s->tasks ? s->first + s->column[task] : -1;
}
