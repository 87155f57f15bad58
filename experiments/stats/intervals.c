#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stddef.h>

#include "experiments/stats/stats.h"

static double quantile(double level) { return gsl_cdf_ugaussian_Qinv((1 - level) / 2); }

vlb_interval vlb_wilson(int64_t k, int64_t n, double level) {
  double z = quantile(level), N = (double)n, p = (double)k / N;
  double middle = p + z * z / (2 * N), half = z * sqrt(p * (1 - p) / N + z * z / (4 * N * N)), scale = 1 + z * z / N;
  /* the ends are exact where rounding would leave 1e-17 */
  return (vlb_interval){k == 0 ? 0 : (middle - half) / scale, k == n ? 1 : (middle + half) / scale};
}

static vlb_interval clopper_pearson(int64_t k, int64_t n, double level) {
  double a = (1 - level) / 2, K = (double)k, N = (double)n;
  return (vlb_interval){k == 0 ? 0 : gsl_cdf_beta_Pinv(a, K, N - K + 1), k == n ? 1 : gsl_cdf_beta_Qinv(a, K + 1, N - K)};
}

static vlb_interval jeffreys(int64_t k, int64_t n, double level) {
  double a = (1 - level) / 2, K = (double)k + 0.5, rest = (double)(n - k) + 0.5;
  return (vlb_interval){k == 0 ? 0 : gsl_cdf_beta_Pinv(a, K, rest), k == n ? 1 : gsl_cdf_beta_Qinv(a, K, rest)};
}

static vlb_interval agresti_coull(int64_t k, int64_t n, double level) {
  double z = quantile(level), N = (double)n + z * z, p = ((double)k + z * z / 2) / N, half = z * sqrt(p * (1 - p) / N);
  return (vlb_interval){fmax(0, p - half), fmin(1, p + half)};
}

#define METHOD_WORD(id, word, name) word,
const char *const vlb_rate_method_words[] = {VLB_RATE_METHODS(METHOD_WORD) NULL};

const char *vlb_rate_method_name(vlb_rate_method method) {
#define METHOD_NAME(id, word, name) name,
  static const char *const names[] = {VLB_RATE_METHODS(METHOD_NAME)};
  return names[method];
}

vlb_interval vlb_rate_interval(vlb_rate_method method, int64_t k, int64_t n, double level) {
  static vlb_interval (*const methods[])(int64_t, int64_t, double) = {
      [VLB_WILSON] = vlb_wilson, [VLB_CLOPPER] = clopper_pearson, [VLB_JEFFREYS] = jeffreys, [VLB_AGRESTI] = agresti_coull};
  return methods[method](k, n, level);
}

vlb_interval vlb_newcombe(int64_t k1, int64_t n1, int64_t k2, int64_t n2, double level) {
  vlb_interval a = vlb_wilson(k1, n1, level), b = vlb_wilson(k2, n2, level);
  double p1 = (double)k1 / (double)n1, p2 = (double)k2 / (double)n2, d = p1 - p2;
  return (vlb_interval){d - hypot(p1 - a.lo, b.hi - p2), d + hypot(a.hi - p1, p2 - b.lo)};
}

int64_t vlb_pairs_total(const vlb_pairs *p) { return p->both + p->only_a + p->only_b + p->neither; }

/* Tango's score statistic for the hypothesis p_a - p_b = d; falls as d rises. The constrained estimate q of P(only b) solves
 * 2n q^2 + B q + C = 0. */
static double tango_score(const vlb_pairs *pairs, double d) {
  double n = (double)vlb_pairs_total(pairs), b = (double)pairs->only_a, c = (double)pairs->only_b;
  double B = -b - c + (2 * n - b + c) * d, C = -c * d * (1 - d);
  double root = sqrt(fmax(0, B * B - 8 * n * C));
  /* the same root of the quadratic, written so that nothing cancels */
  double q = B > 0 ? -2 * C / (B + root) : (root - B) / (4 * n);
  double variance = n * (2 * q + d * (1 - d)), numerator = b - c - n * d;
  if (variance <= 0) return numerator == 0 ? 0 : copysign(HUGE_VAL, numerator);
  return numerator / sqrt(variance);
}

/* Where the score equals `target`, between lo and hi; the score falls from lo to hi. */
static double solve(const vlb_pairs *pairs, double target, double lo, double hi) {
  for (int i = 0; i < 100; i++) {
    double middle = (lo + hi) / 2;
    if (tango_score(pairs, middle) > target)
      lo = middle;
    else
      hi = middle;
  }
  return (lo + hi) / 2;
}

vlb_interval vlb_tango(const vlb_pairs *pairs, double level) {
  double n = (double)vlb_pairs_total(pairs), d = (double)(pairs->only_a - pairs->only_b) / n, z = quantile(level);
  return (vlb_interval){d <= -1 ? -1 : solve(pairs, z, -1, d), d >= 1 ? 1 : solve(pairs, -z, d, 1)};
}
