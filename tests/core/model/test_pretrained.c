/* Checkpoint directories of LeRobot: the same actions, whatever the layout; what is wrong or would be silent is said. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/data/image.h"
#include "core/model/dump.h"

#define TINY VLB_TEST_DATA "/lerobot/tiny"
enum { CHUNK = 5, ACTION = 7, STATE = 6 };

static vlb_error err;

/* ---- a copy of the checkpoint that a test may change ---- */

static void copy_file(const char *name, const char *to) {
  char from[1024], path[1024], *data;
  size_t size;
  snprintf(from, sizeof from, TINY "/%s", name);
  snprintf(path, sizeof path, "%s/%s", to, name);
  if (vlb_file_read(from, &data, &size, &err) || vlb_file_write(path, data, size, &err)) fail_msg("%s", err.message);
  free(data);
}

static void copy_checkpoint(const char *to) {
  static const char *const names[] = {"config.json", "model.safetensors", "policy_preprocessor.json", "policy_postprocessor.json",
                                      "policy_preprocessor_step_5_normalizer_processor.safetensors",
                                      "policy_postprocessor_step_0_unnormalizer_processor.safetensors", "vlm/config.json",
                                      "vlm/tokenizer.json", "vlm/tokenizer_config.json"};
  char vlm[1024];
  snprintf(vlm, sizeof vlm, "%s/vlm", to);
  if (vlb_folder_make(vlm, &err)) fail_msg("%s", err.message);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) copy_file(names[i], to);
}

/* replaces one text of a file by another */
static void change(const char *path, const char *from, const char *to) {
  char *text, *at;
  size_t size;
  if (vlb_file_read(path, &text, &size, &err)) fail_msg("%s", err.message);
  at = strstr(text, from);
  if (!at) fail_msg("%s has no %s", path, from);
  vlb_writer w;
  assert_int_equal(vlb_writer_open(&w, path, &err), VLB_OK);
  fwrite(text, 1, (size_t)(at - text), w.out);
  fputs(to, w.out);
  fputs(at + strlen(from), w.out);
  assert_int_equal(vlb_writer_commit(&w, &err), VLB_OK);
  free(text);
}

/* rewrites a safetensors file; edit returns false to leave a tensor out and may change its name or data (then `own` is freed) */
typedef struct {
  vlb_st_entry entry;
  void *own;
} edited;
typedef bool (*edit)(edited *e);

static void rewrite(const char *from, const char *to, edit change_entry, int part, int parts) {
  vlb_safetensors *f;
  assert_int_equal(vlb_safetensors_open(from, &f, &err), VLB_OK);
  int n = vlb_safetensors_count(f), kept = 0;
  edited *all = calloc((size_t)n, sizeof *all);
  vlb_st_entry *entries = calloc((size_t)n, sizeof *entries);
  for (int i = 0; i < n; i++) {
    all[i].entry = *vlb_safetensors_at(f, i);
    if (i % parts == part && (!change_entry || change_entry(&all[i]))) entries[kept++] = all[i].entry;
  }
  assert_int_equal(vlb_safetensors_write(to, entries, kept, &err), VLB_OK);
  for (int i = 0; i < n; i++) free(all[i].own);
  free(all), free(entries);
  vlb_safetensors_close(f);
}

/* ---- running it ---- */

static void read_reference(float *state, char *task, size_t task_size, float *actions) {
  json_t *o, *a;
  assert_int_equal(vlb_json_open(TINY "/observation.json", &o, &err), VLB_OK);
  for (size_t i = 0; i < STATE; i++) state[i] = (float)json_number_value(json_array_get(json_object_get(o, "state"), i));
  snprintf(task, task_size, "%s", json_string_value(json_object_get(o, "task")));
  json_decref(o);
  a = json_load_file(TINY "/actions.json", 0, NULL);
  for (size_t t = 0; t < CHUNK; t++)
    for (size_t k = 0; k < ACTION; k++) actions[t * ACTION + k] = (float)json_number_value(json_array_get(json_array_get(a, t), k));
  json_decref(a);
}

static void read_noise(float *noise) {
  vlb_safetensors *f;
  assert_int_equal(vlb_safetensors_open(TINY "/noise.safetensors", &f, &err), VLB_OK);
  vlb_st_to_float(vlb_safetensors_at(f, 0), noise);
  vlb_safetensors_close(f);
}

static const char *dump_to; /* where the next run's intermediates go; NULL: nowhere */

