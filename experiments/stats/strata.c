#include "experiments/stats/strata.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdlib.h>

void vlb_weights(vlb_weighting weighting, const int64_t *n, int count, double *weights) {
  double total = 0;
  for (int i = 0; i < count; i++) total += (double)n[i];
  for (int i = 0; i < count; i++) weights[i] = weighting == VLB_MEAN_OF_STRATA ? 1.0 / count : (double)n[i] / total;
}

/* One more term w * x of a sum, x with its own interval; lo and hi hold squares until close_sum. */
static void add_term(vlb_estimate *sum, double w, double x, vlb_interval own) {
  sum->estimate += w * x;
  sum->interval.lo += w * w * (x - own.lo) * (x - own.lo);
  sum->interval.hi += w * w * (own.hi - x) * (own.hi - x);
}

static vlb_estimate close_sum(vlb_estimate sum) {
  return (vlb_estimate){sum.estimate, {sum.estimate - sqrt(sum.interval.lo), sum.estimate + sqrt(sum.interval.hi)}};
}

static double rate(vlb_stratum s) { return (double)s.k / (double)s.n; }

vlb_estimate vlb_stratified_mean(const vlb_stratum *s, const double *weights, int count, vlb_rate_method method, double level) {
  vlb_estimate sum = {0};
  for (int i = 0; i < count; i++) add_term(&sum, weights[i], rate(s[i]), vlb_rate_interval(method, s[i].k, s[i].n, level));
  return close_sum(sum);
}

vlb_estimate vlb_stratified_difference(const vlb_stratum *a, const vlb_stratum *b, const double *weights, int count, double level) {
  vlb_estimate sum = {0};
  for (int i = 0; i < count; i++)
    add_term(&sum, weights[i], rate(a[i]) - rate(b[i]), vlb_newcombe(a[i].k, a[i].n, b[i].k, b[i].n, level));
  return close_sum(sum);
}

vlb_estimate vlb_stratified_paired(const vlb_pairs *pairs, const double *weights, int count, double level) {
  vlb_estimate sum = {0};
  for (int i = 0; i < count; i++) {
    double d = (double)(pairs[i].only_a - pairs[i].only_b) / (double)vlb_pairs_total(&pairs[i]);
    add_term(&sum, weights[i], d, vlb_tango(&pairs[i], level));
  }
  return close_sum(sum);
}

double vlb_stratified_p(const vlb_stratum *a, const vlb_stratum *b, const double *weights, int count) {
  double lo = 0, hi = 1; /* of the level: at lo the interval excludes zero, at hi it does not */
  if (vlb_stratified_difference(a, b, weights, count, 0.5).estimate == 0) return 1;
  for (int i = 0; i < 60; i++) {
    double level = (lo + hi) / 2;
    vlb_estimate d = vlb_stratified_difference(a, b, weights, count, level);
    bool excludes = d.interval.lo > 0 || d.interval.hi < 0;
    *(excludes ? &lo : &hi) = level;
  }
  return 1 - lo;
}

/* A value of the statistic under the null and its chance. */
typedef struct {
  double value, chance;
} atom;

static int by_value(const void *a, const void *b) {
  double x = ((const atom *)a)->value, y = ((const atom *)b)->value;
  return (x > y) - (x < y);
}

/* The values are sums of weights over counts and at most 1: what differs on paper differs by far more than this. */
static const double EQUAL = 1e-9;

/* Joins values that are equal: without it every stratum would multiply the number of atoms. */
static size_t merge(atom *a, size_t n) {
  size_t kept = 0;
  qsort(a, n, sizeof *a, by_value);
  for (size_t i = 0; i < n; i++) {
    if (kept && a[i].value - a[kept - 1].value <= EQUAL)
      a[kept - 1].chance += a[i].chance;
    else
      a[kept++] = a[i];
  }
  return kept;
}

/* Adds step * (2 X - m), X ~ Binomial(m, 1/2), to the distribution. Returns the new one, NULL without memory; frees the old one. */
static atom *convolve(atom *old, size_t *n, int64_t m, double step) {
  atom *out = malloc(*n * (size_t)(m + 1) * sizeof *out);
  for (int64_t x = 0; out && x <= m; x++) {
    double chance = exp(gsl_sf_lnchoose((unsigned)m, (unsigned)x) - (double)m * M_LN2);
    for (size_t i = 0; i < *n; i++)
      out[(size_t)x * *n + i] = (atom){old[i].value + step * (double)(2 * x - m), old[i].chance * chance};
  }
  if (out) *n = merge(out, *n * (size_t)(m + 1));
  free(old);
  return out;
}

/* P(|value + step (2 X - m)| >= seen), X ~ Binomial(m, 1/2). */
static double tails(double value, int64_t m, double step, double seen) {
  double p = 0, middle = (double)m / 2;
  double above = ceil((seen - value) / (2 * step) + middle), below = floor((-seen - value) / (2 * step) + middle);
  if (above <= below + 0.5) return 1;
  if (above <= (double)m) p += above <= 0 ? 1 : gsl_cdf_binomial_Q((unsigned)above - 1, 0.5, (unsigned)m);
  if (below >= 0) p += gsl_cdf_binomial_P((unsigned)below, 0.5, (unsigned)m);
  return p;
}

static int64_t discordant(const vlb_pairs *p) { return p->only_a + p->only_b; }

double vlb_stratified_mcnemar(const vlb_pairs *pairs, const double *weights, int count) {
  double seen = 0, p = 0;
  int last = 0; /* the largest stratum is not spread out into atoms: its tails are binomial */
  size_t n = 1;
  for (int i = 0; i < count; i++) {
    seen += weights[i] * (double)(pairs[i].only_a - pairs[i].only_b) / (double)vlb_pairs_total(&pairs[i]);
    if (discordant(&pairs[i]) > discordant(&pairs[last])) last = i;
  }
  seen = fmax(0, fabs(seen) - EQUAL);
  if (seen == 0 || !discordant(&pairs[last])) return 1;
  atom *null = malloc(sizeof *null);
  if (null) *null = (atom){0, 1};
  for (int i = 0; null && i < count; i++)
    if (i != last) null = convolve(null, &n, discordant(&pairs[i]), weights[i] / (double)vlb_pairs_total(&pairs[i]));
  for (size_t i = 0; null && i < n; i++)
    p += null[i].chance * tails(null[i].value, discordant(&pairs[last]), weights[last] / (double)vlb_pairs_total(&pairs[last]), seen);
  bool made = null != NULL;
  free(null);
  return made ? fmin(1, p) : NAN;
}
