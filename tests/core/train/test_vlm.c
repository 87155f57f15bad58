/* [train] vlm: the layers that are kept, names with and without the policy's prefix, frozen weights where they are mapped, digests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/data/safetensors.h"
#include "core/train/vlm.h"
#include "fixture.h"

#define TEXT "model.vlm_with_expert.vlm.model.text_model."
enum { PREFIX = sizeof "model.vlm_with_expert.vlm." - 1 };

static vlb_model_config config_with(int text_layers, int kept, bool skip) {
  vlb_model_config c = tiny_model();
  c.freeze = VLB_FREEZE_VLM;
  c.text_layers = text_layers, c.num_vlm_layers = kept, c.skip_every_second = skip;
  return c;
}

static vlb_model *whole(void) {
  static vlb_model *m;
  vlb_model_config c = config_with(5, 5, false);
  vlb_error err = {0};
  if (m) return m;
  assert_int_equal(vlb_model_create(&c, &m, &err), VLB_OK);
  vlb_model_init(m, 77);
  return m;
}

/* writes the VLM's tensors of the whole model, but for `left_out`, with `cut` characters off their names */
static void write_vlm(const char *folder, size_t cut, const char *left_out) {
  vlb_model *m = whole();
  vlb_st_entry *e = calloc((size_t)m->param_count, sizeof *e);
  char path[256];
  vlb_error err = {0};
  int n = 0;
  assert_non_null(e);
  for (int i = 0; i < m->param_count; i++) {
    vlb_param *p = &m->params[i];
    if (!vlb_param_is_vlm(p) || (left_out && !strcmp(p->name, left_out))) continue;
    e[n] = (vlb_st_entry){.name = p->name + cut, .dtype = VLB_F32, .ndim = p->ndim, .count = p->size, .data = p->data};
    memcpy(e[n++].dims, p->dims, sizeof p->dims);
  }
  assert_int_equal(vlb_folder_make(folder, &err), VLB_OK);
  snprintf(path, sizeof path, "%s/model.safetensors", folder);
  if (vlb_safetensors_write(path, e, n, &err)) fail_msg("%s", err.message);
  free(e);
}

static vlb_model *begin(const vlb_model_config *c, const char *vlm) {
  vlb_train_config t;
  vlb_model *m;
  vlb_error err = {0};
  vlb_fields_default(vlb_train_fields, &t);
  snprintf(t.vlm.s, sizeof t.vlm.s, "%s", vlm);
  if (vlb_train_begin(c, &t, &m, &err)) fail_msg("%s", err.message);
  return m;
}

static const vlb_param *param(const vlb_model *m, const char *name) {
  int i = vlb_model_find(m, name);
  if (i < 0) fail_msg("no %s", name);
  return &m->params[i];
}

static bool same_values(const vlb_param *a, const vlb_param *b) { return a->size == b->size && !memcmp(a->data, b->data, a->size * sizeof *a->data); }

static void check_layers(const vlb_model *m, int kept, int step) {
  char ours[160], theirs[160];
  static const char *const parts[] = {"self_attn.q_proj", "mlp.down_proj"};
  for (int i = 0; i < kept; i++)
    for (int k = 0; k < 2; k++) {
      snprintf(ours, sizeof ours, TEXT "layers.%d.%s.weight", i, parts[k]);
      snprintf(theirs, sizeof theirs, TEXT "layers.%d.%s.weight", i * step, parts[k]);
      assert_true(same_values(param(m, ours), param(whole(), theirs)));
    }
  assert_true(same_values(param(m, TEXT "embed_tokens.weight"), param(whole(), TEXT "embed_tokens.weight")));
}

