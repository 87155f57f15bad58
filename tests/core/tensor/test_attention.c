/* vlb_attention: grouped heads, keys in parts, masks, rows without a key; values and gradients as in test_ops.c. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/core/tensor/twin.h"

/* exponentials are good to 2 units in the last place, and gradients of q and k are differences of sums */
static const double TIGHT = 1e-5;

enum { BATCH, QUERIES, HEADS, KV_HEADS, DIM, MASK, KEYS, PARTS = KEYS + 4, FIELDS }; /* KEYS: of up to four parts */
enum { NO_MASK, ROW_MASK, FULL_MASK, EMPTY_MASK, LONELY_MASK };

static value *against_random(twin *t, value *y) {
  int64_t dims[5] = {0};
  memcpy(dims, y->dims, (size_t)y->ndim * sizeof *dims);
  return twin_loss(t, y, twin_constant(t, dims), twin_constant(t, dims), 2);
}

/* [B,rows,keys] of 0 and 1. EMPTY: no key for the first row of every entry; LONELY: only the last key */
static value *mask_of(twin *t, int64_t keys) {
  static float bits[4096];
  const int64_t *p = t->p;
  int64_t rows = p[MASK] == ROW_MASK ? 1 : p[QUERIES];
  vlb_rng rng = vlb_rng_make(11, VLB_RNG_TEST, (uint32_t)p[MASK], (uint32_t)keys);
  if (p[MASK] == NO_MASK) return NULL;
  assert_true(p[BATCH] * rows * keys <= 4096);
  for (int64_t i = 0; i < p[BATCH] * rows * keys; i++) {
    bool empty = p[MASK] == EMPTY_MASK && i / keys % rows == 0;
    bits[i] = (float)(p[MASK] == LONELY_MASK ? i % keys == keys - 1 : !empty && (vlb_rng_below(&rng, 3) > 0 || i % keys == 0));
  }
  return twin_given(t, AXES(p[BATCH], rows, keys), bits);
}

static value *attention_case(twin *t) {
  const int64_t *p = t->p;
  value *k[VLB_MAX_PARTS], *v[VLB_MAX_PARTS], *q = twin_leaf_of(t, AXES(p[BATCH], p[QUERIES], p[HEADS] * p[DIM]));
  int64_t keys = 0;
  for (int64_t i = 0; i < p[PARTS]; i++) {
    k[i] = twin_leaf_of(t, AXES(p[BATCH], p[KEYS + i], p[KV_HEADS] * p[DIM]));
    v[i] = twin_leaf_of(t, AXES(p[BATCH], p[KEYS + i], p[KV_HEADS] * p[DIM]));
    keys += p[KEYS + i];
  }
  return against_random(t, twin_attention(t, q, k, v, (int)p[PARTS], mask_of(t, keys), p[HEADS], p[KV_HEADS], p[DIM]));
}

static void both(const char *name, twin_case define, const int64_t *p) {
  char text[160];
  for (int wrap = 0; wrap < 2; wrap++) {
    snprintf(text, sizeof text, "%s: %lld x %lld queries, %lld/%lld heads of %lld, mask %lld%s", name, (long long)p[0], (long long)p[1],
             (long long)p[2], (long long)p[3], (long long)p[4], (long long)p[5], wrap ? ", activations" : "");
    twin_check(text, define, p, wrap, TIGHT);
  }
}

