/* The prefix cache changes nothing but time: the same bytes with and without it, for every kind of expert, with any number of threads, after
 * kills, after damage. It stays within its bounds and is shared by models that keep fewer layers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/data/safetensors.h"
#include "core/model/prefix.h"
#include "core/train/cache_file.h"
#include "core/train/vlm.h"
#include "fixture.h"

static vlb_context ctx;

/* a run: model and training settings, changed by "key=value" words */
typedef struct {
  vlb_model_config model;
  vlb_train_config train;
} run;

static void set(run *r, const char *words) {
  char text[512], *rest = text, *word;
  snprintf(text, sizeof text, "%s", words);
  while ((word = strsep(&rest, " "))) {
    char *value = strchr(word, '=');
    vlb_error err = {0};
    if (!value) continue;
    *value++ = 0;
    if (vlb_fields_set(vlb_model_fields, &r->model, word, value, NULL) && vlb_fields_set(vlb_train_fields, &r->train, word, value, &err)) fail_msg("%s", err.message);
  }
}

static run run_of(const char *words) {
  run r = {.model = tiny_model()};
  vlb_fields_default(vlb_train_fields, &r.train);
  r.train.steps = 6, r.train.batch_size = 6, r.train.shards = 3, r.train.lr = 1e-2, r.train.checkpoint_every = 2;
  r.model.text_layers = 4, r.model.freeze = VLB_FREEZE_VLM;
  set(&r, words);
  return r;
}

static vlb_code train(const run *r, const char *cache, const char *folder, int threads, vlb_error *err) {
  vlb_model *model;
  vlb_dataset *data = small_dataset(&r->model, &ctx);
  vlb_context mine = ctx;
  mine.threads = threads;
  vlb_code code = vlb_train_begin(&r->model, &r->train, &model, err);
  if (!code) code = vlb_train(model, &r->train, data, "train test", folder, cache, &mine, err);
  vlb_model_free(model);
  vlb_dataset_free(data);
  return code;
}

static void train_well(const run *r, const char *cache, const char *folder, int threads) {
  vlb_error err = {0};
  if (train(r, cache, folder, threads, &err)) fail_msg("%s", err.message);
}

/* files of a cache whose names begin with `kind` and end with `suffix` */
static int count_files(const char *cache, const char *kind, const char *suffix, char first[256]) {
  vlb_file_list list;
  int n = 0;
  if (vlb_folder_list(cache, suffix, &list, NULL)) return 0;
  for (int i = 0; i < list.count; i++) {
    if (strncmp(strrchr(list.path[i], '/') + 1, kind, strlen(kind))) continue;
    if (!n++ && first) snprintf(first, 256, "%s", list.path[i]);
  }
  vlb_list_free(&list);
  return n;
}

static const char *const kinds[] = {
    "attention=cross", "attention=self", "attention=interleaved", "attention=interleaved action_mask=bidirectional", "attention=cross state=suffix",
    "attention=interleaved state=suffix", "attention=cross num_expert_layers=2", "attention=cross objective=l1", "attention=interleaved train_state_proj=false",
    "attention=interleaved add_image_special_tokens=true empty_cameras=1", "attention=cross skip_every_second=true", "attention=interleaved num_vlm_layers=2",
    "attention=cross state=suffix_seen", "attention=cross prefix_precision=bfloat16", "attention=cross chunk_rows=2", "attention=self chunk_size=3 n_action_steps=3 expert_width=1.5"};

static void test_same_bytes(void **state) {
  (void)state;
  for (int i = 0; i < (int)(sizeof kinds / sizeof *kinds); i++) {
    char plain[64], vision[64], kv[64], again[64];
    snprintf(plain, sizeof plain, "plain%d", i), snprintf(vision, sizeof vision, "vision%d", i);
    snprintf(kv, sizeof kv, "kv%d", i), snprintf(again, sizeof again, "again%d", i);
    run r = run_of(kinds[i]);
    train_well(&r, NULL, plain, 1);
    set(&r, "prefix_cache=vision");
    train_well(&r, "cache", vision, 2);
    same_run(plain, vision);
    set(&r, "prefix_cache=kv");
    train_well(&r, "cache", kv, 2);
    same_run(plain, kv);
    train_well(&r, "cache", again, 1); /* from files that are there, without a shared thread count */
    same_run(plain, again);
  }
}

