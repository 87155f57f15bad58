/* Every op of core/tensor/graph.h but attention: values against plain loops in double, gradients against central differences. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/core/tensor/twin.h"

/* float32 keeps 6e-8; sums of 33 products, their squares and the quotients of norms stay below this */
static const double TIGHT = 1e-5;

/* loss against a random target with random weights */
static value *against_random(twin *t, value *y, int power) {
  int64_t dims[5] = {0};
  memcpy(dims, y->dims, (size_t)y->ndim * sizeof *dims);
  return twin_loss(t, y, twin_constant(t, dims), twin_constant(t, dims), power);
}

static void both(const char *name, twin_case define, const int64_t *p) {
  char text[128];
  for (int wrap = 0; wrap < 2; wrap++) {
    snprintf(text, sizeof text, "%s %lld %lld %lld%s", name, (long long)p[0], (long long)p[1], (long long)p[2], wrap ? ", activations" : "");
    twin_check(text, define, p, wrap, TIGHT);
  }
}

/* ---- linear: rows, in, out, with bias, with residual, first column, spare columns ---- */

static value *linear_case(twin *t) {
  const int64_t *p = t->p;
  value *x = twin_leaf_of(t, AXES(1, p[0], p[1])), *w = twin_weight(t, AXES(p[2], p[5] + p[1] + p[6]));
  value *bias = p[3] ? twin_weight(t, AXES(p[2])) : NULL, *residual = p[4] ? twin_leaf_of(t, AXES(1, p[0], p[2])) : NULL;
  return against_random(t, twin_linear(t, x, w, bias, residual, p[5]), 2);
}

static void test_linear(void **state) {
  (void)state;
  static const int64_t widths[] = {1, 7, 17, 33};
  for (int64_t i = 0; i < 16; i++)
    both("linear", linear_case, (int64_t[]){i % 3 == 0 ? 1 : 7, widths[i % 4], widths[i / 4], i % 2, i / 2 % 2, 0, 0});
  both("linear, later columns", linear_case, (int64_t[]){5, 7, 17, 1, 1, 3, 0});
  both("linear, middle columns", linear_case, (int64_t[]){5, 17, 7, 1, 0, 3, 2});
  both("linear, first columns", linear_case, (int64_t[]){1, 16, 1, 0, 0, 0, 5});
}

/* the rows of more axes are all rows */
static value *linear_axes_case(twin *t) {
  value *x = twin_leaf_of(t, AXES(2, 3, 2, 5)), *w = twin_weight(t, AXES(3, 5));
  return against_random(t, twin_linear(t, x, w, NULL, NULL, 0), 2);
}

/* two halves of one weight, each on its own input: what the time MLP does */
static value *linear_halves_case(twin *t) {
  value *w = twin_weight(t, AXES(7, 10)), *b = twin_weight(t, AXES(7));
  value *first = twin_linear(t, twin_leaf_of(t, AXES(2, 3, 6)), w, NULL, NULL, 0);
  value *second = twin_linear(t, twin_leaf_of(t, AXES(2, 1, 4)), w, b, NULL, 6);
  return against_random(t, twin_add_row(t, first, second), 2);
}

static void test_linear_sharing(void **state) {
  (void)state;
  both("linear, four axes", linear_axes_case, (int64_t[]){2, 3, 2});
  both("linear, halves of a weight", linear_halves_case, (int64_t[]){7, 6, 4});
}

/* ---- sums: batch, rows, width ---- */

static value *add_case(twin *t) {
  const int64_t *d = AXES(t->p[0], t->p[1], t->p[2]);
  return against_random(t, twin_add(t, twin_leaf_of(t, d), twin_leaf_of(t, d)), 2);
}
static value *add_row_case(twin *t) {
  const int64_t *p = t->p;
  return against_random(t, twin_add_row(t, twin_leaf_of(t, AXES(p[0], p[1], p[2])), twin_leaf_of(t, AXES(p[0], 1, p[2]))), 2);
}
static value *add_table_case(twin *t) {
  const int64_t *p = t->p;
  return against_random(t, twin_add_table(t, twin_leaf_of(t, AXES(p[0], p[1], p[2])), twin_leaf_of(t, AXES(p[1], p[2]))), 2);
}

/* ---- norms: batch, rows, width, thousandths of the scale of what comes in ---- */