static void test_shapes(void **state) {
  (void)state;
  static const int64_t cases[][FIELDS] = {
      {1, 1, 1, 1, 1, NO_MASK, 1, 0, 0, 0, 1},  {1, 1, 1, 1, 2, NO_MASK, 7, 0, 0, 0, 1},  {2, 7, 3, 3, 5, NO_MASK, 17, 0, 0, 0, 1},
      {1, 17, 1, 1, 7, NO_MASK, 1, 0, 0, 0, 1}, {3, 5, 6, 2, 8, NO_MASK, 16, 0, 0, 0, 1}, {1, 3, 4, 1, 17, NO_MASK, 33, 0, 0, 0, 1},
      {2, 1, 8, 4, 1, NO_MASK, 9, 0, 0, 0, 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) both("attention", attention_case, cases[i]);
}

static void test_parts(void **state) {
  (void)state;
  static const int64_t cases[][FIELDS] = {
      {2, 4, 6, 2, 8, NO_MASK, 7, 1, 0, 0, 2},    {2, 5, 2, 2, 4, FULL_MASK, 3, 1, 5, 0, 3},  {1, 5, 4, 2, 6, ROW_MASK, 1, 1, 1, 1, 4},
      {3, 2, 2, 1, 7, FULL_MASK, 17, 2, 3, 4, 4}, {2, 3, 6, 3, 2, EMPTY_MASK, 5, 1, 0, 0, 2},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) both("parts", attention_case, cases[i]);
}

static void test_masks(void **state) {
  (void)state;
  for (int64_t mask = ROW_MASK; mask <= LONELY_MASK; mask++) {
    both("mask", attention_case, (int64_t[]){2, 5, 6, 2, 4, mask, 17, 0, 0, 0, 1});
    both("mask", attention_case, (int64_t[]){1, 1, 2, 1, 3, mask, 1, 0, 0, 0, 1});
    both("mask", attention_case, (int64_t[]){3, 3, 4, 4, 8, mask, 33, 0, 0, 0, 1});
  }
}

/* one tensor in several roles: each role's gradient counts */
static value *own_key_case(twin *t) { /* q = k */
  const int64_t *p = t->p;
  value *x = twin_leaf_of(t, AXES(p[BATCH], p[QUERIES], p[HEADS] * p[DIM])), *v = twin_leaf_of(t, AXES(p[BATCH], p[QUERIES], p[HEADS] * p[DIM]));
  return against_random(t, twin_attention(t, x, &x, &v, 1, NULL, p[HEADS], p[HEADS], p[DIM]));
}
static value *key_value_case(twin *t) { /* k = v */
  const int64_t *p = t->p;
  value *q = twin_leaf_of(t, AXES(p[BATCH], p[QUERIES], p[HEADS] * p[DIM])), *x = twin_leaf_of(t, AXES(p[BATCH], 6, p[KV_HEADS] * p[DIM]));
  return against_random(t, twin_attention(t, q, &x, &x, 1, mask_of(t, 6), p[HEADS], p[KV_HEADS], p[DIM]));
}
static value *all_same_case(twin *t) { /* q = k = v, and the keys twice */
  const int64_t *p = t->p;
  value *x = twin_leaf_of(t, AXES(p[BATCH], p[QUERIES], p[HEADS] * p[DIM])), *twice[] = {x, x};
  return against_random(t, twin_attention(t, x, twice, twice, 2, NULL, p[HEADS], p[HEADS], p[DIM]));
}
static value *crossed_case(twin *t) { /* the values of one part are the keys of another */
  const int64_t *p = t->p;
  value *q = twin_leaf_of(t, AXES(p[BATCH], p[QUERIES], p[HEADS] * p[DIM])), *a = twin_leaf_of(t, AXES(p[BATCH], 4, p[KV_HEADS] * p[DIM])),
        *b = twin_leaf_of(t, AXES(p[BATCH], 4, p[KV_HEADS] * p[DIM])), *k[] = {a, b}, *v[] = {b, a};
  return against_random(t, twin_attention(t, q, k, v, 2, NULL, p[HEADS], p[KV_HEADS], p[DIM]));
}

static void test_roles(void **state) {
  (void)state;
  const int64_t p[FIELDS] = {2, 5, 4, 2, 3, FULL_MASK, 0, 0, 0, 0, 0};
  both("q = k", own_key_case, p);
  both("k = v", key_value_case, p);
  both("q = k = v", all_same_case, p);
  both("crossed", crossed_case, p);
}

/* logits far apart: softmax must neither overflow nor lose the tail */
static value *steep_case(twin *t) {
  value *q = twin_leaf_of(t, AXES(1, 3, 4)), *k = twin_leaf_of(t, AXES(1, 9, 4)), *v = twin_leaf_of(t, AXES(1, 9, 4));
  value *steep = twin_assemble(t, 1, &(twin_rows){q, 0, 0, 3, 60.0}, 1);
  return against_random(t, twin_attention(t, steep, &k, &v, 1, NULL, 1, 1, 4));
}
static void test_steep(void **state) {
  (void)state;
  /* a logit of 200 carries its own rounding of 1e-5 into the exponential, and the factor 60 into q's gradient */
  twin_check("steep", steep_case, NULL, false, 1e-3);
}

/* a masked key may hold anything finite: nothing of it comes through, not even rounding */
static void test_masked_keys_are_ignored(void **state) {
  (void)state;
  enum { ROWS = 3, KEYS_ = 18, D = 4 };
  vlb_graph *g = vlb_graph_new();
  vlb_t q = vlb_input(g, 3, AXES(1, ROWS, D)), k = vlb_input(g, 3, AXES(1, KEYS_, D)), v = vlb_input(g, 3, AXES(1, KEYS_, D));
  vlb_t mask = vlb_input(g, 3, AXES(1, 1, KEYS_)), y = vlb_attention(g, q, &k, &v, 1, mask, 1, 1, D);
  float qs[ROWS * D], ks[KEYS_ * D], vs[KEYS_ * D], bits[KEYS_], first[ROWS * D];
  vlb_rng rng = vlb_rng_make(3, VLB_RNG_TEST, 0, 0);
  vlb_rng_normals(&rng, qs, ROWS * D), vlb_rng_normals(&rng, ks, KEYS_ * D), vlb_rng_normals(&rng, vs, KEYS_ * D);
  for (int i = 0; i < KEYS_; i++) bits[i] = i % 5 != 2;
  vlb_graph_keep(g, y);
  vlb_error err = {0};
  assert_int_equal(vlb_graph_plan(g, &err), VLB_OK);
  vlb_graph_bind(g, q, qs), vlb_graph_bind(g, k, ks), vlb_graph_bind(g, v, vs), vlb_graph_bind(g, mask, bits);
  vlb_graph_run(g, NULL, 0);
  memcpy(first, vlb_graph_data(g, y), sizeof first);
  for (int i = 0; i < KEYS_ * D; i++)
    if (i / D % 5 == 2) ks[i] = 1e18f, vs[i] = -3e30f;
  vlb_graph_run(g, NULL, 0);
  assert_memory_equal(first, vlb_graph_data(g, y), sizeof first);
  vlb_graph_free(g);
}

static void test_figures(void **state) {
  (void)state;
  print_message("%d cases; largest error of a value %.2g, of a gradient %.2g (of the tensor's largest)\n", twin_worst.cases,
                twin_worst.forward, twin_worst.gradient);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shapes), cmocka_unit_test(test_parts), cmocka_unit_test(test_masks),
      cmocka_unit_test(test_roles),  cmocka_unit_test(test_masked_keys_are_ignored),
      cmocka_unit_test(test_figures), cmocka_unit_test(test_steep),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
