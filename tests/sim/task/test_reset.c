#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/control/osc.h"
#include "sim/task/predicates.h"


static int load(void **state) {
  vlb_error err;
  return vlb_suite_load("spatial", (vlb_suite **)state, &err) == VLB_OK ? 0 : -1;
}

static int unload(void **state) {
  vlb_suite_free(*state);
  return 0;
}

static const double *place_of(const vlb_task *task, int object, const vlb_scene *scene, const mjData *data) {
  return data->xpos + 3 * vlb_object_body(scene->model, task->objects[object].name);
}

/* For a second of holding the arm nothing moves by 5 mm, and the goal is not met by itself. */
static void check_rest(const vlb_task *task, const vlb_scene *scene, mjData *data) {
  static const double hold[7] = {0, 0, 0, 0, 0, 0, -1};
  double before[VLB_MAX_OBJECTS][3];
  vlb_osc osc;
  vlb_error err;
  vlb_osc_reset(&osc, scene, data);
  for (int i = 0; i < task->object_count; i++) memcpy(before[i], place_of(task, i, scene, data), sizeof before[i]);
  for (int k = 0; k < 20; k++) {
    assert_int_equal(vlb_osc_step(&osc, scene, data, hold, &err), VLB_OK);
    assert_false(vlb_task_success(task, scene, data));
  }
  for (int i = 0; i < task->object_count; i++) {
    const double *now = place_of(task, i, scene, data), *was = before[i];
    double moved = sqrt(pow(now[0] - was[0], 2) + pow(now[1] - was[1], 2) + pow(now[2] - was[2], 2));
    if (moved > 0.005) fail_msg("%s: %s moved by %.1f mm", task->instruction, task->objects[i].name, 1e3 * moved);
  }
}

/* Things lie where the file says and stand upright. */
static void check_placement(const vlb_task *task, const vlb_scene *scene, const mjData *data) {
  for (int i = 0; i < task->object_count; i++) {
    const vlb_placement *p = &task->placements[i];
    const double *at = place_of(task, i, scene, data);
    int body = vlb_object_body(scene->model, task->objects[i].name);
    if (!task->objects[i].movable) continue;
    assert_true(data->xmat[9 * body + 8] > 0.999);
    if (p->on[0]) continue;
    double x = at[0] - scene->workspace[0], y = at[1] - scene->workspace[1];
    assert_true(x > p->x[0] - 0.002 && x < p->x[1] + 0.002);
    assert_true(y > p->y[0] - 0.002 && y < p->y[1] + 0.002);
  }
}

/* Some of the fifty starts that evaluations use. */
static void check_starts(const char *name) {
  static const int episodes[] = {0, 17, 49};
  vlb_suite *suite;
  vlb_error err;
  assert_int_equal(vlb_suite_load(name, &suite, &err), VLB_OK);
  for (int t = 0; t < suite->task_count; t++) {
    const vlb_task *task = &suite->tasks[t];
    vlb_scene *scene;
    assert_int_equal(vlb_task_compile(suite, t, &scene, &err), VLB_OK);
    mjData *data = mj_makeData(scene->model);
    for (size_t e = 0; e < sizeof episodes / sizeof *episodes; e++) {
      assert_int_equal(vlb_task_reset(task, t, episodes[e], 7, scene, data, &err), VLB_OK);
      assert_true(data->time == 0);
      for (int i = 0; i < scene->model->nv; i++) assert_true(data->qvel[i] == 0);
      check_placement(task, scene, data);
      check_rest(task, scene, data);
    }
    mj_deleteData(data);
    vlb_scene_free(scene);
  }
  vlb_suite_free(suite);
}

static void starts_are_at_rest(void **state) {
  (void)state;
  static const char *const suites[] = {"spatial", "object", "goal", "long"};
  for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) check_starts(suites[i]);
}

static void start_states_hold(void **state) {
  const vlb_suite *suite = *state;
  const vlb_task *task = &suite->tasks[4];
  vlb_scene *scene;
  vlb_error err;
  assert_int_equal(vlb_task_compile(suite, 4, &scene, &err), VLB_OK);
  mjData *data = mj_makeData(scene->model);
  assert_int_equal(vlb_task_reset(task, 4, 0, 7, scene, data, &err), VLB_OK);
  assert_true(vlb_goal_holds(&task->starts[0], task, scene->model, data));
  vlb_goal inside = {.kind = VLB_GOAL_IN, .a = "akita_black_bowl_1", .b = "wooden_cabinet_1_top_region"};
  assert_true(vlb_goal_holds(&inside, task, scene->model, data));
  mj_deleteData(data);
  vlb_scene_free(scene);
}

static void a_reset_is_a_pure_function(void **state) {
  const vlb_suite *suite = *state;
  const vlb_task *task = &suite->tasks[0];
  vlb_scene *scene;
  vlb_error err;
  assert_int_equal(vlb_task_compile(suite, 0, &scene, &err), VLB_OK);
  mjData *a = mj_makeData(scene->model), *b = mj_makeData(scene->model);
  size_t size = (size_t)scene->model->nq * sizeof(mjtNum);
  /* b has a past; it must not matter */
  assert_int_equal(vlb_task_reset(task, 0, 1, 7, scene, b, &err), VLB_OK);
  for (int i = 0; i < 100; i++) mj_step(scene->model, b);
  assert_int_equal(vlb_task_reset(task, 0, 0, 7, scene, a, &err), VLB_OK);
  assert_int_equal(vlb_task_reset(task, 0, 0, 7, scene, b, &err), VLB_OK);
  assert_memory_equal(a->qpos, b->qpos, size);
  assert_memory_equal(a->qacc_warmstart, b->qacc_warmstart, (size_t)scene->model->nv * sizeof(mjtNum));
  assert_int_equal(vlb_task_reset(task, 0, 1, 7, scene, b, &err), VLB_OK);
  assert_memory_not_equal(a->qpos, b->qpos, size);
  assert_int_equal(vlb_task_reset(task, 0, 0, 8, scene, b, &err), VLB_OK);
  assert_memory_not_equal(a->qpos, b->qpos, size);
  mj_deleteData(a);
  mj_deleteData(b);
  vlb_scene_free(scene);
}

static void what_does_not_fit_is_an_error(void **state) {
  vlb_suite *suite = *state;
  vlb_task *task = &suite->tasks[0];
  const vlb_placement was = task->placements[4];
  vlb_scene *scene;
  vlb_error err;
  task->placements[4] = task->placements[3]; /* both bowls at one place */
  assert_int_equal(vlb_task_compile(suite, 0, &scene, &err), VLB_OK);
  mjData *data = mj_makeData(scene->model);
  assert_int_equal(vlb_task_reset(task, 0, 0, 7, scene, data, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "do not fit"));
  task->placements[4] = was;
  mj_deleteData(data);
  vlb_scene_free(scene);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(starts_are_at_rest),
      cmocka_unit_test(start_states_hold),
      cmocka_unit_test(a_reset_is_a_pure_function),
      cmocka_unit_test(what_does_not_fit_is_an_error),
  };
  return cmocka_run_group_tests(tests, load, unload);
}
