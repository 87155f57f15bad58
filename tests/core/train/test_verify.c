/* Reference cases: those recorded from the original implementation (tests/data/golden), and those of switches that they lack, made with
 * an independent implementation of the specification with automatic differentiation in float64 (tests/data/reference). */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "core/data/safetensors.h"
#include "core/train/verify.h"

enum { NAME = 192 };
typedef struct {
  int rows, failed, undetermined;
  double worst;        /* relative, of tensors that passed without excuse */
  char first[NAME];    /* the first that failed */
} tally;

static void count_row(void *self, const vlb_verify_row *row) {
  tally *t = self;
  t->rows++;
  t->undetermined += row->undetermined > 0;
  if (!row->passed) {
    if (!t->failed++) snprintf(t->first, sizeof t->first, "%s", row->name);
  } else if (!row->undetermined && row->bound == 1e-4 * row->largest) {
    t->worst = fmax(t->worst, row->relative);
  }
}

static void passes(const char *folder, const char *name, int rows) {
  char prefix[512];
  tally t = {0};
  int failures = -1;
  vlb_error err = {0};
  snprintf(prefix, sizeof prefix, "%s/%s/%s", VLB_TEST_DATA, folder, name);
  if (vlb_verify(prefix, 1e-4, count_row, &t, &failures, &err)) fail_msg("%s: %s", name, err.message);
  if (failures) fail_msg("%s: %d tensors differ, first %s", name, failures, t.first);
  assert_int_equal(t.failed, 0);
  assert_int_equal(t.rows, rows); /* every tensor of the file was looked at */
  print_message("%-28s %3d tensors, largest relative error %.2g, %d with undetermined elements\n", name, t.rows, t.worst, t.undetermined);
}

static void test_golden(void **state) {
  (void)state;
  passes("golden", "interleave", 124);
  passes("golden", "all_cross", 124);
  passes("golden", "self_attn", 124);
  passes("golden", "bidirectional_suffix", 124);
}

static void test_reference(void **state) {
  (void)state;
  passes("reference", "special_tokens", 66);  /* one view masked for one sample; VLM trained, vision frozen; N = 2 of 3 layers */
  passes("reference", "empty_cameras", 148);  /* of three views one present, one filled, one absent; padded prefix; everything trained */
  passes("reference", "shallow_expert", 77);  /* two expert layers for four VLM layers, whose last two are frozen; padded prefix */
  passes("reference", "state_suffix", 51);    /* state in the suffix, interleaved, causal; state projection frozen */
  passes("reference", "state_suffix_bidirectional", 55);
}

/* LeRobot's and transformers' own classes, as a checkpoint directory */
static void test_checkpoint(void **state) {
  (void)state;
  passes("lerobot", "tiny", 42);
}

/* ---- cases that are changed before they are checked ---- */

/* changes entry `e` of the io or weights file, whose data is a writable copy; false drops it */
typedef bool (*edit)(vlb_st_entry *e);

static void *copy_of(const void *data, size_t size) {
  void *p = malloc(size ? size : 1);
  assert_non_null(p);
  memcpy(p, data, size);
  return p;
}

static void edit_file(const char *from, const char *to, edit change) {
  vlb_safetensors *f;
  vlb_error err = {0};
  if (vlb_safetensors_open(from, &f, &err)) fail_msg("%s", err.message);
  int n = vlb_safetensors_count(f), kept = 0;
  vlb_st_entry *entries = calloc((size_t)n + 1, sizeof *entries);
  void **data = calloc((size_t)n + 1, sizeof *data);
  assert_true(entries && data);
  for (int i = 0; i < n; i++) {
    entries[kept] = *vlb_safetensors_at(f, i);
    data[i] = copy_of(entries[kept].data, entries[kept].count * vlb_dtype_size(entries[kept].dtype));
    entries[kept].data = data[i];
    kept += !change || change(&entries[kept]);
  }
  if (vlb_safetensors_write(to, entries, kept, &err)) fail_msg("%s", err.message);
  for (int i = 0; i < n; i++) free(data[i]);
  free(data), free(entries);
  vlb_safetensors_close(f);
}

