/* Meta-World as suites of tasks, on the embedded models. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "core/base/file.h"
#include "sim/metaworld/family.h"
#include "sim/metaworld/metaworld.h"

static int unset(void **state) {
  (void)state;
  return unsetenv("VLABENCH_METAWORLD_ASSETS") || unsetenv("VLABENCH_METAWORLD_GOALS");
}

static vlb_suite *open_suite(const char *name) {
  vlb_suite *suite;
  vlb_error err;
  if (vlb_mw_suite_open(name, &suite, &err)) fail_msg("%s", err.message);
  return suite;
}

/* Three tasks of each group; the others only say what they need, until their assets are used. */
static void test_suites(void **state) {
  static const int sizes[] = {50, 28, 11, 6, 5, 12, 3, 3, 3, 3};
  int groups[4] = {0};
  vlb_suite *suite;
  vlb_error err;
  (void)state;
  assert_int_equal(vlb_mw_suite_open("metaworld", &suite, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "VLABENCH_METAWORLD_ASSETS"));
  assert_int_equal(vlb_mw_suite_open("metaworld_hrad", &suite, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "metaworld_hard"));
  setenv("VLABENCH_METAWORLD_ASSETS", "nowhere", 1);
  assert_int_equal(vlb_mw_suite_open("metaworld", &suite, &err), VLB_USAGE);
  assert_int_equal(vlb_folder_make("package/assets/sawyer_xyz", &err), VLB_OK);
  setenv("VLABENCH_METAWORLD_ASSETS", "package", 1);
  for (int i = 0; vlb_mw_suite_names[i]; i++) {
    suite = open_suite(vlb_mw_suite_names[i]);
    assert_int_equal(suite->task_count, sizes[i]);
    vlb_suite_free(suite);
  }
  suite = open_suite("metaworld_style");
  for (int i = 0; i < suite->task_count; i++) groups[vlb_mw_tasks[suite->tasks[i].row].difficulty]++;
  for (int i = 0; i < 4; i++) assert_int_equal(groups[i], 3);
  vlb_suite_free(suite);
}

/* A folder without models has neither scenes nor a digest. */
static void test_empty_folder(void **state) {
  vlb_scene *scene;
  char hash[VLB_HASH_SIZE];
  vlb_error err;
  (void)state;
  assert_int_equal(vlb_folder_make("empty/sawyer_xyz", &err), VLB_OK);
  setenv("VLABENCH_METAWORLD_ASSETS", "empty", 1);
  vlb_suite *suite = open_suite("metaworld_easy");
  assert_int_equal(suite->family->compile(suite, 0, &scene, &err), VLB_USAGE);
  assert_int_equal(suite->family->digest(suite, hash, &err), VLB_USAGE);
  vlb_suite_free(suite);
}

static int task_of(const vlb_suite *suite, vlb_mw_id id) {
  int i = 0;
  while (suite->tasks[i].row != (int)id) i++;
  return i;
}

/* The expert through the loop that rollouts use. Returns the steps it took; first_state [4]. */
static int play(const vlb_suite *suite, vlb_mw_id id, int episode, float *first_state, char hash[17]) {
  vlb_scene *scene;
  vlb_world w;
  vlb_error err;
  int task = task_of(suite, id), steps = 0;
  if (suite->family->compile(suite, task, &scene, &err)) fail_msg("%s", err.message);
  if (vlb_world_open(&w, suite, task, scene, &err)) fail_msg("%s", err.message);
  if (vlb_world_start(&w, episode, 3, &err)) fail_msg("%s", err.message);
  assert_int_equal(suite->family->expert_start(&w, episode, 3, &err), VLB_OK);
  suite->family->state(&w, first_state);
  while (!suite->family->expert_finished(&w) && steps < suite->max_steps) {
    double action[VLB_MAX_ACTION];
    suite->family->expert_act(&w, action);
    if (vlb_world_step(&w, action, &err)) fail_msg("%s", err.message);
    steps++;
  }
  assert_true(w.success && w.score == 1);
  vlb_world_hash(&w, hash);
  vlb_world_close(&w);
  vlb_scene_free(scene);
  return steps;
}

static void test_play(void **state) {
  vlb_suite *suite = open_suite("metaworld_style");
  float s[4], t[4];
  char a[17], b[17];
  (void)state;
  int steps = play(suite, VLB_MW_DRAWER_OPEN, 2, s, a);
  assert_true(steps > 10 && steps < 300);
  assert_true(fabsf(s[1] - 0.6f) < 0.05f && s[3] > 0.5f && s[3] <= 1); /* hand at home, open */
  assert_int_equal(play(suite, VLB_MW_DRAWER_OPEN, 2, t, b), steps);
  assert_string_equal(a, b);
  assert_memory_equal(s, t, sizeof s);
  vlb_suite_free(suite);
}

/* LeRobot's camera stands where corner4 does, in the scene and in the world's own copy. */
static void test_camera(void **state) {
  vlb_suite *suite = open_suite("metaworld_style");
  vlb_scene *scene;
  vlb_error err;
  (void)state;
  assert_int_equal(suite->family->compile(suite, 0, &scene, &err), VLB_OK);
  const mjtNum *at = scene->model->cam_pos + 3 * scene->camera[0];
  assert_string_equal(mj_id2name(scene->model, mjOBJ_CAMERA, scene->camera[0]), "corner2");
  assert_true(at[0] == 0.75 && at[1] == 0.075 && at[2] == 0.7);
  vlb_scene_free(scene);
  vlb_suite_free(suite);
}

/* Vectors of a file take the place of the stream, are part of the digest, and start again after the last. */
static void test_frozen(void **state) {
  vlb_suite *suite = open_suite("metaworld_style");
  char hash[VLB_HASH_SIZE], frozen[VLB_HASH_SIZE], a[17], b[17], c[17];
  float s[4];
  vlb_error err;
  (void)state;
  assert_int_equal(suite->family->digest(suite, hash, &err), VLB_OK);
  vlb_suite_free(suite);
  setenv("VLABENCH_METAWORLD_GOALS", VLB_TEST_DATA "/metaworld/goals.json", 1);
  suite = open_suite("metaworld_style");
  assert_int_equal(suite->family->digest(suite, frozen, &err), VLB_OK);
  assert_string_not_equal(hash, frozen);
  play(suite, VLB_MW_REACH, 0, s, a);
  play(suite, VLB_MW_REACH, 1, s, b);
  play(suite, VLB_MW_REACH, 3, s, c);
  assert_string_not_equal(a, b);
  assert_string_equal(a, c);
  vlb_suite_free(suite);
  setenv("VLABENCH_METAWORLD_GOALS", "absent.json", 1);
  assert_int_not_equal(vlb_mw_suite_open("metaworld_style", &suite, &err), VLB_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_suites, unset), cmocka_unit_test_setup(test_empty_folder, unset), cmocka_unit_test_setup(test_play, unset),
      cmocka_unit_test_setup(test_camera, unset), cmocka_unit_test_setup(test_frozen, unset)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
