/* eval_info.json by hand: two tasks of two episodes. The keys are those that LeRobot's own evaluation writes. */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "experiments/store/eval_info.h"

static json_t *written(const vlb_suite *suite, const vlb_episode_result *rows, int n) {
  vlb_error err = {VLB_OK, ""};
  json_error_t why;
  if (vlb_eval_info_write("eval_info.json", suite, rows, n, &err)) fail_msg("%s", err.message);
  json_t *root = json_load_file("eval_info.json", 0, &why);
  if (!root) fail_msg("%s", why.text);
  return root;
}

static double number(const json_t *o, const char *key) {
  const json_t *v = json_object_get(o, key);
  assert_true(json_is_number(v));
  return json_number_value(v);
}

static const vlb_episode_result rows[] = {{.task = 0, .episode = 0, .outcome = VLB_EPISODE_SUCCESS, .score = 1},
                                          {.task = 0, .episode = 1, .outcome = VLB_EPISODE_TIMEOUT, .score = 0.5},
                                          {.task = 1, .episode = 0, .outcome = VLB_EPISODE_SIM_ERROR, .score = 0},
                                          {.task = 1, .episode = 1, .outcome = VLB_EPISODE_SUCCESS, .score = 1}};

static void one_group(void **state) {
  (void)state;
  vlb_task tasks[2] = {{.name = "a"}, {.name = "b"}};
  vlb_suite suite = {.name = "so100", .tasks = tasks, .task_count = 2};
  json_t *root = written(&suite, rows, 4), *overall = json_object_get(root, "overall"), *per_task = json_object_get(root, "per_task");
  assert_true(number(overall, "pc_success") == 50);
  assert_true(number(overall, "avg_sum_reward") == 0.625);
  assert_true(number(overall, "avg_max_reward") == 0.625);
  assert_true(number(overall, "n_episodes") == 4);
  assert_true(json_is_array(json_object_get(overall, "video_paths")));
  assert_int_equal(json_array_size(per_task), 2);
  const json_t *second = json_array_get(per_task, 1), *metrics = json_object_get(second, "metrics");
  assert_string_equal(json_string_value(json_object_get(second, "task_group")), "so100");
  assert_int_equal(json_integer_value(json_object_get(second, "task_id")), 1);
  assert_true(json_is_false(json_array_get(json_object_get(metrics, "successes"), 0)));
  assert_true(json_is_true(json_array_get(json_object_get(metrics, "successes"), 1)));
  assert_int_equal(json_array_size(json_object_get(metrics, "sum_rewards")), 2);
  assert_int_equal(json_array_size(json_object_get(metrics, "max_rewards")), 2);
  assert_int_equal(json_object_size(json_object_get(root, "per_group")), 1);
  json_decref(root);
}

static void groups_of_tasks(void **state) {
  (void)state;
  vlb_task tasks[2] = {{.name = "a", .group = "easy"}, {.name = "b", .group = "hard"}};
  vlb_suite suite = {.name = "metaworld", .tasks = tasks, .task_count = 2};
  json_t *root = written(&suite, rows, 4), *groups = json_object_get(root, "per_group");
  assert_int_equal(json_object_size(groups), 2);
  assert_true(number(json_object_get(groups, "easy"), "avg_max_reward") == 0.75);
  assert_true(number(json_object_get(groups, "hard"), "n_episodes") == 2);
  json_decref(root);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(one_group), cmocka_unit_test(groups_of_tasks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
