/* Statistics and normalisation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/rng.h"
#include "core/data/safetensors.h"
#include "core/data/statistics.h"

static void test_values(void **state) {
  (void)state;
  static const double rows[] = {1, 10, 5, 2, 20, 5, 3, 30, 5, 6, 40, 5}; /* [4,3] */
  vlb_stats s;
  vlb_stats_compute(rows, 4, 3, &s);
  assert_int_equal(s.dim, 3);
  assert_int_equal(s.count, 4);
  assert_true(s.mean[0] == 3 && s.mean[1] == 25 && s.mean[2] == 5);
  assert_true(s.std[0] == (float)sqrt(3.5) && s.std[1] == (float)sqrt(125.0) && s.std[2] == 0); /* divided by n, not n-1 */
  assert_true(s.min[0] == 1 && s.max[0] == 6 && s.min[1] == 10 && s.max[1] == 40);
  vlb_stats_compute(rows, 0, 3, &s);
  assert_true(s.mean[0] == 0 && s.std[0] == 0 && s.min[0] == 0);
}

/* Two passes keep the digits that one pass over squares would lose. */
static void test_far_from_zero(void **state) {
  (void)state;
  enum { N = 1000 };
  static double rows[N];
  for (int i = 0; i < N; i++) rows[i] = 1e9 + (i % 2 ? 0.5 : -0.5);
  vlb_stats s;
  vlb_stats_compute(rows, N, 1, &s);
  assert_true(s.std[0] == 0.5f);
}

static void test_normalise(void **state) {
  (void)state;
  vlb_stats s = {.dim = 3, .mean = {1, 2, 3}, .std = {2, 0.5f, 0}};
  const float x[] = {5, 2.25f, 3};
  float z[3], back[3];
  vlb_normalize(&s, x, z);
  assert_true(z[0] == 4 / (2 + 1e-8f) && z[1] == 0.25f / (0.5f + 1e-8f) && z[2] == 0);
  vlb_unnormalize(&s, z, back);
  for (int k = 0; k < 3; k++) assert_true(fabsf(back[k] - x[k]) < 1e-6f);
  /* a constant feature: 1e8 forward, and always its mean backward */
  const float off[] = {0, 0, 4};
  vlb_normalize(&s, off, z);
  assert_true(fabsf(z[2] - 1e8f) < 10);
  vlb_unnormalize(&s, z, back);
  assert_true(back[2] == 3);
}

static void test_files(void **state) {
  (void)state;
  double rows[8 * 60];
  vlb_rng rng = vlb_rng_make(3, VLB_RNG_TEST, 0, 0);
  for (int i = 0; i < 480; i++) rows[i] = vlb_rng_normal(&rng);
  vlb_stats state_stats, action, loaded[2];
  vlb_stats_compute(rows, 60, 8, &state_stats);
  vlb_stats_compute(rows, 68, 7, &action);
  vlb_error err;
  assert_int_equal(vlb_stats_save("s", &state_stats, &action, &err), VLB_OK);
  assert_int_equal(vlb_stats_load("s", &loaded[0], &loaded[1], &err), VLB_OK);
  assert_memory_equal(&loaded[0], &state_stats, sizeof state_stats);
  assert_memory_equal(&loaded[1], &action, sizeof action);
}

/* Files of other programs: only mean and std are needed, sizes must agree. */
static void test_foreign_files(void **state) {
  (void)state;
  static const float x[80] = {1, 2, 3};
  static const float nan_values[] = {1, NAN, 2};
  vlb_st_entry e[] = {
      {.name = "observation.state.mean", .ndim = 1, .dims = {3}, .data = x}, {.name = "observation.state.std", .ndim = 1, .dims = {3}, .data = x},
      {.name = "action.mean", .ndim = 1, .dims = {2}, .data = x},            {.name = "action.std", .ndim = 1, .dims = {2}, .data = x},
  };
  vlb_stats s, a;
  vlb_error err;
  assert_int_equal(vlb_safetensors_write("f", e, 4, &err), VLB_OK);
  assert_int_equal(vlb_stats_load("f", &s, &a, &err), VLB_OK);
  assert_int_equal(s.dim, 3);
  assert_int_equal(a.dim, 2);
  assert_true(s.mean[2] == 3);
  assert_int_equal(vlb_safetensors_write("f", e, 3, &err), VLB_OK);
  assert_int_equal(vlb_stats_load("f", &s, &a, &err), VLB_FAILED);
  assert_string_equal(err.message, "f: no tensor \"action.std\"; it is not a statistics file of a policy");
  e[3].dims[0] = 3;
  assert_int_equal(vlb_safetensors_write("f", e, 4, &err), VLB_OK);
  assert_int_equal(vlb_stats_load("f", &s, &a, &err), VLB_FAILED);
  assert_string_equal(err.message, "f: tensor \"action.std\" has 3 values instead of 2");
  e[2].dims[0] = 65;
  assert_int_equal(vlb_safetensors_write("f", e, 4, &err), VLB_OK);
  assert_int_equal(vlb_stats_load("f", &s, &a, &err), VLB_FAILED);
  assert_string_equal(err.message, "f: tensor \"action.mean\" has 65 values, at most 64 are possible");
  e[2].dims[0] = 3, e[2].data = nan_values;
  assert_int_equal(vlb_safetensors_write("f", e, 4, &err), VLB_OK);
  assert_int_equal(vlb_stats_load("f", &s, &a, &err), VLB_FAILED);
  assert_string_equal(err.message, "f: tensor \"action.mean\" holds a value that is not finite");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_far_from_zero), cmocka_unit_test(test_normalise),
                                     cmocka_unit_test(test_files), cmocka_unit_test(test_foreign_files)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