static void test_kept_layers(void **state) {
  (void)state;
  write_vlm("policy_names", 0, NULL);
  write_vlm("own_names", PREFIX, NULL);
  static const struct {
    int kept, wanted;
    bool skip;
  } cases[] = {{0, 5, false}, {2, 2, false}, {0, 3, true}, {2, 2, true}};
  for (int i = 0; i < 8; i++) {
    vlb_model_config c = config_with(5, cases[i / 2].kept, cases[i / 2].skip);
    vlb_model *m = begin(&c, i % 2 ? "own_names" : "policy_names"), *fresh = begin(&c, "");
    check_layers(m, cases[i / 2].wanted, cases[i / 2].skip ? 2 : 1);
    /* what is not the VLM's is as random as without one */
    assert_true(same_values(param(m, "model.action_in_proj.weight"), param(fresh, "model.action_in_proj.weight")));
    assert_false(same_values(param(m, TEXT "embed_tokens.weight"), param(fresh, TEXT "embed_tokens.weight")));
    vlb_model_free(m), vlb_model_free(fresh);
  }
}

/* frozen: not copied; trained: copied, so that the file is never written */
static void test_frozen_weights_stay_in_the_file(void **state) {
  (void)state;
  vlb_model_config c = config_with(5, 3, false);
  vlb_model *m = begin(&c, "own_names");
  const vlb_param *p = param(m, TEXT "layers.1.self_attn.q_proj.weight");
  assert_true(p->data < m->weights || p->data >= m->weights + m->weight_count);
  assert_true(m->weight_count == m->gradient_count);
  vlb_model_free(m);
  c.freeze = VLB_FREEZE_NOTHING;
  m = begin(&c, "own_names");
  p = param(m, TEXT "layers.1.self_attn.q_proj.weight");
  assert_true(p->trainable && p->data == m->weights + p->offset);
  check_layers(m, 3, 1);
  vlb_model_free(m);
}

/* without a VLM everything is what vlb_model_init makes */
static void test_none(void **state) {
  (void)state;
  vlb_model_config c = tiny_model();
  vlb_model *a = begin(&c, ""), *b;
  vlb_error err;
  assert_int_equal(vlb_model_create(&c, &b, &err), VLB_OK);
  vlb_model_init(b, 1000);
  assert_int_equal(a->weight_count, b->weight_count);
  assert_memory_equal(a->weights, b->weights, b->weight_count * sizeof *b->weights);
  vlb_model_free(a), vlb_model_free(b);
}

static void refused(const char *vlm, const vlb_model_config *c, const char *message) {
  vlb_train_config t;
  vlb_model *m;
  vlb_error err = {0};
  vlb_fields_default(vlb_train_fields, &t);
  snprintf(t.vlm.s, sizeof t.vlm.s, "%s", vlm);
  assert_int_not_equal(vlb_train_begin(c, &t, &m, &err), VLB_OK);
  if (!strstr(err.message, message)) fail_msg("%s", err.message);
}

static void test_bad(void **state) {
  (void)state;
  vlb_model_config c = config_with(5, 3, false);
  refused("nowhere", &c, "train.vlm = \"nowhere\": neither a shipped VLM");
  write_vlm("short", PREFIX, TEXT "layers.2.self_attn.q_proj.weight");
  refused("short", &c, "short: 1 tensors are missing: " TEXT "layers.2.self_attn.q_proj.weight");
  c.num_vlm_layers = 2; /* it does not need that one */
  vlb_model_free(begin(&c, "short"));
  c.text_mlp = 32;
  refused("own_names", &c, "has the shape [24,16], but the configuration asks for [32,16]");
}

static void test_digest(void **state) {
  (void)state;
  char a[VLB_HASH_SIZE], b[VLB_HASH_SIZE];
  vlb_error err = {0};
  assert_int_equal(vlb_vlm_digest("", a, &err), VLB_OK);
  assert_string_equal(a, "");
  assert_int_equal(vlb_vlm_digest("own_names", a, &err), VLB_OK);
  assert_int_equal(strlen(a), VLB_HASH_SIZE - 1);
  write_vlm("again", PREFIX, NULL);
  assert_int_equal(vlb_vlm_digest("again", b, &err), VLB_OK);
  assert_string_equal(a, b);
  assert_int_equal(vlb_vlm_digest("short", b, &err), VLB_OK);
  assert_string_not_equal(a, b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kept_layers), cmocka_unit_test(test_frozen_weights_stay_in_the_file), cmocka_unit_test(test_none),
      cmocka_unit_test(test_bad),         cmocka_unit_test(test_digest),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  vlb_model_free(whole());
  return failed;
}
