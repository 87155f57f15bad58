#include "experiments/report/evidence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "experiments/report/compare.h"
#include "experiments/report/published.h"
#include "experiments/store/episodes_csv.h"
#include "experiments/store/store.h"

static const double LEVEL = 0.95;

/* Why an arm has no result: its rollouts, or the training that they wait for. */
static void say_why(const vlb_plan *plan, const vlb_cell *cell, const char *root, vlb_stored state, char why[48]) {
  vlb_stored training = vlb_store_state(root, plan->cells[cell->parents[0]].name, false, NULL);
  if (state == VLB_STORED_ABSENT && training == VLB_STORED_FAILED)
    snprintf(why, 48, "training failed");
  else
    snprintf(why, 48, "%s", vlb_stored_name(state));
}

/* Appends the episodes of a finished cell. */
static vlb_code read_part(const vlb_plan *plan, const vlb_arm_eval *eval, const char *root, vlb_arm_evidence *arm, vlb_error *err) {
  const vlb_cell *cell = &plan->cells[eval->cell];
  char folder[1024], csv[1024];
  vlb_episode_result *rows;
  /* suites are in order, and every seed has the same ones */
  const vlb_part_evidence *before = eval->suite ? &arm->parts[arm->part_count - 1] : NULL;
  vlb_part_evidence part = {.suite = eval->name, .suite_index = eval->suite, .seed = eval->seed, .first = arm->n};
  if (before) part.first_task = before->first_task + before->tasks;
  VLB_TRY(vlb_store_folder(root, cell->name, folder, err));
  VLB_TRY(vlb_path(csv, sizeof csv, err, "%s/episodes.csv", folder));
  VLB_TRY(vlb_store_class(root, cell->name, &part.class[0], err));
  /* the weights may have been deleted since; the episodes are still a fact */
  if (vlb_store_class(root, plan->cells[cell->parents[0]].name, &part.class[1], NULL)) part.class[1] = (vlb_class){.isa = ""};
  VLB_TRY(vlb_episodes_csv_read(csv, &rows, &part.n, &part.tasks, err));
  vlb_episode_result *all = realloc(arm->rows, (size_t)(arm->n + part.n + 1) * sizeof *all);
  if (all) {
    for (int i = 0; i < part.n; i++) rows[i].task += part.first_task;
    memcpy(all + arm->n, rows, (size_t)part.n * sizeof *all);
    arm->rows = all;
    arm->n += part.n;
  }
  free(rows);
  if (!all) return vlb_fail(err, VLB_FAILED, "out of memory");
  if (part.first_task + part.tasks > arm->tasks) arm->tasks = part.first_task + part.tasks;
  arm->parts[arm->part_count++] = part;
  return VLB_OK;
}

/* Fills the columns, in counts and mean scores. */
static void fill_columns(const vlb_columns *columns, vlb_arm_evidence *arm) {
  for (int p = 0; p < arm->part_count; p++) {
    const vlb_part_evidence *part = &arm->parts[p];
    for (int i = part->first; i < part->first + part->n; i++) {
      int c = vlb_column_of(columns, part->suite, arm->rows[i].task - part->first_task);
      arm->column[c].n++;
      arm->column[c].k += arm->rows[i].outcome == VLB_EPISODE_SUCCESS;
      arm->column_score[c] += arm->rows[i].score;
    }
  }
}

/* Means over the columns that the arm has. */
static void average(vlb_evidence *e, vlb_arm_evidence *arm) {
  vlb_stratum s[VLB_MAX_COLUMNS];
  int64_t n[VLB_MAX_COLUMNS];
  double weights[VLB_MAX_COLUMNS];
  int count = 0;
  for (int c = 0; c < e->columns.count; c++) {
    if (!arm->column[c].n) continue;
    arm->column_interval[c] = vlb_rate_interval(e->method, arm->column[c].k, arm->column[c].n, LEVEL);
    arm->column_score[c] /= (double)arm->column[c].n;
    arm->score += arm->column_score[c];
    n[count] = arm->column[c].n;
    s[count++] = arm->column[c];
  }
  arm->score /= count;
  vlb_weights(VLB_MEAN_OF_STRATA, n, count, weights);
  arm->mean = vlb_stratified_mean(s, weights, count, e->method, LEVEL);
  vlb_weights(VLB_MEAN_OF_EPISODES, n, count, weights);
  arm->over_tasks = vlb_stratified_mean(s, weights, count, e->method, LEVEL);
}

