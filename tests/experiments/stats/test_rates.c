/* The selectable intervals and the exact tests of independent rates. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "experiments/stats/stats.h"
#include "enumerate.h"

typedef struct {
  int k, n;
  double lo, hi;
} row;

static void compare(vlb_rate_method method, const row *rows, int count, double tolerance) {
  for (int i = 0; i < count; i++) {
    vlb_interval w = vlb_rate_interval(method, rows[i].k, rows[i].n, 0.95);
    near(w.lo, rows[i].lo, tolerance);
    near(w.hi, rows[i].hi, tolerance);
  }
}

/* Newcombe 1998, Stat Med 17:857-872, Table I: methods 3 and 5 */
static void newcombes_table(void **state) {
  (void)state;
  static const row wilson[] = {{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}};
  static const row exact[] = {{81, 263, 0.2527, 0.3676}, {15, 148, 0.0578, 0.1617}, {0, 20, 0, 0.1684}, {1, 29, 0.0009, 0.1776}};
  compare(VLB_WILSON, wilson, 4, 5.1e-5);
  compare(VLB_CLOPPER, exact, 4, 5.1e-5);
}

/* statsmodels 0.14, proportion_confint(k, n, 0.05, "jeffreys" and "agresti_coull"); at k = 0 and k = n the ends are 0 and 1 as Brown, Cai and
 * DasGupta 2001 have it, and statsmodels has the quantile itself */
static void other_programs(void **state) {
  (void)state;
  static const row jeffreys[] = {{81, 263, 0.254522, 0.365647}, {15, 148, 0.060449, 0.157643}, {0, 20, 0, 0.116639},
                                 {1, 29, 0.003746, 0.150078},   {29, 29, 0.917714, 1},         {7, 10, 0.394182, 0.907305}};
  static const row agresti[] = {{81, 263, 0.255221, 0.366277}, {15, 148, 0.061386, 0.161488}, {0, 20, 0, 0.189810},
                                {1, 29, 0, 0.186287},          {29, 29, 0.861260, 1},         {7, 10, 0.392325, 0.896662}};
  compare(VLB_JEFFREYS, jeffreys, 6, 5.1e-7);
  compare(VLB_AGRESTI, agresti, 6, 5.1e-7);
}

/* Clopper and Pearson's interval never covers less than its level: every rate on a grid, every outcome of n episodes */
static void exact_covers(void **state) {
  (void)state;
  for (int n = 3; n <= 33; n += 6)
    for (int i = 1; i < 100; i++) {
      double p = i / 100.0, covered = 0;
      for (int k = 0; k <= n; k++) {
        vlb_interval w = vlb_rate_interval(VLB_CLOPPER, k, n, 0.95);
        if (w.lo <= p && p <= w.hi) covered += binomial(n, k, p);
      }
      assert_true(covered >= 0.95 - 1e-12);
    }
}

/* every method has a name and a word, holds the rate, and widens with its level */
static void every_method(void **state) {
  (void)state;
  for (int m = 0; m < VLB_RATE_METHOD_COUNT; m++) {
    assert_non_null(vlb_rate_method_words[m]);
    assert_true(strlen(vlb_rate_method_name((vlb_rate_method)m)) > 3);
    for (int k = 0; k <= 10; k++) {
      vlb_interval narrow = vlb_rate_interval((vlb_rate_method)m, k, 10, 0.8), wide = vlb_rate_interval((vlb_rate_method)m, k, 10, 0.99);
      assert_true(narrow.lo <= k / 10.0 && k / 10.0 <= narrow.hi);
      assert_true(wide.lo <= narrow.lo && wide.hi >= narrow.hi && wide.lo >= 0 && wide.hi <= 1);
    }
  }
  assert_null(vlb_rate_method_words[VLB_RATE_METHOD_COUNT]);
}

/* Perondi et al. 2004 (N Engl J Med 350:1722-1730), the example of Lydersen, Fagerland and Laake 2009 (Stat Med 28:1159-1175): 7 of 34 and 1 of 34.
 * Values: scipy 1.15 fisher_exact and boschloo_exact (arms as columns), whose two-sided p is the traditional one when both arms are of one size. The tea of Fisher's
 * lady (1935): 3 of 4 and 1 of 4, p = 34/70. */
static void exact_tests_published(void **state) {
  (void)state;
  near(vlb_fisher(3, 4, 1, 4), 34.0 / 70, 1e-12);
  near(vlb_fisher(7, 34, 1, 34), 0.0544001305, 5e-10);
  near(vlb_boschloo(7, 34, 1, 34), 0.0384639221, 5e-8);
  near(vlb_fisher(342, 400, 316, 400), 0.0204846197, 5e-10);
  near(vlb_boschloo(342, 400, 316, 400), 0.0177905780, 5e-8);
  near(vlb_fisher(74, 105, 43, 75), 0.0817946750, 5e-10);
  near(vlb_boschloo(5, 10, 5, 10), 1, 1e-9);
}

/* Boschloo's p from its definition, in another way: Fisher's p of every table by vlb_fisher, rates on a fine grid */
static double by_definition(int k1, int n1, int k2, int n2) {
  double seen = vlb_fisher(k1, n1, k2, n2), best = 0;
  for (int i = 1; i < 4000; i++) {
    double sum = 0;
    for (int a = 0; a <= n1; a++)
      for (int b = 0; b <= n2; b++)
        if (vlb_fisher(a, n1, b, n2) <= seen * (1 + 1e-7)) sum += binomial(n1, a, i / 4000.0) * binomial(n2, b, i / 4000.0);
    best = fmax(best, sum);
  }
  return best;
}

static void boschloo_enumerated(void **state) {
  (void)state;
  static const int tables[][4] = {{1, 10, 6, 9}, {0, 5, 4, 8}, {6, 7, 2, 7}, {3, 12, 3, 4}};
  for (int i = 0; i < 4; i++) {
    const int *t = tables[i];
    near(vlb_boschloo(t[0], t[1], t[2], t[3]), by_definition(t[0], t[1], t[2], t[3]), 2e-6);
  }
}

/* exact means: at no common rate is a p of 0.05 or less seen more often than that; and never weaker than Fisher's */
static void boschloo_keeps_level(void **state) {
  (void)state;
  enum { N1 = 12, N2 = 9 };
  double p[N1 + 1][N2 + 1];
  for (int a = 0; a <= N1; a++)
    for (int b = 0; b <= N2; b++) {
      p[a][b] = vlb_boschloo(a, N1, b, N2);
      assert_true(p[a][b] <= vlb_fisher(a, N1, b, N2) + 1e-9);
    }
  for (int i = 1; i < 500; i++) {
    double rejected = 0;
    for (int a = 0; a <= N1; a++)
      for (int b = 0; b <= N2; b++)
        if (p[a][b] <= 0.05) rejected += binomial(N1, a, i / 500.0) * binomial(N2, b, i / 500.0);
    assert_true(rejected <= 0.05 + 1e-6);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(newcombes_table),     cmocka_unit_test(other_programs),
                                     cmocka_unit_test(exact_covers),        cmocka_unit_test(every_method),
                                     cmocka_unit_test(exact_tests_published), cmocka_unit_test(boschloo_enumerated),
                                     cmocka_unit_test(boschloo_keeps_level)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
