/* The matrix product with every stride form, bias, residual and accumulation, against plain loops in double. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/pool.h"
#include "core/base/rng.h"
#include "core/tensor/backend.h"
#include "tests/core/tensor/allocations.h"

static double worst;

static float *numbers(size_t count, uint32_t stream) {
  float *p = aligned_alloc(64, (count * sizeof *p + 127) & ~(size_t)63);
  assert_non_null(p);
  vlb_rng rng = vlb_rng_make(1, VLB_RNG_TEST, stream, 0);
  vlb_rng_normals(&rng, p, count);
  return p;
}

static size_t reach(int64_t batch, int64_t batch_stride, int64_t rows, int64_t row, int64_t cols, int64_t col) {
  return (size_t)((batch - 1) * batch_stride + (rows - 1) * row + (cols - 1) * col + 1);
}

/* k roundings (and those of the addends) of sums of normal numbers, which are about sqrt(k) large and err in both directions */
static double bound_of(int64_t k) { return 0x1p-23 * (16 + (double)k); }

static void check_against_loops(const vlb_gemm_spec *s, const float *a, const float *b, const float *bias, const float *residual,
                                const float *before, const float *c) {
  for (int64_t i = 0; i < s->batch; i++)
    for (int64_t m = 0; m < s->m; m++)
      for (int64_t n = 0; n < s->n; n++) {
        int64_t at = i * s->c_batch + m * s->c_row + n;
        double sum = (s->bias ? (double)bias[n] : 0) + (s->residual ? (double)residual[at] : 0) + (s->accumulate ? (double)before[at] : 0);
        for (int64_t k = 0; k < s->k; k++)
          sum += (double)a[i * s->a_batch + m * s->a_row + k * s->a_col] * (double)b[i * s->b_batch + k * s->b_row + n * s->b_col];
        double d = fabs(sum - (double)c[at]) / bound_of(s->k);
        if (!(d <= 1)) fail_msg("element %lld,%lld,%lld is %.9g, not %.9g", (long long)i, (long long)m, (long long)n, (double)c[at], sum);
        worst = fmax(worst, fabs(sum - (double)c[at]));
      }
}

/* rows between the product's own rows stay as they were */
static void check_gaps(const vlb_gemm_spec *s, const float *before, const float *c) {
  for (int64_t i = 0; i < s->batch; i++)
    for (int64_t m = 0; m + 1 < s->m; m++)
      for (int64_t n = s->n; n < s->c_row; n++)
        assert_memory_equal(before + i * s->c_batch + m * s->c_row + n, c + i * s->c_batch + m * s->c_row + n, sizeof *c);
}

static void check(const vlb_gemm_spec *s) {
  size_t count = reach(s->batch, s->c_batch, s->m, s->c_row, s->n, 1);
  float *a = numbers(reach(s->batch, s->a_batch, s->m, s->a_row, s->k, s->a_col), 1);
  float *b = numbers(reach(s->batch, s->b_batch, s->k, s->b_row, s->n, s->b_col), 2);
  float *bias = numbers((size_t)s->n, 3), *residual = numbers(count, 4), *before = numbers(count, 5), *c = numbers(count, 5), *again = numbers(count, 5);
  vlb_gemm *g = NULL;
  vlb_error err = {0};
  if (vlb_gemm_create(s, &g, &err)) fail_msg("%s", err.message);
  void *scratch = numbers(vlb_gemm_scratch(g) / sizeof(float) + 16, 6);
  vlb_gemm_run(g, a, b, s->bias ? bias : NULL, s->residual ? residual : NULL, c, scratch);
  check_against_loops(s, a, b, bias, residual, before, c);
  check_gaps(s, before, c);
  allocations_clear();
  vlb_gemm_run(g, a, b, s->bias ? bias : NULL, s->residual ? residual : NULL, again, scratch);
  assert_int_equal(allocations().ours, 0);
  assert_memory_equal(c, again, count * sizeof *c);
  vlb_gemm_free(g);
  free(a), free(b), free(bias), free(residual), free(before), free(c), free(again), free(scratch);
}

/* options: bit 0 A transposed, 1 B transposed, 2 bias, 3 residual, 4 accumulate; pad: spare floats after each row */
static void check_form(int64_t batch, int64_t m, int64_t n, int64_t k, int options, int64_t pad) {
  bool at = options & 1, bt = options & 2;
  int64_t a_row = (at ? m : k) + pad, b_row = (bt ? k : n) + pad;
  check(&(vlb_gemm_spec){.batch = batch, .m = m, .n = n, .k = k,
                         .a_batch = (at ? k : m) * a_row, .a_row = at ? 1 : a_row, .a_col = at ? a_row : 1,
                         .b_batch = (bt ? n : k) * b_row, .b_row = bt ? 1 : b_row, .b_col = bt ? b_row : 1,
                         .c_batch = m * (n + pad), .c_row = n + pad,
                         .bias = options >> 2 & 1, .residual = options >> 3 & 1, .accumulate = options >> 4 & 1});
}

