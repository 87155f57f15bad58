/* The scripted expert at work: every task of the embedded suites for its robot, its manner, and how it starts over. */
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
#include "sim/task/predicates.h"

enum { LONGEST = 520 };
static const uint64_t seed = 41;

typedef struct {
  int steps, success;
  double jump;              /* largest change of an arm action from one step to the next */
  double action[LONGEST][7];
} episode;

typedef struct {
  vlb_suite *suite;
  const vlb_task *task;
  vlb_scene *scene;
  mjData *data;
} stage;

static stage open_stage(const char *suite, int index) {
  stage s;
  vlb_error err;
  if (vlb_suite_load(suite, &s.suite, &err) || vlb_task_compile(s.suite, index, &s.scene, &err)) fail_msg("%s", err.message);
  s.task = &s.suite->tasks[index];
  s.data = mj_makeData(s.scene->model);
  return s;
}

static void close_stage(stage *s) {
  mj_deleteData(s->data);
  vlb_scene_free(s->scene);
  vlb_suite_free(s->suite);
}

/* meddle (may be NULL) is called after each step. */
static void play(const stage *s, int index, int number, void (*meddle)(const stage *s, const vlb_expert *e, int *done), episode *out) {
  vlb_expert expert;
  vlb_osc osc;
  vlb_error err;
  int meddled = 0;
  memset(out, 0, sizeof *out);
  assert_int_equal(vlb_task_reset(s->task, index, number, seed, s->scene, s->data, &err), VLB_OK);
  assert_int_equal(vlb_expert_reset(&expert, s->task, index, number, seed, s->scene, &err), VLB_OK);
  vlb_osc_reset(&osc, s->scene, s->data);
  while (out->steps < s->suite->max_steps && !vlb_expert_finished(&expert, s->scene, s->data)) {
    double *action = out->action[out->steps++];
    vlb_expert_act(&expert, s->scene, s->data, action);
    for (int i = 0; i < 7; i++) assert_true(fabs(action[i]) <= 1);
    assert_true(fabs(action[6]) == 1);
    if (out->steps > 1)
      for (int i = 0; i < 6; i++) out->jump = fmax(out->jump, fabs(action[i] - action[i - 7]));
    assert_int_equal(vlb_osc_step(&osc, s->scene, s->data, action, &err), VLB_OK);
    if (meddle) meddle(s, &expert, &meddled);
  }
  out->success = vlb_task_success(s->task, s->scene, s->data);
}

/* A sample of what quality.csv records at full size, where 2000 of 2002 attempts succeed: here all do, in time and smoothly. */
static void succeeds(const char *suite, int every) {
  int tasks = 1;
  static episode e;
  for (int t = 0; t < tasks; t += every) {
    stage s = open_stage(suite, t);
    tasks = s.suite->task_count;
    play(&s, t, 0, NULL, &e);
    if (!e.success) fail_msg("%s, task %d failed after %d steps", suite, t, e.steps);
    if (e.jump >= 0.9) fail_msg("%s, task %d: an action jumps by %.2f", suite, t, e.jump);
    assert_in_range(e.steps, 50, s.suite->max_steps - 1);
    close_stage(&s);
  }
}

static void it_succeeds_in_spatial(void **state) { (void)state, succeeds("spatial", 1); }
static void it_succeeds_in_object(void **state) { (void)state, succeeds("object", 3); }
static void it_succeeds_in_goal(void **state) { (void)state, succeeds("goal", 1); }
static void it_succeeds_in_long(void **state) { (void)state, succeeds("long", 1); }

static void its_manner_varies_and_repeats(void **state) {
  (void)state;
  static episode a, b;
  stage s = open_stage("spatial", 2);
  play(&s, 2, 0, NULL, &a);
  play(&s, 2, 1, NULL, &b);
  assert_memory_not_equal(a.action, b.action, sizeof a.action);
  play(&s, 2, 0, NULL, &b);
  assert_memory_equal(a.action, b.action, sizeof a.action);
  close_stage(&s);
}

/* Takes the bowl out of the hand once, when it is well on its way, and puts it back on the table. */
static void snatch(const stage *s, const vlb_expert *e, int *done) {
  const mjModel *m = s->scene->model;
  if (*done || e->phase != VLB_EXPERT_WORK || s->data->xpos[3 * e->skill.body + 2] < 1) return;
  *done = 1;
  mjtNum *pose = s->data->qpos + m->jnt_qposadr[m->body_jntadr[e->skill.body]];
  mju_copy(pose, (mjtNum[7]){-0.12, 0.02, 0.93, 1, 0, 0, 0}, 7);
  mju_zero(s->data->qvel + m->jnt_dofadr[m->body_jntadr[e->skill.body]], 6);
  mj_forward(m, s->data);
}

static void what_is_lost_is_taken_again(void **state) {
  (void)state;
  static episode plain, snatched;
  stage s = open_stage("spatial", 2);
  play(&s, 2, 0, NULL, &plain);
  play(&s, 2, 0, snatch, &snatched);
  assert_true(snatched.success);
  assert_true(snatched.steps > plain.steps + 30);
  close_stage(&s);
}

/* A drawer that is shut is opened before something goes in: the goal itself does not say so. */
static void what_is_shut_is_opened_first(void **state) {
  (void)state;
  stage s = open_stage("goal", 3);
  vlb_error err;
  vlb_expert expert;
  double action[7];
  assert_int_equal(s.task->goals[0].kind, VLB_GOAL_IN);
  assert_int_equal(vlb_task_reset(s.task, 3, 0, seed, s.scene, s.data, &err), VLB_OK);
  assert_int_equal(vlb_expert_reset(&expert, s.task, 3, 0, seed, s.scene, &err), VLB_OK);
  vlb_expert_act(&expert, s.scene, s.data, action);
  assert_int_equal(expert.skill.kind, VLB_SKILL_JOINT);
  int joint = expert.skill.joint;
  s.data->qpos[s.scene->model->jnt_qposadr[joint]] = expert.skill.joint_goal;
  mj_forward(s.scene->model, s.data);
  assert_int_equal(vlb_expert_reset(&expert, s.task, 3, 0, seed, s.scene, &err), VLB_OK);
  vlb_expert_act(&expert, s.scene, s.data, action);
  assert_int_equal(expert.skill.kind, VLB_SKILL_MOVE);
  close_stage(&s);
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
      cmocka_unit_test(it_succeeds_in_spatial),
      cmocka_unit_test(it_succeeds_in_object),
      cmocka_unit_test(it_succeeds_in_goal),
      cmocka_unit_test(it_succeeds_in_long),
      cmocka_unit_test(its_manner_varies_and_repeats),
      cmocka_unit_test(what_is_lost_is_taken_again),
      cmocka_unit_test(what_is_shut_is_opened_first),
      cmocka_unit_test(a_task_without_a_goal_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
