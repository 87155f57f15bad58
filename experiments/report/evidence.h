/* What the stored episodes say about an ablation: rates, paired contrasts, verdicts. Everything a table or plot shows comes from here. */
#ifndef VLB_REPORT_EVIDENCE_H
#define VLB_REPORT_EVIDENCE_H

#include "experiments/plan/cells.h"
#include "experiments/stats/stats.h"
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
  vlb_part_evidence *parts;  /* [part_count], training seed by training seed, each suite by suite */
  int part_count, suites, seeds;
  vlb_episode_result *rows;  /* [n] of all parts in their order, each in (task, episode) order; task counts over the suites */
  int n, tasks, successes;
  int errors;                /* simulator and policy errors; counted in n, never as successes */
  double rate;               /* mean of the suites, each with equal weight; with one suite successes / n */
  vlb_interval interval;     /* Wilson of the pooled episodes, 95 % */
  double paper;              /* the paper's number in percent; NAN: none */
  char letters[VLB_LETTERS_SIZE];
} vlb_arm_evidence;

typedef struct {
  const vlb_arm_evidence *a, *b;
  bool known;
  vlb_pairs pairs;
  double difference;        /* rate a - rate b */
  vlb_interval interval;    /* Tango, 95 % */
  double p, p_holm;         /* exact McNemar; Holm over all declared contrasts with data */
  bool separable;           /* p_holm < 0.05 */
} vlb_contrast_evidence;

typedef struct {
  const vlb_ablation *ablation;
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
vlb_code vlb_evidence_gather(const vlb_ablation *ablation, const vlb_plan *plan, const char *root, vlb_evidence *e, vlb_error *err);
void vlb_evidence_free(vlb_evidence *e);

/* Rate in percent; per task in [tasks]. */
double vlb_rate_percent(const vlb_arm_evidence *arm);
int vlb_task_successes(const vlb_arm_evidence *arm, int task, int *episodes);
/* Of one suite (index), over all training seeds. */
int vlb_suite_successes(const vlb_arm_evidence *arm, int suite, int *episodes);

/* "interleaved better", "not separable", "no data" */
const char *vlb_verdict(const vlb_contrast_evidence *c, char *buf, size_t size);

#endif
