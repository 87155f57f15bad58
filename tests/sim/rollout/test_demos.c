/* Demonstrations: the same bytes at any number of threads and after a break, and exactly what a policy would have met. */
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
#include "core/data/episodes.h"
#include "core/data/image.h"
#include "sim/rollout/demos.h"
#include "sim/rollout/rollout.h"
#include "sim/task/world.h"

enum { SIZE = 32, PER_TASK = 2 };
static const char suite_folder[] = "short";

/* Two quick tasks of the embedded suite, as a folder. */
static int set_up(void **state) {
  char command[1200];
  *state = vlb_log_open(stderr, true);
  snprintf(command, sizeof command, "mkdir -p %s && cd \"%s/sim/task/suites/spatial\" && cp suite.toml 02_*.toml 06_*.toml \"$OLDPWD/%s\"",
           suite_folder, getenv("VLB_TEST_ROOT"), suite_folder);
  return system(command);
}

static int tear_down(void **state) {
  vlb_log_close(*state);
  return 0;
}

static vlb_code record(vlb_log *log, const char *folder, int threads, int64_t seed, vlb_error *err) {
  vlb_demo_config config;
  vlb_context ctx = {log, threads, NULL};
  vlb_fields_default(vlb_demo_fields, &config);
  strcpy(config.suite.s, suite_folder);
  config.per_task = PER_TASK;
  config.render_size = SIZE;
  config.seed = seed;
  return vlb_demos_record(&config, folder, &ctx, err);
}

static const char *const files[] = {"pick_up_the_black_bowl_from_table_center_and_place_it_on_the_plate_demo.hdf5",
                                    "pick_up_the_black_bowl_next_to_the_cookie_box_and_place_it_on_the_plate_demo.hdf5", "quality.csv"};

static void check_same(const char *a, const char *b) {
  char path[2][256], *data[2];
  size_t size[2];
  for (int i = 0; i < 3; i++) {
    const char *folders[2] = {a, b};
    for (int k = 0; k < 2; k++) {
      snprintf(path[k], sizeof path[k], "%s/%s", folders[k], files[i]);
      assert_int_equal(vlb_file_read(path[k], &data[k], &size[k], NULL), VLB_OK);
    }
    assert_true(size[0] == size[1]);
    assert_memory_equal(data[0], data[1], size[0]);
    free(data[0]);
    free(data[1]);
  }
}

static void threads_and_breaks_do_not_matter(void **state) {
  vlb_error err;
  char path[256];
  assert_int_equal(record(*state, "one", 1, 1000, &err), VLB_OK);
  assert_int_equal(record(*state, "two", 2, 1000, &err), VLB_OK);
  check_same("one", "two");
  /* killed between the two tasks */
  snprintf(path, sizeof path, "two/%s", files[1]);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(record(*state, "two", 2, 1000, &err), VLB_OK);
  check_same("one", "two");
}

static void other_settings_are_not_mixed_in(void **state) {
  vlb_error err;
  assert_int_equal(record(*state, "one", 1, 1001, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "other settings"));
}

static void joint_angles_are_not_pushed(void **state) {
  vlb_error err;
  vlb_demo_config config;
  vlb_context ctx = {*state, 1, NULL};
  vlb_fields_default(vlb_demo_fields, &config);
  strcpy(config.suite.s, "so100");
  config.pushes = 0.01;
  assert_int_equal(vlb_demos_record(&config, "so", &ctx, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "so100 are joint angles"));
  assert_false(vlb_file_exists("so"));
}

static void read_first(vlb_episode *e) {
  char path[256];
  vlb_episode_file *file;
  vlb_error err;
  snprintf(path, sizeof path, "one/%s", files[0]);
  assert_int_equal(vlb_episodes_open(path, &file, &err), VLB_OK);
  assert_int_equal(vlb_episodes_count(file), PER_TASK);
  assert_true(vlb_episodes_info(file)->observed_before);
  assert_string_equal(vlb_episodes_info(file)->instruction, "pick up the black bowl from table center and place it on the plate");
  assert_int_equal(vlb_episodes_read(file, 0, true, e, &err), VLB_OK);
  vlb_episodes_close(file);
}

