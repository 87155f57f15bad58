/* The matrix product with every layout, bias, residual and accumulation, against plain loops in double. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
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

/* k roundings (and those of the addends) of sums of normal numbers, which are about sqrt(k) large and err in both directions */
static double bound_of(int64_t k) { return 0x1p-22 * (16 + (double)k); }

static void check_against_loops(const vlb_gemm_spec *s, const float *a, const float *b, const float *bias, const float *residual,
                                const float *before, const float *c) {
  for (int64_t i = 0; i < s->batch; i++, a += s->m * s->k, b += s->k * s->n)
    for (int64_t m = 0; m < s->m; m++)
      for (int64_t n = 0; n < s->n; n++) {
        int64_t at = (i * s->m + m) * s->n + n;
        double sum = (s->bias ? (double)bias[n] : 0) + (s->residual ? (double)residual[at] : 0) + (s->accumulate ? (double)before[at] : 0);
        for (int64_t k = 0; k < s->k; k++)
          sum += (double)a[s->a_transposed ? k * s->m + m : m * s->k + k] * (double)b[s->b_transposed ? n * s->k + k : k * s->n + n];
        double d = fabs(sum - (double)c[at]);
        if (!(d <= bound_of(s->k))) fail_msg("element %lld,%lld,%lld is %.9g, not %.9g", (long long)i, (long long)m, (long long)n, (double)c[at], sum);
        worst = fmax(worst, d);
      }
}

static void check(const vlb_gemm_spec *s) {
  size_t count = (size_t)(s->batch * s->m * s->n), bytes = count * sizeof(float);
  float *a = numbers((size_t)(s->batch * s->m * s->k), 1), *b = numbers((size_t)(s->batch * s->k * s->n), 2), *bias = numbers((size_t)s->n, 3);
  float *residual = numbers(count, 4), *before = numbers(count, 5), *c = numbers(count, 5), *again = numbers(count, 5);
  vlb_gemm *g = NULL;
  vlb_error err = {0};
  if (vlb_gemm_create(s, &g, &err)) fail_msg("%s", err.message);
  void *scratch = numbers(vlb_gemm_scratch(g) / sizeof(float) + 16, 6);
  vlb_gemm_run(g, a, b, s->bias ? bias : NULL, s->residual ? residual : NULL, c, scratch);
  check_against_loops(s, a, b, bias, residual, before, c);
  allocations_clear();
  vlb_gemm_run(g, a, b, s->bias ? bias : NULL, s->residual ? residual : NULL, again, scratch);
  assert_true(allocations().ours == 0 && allocations().largest <= allocations_allowed());
  assert_memory_equal(c, again, bytes);
  vlb_gemm_free(g);
  free(a), free(b), free(bias), free(residual), free(before), free(c), free(again), free(scratch);
}

/* options: bit 0 A transposed, 1 B transposed, 2 bias, 3 residual, 4 accumulate; a second time with same_rows where that is offered */
static void check_form(int64_t batch, int64_t m, int64_t n, int64_t k, int options) {
  check(&(vlb_gemm_spec){.batch = batch, .m = m, .n = n, .k = k, .a_transposed = options & 1, .b_transposed = options >> 1 & 1,
                         .bias = options >> 2 & 1, .residual = options >> 3 & 1, .accumulate = options >> 4 & 1});
  if (batch > 1 || options & 17) return;
  check(&(vlb_gemm_spec){.batch = 1, .m = m, .n = n, .k = k, .b_transposed = options >> 1 & 1, .bias = options >> 2 & 1,
                         .residual = options >> 3 & 1, .same_rows = 1});
}

static void test_forms(void **state) {
  (void)state;
  static const int64_t sizes[] = {1, 7, 17, 33};
  for (int i = 0; i < 64; i++)
    for (int options = 0; options < 24; options++) /* no product both adds a residual and accumulates */
      check_form(1, sizes[i / 16], sizes[i / 4 % 4], sizes[i % 4], options);
  for (int options = 0; options < 24; options++) {
    check_form(1, 64, 48, 96, options);
    check_form(1, 5, 16, 200, options);
  }
}

static void test_batches(void **state) {
  (void)state;
  static const int64_t shapes[][3] = {{1, 1, 1}, {1, 7, 3}, {7, 1, 3}, {7, 3, 1}, {3, 17, 8}, {33, 5, 7}, {16, 16, 16}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int options = 0; options < 4; options++) {
      check_form(2, shapes[i][0], shapes[i][1], shapes[i][2], options);
      check_form(12, shapes[i][0], shapes[i][1], shapes[i][2], options);
      check_form(3, shapes[i][0], shapes[i][1], shapes[i][2], options | 16);
    }
}

/* with same_rows a row of C depends on its row of A alone, bit by bit, wherever it stands: what lets episodes be grouped freely */
static void test_rows_do_not_depend_on_their_place(void **state) {
  (void)state;
  enum { MOST = 500 };
  static const int64_t rows[] = {1, 2, 5, 13, 53, 54, 55, 67, 113, 482}, widths[][2] = {{1, 7}, {50, 33}, {96, 96}, {256, 72}, {720, 200}};
  for (int w = 0; w < 5; w++)
    for (int options = 0; options < 4; options++) {
      int64_t n = widths[w][0], k = widths[w][1];
      float *a = numbers((size_t)(MOST * k), 1), *b = numbers((size_t)(n * k), 2), *bias = numbers((size_t)n, 3), *first = numbers((size_t)n, 4);
      float *residual = numbers((size_t)(MOST * n), 5), *c = numbers((size_t)(MOST * n), 6);
      size_t row = (size_t)n * sizeof *c;
      for (int m = 1; m < MOST; m++) memcpy(a + m * k, a, (size_t)k * sizeof *a), memcpy(residual + m * n, residual, row);
      for (int i = 0; i < 10; i++) {
        vlb_gemm_spec s = {.batch = 1, .m = rows[i], .n = n, .k = k, .b_transposed = 1, .bias = options & 1, .residual = options / 2, .same_rows = 1};
        vlb_gemm *g = NULL;
        assert_int_equal(vlb_gemm_create(&s, &g, NULL), VLB_OK);
        void *scratch = numbers(vlb_gemm_scratch(g) / sizeof(float) + 16, 6);
        vlb_gemm_run(g, a, b, s.bias ? bias : NULL, s.residual ? residual : NULL, c, scratch);
        if (i == 0) memcpy(first, c, row);
        for (int m = 0; m < rows[i]; m++) assert_memory_equal(first, c + m * n, row);
        vlb_gemm_free(g);
        free(scratch);
      }
      free(a), free(b), free(bias), free(first), free(residual), free(c);
    }
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
  vlb_gemm_spec s = {.batch = 1, .m = SIDE, .n = SIDE, .k = SIDE};
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
  vlb_gemm_spec s = {.batch = 1, .m = -3, .n = 4, .k = 4};
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
