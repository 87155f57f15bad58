/* What the stored episodes say about an ablation: rates, contrasts, verdicts. Everything a table or plot shows comes from here. */
#ifndef VLB_REPORT_EVIDENCE_H
#define VLB_REPORT_EVIDENCE_H

#include "experiments/plan/cells.h"
#include "experiments/report/columns.h"
#include "experiments/stats/training.h"
#include "experiments/store/class.h"
#include "sim/rollout/rollout.h"

/* One rollout cell of an arm: the episodes of one suite under one training seed. */
typedef struct {
  const char *suite;         /* as the ablation names it */
  int suite_index, seed;     /* 0, 1, ... each */
  int first, n;              /* its rows of the arm */
  int first_task, tasks;     /* its tasks among the arm's: tasks are numbered over all suites */
  vlb_class class[2];        /* of its eval cell and of its train cell; empty texts: unknown */
} vlb_part_evidence;

/* One arm, or the untrained floor. */
typedef struct {
  const char *name, *label;
  bool known;                /* every cell of it is done and sound */
  char why[48];              /* state of its cells; of its training when that is what is missing */
  int64_t eval_seed;         /* of the initial states: arms with the same one and the same suites share their episodes */
  vlb_part_evidence *parts;  /* [part_count], training seed by training seed, each suite by suite */
  int part_count, suites, seeds;
  vlb_episode_result *rows;  /* [n] of all parts in their order, each in (task, episode) order; task counts over the suites */
  int n, tasks, successes;
  int errors;                /* simulator and policy errors; counted in n, never as successes */
  vlb_stratum column[VLB_MAX_COLUMNS];       /* n = 0: not rolled out there */
  double column_score[VLB_MAX_COLUMNS];      /* mean score, 0 to 1 */
  vlb_interval column_interval[VLB_MAX_COLUMNS];
  vlb_estimate mean;         /* success, mean of the columns, each with equal weight */
  vlb_estimate over_tasks;   /* the same, every episode with equal weight */
  double score;              /* mean score of the columns */
  vlb_training training;     /* over training seeds; estimated = false below three */
  double paper[VLB_MAX_COLUMNS], paper_mean; /* the paper's numbers in percent; NAN: none */
  char letters[VLB_LETTERS_SIZE];
} vlb_arm_evidence;

typedef struct {
  const vlb_arm_evidence *a, *b;
  bool known;
  bool paired;              /* the same episodes: Tango and McNemar; otherwise Newcombe and Boschloo */
  vlb_pairs pairs;          /* over all columns, when paired */
  vlb_estimate difference;  /* mean a - mean b, 95 % */
  double p, p_holm;         /* two-sided; Holm over all declared contrasts */
  bool separable;           /* p_holm < 0.05 */
  vlb_t_result trainings;   /* the difference over training seeds, seed by seed; n < VLB_LEAST_SEEDS: not estimated */
} vlb_contrast_evidence;

typedef struct {
  const vlb_ablation *ablation;
  vlb_rate_method method; /* of the intervals of rates */
  vlb_columns columns;
  vlb_arm_evidence arms[VLB_MAX_ARMS], floor;
  bool has_floor;
  vlb_contrast_evidence contrasts[VLB_MAX_CONTRASTS];
  bool letters;                   /* every pair of arms was declared, so letters say what they usually say */
  int missing;                    /* arms without data */
  const vlb_class_field *mixed;   /* a field of the reproducibility class that differs between cells; NULL: one class */
  char paper_title[256], paper_confidence[256];
} vlb_evidence;

/* Reads the plan's eval cells from root. A missing or unsound cell is evidence too: known = false. Caller frees with vlb_evidence_free;
 * ablation and plan must outlive it. */
vlb_code vlb_evidence_gather(const vlb_ablation *ablation, const vlb_plan *plan, const char *root, vlb_rate_method method, vlb_evidence *e,
                             vlb_error *err);
void vlb_evidence_free(vlb_evidence *e);

/* Arm i of arm_count, then the floor where there is one. */
int vlb_evidence_rows(const vlb_evidence *e);
const vlb_arm_evidence *vlb_evidence_row(const vlb_evidence *e, int i);
bool vlb_unequal_weights(const vlb_evidence *e); /* columns of unequal size: the mean over tasks is another number */

bool vlb_trainings_estimated(const vlb_evidence *e); /* some arm has enough training seeds */

/* Successes of a task (numbered over the suites), over all training seeds. */
int vlb_task_successes(const vlb_arm_evidence *arm, int task, int *episodes);
/* Name of that task and the suite it is in. */
const char *vlb_task_name(const vlb_evidence *e, const vlb_arm_evidence *arm, int task, const char **suite);

#endif
