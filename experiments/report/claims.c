#include "experiments/report/claims.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/embed.h"
#include "core/base/toml.h"
#include "experiments/report/clock.h"
#include "experiments/report/compare.h"
#include "experiments/report/published.h"

extern const vlb_embedded vlb_embedded_experiment_assets[];

static const double LEVEL = 0.95, ALPHA = 0.05;
static const char *const none = "";

const char *vlb_claim_verdict_name(const vlb_claim *claim, const vlb_claim_side *side) {
  static const char *const names[] = {[VLB_CLAIM_NOT_RUN] = "not run",
                                      [VLB_CLAIM_UNKNOWN] = "cannot be told",
                                      [VLB_CLAIM_NOT_SEPARABLE] = "not separable",
                                      [VLB_CLAIM_REPRODUCED] = "reproduced",
                                      [VLB_CLAIM_CONTRADICTED] = "contradicted"};
  return side == &claim->paper && side->verdict == VLB_CLAIM_REPRODUCED ? "supported" : names[side->verdict];
}

/* --- reading the list --- */

static vlb_code read_text(const vlb_toml *row, const char *key, bool needed, char *out, size_t size, vlb_error *err) {
  const vlb_toml *node = vlb_toml_get(row, key);
  if (!node && !needed) return VLB_OK;
  if (!node || vlb_toml_kind_of(node) != VLB_TOML_TEXT) return vlb_toml_fail(node ? node : row, err, "a claim needs a text '%s'", key);
  if (strlen(vlb_toml_text(node)) >= size) return vlb_toml_fail(node, err, "longer than %zu characters", size - 1);
  snprintf(out, size, "%s", vlb_toml_text(node));
  return VLB_OK;
}

static vlb_code read_kind(const vlb_toml *row, vlb_claim *c, vlb_error *err) {
  static const char *const words[] = {[VLB_CLAIM_BETTER] = "better", [VLB_CLAIM_LESS] = "less", [VLB_CLAIM_NO_WORSE] = "no worse"};
  char says[16] = "";
  VLB_TRY(read_text(row, "says", true, says, sizeof says, err));
  for (int k = 0; k < 3; k++)
    if (!strcmp(says, words[k])) c->kind = (vlb_claim_kind)k;
  if (strcmp(says, words[c->kind])) return vlb_toml_fail(vlb_toml_get(row, "says"), err, "says = \"better\", \"less\" or \"no worse\"");
  const vlb_toml *margin = vlb_toml_get(row, "margin");
  if (margin) c->margin = vlb_toml_real(margin);
  return (c->kind == VLB_CLAIM_NO_WORSE) == (margin != NULL) ? VLB_OK : vlb_toml_fail(row, err, "'no worse' needs a margin, and nothing else has one");
}

static vlb_code read_claim(const vlb_toml *row, vlb_claim *c, vlb_error *err) {
  *c = (vlb_claim){.unit = "points", .ours = {.effect = {NAN, {NAN, NAN}}, .p = 1, .p_holm = 1, .method = none}};
  VLB_TRY(read_text(row, "id", true, c->id, sizeof c->id, err));
  VLB_TRY(read_text(row, "text", true, c->text, sizeof c->text, err));
  VLB_TRY(read_text(row, "note", false, c->note, sizeof c->note, err));
  VLB_TRY(read_text(row, "table", true, c->table, sizeof c->table, err));
  VLB_TRY(read_text(row, "a", true, c->a, sizeof c->a, err));
  VLB_TRY(read_text(row, "b", true, c->b, sizeof c->b, err));
  snprintf(c->ours_table, sizeof c->ours_table, "%s", c->table);
  VLB_TRY(read_text(row, "ours", false, c->ours_table, sizeof c->ours_table, err));
  return read_kind(row, c, err);
}

/* --- the paper's own numbers --- */

/* [[trials]] of a table, NULL: nothing is said about it. */
static const vlb_toml *trials_of(const vlb_toml *root, const char *table) {
  const vlb_toml *all = vlb_toml_get(root, "trials");
  for (int i = 0; i < vlb_toml_size(all); i++) {
    const vlb_toml *tables = vlb_toml_get(vlb_toml_at(all, i), "tables");
    for (int k = 0; k < vlb_toml_size(tables); k++)
      if (!strcmp(vlb_toml_text(vlb_toml_at(tables, k)), table)) return vlb_toml_at(all, i);
  }
  return NULL;
}