static void test_precision_is_a_factor(void **state) {
  (void)state;
  run r = run_of("attention=cross");
  train_well(&r, NULL, "full", 1);
  set(&r, "prefix_precision=bfloat16");
  train_well(&r, NULL, "half", 1);
  char *a, *b;
  size_t n, m;
  assert_int_equal(vlb_file_read(file_in("full", "loss.csv"), &a, &n, NULL), VLB_OK);
  assert_int_equal(vlb_file_read(file_in("half", "loss.csv"), &b, &m, NULL), VLB_OK);
  assert_true(n != m || memcmp(a, b, n));
  free(a), free(b);
}

/* ---- who shares what ---- */

static void write_vlm(void) {
  run r = run_of("");
  vlb_model *m;
  vlb_error err;
  assert_int_equal(vlb_train_begin(&r.model, &r.train, &m, &err), VLB_OK);
  for (size_t i = 0; i < m->weight_count; i++) m->weights[i] *= 1.5f;
  assert_int_equal(vlb_folder_make("vlm", &err), VLB_OK);
  assert_int_equal(vlb_model_save(m, "vlm/model.safetensors", &err), VLB_OK);
  vlb_model_free(m);
}

static void test_one_file_serves_every_depth(void **state) {
  (void)state;
  write_vlm();
  run r = run_of("vlm=vlm attention=cross num_vlm_layers=1");
  train_well(&r, "shared", "deep1", 1);
  assert_int_equal(count_files("shared", "kv", ".data", NULL), 2); /* one per task */
  assert_int_equal(count_files("shared", "vision", ".data", NULL), 0);
  int64_t disk = vlb_cache_folder_disk("shared");
  static const char *const sharing[] = {"num_vlm_layers=2", "num_vlm_layers=4", "num_vlm_layers=4 attention=self", "expert_width=1.25 seed=7", "chunk_size=2 n_action_steps=2"};
  for (int i = 0; i < 5; i++) {
    char with[64], without[64];
    snprintf(with, sizeof with, "with%d", i), snprintf(without, sizeof without, "without%d", i);
    set(&r, sharing[i]);
    train_well(&r, "shared", with, 2);
    train_well(&r, NULL, without, 1);
    same_run(without, with);
    if (count_files("shared", "kv", ".data", NULL) != 2) fail_msg("%s made files of its own", sharing[i]);
    assert_int_equal(vlb_cache_folder_disk("shared"), disk);
  }
  /* every second layer is another network; another picture size, another preparation */
  set(&r, "num_vlm_layers=0 skip_every_second=true");
  train_well(&r, "shared", "skipping", 1);
  assert_int_equal(count_files("shared", "kv", ".data", NULL), 4);
  set(&r, "skip_every_second=false prefix_precision=bfloat16");
  train_well(&r, "shared", "halved", 1);
  assert_int_equal(count_files("shared", "kv", ".data", NULL), 6);
  set(&r, "prefix_cache=vision");
  train_well(&r, "shared", "seeing", 1);
  set(&r, "prefix_precision=float32 skip_every_second=true");
  train_well(&r, "shared", "seeing2", 1);
  assert_int_equal(count_files("shared", "vision", ".data", NULL), 2);
}

/* the first layer of a network of every second layer has the same keys; no other has */
static void test_skipping_changes_the_keys(void **state) {
  (void)state;
  write_vlm();
  float *kv[2], tokens[2 * 16] = {0.5f, -1, 2};
  int32_t words[12] = {1, 2, 3};
  uint8_t mask[12] = {1, 1, 1};
  vlb_batch batch = {.tokens = words, .token_mask = mask};
  size_t one = 0;
  for (int skip = 0; skip < 2; skip++) {
    run r = run_of(skip ? "vlm=vlm skip_every_second=true attention=cross" : "vlm=vlm attention=cross");
    vlb_model *m;
    vlb_prefix *p;
    assert_int_equal(vlb_train_begin(&r.model, &r.train, &m, NULL), VLB_OK);
    assert_int_equal(vlb_prefix_create(m, 1, false, &p, NULL), VLB_OK);
    one = vlb_prefix_layer_count(m);
    kv[skip] = calloc((size_t)m->shape.vlm_layers * one, sizeof(float));
    vlb_prefix_run(p, tokens, &batch, kv[skip]);
    vlb_prefix_free(p);
    vlb_model_free(m);
  }
  assert_memory_equal(kv[0], kv[1], one * sizeof(float));
  assert_memory_not_equal(kv[0] + 2 * one, kv[1] + one, one * sizeof(float)); /* layer 2 there is layer 1 here */
  free(kv[0]), free(kv[1]);
}

