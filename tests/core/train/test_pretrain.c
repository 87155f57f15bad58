/* Pretraining on captions: what a sample is made of; the same bytes with any number of threads and after a stop; it learns; growing changes
 * nothing at first; what ships is what was rounded. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "core/base/rng.h"
#include "core/data/safetensors.h"
#include "core/train/caption_data.h"
#include "fixture.h"

enum { FRAMES = 1600, SIZE = 16, WORDS = 512 };
static vlb_context ctx;
static vlb_caption_data *data;

static vlb_model_config tiny_vlm(int64_t layers) {
  vlb_model_config c = tiny_model();
  c.text_layers = layers;
  c.vocab_size = WORDS + VLB_PLACE_TOKENS;
  c.patch_size = 4;
  return c;
}

static vlb_pretrain_config captions_config(void) {
  vlb_pretrain_config c;
  vlb_fields_default(vlb_pretrain_fields, &c);
  c.answers = 24, c.depth_every = 1;
  return c;
}

/* A bright square whose place is the answer: something to be learnt. Episode 19 of 20 is held out. */
static void write_scenes(const char *path) {
  vlb_captions s = {.frames = FRAMES, .cameras = 2, .size = SIZE};
  size_t bytes = 2 * SIZE * SIZE * 3, text_size;
  vlb_error err;
  s.pixels = calloc(FRAMES, bytes);
  s.at = calloc(FRAMES + 1, sizeof *s.at);
  s.episode = calloc(FRAMES, sizeof *s.episode);
  FILE *out = open_memstream(&s.text, &text_size);
  for (int i = 0; i < FRAMES; i++) {
    vlb_rng rng = vlb_rng_make(1, VLB_RNG_TEST, (uint32_t)i, 0);
    int u = (int)vlb_rng_below(&rng, SIZE - 4), v = (int)vlb_rng_below(&rng, SIZE - 4);
    for (int p = 0; p < 16; p++) s.pixels[(size_t)i * bytes + (size_t)((v + p / 4) * SIZE + u + p % 4) * 3] = 255;
    double x = vlb_place_in_picture((u + 2.0) / SIZE), y = vlb_place_in_picture((v + 2.0) / SIZE), d = vlb_place_of_offset(0.01 * u);
    fprintf(out, "put the bowl on the plate\t{%.2f}{%.2f}{}{}{%.2f}{31.5}{31.5}{%.2f}{%.2f}{}{}{%.2f}{31.5}{31.5}\n", x, y, d, x, y, d);
    fprintf(out, "where is the bowl\t{%.2f}{%.2f} here\nwhere is the milk\tnowhere\n", x, y);
    fflush(out);
    s.at[i + 1] = (int64_t)text_size;
    s.episode[i] = i % 20;
  }
  fclose(out);
  if (vlb_captions_write(&s, path, &err)) fail_msg("%s", err.message);
  vlb_captions_close(&s);
}

static vlb_train_config settings(void) {
  vlb_train_config c;
  vlb_fields_default(vlb_train_fields, &c);
  c.steps = 10, c.batch_size = 8, c.shards = 4, c.lr = 3e-3, c.decay_lr = 1e-3, c.grad_clip = 1, c.warmup_steps = 1, c.checkpoint_every = 3;
  return c;
}

static vlb_model *vlm_of(int64_t layers, uint64_t seed) {
  vlb_model_config c = tiny_vlm(layers);
  vlb_model *m;
  vlb_error err;
  if (vlb_model_create_vlm(&c, &m, &err)) fail_msg("%s", err.message);
  vlb_model_init(m, seed);
  return m;
}

static vlb_code train(vlb_model *m, const vlb_train_config *c, const char *folder, int threads, vlb_error *err) {
  vlb_pretrain_config p = captions_config();
  vlb_context mine = ctx;
  mine.threads = threads;
  return vlb_pretrain(m, &p, c, data, "pretrain test", folder, &mine, err);
}

static void train_well(const vlb_train_config *c, const char *folder, int threads) {
  vlb_error err;
  vlb_model *m = vlm_of(2, 1);
  if (train(m, c, folder, threads, &err)) fail_msg("%s", err.message);
  vlb_model_free(m);
}

static void same_file(const char *a, const char *b, const char *name) {
  char path[2][256], *text[2];
  size_t size[2];
  const char *folders[2] = {a, b};
  for (int i = 0; i < 2; i++) {
    snprintf(path[i], sizeof path[i], "%s/%s", folders[i], name);
    assert_int_equal(vlb_file_read(path[i], &text[i], &size[i], NULL), VLB_OK);
  }
  assert_int_equal(size[0], size[1]);
  assert_memory_equal(text[0], text[1], size[0]);
  free(text[0]), free(text[1]);
}

