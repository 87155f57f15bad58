#include "experiments/report/evidence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "experiments/report/published.h"
#include "experiments/store/episodes_csv.h"
#include "experiments/store/store.h"

static const double LEVEL = 0.95, ALPHA = 0.05;

static vlb_code read_arm(const vlb_plan *plan, int index, const char *root, vlb_arm_evidence *arm, vlb_error *err) {
  const vlb_cell *cell = &plan->cells[index];
  char folder[1024], csv[1024];
  vlb_stored state = vlb_store_state(root, cell->name, true, NULL);
  vlb_stored training = vlb_store_state(root, plan->cells[cell->parent].name, false, NULL);
  if (state == VLB_STORED_ABSENT && training == VLB_STORED_FAILED)
    snprintf(arm->why, sizeof arm->why, "training failed");
  else
    snprintf(arm->why, sizeof arm->why, "%s", vlb_stored_name(state));
  if (state != VLB_STORED_DONE) return VLB_OK;
  VLB_TRY(vlb_store_folder(root, cell->name, folder, err));
  VLB_TRY(vlb_path(csv, sizeof csv, err, "%s/episodes.csv", folder));
  VLB_TRY(vlb_episodes_csv_read(csv, &arm->rows, &arm->n, &arm->tasks, err));
  VLB_TRY(vlb_store_class(root, cell->name, &arm->class[0], err));
  /* the weights may have been deleted since; the episodes are still a fact */
  if (vlb_store_class(root, plan->cells[cell->parent].name, &arm->class[1], NULL)) arm->class[1] = (vlb_class){.isa = ""};
  for (int i = 0; i < arm->n; i++) {
    arm->successes += arm->rows[i].outcome == VLB_EPISODE_SUCCESS;
    arm->errors += arm->rows[i].outcome == VLB_EPISODE_SIM_ERROR || arm->rows[i].outcome == VLB_EPISODE_POLICY_ERROR;
  }
  arm->known = arm->n > 0;
  if (arm->known) arm->interval = vlb_wilson(arm->successes, arm->n, LEVEL);
  return VLB_OK;
}

/* Pairs by (task, episode): both tables are in that order and were checked to share their episodes when the ablation was read. */
static vlb_code compare(vlb_contrast_evidence *c, vlb_error *err) {
  const vlb_arm_evidence *a = c->a, *b = c->b;
  c->known = a->known && b->known;
  if (!c->known) return VLB_OK;
  for (int i = 0; i < a->n; i++) {
    if (a->n != b->n || a->rows[i].task != b->rows[i].task || a->rows[i].episode != b->rows[i].episode)
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
    for (int i = 0; i < e->ablation->arm_count && !e->mixed; i++) {
      const vlb_class *here = &e->arms[i].class[kind];
      if (!e->arms[i].known || !here->isa[0]) continue;
      if (first) e->mixed = vlb_class_difference(first, here);
      if (!first) first = here;
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
    VLB_TRY(read_arm(plan, plan->eval_of_arm[i], root, &e->arms[i], err));
    e->missing += !e->arms[i].known;
  }
  if (plan->floor >= 0) {
    e->has_floor = true;
    e->floor.name = e->floor.label = "untrained";
    VLB_TRY(read_arm(plan, plan->floor, root, &e->floor, err));
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
  for (int i = 0; i < VLB_MAX_ARMS; i++) free(e->arms[i].rows);
  free(e->floor.rows);
  memset(e, 0, sizeof *e);
}

double vlb_rate_percent(const vlb_arm_evidence *arm) { return 100.0 * arm->successes / arm->n; }

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

const char *vlb_verdict(const vlb_contrast_evidence *c, char *buf, size_t size) {
  if (!c->known)
    snprintf(buf, size, "no data");
  else if (!c->separable)
    snprintf(buf, size, "not separable");
  else
    snprintf(buf, size, "%s better", c->difference > 0 ? c->a->label : c->b->label);
  return buf;
}
