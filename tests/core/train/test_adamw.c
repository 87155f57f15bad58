/* AdamW and clipping against PyTorch's numbers, and the promise that any split gives the same bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/train/adamw.h"

enum { N = 40, STEPS = 5 };

static void read_row(FILE *f, int n, float *out) {
  for (int i = 0; i < n; i++) assert_int_equal(fscanf(f, "%f", &out[i]), 1);
}

static FILE *open_fixture(void) {
  char line[256];
  FILE *f = fopen(VLB_TEST_DATA "/train/adamw.txt", "r");
  assert_non_null(f);
  for (int i = 0; i < 2; i++) assert_non_null(fgets(line, sizeof line, f));
  return f;
}

/* a few roundings of the largest term: the moments are sums whose terms may cancel, and torch clips by a float32 norm */
static void compare(const char *what, int step, const float *got, const float *expected) {
  float largest = 0;
  for (int i = 0; i < N; i++) largest = fmaxf(largest, fabsf(expected[i]));
  for (int i = 0; i < N; i++)
    if (fabsf(got[i] - expected[i]) > 4e-7f * largest)
      fail_msg("step %d, %s[%d]: %.9g, expected %.9g", step, what, i, (double)got[i], (double)expected[i]);
}

static void test_against_torch(void **state) {
  (void)state;
  vlb_train_config c;
  vlb_fields_default(vlb_train_fields, &c);
  c.weight_decay = 0.1, c.grad_clip = 1;
  float w[N], m[N] = {0}, v[N] = {0}, head[2], g[N], expected[N];
  FILE *f = open_fixture();
  read_row(f, N, w);
  for (int k = 1; k <= STEPS; k++) {
    read_row(f, 2, head);
    read_row(f, N, g);
    double norm = vlb_adamw(&c, (double)head[0], k, N, w, g, m, v);
    assert_true(fabs(norm - (double)head[1]) < 1e-6 * norm);
    read_row(f, N, expected), compare("weights", k, w, expected);
    read_row(f, N, expected), compare("m", k, m, expected);
    read_row(f, N, expected), compare("v", k, v, expected);
  }
  fclose(f);
}

static void test_clip(void **state) {
  (void)state;
  vlb_train_config c;
  vlb_fields_default(vlb_train_fields, &c);
  c.grad_clip = 10;
  assert_true(vlb_adamw_factors_of(&c, 1e-4, 1, 9).clip == 1);
  assert_true(vlb_adamw_factors_of(&c, 1e-4, 1, 20).clip == (float)(10 / 20.000001));
  c.grad_clip = 0; /* no limit */
  assert_true(vlb_adamw_factors_of(&c, 1e-4, 1, 1e9).clip == 1);
}

static void test_sum_of_squares(void **state) {
  (void)state;
  float x[19];
  double expected = 0;
  for (int n = 0; n < 19; n++) {
    assert_true(vlb_sum_squares(x, (size_t)n) == expected);
    x[n] = (float)(n + 1);
    expected += (double)x[n] * (double)x[n];
  }
  float big[] = {1e30f, 1e30f};
  assert_true(isfinite(vlb_sum_squares(big, 2))); /* would overflow in float */
}

static void test_any_split_is_the_same(void **state) {
  (void)state;
  enum { LONG = VLB_CHUNK + 1234 };
  vlb_train_config c;
  vlb_fields_default(vlb_train_fields, &c);
  float *x[2][4];
  for (int a = 0; a < 2; a++)
    for (int i = 0; i < 4; i++) {
      x[a][i] = malloc(LONG * sizeof(float));
      vlb_rng rng = vlb_rng_make(1, VLB_RNG_TEST, 0, (uint32_t)i);
      vlb_rng_normals(&rng, x[a][i], LONG);
      for (int j = 0; i == 3 && j < LONG; j++) x[a][i][j] = fabsf(x[a][i][j]);
    }
  double norm = vlb_adamw(&c, 1e-3, 3, LONG, x[0][0], x[0][1], x[0][2], x[0][3]);
  double squares = vlb_sum_squares(x[1][1], VLB_CHUNK) + vlb_sum_squares(x[1][1] + VLB_CHUNK, LONG - VLB_CHUNK);
  assert_true(norm == sqrt(squares));
  vlb_adamw_factors f = vlb_adamw_factors_of(&c, 1e-3, 3, norm);
  const size_t cut[] = {0, 7, 1000, VLB_CHUNK, LONG};
  for (int i = 0; i < 4; i++)
    vlb_adamw_apply(&f, cut[i + 1] - cut[i], x[1][0] + cut[i], x[1][1] + cut[i], x[1][2] + cut[i], x[1][3] + cut[i]);
  for (int i = 0; i < 4; i++) {
    assert_memory_equal(x[0][i], x[1][i], LONG * sizeof(float));
    free(x[0][i]), free(x[1][i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_against_torch),
      cmocka_unit_test(test_clip),
      cmocka_unit_test(test_sum_of_squares),
      cmocka_unit_test(test_any_split_is_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
