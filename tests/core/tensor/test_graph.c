/* The graph itself: gradients that meet and part in every order, what is kept, what is counted, what is refused. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/core/tensor/twin.h"

static const double TIGHT = 1e-5;

static value *against_random(twin *t, value *y) {
  int64_t dims[5] = {0};
  memcpy(dims, y->dims, (size_t)y->ndim * sizeof *dims);
  return twin_loss(t, y, twin_constant(t, dims), twin_constant(t, dims), 2);
}

enum { ROWS = 3, WIDTH = 5 };
static value *leaf(twin *t) { return twin_leaf_of(t, AXES(2, ROWS, WIDTH)); }
static value *square(twin *t) { return twin_weight(t, AXES(WIDTH, WIDTH)); }
/* a linear layer of its own weight on x, added to residual */
static value *onto(twin *t, value *x, value *residual) { return twin_linear(t, x, square(t), NULL, residual, 0); }

/* ---- fan-out: the gradient of a sum goes on as that of an addend without a copy, which must never show ---- */

static value *twice_in_one_sum(twin *t) {
  value *x = leaf(t);
  return against_random(t, twin_add(t, x, x));
}
static value *both_roles_of_a_linear(twin *t) {
  value *x = leaf(t);
  return against_random(t, onto(t, x, x));
}
static value *residual_chain(twin *t) { /* x -> x + f(x) -> ... four times, as a transformer */
  value *x = leaf(t);
  for (int i = 0; i < 4; i++) x = onto(t, twin_silu(t, x), x);
  return against_random(t, x);
}
static value *residual_read_late(twin *t) { /* the residual is used again after the sum */
  value *x = leaf(t), *y = onto(t, leaf(t), x), *z = onto(t, y, x);
  return against_random(t, twin_add(t, twin_gate(t, z, x), y));
}
static value *residual_read_early(twin *t) { /* and before it */
  value *x = leaf(t), *a = twin_gelu(t, x), *y = onto(t, a, x), *z = twin_add(t, y, a);
  return against_random(t, twin_add(t, z, x));
}
static value *sum_of_sums(twin *t) { /* a, b, a + b, (a + b) + b, ((a + b) + b) + (a + b) */
  value *a = leaf(t), *b = leaf(t), *c = twin_add(t, a, b), *d = twin_add(t, c, b);
  return against_random(t, twin_add(t, d, c));
}
static value *sum_swapped(twin *t) {
  value *a = leaf(t), *b = leaf(t), *c = twin_add(t, b, a), *d = twin_add(t, b, c);
  return against_random(t, twin_add(t, c, d));
}
static value *passed_twice(twin *t) { /* one gradient handed on through three tensors, the middle one also used elsewhere */
  value *x = leaf(t), *row = twin_leaf_of(t, AXES(2, 1, WIDTH)), *table = twin_leaf_of(t, AXES(ROWS, WIDTH));
  value *a = twin_add_row(t, x, row), *b = twin_add_table(t, a, table), *c = onto(t, a, b);
  return against_random(t, twin_add(t, c, twin_silu(t, b)));
}
static value *row_of_itself(twin *t) { /* one row is its own addend */
  value *x = twin_leaf_of(t, AXES(2, 1, WIDTH)), *y = twin_add_row(t, x, x);
  return against_random(t, twin_add_table(t, y, twin_leaf_of(t, AXES(1, WIDTH))));
}
static value *gate_of_itself(twin *t) {
  value *x = leaf(t);
  return against_random(t, twin_add(t, twin_gate(t, x, x), x));
}
static value *norm_and_residual(twin *t) { /* the shape of a layer: norm, branch, sum, norm, branch, sum */
  value *x = leaf(t), *h = twin_rms_norm(t, x, twin_weight(t, AXES(WIDTH)), 1e-5), *h1 = onto(t, h, x);
  value *n = twin_layer_norm(t, h1, twin_weight(t, AXES(WIDTH)), twin_weight(t, AXES(WIDTH)), 1e-6);
  return against_random(t, onto(t, twin_gate(t, onto(t, n, NULL), onto(t, n, NULL)), h1));
}
static value *loose_ends(twin *t) { /* results that nobody reads, before and between */
  value *x = leaf(t);
  twin_gelu(t, x);
  value *y = onto(t, x, x);
  twin_silu(t, twin_add(t, y, x));
  return against_random(t, y);
}