/* actions of the recorded observation, pictures named in an order that is not the policy's */
static vlb_code act(const char *dir, vlb_log *log, float *actions, float *reference) {
  static const char *const names[] = {"camera2", "observation.images.camera1"};
  static const char *const files[] = {TINY "/camera2.png", TINY "/camera1.png"};
  vlb_checkpoint_folder folder;
  vlb_pretrained p = {.model = NULL};
  vlb_runner *r = NULL;
  vlb_picture pictures[2];
  uint8_t *pixels[2];
  int index[2];
  float state[STATE], noise[CHUNK * 8];
  char task[256];
  read_reference(state, task, sizeof task, reference);
  read_noise(noise);
  VLB_TRY(vlb_checkpoint_folder_open(dir, log, &folder, &err));
  vlb_code code = vlb_checkpoint_folder_cameras(&folder, names, 2, index, &err);
  for (int i = 0; i < 2; i++) {
    vlb_picture *at = &pictures[index[i]];
    assert_int_equal(vlb_image_read(files[i], &pixels[i], &at->height, &at->width, &err), VLB_OK);
    at->rgb = pixels[i];
  }
  if (!code) code = vlb_pretrained_load(&folder, dir, NULL, log, &p, &err);
  vlb_checkpoint_folder_close(&folder);
  if (!code) code = vlb_runner_create_for(&p, 1, &(vlb_inference_options){.threads = 1, .keep = dump_to != NULL}, &r, &err);
  vlb_dump *dump = NULL;
  if (!code && dump_to) code = vlb_dump_begin(r, &dump, &err);
  if (!code) code = vlb_runner_run(r, 1, &(vlb_sight){pictures, state, task, noise}, actions, &err);
  if (!code && dump_to) code = vlb_dump_write(dump, actions, dump_to, &err);
  vlb_dump_free(dump);
  vlb_runner_free(r);
  vlb_pretrained_free(&p);
  free(pixels[0]), free(pixels[1]);
  return code;
}

static double distance(const char *dir) {
  float ours[CHUNK * ACTION], theirs[CHUNK * ACTION];
  double worst = 0;
  if (act(dir, NULL, ours, theirs)) fail_msg("%s", err.message);
  for (int i = 0; i < CHUNK * ACTION; i++) worst = fmax(worst, fabs((double)ours[i] - (double)theirs[i]));
  return worst;
}

/* pictures, tokens, statistics, model, ten steps: what LeRobot's own pipelines and policy gave */
static void test_actions(void **state) {
  (void)state;
  assert_true(distance(TINY) < 5e-6);
}

static float *floats_of(const vlb_safetensors *f, const char *name, size_t count) {
  const vlb_st_entry *e = vlb_safetensors_find(f, name);
  if (!e || e->count != count) fail_msg("%s: %s", name, e ? "another size" : "missing");
  float *x = malloc(count * sizeof *x);
  vlb_st_to_float(e, x);
  return x;
}

