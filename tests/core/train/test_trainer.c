/* Training: the same bytes with any number of threads, after a kill and after a stop; bad runs end with one clear line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/file.h"
#include "fixture.h"

static vlb_context ctx;
static vlb_model_config model_config;
static vlb_dataset *data;

static vlb_train_config settings(void) {
  vlb_train_config c;
  vlb_fields_default(vlb_train_fields, &c);
  c.steps = 12, c.batch_size = 6, c.shards = 3, c.lr = 1e-2, c.checkpoint_every = 4;
  return c;
}

static vlb_code train(const vlb_train_config *c, const char *folder, int threads, vlb_error *err) {
  vlb_model *model;
  assert_int_equal(vlb_model_create(&model_config, &model, err), VLB_OK);
  vlb_model_init(model, 1);
  vlb_context mine = ctx;
  mine.threads = threads;
  vlb_code code = vlb_train(model, c, data, "train test", folder, NULL, &mine, err);
  vlb_model_free(model);
  return code;
}

static void train_well(const vlb_train_config *c, const char *folder, int threads) {
  vlb_error err = {0};
  if (train(c, folder, threads, &err)) fail_msg("%s", err.message);
}

/* Loss of row `step` of loss.csv. */
static double loss_at(const char *folder, int step) {
  char line[256];
  double loss = NAN;
  FILE *f = fopen(file_in(folder, "loss.csv"), "r");
  assert_non_null(f);
  for (int i = -1; i <= step; i++) assert_non_null(fgets(line, sizeof line, f));
  assert_int_equal(sscanf(line, "%*d,%lf", &loss), 1);
  fclose(f);
  return loss;
}

static void test_threads_do_not_matter(void **state) {
  (void)state;
  vlb_train_config c = settings();
  train_well(&c, "one", 1);
  train_well(&c, "two", 2);
  train_well(&c, "five", 5);
  same_run("one", "two");
  same_run("one", "five");
}

/* The loss is a mean over the batch: cutting it into other shards only changes roundings. */
static void test_shards_only_change_roundings(void **state) {
  (void)state;
  vlb_train_config c = settings();
  c.steps = 1;
  train_well(&c, "shards3", 1);
  c.shards = 1;
  train_well(&c, "shards1", 1);
  double a = loss_at("shards3", 0), b = loss_at("shards1", 0);
  assert_true(a > 0 && fabs(a - b) < 1e-6 * a);
}

static void test_it_learns(void **state) {
  (void)state;
  vlb_train_config c = settings();
  c.steps = 200, c.batch_size = 16, c.shards = 2, c.checkpoint_every = 1000;
  train_well(&c, "learns", 2);
  double first = 0, last = 0;
  for (int i = 0; i < 20; i++) first += loss_at("learns", i) / 20, last += loss_at("learns", 180 + i) / 20;
  if (!(last < 0.8 * first)) fail_msg("loss went from %g to %g", first, last);
}

static void test_stop_and_go_on(void **state) {
  (void)state;
  volatile sig_atomic_t stop = 1;
  vlb_train_config c = settings();
  vlb_error err = {0};
  ctx.stop = &stop;
  assert_int_equal(train(&c, "stopped", 2, &err), VLB_INTERRUPTED);
  ctx.stop = NULL;
  assert_true(exists_in("stopped", "checkpoint.safetensors"));
  assert_false(exists_in("stopped", "model.safetensors"));
  train_well(&c, "whole", 1);
  train_well(&c, "stopped", 1);
  same_run("whole", "stopped");
}

/* Kills a child at a moment that nobody chooses, as often as it takes to see a checkpoint, and finishes its work. */
static void test_killed_and_resumed(void **state) {
  (void)state;
  vlb_train_config c = settings();
  c.steps = 40, c.checkpoint_every = 1;
  train_well(&c, "unkilled", 1);
  vlb_error err;
  assert_int_equal(vlb_folder_make("killed", &err), VLB_OK);
  for (int round = 0; round < 3; round++) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) _exit((int)train(&c, "killed", 1, &err));
    for (int i = 0; i < 5000 && !exists_in("killed", "checkpoint.safetensors") && !exists_in("killed", "model.safetensors"); i++)
      nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    nanosleep(&(struct timespec){.tv_nsec = 7000000L * (round + 1)}, NULL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
  }
  if (!exists_in("killed", "model.safetensors") || exists_in("killed", "checkpoint.safetensors")) train_well(&c, "killed", 1);
  same_run("unkilled", "killed");
}

static void test_divergence(void **state) {
  (void)state;
  vlb_train_config c = settings();
  vlb_error err = {0};
  float kept = data->actions[0];
  data->actions[0] = NAN;
  assert_int_equal(train(&c, "nan", 1, &err), VLB_FAILED);
  data->actions[0] = kept;
  if (strncmp(err.message, "train test: loss nan", 20) && strncmp(err.message, "train test: loss -nan", 21)) fail_msg("%s", err.message);
  assert_non_null(strstr(err.message, "lower lr"));
  assert_false(exists_in("nan", "model.safetensors"));
}

static void interrupt(const vlb_train_config *c, const char *folder) {
  volatile sig_atomic_t stop = 1;
  vlb_error err;
  ctx.stop = &stop;
  assert_int_equal(train(c, folder, 1, &err), VLB_INTERRUPTED);
  ctx.stop = NULL;
}

static void test_checkpoint_of_another_run(void **state) {
  (void)state;
  vlb_train_config c = settings();
  vlb_error err = {0};
  interrupt(&c, "other");
  c.seed++;
  assert_int_equal(train(&c, "other", 1, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "train test: other/checkpoint.safetensors: it belongs to a run with other settings"));
  c.seed--, c.checkpoint_every = 2; /* changes nothing about the result */
  train_well(&c, "other", 1);
}

static void test_damaged_checkpoint(void **state) {
  (void)state;
  vlb_train_config c = settings();
  vlb_error err = {0};
  interrupt(&c, "damaged");
  assert_int_equal(truncate("damaged/checkpoint.safetensors", 1000), 0);
  assert_int_equal(train(&c, "damaged", 1, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "damaged/checkpoint.safetensors"));
}

static void test_bad_settings(void **state) {
  (void)state;
  vlb_train_config c = settings();
  vlb_error err = {0};
  c.batch_size = 7;
  assert_int_equal(train(&c, "bad", 1, &err), VLB_USAGE);
  c = settings();
  model_config.tokenizer_max_length = 13; /* the data was loaded for 12 */
  assert_int_equal(train(&c, "bad", 1, &err), VLB_USAGE);
  model_config = tiny_model();
}

int main(void) {
  ctx = (vlb_context){.log = vlb_log_open(stderr, true), .threads = 1};
  model_config = tiny_model();
  data = small_dataset(&model_config, &ctx);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_threads_do_not_matter), cmocka_unit_test(test_shards_only_change_roundings),
      cmocka_unit_test(test_it_learns),             cmocka_unit_test(test_stop_and_go_on),
      cmocka_unit_test(test_killed_and_resumed),    cmocka_unit_test(test_divergence),
      cmocka_unit_test(test_checkpoint_of_another_run), cmocka_unit_test(test_damaged_checkpoint),
      cmocka_unit_test(test_bad_settings),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  vlb_dataset_free(data);
  vlb_log_close(ctx.log);
  return failed;
}