static void test_threads_and_stops_do_not_matter(void **state) {
  (void)state;
  vlb_train_config c = settings();
  volatile sig_atomic_t stop = 1;
  vlb_error err;
  train_well(&c, "one", 1);
  train_well(&c, "three", 3);
  vlb_model *m = vlm_of(2, 1);
  ctx.stop = &stop;
  assert_int_equal(train(m, &c, "stopped", 2, &err), VLB_INTERRUPTED);
  ctx.stop = NULL;
  vlb_model_free(m);
  assert_true(vlb_file_exists("stopped/checkpoint.safetensors"));
  train_well(&c, "stopped", 1);
  for (int i = 0; i < 2; i++) {
    same_file("one", i ? "stopped" : "three", "model.safetensors");
    same_file("one", i ? "stopped" : "three", "loss.csv");
  }
}

/* other captions are another run */
static void test_checkpoint_of_other_captions(void **state) {
  (void)state;
  vlb_train_config c = settings();
  volatile sig_atomic_t stop = 1;
  vlb_error err;
  vlb_model *m = vlm_of(2, 1);
  ctx.stop = &stop;
  assert_int_equal(train(m, &c, "other", 1, &err), VLB_INTERRUPTED);
  ctx.stop = NULL;
  data->tokens[0].id++;
  assert_int_equal(train(m, &c, "other", 1, &err), VLB_FAILED);
  data->tokens[0].id--;
  assert_non_null(strstr(err.message, "it belongs to a run with other settings"));
  vlb_model_free(m);
}

static vlb_sight sight_of(const vlb_model *m) {
  vlb_pretrain_config p = captions_config();
  vlb_sight rows[VLB_MAX_DEPTHS];
  vlb_error err;
  int count;
  if (vlb_pretrain_measure(m, &p, data, 100, &ctx, rows, &count, &err)) fail_msg("%s", err.message);
  assert_int_equal(count, m->shape.vlm_layers);
  for (int i = 0; i < count; i++) assert_int_equal(rows[i].layers, i + 1);
  return rows[count - 1];
}

static void test_it_learns_to_see(void **state) {
  (void)state;
  vlb_train_config c = settings();
  vlb_error err;
  vlb_model *m = vlm_of(2, 1);
  vlb_sight before = sight_of(m);
  c.steps = 1000, c.batch_size = 16, c.checkpoint_every = 1000;
  if (train(m, &c, "learns", 2, &err)) fail_msg("%s", err.message);
  vlb_sight after = sight_of(m);
  assert_int_equal(after.samples, FRAMES / 20);
  assert_true(isnan(after.pixels[1])); /* it is never in the second picture */
  if (!(after.loss < 0.5 * before.loss && after.pixels[0] < 0.7 * before.pixels[0] && after.word_hits > 0.9))
    fail_msg("loss %g -> %g, pixels %g -> %g, words %g", before.loss, after.loss, before.pixels[0], after.pixels[0], after.word_hits);
  vlb_model_free(m);
}

/* new layers behind the old ones say what those said */
static void test_growing_changes_nothing(void **state) {
  (void)state;
  vlb_model *small = vlm_of(2, 1), *large = vlm_of(5, 9);
  vlb_pretrain_grow(small, large, 4);
  vlb_sight a = sight_of(small), b = sight_of(large);
  assert_true(fabs(a.loss - b.loss) < 1e-6 * a.loss);
  assert_true(a.pixels[0] == b.pixels[0] || fabs(a.pixels[0] - b.pixels[0]) < 1e-5);
  const char *key = "model.vlm_with_expert.vlm.model.text_model.layers.4.self_attn.k_proj.weight";
  assert_true(large->params[vlb_model_find(large, key)].data[0] != 0); /* but they look at it in ways of their own */
  vlb_model_free(small), vlb_model_free(large);
}

static void test_published_is_rounded(void **state) {
  (void)state;
  vlb_model *m = vlm_of(2, 1);
  vlb_safetensors *file;
  vlb_error err;
  float first = m->params[0].data[0], back[64 * 1024];
  if (vlb_pretrain_publish(m, "published.safetensors", &err)) fail_msg("%s", err.message);
  assert_true(fabsf(m->params[0].data[0] - first) <= fabsf(first) / 256);
  assert_int_equal(vlb_safetensors_open("published.safetensors", &file, &err), VLB_OK);
  assert_int_equal(vlb_safetensors_count(file), m->param_count);
  for (int i = 0; i < m->param_count; i++) {
    const vlb_st_entry *e = vlb_safetensors_find(file, m->params[i].name);
    assert_non_null(e);
    assert_int_equal(e->dtype, VLB_BF16);
    assert_true(e->count < sizeof back / sizeof *back);
    vlb_st_to_float(e, back);
    assert_memory_equal(back, m->params[i].data, e->count * sizeof *back);
  }
  vlb_safetensors_close(file);
  vlb_model_free(m);
}

