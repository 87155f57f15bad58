/* Philox against Random123's published vectors, and the distributions built on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"

/* kat_vectors of Random123, "philox4x32 10" */
static void test_known_answers(void **state) {
  (void)state;
  static const struct {
    uint32_t counter[4], key[2], expected[4];
  } cases[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    vlb_rng rng = {.used = 4};
    memcpy(rng.counter, cases[c].counter, sizeof rng.counter);
    memcpy(rng.key, cases[c].key, sizeof rng.key);
    for (int i = 0; i < 4; i++) assert_int_equal(vlb_rng_u32(&rng), cases[c].expected[i]);
  }
}

/* These numbers are part of every result ever stored: they may never change. */
static void test_streams_are_frozen(void **state) {
  (void)state;
  vlb_rng rng = vlb_rng_make(1000, VLB_RNG_NOISE, 7, 3);
  static const uint32_t expected[6] = {0x963c7603, 0x5923e3fe, 0x5806c6df, 0x3b53b1f7, 0xfb1205dc, 0x3fa85cf7};
  for (int i = 0; i < 6; i++) assert_int_equal(vlb_rng_u32(&rng), expected[i]);
}

static void test_streams_differ(void **state) {
  (void)state;
  vlb_rng base = vlb_rng_make(1, VLB_RNG_TEST, 1, 1);
  vlb_rng others[] = {vlb_rng_make(2, VLB_RNG_TEST, 1, 1), vlb_rng_make(1ull << 32 | 1, VLB_RNG_TEST, 1, 1),
                      vlb_rng_make(1, VLB_RNG_NOISE, 1, 1), vlb_rng_make(1, VLB_RNG_TEST, 2, 1), vlb_rng_make(1, VLB_RNG_TEST, 1, 2)};
  uint32_t first = vlb_rng_u32(&base);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) assert_int_not_equal(vlb_rng_u32(&others[i]), first);
}

static void test_counter_carries(void **state) {
  (void)state;
  vlb_rng rng = vlb_rng_make(5, VLB_RNG_TEST, 0, 0);
  rng.counter[0] = 0xffffffff;
  for (int i = 0; i < 5; i++) vlb_rng_u32(&rng);
  assert_int_equal(rng.counter[0], 1);
  assert_int_equal(rng.counter[1], 1);
}

static void test_uniform(void **state) {
  (void)state;
  enum { N = 200000, BINS = 20 };
  vlb_rng rng = vlb_rng_make(11, VLB_RNG_TEST, 0, 0);
  double sum = 0, squares = 0;
  int bins[BINS] = {0};
  for (int i = 0; i < N; i++) {
    double u = vlb_rng_uniform(&rng);
    assert_true(u > 0 && u < 1);
    sum += u, squares += u * u;
    bins[(int)(u * BINS)]++;
  }
  double mean = sum / N, variance = squares / N - mean * mean;
  assert_true(fabs(mean - 0.5) < 5 * sqrt(1.0 / 12 / N));
  assert_true(fabs(variance - 1.0 / 12) < 5 * sqrt(1.0 / 180 / N));
  double chi = 0, expected = (double)N / BINS;
  for (int b = 0; b < BINS; b++) chi += (bins[b] - expected) * (bins[b] - expected) / expected;
  assert_true(chi < 43.8); /* 19 degrees of freedom, p = 0.001 */
  for (int i = 0; i < 1000; i++) {
    double x = vlb_rng_range(&rng, -3, -2);
    assert_true(x >= -3 && x < -2);
  }
}

static void test_below(void **state) {
  (void)state;
  enum { N = 70000 };
  vlb_rng rng = vlb_rng_make(12, VLB_RNG_TEST, 0, 0);
  int bins[7] = {0};
  for (int i = 0; i < N; i++) {
    uint32_t k = vlb_rng_below(&rng, 7);
    assert_true(k < 7);
    bins[k]++;
  }
  double chi = 0;
  for (int b = 0; b < 7; b++) chi += (bins[b] - N / 7.0) * (bins[b] - N / 7.0) / (N / 7.0);
  assert_true(chi < 22.5); /* 6 degrees of freedom, p = 0.001 */
  for (int i = 0; i < 100; i++) assert_int_equal(vlb_rng_below(&rng, 1), 0);
  /* a range just above 2^31 rejects nearly half of the raw numbers; without rejection its lower half would be too frequent */
  int low = 0;
  for (int i = 0; i < 20000; i++) low += vlb_rng_below(&rng, 0x80000001u + 0x40000000u) < 0x60000000u;
  assert_true(abs(low - 10000) < 5 * 71);
}

static void test_normals(void **state) {
  (void)state;
  enum { N = 400000 };
  static float x[N];
  vlb_rng rng = vlb_rng_make(13, VLB_RNG_TEST, 0, 0);
  vlb_rng_normals(&rng, x, N);
  double m[5] = {0};
  int beyond = 0;
  for (int i = 0; i < N; i++) {
    double v = (double)x[i];
    assert_true(isfinite(v));
    for (int k = 1; k < 5; k++) m[k] += pow(v, k) / N;
    beyond += fabs(v) > 1.959963985;
  }
  /* five standard errors of each moment of N(0,1) */
  assert_true(fabs(m[1]) < 5 * sqrt(1.0 / N));
  assert_true(fabs(m[2] - 1) < 5 * sqrt(2.0 / N));
  assert_true(fabs(m[3]) < 5 * sqrt(15.0 / N));
  assert_true(fabs(m[4] - 3) < 5 * sqrt(96.0 / N));
  assert_true(fabs(beyond - 0.05 * N) < 5 * sqrt(0.05 * 0.95 * N));
}

static void test_permutation(void **state) {
  (void)state;
  enum { N = 5, DRAWS = 60000 };
  int place[N][N] = {{0}};
  for (uint32_t d = 0; d < DRAWS; d++) {
    vlb_rng rng = vlb_rng_make(14, VLB_RNG_SHUFFLE, d, 0);
    uint32_t p[N], seen = 0;
    vlb_rng_permutation(&rng, p, N);
    for (int i = 0; i < N; i++) seen |= 1u << p[i], place[i][p[i]]++;
    assert_int_equal(seen, (1u << N) - 1);
  }
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) assert_true(fabs(place[i][j] - DRAWS / 5.0) < 5 * sqrt(DRAWS * 0.2 * 0.8));
  vlb_rng a = vlb_rng_make(1, VLB_RNG_SHUFFLE, 3, 0), b = a;
  uint32_t p[100], q[100];
  vlb_rng_permutation(&a, p, 100);
  vlb_rng_permutation(&b, q, 100);
  assert_memory_equal(p, q, sizeof p);
  vlb_rng_permutation(&a, p, 1);
  assert_int_equal(p[0], 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_answers), cmocka_unit_test(test_streams_are_frozen), cmocka_unit_test(test_streams_differ),
      cmocka_unit_test(test_counter_carries), cmocka_unit_test(test_uniform), cmocka_unit_test(test_below),
      cmocka_unit_test(test_normals), cmocka_unit_test(test_permutation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
