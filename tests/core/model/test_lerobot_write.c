/* Checkpoint directories that we write: read again they are the same policy; what LeRobot cannot express is refused. That LeRobot's own classes load
 * them is shown by scripts/reference/check_directory.py. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/model/fresh.h"
#include "core/model/lerobot_write.h"
#include "core/model/pretrained.h"

#define TINY VLB_TEST_DATA "/lerobot/tiny"
#define VISION "model.vlm_with_expert.vlm.model.vision_model."
#define TEXT "model.vlm_with_expert.vlm.model.text_model."

static vlb_error err;
#define OK(expr) \
  if (expr) fail_msg("%s", err.message)

typedef struct {
  vlb_checkpoint_folder folder;
  vlb_pretrained p;
} opened;

static opened open_folder(const char *dir) {
  opened o;
  OK(vlb_checkpoint_folder_open(dir, NULL, &o.folder, &err));
  OK(vlb_pretrained_load(&o.folder, dir, NULL, NULL, &o.p, &err));
  return o;
}

static void close_folder(opened *o) {
  vlb_pretrained_free(&o->p);
  vlb_checkpoint_folder_close(&o->folder);
}

/* the same names, shapes and bits */
static void check_weights(const vlb_model *a, const vlb_model *b) {
  assert_int_equal(a->param_count, b->param_count);
  for (int i = 0; i < a->param_count; i++) {
    assert_string_equal(a->params[i].name, b->params[i].name);
    assert_int_equal(a->params[i].size, b->params[i].size);
    assert_memory_equal(a->params[i].data, b->params[i].data, a->params[i].size * sizeof(float));
  }
}

static void check_config(const vlb_model_config *a, const vlb_model_config *b) {
  char x[64], y[64];
  for (const vlb_field *f = vlb_model_fields; f->name; f++)
    if (strcmp(vlb_field_text(f, a, x, sizeof x), vlb_field_text(f, b, y, sizeof y))) fail_msg("%s: %s and %s", f->name, x, y);
}

static void check_stats(const vlb_stats *a, const vlb_stats *b) {
  assert_int_equal(a->norm, b->norm);
  assert_int_equal(a->dim, b->dim);
  size_t size = (size_t)a->dim * sizeof(float);
  if (a->norm == VLB_NORM_MEAN_STD) assert_memory_equal(a->mean, b->mean, size);
  if (a->norm == VLB_NORM_MEAN_STD) assert_memory_equal(a->std, b->std, size);
  if (a->norm == VLB_NORM_MIN_MAX) assert_memory_equal(a->min, b->min, size);
  if (a->norm == VLB_NORM_MIN_MAX) assert_memory_equal(a->max, b->max, size);
}

static void check_same_file(const char *a, const char *b) {
  char *x, *y;
  size_t m, n;
  OK(vlb_file_read(a, &x, &m, &err));
  OK(vlb_file_read(b, &y, &n, &err));
  assert_int_equal(m, n);
  assert_memory_equal(x, y, m);
  free(x), free(y);
}

/* ---- a checkpoint, written anew ---- */

static void test_again(void **state) {
  (void)state;
  opened was = open_folder(TINY);
  vlb_lerobot_output out = {.model = was.p.model, .base = TINY};
  OK(vlb_lerobot_write(&out, "again", &err));
  OK(vlb_lerobot_write(&out, "twice/", &err));
  opened is = open_folder("again");
  check_weights(was.p.model, is.p.model);
  check_config(&was.folder.config.model, &is.folder.config.model);
  check_stats(&was.p.state, &is.p.state);
  check_stats(&was.p.action, &is.p.action);
  check_same_file("again/model.safetensors", "twice/model.safetensors");
  check_same_file("again/config.json", "twice/config.json");
  check_same_file("again/policy_preprocessor.json", TINY "/policy_preprocessor.json");
  check_same_file("again/vlm/tokenizer.json", TINY "/vlm/tokenizer.json");
  assert_true(vlb_file_exists("again/vlm/processor_config.json")); /* transformers wants one */
  close_folder(&is);
  close_folder(&was);
}

