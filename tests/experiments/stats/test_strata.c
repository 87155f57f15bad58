/* Means over strata and differences of them: the single stratum is the known method; the rest by enumeration. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "experiments/stats/strata.h"
#include "enumerate.h"

static void same(vlb_interval a, vlb_interval b) {
  near(a.lo, b.lo, 1e-12);
  near(a.hi, b.hi, 1e-12);
}

static void one_stratum(void **state) {
  (void)state;
  const double w = 1;
  same(vlb_stratified_mean(&(vlb_stratum){81, 263}, &w, 1, VLB_WILSON, 0.95).interval, vlb_wilson(81, 263, 0.95));
  same(vlb_stratified_difference(&(vlb_stratum){56, 70}, &(vlb_stratum){48, 80}, &w, 1, 0.95).interval, vlb_newcombe(56, 70, 48, 80, 0.95));
  const vlb_pairs airways = {1, 1, 7, 12};
  same(vlb_stratified_paired(&airways, &w, 1, 0.95).interval, vlb_tango(&airways, 0.95));
  near(vlb_stratified_mcnemar(&airways, &w, 1), vlb_mcnemar(1, 7), 1e-12);
}

/* Meta-World's 28, 11, 6 and 5 tasks of 10 episodes; SmolVLA 0.45B of the paper's Table 2: 57.3 over groups, 66.8 over tasks */
static void weights_are_named(void **state) {
  (void)state;
  const int64_t n[] = {280, 110, 60, 50};
  const vlb_stratum s[] = {{231, 280}, {46, 110}, {27, 60}, {30, 50}};
  double groups[4], tasks[4];
  vlb_weights(VLB_MEAN_OF_STRATA, n, 4, groups);
  vlb_weights(VLB_MEAN_OF_EPISODES, n, 4, tasks);
  near(100 * vlb_stratified_mean(s, groups, 4, VLB_WILSON, 0.95).estimate, 57.3, 0.051);
  near(100 * vlb_stratified_mean(s, tasks, 4, VLB_WILSON, 0.95).estimate, 66.8, 0.051);
  near(tasks[0] + tasks[1] + tasks[2] + tasks[3], 1, 1e-15);
}

/* Newcombe 1998 (method 10) is MOVER with weights 1 and -1; the same by hand with two suites: 90 and 50 of 100 each way */
static void sum_by_hand(void **state) {
  (void)state;
  const double w[] = {0.5, 0.5};
  const vlb_stratum s[] = {{90, 100}, {50, 100}};
  vlb_interval x = vlb_wilson(90, 100, 0.95), y = vlb_wilson(50, 100, 0.95);
  vlb_estimate mean = vlb_stratified_mean(s, w, 2, VLB_WILSON, 0.95);
  near(mean.estimate, 0.7, 1e-15);
  near(mean.interval.lo, 0.7 - 0.5 * hypot(0.9 - x.lo, 0.5 - y.lo), 1e-12);
  near(mean.interval.hi, 0.7 + 0.5 * hypot(x.hi - 0.9, y.hi - 0.5), 1e-12);
}

/* coverage of the mean of two suites of 12 and 20 episodes, over all outcomes, at rates far apart */
static void mean_covers(void **state) {
  (void)state;
  enum { N1 = 12, N2 = 20 };
  const double w[] = {0.5, 0.5};
  for (int i = 1; i < 10; i++)
    for (int j = 1; j < 10; j++) {
      double p = i / 10.0, q = j / 10.0, covered = 0;
      for (int a = 0; a <= N1; a++)
        for (int b = 0; b <= N2; b++) {
          const vlb_stratum s[] = {{a, N1}, {b, N2}};
          vlb_interval m = vlb_stratified_mean(s, w, 2, VLB_WILSON, 0.95).interval;
          if (m.lo <= (p + q) / 2 && (p + q) / 2 <= m.hi) covered += binomial(N1, a, p) * binomial(N2, b, q);
        }
      assert_true(covered > 0.925 && covered < 0.99);
    }
}

/* chance of b and c discordant pairs of n at rates pb and pc */
static double trinomial(int n, int b, int c, double pb, double pc) {
  return exp(lgamma(n + 1.0) - lgamma(b + 1.0) - lgamma(c + 1.0) - lgamma(n - b - c + 1.0) + b * log(pb) + c * log(pc) +
             (n - b - c) * log1p(-pb - pc));
}

/* Two suites of 8 and 5 shared episodes, every outcome of both: the interval covers, and the exact test keeps its level even when one suite
 * favours one arm and the other suite the other arm, so that only the mean difference is zero. */
