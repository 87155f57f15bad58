/* Image preparation against the definition of specification section 7, and PNG. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <spng.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/rng.h"
#include "core/data/image.h"

/* The definition once more, in double and pixel by pixel. */
static double expected(const float *in, int h, int w, int size, int y, int x) {
  double r = fmax((double)w / size, (double)h / size);
  int rh = h == size && w == size ? size : (int)(h / r), rw = h == size && w == size ? size : (int)(w / r);
  y -= size - rh, x -= size - rw;
  if (y < 0 || x < 0) return -1;
  double sy = fmax((y + 0.5) * h / rh - 0.5, 0), sx = fmax((x + 0.5) * w / rw - 0.5, 0);
  int y0 = (int)sy, x0 = (int)sx, y1 = y0 + 1 < h ? y0 + 1 : h - 1, x1 = x0 + 1 < w ? x0 + 1 : w - 1;
  double fy = sy - y0, fx = sx - x0;
  double v = (1 - fy) * ((1 - fx) * (double)in[y0 * w + x0] + fx * (double)in[y0 * w + x1]) +
             fy * ((1 - fx) * (double)in[y1 * w + x0] + fx * (double)in[y1 * w + x1]);
  return 2 * v - 1;
}

static void check_case(int h, int w, int size) {
  size_t n = 3 * (size_t)h * (size_t)w, m = 3 * (size_t)size * (size_t)size;
  uint8_t *bytes = malloc(n);
  float *in = malloc(n * sizeof *in), *out = malloc(m * sizeof *out), *from_bytes = malloc(m * sizeof *out);
  assert_true(bytes && in && out && from_bytes);
  vlb_rng rng = vlb_rng_make(4, VLB_RNG_TEST, (uint32_t)h, (uint32_t)w);
  for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)vlb_rng_below(&rng, 256);
  size_t plane = (size_t)h * (size_t)w;
  for (size_t c = 0; c < 3; c++)
    for (size_t i = 0; i < plane; i++) in[c * plane + i] = (float)bytes[3 * i + c] / 255.0f;
  vlb_image_prepare(in, h, w, out, size);
  vlb_image_prepare_u8(bytes, h, w, from_bytes, size);
  assert_memory_equal(out, from_bytes, m * sizeof *out);
  for (int c = 0; c < 3; c++)
    for (int y = 0; y < size; y++)
      for (int x = 0; x < size; x++) {
        double want = expected(in + (size_t)c * plane, h, w, size, y, x), got = (double)out[(c * size + y) * size + x];
        /* coordinates are float32, so a steep edge is met a little beside its place */
        if (fabs(want - got) > 2e-4) fail_msg("%d x %d -> %d: [%d,%d,%d] is %g, not %g", h, w, size, c, y, x, got, want);
      }
  free(bytes);
  free(in);
  free(out);
  free(from_bytes);
}

static void test_against_definition(void **state) {
  (void)state;
  static const int cases[][3] = {{32, 32, 32}, {24, 40, 32}, {50, 20, 32}, {128, 128, 64}, {7, 7, 64},
                                 {1, 1, 8},    {64, 3, 16},  {3, 64, 16},  {1, 500, 8},    {480, 640, 64}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_case(cases[i][0], cases[i][1], cases[i][2]);
}

/* [0 1] stretched to four pixels: samples at -0.25 (clamped), 0.25, 0.75, 1.25 (clamped) */
static void test_by_hand(void **state) {
  (void)state;
  const float in[12] = {0, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1}; /* [3,2,2] */
  float out[48];
  vlb_image_prepare(in, 2, 2, out, 4);
  const float across[] = {-1, -0.5f, 0.5f, 1};
  for (int y = 0; y < 4; y++)
    for (int x = 0; x < 4; x++) {
      assert_true(out[4 * y + x] == across[x]);
      assert_true(out[16 + 4 * y + x] == across[y]);
      assert_true(out[32 + 4 * y + x] == 1);
    }
}

/* Sizes that the specification lists: height, width -> padding on top and on the left of 512. */
static void test_padding(void **state) {
  (void)state;
  static const int cases[][4] = {{480, 640, 128, 0}, {720, 1280, 224, 0}, {256, 256, 0, 0}, {848, 480, 0, 223}, {240, 424, 223, 0}};
  float *out = malloc(3 * 512 * 512 * sizeof *out);
  assert_non_null(out);
  for (size_t i = 0; i < 5; i++) {
    size_t n = 3 * (size_t)cases[i][0] * (size_t)cases[i][1];
    uint8_t *white = malloc(n);
    assert_non_null(white);
    memset(white, 255, n);
    vlb_image_prepare_u8(white, cases[i][0], cases[i][1], out, 512);
    for (int y = 0; y < 512; y++)
      for (int x = 0; x < 512; x++) {
        bool padded = y < cases[i][2] || x < cases[i][3];
        assert_true(fabsf(out[512 * y + x] - (padded ? -1.0f : 1.0f)) < 1e-6f);
      }
    free(white);
  }
  free(out);
}

static void test_rotation(void **state) {
  (void)state;
  uint8_t in[27], out[27], back[27];
  for (int i = 0; i < 27; i++) in[i] = (uint8_t)i;
  vlb_image_view(in, 3, VLB_VIEW_ROTATED, out);
  assert_memory_equal(out, in + 24, 3); /* the last pixel comes first, its colours stay in order */
  assert_memory_equal(out + 12, in + 12, 3);
  vlb_image_view(out, 3, VLB_VIEW_ROTATED, back);
  assert_memory_equal(back, in, 27);
}

static void test_png(void **state) {
  (void)state;
  enum { H = 5, W = 7 };
  uint8_t rgb[3 * H * W], back[3 * H * W];
  for (size_t i = 0; i < sizeof rgb; i++) rgb[i] = (uint8_t)(i * 37);
  vlb_error err;
  char hash[2][VLB_HASH_SIZE], *file;
  size_t size;
  assert_int_equal(vlb_png_write("a.png", rgb, H, W, &err), VLB_OK);
  assert_int_equal(vlb_png_write("b.png", rgb, H, W, &err), VLB_OK);
  vlb_hash_file("a.png", hash[0], &err);
  vlb_hash_file("b.png", hash[1], &err);
  assert_string_equal(hash[0], hash[1]);
  assert_int_equal(vlb_file_read("a.png", &file, &size, &err), VLB_OK);
  spng_ctx *png = spng_ctx_new(0);
  struct spng_ihdr header;
  assert_int_equal(spng_set_png_buffer(png, file, size), 0);
  assert_int_equal(spng_get_ihdr(png, &header), 0);
  assert_int_equal(header.width, W);
  assert_int_equal(header.height, H);
  assert_int_equal(spng_decode_image(png, back, sizeof back, SPNG_FMT_RGB8, 0), 0);
  assert_memory_equal(back, rgb, sizeof rgb);
  spng_ctx_free(png);
  free(file);
  assert_int_equal(vlb_png_write("no/folder.png", rgb, H, W, &err), VLB_FAILED);
  assert_string_equal(err.message, "no/folder.png: cannot write: No such file or directory");
  assert_int_equal(vlb_png_write("zero.png", rgb, 0, W, &err), VLB_FAILED);
  assert_false(vlb_file_exists("zero.png"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_definition), cmocka_unit_test(test_by_hand), cmocka_unit_test(test_padding),
                                     cmocka_unit_test(test_rotation), cmocka_unit_test(test_png)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
