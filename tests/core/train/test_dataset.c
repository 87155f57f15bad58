/* Loading demonstrations: which observation goes with which action, statistics, orientation, prompts, bad input. */
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

#include "core/data/image.h"
#include "core/data/tokenizer.h"
#include "fixture.h"

static vlb_context ctx;

static vlb_dataset *load(const vlb_model_config *m, const char *path) {
  vlb_error err = {0};
  vlb_dataset *d;
  if (vlb_dataset_load(m, &path, 1, &ctx, &d, &err)) fail_msg("%s", err.message);
  return d;
}

static float action_back(const vlb_dataset *d, int64_t frame, int j) {
  const vlb_stats *s = vlb_dataset_action_stats(d);
  return d->actions[frame * 7 + j] * (s->std[j] + 1e-8f) + s->mean[j];
}

static float state_back(const vlb_dataset *d, int64_t frame, int j) {
  const vlb_stats *s = vlb_dataset_state_stats(d);
  return d->states[frame * 8 + j] * (s->std[j] + 1e-8f) + s->mean[j];
}

/* Frame k of the dataset must pair observation k with action k + lost of the recording. */
static void check_pairs(bool before) {
  vlb_model_config m = tiny_model();
  write_task("pairs_demo.hdf5", "pick up the bowl", before, 1, 16, 5);
  vlb_dataset *d = load(&m, "pairs_demo.hdf5");
  int lost = before ? 0 : 1;
  vlb_episode e;
  make_episode(&e, 5, 16, 5);
  assert_int_equal(vlb_dataset_frames(d), 5 - lost);
  uint8_t turned[16 * 16 * 3];
  for (int k = 0; k < 5 - lost; k++) {
    for (int j = 0; j < 7; j++) assert_true(fabs((double)action_back(d, k, j) - episode_action(5, k + lost, j)) < 1e-6);
    for (int j = 0; j < 8; j++) assert_true(fabs((double)state_back(d, k, j) - e.state[8 * k + j]) < 1e-6);
    vlb_image_view(e.image[0] + k * (int)sizeof turned, 16, VLB_VIEW_ROTATED, turned);
    assert_memory_equal(d->pixels + (2 * k) * (int)sizeof turned, turned, sizeof turned);
    vlb_image_view(e.image[1] + k * (int)sizeof turned, 16, VLB_VIEW_ROTATED, turned);
    assert_memory_equal(d->pixels + (2 * k + 1) * (int)sizeof turned, turned, sizeof turned);
    assert_int_equal(d->episode_end[k], 5 - lost);
  }
  vlb_episode_free(&e);
  vlb_dataset_free(d);
}

static void test_observed_before(void **state) {
  (void)state;
  check_pairs(true);
}

static void test_observed_after(void **state) {
  (void)state;
  check_pairs(false);
}

static void test_statistics_and_prompts(void **state) {
  (void)state;
  vlb_model_config m = tiny_model();
  vlb_dataset *d = small_dataset(&m, &ctx);
  assert_int_equal(vlb_dataset_frames(d), 5 + 6 + 5);
  double mean = 0, square = 0;
  for (int64_t i = 0; i < 16; i++) mean += (double)d->actions[i * 7 + 2] / 16, square += pow((double)d->actions[i * 7 + 2], 2) / 16;
  assert_true(fabs(mean) < 1e-5 && fabs(square - 1) < 1e-5); /* population variance */
  assert_int_equal(d->task[10], 0);
  assert_int_equal(d->task[11], 1);
  assert_int_equal(d->episode_end[4], 5);
  assert_int_equal(d->episode_end[5], 11);
  vlb_tokenizer *tok;
  vlb_error err;
  int32_t ids[12];
  uint8_t mask[12];
  assert_int_equal(vlb_tokenizer_micro(&tok, &err), VLB_OK);
  assert_int_equal(vlb_tokenizer_prompt(tok, "open the drawer", 12, ids, mask, &err), VLB_OK);
  assert_memory_equal(d->tokens + 12, ids, sizeof ids);
  assert_memory_equal(d->token_mask + 12, mask, sizeof mask);
  vlb_tokenizer_free(tok);
  vlb_dataset_free(d);
}

static void expect(const vlb_model_config *m, const char *const *files, int n, vlb_code code, const char *part) {
  vlb_error err = {0};
  vlb_dataset *d;
  assert_int_equal(vlb_dataset_load(m, files, n, &ctx, &d, &err), code);
  assert_null(d);
  if (!strstr(err.message, part)) fail_msg("\"%s\" lacks \"%s\"", err.message, part);
}