static void paired_enumerated(void **state) {
  (void)state;
  enum { N1 = 8, N2 = 5 };
  static const double rates[][4] = {{0.2, 0.2, 0.3, 0.3}, {0.3, 0.1, 0.1, 0.3}, {0.45, 0.05, 0.05, 0.45}, {0.25, 0.25, 0.05, 0.05}};
  const double w[] = {0.5, 0.5};
  for (int r = 0; r < 4; r++) {
    const double *q = rates[r];
    double covered = 0, rejected = 0, truth = (q[0] - q[1] + q[2] - q[3]) / 2;
    near(truth, 0, 1e-12);
    for (int a = 0; a <= N1; a++)
      for (int b = 0; a + b <= N1; b++)
        for (int c = 0; c <= N2; c++)
          for (int d = 0; c + d <= N2; d++) {
            const vlb_pairs pairs[] = {{N1 - a - b, a, b, 0}, {N2 - c - d, c, d, 0}};
            double chance = trinomial(N1, a, b, q[0], q[1]) * trinomial(N2, c, d, q[2], q[3]);
            vlb_interval i = vlb_stratified_paired(pairs, w, 2, 0.95).interval;
            if (i.lo <= truth && truth <= i.hi) covered += chance;
            if (vlb_stratified_mcnemar(pairs, w, 2) <= 0.05) rejected += chance;
          }
    if (!(covered > 0.92)) fail_msg("rates %d: covered %f", r, covered);
    if (!(rejected <= 0.05)) fail_msg("rates %d: rejected %f", r, rejected);
  }
}

/* the p of three strata against all 2^13 ways in which 13 differing pairs may fall */
static void test_enumerated(void **state) {
  (void)state;
  enum { M = 13 };
  const vlb_pairs pairs[] = {{10, 5, 1, 4}, {3, 1, 2, 1}, {7, 0, 4, 0}};
  const int in[M] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2};
  const double w[] = {0.5, 0.25, 0.25};
  double seen = 0, step[3];
  int far = 0;
  for (int i = 0; i < 3; i++) {
    step[i] = w[i] / (double)vlb_pairs_total(&pairs[i]);
    seen += step[i] * (double)(pairs[i].only_a - pairs[i].only_b);
  }
  for (int mask = 0; mask < 1 << M; mask++) {
    double t = 0;
    for (int i = 0; i < M; i++) t += mask >> i & 1 ? step[in[i]] : -step[in[i]];
    far += fabs(t) >= fabs(seen) - 1e-12;
  }
  near(vlb_stratified_mcnemar(pairs, w, 3), far / (double)(1 << M), 1e-12);
}

/* with the same weight per episode everywhere it is the plain test of the sums; with none differing there is nothing to say; Meta-World's
 * lattice of four unequal groups with every pair differing is worked out, too */
static void test_edges(void **state) {
  (void)state;
  const double w[] = {0.25, 0.25, 0.25, 0.25};
  const vlb_pairs equal[] = {{80, 9, 4, 7}, {70, 12, 8, 10}, {90, 3, 5, 2}, {60, 20, 9, 11}}, none[] = {{5, 0, 0, 5}, {5, 0, 0, 5}};
  near(vlb_stratified_mcnemar(equal, w, 4), vlb_mcnemar(9 + 12 + 3 + 20, 4 + 8 + 5 + 9), 1e-9);
  near(vlb_stratified_mcnemar(none, w, 2), 1, 0);
  const vlb_pairs large[] = {{0, 150, 130, 0}, {0, 60, 50, 0}, {0, 33, 27, 0}, {0, 20, 30, 0}};
  double p = vlb_stratified_mcnemar(large, w, 4);
  assert_true(p > 0.5 && p <= 1);
  const vlb_pairs mirrored[] = {{0, 130, 150, 0}, {0, 50, 60, 0}, {0, 27, 33, 0}, {0, 30, 20, 0}};
  near(vlb_stratified_mcnemar(mirrored, w, 4), p, 1e-9);
}

/* the p of the independent difference is where its interval touches zero */
static void p_belongs_to_interval(void **state) {
  (void)state;
  const double w[] = {0.5, 0.5};
  const vlb_stratum a[] = {{90, 100}, {50, 100}}, b[] = {{80, 100}, {45, 100}};
  double p = vlb_stratified_p(a, b, w, 2);
  near(vlb_stratified_difference(a, b, w, 2, 1 - p).interval.lo, 0, 1e-6);
  near(vlb_stratified_p(a, a, w, 2), 1, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_stratum),       cmocka_unit_test(weights_are_named), cmocka_unit_test(sum_by_hand),
      cmocka_unit_test(mean_covers),       cmocka_unit_test(paired_enumerated), cmocka_unit_test(test_enumerated),
      cmocka_unit_test(test_edges),        cmocka_unit_test(p_belongs_to_interval)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