/* The recorded actions, played again, pass through the recorded states, and the last frame's action meets the goal. */
static void actions_reproduce_states(void **state) {
  (void)state;
  vlb_suite *suite;
  vlb_scene *scene;
  vlb_world world;
  vlb_episode e;
  vlb_error err;
  read_first(&e);
  assert_int_equal(vlb_suite_load(suite_folder, &suite, &err), VLB_OK);
  assert_int_equal(vlb_task_compile(suite, 0, &scene, &err), VLB_OK);
  assert_int_equal(vlb_world_open(&world, suite, 0, scene, &err), VLB_OK);
  assert_int_equal(vlb_world_start(&world, 0, 1000, &err), VLB_OK);
  for (int k = 0; k < e.frames; k++) {
    const double *row = e.states + (size_t)k * (size_t)e.state_width;
    assert_true(row[0] == world.data->time);
    assert_memory_equal(row + 1, world.data->qpos, (size_t)scene->model->nq * sizeof(double));
    assert_memory_equal(row + 1 + scene->model->nq, world.data->qvel, (size_t)scene->model->nv * sizeof(double));
    assert_int_equal(vlb_world_step(&world, e.actions + 7 * k, &err), VLB_OK);
    assert_int_equal(e.dones[k], k == e.frames - 1);
  }
  assert_true(vlb_task_success(&suite->tasks[0], scene, world.data));
  vlb_world_close(&world);
  vlb_scene_free(scene);
  vlb_suite_free(suite);
  vlb_episode_free(&e);
}

/* A policy that keeps its first look at task 0, episode 0. */
typedef struct {
  int seen;
  uint8_t image[VLB_MAX_CAMERAS][SIZE * SIZE * 3];
  float state[VLB_MAX_STATE];
} first_look;

static vlb_code look(void *self, int n, const vlb_observation *o, float *actions, vlb_error *err) {
  first_look *f = self;
  (void)err;
  memset(actions, 0, (size_t)n * VLB_MAX_ACTION * sizeof *actions);
  if (f->seen || o->task || o->episode) return VLB_OK;
  for (int c = 0; c < VLB_MAX_CAMERAS; c++) memcpy(f->image[c], o->image[c], sizeof f->image[c]);
  memcpy(f->state, o->state, sizeof f->state);
  f->seen = 1;
  return VLB_OK;
}

static void a_policy_meets_the_same(void **state) {
  static first_look f;
  vlb_suite *suite;
  vlb_episode e;
  vlb_error err;
  vlb_rollout_config config;
  vlb_episode_result results[2];
  vlb_context ctx = {*state, 1, NULL};
  vlb_policy_callback policy = {&f, 1, 1, 1, look};
  uint8_t turned[SIZE * SIZE * 3];
  read_first(&e);
  assert_int_equal(vlb_suite_load(suite_folder, &suite, &err), VLB_OK);
  vlb_fields_default(vlb_rollout_fields, &config);
  config.episodes_per_task = config.max_steps = 1;
  config.render_size = SIZE;
  config.seed = 1000;
  assert_int_equal(vlb_rollouts_run(&config, suite, &policy, &ctx, "look", results, &err), VLB_OK);
  assert_true(f.seen);
  vlb_image_view(e.image[0], SIZE, VLB_VIEW_ROTATED, turned);
  assert_memory_equal(f.image[0], turned, sizeof turned);
  vlb_image_view(e.image[1], SIZE, VLB_VIEW_ROTATED, turned);
  assert_memory_equal(f.image[1], turned, sizeof turned);
  for (int i = 0; i < 8; i++) assert_true((float)e.state[i] == f.state[i]);
  vlb_suite_free(suite);
  vlb_episode_free(&e);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_and_breaks_do_not_matter), cmocka_unit_test(other_settings_are_not_mixed_in),
      cmocka_unit_test(joint_angles_are_not_pushed),
      cmocka_unit_test(actions_reproduce_states),         cmocka_unit_test(a_policy_meets_the_same),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
