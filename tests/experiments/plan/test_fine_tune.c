/* Fine-tuning a checkpoint directory, and a VLM alone: what is written loads, frozen weights are the checkpoint's, the prefix cache and threads
 * change no byte, a run that was stopped goes on. */
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

#include "core/base/file.h"
#include "core/base/rng.h"
#include "core/data/episodes.h"
#include "core/model/pretrained.h"
#include "experiments/plan/fine_tune.h"

#define TINY VLB_TEST_DATA "/lerobot/tiny"
#define VLM "model.vlm_with_expert.vlm."

static vlb_context ctx;
static const char *const demos[] = {"demos"};

static void write_demos(const vlb_embodiment *robot, const char *folder) {
  vlb_error err = {0};
  char path[64];
  vlb_task_info info = {.observed_before = true, .instruction = "pick up the cube"};
  vlb_episode e;
  vlb_rng rng = vlb_rng_make(3, VLB_RNG_TEST, 0, 0);
  assert_int_equal(vlb_folder_make(folder, &err), VLB_OK);
  assert_int_equal(vlb_episode_alloc(&e, robot, 12, 3, 24, &err), VLB_OK);
  for (int i = 0; i < 12 * robot->state_dim; i++) e.state[i] = vlb_rng_range(&rng, -1, 1);
  for (int i = 0; i < 12 * robot->action_dim; i++) e.actions[i] = vlb_rng_range(&rng, -1, 1);
  for (int c = 0; c < robot->cameras; c++)
    for (int i = 0; i < 12 * 24 * 24 * 3; i++) e.image[c][i] = (uint8_t)vlb_rng_below(&rng, 256);
  e.rewards[11] = e.dones[11] = 1;
  snprintf(path, sizeof path, "%s/cube_demo.hdf5", folder);
  if (vlb_episodes_write(path, &info, &e, 1, &err)) fail_msg("%s", err.message);
  vlb_episode_free(&e);
}

static vlb_train_config settings(void) {
  vlb_train_config c;
  vlb_fields_default(vlb_train_fields, &c);
  c.steps = 8, c.batch_size = 4, c.shards = 2, c.lr = 1e-3, c.checkpoint_every = 3;
  return c;
}

static vlb_code tune(const char *checkpoint, const vlb_train_config *c, const char *out, int threads, vlb_error *err) {
  vlb_fine_tune *t;
  vlb_context mine = ctx;
  mine.threads = threads;
  VLB_TRY(vlb_fine_tune_open(checkpoint, NULL, demos, 1, ctx.log, &t, err));
  vlb_code code = vlb_fine_tune_run(t, c, out, NULL, VLB_F32, &mine, err);
  vlb_fine_tune_close(t);
  return code;
}

static void tune_well(const char *checkpoint, const vlb_train_config *c, const char *out, int threads) {
  vlb_error err = {0};
  if (tune(checkpoint, c, out, threads, &err)) fail_msg("%s", err.message);
}

static vlb_pretrained load(const char *dir) {
  vlb_checkpoint_folder f;
  vlb_pretrained p = {.model = NULL};
  vlb_error err = {0};
  if (vlb_checkpoint_folder_open(dir, NULL, &f, &err) || vlb_pretrained_load(&f, dir, NULL, NULL, &p, &err)) fail_msg("%s", err.message);
  vlb_checkpoint_folder_close(&f);
  return p;
}

static void same_file(const char *a, const char *b, const char *name) {
  char path[2][256], *x, *y;
  size_t n, m;
  snprintf(path[0], sizeof path[0], "%s/%s", a, name), snprintf(path[1], sizeof path[1], "%s/%s", b, name);
  assert_int_equal(vlb_file_read(path[0], &x, &n, NULL), VLB_OK);
  assert_int_equal(vlb_file_read(path[1], &y, &m, NULL), VLB_OK);
  if (n != m || memcmp(x, y, n)) fail_msg("%s of %s and %s differ", name, a, b);
  free(x), free(y);
}

static void same_result(const char *a, const char *b) {
  same_file(a, b, "model.safetensors");
  same_file(a, b, "loss.csv");
  same_file(a, b, "config.json");
}

static void test_tuned(void **state) {
  (void)state;
  vlb_train_config c = settings();
  tune_well(TINY, &c, "tuned", 2);
  assert_false(vlb_file_exists("tuned.training"));
  vlb_pretrained before = load(TINY), after = load("tuned");
  int changed = 0, kept = 0;
  for (int i = 0; i < after.model->param_count; i++) {
    const vlb_param *p = &after.model->params[i], *q = &before.model->params[vlb_model_find(before.model, p->name)];
    assert_int_equal(p->size, q->size);
    bool same = !memcmp(p->data, q->data, p->size * sizeof *p->data);
    if (same == p->trainable) fail_msg("%s: %s", p->name, same ? "was not trained" : "was trained");
    changed += !same, kept += same;
  }
  assert_true(changed > 10 && kept > 10);
  assert_int_equal(after.model->config.action_dim, 6);
  assert_int_equal(after.action.dim, 6);
  assert_true(fabs((double)after.action.mean[0]) < 1 && after.action.std[0] > 0.1f); /* those of the demonstrations */
  vlb_pretrained_free(&before), vlb_pretrained_free(&after);
}