/* every intermediate under the reference's name, with the reference's values where the reference is about this observation; watching changes no bit */
static void test_dump(void **state) {
  (void)state;
  static const char *const shared[] = {"in.observation.language.tokens", "in.observation.language.attention_mask", "out.image0", "out.image1",
                                       "out.image_tokens0", "out.image_tokens1", "out.prefix_embs", "out.prefix_pad", "out.prefix_att",
                                       "out.sample.actions_padded"};
  static const char *const more[] = {"out.suffix_att", "out.att2d", "out.position_ids", "out.layer1.prefix", "out.layer0.keys", "out.layer1.values",
                                     "out.sample.suffix_embs", "out.sample.layer1.suffix", "out.sample.layer2.suffix", "out.sample.final_suffix",
                                     "out.sample.time_emb"};
  enum { STEPS = 10, CHUNK_FLOATS = CHUNK * 8 };
  float plain[CHUNK * ACTION], watched[CHUNK * ACTION], theirs[CHUNK * ACTION];
  assert_int_equal(act(TINY, NULL, plain, theirs), VLB_OK);
  dump_to = "dump.safetensors";
  assert_int_equal(act(TINY, NULL, watched, theirs), VLB_OK);
  dump_to = NULL;
  assert_memory_equal(plain, watched, sizeof plain);
  vlb_safetensors *ours, *reference;
  assert_int_equal(vlb_safetensors_open("dump.safetensors", &ours, &err), VLB_OK);
  assert_int_equal(vlb_safetensors_open(TINY "/reference.safetensors", &reference, &err), VLB_OK);
  for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
    const vlb_st_entry *e = vlb_safetensors_find(reference, shared[i]), *o = vlb_safetensors_find(ours, shared[i]);
    if (!o || o->ndim != e->ndim || memcmp(o->dims, e->dims, (size_t)e->ndim * sizeof *e->dims)) fail_msg("%s: another shape", shared[i]);
    float *a = floats_of(ours, shared[i], e->count), *b = floats_of(reference, shared[i], e->count);
    for (size_t k = 0; k < e->count; k++)
      if (!(fabsf(a[k] - b[k]) <= 2e-5f)) fail_msg("%s[%zu]: %g instead of %g", shared[i], k, (double)a[k], (double)b[k]);
    free(a), free(b);
  }
  for (size_t i = 0; i < sizeof more / sizeof *more; i++)
    if (!vlb_safetensors_find(ours, more[i])) fail_msg("%s is missing", more[i]);
  assert_null(vlb_safetensors_find(ours, "out.layer2.prefix")); /* of two layers: nobody reads it */
  /* the steps lead from the noise to the actions */
  float *x = floats_of(ours, "out.sample.x", STEPS * CHUNK_FLOATS), *v = floats_of(ours, "out.sample.v", STEPS * CHUNK_FLOATS);
  float *end = floats_of(ours, "out.sample.actions_padded", CHUNK_FLOATS), *t = floats_of(ours, "out.sample.time", STEPS);
  float *start = floats_of(ours, "in.noise", CHUNK_FLOATS), *actions = floats_of(ours, "out.actions", CHUNK * ACTION);
  assert_memory_equal(x, start, CHUNK_FLOATS * sizeof *x);
  assert_memory_equal(actions, watched, sizeof watched);
  for (int s = 0; s < STEPS; s++) {
    assert_true(t[s] == (float)(1.0 - s / 10.0));
    for (int k = 0; k < CHUNK_FLOATS; k++) {
      float next = s + 1 < STEPS ? x[(s + 1) * CHUNK_FLOATS + k] : end[k];
      assert_true(next == x[s * CHUNK_FLOATS + k] + -0.1f * v[s * CHUNK_FLOATS + k]);
    }
  }
  free(x), free(v), free(end), free(t), free(start), free(actions);
  vlb_safetensors_close(ours), vlb_safetensors_close(reference);
}

/* the same tensors in several files */
static void test_sharded(void **state) {
  (void)state;
  copy_checkpoint("sharded");
  assert_int_equal(unlink("sharded/model.safetensors"), 0);
  FILE *index = fopen("sharded/model.safetensors.index.json", "w");
  fputs("{\"metadata\": {}, \"weight_map\": {\"a\": \"part-1.safetensors\", \"b\": \"part-2.safetensors\", \"c\": \"part-1.safetensors\"}}", index);
  fclose(index);
  rewrite(TINY "/model.safetensors", "sharded/part-1.safetensors", NULL, 0, 2);
  rewrite(TINY "/model.safetensors", "sharded/part-2.safetensors", NULL, 1, 2);
  assert_true(distance("sharded") < 5e-6);
  rewrite(TINY "/model.safetensors", "sharded/part-2.safetensors", NULL, 0, 2);
  assert_int_equal(act("sharded", NULL, (float[CHUNK * ACTION]){0}, (float[CHUNK * ACTION]){0}), VLB_FAILED);
  assert_non_null(strstr(err.message, "is in part-1.safetensors and in part-2.safetensors"));
}

