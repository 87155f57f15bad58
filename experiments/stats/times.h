/* Numbers instead of successes: seconds of an episode, latencies, scores with partial credit. */
#ifndef VLB_STATS_TIMES_H
#define VLB_STATS_TIMES_H

#include "experiments/stats/strata.h"

/* Student's interval and two-sided p. */
typedef struct {
  vlb_estimate mean;
  double p; /* NAN where it cannot be: fewer than two values, or no spread and a difference */
  int n;
} vlb_t_result;

/* Mean of x[n] against zero; interval {-inf, inf} for n = 1. */
vlb_t_result vlb_student(const double *x, int n, double level);

/* Mean of a - b over the same n episodes. */
vlb_t_result vlb_paired_times(const double *a, const double *b, int n, double level);

/* Ratio of geometric means a / b over the same episodes, all times positive: exp of the paired t interval of the logarithms. 0.7 is "30 % faster". */
vlb_t_result vlb_paired_ratio(const double *a, const double *b, int n, double level);

/* mean_a - mean_b from published means, standard deviations and counts >= 2 of independent groups: Welch's (1947, Biometrika 34:28-35). */
vlb_t_result vlb_welch(double mean_a, double sd_a, int n_a, double mean_b, double sd_b, int n_b, double level);

/* Wilcoxon's signed-rank test of d[n], two-sided, exact given the ranks (ties get middle ranks, zeros are left out: the conditional distribution
 * over all 2^n signs). 1 when all are zero. n <= 1000. NAN without memory. */
double vlb_signed_rank(const double *d, int n);

#endif
