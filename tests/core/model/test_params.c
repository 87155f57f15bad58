/* The named tensors: which are trained, how they start, how they are stored. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "core/data/safetensors.h"
#include "tests/core/model/sample.h"

#define EXPERT "model.vlm_with_expert.lm_expert."
#define TEXT "model.vlm_with_expert.vlm.model.text_model."
#define VISION "model.vlm_with_expert.vlm.model.vision_model."
#define CONNECTOR "model.vlm_with_expert.vlm.model.connector.modality_projection.proj.weight"

static const vlb_param *param(const vlb_model *m, const char *name) {
  int i = vlb_model_find(m, name);
  if (i < 0) fail_msg("no parameter %s", name);
  return &m->params[i];
}
static bool trains(const vlb_model *m, const char *name) { return param(m, name)->trainable; }

/* specification 17.1 */
static void test_freezing(void **state) {
  (void)state;
  static const struct {
    const char *changes;
    int vlm, vision, state, trained_layers; /* text layers 0.. that are trained */
  } cases[] = {
      {"", 0, 0, 1, 0},          {"train_state_proj=false", 0, 0, 0, 0},           {"freeze=vision", 1, 0, 1, 3},
      {"freeze=nothing", 1, 1, 1, 3}, {"freeze=nothing num_vlm_layers=2", 1, 1, 1, 1}, {"freeze=vision attention=cross num_expert_layers=2", 1, 0, 1, 2},
      {"freeze=nothing num_vlm_layers=1", 1, 1, 1, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    vlb_model *m = model_of(cases[i].changes);
    char name[128];
    assert_true(trains(m, CONNECTOR) == cases[i].vlm && trains(m, TEXT "embed_tokens.weight") == cases[i].vlm);
    assert_false(trains(m, TEXT "norm.weight"));
    assert_true(trains(m, VISION "embeddings.patch_embedding.weight") == cases[i].vision);
    assert_true(trains(m, VISION "encoder.layers.0.mlp.fc1.bias") == cases[i].vision && trains(m, VISION "post_layernorm.weight") == cases[i].vision);
    assert_true(trains(m, "model.state_proj.weight") == cases[i].state && trains(m, "model.state_proj.bias") == cases[i].state);
    assert_true(trains(m, "model.action_in_proj.bias") && trains(m, EXPERT "norm.weight") && trains(m, EXPERT "layers.0.mlp.down_proj.weight"));
    for (int l = 0; l < m->shape.vlm_layers; l++) {
      snprintf(name, sizeof name, TEXT "layers.%d.self_attn.k_proj.weight", l);
      assert_true(trains(m, name) == (l < cases[i].trained_layers));
      snprintf(name, sizeof name, TEXT "layers.%d.input_layernorm.weight", l);
      assert_true(trains(m, name) == (l < cases[i].trained_layers));
    }
    vlb_model_free(m);
  }
}

static void expect_dims(const vlb_model *m, const char *name, int64_t rows, int64_t cols) {
  const vlb_param *p = param(m, name);
  assert_int_equal(p->dims[0], rows);
  assert_int_equal(p->ndim, cols ? 2 : 1);
  if (cols) assert_int_equal(p->dims[1], cols);
}

/* The published 0.45B model (specification 4.2) with parts made small that the test does not look at: the whole would be 1.8 GB of zeros. */
static vlb_model *published(const char *smaller) {
  char changes[640];
  snprintf(changes, sizeof changes,
           "text_hidden=960 text_mlp=2560 text_layers=32 text_heads=15 text_kv_heads=5 head_dim=64 expert_width=0.75 vision_hidden=768 "
           "vision_mlp=3072 vision_heads=12 image_size=512 patch_size=16 scale_factor=4 max_state_dim=32 max_action_dim=32 %s", smaller);
  vlb_model_config c = config_of(changes);
  vlb_model *m;
  vlb_error err = {0};
  if (vlb_model_create(&c, &m, &err)) fail_msg("%s", err.message);
  return m;
}

static void test_published_expert(void **state) {
  (void)state;
  vlb_model *m = published("num_vlm_layers=16 text_mlp=8 vision_hidden=24 vision_mlp=8 vision_layers=12 scale_factor=1");
  expect_dims(m, "model.state_proj.weight", 960, 32);
  expect_dims(m, "model.action_in_proj.weight", 720, 32);
  expect_dims(m, "model.action_time_mlp_in.weight", 720, 1440);
  expect_dims(m, "model.action_out_proj.bias", 32, 0);
  expect_dims(m, EXPERT "layers.0.self_attn.k_proj.weight", 320, 720);
  expect_dims(m, EXPERT "layers.1.self_attn.v_proj.weight", 320, 320);
  expect_dims(m, EXPERT "layers.15.mlp.gate_proj.weight", 2048, 720);
  expect_dims(m, EXPERT "layers.3.self_attn.o_proj.weight", 720, 960);
  size_t trained = 0;
  int tensors = 0;
  for (int i = 0; i < m->param_count; i++) {
    trained += m->params[i].trainable ? m->params[i].size : 0;
    tensors += m->params[i].trainable;
  }
  assert_int_equal(m->param_count, 500 - 1); /* all but lm_head, which nothing uses */
  assert_int_equal(tensors, 155);
  assert_int_equal(trained, 99880992u);
  vlb_model_free(m);
}

static void test_published_vlm(void **state) {
  (void)state;
  vlb_model *m = published("num_vlm_layers=1 vision_layers=1 expert_width=0.0125");
  expect_dims(m, CONNECTOR, 960, 12288);
  expect_dims(m, TEXT "layers.0.self_attn.q_proj.weight", 960, 960);
  expect_dims(m, TEXT "layers.0.self_attn.k_proj.weight", 320, 960);
  expect_dims(m, TEXT "layers.0.mlp.down_proj.weight", 960, 2560);
  expect_dims(m, TEXT "norm.weight", 960, 0);
  expect_dims(m, VISION "embeddings.position_embedding.weight", 1024, 768);
  expect_dims(m, VISION "encoder.layers.0.mlp.fc1.weight", 3072, 768);
  const vlb_param *patch = param(m, VISION "embeddings.patch_embedding.weight");
  static const int64_t dims[] = {768, 3, 16, 16};
  assert_int_equal(patch->ndim, 4);
  assert_memory_equal(patch->dims, dims, sizeof dims);
  vlb_model_free(m);
}

/* trainable tensors first, each aligned, none overlapping, gaps zero */
static void test_vector(void **state) {
  (void)state;
  static const char *const kinds[] = {"", "freeze=nothing", "train_state_proj=false"};
  for (int k = 0; k < 3; k++) {
    vlb_model *m = model_of(kinds[k]);
    uint8_t *used = calloc(m->weight_count, 1);
    assert_non_null(used);
    assert_int_equal((uintptr_t)m->weights % 64, 0);
    for (int i = 0; i < m->param_count; i++) {
      const vlb_param *p = &m->params[i];
      assert_int_equal(p->offset % 16, 0);
      assert_true(p->trainable ? p->offset + p->size <= m->gradient_count : p->offset >= m->gradient_count);
      assert_int_equal(vlb_model_find(m, p->name), i);
      for (size_t j = 0; j < p->size; j++) assert_false(used[p->offset + j]++);
    }
    for (size_t j = 0; j < m->weight_count; j++) assert_true(used[j] || m->weights[j] == 0);
    assert_int_equal(vlb_model_find(m, "model.nothing"), -1);
    free(used);
    vlb_model_free(m);
  }
}

/* ---- initial weights (17.4) ---- */

static void test_init_is_a_function_of_the_seed(void **state) {
  (void)state;
  vlb_model *a = model_of(""), *b = model_of("");
  size_t bytes = a->weight_count * sizeof(float);
  vlb_model_init(a, 7);
  memset(b->weights, 1, bytes); /* what was there does not matter, apart from the gaps */
  for (size_t i = 0; i < b->weight_count; i++) b->weights[i] = 0;
  vlb_model_init(b, 7);
  assert_memory_equal(a->weights, b->weights, bytes);
  vlb_model_init(b, 7);
  assert_memory_equal(a->weights, b->weights, bytes);
  vlb_model_init(b, 8);
  assert_memory_not_equal(a->weights, b->weights, bytes);
  vlb_model_free(a), vlb_model_free(b);
}

typedef struct {
  double mean, deviation, low, high, cube, fourth;
} moments;
static moments moments_of(const vlb_model *m, const char *name) {
  const vlb_param *p = param(m, name);
  const float *w = m->weights + p->offset;
  moments r = {0, 0, INFINITY, -INFINITY, 0, 0};
  for (size_t i = 0; i < p->size; i++) {
    r.mean += (double)w[i] / (double)p->size;
    r.low = fmin(r.low, (double)w[i]), r.high = fmax(r.high, (double)w[i]);
  }
  for (size_t i = 0; i < p->size; i++) {
    double d = (double)w[i] - r.mean;
    r.deviation += d * d / (double)p->size, r.fourth += d * d * d * d / (double)p->size;
  }
  r.fourth /= r.deviation * r.deviation;
  r.deviation = sqrt(r.deviation);
  return r;
}

static void test_init_distributions(void **state) {
  (void)state;
  vlb_model *m = model_of("text_hidden=64 text_mlp=96 vision_hidden=48 vision_mlp=64 expert_width=1 max_state_dim=32 max_action_dim=32 initializer_range=0.03");
  vlb_model_init(m, 3);
  static const char *const normal[] = {EXPERT "layers.0.self_attn.q_proj.weight", EXPERT "layers.2.self_attn.k_proj.weight", EXPERT "layers.3.mlp.down_proj.weight",
                                       TEXT "embed_tokens.weight", TEXT "layers.3.mlp.gate_proj.weight", VISION "encoder.layers.0.mlp.fc1.weight", CONNECTOR,
                                       VISION "embeddings.patch_embedding.weight", VISION "embeddings.position_embedding.weight"};
  for (size_t i = 0; i < sizeof normal / sizeof *normal; i++) {
    moments r = moments_of(m, normal[i]);
    double n = (double)param(m, normal[i])->size, error = 0.03 / sqrt(n);
    assert_true(fabs(r.mean) < 5 * error && fabs(r.deviation - 0.03) < 5 * error);
    assert_true(fabs(r.fourth - 3) < 5 * sqrt(24 / n)); /* the kurtosis of a normal distribution */
  }
  /* torch's Linear: uniform up to 1 / sqrt(fan in), bias too; the keys and values that replace the expert's own in cross layers likewise */
  static const struct {
    const char *name;
    double fan_in;
  } uniform[] = {{"model.state_proj.weight", 32},         {"model.state_proj.bias", 32},          {"model.action_in_proj.weight", 32},
                 {"model.action_time_mlp_in.weight", 128}, {"model.action_time_mlp_out.bias", 64}, {"model.action_out_proj.weight", 64},
                 {EXPERT "layers.1.self_attn.k_proj.weight", 12}, {EXPERT "layers.3.self_attn.v_proj.weight", 12}};
  for (size_t i = 0; i < sizeof uniform / sizeof *uniform; i++) {
    moments r = moments_of(m, uniform[i].name);
    double bound = 1 / sqrt(uniform[i].fan_in), n = (double)param(m, uniform[i].name)->size;
    assert_true(r.low >= -bound && r.high <= bound && r.high - r.low > 2 * bound * (1 - 12 / n));
    assert_true(fabs(r.mean) < 5 * bound / sqrt(3 * n) && fabs(r.deviation - bound / sqrt(3)) < 5 * bound / sqrt(5 * n));
  }
  static const char *const ones[] = {EXPERT "norm.weight", EXPERT "layers.0.input_layernorm.weight", TEXT "layers.1.post_attention_layernorm.weight",
                                     TEXT "norm.weight", VISION "post_layernorm.weight", VISION "encoder.layers.0.layer_norm2.weight"};
  for (size_t i = 0; i < sizeof ones / sizeof *ones; i++) assert_true(moments_of(m, ones[i]).low == 1 && moments_of(m, ones[i]).high == 1);
  static const char *const zeros[] = {VISION "post_layernorm.bias", VISION "encoder.layers.0.self_attn.q_proj.bias", VISION "embeddings.patch_embedding.bias"};
  for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) assert_true(moments_of(m, zeros[i]).low == 0 && moments_of(m, zeros[i]).high == 0);
  vlb_model_free(m);
}