/* weights of half the size are converted: near, not equal */
static bool to_bf16(edited *e) {
  uint16_t *half = malloc(e->entry.count * sizeof *half);
  for (size_t i = 0; i < e->entry.count; i++) {
    uint32_t bits;
    memcpy(&bits, (const char *)e->entry.data + 4 * i, sizeof bits);
    half[i] = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
  e->entry.dtype = VLB_BF16;
  e->entry.data = e->own = half;
  return true;
}

static void test_bf16(void **state) {
  (void)state;
  copy_checkpoint("bf16");
  rewrite(TINY "/model.safetensors", "bf16/model.safetensors", to_bf16, 0, 1);
  double d = distance("bf16");
  assert_true(d > 1e-5 && d < 0.1);
}

/* actions of the observation of zeros; options as in vlb_policy_create_for */
static void act_on_zeros(const vlb_model *m, const vlb_inference_options *options, float *actions) {
  const vlb_model_config *c = &m->config;
  size_t pixels = (size_t)(c->cameras * 3 * c->image_size * c->image_size), words = (size_t)c->tokenizer_max_length;
  float *floats = calloc(pixels + (size_t)(c->max_state_dim + c->chunk_size * c->max_action_dim), sizeof *floats);
  int32_t *tokens = calloc(words, sizeof *tokens);
  uint8_t *mask = malloc(words);
  memset(mask, 1, words);
  vlb_policy *p;
  assert_int_equal(vlb_policy_create_for(m, 1, options, &p, &err), VLB_OK);
  vlb_batch b = {.images = floats, .tokens = tokens, .token_mask = mask, .state = floats + pixels, .noise = floats + pixels + c->max_state_dim};
  assert_int_equal(vlb_policy_run(p, 1, &b, actions, &err), VLB_OK);
  vlb_policy_free(p);
  free(floats), free(tokens), free(mask);
}

/* The converted values of packed weights are let go, and come back for the next policy, whether it packs them or not. */
static void test_converted_values_are_let_go(void **state) {
  (void)state;
  const vlb_inference_options packed = {.threads = 1};
  vlb_checkpoint_folder folder;
  vlb_pretrained p = {.model = NULL};
  float plain[CHUNK * 8], first[CHUNK * 8], second[CHUNK * 8], again[CHUNK * 8];
  copy_checkpoint("letgo");
  rewrite(TINY "/model.safetensors", "letgo/model.safetensors", to_bf16, 0, 1);
  assert_int_equal(vlb_checkpoint_folder_open("letgo", NULL, &folder, &err), VLB_OK);
  assert_int_equal(vlb_pretrained_load(&folder, "letgo", NULL, NULL, &p, &err), VLB_OK);
  vlb_checkpoint_folder_close(&folder);
  int gone = 0;
  act_on_zeros(p.model, NULL, plain);
  act_on_zeros(p.model, &packed, first);
  for (int i = 0; i < p.model->param_count; i++) gone += p.model->gone[i];
  assert_true(gone > p.model->param_count / 4); /* norms, biases and tables are not packed */
  act_on_zeros(p.model, &packed, second);
  act_on_zeros(p.model, NULL, again);
  assert_memory_equal(first, second, sizeof first);
  assert_memory_equal(plain, again, sizeof plain);
  vlb_pretrained_free(&p);
}

/* ---- old layout: statistics among the weights ---- */

static vlb_safetensors *statistics;

static void test_old_layout(void **state) {
  (void)state;
  copy_checkpoint("old");
  vlb_safetensors *weights;
  static char names[4][96] = {"normalize_inputs.buffer_observation_state.mean", "normalize_inputs.buffer_observation_state.std",
                              "unnormalize_outputs.buffer_action.mean", "unnormalize_outputs.buffer_action.std"};
  static const char *const from[] = {"observation.state.mean", "observation.state.std", "action.mean", "action.std"};
  assert_int_equal(vlb_safetensors_open(TINY "/model.safetensors", &weights, &err), VLB_OK);
  assert_int_equal(vlb_safetensors_open(TINY "/policy_preprocessor_step_5_normalizer_processor.safetensors", &statistics, &err), VLB_OK);
  int n = vlb_safetensors_count(weights);
  vlb_st_entry *all = calloc((size_t)n + 4, sizeof *all);
  for (int i = 0; i < n; i++) all[i] = *vlb_safetensors_at(weights, i);
  for (int i = 0; i < 4; i++) {
    all[n + i] = *vlb_safetensors_find(statistics, from[i]);
    all[n + i].name = names[i];
  }
  assert_int_equal(vlb_safetensors_write("old/model.safetensors", all, n + 4, &err), VLB_OK);
  unlink("old/policy_preprocessor.json");
  unlink("old/policy_postprocessor.json");
  assert_true(distance("old") < 5e-6);
  free(all);
  vlb_safetensors_close(weights);
  vlb_safetensors_close(statistics);
}

/* ---- what is said ---- */

/* everything announced while the checkpoint was opened and run */
static char *announced(const char *dir, vlb_code expected) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  vlb_log *log = vlb_log_open(out, false);
  float ours[CHUNK * ACTION], theirs[CHUNK * ACTION];
  vlb_code code = act(dir, log, ours, theirs);
  if (code != expected) fail_msg("code %d: %s", (int)code, err.message);
  vlb_log_close(log);
  fclose(out);
  return text;
}

