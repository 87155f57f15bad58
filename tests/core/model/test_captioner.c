/* The VLM that tells what it sees: its context is a policy's prefix, an answer sees only what comes before it, and the gradient of
 * its loss is that of its loss. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/model/captioner.h"
#include "tests/core/model/sample.h"

enum { BATCH = 3, ANSWERS = 6, TARGETS = VLB_CAPTION_TARGETS };

typedef struct {
  vlb_model *vlm;
  sample_batch sample;
  int32_t answers[BATCH * ANSWERS], targets[BATCH * ANSWERS * TARGETS];
  float weights[BATCH * ANSWERS * TARGETS];
  vlb_caption_batch batch;
} setting;

static void fill_answers(setting *s) {
  vlb_rng rng = vlb_rng_make(3, VLB_RNG_TEST, 0, 0);
  uint32_t vocab = (uint32_t)s->vlm->config.vocab_size;
  for (int i = 0; i < BATCH * ANSWERS; i++) s->answers[i] = (int32_t)vlb_rng_below(&rng, vocab);
  for (int i = 0; i < BATCH * ANSWERS * TARGETS; i++) {
    s->targets[i] = (int32_t)vlb_rng_below(&rng, vocab);
    s->weights[i] = i / TARGETS % 4 == 1 ? 0 : (float)vlb_rng_uniform(&rng);
  }
}

static setting *open_setting(void) {
  setting *s = calloc(1, sizeof *s);
  vlb_model_config c = config_of("");
  vlb_error err;
  assert_non_null(s);
  if (vlb_model_create_vlm(&c, &s->vlm, &err)) fail_msg("%s", err.message);
  random_weights(s->vlm);
  s->sample = batch_of(&c, BATCH, 1, true);
  memset(s->sample.image_mask, 1, (size_t)(BATCH * c.cameras)); /* a caption's pictures are all there */
  fill_answers(s);
  s->batch = (vlb_caption_batch){s->sample.images, s->sample.tokens, s->sample.token_mask, s->answers, s->targets, s->weights};
  return s;
}

static void close_setting(setting *s) {
  vlb_model_free(s->vlm);
  batch_free(&s->sample);
  free(s);
}

static vlb_captioner *captioner_of(const setting *s, bool trains) {
  static const vlb_captioner_spec spec = {ANSWERS, 2, 0.5};
  vlb_captioner *c;
  vlb_error err;
  if (vlb_captioner_create(s->vlm, &spec, BATCH, trains, &c, &err)) fail_msg("%s", err.message);
  return c;
}

/* The VLM alone has its parameters, all of them trained, its last layer and norm too. */
static void test_vlm_alone(void **state) {
  (void)state;
  setting *s = open_setting();
  vlb_model *whole = model_of("");
  int vlm = 0;
  for (int i = 0; i < whole->param_count; i++) vlm += strstr(whole->params[i].name, ".vlm.") != NULL;
  assert_int_equal(s->vlm->param_count, vlm);
  for (int i = 0; i < s->vlm->param_count; i++) {
    assert_true(s->vlm->params[i].trainable);
    assert_true(vlb_model_find(whole, s->vlm->params[i].name) >= 0);
  }
  vlb_model_free(whole);
  close_setting(s);
}

/* Keys and values of every layer are those that a policy with the same VLM hands to its expert. */
static void test_context_is_a_prefix(void **state) {
  (void)state;
  setting *s = open_setting();
  vlb_model *policy = model_of("attention=cross");
  vlb_captioner *c = captioner_of(s, false);
  vlb_build b;
  vlb_inputs in;
  vlb_error err;
  double loss;
  assert_int_equal(vlb_build_begin(&b, policy, BATCH, false, &err), VLB_OK);
  vlb_build_prefix(&b);
  for (int i = 0; i < policy->shape.vlm_layers; i++) vlb_graph_keep(b.g, b.kv[i].k[SEGMENT_CONTEXT]), vlb_graph_keep(b.g, b.kv[i].v[SEGMENT_CONTEXT]);
  if (vlb_graph_plan(b.g, &err)) fail_msg("%s", err.message);
  assert_int_equal(vlb_inputs_create(&in, &b, &err), VLB_OK);
  vlb_inputs_fill(&in, &b, &s->sample.batch);
  vlb_graph_run(b.g, NULL, 0);
  vlb_captioner_run(c, &s->batch, 1, &loss, NULL);
  for (int i = 0; i < policy->shape.vlm_layers; i++) {
    size_t n = vlb_graph_count(b.g, b.kv[i].k[SEGMENT_CONTEXT]);
    assert_true(distance(vlb_graph_data(b.g, b.kv[i].k[SEGMENT_CONTEXT]), vlb_captioner_kv(c, i, 0), n) < 1e-5);
    assert_true(distance(vlb_graph_data(b.g, b.kv[i].v[SEGMENT_CONTEXT]), vlb_captioner_kv(c, i, 1), n) < 1e-5);
  }
  vlb_inputs_free(&in);
  vlb_graph_free(b.g);
  vlb_build_end(&b);
  vlb_captioner_free(c);
  vlb_model_free(policy);
  close_setting(s);
}

