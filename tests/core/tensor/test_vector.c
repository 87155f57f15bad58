/* The vectors of floats: partial loads and stores, sums in a fixed order, and the exponential over its whole range. */
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#pragma GCC diagnostic ignored "-Wpsabi" /* everything is inlined: no vector crosses a call */
#include "core/tensor/vector.h"

static float exp_of(float x) { return v_exp(v_set(x))[0]; }

/* difference in units of the last place of the true value, which is a double */
static double ulps(float got, double wanted) {
  int exponent;
  frexp(wanted, &exponent);
  return fabs((double)got - wanted) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

static float next_of(float x, uint32_t step) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits += step;
  memcpy(&x, &bits, sizeof bits);
  return x;
}

/* both signs, every 97th float of the range and every float near its ends and near 0 */
static void test_exp_is_exact_to_two_ulps(void **state) {
  (void)state;
  double worst = 0;
  float where = 0;
  long n = 0;
  for (int sign = 0; sign < 2; sign++) {
    float end = sign ? 87.3f : 88.3f;
    for (float x = FLT_TRUE_MIN; x <= end; n++) {
      float y = sign ? -x : x;
      double d = ulps(exp_of(y), exp((double)y));
      if (d > worst) worst = d, where = y;
      x = next_of(x, end - x < 1e-3f ? 1 : 9973);
    }
  }
  print_message("exp: %ld floats, largest error %.2f units in the last place, at %.9g\n", n, worst, (double)where);
  assert_true(worst <= 2);
}

static void test_exp_ends(void **state) {
  (void)state;
  assert_true(exp_of(0.0f) == 1.0f && exp_of(-0.0f) == 1.0f);
  assert_true(exp_of(FLT_TRUE_MIN) == 1.0f && exp_of(-FLT_TRUE_MIN) == 1.0f && exp_of(FLT_MIN) == 1.0f);
  /* below -87.3 it stays at about 1e-38, a normal number; above 88.3 it stays finite */
  static const float low[] = {-87.3f, -87.4f, -88.0f, -103.0f, -1e4f, -FLT_MAX, -INFINITY};
  for (size_t i = 0; i < sizeof low / sizeof *low; i++) {
    assert_true(exp_of(low[i]) == exp_of(-87.3f));
    assert_true(exp_of(low[i]) >= FLT_MIN && exp_of(low[i]) < 1.3e-38f);
  }
  static const float high[] = {88.3f, 88.5f, 89.0f, 1e4f, FLT_MAX, INFINITY};
  for (size_t i = 0; i < sizeof high / sizeof *high; i++) {
    assert_true(exp_of(high[i]) == exp_of(88.3f));
    assert_true(exp_of(high[i]) > 2e38f && exp_of(high[i]) <= FLT_MAX);
  }
}

static void test_exp_rises(void **state) {
  (void)state;
  float before = 0;
  for (float x = -87.3f; x < 88.3f; x += 1.0f / 4096) {
    float e = exp_of(x);
    assert_true(e >= before);
    before = e;
  }
}

static void test_sigmoid(void **state) {
  (void)state;
  for (float x = -100; x <= 100; x += 0.0137f) {
    float s = v_sigmoid(v_set(x))[0];
    double wanted = 1 / (1 + exp(-(double)x));
    assert_true(s >= 0 && s <= 1);
    assert_true(fabs((double)s - wanted) <= 4e-7 * wanted + 1e-38);
  }
}

/* all lanes are computed alike, and lanes that are not there are neither read nor written */
static void test_lanes(void **state) {
  (void)state;
  float from[VLB_LANES + 1], to[VLB_LANES + 1], whole[VLB_LANES];
  for (int i = 0; i <= VLB_LANES; i++) from[i] = 0.25f * (float)(i - 5);
  v_store(whole, v_exp(v_load(from, VLB_LANES)), VLB_LANES);
  for (int i = 0; i < VLB_LANES; i++) assert_true(whole[i] == exp_of(from[i]));
  for (int n = 0; n <= VLB_LANES + 1; n++) {
    int stored = n < VLB_LANES ? n : VLB_LANES;
    for (int i = 0; i <= VLB_LANES; i++) to[i] = -7;
    vf v = v_load(from, n);
    for (int i = 0; i < VLB_LANES; i++) assert_true(v[i] == (i < n ? from[i] : 0));
    v_store(to, v, n);
    for (int i = 0; i <= VLB_LANES; i++) assert_true(to[i] == (i < stored ? from[i] : -7));
  }
}

static void test_folds(void **state) {
  (void)state;
  float x[VLB_LANES];
  for (int i = 0; i < VLB_LANES; i++) x[i] = (float)((i * 7) % VLB_LANES) - 3;
  vf v = v_load(x, VLB_LANES);
  assert_true(v_sum(v) == VLB_LANES * (VLB_LANES - 7) / 2 && v_top(v) == VLB_LANES - 4);
  /* the tree: half the lanes apart first, so that these cancel exactly although each is far larger than 1 */
  float big[VLB_LANES] = {1e30f, 1};
  big[VLB_LANES / 2] = -1e30f;
  assert_true(v_sum(v_load(big, VLB_LANES)) == 1);
  float larger[VLB_LANES], smaller[VLB_LANES];
  vf a = v_set(2), b = v_set(3);
  v_store(larger, v_max(a, b), VLB_LANES);
  v_store(smaller, v_min(a, b), VLB_LANES);
  assert_true(larger[0] == 3 && larger[VLB_LANES - 1] == 3 && smaller[0] == 2 && smaller[VLB_LANES - 1] == 2);
  assert_true(v_select(a < b, a, b)[0] == 2 && v_select(a > b, a, b)[0] == 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exp_is_exact_to_two_ulps), cmocka_unit_test(test_exp_ends), cmocka_unit_test(test_exp_rises),
      cmocka_unit_test(test_sigmoid), cmocka_unit_test(test_lanes), cmocka_unit_test(test_folds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
