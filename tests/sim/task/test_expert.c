#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/control/osc.h"
#include "sim/task/expert.h"

enum { EPISODES = 2, LONGEST = 150 };
static const uint64_t seed = 41;

typedef struct {
  int steps, success;
  double jump;              /* largest change of an arm action from one step to the next */
  double action[LONGEST][7];
} episode;

static void play(const vlb_task *task, int index, int number, const vlb_scene *scene, mjData *data, episode *out) {
  vlb_expert expert;
  vlb_osc osc;
  vlb_error err;
  memset(out, 0, sizeof *out);
  assert_int_equal(vlb_task_reset(task, index, number, seed, scene, data, &err), VLB_OK);
  assert_int_equal(vlb_expert_reset(&expert, task, index, number, seed, scene, &err), VLB_OK);
  vlb_osc_reset(&osc, scene, data);
  while (out->steps < LONGEST && !vlb_expert_finished(&expert, scene, data)) {
    double *action = out->action[out->steps++];
    vlb_expert_act(&expert, scene, data, action);
    for (int i = 0; i < 7; i++) assert_true(fabs(action[i]) <= 1);
    assert_true(fabs(action[6]) == 1);
    if (out->steps > 1)
      for (int i = 0; i < 6; i++) out->jump = fmax(out->jump, fabs(action[i] - action[i - 7]));
    assert_int_equal(vlb_osc_step(&osc, scene, data, action, &err), VLB_OK);
  }
  out->success = vlb_task_success(task, scene, data);
}

/* A sample of what quality.csv records at full size: at most one of 20 episodes may fail, all are short and smooth. */
static void it_succeeds(void **state) {
  (void)state;
  vlb_suite *suite;
  vlb_error err;
  int successes = 0;
  static episode e;
  assert_int_equal(vlb_suite_load("spatial", &suite, &err), VLB_OK);
  for (int t = 0; t < suite->task_count; t++) {
    vlb_scene *scene;
    assert_int_equal(vlb_task_compile(suite, t, &scene, &err), VLB_OK);
    mjData *data = mj_makeData(scene->model);
    for (int n = 0; n < EPISODES; n++) {
      play(&suite->tasks[t], t, n, scene, data, &e);
      if (!e.success) print_message("task %d episode %d failed after %d steps\n", t, n, e.steps);
      successes += e.success;
      assert_true(e.jump < 0.9);
      assert_in_range(e.steps, 50, LONGEST - 1);
    }
    mj_deleteData(data);
    vlb_scene_free(scene);
  }
  vlb_suite_free(suite);
  assert_true(successes >= 10 * EPISODES - 1);
}

static void its_manner_varies_and_repeats(void **state) {
  (void)state;
  vlb_suite *suite;
  vlb_scene *scene;
  vlb_error err;
  static episode a, b;
  assert_int_equal(vlb_suite_load("spatial", &suite, &err), VLB_OK);
  assert_int_equal(vlb_task_compile(suite, 2, &scene, &err), VLB_OK);
  mjData *data = mj_makeData(scene->model);
  play(&suite->tasks[2], 2, 0, scene, data, &a);
  play(&suite->tasks[2], 2, 1, scene, data, &b);
  assert_memory_not_equal(a.action, b.action, sizeof a.action);
  play(&suite->tasks[2], 2, 0, scene, data, &b);
  assert_memory_equal(a.action, b.action, sizeof a.action);
  mj_deleteData(data);
  vlb_scene_free(scene);
  vlb_suite_free(suite);
}

static void a_task_without_a_goal_is_refused(void **state) {
  (void)state;
  static const vlb_task nothing = {.instruction = "rest"};
  vlb_expert expert;
  vlb_error err;
  assert_int_equal(vlb_expert_reset(&expert, &nothing, 0, 0, seed, NULL, &err), VLB_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_succeeds),
      cmocka_unit_test(its_manner_varies_and_repeats),
      cmocka_unit_test(a_task_without_a_goal_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