/* a source that is an old or an incomplete layout comes out complete: every field of LeRobot's configuration is there */
static void test_all_fields(void **state) {
  (void)state;
  json_t *theirs, *ours, *value;
  const char *key;
  opened was = open_folder(TINY);
  OK(vlb_folder_make("bare/vlm", &err));
  OK(vlb_file_copy(TINY "/model.safetensors", "bare/model.safetensors", &err));
  OK(vlb_file_copy(TINY "/vlm/config.json", "bare/vlm/config.json", &err));
  OK(vlb_file_copy(TINY "/vlm/tokenizer.json", "bare/vlm/tokenizer.json", &err));
  OK(vlb_json_open(TINY "/config.json", &theirs, &err));
  static const char *const kept[] = {"input_features", "output_features", "chunk_size", "max_state_dim", "max_action_dim", "resize_imgs_with_padding",
                                     "vlm_model_name", "num_vlm_layers", "tokenizer_max_length", "n_action_steps"};
  json_t *bare = json_object();
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) json_object_set(bare, kept[i], json_object_get(theirs, kept[i]));
  OK(vlb_json_write("bare/config.json", bare, &err));
  OK(vlb_lerobot_write(&(vlb_lerobot_output){.model = was.p.model, .base = "bare"}, "complete", &err));
  OK(vlb_json_open("complete/config.json", &ours, &err));
  json_object_foreach(theirs, key, value) {
    /* bare has no statistics, so nothing is normalised */
    const json_t *x = json_object_get(ours, key);
    bool same = json_is_number(value) ? json_number_value(value) == json_number_value(x) : json_equal(value, x);
    if (!x || (!same && strcmp(key, "normalization_mapping") && strcmp(key, "num_expert_layers"))) fail_msg("%s differs", key);
  }
  assert_int_equal(json_object_size(ours), json_object_size(theirs));
  json_decref(ours);
  json_decref(theirs);
  close_folder(&was);
}

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* halves of what LeRobot keeps in bfloat16; its own projections, and k and v of cross layers, stay whole */
static void test_bfloat16(void **state) {
  (void)state;
  opened was = open_folder(TINY);
  OK(vlb_lerobot_write(&(vlb_lerobot_output){.model = was.p.model, .base = TINY, .dtype = VLB_BF16}, "half", &err));
  opened is = open_folder("half");
  int whole = 0;
  for (int i = 0; i < was.p.model->param_count; i++) {
    const vlb_param *a = &was.p.model->params[i], *b = &is.p.model->params[i];
    bool own = a->init == VLB_INIT_UNIFORM;
    whole += own;
    for (size_t k = 0; k < a->size; k++) {
      assert_true(fabsf(a->data[k] - b->data[k]) <= (own ? 0 : fabsf(a->data[k]) / 256));
      if (!own) assert_int_equal(bits_of(b->data[k]) & 0xffff, 0);
    }
  }
  assert_int_equal(whole, 5 * 2 + 2); /* layer 1 of 2 is a cross layer */
  close_folder(&is);
  close_folder(&was);
}