static vlb_code estimate_training(vlb_arm_evidence *arm, vlb_error *err) {
  double *success = malloc((size_t)arm->n * sizeof *success);
  if (!success) return vlb_fail(err, VLB_FAILED, "out of memory");
  for (int i = 0; i < arm->n; i++) success[i] = arm->rows[i].outcome == VLB_EPISODE_SUCCESS;
  arm->training = vlb_training_variance(success, arm->seeds, arm->n / arm->seeds, LEVEL);
  free(success);
  return VLB_OK;
}

static vlb_code count_arm(vlb_evidence *e, vlb_arm_evidence *arm, vlb_error *err) {
  for (int i = 0; i < arm->n; i++) {
    arm->successes += arm->rows[i].outcome == VLB_EPISODE_SUCCESS;
    arm->errors += arm->rows[i].outcome == VLB_EPISODE_SIM_ERROR || arm->rows[i].outcome == VLB_EPISODE_POLICY_ERROR;
  }
  arm->known = arm->n > 0;
  if (!arm->known) return VLB_OK;
  fill_columns(&e->columns, arm);
  average(e, arm);
  return estimate_training(arm, err);
}

static bool parts_fit(const vlb_columns *columns, const vlb_arm_evidence *arm) {
  for (int p = 0; p < arm->part_count; p++)
    if (vlb_column_of(columns, arm->parts[p].suite, arm->parts[p].tasks - 1) < 0) return false;
  return true;
}

/* All of an arm's cells, or why one of them is not there. */
static vlb_code read_arm(vlb_evidence *e, const vlb_plan *plan, const vlb_arm_evals *evals, const char *root, vlb_arm_evidence *arm, vlb_error *err) {
  arm->parts = calloc((size_t)evals->count, sizeof *arm->parts);
  if (!arm->parts) return vlb_fail(err, VLB_FAILED, "out of memory");
  for (int i = 0; i < evals->count; i++) {
    const vlb_cell *cell = &plan->cells[evals->eval[i].cell];
    vlb_stored state = vlb_store_state(root, cell->name, true, NULL);
    say_why(plan, cell, root, state, arm->why);
    if (state != VLB_STORED_DONE) return VLB_OK;
  }
  for (int i = 0; i < evals->count; i++) VLB_TRY(read_part(plan, &evals->eval[i], root, arm, err));
  if (!parts_fit(&e->columns, arm)) return vlb_fail(err, VLB_FAILED, "the episodes of arm '%s' are of other tasks than its suites have", arm->name);
  arm->suites = evals->eval[evals->count - 1].suite + 1;
  arm->seeds = evals->eval[evals->count - 1].seed + 1;
  return count_arm(e, arm, err);
}

/* Trainings among each other and evaluations among each other; a training cell that was deleted is not known to differ. */
static void check_classes(vlb_evidence *e) {
  for (int kind = 0; kind < 2; kind++) {
    const vlb_class *first = NULL;
    for (int i = 0; i < e->ablation->arm_count; i++)
      for (int k = 0; e->arms[i].known && k < e->arms[i].part_count && !e->mixed; k++) {
        const vlb_class *here = &e->arms[i].parts[k].class[kind];
        if (!here->isa[0]) continue;
        if (first) e->mixed = vlb_class_difference(first, here);
        else first = here;
      }
  }
}

/* The paper's row of an arm. Its column may be missing where ours is of another kind: then only that number is. */
static vlb_code read_row(const vlb_evidence *e, const vlb_published *p, const char *row, vlb_arm_evidence *arm, vlb_error *err) {
  const vlb_ablation *a = e->ablation;
  for (int c = 0; c < e->columns.count; c++)
    if (vlb_published_value(p, a->paper_table, row, e->columns.name[c], &arm->paper[c], NULL)) arm->paper[c] = NAN;
  return vlb_published_value(p, a->paper_table, row, a->paper_column, &arm->paper_mean, err);
}

static void forget_paper(vlb_arm_evidence *arm) {
  for (int c = 0; c < VLB_MAX_COLUMNS; c++) arm->paper[c] = NAN;
  arm->paper_mean = NAN;
}