static vlb_code value(const vlb_published *p, const vlb_claim *c, const char *row, const vlb_toml *column, double *out, vlb_error *err) {
  return vlb_published_value(p, c->table, row, vlb_toml_text(column), out, err);
}

/* Percentages back into counts; pairing is not known, so the rows are independent samples. */
static vlb_code paper_rates(const vlb_published *p, const vlb_toml *trials, vlb_claim *c, vlb_error *err) {
  const vlb_toml *columns = vlb_toml_get(trials, "columns"), *episodes = vlb_toml_get(trials, "episodes");
  vlb_stratum a[VLB_MAX_COLUMNS], b[VLB_MAX_COLUMNS], all_a = {0}, all_b = {0};
  int64_t n[VLB_MAX_COLUMNS];
  double weights[VLB_MAX_COLUMNS];
  int count = vlb_toml_size(columns);
  bool even = true;
  for (int i = 0; i < count; i++) {
    double x, y;
    VLB_TRY(value(p, c, c->a, vlb_toml_at(columns, i), &x, err));
    VLB_TRY(value(p, c, c->b, vlb_toml_at(columns, i), &y, err));
    n[i] = vlb_toml_int(vlb_toml_at(episodes, i));
    even &= n[i] == n[0];
    a[i] = (vlb_stratum){llround(x * (double)n[i] / 100), n[i]};
    b[i] = (vlb_stratum){llround(y * (double)n[i] / 100), n[i]};
    all_a = (vlb_stratum){all_a.k + a[i].k, all_a.n + n[i]};
    all_b = (vlb_stratum){all_b.k + b[i].k, all_b.n + n[i]};
  }
  vlb_weights(VLB_MEAN_OF_STRATA, n, count, weights);
  vlb_estimate d = vlb_stratified_difference(a, b, weights, count, LEVEL);
  c->paper.effect = (vlb_estimate){100 * d.estimate, {100 * d.interval.lo, 100 * d.interval.hi}};
  c->paper.p = even ? vlb_boschloo(all_a.k, all_a.n, all_b.k, all_b.n) : vlb_stratified_p(a, b, weights, count);
  c->paper.method = even ? "Newcombe, Boschloo" : "Newcombe";
  snprintf(c->paper.from, sizeof c->paper.from, "%lld episodes", (long long)all_a.n);
  return VLB_OK;
}

/* Published means and standard deviations. */
static vlb_code paper_means(const vlb_published *p, const vlb_toml *trials, vlb_claim *c, vlb_error *err) {
  const vlb_toml *mean = vlb_toml_get(trials, "mean"), *deviation = vlb_toml_get(trials, "deviation");
  int n = (int)vlb_toml_int(vlb_toml_at(vlb_toml_get(trials, "episodes"), 0));
  double x, y, sx, sy;
  VLB_TRY(value(p, c, c->a, mean, &x, err));
  VLB_TRY(value(p, c, c->b, mean, &y, err));
  VLB_TRY(value(p, c, c->a, deviation, &sx, err));
  VLB_TRY(value(p, c, c->b, deviation, &sy, err));
  vlb_t_result r = vlb_welch(x, sx, n, y, sy, n, LEVEL);
  c->paper.effect = r.mean;
  c->paper.p = r.p;
  c->paper.method = "Welch";
  snprintf(c->paper.from, sizeof c->paper.from, "%d trials", n);
  return VLB_OK;
}

/* Tables of partial credit: only their averages can be compared, without an interval. */
static vlb_code paper_average(const vlb_published *p, vlb_claim *c, vlb_error *err) {
  double x, y;
  VLB_TRY(vlb_published_value(p, c->table, c->a, "Avg", &x, err));
  VLB_TRY(vlb_published_value(p, c->table, c->b, "Avg", &y, err));
  c->paper.effect = (vlb_estimate){x - y, {NAN, NAN}};
  snprintf(c->paper.from, sizeof c->paper.from, "scores, number of trials unknown");
  return VLB_OK;
}

