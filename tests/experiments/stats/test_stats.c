/* Intervals and tests against worked examples from the literature, and against their own defining properties by enumeration. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "experiments/stats/stats.h"
#include "enumerate.h"

/* Newcombe 1998, Stat Med 17:857-872, Table I, method 3 */
static void wilson_published(void **state) {
  (void)state;
  static const struct { int k, n; double lo, hi; } rows[] = {
      {81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0.0000, 0.1611}, {1, 29, 0.0061, 0.1718}};
  for (int i = 0; i < 4; i++) {
    vlb_interval w = vlb_wilson(rows[i].k, rows[i].n, 0.95);
    near(w.lo, rows[i].lo, 5.1e-5);
    near(w.hi, rows[i].hi, 5.1e-5);
  }
}

/* Newcombe 1998, Stat Med 17:873-890, Table II, method 10 */
static void newcombe_published(void **state) {
  (void)state;
  static const struct { int k1, n1, k2, n2; double lo, hi; } rows[] = {
      {56, 70, 48, 80, 0.0524, 0.3339}, {9, 10, 3, 10, 0.1705, 0.8090},   {6, 7, 2, 7, 0.0582, 0.8062},
      {5, 56, 0, 29, -0.0381, 0.1926},  {0, 10, 0, 20, -0.1611, 0.2775},  {0, 10, 0, 10, -0.2775, 0.2775},
      {10, 10, 0, 20, 0.6791, 1.0000},  {10, 10, 0, 10, 0.6075, 1.0000}};
  for (int i = 0; i < 8; i++) {
    vlb_interval d = vlb_newcombe(rows[i].k1, rows[i].n1, rows[i].k2, rows[i].n2, 0.95);
    near(d.lo, rows[i].lo, 5.1e-5);
    near(d.hi, rows[i].hi, 5.1e-5);
  }
}

/* airway hyper-responsiveness, Fagerland, Lydersen, Laake 2014, Stat Med 33:2850-2875; and R's PropCIs::scoreci.mp(25, 28, 618, 0.90) */
static void tango_published(void **state) {
  (void)state;
  vlb_interval d = vlb_tango(&(vlb_pairs){1, 1, 7, 12}, 0.95);
  near(d.lo, -0.517, 5.1e-4);
  near(d.hi, -0.026, 5.1e-4);
  d = vlb_tango(&(vlb_pairs){500, 28, 25, 65}, 0.90);
  near(d.lo, -0.0148, 5.1e-5);
  near(d.hi, 0.0247, 5.1e-5);
}

/* one discordant cell empty and d = 0 have a closed form, z^2 / (n + z^2); swapping the arms mirrors the interval */
static void tango_edges(void **state) {
  (void)state;
  const double z2 = 1.959963984540054 * 1.959963984540054;
  vlb_interval d = vlb_tango(&(vlb_pairs){10, 0, 0, 10}, 0.95);
  near(d.hi, z2 / (20 + z2), 1e-9);
  near(d.lo, -d.hi, 1e-12);
  d = vlb_tango(&(vlb_pairs){0, 20, 0, 0}, 0.95);
  near(d.hi, 1, 0);
  assert_true(d.lo > 0.6 && d.lo < 1);
  vlb_interval a = vlb_tango(&(vlb_pairs){5, 9, 2, 14}, 0.95), b = vlb_tango(&(vlb_pairs){5, 2, 9, 14}, 0.95);
  near(a.lo, -b.hi, 1e-12);
  near(a.hi, -b.lo, 1e-12);
}

/* Fagerland, Lydersen, Laake 2013, BMC Med Res Methodol 13:91: 1 and 7 discordant pairs, exact conditional p = 0.0703. It is 2 (1 + 8) / 2^8. */
static void mcnemar_published(void **state) {
  (void)state;
  near(vlb_mcnemar(1, 7), 2.0 * 9 / 256, 1e-12);
  near(vlb_mcnemar(7, 1), 0.0703, 5e-5);
  near(vlb_mcnemar(0, 0), 1, 0);
  near(vlb_mcnemar(4, 4), 1, 0);
  near(vlb_mcnemar(0, 6), 2.0 / 64, 1e-12);
}