/* ---- weights in several places: their gradients add up ---- */

static value *weight_twice(twin *t) {
  value *x = leaf(t), *w = square(t), *b = twin_weight(t, AXES(WIDTH)), *norm = twin_weight(t, AXES(WIDTH));
  value *y = twin_linear(t, twin_rms_norm(t, x, norm, 1e-5), w, b, NULL, 0);
  return against_random(t, twin_linear(t, twin_layer_norm(t, y, norm, b, 1e-6), w, b, x, 0));
}
static value *weight_in_other_roles(twin *t) { /* one weight as a matrix, a table of rows and a table of words */
  static const int32_t ids[] = {0, 4, 4, 1, 2, 0};
  value *w = twin_weight(t, AXES(WIDTH, WIDTH)), *words = twin_embed(t, w, twin_ids(t, 2, 3, ids));
  value *spread = twin_assemble(t, 2, (twin_rows[]){{words, 0, 0, 3, 2.0}, {words, 0, 1, 2, 1.0}}, 2);
  return against_random(t, twin_linear(t, twin_add_table(t, spread, w), w, NULL, NULL, 0));
}

/* ---- several streams that meet in attention, as prefix and suffix do ---- */

static value *two_streams(twin *t) {
  enum { D = 4 };
  value *prefix = twin_leaf_of(t, AXES(2, 4, D)), *suffix = twin_leaf_of(t, AXES(2, 3, D)), *wk = twin_weight(t, AXES(D, D)),
        *wv = twin_weight(t, AXES(D, D)), *wq = twin_weight(t, AXES(D, D));
  for (int i = 0; i < 2; i++) {
    value *k[] = {twin_linear(t, prefix, wk, NULL, NULL, 0), twin_linear(t, suffix, wk, NULL, NULL, 0)};
    value *v[] = {twin_linear(t, prefix, wv, NULL, NULL, 0), twin_linear(t, suffix, wv, NULL, NULL, 0)};
    value *q = twin_linear(t, suffix, wq, NULL, NULL, 0), *p = twin_linear(t, prefix, wq, NULL, NULL, 0);
    suffix = twin_add(t, suffix, twin_attention(t, q, k, v, 2, NULL, 2, 2, D / 2));
    prefix = twin_add(t, twin_attention(t, p, k, v, 1, NULL, 2, 2, D / 2), prefix);
  }
  twin_rows parts[] = {{prefix, 0, 0, 4, 1.0}, {suffix, 0, 0, 3, 1.0}};
  return against_random(t, twin_assemble(t, 2, parts, 2));
}

/* nothing to train in some branches: no gradient is built there, and the others do not notice */
static value *constants_between(twin *t) {
  value *c = twin_constant(t, AXES(2, ROWS, WIDTH)), *x = leaf(t), *a = twin_add(t, c, twin_silu(t, c)), *b = twin_add(t, a, x);
  return against_random(t, twin_gate(t, twin_add(t, b, c), a));
}

static void test_fan_out(void **state) {
  (void)state;
  static const struct {
    const char *name;
    twin_case define;
  } cases[] = {
#define CASE(f) {#f, f}
      CASE(twice_in_one_sum), CASE(both_roles_of_a_linear), CASE(residual_chain), CASE(residual_read_late), CASE(residual_read_early),
      CASE(sum_of_sums),      CASE(sum_swapped),            CASE(passed_twice),   CASE(row_of_itself),      CASE(gate_of_itself),
      CASE(norm_and_residual), CASE(loose_ends),            CASE(weight_twice),   CASE(weight_in_other_roles), CASE(two_streams),
      CASE(constants_between),
#undef CASE
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int wrap = 0; wrap < 2; wrap++) twin_check(cases[i].name, cases[i].define, NULL, wrap, TIGHT);
}