static vlb_code judge_paper(const vlb_published *p, const vlb_toml *root, vlb_claim *c, vlb_error *err) {
  const vlb_toml *trials = trials_of(root, c->table), *unit = trials ? vlb_toml_get(trials, "unit") : NULL;
  c->paper = (vlb_claim_side){.verdict = VLB_CLAIM_UNKNOWN, .p = 1, .p_holm = 1, .method = none};
  if (unit) c->unit = !strcmp(vlb_toml_text(unit), "s") ? "s" : "cubes";
  if (!trials) return paper_average(p, c, err);
  return vlb_toml_get(trials, "mean") ? paper_means(p, trials, c, err) : paper_rates(p, trials, c, err);
}

static vlb_code read_list(const vlb_toml *root, vlb_claims *claims, vlb_error *err) {
  const vlb_toml *list = vlb_toml_get(root, "claim");
  vlb_published *p;
  if (vlb_toml_size(list) > VLB_MAX_CLAIMS) return vlb_toml_fail(list, err, "more than %d claims", VLB_MAX_CLAIMS);
  VLB_TRY(vlb_published_open(&p, err));
  vlb_code code = VLB_OK;
  for (int i = 0; !code && i < vlb_toml_size(list); i++) {
    const vlb_toml *row = vlb_toml_at(list, i);
    code = read_claim(row, &claims->claim[i], err);
    if (!code && judge_paper(p, root, &claims->claim[i], err)) code = vlb_fail_at(err, "%s:%d", vlb_toml_file(row), vlb_toml_line(row));
    claims->count = i + 1;
  }
  vlb_published_close(p);
  return code;
}

vlb_code vlb_claims_open(vlb_claims *claims, vlb_error *err) {
  vlb_toml *root;
  const vlb_embedded *e = vlb_embedded_experiment_assets;
  memset(claims, 0, sizeof *claims);
  while (e->path && strcmp(e->path, "paper/claims.toml")) e++;
  if (!e->path) return vlb_fail(err, VLB_FAILED, "this program was built without paper/claims.toml");
  VLB_TRY(vlb_toml_parse((const char *)e->data, e->path, &root, err));
  vlb_code code = read_list(root, claims, err);
  vlb_toml_free(root);
  return code;
}

/* --- ours --- */

/* The first known arm that stands for a row of the paper. */
static const vlb_arm_evidence *arm_of(const vlb_evidence *e, const char *row) {
  for (int i = 0; i < e->ablation->arm_count; i++)
    if (e->arms[i].known && !strcmp(e->ablation->arms[i].paper_row, row)) return &e->arms[i];
  return NULL;
}

static void compare_success(const vlb_evidence *e, const vlb_arm_evidence *a, const vlb_arm_evidence *b, vlb_claim_side *side) {
  vlb_contrast_evidence c;
  vlb_compare(&e->columns, a, b, &c);
  if (!c.known) return;
  side->effect = (vlb_estimate){100 * c.difference.estimate, {100 * c.difference.interval.lo, 100 * c.difference.interval.hi}};
  side->p = c.p;
  side->method = c.paired ? "Tango, McNemar" : "Newcombe, Boschloo";
  side->verdict = VLB_CLAIM_NOT_SEPARABLE;
}

static void compare_clocks(const vlb_clocks *c, const vlb_arm_evidence *a, const vlb_arm_evidence *b, vlb_claim_side *side) {
  for (int i = 0; i < c->e->ablation->contrast_count; i++) {
    const vlb_clock_contrast *k = &c->contrasts[i];
    bool turned = k->a->arm == b && k->b->arm == a;
    const vlb_t_result *t = c->fixed_time ? &k->cubes : &k->time;
    if (!k->known || (!turned && (k->a->arm != a || k->b->arm != b)) || isnan(t->p)) continue;
    vlb_estimate d = t->mean;
    side->effect = turned ? (vlb_estimate){-d.estimate, {-d.interval.hi, -d.interval.lo}} : d;
    side->p = t->p;
    side->method = "paired t";
    side->verdict = VLB_CLAIM_NOT_SEPARABLE;
  }
}