/* the example of the Holm-Bonferroni article in many textbooks: 0.01, 0.04, 0.03, 0.005; R: p.adjust(c(...), "holm") */
static void holm_published(void **state) {
  (void)state;
  const double p[] = {0.01, 0.04, 0.03, 0.005}, want[] = {0.03, 0.06, 0.06, 0.02};
  double adjusted[4];
  vlb_holm(p, 4, adjusted);
  for (int i = 0; i < 4; i++) near(adjusted[i], want[i], 1e-12);
  const double ties[] = {0.5, 0.5, 0.5};
  vlb_holm(ties, 3, adjusted);
  for (int i = 0; i < 3; i++) near(adjusted[i], 1, 0);
}

/* coverage of the Wilson interval at every n, averaged over p: near 95 %, and never absurd */
static void wilson_covers(void **state) {
  (void)state;
  for (int n = 5; n <= 40; n += 7) {
    double mean = 0, worst = 1;
    for (int i = 1; i < 200; i++) {
      double p = i / 200.0, covered = 0;
      for (int k = 0; k <= n; k++) {
        vlb_interval w = vlb_wilson(k, n, 0.95);
        if (w.lo <= p && p <= w.hi) covered += binomial(n, k, p);
      }
      mean += covered / 199;
      worst = fmin(worst, covered);
    }
    assert_true(mean > 0.945 && mean < 0.975);
    assert_true(worst > 0.82);
  }
}

/* the exact McNemar test never exceeds its level: enumerate all tables of n pairs under equal discordant rates */
static void mcnemar_keeps_level(void **state) {
  (void)state;
  for (int n = 1; n <= 30; n++) {
    double rejected = 0;
    for (int b = 0; b <= n; b++)
      if (vlb_mcnemar(b, n - b) <= 0.05) rejected += binomial(n, b, 0.5);
    assert_true(rejected <= 0.05 + 1e-12);
  }
}

/* coverage of Tango's interval by enumerating all tables of 20 pairs at a few true rates */
static void tango_covers(void **state) {
  (void)state;
  static const double rates[][2] = {{0.1, 0.1}, {0.3, 0.1}, {0.4, 0.2}, {0.25, 0.25}, {0.6, 0.1}};
  enum { N = 20 };
  for (int r = 0; r < 5; r++) {
    double pb = rates[r][0], pc = rates[r][1], covered = 0;
    for (int b = 0; b <= N; b++)
      for (int c = 0; b + c <= N; c++) {
        double w = exp(lgamma(N + 1.0) - lgamma(b + 1.0) - lgamma(c + 1.0) - lgamma(N - b - c + 1.0) + b * log(pb) + c * log(pc) +
                       (N - b - c) * log1p(-pb - pc));
        vlb_interval d = vlb_tango(&(vlb_pairs){N - b - c, b, c, 0}, 0.95);
        if (d.lo <= pb - pc && pb - pc <= d.hi) covered += w;
      }
    assert_true(covered > 0.93 && covered < 0.98);
  }
}

static bool share(const char *x, const char *y) { return strpbrk(x, y) != NULL; }

/* every one of the 2^15 patterns of six arms: a letter is shared exactly when two arms are not separable */
static void letters_mean_what_they_say(void **state) {
  (void)state;
  enum { N = 6, PAIRS = N * (N - 1) / 2 };
  for (int mask = 0; mask < 1 << PAIRS; mask++) {
    bool separable[N * N] = {false};
    int bit = 0;
    for (int i = 0; i < N; i++)
      for (int j = i + 1; j < N; j++, bit++) separable[i * N + j] = separable[j * N + i] = mask >> bit & 1;
    char letters[N][VLB_LETTERS_SIZE];
    vlb_letters(N, separable, letters);
    for (int i = 0; i < N; i++)
      for (int j = i + 1; j < N; j++)
        if (share(letters[i], letters[j]) == separable[i * N + j]) fail_msg("pattern %d: arms %d %d: %s %s", mask, i, j, letters[i], letters[j]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wilson_published), cmocka_unit_test(newcombe_published), cmocka_unit_test(tango_published),
      cmocka_unit_test(tango_edges),      cmocka_unit_test(mcnemar_published),  cmocka_unit_test(holm_published),
      cmocka_unit_test(wilson_covers),    cmocka_unit_test(mcnemar_keeps_level), cmocka_unit_test(tango_covers),
      cmocka_unit_test(letters_mean_what_they_say)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