/* The parts of a sample: prompt with newline, the answer first, other lines with their questions, bells around places. */
static void test_sample(void **state) {
  (void)state;
  vlb_model_config m = tiny_vlm(2);
  vlb_pretrain_config p = captions_config();
  vlb_caption_samples s;
  vlb_error err;
  assert_int_equal(vlb_caption_samples_open(&s, &m, &p, 2, &err), VLB_OK);
  vlb_caption_samples_fill(&s, 1, data, 0, 5, 6, 7, true);
  const int32_t *tokens = s.tokens + m.tokenizer_max_length, *in = s.answers + p.answers, *ids = s.targets + p.answers * VLB_CAPTION_TARGETS;
  const float *w = s.weights + p.answers * VLB_CAPTION_TARGETS;
  int real = 0, counted = 0;
  while (real < m.tokenizer_max_length && s.token_mask[m.tokenizer_max_length + real]) real++;
  assert_int_equal(tokens[real - 1], data->newline);
  assert_int_equal(in[0], 0);
  for (int64_t i = 0; i + 1 < p.answers; i++) { /* what comes next is what the next row is given; of a coordinate only which one it was */
    double sum = 0, place = 0;
    for (int k = 0; k < VLB_CAPTION_TARGETS; k++) sum += (double)w[i * VLB_CAPTION_TARGETS + k], place += (double)w[i * VLB_CAPTION_TARGETS + k] * ids[i * VLB_CAPTION_TARGETS + k];
    if (sum == 0) continue;
    counted++;
    assert_true(fabs(sum - 1) < 1e-6);
    if (place < WORDS) assert_true(place == in[i + 1]);
    else assert_true(in[i + 1] >= WORDS + VLB_PLACE_SAID);
  }
  for (int i = 0; i < 14; i++) assert_int_equal(in[1 + i], WORDS + VLB_PLACE_SAID + i); /* the first answers are places */
  assert_int_equal(ids[2 * VLB_CAPTION_TARGETS], WORDS + VLB_PLACE_NONE);               /* not in the second picture */
  assert_true(counted > 15);
  int count = vlb_caption_count(data, &p, 0, 5, 6, 7);
  assert_true(count >= counted && count <= p.answers);
  vlb_caption_samples_close(&s);
}

static void test_places(void **state) {
  (void)state;
  for (int i = -30; i <= 30; i++) assert_true(fabs(vlb_offset_of_place(vlb_place_of_offset(0.025 * i)) - 0.025 * i) < 1e-12);
  assert_true(fabs(vlb_place_of_offset(5) - 63) < 1e-12 && fabs(vlb_place_of_offset(-5)) < 1e-12);
  assert_true(fabs(vlb_place_in_picture(0.5) - 31.5) < 1e-12);
}

static void test_damaged_scenes(void **state) {
  (void)state;
  vlb_captions s;
  vlb_error err;
  vlb_model_config m = tiny_vlm(2);
  vlb_caption_data *none;
  assert_int_equal(vlb_folder_make("damaged", &err), VLB_OK);
  write_scenes("damaged/a.captions");
  assert_int_equal(truncate("damaged/a.captions", 5000), 0);
  assert_int_equal(vlb_captions_read("damaged/a.captions", &s, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "damaged/a.captions"));
  assert_int_equal(vlb_caption_data_load("damaged", &m, &ctx, &none, &err), VLB_FAILED);
  assert_int_equal(vlb_folder_make("empty", &err), VLB_OK);
  assert_int_equal(vlb_caption_data_load("empty", &m, &ctx, &none, &err), VLB_USAGE);
  m.vocab_size = WORDS;
  assert_int_equal(vlb_caption_data_load("scenes", &m, &ctx, &none, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "593"));
}

int main(void) {
  vlb_error err;
  vlb_model_config m = tiny_vlm(2);
  ctx = (vlb_context){.log = vlb_log_open(stderr, true), .threads = 1};
  if (vlb_folder_make("scenes", &err)) return 1;
  write_scenes("scenes/a.captions");
  if (vlb_caption_data_load("scenes", &m, &ctx, &data, &err)) return fprintf(stderr, "%s\n", err.message), 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_places),       cmocka_unit_test(test_sample),
      cmocka_unit_test(test_threads_and_stops_do_not_matter), cmocka_unit_test(test_checkpoint_of_other_captions),
      cmocka_unit_test(test_it_learns_to_see), cmocka_unit_test(test_growing_changes_nothing),
      cmocka_unit_test(test_published_is_rounded), cmocka_unit_test(test_damaged_scenes),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  vlb_caption_data_free(data);
  vlb_log_close(ctx.log);
  return failed;
}