/* Only the ablation that counts in the claim's unit speaks: cubes are counted in a fixed time, seconds and successes are not. */
static bool speaks_about(const vlb_claim *c, const vlb_evidence *e, const vlb_clocks *clocks) {
  bool cubes = !strcmp(c->unit, "cubes"), seconds = !strcmp(c->unit, "s");
  if (strcmp(c->ours_table, e->ablation->paper_table) || cubes != clocks->fixed_time || (seconds && !clocks->any)) return false;
  return c->ours.verdict == VLB_CLAIM_NOT_RUN || (!c->ours.full && e->ablation->preset == VLB_PRESET_DEFAULT);
}

static void add(vlb_claims *claims, const vlb_evidence *e, const vlb_clocks *clocks) {
  for (int i = 0; i < claims->count; i++) {
    vlb_claim *c = &claims->claim[i];
    const vlb_arm_evidence *a = arm_of(e, c->a), *b = arm_of(e, c->b);
    if (!a || !b || !speaks_about(c, e, clocks)) continue;
    if (strcmp(c->unit, "points"))
      compare_clocks(clocks, a, b, &c->ours);
    else
      compare_success(e, a, b, &c->ours);
    if (c->ours.verdict == VLB_CLAIM_NOT_RUN) continue;
    c->ours.full = e->ablation->preset == VLB_PRESET_DEFAULT;
    snprintf(c->ours.from, sizeof c->ours.from, "%s%s", e->ablation->name, vlb_preset_suffix(e->ablation));
  }
}

vlb_code vlb_claims_add(vlb_claims *claims, const vlb_evidence *e, const vlb_plan *plan, const char *root, vlb_error *err) {
  vlb_clocks *clocks = malloc(sizeof *clocks);
  if (!clocks) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = vlb_clocks_gather(e, plan, root, clocks, err);
  if (!code) {
    add(claims, e, clocks);
    vlb_clocks_free(clocks);
  }
  free(clocks);
  return code;
}

/* --- verdicts --- */

static vlb_claim_verdict verdict_of(const vlb_claim *c, const vlb_claim_side *side) {
  double sign = c->kind == VLB_CLAIM_LESS ? -1 : 1;
  bool separable = side->p_holm < ALPHA;
  if (separable && sign * side->effect.estimate < 0) return VLB_CLAIM_CONTRADICTED;
  if (c->kind == VLB_CLAIM_NO_WORSE) return side->effect.interval.lo > -c->margin ? VLB_CLAIM_REPRODUCED : VLB_CLAIM_NOT_SEPARABLE;
  return separable ? VLB_CLAIM_REPRODUCED : VLB_CLAIM_NOT_SEPARABLE;
}

/* Holm over the claims of one table, as over the contrasts of one ablation file. */
static void judge_table(vlb_claims *claims, const char *table, vlb_claim_side *(*side)(vlb_claim *c)) {
  double p[VLB_MAX_CLAIMS] = {0}, adjusted[VLB_MAX_CLAIMS];
  vlb_claim *family[VLB_MAX_CLAIMS];
  int n = 0;
  for (int i = 0; i < claims->count; i++) {
    if (strcmp(claims->claim[i].table, table)) continue;
    family[n] = &claims->claim[i];
    p[n++] = side(&claims->claim[i])->p;
  }
  vlb_holm(p, n, adjusted);
  for (int i = 0; i < n; i++) {
    vlb_claim_side *s = side(family[i]);
    s->p_holm = adjusted[i];
    if (s->method[0]) s->verdict = verdict_of(family[i], s);
  }
}

static vlb_claim_side *paper_side(vlb_claim *c) { return &c->paper; }
static vlb_claim_side *our_side(vlb_claim *c) { return &c->ours; }

void vlb_claims_judge(vlb_claims *claims) {
  for (int i = 0; i < claims->count; i++) {
    judge_table(claims, claims->claim[i].table, paper_side);
    judge_table(claims, claims->claim[i].table, our_side);
  }
}
