#include "experiments/report/compare.h"

#include <string.h>

static const double LEVEL = 0.95, ALPHA = 0.05;

static bool solved(const vlb_episode_result *row) { return row->outcome == VLB_EPISODE_SUCCESS; }

/* By (training seed, suite, task, episode): rows are in that order. */
static bool same_episodes(const vlb_arm_evidence *a, const vlb_arm_evidence *b) {
  if (a->n != b->n || a->seeds != b->seeds || a->part_count != b->part_count || a->eval_seed != b->eval_seed) return false;
  for (int i = 0; i < a->part_count; i++)
    if (strcmp(a->parts[i].suite, b->parts[i].suite) || a->parts[i].n != b->parts[i].n) return false;
  for (int i = 0; i < a->n; i++)
    if (a->rows[i].task != b->rows[i].task || a->rows[i].episode != b->rows[i].episode) return false;
  return true;
}

static void count_pairs(const vlb_columns *columns, const vlb_arm_evidence *a, const vlb_arm_evidence *b, vlb_pairs *pairs) {
  for (int p = 0; p < a->part_count; p++) {
    const vlb_part_evidence *part = &a->parts[p];
    for (int i = part->first; i < part->first + part->n; i++) {
      vlb_pairs *into = &pairs[vlb_column_of(columns, part->suite, a->rows[i].task - part->first_task)];
      bool x = solved(&a->rows[i]), y = solved(&b->rows[i]);
      ++*(x ? (y ? &into->both : &into->only_a) : (y ? &into->only_b : &into->neither));
    }
  }
}

/* Columns that both arms have, moved together: their strata, pairs and weights. */
typedef struct {
  vlb_stratum a[VLB_MAX_COLUMNS], b[VLB_MAX_COLUMNS];
  vlb_pairs pairs[VLB_MAX_COLUMNS];
  double weights[VLB_MAX_COLUMNS];
  int count;
  bool even; /* every episode has the same weight */
} shared_columns;

static shared_columns share(const vlb_columns *columns, const vlb_arm_evidence *a, const vlb_arm_evidence *b, const vlb_pairs *pairs) {
  shared_columns s = {.even = true};
  int64_t n[VLB_MAX_COLUMNS];
  for (int i = 0; i < columns->count; i++) {
    if (!a->column[i].n || !b->column[i].n) continue;
    s.a[s.count] = a->column[i];
    s.b[s.count] = b->column[i];
    s.pairs[s.count] = pairs[i];
    n[s.count] = a->column[i].n;
    s.even &= a->column[i].n == s.a[0].n && b->column[i].n == s.b[0].n;
    s.count++;
  }
  vlb_weights(VLB_MEAN_OF_STRATA, n, s.count, s.weights);
  return s;
}

static void compare_pairs(const shared_columns *s, vlb_contrast_evidence *c) {
  for (int i = 0; i < s->count; i++) {
    c->pairs.both += s->pairs[i].both;
    c->pairs.only_a += s->pairs[i].only_a;
    c->pairs.only_b += s->pairs[i].only_b;
    c->pairs.neither += s->pairs[i].neither;
  }
  c->difference = vlb_stratified_paired(s->pairs, s->weights, s->count, LEVEL);
  c->p = vlb_stratified_mcnemar(s->pairs, s->weights, s->count);
}

static void compare_samples(const shared_columns *s, vlb_contrast_evidence *c) {
  vlb_stratum a = {0}, b = {0};
  for (int i = 0; i < s->count; i++) {
    a = (vlb_stratum){a.k + s->a[i].k, a.n + s->a[i].n};
    b = (vlb_stratum){b.k + s->b[i].k, b.n + s->b[i].n};
  }
  c->difference = vlb_stratified_difference(s->a, s->b, s->weights, s->count, LEVEL);
  c->p = s->even ? vlb_boschloo(a.k, a.n, b.k, b.n) : vlb_stratified_p(s->a, s->b, s->weights, s->count);
}

/* Success rate of each network, mean of the columns; those of one seed lie together. */
static void seed_rates(const vlb_columns *columns, const vlb_arm_evidence *arm, double *rates) {
  for (int s = 0; s < arm->seeds; s++) {
    vlb_stratum column[VLB_MAX_COLUMNS] = {{0}};
    int count = 0;
    rates[s] = 0;
    for (int p = 0; p < arm->part_count; p++) {
      const vlb_part_evidence *part = &arm->parts[p];
      for (int i = part->first; part->seed == s && i < part->first + part->n; i++) {
        vlb_stratum *into = &column[vlb_column_of(columns, part->suite, arm->rows[i].task - part->first_task)];
        into->n++;
        into->k += solved(&arm->rows[i]);
      }
    }
    for (int i = 0; i < columns->count; i++) count += column[i].n > 0;
    for (int i = 0; i < columns->count; i++)
      if (column[i].n) rates[s] += (double)column[i].k / (double)column[i].n / count;
  }
}

static void compare_trainings(const vlb_columns *columns, vlb_contrast_evidence *c) {
  double a[VLB_MAX_ARM_EVALS], b[VLB_MAX_ARM_EVALS];
  if (c->a->seeds != c->b->seeds || c->a->seeds < VLB_LEAST_SEEDS) return;
  seed_rates(columns, c->a, a);
  seed_rates(columns, c->b, b);
  c->trainings = vlb_training_difference(a, b, c->a->seeds, LEVEL);
}

void vlb_compare(const vlb_columns *columns, const vlb_arm_evidence *a, const vlb_arm_evidence *b, vlb_contrast_evidence *c) {
  vlb_pairs pairs[VLB_MAX_COLUMNS] = {{0}};
  *c = (vlb_contrast_evidence){.a = a, .b = b, .p = 1, .p_holm = 1};
  if (!a->known || !b->known) return;
  c->paired = same_episodes(a, b);
  if (c->paired) count_pairs(columns, a, b, pairs);
  shared_columns s = share(columns, a, b, pairs);
  c->known = s.count > 0;
  if (!c->known) return;
  (c->paired ? compare_pairs : compare_samples)(&s, c);
  compare_trainings(columns, c);
}

/* Holm over the declared contrasts. One without data keeps its place in the family with p = 1, so that a result never looks stronger for
 * being incomplete. */
static void adjust(vlb_evidence *e) {
  double p[VLB_MAX_CONTRASTS] = {0}, adjusted[VLB_MAX_CONTRASTS];
  int n = e->ablation->contrast_count;
  for (int i = 0; i < n; i++) p[i] = e->contrasts[i].p;
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
  e->letters = n > 1 && n <= VLB_MAX_LETTER_ARMS && declared == n * (n - 1) / 2 && e->missing == 0;
  if (!e->letters) return;
  vlb_letters(n, separable, letters);
  for (int i = 0; i < n; i++) memcpy(e->arms[i].letters, letters[i], VLB_LETTERS_SIZE);
}

void vlb_compare_all(vlb_evidence *e) {
  for (int i = 0; i < e->ablation->contrast_count; i++) {
    const vlb_contrast *declared = &e->ablation->contrasts[i];
    vlb_compare(&e->columns, &e->arms[declared->a], &e->arms[declared->b], &e->contrasts[i]);
  }
  adjust(e);
  assign_letters(e);
}

const char *vlb_verdict(const vlb_contrast_evidence *c, char *buf, size_t size) {
  if (!c->known)
    snprintf(buf, size, "no data");
  else if (!c->separable)
    snprintf(buf, size, "not separable");
  else
    snprintf(buf, size, "%s better", c->difference.estimate > 0 ? c->a->label : c->b->label);
  return buf;
}