/* graphs that nobody thought of: each step picks an op and its inputs from what is there */
static value *random_graph(twin *t) {
  vlb_rng rng = vlb_rng_make((uint64_t)t->p[0], VLB_RNG_TEST, 5, 0);
  value *made[16];
  uint32_t n = 0;
  made[n++] = leaf(t);
  made[n++] = leaf(t);
  made[n++] = twin_constant(t, AXES(2, ROWS, WIDTH));
  value *w = square(t), *norm = twin_weight(t, AXES(WIDTH));
  while (n < 15) {
    /* mostly recent results, so that chains grow long */
    value *a = made[n - 1 - vlb_rng_below(&rng, n < 4 ? n : 4)], *b = made[vlb_rng_below(&rng, n)], *y = NULL;
    switch (vlb_rng_below(&rng, 7)) {
      case 0: y = twin_add(t, a, b); break;
      case 1: y = twin_linear(t, twin_rms_norm(t, a, norm, 1e-5), w, NULL, b, 0); break;
      case 2: y = twin_add(t, b, a); break;
      case 3: y = twin_gate(t, a, twin_rms_norm(t, b, norm, 1e-5)); break;
      case 4: y = twin_assemble(t, 2, (twin_rows[]){{a, 0, 1, 2, 0.5}, {b, 0, 0, 1, 1.0}}, 2); break;
      case 5: y = twin_attention(t, a, &b, &a, 1, NULL, 1, 1, WIDTH); break;
      default: y = twin_rms_norm(t, a, norm, 1e-5); break;
    }
    made[n++] = y;
  }
  return against_random(t, twin_rms_norm(t, twin_add(t, made[14], made[13]), norm, 1e-5));
}

static void test_random_graphs(void **state) {
  (void)state;
  char name[32];
  for (int64_t i = 0; i < 40; i++) {
    snprintf(name, sizeof name, "random graph %d", (int)i);
    /* a dozen ops in a row, some of them steep: still far below what a missing or doubled gradient would do */
    twin_check(name, random_graph, &i, i % 2, 1e-4);
  }
}

/* ---- what is built and counted ---- */

static double flops_of(bool train_first, bool train_second, double *forward, int *gradient_ops) {
  static float w1[6 * 5], w2[4 * 6], x[14 * 5], target[14 * 4], one = 1, gradient[64];
  vlb_graph *g = vlb_graph_new();
  vlb_t in = vlb_input(g, 3, AXES(2, 7, 5)), a = vlb_weight(g, 2, AXES(6, 5), w1, train_first ? 0 : -1);
  vlb_t b = vlb_weight(g, 2, AXES(4, 6), w2, train_second ? 32 : -1), out = vlb_input(g, 3, AXES(2, 7, 4)), scale = vlb_input(g, 1, AXES(1));
  vlb_t h = vlb_silu(g, vlb_linear(g, in, a, VLB_NONE, VLB_NONE, 0)), y = vlb_linear(g, h, b, VLB_NONE, VLB_NONE, 0);
  vlb_t loss = vlb_loss(g, y, out, out, 2);
  assert_true(vlb_graph_trains(g, h) == train_first && vlb_graph_trains(g, y) == (train_first || train_second));
  vlb_graph_reverse(g, loss, scale);
  vlb_error err = {0};
  assert_int_equal(vlb_graph_plan(g, &err), VLB_OK);
  vlb_graph_bind(g, in, x), vlb_graph_bind(g, out, target), vlb_graph_bind(g, scale, &one);
  vlb_graph_profile(g, true);
  vlb_graph_run(g, NULL, 0);
  vlb_graph_run(g, gradient, 64);
  vlb_profile_row rows[16];
  int n = vlb_graph_profile_rows(g, rows, 16);
  double counted = 0;
  *gradient_ops = 0;
  for (int i = 0; i < n; i++) {
    counted += rows[i].flops;
    assert_true(rows[i].seconds >= 0 && (i == 0 || rows[i].seconds <= rows[i - 1].seconds));
    if (!strcmp(rows[i].op, "linear")) assert_int_equal(rows[i].runs, 4); /* two layers, two runs */
    if (strstr(rows[i].op, "back") || strstr(rows[i].op, " d")) *gradient_ops += rows[i].runs;
  }
  *forward = vlb_graph_flops(g, false);
  double all = vlb_graph_flops(g, true);
  assert_true(counted == *forward + all); /* one run without, one with the gradient */
  vlb_graph_profile(g, true);
  assert_int_equal(vlb_graph_profile_rows(g, rows, 1), 1); /* cut off, not overrun */
  assert_int_equal(rows[0].runs, 0);
  vlb_graph_free(g);
  return all;
}