/* no two tensors start alike */
static void test_init_tensors_differ(void **state) {
  (void)state;
  vlb_model *m = model_of("");
  vlb_model_init(m, 3);
  for (int i = 0; i < m->param_count; i++)
    for (int j = i + 1; j < m->param_count; j++) {
      const vlb_param *a = &m->params[i], *b = &m->params[j];
      if (a->init != b->init || a->init == VLB_INIT_ONE || a->init == VLB_INIT_ZERO) continue;
      assert_memory_not_equal(m->weights + a->offset, m->weights + b->offset, (a->size < b->size ? a->size : b->size) * sizeof(float));
    }
  vlb_model_free(m);
}

/* ---- files ---- */

static void test_round_trip(void **state) {
  (void)state;
  vlb_model *a = model_of("state=suffix"), *b = model_of("state=suffix");
  vlb_error err = {0};
  a->weights[3] = -0.0f, a->weights[4] = 1e-42f; /* signs of zero and denormal numbers survive */
  size_t bytes = a->weight_count * sizeof(float), first, second;
  memset(b->weights, 0, bytes);
  if (vlb_model_save(a, "a.safetensors", &err) || vlb_model_load(b, "a.safetensors", &err)) fail_msg("%s", err.message);
  assert_memory_equal(a->weights, b->weights, bytes);
  assert_int_equal(vlb_model_save(b, "b.safetensors", &err), VLB_OK);
  char *x, *y;
  assert_int_equal(vlb_file_read("a.safetensors", &x, &first, &err), VLB_OK);
  assert_int_equal(vlb_file_read("b.safetensors", &y, &second, &err), VLB_OK);
  assert_int_equal(first, second);
  assert_memory_equal(x, y, first);
  free(x), free(y);
  vlb_model_free(a), vlb_model_free(b);
}

