/* Real-time chunking: weights and strengths against closed forms and the specification's table, and the guided flow against its own definition. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/core/model/sample.h"

static void expect_weights(int schedule, int n, int delay, int horizon, const double *wanted) {
  float w[8];
  const vlb_guidance g = {.n = n, .delay = delay, .horizon = horizon, .schedule = schedule};
  vlb_guidance_weights(&g, 8, w);
  for (int i = 0; i < 8; i++) assert_float_equal(w[i], (float)wanted[i], 1e-6f);
}

static void test_weights(void **state) {
  (void)state;
  const double e = exp(1) - 1;
  expect_weights(VLB_GUIDE_LINEAR, 8, 2, 6, (const double[]){1, 1, 4 / 5., 3 / 5., 2 / 5., 1 / 5., 0, 0});
  expect_weights(VLB_GUIDE_EXP, 8, 2, 6,
                 (const double[]){1, 1, 0.8 * (exp(0.8) - 1) / e, 0.6 * (exp(0.6) - 1) / e, 0.4 * (exp(0.4) - 1) / e, 0.2 * (exp(0.2) - 1) / e, 0, 0});
  expect_weights(VLB_GUIDE_ONES, 8, 2, 6, (const double[]){1, 1, 1, 1, 1, 1, 0, 0});
  expect_weights(VLB_GUIDE_ZEROS, 8, 2, 6, (const double[]){1, 1, 0, 0, 0, 0, 0, 0});
  expect_weights(VLB_GUIDE_LINEAR, 3, 2, 6, (const double[]){1, 1, 1 / 2., 0, 0, 0, 0, 0}); /* no further than the previous chunk */
  expect_weights(VLB_GUIDE_LINEAR, 8, 9, 4, (const double[]){1, 1, 1, 1, 0, 0, 0, 0});
  expect_weights(VLB_GUIDE_LINEAR, 8, 0, 1, (const double[]){1 / 2., 0, 0, 0, 0, 0, 0, 0});
}

/* section 18: t = 1.0, 0.9, ..., 0.1 */
static void test_strengths(void **state) {
  (void)state;
  static const double wanted[] = {10, 9.1111, 4.25, 2.7619, 2.1667, 2, 2.1667, 2.7619, 4.25, 9.1111};
  for (int s = 0; s < 10; s++) assert_true(fabs(vlb_guidance_strength(1 - s / 10., 10) - wanted[s]) < 5e-5);
  assert_true(fabs(vlb_guidance_strength(0.9, 5) - 5) < 1e-12);
}

typedef struct {
  const vlb_guidance *guidance;
  int T, A, steps, n;
  float *x; /* what every step must find, [n,T,A] */
} follower;

/* x -= (v - strength (previous - (x - t v)) w) / steps, number by number from the definition */
static void follow(void *self, int step, const float *x, const float *v) {
  follower *f = self;
  double t = 1 - (double)step / f->steps;
  for (int b = 0; b < f->n; b++) {
    const vlb_guidance *g = &f->guidance[b];
    float w[64];
    vlb_guidance_weights(g, f->T, w);
    for (int i = 0; i < f->T * f->A; i++) {
      size_t at = (size_t)(b * f->T * f->A + i);
      assert_float_equal(x[at], f->x[at], 2e-5f);
      double x1 = (double)x[at] - t * (double)v[at], previous = i < g->n * f->A ? (double)g->previous[i] : 0;
      double pull = g->n ? vlb_guidance_strength(t, g->most) * (previous - x1) * (double)w[i / f->A] : 0;
      f->x[at] = (float)((double)x[at] - ((double)v[at] - pull) / f->steps);
    }
  }
}

static void test_flow(void **state) {
  (void)state;
  vlb_model *m = model_of("chunk_size=6");
  const vlb_model_config *c = &m->config;
  sample_batch b = batch_of(c, 2, 11, true);
  size_t chunk = (size_t)(c->chunk_size * c->max_action_dim);
  float *plain = malloc(2 * chunk * sizeof(float)), *guided = malloc(2 * chunk * sizeof(float)), *previous = malloc(chunk * sizeof(float));
  follower f = {.T = (int)c->chunk_size, .A = (int)c->max_action_dim, .steps = (int)c->num_steps, .n = 2, .x = malloc(2 * chunk * sizeof(float))};
  for (size_t i = 0; i < chunk; i++) previous[i] = (float)sin((double)i);
  vlb_policy *p;
  assert_int_equal(vlb_policy_create(m, 3, &p, NULL), VLB_OK);
  assert_int_equal(vlb_policy_run(p, 2, &b.batch, plain, NULL), VLB_OK);
  /* the second sample alone is guided: the first does not feel it */
  const vlb_guidance guidance[2] = {{.n = 0}, {.previous = previous, .n = 5, .delay = 2, .horizon = 4, .schedule = VLB_GUIDE_LINEAR, .most = 10}};
  f.guidance = b.batch.guidance = guidance;
  memcpy(f.x, b.noise, 2 * chunk * sizeof(float));
  vlb_policy_watch(p, follow, &f);
  assert_int_equal(vlb_policy_run(p, 2, &b.batch, guided, NULL), VLB_OK);
  assert_memory_equal(plain, guided, chunk * sizeof(float));
  for (size_t i = 0; i < 2 * chunk; i++) assert_float_equal(guided[i], f.x[i], 2e-5f);
  assert_memory_not_equal(plain + chunk, guided + chunk, chunk * sizeof(float));
  free(plain), free(guided), free(previous), free(f.x);
  vlb_policy_free(p);
  batch_free(&b);
  vlb_model_free(m);
}

/* Actions of full weight end nearer to the previous chunk than without guidance. */
static void test_pull(void **state) {
  (void)state;
  vlb_model *m = model_of("chunk_size=6");
  const vlb_model_config *c = &m->config;
  sample_batch b = batch_of(c, 1, 12, false);
  size_t chunk = (size_t)(c->chunk_size * c->max_action_dim), width = (size_t)c->max_action_dim;
  float *actions[2] = {malloc(chunk * sizeof(float)), malloc(chunk * sizeof(float))}, *previous = calloc(chunk, sizeof(float));
  const vlb_guidance guidance = {.previous = previous, .n = 6, .delay = 3, .horizon = 3, .schedule = VLB_GUIDE_LINEAR, .most = 10};
  double far[2] = {0};
  vlb_policy *p;
  assert_int_equal(vlb_policy_create(m, 1, &p, NULL), VLB_OK);
  for (int k = 0; k < 2; k++) {
    b.batch.guidance = k ? &guidance : NULL;
    assert_int_equal(vlb_policy_run(p, 1, &b.batch, actions[k], NULL), VLB_OK);
    for (size_t i = 0; i < 3 * width; i++) far[k] += fabs((double)actions[k][i]);
  }
  assert_true(far[1] < 0.5 * far[0]);
  free(actions[0]), free(actions[1]), free(previous);
  vlb_policy_free(p);
  batch_free(&b);
  vlb_model_free(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_weights), cmocka_unit_test(test_strengths), cmocka_unit_test(test_flow),
                                     cmocka_unit_test(test_pull)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
