/* Times, scores, and the variance of trainings. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/rng.h"
#include "experiments/stats/training.h"
#include "enumerate.h"

/* Student 1908 (Biometrika 6:1-25), hours of sleep gained with two drugs; R's t.test(..., paired = TRUE) and the default one print these */
static const double first[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
static const double second[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};

static void students_sleep(void **state) {
  (void)state;
  vlb_t_result r = vlb_paired_times(first, second, 10, 0.95);
  near(r.mean.estimate, -1.58, 1e-12);
  near(r.mean.interval.lo, -2.4598858, 5e-8);
  near(r.mean.interval.hi, -0.7001142, 5e-8);
  near(r.p, 0.002833, 5e-7);
  r = vlb_welch(0.75, 1.7890096577591623, 10, 2.33, 2.002248735796829, 10, 0.95);
  near(r.mean.interval.lo, -3.3654832, 5e-8);
  near(r.mean.interval.hi, 0.2054832, 5e-8);
  near(r.p, 0.07939, 5e-6);
}

/* Hollander and Wolfe 1973, Nonparametric Statistical Methods, page 29: depression scores; one-sided p 0.020, R: V = 40, p = 0.03906 two-sided */
static void wilcoxon_published(void **state) {
  (void)state;
  const double a[] = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}, b[] = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
  double d[9];
  for (int i = 0; i < 9; i++) d[i] = a[i] - b[i];
  near(vlb_signed_rank(d, 9), 0.0390625, 1e-12);
}

/* ties and zeros: all 2^6 signs of |d| = 1 1 2 2 2 5, middle ranks 1.5 1.5 4 4 4 6 */
static void wilcoxon_ties(void **state) {
  (void)state;
  const double d[] = {1, -1, 0, 2, 2, 2, 5, 0}, rank[] = {1.5, 1.5, 4, 4, 4, 6};
  double seen = 1.5 - 1.5 + 4 + 4 + 4 + 6;
  int far = 0;
  for (int mask = 0; mask < 64; mask++) {
    double sum = 0;
    for (int i = 0; i < 6; i++) sum += mask >> i & 1 ? rank[i] : -rank[i];
    far += fabs(sum) >= fabs(seen) - 1e-12;
  }
  near(vlb_signed_rank(d, 8), far / 64.0, 1e-12);
  const double none[] = {0, 0};
  near(vlb_signed_rank(none, 2), 1, 0);
  near(vlb_signed_rank(none, 0), 1, 0);
}

static void ratios(void **state) {
  (void)state;
  const double a[] = {7, 14, 3.5, 10.5}, b[] = {10, 20, 5, 15};
  vlb_t_result r = vlb_paired_ratio(a, b, 4, 0.95);
  near(r.mean.estimate, 0.7, 1e-12);
  near(r.mean.interval.lo, 0.7, 1e-9);
  const double c[] = {9, 14, 4, 10};
  r = vlb_paired_ratio(c, b, 4, 0.95);
  vlb_t_result back = vlb_paired_ratio(b, c, 4, 0.95);
  near(r.mean.interval.lo * back.mean.interval.hi, 1, 1e-12);
  near(r.p, back.p, 1e-12);
}

static void too_few(void **state) {
  (void)state;
  const double one[] = {3}, zero[] = {1};
  vlb_t_result r = vlb_paired_times(one, zero, 1, 0.95);
  assert_true(isinf(r.mean.interval.hi) && isinf(r.mean.interval.lo) && isnan(r.p));
  assert_true(isnan(vlb_paired_times(one, zero, 0, 0.95).mean.estimate));
}

/* three networks, four episodes, worked by hand: rates 3/4, 2/4, 1/4; episodes solved 3, 2, 1, 0 times of 3. Sums of squares: trainings 0.5,
 * episodes 5/3, all 3, so the rest 5/6 with 6 degrees; mean squares 1/4, 5/9, 5/36. */
static void components_by_hand(void **state) {
  (void)state;
  const double x[] = {1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0};
  vlb_training t = vlb_training_variance(x, 3, 4, 0.95);
  assert_true(t.estimated);
  near(t.rest, 5.0 / 36, 1e-12);
  near(t.between_trainings, (1.0 / 4 - 5.0 / 36) / 4, 1e-12);
  near(t.between_episodes, (5.0 / 9 - 5.0 / 36) / 3, 1e-12);
  near(t.seeds_sd, 0.25, 1e-12);
  near(t.mean.estimate, 0.5, 1e-12);
  /* t with two degrees of freedom: 4.302653 (any table) */
  near(t.mean.interval.hi, 0.5 + 4.302653 * 0.25 / sqrt(3), 1e-6);
  assert_false(vlb_training_variance(x, 2, 6, 0.95).estimated);
  assert_false(vlb_training_variance(x, 1, 12, 0.95).estimated);
}

/* the mean of many estimates is the variance that the trainings were drawn with; where none was, little is found */
static void components_recovered(void **state) {
  (void)state;
  enum { SEEDS = 5, EPISODES = 60, TIMES = 600 };
  static double x[SEEDS * EPISODES];
  for (int variant = 0; variant < 2; variant++) {
    double sum = 0, spread = variant ? 0.1 : 0;
    for (int i = 0; i < TIMES; i++) {
      vlb_rng rng = vlb_rng_make(7, VLB_RNG_TEST, (uint32_t)variant, (uint32_t)i);
      for (int s = 0; s < SEEDS; s++) {
        double rate = 0.6 + spread * (vlb_rng_uniform(&rng) < 0.5 ? -1 : 1);
        for (int e = 0; e < EPISODES; e++) x[s * EPISODES + e] = vlb_rng_uniform(&rng) < rate;
      }
      sum += vlb_training_variance(x, SEEDS, EPISODES, 0.95).between_trainings / TIMES;
    }
    if (variant)
      near(sum, 0.01, 0.0012);
    else
      assert_true(sum < 0.002);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(students_sleep),     cmocka_unit_test(wilcoxon_published), cmocka_unit_test(wilcoxon_ties),
                                     cmocka_unit_test(ratios),             cmocka_unit_test(too_few),            cmocka_unit_test(components_by_hand),
                                     cmocka_unit_test(components_recovered)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