static void test_bad_input(void **state) {
  (void)state;
  const char *files[] = {"good_demo.hdf5", "large_demo.hdf5"}, *missing = "nowhere_demo.hdf5", *short_one = "short_demo.hdf5";
  vlb_model_config m = tiny_model();
  write_task(files[0], "x", true, 1, 16, 1);
  write_task(files[1], "x", true, 1, 24, 1);
  expect(&m, files, 2, VLB_FAILED, "large_demo.hdf5: demo_0: pictures of 24 pixels after pictures of 16");
  expect(&m, &missing, 1, VLB_FAILED, "nowhere_demo.hdf5");
  expect(&m, files, 0, VLB_FAILED, "no demonstrations");
  vlb_episode e;
  vlb_error err;
  vlb_task_info after = {.observed_before = false};
  make_episode(&e, 1, 16, 1);
  assert_int_equal(vlb_episodes_write(short_one, &after, &e, 1, &err), VLB_OK);
  vlb_episode_free(&e);
  expect(&m, &short_one, 1, VLB_FAILED, "short_demo.hdf5: demo_0: an episode of 1 frames has no observation");
  m.cameras = 3;
  expect(&m, files, 1, VLB_USAGE, "good_demo.hdf5: model.cameras = 3, but the robot panda has 2 cameras; set model.cameras = 2");
  m.cameras = 1;
  expect(&m, files, 1, VLB_USAGE, "good_demo.hdf5: model.cameras = 1, but the robot panda has 2 cameras; set model.cameras = 2");
  m = tiny_model(), m.max_state_dim = 7;
  expect(&m, files, 1, VLB_USAGE, "model.max_state_dim = 7 is below the 8 state numbers");
  m = tiny_model(), m.action_dim = 6;
  expect(&m, files, 1, VLB_USAGE, "model.action_dim = 6, but the robot panda takes 7 numbers; set model.action_dim = 7");
  m = tiny_model(), m.vocab_size = 100;
  expect(&m, files, 1, VLB_USAGE, "vocab_size is 100");
}

static void write_robot(const char *path, const vlb_embodiment *robot, int frames) {
  vlb_episode e;
  vlb_error err = {0};
  vlb_task_info info = {.instruction = "sort", .observed_before = true};
  assert_int_equal(vlb_episode_alloc(&e, robot, frames, 5, 16, &err), VLB_OK);
  for (int i = 0; i < frames * robot->action_dim; i++) e.actions[i] = episode_action(7, i, 0);
  for (int i = 0; i < frames * robot->state_dim; i++) e.state[i] = episode_action(8, i, 0);
  for (int c = 0; c < robot->cameras; c++)
    for (int i = 0; i < frames * 16 * 16 * 3; i++) e.image[c][i] = (uint8_t)(i * 7 + c);
  if (vlb_episodes_write(path, &info, &e, 1, &err)) fail_msg("%s", err.message);
  vlb_episode_free(&e);
}

/* Widths, cameras and how pictures are turned come from the robot of the demonstrations. */
static void test_robots(void **state) {
  (void)state;
  static const vlb_embodiment *const robots[] = {&vlb_sawyer, &vlb_so100, &vlb_so101};
  for (int r = 0; r < 3; r++) {
    const vlb_embodiment *robot = robots[r];
    enum { FRAMES = 4, PICTURE = 16 * 16 * 3 };
    vlb_model_config m = tiny_model();
    m.cameras = robot->cameras, m.action_dim = robot->action_dim;
    write_robot("robot_demo.hdf5", robot, FRAMES);
    vlb_dataset *d = load(&m, "robot_demo.hdf5");
    assert_int_equal(vlb_dataset_frames(d), FRAMES);
    assert_int_equal(vlb_dataset_state_stats(d)->dim, robot->state_dim);
    assert_int_equal(vlb_dataset_action_stats(d)->dim, robot->action_dim);
    uint8_t raw[PICTURE], turned[PICTURE];
    for (int k = 0; k < FRAMES; k++) {
      for (int j = 0; j < robot->action_dim; j++) {
        const vlb_stats *s = vlb_dataset_action_stats(d);
        double back = (double)(d->actions[k * robot->action_dim + j] * (s->std[j] + 1e-8f) + s->mean[j]);
        assert_true(fabs(back - episode_action(7, k * robot->action_dim + j, 0)) < 1e-6);
      }
      for (int c = 0; c < robot->cameras; c++) {
        for (int i = 0; i < PICTURE; i++) raw[i] = (uint8_t)((k * PICTURE + i) * 7 + c);
        vlb_image_view(raw, 16, robot->view, turned);
        assert_memory_equal(d->pixels + (k * robot->cameras + c) * PICTURE, turned, PICTURE);
      }
    }
    vlb_dataset_free(d);
  }
  const char *mixed[] = {"pairs_demo.hdf5", "robot_demo.hdf5"};
  vlb_model_config m = tiny_model();
  write_task(mixed[0], "pick up the bowl", true, 1, 16, 5);
  expect(&m, mixed, 2, VLB_USAGE, "robot_demo.hdf5: demonstrations of so101 after those of panda");
  expect(&m, mixed + 1, 1, VLB_USAGE, "model.action_dim = 7, but the robot so101 takes 6 numbers");
}

static void test_stop(void **state) {
  (void)state;
  volatile sig_atomic_t stop = 1;
  const char *file = "stop_demo.hdf5";
  vlb_model_config m = tiny_model();
  write_task(file, "x", true, 1, 16, 1);
  ctx.stop = &stop;
  expect(&m, &file, 1, VLB_INTERRUPTED, "interrupted");
  ctx.stop = NULL;
}

int main(void) {
  ctx = (vlb_context){.log = vlb_log_open(stderr, true), .threads = 1};
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_observed_before), cmocka_unit_test(test_observed_after), cmocka_unit_test(test_statistics_and_prompts),
      cmocka_unit_test(test_bad_input),       cmocka_unit_test(test_robots),         cmocka_unit_test(test_stop),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  vlb_log_close(ctx.log);
  return failed;
}
