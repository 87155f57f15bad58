/* Means over suites, groups or tasks that name their weights, and differences of such means. A stratum is a column of a table: its episodes are
 * counted together, its weight is declared.
 *
 * Intervals of a weighted sum recover the variance from the intervals of its terms (MOVER; Zou, Huang and Zhang 2009, Comput Stat Data Anal
 * 53:1080-1085): estimate - sqrt(sum of (w (p - lo))^2), and likewise above. With one stratum that is the stratum's own interval. */
#ifndef VLB_STATS_STRATA_H
#define VLB_STATS_STRATA_H

#include "experiments/stats/stats.h"

typedef struct {
  double estimate;
  vlb_interval interval;
} vlb_estimate;

/* Weights are named, because two honest means of one table differ: Meta-World's mean over its four groups is not that over its 50 tasks. */
typedef enum {
  VLB_MEAN_OF_STRATA,  /* every suite, or every group, counts alike */
  VLB_MEAN_OF_EPISODES /* every episode counts alike; with as many episodes in each task, every task does */
} vlb_weighting;

typedef struct {
  int64_t k, n; /* n >= 1 */
} vlb_stratum;

/* weights[count], sum 1. */
void vlb_weights(vlb_weighting weighting, const int64_t *n, int count, double *weights);

/* Sum of w p. */
vlb_estimate vlb_stratified_mean(const vlb_stratum *s, const double *weights, int count, vlb_rate_method method, double level);

/* Sum of w (p_a - p_b), independent arms; with one stratum this is vlb_newcombe. */
vlb_estimate vlb_stratified_difference(const vlb_stratum *a, const vlb_stratum *b, const double *weights, int count, double level);

/* Sum of w (p_a - p_b), the same episodes; with one stratum this is vlb_tango. */
vlb_estimate vlb_stratified_paired(const vlb_pairs *pairs, const double *weights, int count, double level);

/* Exact two-sided test of that difference: given how many pairs differ in each stratum, each of them falls to either side with chance 1/2, and p is
 * the chance that |sum of w (only_a - only_b) / n| is at least what was seen. Where w / n is the same in all strata this is vlb_mcnemar of the
 * summed pairs. 1 when no pair differs; NAN without memory. */
double vlb_stratified_mcnemar(const vlb_pairs *pairs, const double *weights, int count);

/* Two-sided p that belongs to the interval of vlb_stratified_difference: 1 - the level at which it touches zero. */
double vlb_stratified_p(const vlb_stratum *a, const vlb_stratum *b, const double *weights, int count);

#endif