/* fine-tuning replaces statistics; how they are applied goes along */
static void test_new_statistics(void **state) {
  (void)state;
  static const double rows[] = {1, 2, 3, 4, 5, 6, 7, 9, 8, 7, 6, 5, 4, 3, 2, 1};
  static const vlb_norm norms[] = {VLB_NORM_MEAN_STD, VLB_NORM_MIN_MAX, VLB_NORM_IDENTITY};
  opened was = open_folder(TINY);
  for (int i = 0; i < 3; i++) {
    vlb_stats s, a;
    vlb_stats_compute(rows, 2, 8, &s);
    vlb_stats_compute(rows, 2, 7, &a);
    s.norm = norms[i], a.norm = norms[(i + 1) % 3];
    vlb_lerobot_training t = {.lr = 3e-5, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
    OK(vlb_lerobot_write(&(vlb_lerobot_output){.model = was.p.model, .base = TINY, .state = &s, .action = &a, .training = &t, .replace = true}, "tuned", &err));
    opened is = open_folder("tuned");
    check_stats(&s, &is.p.state);
    check_stats(&a, &is.p.action);
    assert_int_equal(is.folder.config.state_dim, 8);
    assert_int_equal(is.folder.processors.max_length, 24);
    close_folder(&is);
    json_t *config;
    OK(vlb_json_open("tuned/config.json", &config, &err));
    assert_true(json_number_value(json_object_get(config, "optimizer_lr")) == 3e-5);
    json_decref(config);
  }
  close_folder(&was);
}

/* a position table that was spread over more patches is written as it came */
static void test_spread(void **state) {
  (void)state;
  static const char name[] = VISION "embeddings.position_embedding.weight";
  vlb_safetensors *a, *b;
  vlb_checkpoint_folder f;
  vlb_pretrained p;
  OK(vlb_checkpoint_folder_open(TINY, NULL, &f, &err));
  f.config.model.image_size = 48;
  OK(vlb_pretrained_load(&f, TINY, NULL, NULL, &p, &err));
  OK(vlb_lerobot_write(&(vlb_lerobot_output){.model = p.model, .base = TINY}, "spread", &err));
  OK(vlb_safetensors_open("spread/model.safetensors", &a, &err));
  OK(vlb_safetensors_open(TINY "/model.safetensors", &b, &err));
  const vlb_st_entry *x = vlb_safetensors_find(a, name), *y = vlb_safetensors_find(b, name);
  assert_int_equal(x->count, y->count);
  assert_memory_equal(x->data, y->data, x->count * sizeof(float));
  vlb_safetensors_close(a), vlb_safetensors_close(b);
  opened is = open_folder("spread");
  assert_int_equal(is.folder.config.model.image_size, 48);
  check_weights(p.model, is.p.model);
  close_folder(&is);
  vlb_pretrained_free(&p);
  vlb_checkpoint_folder_close(&f);
}

/* ---- a micro model ---- */

static vlb_model *micro(void (*change)(vlb_model_config *c)) {
  vlb_model_config c;
  vlb_model *m;
  vlb_fields_default(vlb_model_fields, &c);
  c.text_layers = 6, c.vision_layers = 2, c.action_dim = 5;
  if (change) change(&c);
  OK(vlb_model_create(&c, &m, &err));
  vlb_model_init(m, 7);
  return m;
}

static void all_cross(vlb_model_config *c) { c->attention = VLB_ATTENTION_CROSS, c->num_expert_layers = 2, c->empty_cameras = 1; }
static void all_self(vlb_model_config *c) { c->attention = VLB_ATTENTION_SELF, c->num_vlm_layers = 4, c->expert_width = 0.5, c->freeze = VLB_FREEZE_NOTHING; }
static void every_third(vlb_model_config *c) { c->self_attn_every = 3, c->add_image_special_tokens = true, c->chunk_size = 9, c->n_action_steps = 3; }

static const double rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static void test_micro(void **state) {
  (void)state;
  static void (*const changes[])(vlb_model_config *c) = {NULL, all_cross, all_self, every_third};
  static const char cameras[][VLB_LEROBOT_NAME] = {"observation.images.top", "observation.images.wrist"};
  vlb_stats s, a;
  vlb_stats_compute(rows, 2, 4, &s);
  vlb_stats_compute(rows, 2, 5, &a);
  for (int i = 0; i < 4; i++) {
    vlb_model *m = micro(changes[i]);
    vlb_lerobot_output out = {.model = m, .state = &s, .action = &a, .cameras = cameras, .camera_count = 2, .replace = true};
    OK(vlb_lerobot_write(&out, "micro", &err));
    opened is = open_folder("micro");
    check_weights(m, is.p.model);
    vlb_model_config c = is.folder.config.model;
    c.initializer_range = m->config.initializer_range;
    check_config(&m->config, &c);
    check_stats(&s, &is.p.state);
    check_stats(&a, &is.p.action);
    assert_string_equal(is.p.cameras[1], "observation.images.wrist");
    int32_t ids[48];
    uint8_t mask[48];
    OK(vlb_tokenizer_prompt(is.p.tokenizer, "open the drawer", 48, ids, mask, &err));
    close_folder(&is);
    vlb_model_free(m);
  }
}

static void skipping(vlb_model_config *c) { c->skip_every_second = true; }

/* the kept layers are the whole VLM of the written policy */
static void test_skipped_layers(void **state) {
  (void)state;
  vlb_stats s;
  vlb_stats_compute(rows, 2, 5, &s);
  vlb_model *m = micro(skipping);
  OK(vlb_lerobot_write(&(vlb_lerobot_output){.model = m, .state = &s, .action = &s}, "skipping", &err));
  opened is = open_folder("skipping");
  assert_int_equal(is.folder.config.model.text_layers, 3);
  assert_false(is.folder.config.model.skip_every_second);
  check_weights(m, is.p.model);
  close_folder(&is);
  vlb_model_free(m);
}

static void two_sided(vlb_model_config *c) { c->action_mask = VLB_MASK_BIDIRECTIONAL; }
static void in_suffix(vlb_model_config *c) { c->state = VLB_STATE_SUFFIX; }
static void regression(vlb_model_config *c) { c->objective = VLB_OBJECTIVE_L1; }

static void test_refused(void **state) {
  (void)state;
  static const struct {
    void (*change)(vlb_model_config *c);
    const char *says;
  } cases[] = {{two_sided, "action_mask = bidirectional"}, {in_suffix, "state = suffix"}, {regression, "objective = l1"}};
  vlb_stats s;
  vlb_stats_compute(rows, 2, 5, &s);
  for (int i = 0; i < 3; i++) {
    vlb_model *m = micro(cases[i].change);
    assert_int_equal(vlb_lerobot_write(&(vlb_lerobot_output){.model = m, .state = &s, .action = &s}, "no", &err), VLB_USAGE);
    assert_non_null(strstr(err.message, cases[i].says));
    assert_false(vlb_file_exists("no"));
    vlb_model_free(m);
  }
  vlb_model *m = micro(NULL);
  assert_int_equal(vlb_lerobot_write(&(vlb_lerobot_output){.model = m}, "no", &err), VLB_USAGE);
  assert_int_equal(vlb_lerobot_write(&(vlb_lerobot_output){.model = m, .state = &s, .action = &s, .dtype = VLB_I64}, "no", &err), VLB_USAGE);
  vlb_model_free(m);
}

/* What is there stays: files of others always, a checkpoint unless it may be replaced, also when writing fails. */
static void test_place(void **state) {
  (void)state;
  vlb_file_list list;
  opened was = open_folder(TINY);
  vlb_lerobot_output out = {.model = was.p.model, .base = TINY};
  OK(vlb_folder_make("place/kept", &err));
  OK(vlb_file_write("place/kept/mine.txt", "x", 1, &err));
  out.replace = true;
  assert_int_equal(vlb_lerobot_write(&out, "place/kept", &err), VLB_USAGE);
  assert_true(vlb_file_exists("place/kept/mine.txt"));
  OK(vlb_folder_make("place/empty", &err));
  out.replace = false;
  OK(vlb_lerobot_write(&out, "place/empty", &err));
  assert_int_equal(vlb_lerobot_write(&out, "place/empty", &err), VLB_USAGE);
  out.replace = true;
  OK(vlb_file_write("place/empty/stale.txt", "x", 1, &err));
  OK(vlb_lerobot_write(&out, "place/empty", &err));
  assert_false(vlb_file_exists("place/empty/stale.txt"));
  out.base = "nowhere";
  assert_int_equal(vlb_lerobot_write(&out, "place/empty", &err), VLB_USAGE);
  assert_true(vlb_file_exists("place/empty/config.json"));
  OK(vlb_folder_list("place", "", &list, &err));
  assert_int_equal(list.count, 2); /* nothing half-written is left */
  vlb_list_free(&list);
  close_folder(&was);
}

/* ---- a VLM that stands alone ---- */

/* tiny's VLM (2 of its 4 layers are there, as in a policy) under its own names, in two files; layers: how many of them to keep */
static void make_vlm(const char *folder, int layers) {
  static const char policy[] = "model.vlm_with_expert.vlm.";
  vlb_safetensors *f;
  char path[256], part[32];
  vlb_st_entry entries[2][256];
  int n[2] = {0, 0};
  snprintf(path, sizeof path, "%s", folder);
  OK(vlb_folder_make(path, &err));
  OK(vlb_safetensors_open(TINY "/model.safetensors", &f, &err));
  json_t *map = json_object();
  for (int i = 0; i < vlb_safetensors_count(f); i++) {
    vlb_st_entry e = *vlb_safetensors_at(f, i);
    if (strncmp(e.name, policy, sizeof policy - 1)) continue;
    e.name += sizeof policy - 1;
    const char *layer = strstr(e.name, "text_model.layers.");
    if (layer && atoi(layer + 18) >= layers) continue;
    snprintf(part, sizeof part, "part-%d.safetensors", i % 2);
    json_object_set_new(map, e.name, json_string(part));
    entries[i % 2][n[i % 2]++] = e;
  }
  for (int k = 0; k < 2; k++) {
    snprintf(path, sizeof path, "%s/part-%d.safetensors", folder, k);
    OK(vlb_safetensors_write(path, entries[k], n[k], &err));
  }
  snprintf(path, sizeof path, "%s/model.safetensors.index.json", folder);
  OK(vlb_json_write(path, json_pack("{s:o}", "weight_map", map), &err));
  snprintf(path, sizeof path, "%s/config.json", folder);
  OK(vlb_file_copy(TINY "/vlm/config.json", path, &err));
  snprintf(path, sizeof path, "%s/tokenizer.json", folder);
  OK(vlb_file_copy(TINY "/vlm/tokenizer.json", path, &err));
  vlb_safetensors_close(f);
}

static vlb_model_config fresh_config(const char *folder) {
  vlb_model_config c;
  OK(vlb_fresh_config(folder, &c, &err));
  assert_int_equal(c.text_hidden, 48);
  assert_int_equal(c.num_vlm_layers, 0); /* it has four only */
  c.num_vlm_layers = 2;
  c.max_state_dim = c.max_action_dim = 8;
  return c;
}

static void test_fresh(void **state) {
  (void)state;
  vlb_model *m, *same;
  assert_false(vlb_is_stand_alone_vlm(TINY));
  make_vlm("vlm", 2);
  assert_true(vlb_is_stand_alone_vlm("vlm"));
  vlb_model_config c = fresh_config("vlm");
  OK(vlb_fresh_model("vlm", &c, 5, &m, &err));
  OK(vlb_model_create(&c, &same, &err));
  vlb_model_init(same, 5);
  opened tiny = open_folder(TINY);
  for (int i = 0; i < m->param_count; i++) {
    const vlb_param *p = &m->params[i];
    bool vlm = !strncmp(p->name, "model.vlm_with_expert.vlm.", 26);
    const float *expected = vlm ? tiny.p.model->params[vlb_model_find(tiny.p.model, p->name)].data : same->params[i].data;
    assert_memory_equal(p->data, expected, p->size * sizeof(float));
  }
  vlb_stats s = {.norm = VLB_NORM_IDENTITY, .dim = 6}, a = {.norm = VLB_NORM_IDENTITY, .dim = 7};
  OK(vlb_lerobot_write(&(vlb_lerobot_output){.model = m, .vlm_folder = "vlm", .state = &s, .action = &a}, "fresh", &err));
  opened is = open_folder("fresh");
  check_weights(m, is.p.model);
  check_stats(&s, &is.p.state);
  assert_false(vlb_file_exists("fresh/vlm/part-0.safetensors"));
  assert_string_equal(is.p.cameras[0], "observation.images.camera1");
  close_folder(&is);
  close_folder(&tiny);
  vlb_model_free(same);
  vlb_model_free(m);
}

/* of the layers 0, 1, 2, 3 the second one kept is 2 */
static void test_fresh_skips(void **state) {
  (void)state;
  vlb_model *m;
  vlb_safetensors *f;
  make_vlm("short", 2);
  vlb_model_config c = fresh_config("short");
  c.skip_every_second = true, c.num_vlm_layers = 1;
  OK(vlb_fresh_model("short", &c, 5, &m, &err));
  OK(vlb_safetensors_open(TINY "/model.safetensors", &f, &err));
  static const char name[] = TEXT "layers.0.mlp.up_proj.weight";
  const vlb_param *p = &m->params[vlb_model_find(m, name)];
  assert_memory_equal(p->data, vlb_safetensors_find(f, name)->data, p->size * sizeof(float));
  vlb_model_free(m);
  c.num_vlm_layers = 2; /* asks for layer 2, which is not in the file: all its tensors are named at once */
  assert_int_equal(vlb_fresh_model("short", &c, 5, &m, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "short: 9 tensors are missing: model.vlm_with_expert.vlm.model.text_model.layers.1.input_layernorm.weight, "));
  assert_null(m);
  vlb_safetensors_close(f);
}

static void test_fresh_refused(void **state) {
  (void)state;
  vlb_model_config c;
  assert_int_equal(vlb_fresh_config(TINY, &c, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "key text_config: is missing"));
  assert_int_equal(vlb_fresh_config("nowhere", &c, &err), VLB_FAILED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_again),  cmocka_unit_test(test_all_fields),     cmocka_unit_test(test_bfloat16), cmocka_unit_test(test_new_statistics),
      cmocka_unit_test(test_spread), cmocka_unit_test(test_micro),          cmocka_unit_test(test_skipped_layers),
      cmocka_unit_test(test_refused), cmocka_unit_test(test_place),         cmocka_unit_test(test_fresh),    cmocka_unit_test(test_fresh_skips),
      cmocka_unit_test(test_fresh_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
