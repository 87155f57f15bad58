#include "experiments/report/evidence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "experiments/report/published.h"
#include "experiments/store/episodes_csv.h"
#include "experiments/store/store.h"

static const double LEVEL = 0.95, ALPHA = 0.05;

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

static void count_arm(vlb_arm_evidence *arm) {
  for (int i = 0; i < arm->n; i++) {
    arm->successes += arm->rows[i].outcome == VLB_EPISODE_SUCCESS;
    arm->errors += arm->rows[i].outcome == VLB_EPISODE_SIM_ERROR || arm->rows[i].outcome == VLB_EPISODE_POLICY_ERROR;
  }
  arm->known = arm->n > 0;
  if (!arm->known) return;
  arm->interval = vlb_wilson(arm->successes, arm->n, LEVEL);
  for (int s = 0; s < arm->suites; s++) {
    int n, k = vlb_suite_successes(arm, s, &n);
    arm->rate += (double)k / n / arm->suites;
  }
}

/* All of an arm's cells, or why one of them is not there. */
static vlb_code read_arm(const vlb_plan *plan, const vlb_arm_evals *evals, const char *root, vlb_arm_evidence *arm, vlb_error *err) {
  arm->parts = calloc((size_t)evals->count, sizeof *arm->parts);
  if (!arm->parts) return vlb_fail(err, VLB_FAILED, "out of memory");
  for (int i = 0; i < evals->count; i++) {
    const vlb_cell *cell = &plan->cells[evals->eval[i].cell];
    vlb_stored state = vlb_store_state(root, cell->name, true, NULL);
    say_why(plan, cell, root, state, arm->why);
    if (state != VLB_STORED_DONE) return VLB_OK;
  }
  for (int i = 0; i < evals->count; i++) VLB_TRY(read_part(plan, &evals->eval[i], root, arm, err));
  arm->suites = evals->eval[evals->count - 1].suite + 1;
  arm->seeds = evals->eval[evals->count - 1].seed + 1;
  count_arm(arm);
  return VLB_OK;
}

/* Pairs by (training seed, suite, task, episode): both tables are in that order and were checked to share their episodes when the ablation was read. */
static vlb_code compare(vlb_contrast_evidence *c, vlb_error *err) {
  const vlb_arm_evidence *a = c->a, *b = c->b;
  c->known = a->known && b->known;
  if (!c->known) return VLB_OK;
  for (int i = 0; i < a->n; i++) {
    if (a->n != b->n || a->seeds != b->seeds || a->rows[i].task != b->rows[i].task || a->rows[i].episode != b->rows[i].episode)
      return vlb_fail(err, VLB_FAILED, "arms %s and %s do not hold the same episodes", a->name, b->name);
    bool sa = a->rows[i].outcome == VLB_EPISODE_SUCCESS, sb = b->rows[i].outcome == VLB_EPISODE_SUCCESS;
    ++*(sa ? (sb ? &c->pairs.both : &c->pairs.only_a) : (sb ? &c->pairs.only_b : &c->pairs.neither));
  }
  c->difference = (double)(c->pairs.only_a - c->pairs.only_b) / (double)vlb_pairs_total(&c->pairs);
  c->interval = vlb_tango(&c->pairs, LEVEL);
  c->p = vlb_mcnemar(c->pairs.only_a, c->pairs.only_b);
  return VLB_OK;
}

/* Holm over the declared contrasts. One without data keeps its place in the family with p = 1, so that a result never looks stronger for
 * being incomplete. */
static void adjust(vlb_evidence *e) {
  double p[VLB_MAX_CONTRASTS] = {0}, adjusted[VLB_MAX_CONTRASTS];
  int n = e->ablation->contrast_count;
  for (int i = 0; i < n; i++) p[i] = e->contrasts[i].known ? e->contrasts[i].p : 1;
  vlb_holm(p, n, adjusted);
  for (int i = 0; i < n; i++) {
    e->contrasts[i].p_holm = adjusted[i];
    e->contrasts[i].separable = e->contrasts[i].known && adjusted[i] < ALPHA;
  }
}