/* a copy of the smallest case as ./edited.*, with changes; what verify says of it */
static vlb_code verify_edited(edit io, edit weights, tally *t, vlb_error *err) {
  char *json;
  size_t size;
  int failures = 0;
  const char *from = VLB_TEST_DATA "/reference/state_suffix";
  char path[512];
  snprintf(path, sizeof path, "%s.json", from);
  assert_int_equal(vlb_file_read(path, &json, &size, err), VLB_OK);
  assert_int_equal(vlb_file_write("edited.json", json, size, err), VLB_OK);
  free(json);
  snprintf(path, sizeof path, "%s.io.safetensors", from);
  edit_file(path, "edited.io.safetensors", io);
  snprintf(path, sizeof path, "%s.weights.safetensors", from);
  edit_file(path, "edited.weights.safetensors", weights);
  memset(t, 0, sizeof *t);
  vlb_code code = vlb_verify("edited", 1e-4, count_row, t, &failures, err);
  assert_int_equal(failures, t->failed);
  return code;
}

static bool is(const vlb_st_entry *e, const char *name) { return !strcmp(e->name, name); }
static float *floats(vlb_st_entry *e) {
  union {
    const void *in;
    void *out;
  } p = {e->data};
  return p.out;
}

/* one number off by a little more than the tolerance */
static const char *tampered;
static bool tamper(vlb_st_entry *e) {
  if (!is(e, tampered)) return true;
  float *x = floats(e), top = 0;
  for (size_t i = 0; i < e->count; i++) top = fmaxf(top, fabsf(x[i]));
  x[e->count / 2] += 3e-4f * top;
  return true;
}
static void test_tampered(void **state) {
  (void)state;
  static const char *const names[] = {"out.v_t", "out.image0", "out.layer1.prefix", "out.sample.actions_padded", "out.loss", "out.grad_norm",
                                      "grad.model.action_in_proj.weight", "out.time_emb"};
  tally t;
  vlb_error err = {0};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    tampered = names[i];
    assert_int_equal(verify_edited(tamper, NULL, &t, &err), VLB_OK);
    assert_int_equal(t.failed, 1);
    assert_string_equal(t.first, names[i]);
  }
}

static bool spoil(vlb_st_entry *e) {
  if (is(e, "out.v_t")) floats(e)[3] = NAN;
  return true;
}
static bool rename_one(vlb_st_entry *e) {
  static char name[] = "out.something_new";
  if (is(e, "out.v_t")) e->name = name;
  return true;
}
static bool cut(vlb_st_entry *e) {
  if (is(e, "out.loss_elements")) e->dims[0] = 1, e->count /= 2;
  return true;
}
static void test_incomparable(void **state) {
  (void)state;
  tally t;
  vlb_error err = {0};
  assert_int_equal(verify_edited(spoil, NULL, &t, &err), VLB_OK); /* a NaN is no agreement */
  assert_true(t.failed == 1 && !strcmp(t.first, "out.v_t"));
  assert_int_equal(verify_edited(rename_one, NULL, &t, &err), VLB_OK); /* nor is a tensor that we know nothing of */
  assert_true(t.failed == 1 && !strcmp(t.first, "out.something_new"));
  assert_int_equal(verify_edited(cut, NULL, &t, &err), VLB_OK); /* nor one of another size */
  assert_true(t.failed == 1 && !strcmp(t.first, "out.loss_elements"));
}

/* a weight changed in the file shows nearly everywhere */
static bool nudge(vlb_st_entry *e) {
  if (is(e, "model.state_proj.bias")) floats(e)[0] += 0.1f;
  return true;
}
static void test_wrong_weights(void **state) {
  (void)state;
  tally t;
  vlb_error err = {0};
  assert_int_equal(verify_edited(NULL, nudge, &t, &err), VLB_OK);
  assert_true(t.failed > 20);
}

