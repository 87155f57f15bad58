/* Products of packed panels: against plain loops in double, the same bits for a row in any company, bfloat16 rounding. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/tensor/panel.h"

static float *numbers(size_t n, uint32_t key) {
  float *x = aligned_alloc(64, (n * sizeof *x + 127) / 64 * 64);
  vlb_rng rng = vlb_rng_make(9, VLB_RNG_TEST, key, 0);
  assert_non_null(x);
  vlb_rng_normals(&rng, x, n);
  return x;
}

/* C [m,n] by panels, rows of C as long as the padded width */
static void multiply(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *packed, float *c) {
  int64_t ldc = vlb_panel_floats(n, 1);
  for (int64_t j = 0; j < vlb_panel_count(n); j++)
    vlb_panel_multiply(m, k, a, lda, packed + vlb_panel_offset(k, j), vlb_panel_width(n, j), false, c + j * VLB_PANEL, ldc);
}

static void check(int64_t m, int64_t n, int64_t k) {
  int64_t ldc = vlb_panel_floats(n, 1), lda = k + 3;
  float *a = numbers((size_t)(m * lda), 1), *w = numbers((size_t)(n * k), 2), *packed = numbers((size_t)vlb_panel_floats(n, k), 3);
  float *other = numbers((size_t)vlb_panel_floats(n, k), 4), *b = numbers((size_t)(n * k), 5), *c = numbers((size_t)(m * ldc), 6), *one = numbers((size_t)ldc, 7);
  for (int64_t i = 0; i < n; i++)
    for (int64_t p = 0; p < k; p++) b[p * n + i] = w[i * k + p];
  for (int64_t j = 0; j < vlb_panel_count(n); j++) {
    vlb_panel_pack_rows(w, k, n, k, j, packed + vlb_panel_offset(k, j));
    vlb_panel_pack_columns(b, n, n, k, j, other + vlb_panel_offset(k, j));
  }
  assert_memory_equal(packed, other, (size_t)vlb_panel_floats(n, k) * sizeof *packed);
  multiply(m, n, k, a, lda, packed, c);
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < ldc; j++) {
      double sum = 0, size = 0;
      for (int64_t p = 0; p < k && j < n; p++) sum += (double)a[i * lda + p] * (double)w[j * k + p], size += fabs((double)a[i * lda + p] * (double)w[j * k + p]);
      if (!(fabs((double)c[i * ldc + j] - sum) <= 1e-6 * size)) fail_msg("[%d x %d x %d] at %d, %d: %g, not %g", (int)m, (int)n, (int)k, (int)i, (int)j, (double)c[i * ldc + j], sum);
    }
  for (int64_t i = 0; i < m; i++) { /* each row by itself */
    multiply(1, n, k, a + i * lda, lda, packed, one);
    assert_memory_equal(one, c + i * ldc, (size_t)ldc * sizeof *one);
  }
  free(a), free(w), free(packed), free(other), free(b), free(c), free(one);
}

static void test_products(void **state) {
  (void)state;
  static const int64_t m[] = {1, 2, 5, 6, 7, 13, 50}, n[] = {1, 15, 16, 40, 64, 65, 130, 192}, k[] = {1, 7, 64, 128, 129, 300};
  for (size_t x = 0; x < sizeof m / sizeof *m; x++)
    for (size_t y = 0; y < sizeof n / sizeof *n; y++)
      for (size_t z = 0; z < sizeof k / sizeof *k; z++) check(m[x], n[y], k[z]);
}

static void test_adds(void **state) {
  (void)state;
  float *a = numbers(6 * 200, 1), *b = numbers(200 * 64, 2), *whole = numbers(6 * 64, 3), *parts = numbers(6 * 64, 4);
  vlb_panel_multiply(6, 200, a, 200, b, 64, false, whole, 64);
  vlb_panel_multiply(6, 128, a, 200, b, 64, false, parts, 64);
  vlb_panel_multiply(6, 72, a + 128, 200, b + 128 * 64, 64, true, parts, 64);
  assert_memory_equal(whole, parts, 6 * 64 * sizeof *whole);
  free(a), free(b), free(whole), free(parts);
}

/* a product with a weight in bfloat16 is that with the rounded weight */
static void test_bf16(void **state) {
  (void)state;
  enum { M = 7, N = 40, K = 150 };
  int64_t width = vlb_panel_width(N, 0); /* with padding where vectors are wide */
  float *a = numbers(M * K, 1), *w = numbers(N * K, 2), *c = numbers(M * 48, 3), *wanted = numbers(M * 48, 4), *packed = numbers(48 * K, 5);
  uint16_t *half = calloc(48 * K + 64, sizeof *half);
  assert_non_null(half);
  vlb_panel_pack_bf16(w, K, N, K, 0, half);
  for (int i = 0; i < N * K; i++) {
    uint32_t bits = (uint32_t)vlb_to_bf16(w[i]) << 16;
    memcpy(&w[i], &bits, sizeof bits);
  }
  vlb_panel_pack_rows(w, K, N, K, 0, packed);
  vlb_panel_multiply_bf16(M, K, a, K, half, width, false, c, width);
  vlb_panel_multiply(M, K, a, K, packed, width, false, wanted, width);
  assert_memory_equal(c, wanted, (size_t)(M * width) * sizeof *c);
  free(a), free(w), free(c), free(wanted), free(packed), free(half);
}

static void test_rounding(void **state) {
  (void)state;
  static const struct {
    float x;
    uint16_t bits;
  } cases[] = {{0.0f, 0}, {-0.0f, 0x8000}, {1.0f, 0x3f80}, {1.00390625f, 0x3f80}, {1.01171875f, 0x3f82}, {1.005f, 0x3f81}, {-2.5f, 0xc020}, {INFINITY, 0x7f80}, {3.4e38f, 0x7f80}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_int_equal(vlb_to_bf16(cases[i].x), cases[i].bits);
  assert_true((vlb_to_bf16(NAN) & 0x7fff) > 0x7f80);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_products), cmocka_unit_test(test_adds), cmocka_unit_test(test_bf16), cmocka_unit_test(test_rounding)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