/* ---- bounds ---- */

static void test_bounds(void **state) {
  (void)state;
  run r = run_of("attention=cross");
  train_well(&r, NULL, "bound0", 1);
  /* 16 frames; keys and values: 4 layers x 2 x (2 + 3 or 4 rows) x 8 floats = about 1.3 kB; image tokens 2 x 16 floats = 128 bytes */
  set(&r, "prefix_cache_gb=1e-5");
  train_well(&r, "bounded", "bound1", 1);
  same_run("bound0", "bound1");
  assert_int_equal(count_files("bounded", "kv", ".data", NULL), 0);
  assert_int_equal(count_files("bounded", "vision", ".data", NULL), 2);
  set(&r, "prefix_cache_gb=1e-7");
  train_well(&r, "unbounded", "bound2", 1);
  same_run("bound0", "bound2");
  assert_int_equal(count_files("unbounded", "", ".data", NULL), 0);
  set(&r, "prefix_cache_gb=8 prefix_cache_memory_gb=0"); /* pages go after every sample */
  train_well(&r, "bounded", "bound3", 2);
  same_run("bound0", "bound3");
  set(&r, "prefix_cache=none");
  train_well(&r, "never", "bound4", 2);
  same_run("bound0", "bound4");
  assert_false(vlb_file_exists("never"));
}

/* files of other runs go, the one used longest ago first, but not those that are open */
static void test_others_make_room(void **state) {
  (void)state;
  vlb_error err = {0};
  vlb_cache_file file[3];
  char record[4096], path[64];
  memset(record, 7, sizeof record);
  assert_int_equal(vlb_folder_make("crowd", &err), VLB_OK);
  for (int i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "crowd/old%d", i);
    assert_int_equal(vlb_cache_file_open(&file[i], path, 64, 1, sizeof record, &err), VLB_OK);
    for (int64_t k = 0; k < 64; k++) assert_int_equal(vlb_cache_file_write(&file[i], k, record, &err), VLB_OK);
    assert_int_equal(vlb_cache_file_commit(&file[i], (int64_t[]){0, 1}, 2, &err), VLB_OK);
    if (i != 0) vlb_cache_file_close(&file[i]);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
  }
  int64_t disk = vlb_cache_folder_disk("crowd");
  assert_true(disk >= 3 * 64 * 4096);
  int64_t left = vlb_cache_folder_shrink("crowd", disk - 1);
  assert_true(left < disk && vlb_file_exists("crowd/old0.data") && !vlb_file_exists("crowd/old1.data") && vlb_file_exists("crowd/old2.data"));
  vlb_cache_folder_shrink("crowd", 0);
  assert_true(vlb_file_exists("crowd/old0.data") && !vlb_file_exists("crowd/old2.data"));
  vlb_cache_file_close(&file[0]);
  assert_int_equal(vlb_cache_file_open(&file[0], "crowd/old0", 64, 1, sizeof record, &err), VLB_OK);
  assert_true(vlb_cache_file_holds(&file[0], 1, 1) && !vlb_cache_file_holds(&file[0], 2, 1)); /* written, but never marked */
  vlb_cache_file_close(&file[0]);
  vlb_cache_folder_remove("crowd");
  assert_false(vlb_file_exists("crowd"));
}


/* a run of few steps makes the frames that it visits */
static void test_only_visited_frames(void **state) {
  (void)state;
  run r = run_of("attention=cross steps=1 batch_size=3 shards=1");
  train_well(&r, "few", "few1", 1);
  int marked = 0, all = 0;
  vlb_file_list list;
  assert_int_equal(vlb_folder_list("few", ".marks", &list, NULL), VLB_OK);
  for (int i = 0; i < list.count; i++) {
    char *marks;
    size_t size;
    assert_int_equal(vlb_file_read(list.path[i], &marks, &size, NULL), VLB_OK);
    for (size_t k = 0; k < size; k += 4 * 8, all++) marked += marks[k] || marks[k + 1];
    free(marks);
  }
  vlb_list_free(&list);
  assert_int_equal(marked, 3);
  assert_true(all >= 3 && all <= 16);
}