static void test_counts(void **state) {
  (void)state;
  double forward, first = 2.0 * 14 * 5 * 6, second = 2.0 * 14 * 6 * 4;
  int ops;
  assert_true(flops_of(false, false, &forward, &ops) == first + second && forward == first + second && ops == 0);
  assert_true(flops_of(false, true, &forward, &ops) == first + 2 * second); /* dw2 alone */
  assert_int_equal(ops, 2);                                                 /* and the loss */
  assert_true(flops_of(true, false, &forward, &ops) == 2 * first + 2 * second); /* dh, dw1; no dx */
  assert_int_equal(ops, 4);
  assert_true(flops_of(true, true, &forward, &ops) == 2 * first + 3 * second);
  assert_int_equal(ops, 5);
}

/* the scale reaches every gradient and nothing else */
static void test_scale(void **state) {
  (void)state;
  static const float w[] = {1, -2, 3, 4}, target[] = {0, 1, 0, 1}, weight[] = {1, 1, 0, 2};
  float scale = 1, gradient[2][16], loss[4];
  vlb_graph *g = vlb_graph_new();
  vlb_t x = vlb_weight(g, 3, AXES(1, 2, 2), w, 0), t = vlb_input(g, 3, AXES(1, 2, 2)), u = vlb_input(g, 3, AXES(1, 2, 2)), s = vlb_input(g, 1, AXES(1));
  vlb_t y = vlb_loss(g, x, t, u, 2);
  vlb_graph_keep(g, y);
  vlb_graph_reverse(g, y, s);
  vlb_error err = {0};
  assert_int_equal(vlb_graph_plan(g, &err), VLB_OK);
  vlb_graph_bind(g, t, target), vlb_graph_bind(g, u, weight), vlb_graph_bind(g, s, &scale);
  vlb_graph_run(g, gradient[0], 16);
  memcpy(loss, vlb_graph_data(g, y), sizeof loss);
  scale = 0.25f;
  vlb_graph_run(g, gradient[1], 16);
  assert_memory_equal(loss, vlb_graph_data(g, y), sizeof loss);
  static const float wanted[] = {2, -6, 0, 12};
  for (int i = 0; i < 4; i++) assert_true(gradient[0][i] == wanted[i] && gradient[1][i] == 0.25f * wanted[i]);
  for (int i = 4; i < 16; i++) assert_true(gradient[0][i] == 0); /* gaps of the vector are zeros */
  vlb_graph_free(g);
}

/* ---- definition errors: remembered, then reported by plan; the first one counts ---- */

