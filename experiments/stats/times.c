#include "experiments/stats/times.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

static vlb_t_result from_error(double mean, double error, double freedom, int n, double level) {
  vlb_t_result r = {{mean, {-HUGE_VAL, HUGE_VAL}}, NAN, n};
  if (!(freedom > 0)) return r;
  double half = error * gsl_cdf_tdist_Qinv((1 - level) / 2, freedom);
  r.mean.interval = (vlb_interval){mean - half, mean + half};
  if (error > 0)
    r.p = 2 * gsl_cdf_tdist_Q(fabs(mean) / error, freedom);
  else if (mean == 0)
    r.p = 1;
  return r;
}

vlb_t_result vlb_student(const double *x, int n, double level) {
  double mean = 0, square = 0;
  for (int i = 0; i < n; i++) mean += x[i] / n;
  for (int i = 0; i < n; i++) square += (x[i] - mean) * (x[i] - mean);
  return from_error(mean, n > 1 ? sqrt(square / (n - 1) / n) : 0, n - 1, n, level);
}

/* The interval of f(a) - f(b). */
static vlb_t_result paired(const double *a, const double *b, int n, double (*f)(double), double level) {
  double *d = malloc((size_t)(n > 0 ? n : 1) * sizeof *d);
  vlb_t_result none = {{NAN, {NAN, NAN}}, NAN, n};
  if (!d) return none;
  for (int i = 0; i < n; i++) d[i] = f(a[i]) - f(b[i]);
  vlb_t_result r = n ? vlb_student(d, n, level) : none;
  free(d);
  return r;
}

static double itself(double x) { return x; }

vlb_t_result vlb_paired_times(const double *a, const double *b, int n, double level) { return paired(a, b, n, itself, level); }

vlb_t_result vlb_paired_ratio(const double *a, const double *b, int n, double level) {
  vlb_t_result r = paired(a, b, n, log, level);
  r.mean = (vlb_estimate){exp(r.mean.estimate), {exp(r.mean.interval.lo), exp(r.mean.interval.hi)}};
  return r;
}

vlb_t_result vlb_welch(double mean_a, double sd_a, int n_a, double mean_b, double sd_b, int n_b, double level) {
  double va = sd_a * sd_a / n_a, vb = sd_b * sd_b / n_b, error = sqrt(va + vb);
  double freedom = error > 0 ? (va + vb) * (va + vb) / (va * va / (n_a - 1) + vb * vb / (n_b - 1)) : n_a + n_b - 2;
  return from_error(mean_a - mean_b, error, freedom, n_a + n_b, level);
}

/* Twice the rank of the i-th value by size, ties in the middle: whole numbers. */
static int double_rank(const double *size, int n, int i) {
  int below = 0, equal = 0;
  for (int k = 0; k < n; k++) {
    below += size[k] < size[i];
    equal += size[k] == size[i];
  }
  return 2 * below + equal + 1;
}

/* chance[sum] over the signs: each rank is in the sum of the positive ones with chance 1/2. */
static void add_rank(double *chance, int most, int rank) {
  for (int s = most; s >= 0; s--) chance[s] = chance[s] / 2 + (s >= rank ? chance[s - rank] / 2 : 0);
}

double vlb_signed_rank(const double *d, int n) {
  int used = 0, total = 0, seen = 0;
  double p = 0, *size = malloc((size_t)(n + 1) * sizeof *size), *chance = calloc((size_t)n * (size_t)(n + 1) + 1, sizeof *chance);
  if (size && chance) {
    for (int i = 0; i < n; i++)
      if (d[i] != 0) size[used++] = fabs(d[i]);
    chance[0] = 1;
    for (int i = 0, k = 0; i < n; i++) {
      if (d[i] == 0) continue;
      int rank = double_rank(size, used, k++);
      total += rank;
      if (d[i] > 0) seen += rank;
      add_rank(chance, total, rank);
    }
    /* as far from the middle as seen, on either side */
    for (int s = 0; s <= total; s++)
      if (abs(2 * s - total) >= abs(2 * seen - total)) p += chance[s];
  }
  bool made = size && chance;
  free(size);
  free(chance);
  return made ? fmin(1, p) : NAN;
}