static vlb_code read_paper(vlb_evidence *e, vlb_error *err) {
  const vlb_ablation *a = e->ablation;
  for (int i = 0; i < a->arm_count; i++) forget_paper(&e->arms[i]);
  forget_paper(&e->floor);
  if (!a->paper_table[0]) return VLB_OK;
  vlb_published *p;
  VLB_TRY(vlb_published_open(&p, err));
  snprintf(e->paper_title, sizeof e->paper_title, "%s", vlb_published_title(p, a->paper_table));
  snprintf(e->paper_confidence, sizeof e->paper_confidence, "%s", vlb_published_confidence(p, a->paper_table));
  vlb_code code = VLB_OK;
  for (int i = 0; !code && i < a->arm_count; i++)
    if (a->arms[i].paper_row[0]) code = read_row(e, p, a->arms[i].paper_row, &e->arms[i], err);
  vlb_published_close(p);
  return code;
}

static vlb_code gather(const vlb_plan *plan, const char *root, vlb_evidence *e, vlb_error *err) {
  const vlb_ablation *a = e->ablation;
  VLB_TRY(vlb_columns_of(a, &e->columns, err));
  for (int i = 0; i < a->arm_count; i++) {
    e->arms[i].name = a->arms[i].name;
    e->arms[i].label = a->arms[i].label;
    e->arms[i].eval_seed = a->arms[i].settings.eval.seed;
    VLB_TRY(read_arm(e, plan, &plan->arms[i], root, &e->arms[i], err));
    e->missing += !e->arms[i].known;
  }
  if (plan->floor.count) {
    e->has_floor = true;
    e->floor.name = e->floor.label = "untrained";
    e->floor.eval_seed = a->arms[a->floor].settings.eval.seed;
    VLB_TRY(read_arm(e, plan, &plan->floor, root, &e->floor, err));
  }
  vlb_compare_all(e);
  check_classes(e);
  return read_paper(e, err);
}

vlb_code vlb_evidence_gather(const vlb_ablation *ablation, const vlb_plan *plan, const char *root, vlb_rate_method method, vlb_evidence *e,
                             vlb_error *err) {
  memset(e, 0, sizeof *e);
  e->ablation = ablation;
  e->method = method;
  vlb_code code = gather(plan, root, e, err);
  if (code) vlb_evidence_free(e);
  return code;
}

void vlb_evidence_free(vlb_evidence *e) {
  for (int i = 0; i <= VLB_MAX_ARMS; i++) {
    vlb_arm_evidence *arm = i < VLB_MAX_ARMS ? &e->arms[i] : &e->floor;
    free(arm->rows);
    free(arm->parts);
  }
  memset(e, 0, sizeof *e);
}

int vlb_evidence_rows(const vlb_evidence *e) { return e->ablation->arm_count + e->has_floor; }

const vlb_arm_evidence *vlb_evidence_row(const vlb_evidence *e, int i) { return i < e->ablation->arm_count ? &e->arms[i] : &e->floor; }

bool vlb_unequal_weights(const vlb_evidence *e) {
  for (int i = 0; i < e->ablation->arm_count; i++)
    for (int c = 1; c < e->columns.count; c++)
      if (e->arms[i].known && e->arms[i].column[c].n != e->arms[i].column[0].n) return true;
  return false;
}

bool vlb_trainings_estimated(const vlb_evidence *e) {
  for (int i = 0; i < e->ablation->arm_count; i++)
    if (e->arms[i].training.estimated) return true;
  return false;
}

int vlb_task_successes(const vlb_arm_evidence *arm, int task, int *episodes) {
  int k = 0;
  *episodes = 0;
  for (int i = 0; i < arm->n; i++) {
    if (arm->rows[i].task != task) continue;
    ++*episodes;
    k += arm->rows[i].outcome == VLB_EPISODE_SUCCESS;
  }
  return k;
}

const char *vlb_task_name(const vlb_evidence *e, const vlb_arm_evidence *arm, int task, const char **suite) {
  for (int p = 0; p < arm->part_count; p++) {
    const vlb_part_evidence *part = &arm->parts[p];
    if (task < part->first_task || task >= part->first_task + part->tasks) continue;
    *suite = part->suite;
    return vlb_columns_suite(&e->columns, part->suite)->task[task - part->first_task];
  }
  *suite = "";
  return "";
}