/* a trained file serves a model that freezes differently: the order in the vector is not that of the file */
static void test_other_freezing(void **state) {
  (void)state;
  vlb_model *a = model_of("freeze=nothing"), *b = model_of("");
  vlb_error err = {0};
  memset(b->weights, 0, b->weight_count * sizeof(float));
  if (vlb_model_save(a, "a.safetensors", &err) || vlb_model_load(b, "a.safetensors", &err)) fail_msg("%s", err.message);
  for (int i = 0; i < a->param_count; i++)
    assert_memory_equal(a->weights + a->params[i].offset, b->weights + param(b, a->params[i].name)->offset, a->params[i].size * sizeof(float));
  vlb_model_free(a), vlb_model_free(b);
}

static void test_wrong_files(void **state) {
  (void)state;
  static const struct {
    const char *saved, *wanted, *says[3];
  } cases[] = {
      {"num_vlm_layers=3", "", {"a.safetensors: 18 tensors are missing: " EXPERT "layers.3.input_layernorm.weight, ", ", ..."}},
      {"action_dim=3", "max_action_dim=6", {"a.safetensors: tensor model.action_in_proj.weight has the shape [8,4], but the configuration asks for [8,6]"}},
      {"attention=self", "", {"tensor " EXPERT "layers.1.self_attn.k_proj.weight has the shape [12,8], but the configuration asks for [12,12]"}},
      {"state=suffix", "", {"tensor model.state_proj.weight has the shape [8,5], but the configuration asks for [16,5]"}},
      {"image_size=32", "", {"tensor " VISION "embeddings.position_embedding.weight has the shape [64,12], but the configuration asks for [16,12]"}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    vlb_model *a = model_of(cases[i].saved), *b = model_of(cases[i].wanted);
    vlb_error err = {0};
    float *before = malloc(b->weight_count * sizeof *before);
    memcpy(before, b->weights, b->weight_count * sizeof *before);
    assert_int_equal(vlb_model_save(a, "a.safetensors", &err), VLB_OK);
    assert_int_equal(vlb_model_load(b, "a.safetensors", &err), VLB_FAILED);
    for (int j = 0; j < 3 && cases[i].says[j]; j++)
      if (!strstr(err.message, cases[i].says[j])) fail_msg("'%s' is not in: %s", cases[i].says[j], err.message);
    assert_memory_equal(before, b->weights, b->weight_count * sizeof *before); /* nothing half loaded */
    free(before);
    vlb_model_free(a), vlb_model_free(b);
  }
  /* more tensors than asked for are no harm: a deeper model's file serves the first layers */
  vlb_model *a = model_of(""), *b = model_of("num_vlm_layers=2");
  vlb_error err = {0};
  assert_int_equal(vlb_model_save(a, "a.safetensors", &err), VLB_OK);
  assert_int_equal(vlb_model_load(b, "a.safetensors", &err), VLB_OK);
  remove("a.safetensors");
  assert_int_equal(vlb_model_load(b, "a.safetensors", &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "a.safetensors"));
  assert_int_equal(vlb_model_save(b, "no/such/folder/a.safetensors", &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "no/such/folder"));
  vlb_model_free(a), vlb_model_free(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_freezing), cmocka_unit_test(test_published_expert), cmocka_unit_test(test_published_vlm), cmocka_unit_test(test_vector),
      cmocka_unit_test(test_init_is_a_function_of_the_seed), cmocka_unit_test(test_init_distributions), cmocka_unit_test(test_init_tensors_differ),
      cmocka_unit_test(test_round_trip), cmocka_unit_test(test_other_freezing), cmocka_unit_test(test_wrong_files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