/* ---- cases that cannot be checked: one line that says why ---- */

static bool drop_some(vlb_st_entry *e) {
  return !is(e, "model.state_proj.bias") && !is(e, "model.action_out_proj.weight") && !is(e, "model.vlm_with_expert.lm_expert.norm.weight");
}
static bool drop_vision(vlb_st_entry *e) { return !strstr(e->name, "vision_model"); }
static bool drop_input(vlb_st_entry *e) { return !is(e, "in.noise"); }
static bool drop_tokens(vlb_st_entry *e) { return !is(e, "in.observation.language.tokens"); }
static bool drop_cameras(vlb_st_entry *e) { return !strstr(e->name, "in.observation.images."); }
static bool unknown_word(vlb_st_entry *e) {
  if (is(e, "in.observation.language.tokens")) {
    int64_t id = 16;
    memcpy(floats(e), &id, sizeof id);
  }
  return true;
}
static bool short_noise(vlb_st_entry *e) {
  if (is(e, "in.noise")) e->dims[1]--, e->count -= (size_t)(e->dims[0] * e->dims[2]);
  return true;
}
static bool turned_weight(vlb_st_entry *e) {
  if (is(e, "model.action_out_proj.weight")) {
    int64_t d = e->dims[0];
    e->dims[0] = e->dims[1];
    e->dims[1] = d;
  }
  return true;
}

static void test_impossible(void **state) {
  (void)state;
  static const struct {
    edit io, weights;
    const char *says[4];
  } cases[] = {
      {NULL, drop_some, {"edited.weights.safetensors: 3 tensors are missing: ", "model.state_proj.bias", "model.action_out_proj.weight",
                         "model.vlm_with_expert.lm_expert.norm.weight"}},
      {NULL, drop_vision, {"edited.weights.safetensors: 21 tensors are missing: ", "patch_embedding.weight", ", ..."}},
      {NULL, turned_weight, {"edited.weights.safetensors: tensor model.action_out_proj.weight has the shape [8,4], but the configuration asks for [4,8]"}},
      {drop_input, NULL, {"edited.io.safetensors: tensor in.noise is missing"}},
      {drop_tokens, NULL, {"edited.io.safetensors: tensor in.observation.language.tokens is missing"}},
      {drop_cameras, NULL, {"edited.io.safetensors: none of the cameras of image_features is there"}},
      {unknown_word, NULL, {"edited.io.safetensors: token id 16 is outside of the vocabulary"}},
      {short_noise, NULL, {"edited.io.safetensors: tensor in.noise does not have the shape"}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tally t;
    vlb_error err = {0};
    assert_int_equal(verify_edited(cases[i].io, cases[i].weights, &t, &err), VLB_FAILED);
    for (int j = 0; j < 4 && cases[i].says[j]; j++)
      if (!strstr(err.message, cases[i].says[j])) fail_msg("'%s' is not in: %s", cases[i].says[j], err.message);
    assert_int_equal(t.rows, 0);
  }
}

static void test_missing_files(void **state) {
  (void)state;
  tally t = {0};
  int failures = 0;
  vlb_error err = {0};
  assert_int_equal(vlb_verify("nowhere", 1e-4, count_row, &t, &failures, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "nowhere.json"));
  assert_int_equal(verify_edited(NULL, NULL, &t, &err), VLB_OK);
  assert_int_equal(t.failed, 0);
  remove("edited.weights.safetensors");
  assert_int_equal(vlb_verify("edited", 1e-4, count_row, &t, &failures, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "edited.weights.safetensors"));
  remove("edited.io.safetensors");
  assert_int_equal(vlb_verify("edited", 1e-4, count_row, &t, &failures, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "edited.io.safetensors"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_golden),        cmocka_unit_test(test_reference), cmocka_unit_test(test_checkpoint),  cmocka_unit_test(test_tampered), cmocka_unit_test(test_incomparable),
      cmocka_unit_test(test_wrong_weights), cmocka_unit_test(test_impossible), cmocka_unit_test(test_missing_files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