/* ---- damage ---- */

static void overwrite(const char *path, off_t at, const char *text) {
  int fd = open(path, O_WRONLY);
  assert_true(fd >= 0);
  assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
  close(fd);
}

static void test_damage_is_found_and_mended(void **state) {
  (void)state;
  run r = run_of("attention=interleaved");
  char data[256], marks[256], *good, *mended;
  size_t size, again;
  train_well(&r, "damaged", "whole", 1);
  assert_int_equal(count_files("damaged", "kv", ".data", data), 2);
  assert_int_equal(count_files("damaged", "kv", ".marks", marks), 2);
  assert_int_equal(vlb_file_read(data, &good, &size, NULL), VLB_OK);
  for (int kind = 0; kind < 5; kind++) {
    char folder[64];
    snprintf(folder, sizeof folder, "mended%d", kind);
    if (kind == 0) overwrite(data, 100, "damage");
    if (kind == 1) assert_int_equal(truncate(data, 1000), 0);
    if (kind == 2) assert_int_equal(truncate(data, 1000000), 0);
    if (kind == 3) overwrite(marks, 8, "damage");
    if (kind == 4) assert_int_equal(truncate(marks, 10), 0);
    train_well(&r, "damaged", folder, 2);
    same_run("whole", folder);
    assert_int_equal(vlb_file_read(data, &mended, &again, NULL), VLB_OK);
    assert_int_equal(size, again);
    assert_memory_equal(good, mended, size);
    free(mended);
  }
  free(good);
}

static void test_not_a_folder(void **state) {
  (void)state;
  run r = run_of("attention=cross");
  vlb_error err = {0};
  assert_int_equal(vlb_file_write("plain_file", "x", 1, &err), VLB_OK);
  assert_int_equal(train(&r, "plain_file", "nowhere", 1, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "plain_file"));
}

/* ---- kills ---- */

/* Children are killed at moments that nobody chooses: while the cache is filled, while weights are trained. */
static void test_killed(void **state) {
  (void)state;
  run r = run_of("attention=cross steps=30 checkpoint_every=3");
  vlb_error err;
  train_well(&r, NULL, "unkilled", 1);
  for (int round = 0; round < 12; round++) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) _exit((int)train(&r, "killed_cache", "killed", 1, &err));
    nanosleep(&(struct timespec){.tv_nsec = 4000000L * (round + 1)}, NULL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
  }
  train_well(&r, "killed_cache", "killed", 2);
  same_run("unkilled", "killed");
}

static void test_stopped_while_filling(void **state) {
  (void)state;
  run r = run_of("attention=cross");
  volatile sig_atomic_t stop = 1;
  vlb_error err = {0};
  vlb_dataset *data = small_dataset(&r.model, &ctx);
  vlb_model *m;
  assert_int_equal(vlb_train_begin(&r.model, &r.train, &m, &err), VLB_OK);
  ctx.stop = &stop;
  assert_int_equal(vlb_train(m, &r.train, data, "train test", "stopped", "stopped_cache", &ctx, &err), VLB_INTERRUPTED);
  ctx.stop = NULL;
  vlb_model_free(m);
  vlb_dataset_free(data);
  train_well(&r, "stopped_cache", "stopped", 2);
  train_well(&r, NULL, "not_stopped", 1);
  same_run("not_stopped", "stopped");
}

int main(void) {
  ctx = (vlb_context){.log = vlb_log_open(stderr, true), .threads = 2};
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_bytes),       cmocka_unit_test(test_precision_is_a_factor),    cmocka_unit_test(test_one_file_serves_every_depth),
      cmocka_unit_test(test_skipping_changes_the_keys), cmocka_unit_test(test_bounds),          cmocka_unit_test(test_others_make_room),
      cmocka_unit_test(test_only_visited_frames), cmocka_unit_test(test_damage_is_found_and_mended), cmocka_unit_test(test_not_a_folder),
      cmocka_unit_test(test_killed),           cmocka_unit_test(test_stopped_while_filling),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  vlb_log_close(ctx.log);
  return failed;
}