static void test_forms(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{1, 1, 1}, {1, 7, 33}, {7, 1, 17}, {17, 33, 1}, {33, 17, 7}, {64, 48, 96}, {5, 16, 200}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int options = 0; options < 32; options++) {
      if (options >> 3 == 3) continue; /* no product both adds a residual and accumulates */
      for (int64_t pad = 0; pad <= 3; pad += 3) check_form(1, shapes[i][0], shapes[i][1], shapes[i][2], options, pad);
    }
}

static void test_batches(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{1, 1, 1}, {3, 17, 8}, {33, 5, 7}, {16, 16, 16}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int options = 0; options < 4; options++) {
      check_form(2, shapes[i][0], shapes[i][1], shapes[i][2], options, 0);
      check_form(12, shapes[i][0], shapes[i][1], shapes[i][2], options, 0);
      check_form(3, shapes[i][0], shapes[i][1], shapes[i][2], options | 16, 0);
    }
}

/* a row of C depends on its row of A alone, bit by bit, wherever it stands: what lets episodes be grouped freely */
static void test_rows_do_not_depend_on_their_place(void **state) {
  (void)state;
  enum { M = 67, N = 50, K = 33 };
  vlb_gemm_spec s = {.batch = 1, .m = M, .n = N, .k = K, .a_row = K, .a_col = 1, .b_row = 1, .b_col = K, .c_row = N};
  float *a = numbers(M * K, 1), *b = numbers(N * K, 2), *c = numbers(M * N, 3);
  for (int m = 1; m < M; m++) memcpy(a + m * K, a, K * sizeof *a);
  vlb_gemm *g = NULL;
  assert_int_equal(vlb_gemm_create(&s, &g, NULL), VLB_OK);
  void *scratch = numbers(vlb_gemm_scratch(g) / sizeof(float) + 16, 6);
  vlb_gemm_run(g, a, b, NULL, NULL, c, scratch);
  for (int m = 1; m < M; m++) assert_memory_equal(c, c + m * N, N * sizeof *c);
  vlb_gemm_free(g);
  free(a), free(b), free(c), free(scratch);
}

/* the same bits on any worker thread */
typedef struct {
  const float *a, *b;
  float *c;
} thread_case;
enum { SIDE = 65 };
static vlb_code multiply_once(void *self, int index, int worker, vlb_error *err) {
  thread_case *t = self;
  (void)worker;
  vlb_gemm_spec s = {.batch = 1, .m = SIDE, .n = SIDE, .k = SIDE, .a_row = SIDE, .a_col = 1, .b_row = SIDE, .b_col = 1, .c_row = SIDE};
  vlb_gemm *g = NULL;
  VLB_TRY(vlb_gemm_create(&s, &g, err));
  void *scratch = aligned_alloc(64, (vlb_gemm_scratch(g) + 127) & ~(size_t)63);
  vlb_gemm_run(g, t->a, t->b, NULL, NULL, t->c + index * SIDE * SIDE, scratch);
  free(scratch);
  vlb_gemm_free(g);
  return VLB_OK;
}
static void test_threads(void **state) {
  (void)state;
  enum { JOBS = 12 };
  float *a = numbers(SIDE * SIDE, 1), *b = numbers(SIDE * SIDE, 2), *c = numbers(JOBS * SIDE * SIDE, 3);
  thread_case t = {a, b, c};
  vlb_error err = {0};
  assert_int_equal(vlb_parallel(4, JOBS, multiply_once, &t, &err), VLB_OK);
  for (int i = 1; i < JOBS; i++) assert_memory_equal(c, c + i * SIDE * SIDE, SIDE * SIDE * sizeof *c);
  free(a), free(b), free(c);
}

static void test_impossible(void **state) {
  (void)state;
  vlb_gemm_spec s = {.batch = 1, .m = -3, .n = 4, .k = 4, .a_row = 4, .a_col = 1, .b_row = 4, .b_col = 1, .c_row = 4};
  vlb_gemm *g = NULL;
  vlb_error err = {0};
  assert_int_equal(vlb_gemm_create(&s, &g, &err), VLB_FAILED);
  assert_null(g);
  assert_non_null(strstr(err.message, "oneDNN cannot plan a matrix product [1 x -3 x 4 x 4]: status "));
  vlb_gemm_free(NULL);
}

static void test_report(void **state) {
  (void)state;
  int major = 0, minor = -1, patch = -1;
  assert_int_equal(sscanf(vlb_backend_version(), "%d.%d.%d", &major, &minor, &patch), 3);
  assert_true(major >= 2 && minor >= 0 && patch >= 0);
  assert_true(strlen(vlb_backend_isa()) > 0);
  assert_true(vlb_backend_matmul_seconds(32, 32, 32, 0.001) > 0);
  assert_true(vlb_backend_matmul_rate(2, 0.01) > 0);
  print_message("oneDNN %s on %s; largest error of a product %.2g\n", vlb_backend_version(), vlb_backend_isa(), worst);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_forms),      cmocka_unit_test(test_batches), cmocka_unit_test(test_rows_do_not_depend_on_their_place),
      cmocka_unit_test(test_threads),    cmocka_unit_test(test_impossible), cmocka_unit_test(test_report),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