static void test_same_bytes(void **state) {
  (void)state;
  vlb_train_config c = settings();
  tune_well(TINY, &c, "with", 2);
  c.prefix_cache = VLB_CACHE_NONE;
  tune_well(TINY, &c, "without", 1);
  same_result("with", "without");
  c.prefix_cache = VLB_CACHE_VISION;
  tune_well(TINY, &c, "seen", 1);
  same_result("with", "seen");
}

static void test_goes_on(void **state) {
  (void)state;
  vlb_train_config c = settings();
  vlb_error err = {0};
  volatile sig_atomic_t stop = 1;
  tune_well(TINY, &c, "straight", 1);
  vlb_fine_tune *t;
  assert_int_equal(vlb_fine_tune_open(TINY, NULL, demos, 1, ctx.log, &t, &err), VLB_OK);
  c.steps = 8;
  ctx.stop = &stop;
  assert_int_equal(vlb_fine_tune_run(t, &c, "halted", NULL, VLB_F32, &ctx, &err), VLB_INTERRUPTED);
  ctx.stop = NULL;
  vlb_fine_tune_close(t);
  assert_false(vlb_file_exists("halted"));
  tune_well(TINY, &c, "halted", 2);
  same_result("straight", "halted");
}

/* the VLM's tensors under their own names, with its configuration and tokenizer */
static void write_vlm(void) {
  static const char *const files[] = {"config.json", "tokenizer.json", "tokenizer_config.json"};
  vlb_pretrained p = load(TINY);
  vlb_st_entry *e = calloc((size_t)p.model->param_count + 200, sizeof *e);
  vlb_error err = {0};
  int n = 0;
  assert_int_equal(vlb_folder_make("vlm", &err), VLB_OK);
  for (int i = 0; i < p.model->param_count; i++) {
    vlb_param *q = &p.model->params[i];
    if (strncmp(q->name, VLM, strlen(VLM))) continue;
    e[n] = (vlb_st_entry){.name = q->name + strlen(VLM), .dtype = VLB_F32, .ndim = q->ndim, .count = q->size, .data = q->data};
    memcpy(e[n++].dims, q->dims, sizeof q->dims);
  }
  /* layers that the policy dropped: the first ones again */
  char(*names)[128] = calloc(200, sizeof *names);
  for (int i = 0, whole = n, k = 0; i < whole; i++) {
    const char *at = strstr(e[i].name, "text_model.layers.");
    if (!at) continue;
    e[n] = e[i];
    snprintf(names[k], sizeof names[k], "model.text_model.layers.%d%s", at[18] - '0' + 2, at + 19);
    e[n++].name = names[k++];
  }
  if (vlb_safetensors_write("vlm/model.safetensors", e, n, &err)) fail_msg("%s", err.message);
  free(e), free(names);
  for (int i = 0; i < 3; i++) {
    char path[512], *data;
    size_t size;
    snprintf(path, sizeof path, TINY "/vlm/%s", files[i]);
    assert_int_equal(vlb_file_read(path, &data, &size, &err), VLB_OK);
    snprintf(path, sizeof path, "vlm/%s", files[i]);
    assert_int_equal(vlb_file_write(path, data, size, &err), VLB_OK);
    free(data);
  }
  vlb_pretrained_free(&p);
}

static void test_vlm_alone(void **state) {
  (void)state;
  vlb_train_config c = settings();
  write_vlm();
  tune_well("vlm", &c, "new", 2);
  vlb_pretrained p = load("new");
  assert_int_equal(p.model->shape.vlm_layers, 4);
  assert_int_equal(p.model->config.cameras, 2);
  vlb_pretrained_free(&p);
}

static void refused(const char *checkpoint, const char *folder, const char *message) {
  vlb_fine_tune *t;
  vlb_error err = {0};
  assert_int_not_equal(vlb_fine_tune_open(checkpoint, NULL, &folder, 1, ctx.log, &t, &err), VLB_OK);
  assert_null(t);
  if (!strstr(err.message, message)) fail_msg("%s", err.message);
}

static void test_bad(void **state) {
  (void)state;
  vlb_error err = {0};
  assert_int_equal(vlb_folder_make("empty", &err), VLB_OK);
  refused(TINY, "empty", "no demonstrations");
  refused(TINY, "nowhere", "nowhere");
  refused("empty", "demos", "not a checkpoint directory of LeRobot");
}

int main(void) {
  ctx = (vlb_context){.log = vlb_log_open(stderr, true), .threads = 2};
  write_demos(&vlb_so100, "demos");
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tuned),     cmocka_unit_test(test_same_bytes), cmocka_unit_test(test_goes_on),
      cmocka_unit_test(test_vlm_alone), cmocka_unit_test(test_bad),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  vlb_log_close(ctx.log);
  return failed;
}