static void assign_letters(vlb_evidence *e) {
  int n = e->ablation->arm_count, declared = 0;
  bool separable[VLB_MAX_ARMS * VLB_MAX_ARMS] = {false}, seen[VLB_MAX_ARMS * VLB_MAX_ARMS] = {false};
  char letters[VLB_MAX_ARMS][VLB_LETTERS_SIZE];
  for (int i = 0; i < e->ablation->contrast_count; i++) {
    int a = e->ablation->contrasts[i].a, b = e->ablation->contrasts[i].b;
    declared += !seen[a * n + b];
    seen[a * n + b] = seen[b * n + a] = true;
    separable[a * n + b] = separable[b * n + a] = e->contrasts[i].separable;
  }
  e->letters = n > 1 && declared == n * (n - 1) / 2 && e->missing == 0;
  if (!e->letters) return;
  vlb_letters(n, separable, letters);
  for (int i = 0; i < n; i++) memcpy(e->arms[i].letters, letters[i], VLB_LETTERS_SIZE);
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

static vlb_code read_paper(vlb_evidence *e, vlb_error *err) {
  const vlb_ablation *a = e->ablation;
  for (int i = 0; i < a->arm_count; i++) e->arms[i].paper = NAN;
  e->floor.paper = NAN;
  if (!a->paper_table[0]) return VLB_OK;
  vlb_published *p;
  VLB_TRY(vlb_published_open(&p, err));
  snprintf(e->paper_title, sizeof e->paper_title, "%s", vlb_published_title(p, a->paper_table));
  snprintf(e->paper_confidence, sizeof e->paper_confidence, "%s", vlb_published_confidence(p, a->paper_table));
  vlb_code code = VLB_OK;
  for (int i = 0; !code && i < a->arm_count; i++)
    if (a->arms[i].paper_row[0]) code = vlb_published_value(p, a->paper_table, a->arms[i].paper_row, a->paper_column, &e->arms[i].paper, err);
  vlb_published_close(p);
  return code;
}

static vlb_code gather(const vlb_plan *plan, const char *root, vlb_evidence *e, vlb_error *err) {
  const vlb_ablation *a = e->ablation;
  for (int i = 0; i < a->arm_count; i++) {
    e->arms[i].name = a->arms[i].name;
    e->arms[i].label = a->arms[i].label;
    VLB_TRY(read_arm(plan, &plan->arms[i], root, &e->arms[i], err));
    e->missing += !e->arms[i].known;
  }
  if (plan->floor.count) {
    e->has_floor = true;
    e->floor.name = e->floor.label = "untrained";
    VLB_TRY(read_arm(plan, &plan->floor, root, &e->floor, err));
  }
  for (int i = 0; i < a->contrast_count; i++) {
    e->contrasts[i] = (vlb_contrast_evidence){.a = &e->arms[a->contrasts[i].a], .b = &e->arms[a->contrasts[i].b]};
    VLB_TRY(compare(&e->contrasts[i], err));
  }
  adjust(e);
  assign_letters(e);
  check_classes(e);
  return read_paper(e, err);
}

vlb_code vlb_evidence_gather(const vlb_ablation *ablation, const vlb_plan *plan, const char *root, vlb_evidence *e, vlb_error *err) {
  memset(e, 0, sizeof *e);
  e->ablation = ablation;
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

double vlb_rate_percent(const vlb_arm_evidence *arm) { return 100.0 * arm->rate; }

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

int vlb_suite_successes(const vlb_arm_evidence *arm, int suite, int *episodes) {
  int k = 0;
  *episodes = 0;
  for (int i = 0; i < arm->part_count; i++) {
    const vlb_part_evidence *part = &arm->parts[i];
    if (part->suite_index != suite) continue;
    *episodes += part->n;
    for (int r = part->first; r < part->first + part->n; r++) k += arm->rows[r].outcome == VLB_EPISODE_SUCCESS;
  }
  return k;
}

const char *vlb_verdict(const vlb_contrast_evidence *c, char *buf, size_t size) {
  if (!c->known)
    snprintf(buf, size, "no data");
  else if (!c->separable)
    snprintf(buf, size, "not separable");
  else
    snprintf(buf, size, "%s better", c->difference > 0 ? c->a->label : c->b->label);
  return buf;
}
