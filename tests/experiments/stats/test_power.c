/* Power of the paired exact test: against the sum over all outcomes, written out, and what must hold of any power. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <cmocka.h>

#include "experiments/stats/power.h"
#include "experiments/stats/stats.h"

static double factorial(int n) { return n < 2 ? 1 : n * factorial(n - 1); }

/* over every (a only, b only, rest) of n pairs */
static double by_enumeration(int n, double discordance, double difference, double alpha) {
  double pa = (discordance + difference) / 2, pb = (discordance - difference) / 2, sum = 0;
  for (int a = 0; a <= n; a++)
    for (int b = 0; a + b <= n; b++)
      if (vlb_mcnemar(a, b) <= alpha)
        sum += factorial(n) / (factorial(a) * factorial(b) * factorial(n - a - b)) * pow(pa, a) * pow(pb, b) * pow(1 - discordance, n - a - b);
  return sum;
}

static void equals_enumeration(void **state) {
  (void)state;
  static const double cases[][3] = {{0.3, 0.2, 0.05}, {0.5, 0.5, 0.05}, {0.5, 0.0, 0.05}, {1.0, 0.4, 0.05}, {0.4, 0.3, 0.0125}, {0.9, 0.6, 0.2}};
  static const int sizes[] = {1, 5, 6, 13, 30, 60};
  for (int i = 0; i < 6; i++)
    for (int k = 0; k < 6; k++) {
      double want = by_enumeration(sizes[k], cases[i][0], cases[i][1], cases[i][2]);
      double got = vlb_mcnemar_power(sizes[k], cases[i][0], cases[i][1], cases[i][2]);
      if (!(fabs(want - got) < 1e-9)) fail_msg("n = %d, case %d: %.12g, enumerated %.12g", sizes[k], i, got, want);
    }
}

/* without a difference the chance to reject is at most alpha */
static void keeps_its_level(void **state) {
  (void)state;
  for (int n = 1; n <= 400; n += 21)
    for (double d = 0.05; d <= 1; d += 0.19) assert_true(vlb_mcnemar_power(n, d, 0, 0.05) <= 0.05 + 1e-12);
}

/* five pairs can never give p below 0.05, six that all fall to one side can: 2 / 2^6 */
static void smallest_sample(void **state) {
  (void)state;
  assert_true(vlb_mcnemar_power(5, 1, 1, 0.05) == 0);
  assert_true(fabs(vlb_mcnemar_power(6, 1, 1, 0.05) - 1) < 1e-12);
  assert_true(isnan(vlb_mcnemar_detectable(5, 1, 0.05, 0.8)));
}

static void detectable_is_the_edge(void **state) {
  (void)state;
  static const int sizes[] = {50, 200, 400};
  double before = 1;
  for (int i = 0; i < 3; i++) {
    double least = vlb_mcnemar_detectable(sizes[i], 0.2, 0.05, 0.8);
    assert_true(least < before); /* more episodes see less */
    assert_true(vlb_mcnemar_power(sizes[i], 0.2, least, 0.05) >= 0.8);
    assert_true(vlb_mcnemar_power(sizes[i], 0.2, least - 1e-3, 0.05) < 0.8);
    assert_true(vlb_mcnemar_detectable(sizes[i], 0.2, 0.0125, 0.8) > least);
    before = least;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(equals_enumeration), cmocka_unit_test(keeps_its_level), cmocka_unit_test(smallest_sample),
                                     cmocka_unit_test(detectable_is_the_edge)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