static bool foreign_key(edited *e) {
  static char name[160];
  const char *dot = strrchr(e->entry.name, '.');
  static char kept[16][160];
  static int n;
  snprintf(name, sizeof name, "so100.buffer.%s%s", strncmp(e->entry.name, "action", 6) ? "state" : "action", dot);
  if (n == 16) n = 0;
  e->entry.name = strcpy(kept[n++], name);
  return true;
}

/* smolvla_base: its statistics have keys that LeRobot never looks up, so nothing is normalised; that must be said */
static void test_foreign_statistics(void **state) {
  (void)state;
  static const char *const files[] = {"policy_preprocessor_step_5_normalizer_processor.safetensors",
                                      "policy_postprocessor_step_0_unnormalizer_processor.safetensors"};
  char from[1024], to[1024];
  copy_checkpoint("foreign");
  for (int i = 0; i < 2; i++) {
    snprintf(from, sizeof from, TINY "/%s", files[i]);
    snprintf(to, sizeof to, "foreign/%s", files[i]);
    rewrite(from, to, foreign_key, 0, 1);
  }
  char *said = announced("foreign", VLB_OK);
  assert_non_null(strstr(said, "normalisation MEAN_STD of observation.state is asked for but has no statistics of that name"));
  assert_non_null(strstr(said, "normalisation MEAN_STD of action is asked for"));
  assert_non_null(strstr(said, "so100.buffer.action, so100.buffer.state"));
  free(said);
}

static bool without_some(edited *e) {
  static char renamed[] = "model.something_new";
  if (strstr(e->entry.name, "action_in_proj.weight")) e->entry.name = renamed;
  return !strstr(e->entry.name, "layers.1.mlp.");
}

static void test_missing_tensors(void **state) {
  (void)state;
  copy_checkpoint("missing");
  rewrite(TINY "/model.safetensors", "missing/model.safetensors", without_some, 0, 1);
  char *said = announced("missing", VLB_FAILED);
  int lines = 0;
  for (const char *at = said; (at = strstr(at, "no tensor ")); at++) lines++;
  assert_int_equal(lines, 11); /* two decoder layers of three, a vision layer of four, the projection */
  assert_non_null(strstr(err.message, "11 tensors are missing"));
  free(said);
}

static bool with_another(edited *e) {
  static char renamed[] = "model.something_new";
  if (strstr(e->entry.name, "lm_head")) e->entry.name = renamed;
  return true;
}

static void test_unknown_tensors(void **state) {
  (void)state;
  copy_checkpoint("unknown");
  rewrite(TINY "/model.safetensors", "unknown/model.safetensors", with_another, 0, 1);
  char *said = announced("unknown", VLB_OK);
  assert_non_null(strstr(said, "1 tensors are not the model's and are left alone: model.something_new"));
  free(said);
  said = announced(TINY, VLB_OK);
  assert_string_equal(said, ""); /* lm_head is expected */
  free(said);
}

static void test_refused(void **state) {
  (void)state;
  static const struct {
    const char *file, *from, *to, *message;
  } cases[] = {
      {"config.json", "\"type\": \"smolvla\"", "\"type\": \"act\"", "key type: is not smolvla"},
      {"config.json", "\"adapt_to_pi_aloha\": false", "\"adapt_to_pi_aloha\": true", "adapt_to_pi_aloha: true is not supported"},
      {"config.json", "\"vlm_model_name\": \"vlm\"", "\"vlm_model_name\": 3", "vlm_model_name: must be a string"},
      {"config.json", "\"max_action_dim\": 8", "\"max_action_dim\": 4", "action_dim = 7 is more than max_action_dim = 4"},
      {"config.json", "\"max_action_dim\": 8", "\"max_action_dim\": 16", "action_in_proj.weight has the shape [36,8]"},
      {"config.json", "\"type\": \"VISUAL\"", "\"type\": \"ENV\"", "no camera 'observation.images.camera1'; it has observation.images.camera2"},
      {"vlm/config.json", "\"head_dim\": 8", "\"head_dim\": 7", "head_dim"},
      {"vlm/config.json", "\"text_config\"", "\"text\"", "key text_config: is missing"},
      {"policy_preprocessor.json", "\"MEAN_STD\"", "\"SQUARE\"", "normalisation SQUARE of observation.state is not supported"},
      {"policy_preprocessor.json", "to_batch_processor", "to_bits_processor", "step \"to_bits_processor\" is not supported"},
      {"policy_preprocessor.json", "\"eps\": 1e-08", "\"eps\": 1e-3", "key eps: must be 1e-8"},
      {"policy_preprocessor.json", "{", "[", "not JSON"},
      {"policy_postprocessor.json", "unnormalizer_processor.safetensors", "x.safetensors", "cannot open"},
      {"vlm/tokenizer.json", "\"BPE\"", "\"Unigram\"", "the model is not BPE"},
  };
  char path[1024];
  float ours[CHUNK * ACTION], theirs[CHUNK * ACTION];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    copy_checkpoint("refused");
    snprintf(path, sizeof path, "refused/%s", cases[i].file);
    change(path, cases[i].from, cases[i].to);
    err.message[0] = 0;
    if (!act("refused", NULL, ours, theirs)) fail_msg("case %zu was accepted", i);
    if (!strstr(err.message, cases[i].message)) fail_msg("case %zu: %s", i, err.message);
  }
}