static value *scaled_input(twin *t) {
  const int64_t *p = t->p;
  value *x = twin_leaf_of(t, AXES(p[0], p[1], p[2]));
  return twin_assemble(t, p[0], &(twin_rows){x, 0, 0, p[1], (double)p[3] / 1000}, 1);
}
static value *layer_norm_case(twin *t) {
  value *x = scaled_input(t);
  return against_random(t, twin_layer_norm(t, x, twin_weight(t, AXES(t->p[2])), twin_weight(t, AXES(t->p[2])), 1e-6), 2);
}
static value *rms_norm_case(twin *t) {
  value *x = scaled_input(t);
  return against_random(t, twin_rms_norm(t, x, twin_weight(t, AXES(t->p[2])), 1e-5), 2);
}

/* ---- elementwise ---- */

static value *gelu_case(twin *t) { return against_random(t, twin_gelu(t, twin_leaf_of(t, AXES(t->p[0], t->p[1], t->p[2]))), 2); }
static value *silu_case(twin *t) { return against_random(t, twin_silu(t, twin_leaf_of(t, AXES(t->p[0], t->p[1], t->p[2]))), 2); }
static value *gate_case(twin *t) {
  const int64_t *d = AXES(t->p[0], t->p[1], t->p[2]);
  return against_random(t, twin_gate(t, twin_leaf_of(t, d), twin_leaf_of(t, d)), 2);
}
static value *square_case(twin *t) { return against_random(t, twin_leaf_of(t, AXES(t->p[0], t->p[1], t->p[2])), 2); }
static value *distance_case(twin *t) { return against_random(t, twin_leaf_of(t, AXES(t->p[0], t->p[1], t->p[2])), 1); }

static void test_rows(void **state) {
  (void)state;
  static const int64_t shapes[][4] = {{1, 1, 1, 1000}, {2, 3, 7, 1000}, {3, 1, 17, 1000}, {2, 5, 33, 1000}, {1, 2, 64, 1000}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    both("add", add_case, shapes[i]);
    both("add row", add_row_case, shapes[i]);
    both("add table", add_table_case, shapes[i]);
    both("gelu", gelu_case, shapes[i]);
    both("silu", silu_case, shapes[i]);
    both("gate", gate_case, shapes[i]);
    both("squared loss", square_case, shapes[i]);
    both("absolute loss", distance_case, shapes[i]);
    if (shapes[i][2] == 1) continue; /* the norm of one number is its sign: nothing to differentiate */
    both("rms norm", rms_norm_case, shapes[i]);
    both("layer norm", layer_norm_case, shapes[i]);
  }
  /* small enough that eps matters, and large */
  both("rms norm, small", rms_norm_case, (int64_t[]){2, 3, 17, 2});
  both("rms norm, large", rms_norm_case, (int64_t[]){2, 3, 17, 1000000});
  both("layer norm, small", layer_norm_case, (int64_t[]){2, 3, 17, 2});
  both("layer norm, large", layer_norm_case, (int64_t[]){2, 3, 17, 1000000});
}

/* ---- rope: batch, rows, heads, head size ---- */

static const int32_t positions[] = {-1, 0, 0, 1, 2, 48, 177, 1000, 4095, -1, 3, 7};

static value *rope_case(twin *t) {
  const int64_t *p = t->p;
  value *angles = twin_rope_angles(t, twin_ids(t, p[0], p[1], positions), p[3]);
  return against_random(t, twin_rope(t, twin_leaf_of(t, AXES(p[0], p[1], p[2] * p[3])), angles), 2);
}

static void test_rope(void **state) {
  (void)state;
  both("rope", rope_case, (int64_t[]){1, 1, 1, 2});
  both("rope", rope_case, (int64_t[]){2, 6, 3, 8});
  both("rope", rope_case, (int64_t[]){3, 4, 1, 34});
  both("rope", rope_case, (int64_t[]){12, 1, 5, 6});
}