/* A word changes what is said after it, not before it, and not what is seen. */
static void test_answers_are_causal(void **state) {
  (void)state;
  setting *s = open_setting();
  vlb_captioner *c = captioner_of(s, false);
  enum { CHANGED = 3 };
  size_t vocab = (size_t)s->vlm->config.vocab_size, row = vocab * sizeof(float);
  double loss;
  int last = vlb_captioner_depths(c) - 1;
  float *before = malloc(BATCH * ANSWERS * row), key;
  assert_non_null(before);
  vlb_captioner_run(c, &s->batch, 1, &loss, NULL);
  memcpy(before, vlb_captioner_logits(c, last), BATCH * ANSWERS * row);
  key = vlb_captioner_kv(c, 3, 0)[0];
  s->answers[CHANGED] = (s->answers[CHANGED] + 1) % (int32_t)vocab;
  vlb_captioner_run(c, &s->batch, 1, &loss, NULL);
  const float *after = vlb_captioner_logits(c, last);
  assert_memory_equal(before, after, CHANGED * row);
  for (size_t r = CHANGED; r < ANSWERS; r++) assert_memory_not_equal(before + r * vocab, after + r * vocab, row);
  assert_memory_equal(before + ANSWERS * vocab, after + ANSWERS * vocab, (BATCH - 1) * ANSWERS * row); /* other samples */
  assert_true(key == vlb_captioner_kv(c, 3, 0)[0]);
  assert_int_equal(vlb_captioner_depth(c, 0), 2);
  assert_int_equal(vlb_captioner_depth(c, last), 4);
  free(before);
  vlb_captioner_free(c);
  close_setting(s);
}

/* Per tensor: the derivative along the gradient and a random direction, by differences of fourth order of a double sum of float32 losses,
 * whose rounding is some 1e-7. */
static void test_gradient(void **state) {
  (void)state;
  static const double h = 4e-3;
  setting *s = open_setting();
  vlb_model *m = s->vlm;
  vlb_captioner *c = captioner_of(s, true);
  float *gradient = calloc(m->gradient_count, sizeof *gradient), *home = malloc(m->weight_count * sizeof *home);
  double loss, f[4];
  assert_true(gradient && home);
  memcpy(home, m->weights, m->weight_count * sizeof *home);
  vlb_captioner_run(c, &s->batch, 0.1, &loss, gradient);
  for (int p = 0; p < m->param_count; p++) {
    size_t from = m->params[p].offset, count = m->params[p].size;
    vlb_rng rng = vlb_rng_make(7, VLB_RNG_TEST, (uint32_t)p, 0);
    double *d = malloc(count * sizeof *d), size = 0, length = 0, along = 0, unit = 0;
    assert_non_null(d);
    for (size_t i = 0; i < count; i++) {
      d[i] = vlb_rng_normal(&rng);
      size += pow((double)gradient[from + i], 2), length += d[i] * d[i];
    }
    size = sqrt(size), length = sqrt(length);
    for (size_t i = 0; i < count; i++) {
      d[i] = (size > 0 ? (double)gradient[from + i] / size : 0) + d[i] / length;
      unit += d[i] * d[i];
    }
    for (size_t i = 0; i < count; i++) along += (double)gradient[from + i] * (d[i] /= sqrt(unit));
    for (int k = 0; k < 4; k++) {
      for (size_t i = 0; i < count; i++) m->weights[from + i] = (float)((double)home[from + i] + (k % 2 ? -1 : 1) * (1 + k / 2) * h * d[i]);
      vlb_captioner_run(c, &s->batch, 0.1, &f[k], NULL);
    }
    memcpy(m->weights + from, home + from, count * sizeof *home);
    double measured = (8 * (f[0] - f[1]) - (f[2] - f[3])) / (12 * h);
    if (!(fabs(measured - along) < 2e-3 * fabs(along) + 1e-4)) fail_msg("%s: %g by differences, gradient says %g", m->params[p].name, measured, along);
    free(d);
  }
  free(gradient), free(home);
  vlb_captioner_free(c);
  close_setting(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_vlm_alone), cmocka_unit_test(test_context_is_a_prefix),
                                     cmocka_unit_test(test_answers_are_causal), cmocka_unit_test(test_gradient)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
