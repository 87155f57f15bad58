/* The columns of a table: what the paper heads separately. A suite is one column; where its tasks have groups (Meta-World) each group is one, and
 * where they give partial credit (the SO arms) each task is. */
#ifndef VLB_REPORT_COLUMNS_H
#define VLB_REPORT_COLUMNS_H

#include "experiments/plan/ablation.h"
#include "sim/task/task.h"

enum { VLB_MAX_COLUMNS = 12 };

typedef struct {
  char suite[VLB_TEXT_SIZE]; /* as the ablation writes it */
  int first;                 /* its first column */
  int tasks;
  signed char column[VLB_MAX_TASKS]; /* of each task, counted from `first` */
  char task[VLB_MAX_TASKS][96];      /* names */
} vlb_column_suite;

typedef struct {
  char name[VLB_MAX_COLUMNS][32]; /* as in the paper's tables where it has them: "Spatial", "VeryHard" */
  int count;
  const char *kind; /* "suites", "groups", "tasks": what a mean over the columns is a mean of */
  bool credit;      /* some task gives partial credit: scores say more than successes */
  vlb_column_suite suite[VLB_MAX_COLUMNS];
  int suite_count;
} vlb_columns;

/* Of all arms together. Errors: a suite that cannot be opened; more than VLB_MAX_COLUMNS. */
vlb_code vlb_columns_of(const vlb_ablation *ablation, vlb_columns *columns, vlb_error *err);

/* The column of a suite's task; -1: none. */
int vlb_column_of(const vlb_columns *columns, const char *suite, int task);
const vlb_column_suite *vlb_columns_suite(const vlb_columns *columns, const char *suite); /* NULL: none */

#endif