/* the formula itself: float32 carries the period and the angle, so an angle is good to a part in 2^22 */
static void test_rope_angles(void **state) {
  (void)state;
  enum { N = 7, D = 64 };
  static const int32_t at[N] = {-1, 0, 1, 17, 240, 4096, 1000000};
  vlb_graph *g = vlb_graph_new();
  vlb_t ids = vlb_ids(g, 1, N), angles = vlb_rope_angles(g, ids, D);
  vlb_graph_keep(g, angles);
  vlb_error err = {0};
  assert_int_equal(vlb_graph_plan(g, &err), VLB_OK);
  vlb_graph_bind_ids(g, ids, at);
  vlb_graph_run(g, NULL, 0);
  const float *y = vlb_graph_data(g, angles);
  for (int r = 0; r < N; r++)
    for (int j = 0; j < D / 2; j++) {
      double theta = at[r] / pow(10000.0, 2.0 * j / D), bound = 1.2e-7 + fabs(theta) * 0x1p-22;
      assert_true(fabs((double)y[r * D + j] - cos(theta)) <= bound);
      assert_true(fabs((double)y[r * D + D / 2 + j] - sin(theta)) <= bound);
    }
  vlb_graph_free(g);
}

/* ---- moves ---- */

static value *assemble_case(twin *t) {
  value *a = twin_leaf_of(t, AXES(4, 3, t->p[0])), *b = twin_leaf_of(t, AXES(2, 5, t->p[0])), *c = twin_constant(t, AXES(2, 2, t->p[0]));
  twin_rows parts[] = {
      {a, 2, 0, 3, 1.0},   /* a view's tokens */
      {b, 0, 1, 2, 6.928}, /* rows 1 and 2, scaled */
      {c, 0, 0, 2, 1.0},   /* nothing to train */
      {a, 0, 1, 2, 0.5},   /* the same tensor again */
      {b, 0, 2, 3, -2.0},  /* overlapping what was taken before */
      {a, 2, 0, 3, 1.0},   /* and exactly what was taken before */
  };
  return against_random(t, twin_assemble(t, 2, parts, 6), 2);
}

static const int32_t words[] = {0, 4, 4, 2, 10, 0, 0, 3, 10, 4};
static value *embed_case(twin *t) {
  const int64_t *p = t->p;
  return against_random(t, twin_embed(t, twin_weight(t, AXES(11, p[2])), twin_ids(t, p[0], p[1], words)), 2);
}

static value *patches_case(twin *t) { /* views, patches per side, patch; images are inputs, the weight is what trains */
  const int64_t *p = t->p;
  value *x = twin_patches(t, twin_constant(t, AXES(p[0], 3, p[1] * p[2], p[1] * p[2])), p[2]);
  return against_random(t, twin_linear(t, x, twin_weight(t, AXES(5, 3 * p[2] * p[2])), twin_weight(t, AXES(5)), NULL, 0), 2);
}

static value *shuffle_case(twin *t) { /* side, factor, width */
  const int64_t *p = t->p;
  return against_random(t, twin_pixel_shuffle(t, twin_leaf_of(t, AXES(2, p[0] * p[0], p[2])), p[0], p[1]), 2);
}

static void test_moves(void **state) {
  (void)state;
  static const int64_t widths[] = {1, 7, 17, 33};
  for (int i = 0; i < 4; i++) {
    both("assemble", assemble_case, (int64_t[]){widths[i], 0, 0});
    both("embed", embed_case, (int64_t[]){2, 5, widths[i]});
    both("pixel shuffle", shuffle_case, (int64_t[]){4, 2, widths[i]});
  }
  both("pixel shuffle", shuffle_case, (int64_t[]){6, 3, 5});
  both("pixel shuffle, one tile", shuffle_case, (int64_t[]){3, 3, 2});
  both("pixel shuffle, nothing", shuffle_case, (int64_t[]){2, 1, 3});
  both("patches", patches_case, (int64_t[]){2, 2, 3});
  both("patches", patches_case, (int64_t[]){1, 1, 4});
  both("patches", patches_case, (int64_t[]){3, 4, 1});
}

/* orders written out by hand: 2x2 rows of width 2 become one row (dy, dx, channel); patches are read row by row, each row by row */
static void test_order(void **state) {
  (void)state;
  vlb_graph *g = vlb_graph_new();
  vlb_t x = vlb_input(g, 3, AXES(1, 4, 2)), y = vlb_pixel_shuffle(g, x, 2, 2);
  vlb_t image = vlb_input(g, 4, AXES(1, 1, 4, 4)), z = vlb_patches(g, image, 2);
  vlb_graph_keep(g, y), vlb_graph_keep(g, z);
  float in[8], pixels[16];
  for (int i = 0; i < 8; i++) in[i] = (float)i;
  for (int i = 0; i < 16; i++) pixels[i] = (float)i;
  vlb_error err = {0};
  assert_int_equal(vlb_graph_plan(g, &err), VLB_OK);
  vlb_graph_bind(g, x, in), vlb_graph_bind(g, image, pixels);
  vlb_graph_run(g, NULL, 0);
  assert_int_equal(vlb_graph_dim(g, y, 1), 1);
  assert_int_equal(vlb_graph_dim(g, y, 2), 8);
  for (int i = 0; i < 8; i++) assert_true(vlb_graph_data(g, y)[i] == (float)i);
  static const int patches[] = {0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15};
  for (int i = 0; i < 16; i++) assert_true(vlb_graph_data(g, z)[i] == (float)patches[i]);
  vlb_graph_free(g);
}