/* absent cameras are left out, in the policy's order; empty_cameras fills some of them */
static void test_cameras(void **state) {
  (void)state;
  vlb_checkpoint_folder f;
  int index[3];
  assert_int_equal(vlb_checkpoint_folder_open(TINY, NULL, &f, &err), VLB_OK);
  assert_int_equal(f.config.camera_count, 2);
  assert_int_equal(f.config.state_dim, STATE);
  assert_int_equal(vlb_checkpoint_folder_cameras(&f, (const char *[]){"camera9"}, 1, index, &err), VLB_USAGE);
  assert_int_equal(vlb_checkpoint_folder_cameras(&f, (const char *[]){"camera1", "camera1"}, 2, index, &err), VLB_USAGE);
  assert_int_equal(vlb_checkpoint_folder_cameras(&f, NULL, 0, index, &err), VLB_USAGE);
  f.config.model.empty_cameras = 2;
  assert_int_equal(vlb_checkpoint_folder_cameras(&f, (const char *[]){"camera2"}, 1, index, &err), VLB_OK);
  assert_int_equal(index[0], 0);
  assert_int_equal(f.config.model.cameras, 1);
  assert_int_equal(f.config.model.empty_cameras, 1);
  assert_string_equal(f.config.cameras[0], "observation.images.camera2");
  vlb_checkpoint_folder_close(&f);
}

/* pictures of another size than the tower's own: its position table is spread over the patches (8 x 8 rows for 12 x 12 patches) */
static void test_spread_positions(void **state) {
  (void)state;
  static const char name[] = "model.vlm_with_expert.vlm.model.vision_model.embeddings.position_embedding.weight";
  enum { WIDTH = 24, OURS = 12, THEIRS = 8 };
  vlb_checkpoint_folder f;
  vlb_pretrained p;
  vlb_safetensors *file;
  copy_checkpoint("spread");
  change("spread/config.json", "32,\n        32\n    ]", "48, 48 ]"); /* the first such list is resize_imgs_with_padding */
  if (vlb_checkpoint_folder_open("spread", NULL, &f, &err)) fail_msg("%s", err.message);
  assert_int_equal(f.config.model.image_size, 48);
  if (vlb_pretrained_load(&f, "spread", NULL, NULL, &p, &err)) fail_msg("%s", err.message);
  assert_int_equal(vlb_safetensors_open(TINY "/model.safetensors", &file, &err), VLB_OK);
  const float *ours = p.model->params[vlb_model_find(p.model, name)].data, *theirs = vlb_safetensors_find(file, name)->data;
  for (int r = 0; r < OURS; r++)
    for (int c = 0; c < OURS; c++)
      assert_memory_equal(ours + (r * OURS + c) * WIDTH, theirs + (r * THEIRS / OURS * THEIRS + c * THEIRS / OURS) * WIDTH, WIDTH * sizeof(float));
  vlb_safetensors_close(file);
  vlb_pretrained_free(&p);
  vlb_checkpoint_folder_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_actions), cmocka_unit_test(test_dump), cmocka_unit_test(test_sharded), cmocka_unit_test(test_bf16), cmocka_unit_test(test_converted_values_are_let_go), cmocka_unit_test(test_old_layout),
      cmocka_unit_test(test_foreign_statistics), cmocka_unit_test(test_missing_tensors), cmocka_unit_test(test_unknown_tensors),
      cmocka_unit_test(test_refused), cmocka_unit_test(test_cameras), cmocka_unit_test(test_spread_positions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