typedef void (*mistake)(vlb_graph *g, vlb_t x, vlb_t w, vlb_t ids);
static void wide_linear(vlb_graph *g, vlb_t x, vlb_t w, vlb_t ids) { (void)ids, vlb_linear(g, x, w, VLB_NONE, VLB_NONE, 1); }
static void other_residual(vlb_graph *g, vlb_t x, vlb_t w, vlb_t ids) { (void)ids, vlb_linear(g, x, w, VLB_NONE, w, 0); }
static void made_weight(vlb_graph *g, vlb_t x, vlb_t w, vlb_t ids) { (void)ids, vlb_linear(g, x, vlb_silu(g, w), VLB_NONE, VLB_NONE, 0); }
static void made_table(vlb_graph *g, vlb_t x, vlb_t w, vlb_t ids) { (void)x, vlb_embed(g, vlb_silu(g, w), ids); }
static void unequal_sum(vlb_graph *g, vlb_t x, vlb_t w, vlb_t ids) { (void)ids, vlb_add(g, x, w); }
static void other_norm(vlb_graph *g, vlb_t x, vlb_t w, vlb_t ids) { (void)ids, vlb_rms_norm(g, x, w, 1e-5); }
static void other_row(vlb_graph *g, vlb_t x, vlb_t w, vlb_t ids) { (void)w, (void)ids, vlb_add_row(g, x, x); }
static void odd_shuffle(vlb_graph *g, vlb_t x, vlb_t w, vlb_t ids) { (void)w, (void)ids, vlb_pixel_shuffle(g, x, 2, 2); }
static void long_part(vlb_graph *g, vlb_t x, vlb_t w, vlb_t ids) { (void)w, (void)ids, vlb_assemble(g, 1, &(vlb_rows){x, 0, 2, 2, 1}, 1); }
static void other_heads(vlb_graph *g, vlb_t x, vlb_t w, vlb_t ids) { (void)w, (void)ids, vlb_attention(g, x, &x, &x, 1, VLB_NONE, 3, 2, 2); }
static void other_mask(vlb_graph *g, vlb_t x, vlb_t w, vlb_t ids) { (void)w, (void)ids, vlb_attention(g, x, &x, &x, 1, x, 2, 2, 2); }
static void other_angles(vlb_graph *g, vlb_t x, vlb_t w, vlb_t ids) { (void)w, vlb_rope(g, x, vlb_rope_angles(g, ids, 4)); }
static void ragged_patches(vlb_graph *g, vlb_t x, vlb_t w, vlb_t ids) {
  (void)x, (void)w, (void)ids, vlb_patches(g, vlb_input(g, 4, AXES(1, 3, 6, 8)), 2);
}

static void test_mistakes(void **state) {
  (void)state;
  static const struct {
    mistake make;
    const char *message;
  } cases[] = {
      {wide_linear, "linear: input of width 4 against a weight with 4 columns"},
      {other_residual, "linear: residual of another shape"},
      {made_weight, "linear: a parameter that is trained must be a weight"},
      {made_table, "embed: a parameter that is trained must be a weight"},
      {unequal_sum, "add: inputs of different shapes"},
      {other_norm, "norm: weight of another width"},
      {other_row, "add row: addend of another shape"},
      {odd_shuffle, "pixel shuffle: 2 patches per side, factor 2"},
      {long_part, "assemble: part 0 does not fit"},
      {other_heads, "attention: 3 heads of 2 against 2 key heads in 1 parts"},
      {other_mask, "attention: mask of another shape"},
      {other_angles, "rope: angles of other rows or heads"},
      {ragged_patches, "patches: images of 6 x 8, patches of 2"},
  };
  static const float w[16];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    vlb_graph *g = vlb_graph_new();
    vlb_t x = vlb_input(g, 3, AXES(1, 3, 4)), weight = vlb_weight(g, 2, AXES(2, 4), w, 0), ids = vlb_ids(g, 1, 2);
    cases[i].make(g, x, weight, ids);
    vlb_add(g, weight, x); /* a later mistake, which must not hide the first, nor crash on what is missing */
    vlb_t nothing = vlb_gelu(g, vlb_linear(g, VLB_NONE, weight, VLB_NONE, VLB_NONE, 0));
    vlb_graph_keep(g, nothing);
    vlb_error err = {0};
    assert_int_equal(vlb_graph_plan(g, &err), VLB_FAILED);
    assert_string_equal(err.message, cases[i].message);
    vlb_graph_free(g);
  }
  vlb_graph_free(NULL);
}

static void test_figures(void **state) {
  (void)state;
  print_message("%d cases; largest error of a value %.2g, of a gradient %.2g (of the tensor's largest)\n", twin_worst.cases,
                twin_worst.forward, twin_worst.gradient);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fan_out), cmocka_unit_test(test_random_graphs), cmocka_unit_test(test_counts), cmocka_unit_test(test_scale),
      cmocka_unit_test(test_mistakes), cmocka_unit_test(test_figures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