/* rows, words, targets per row; every third row does not count */
static value *entropy_case(twin *t) {
  const int64_t *p = t->p;
  static const int32_t ids[] = {0, 1, 0, 2, 2, 1, 1, 0, 2, 0, 1, 2, 0, 1, 2, 1, 0, 1, 2, 1};
  static const float weights[] = {1, 0.25f, 0.5f, 0.125f, 0, 0.75f, 2, 0.5f, 0.25f, 1, 0.5f, 0, 0.25f, 1, 0.5f, 0.125f, 0.25f, 1, 0.5f, 0.25f};
  float kept[20];
  for (int i = 0; i < 20; i++) kept[i] = i / p[2] % 3 == 2 ? 0 : weights[i];
  value *loss = twin_cross_entropy(t, twin_leaf_of(t, AXES(2, p[0], p[1])), twin_ids(t, 2, p[0] * p[2], ids),
                                   twin_given(t, AXES(2, p[0], p[2]), kept), 0.75);
  return twin_loss(t, loss, twin_constant(t, AXES(2, p[0], 1)), twin_constant(t, AXES(2, p[0], 1)), 2);
}

static void test_entropy(void **state) {
  (void)state;
  both("cross-entropy", entropy_case, (int64_t[]){3, 3, 1});
  both("cross-entropy", entropy_case, (int64_t[]){5, 7, 1});
  both("cross-entropy, several targets", entropy_case, (int64_t[]){3, 16, 3});
  both("cross-entropy, several targets", entropy_case, (int64_t[]){2, 33, 5});
  both("cross-entropy, one row", entropy_case, (int64_t[]){1, 40, 2});
}

/* logits so far apart that a naive exponential would overflow; and a row that nobody asks for may hold anything */
static void test_entropy_extremes(void **state) {
  (void)state;
  vlb_graph *g = vlb_graph_new();
  vlb_t x = vlb_input(g, 3, AXES(1, 3, 4)), ids = vlb_ids(g, 1, 3), w = vlb_input(g, 3, AXES(1, 3, 1)), y = vlb_cross_entropy(g, x, ids, w, 1);
  vlb_graph_keep(g, y);
  float logits[12] = {900, -900, 0, 0, -1e4f, -1e4f, -1e4f, -1e4f, NAN, NAN, NAN, NAN}, weights[3] = {1, 1, 0};
  int32_t wanted[3] = {1, 2, 0};
  vlb_error err = {0};
  assert_int_equal(vlb_graph_plan(g, &err), VLB_OK);
  vlb_graph_bind(g, x, logits), vlb_graph_bind(g, w, weights), vlb_graph_bind_ids(g, ids, wanted);
  vlb_graph_run(g, NULL, 0);
  assert_true(fabs((double)vlb_graph_data(g, y)[0] - 1800) < 1e-3);
  assert_true(fabs((double)vlb_graph_data(g, y)[1] - log(4)) < 1e-3);
  assert_true(vlb_graph_data(g, y)[2] == 0);
  vlb_graph_free(g);
}

static void test_figures(void **state) {
  (void)state;
  print_message("%d cases; largest error of a value %.2g, of a gradient %.2g (of the tensor's largest)\n", twin_worst.cases,
                twin_worst.forward, twin_worst.gradient);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_linear), cmocka_unit_test(test_linear_sharing), cmocka_unit_test(test_rows),
      cmocka_unit_test(test_rope),   cmocka_unit_test(test_rope_angles),    cmocka_unit_test(test_moves),
      cmocka_unit_test(test_order),  cmocka_unit_test(test_entropy),        cmocka_unit_test(test_entropy_extremes),
      cmocka_unit_test(test_figures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
