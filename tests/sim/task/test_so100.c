/* The SO-100's and SO-101's tasks: start positions, partial credit, determinism, and the expert at work. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/toml.h"
#include "sim/control/joint.h"
#include "sim/task/layout.h"
#include "sim/task/predicates.h"
#include "sim/task/world.h"

static const uint64_t seed = 1000;
enum { PICK, STACK, SORT };

typedef struct {
  vlb_suite *suite;
  vlb_scene *scene;
  vlb_world world;
} stage;

static void open_stage(stage *s, const char *suite, int task) {
  vlb_error err = {0};
  if (vlb_suite_load(suite, &s->suite, &err) || s->suite->family->compile(s->suite, task, &s->scene, &err) ||
      vlb_world_open(&s->world, s->suite, task, s->scene, &err))
    fail_msg("%s", err.message);
}

static void close_stage(stage *s) {
  vlb_world_close(&s->world);
  vlb_scene_free(s->scene);
  vlb_suite_free(s->suite);
}

static void start(stage *s, int episode) {
  vlb_error err = {0};
  if (vlb_world_start(&s->world, episode, seed, &err)) fail_msg("%s", err.message);
}

/* The arm stays where it is. */
static void wait(stage *s, int steps) {
  vlb_error err = {0};
  for (int i = 0; i < steps; i++)
    if (vlb_world_step(&s->world, s->scene->home, &err)) fail_msg("%s", err.message);
}

static const mjtNum *position(const stage *s, const char *object) { return s->world.data->xpos + 3 * vlb_object_body(s->world.model, object); }

/* Upright at a point counted from the workspace, at rest. */
static void put(stage *s, const char *object, double x, double y, double z) {
  const mjModel *m = s->world.model;
  int joint = m->body_jntadr[vlb_object_body(m, object)];
  mjtNum pose[7] = {s->scene->workspace[0] + x, s->scene->workspace[1] + y, s->scene->workspace[2] + z, 1, 0, 0, 0};
  mju_copy(s->world.data->qpos + m->jnt_qposadr[joint], pose, 7);
  mju_zero(s->world.data->qvel + m->jnt_dofadr[joint], 6);
}

static void suites_are_the_papers(void **state) {
  (void)state;
  static const struct {
    const char *name;
    const vlb_embodiment *embodiment;
    int tasks;
  } suites[] = {{"so100", &vlb_so100, 3}, {"so101", &vlb_so101, 1}, {"so101_ood", &vlb_so101, 1}};
  for (int i = 0; i < 3; i++) {
    stage s;
    open_stage(&s, suites[i].name, 0);
    assert_ptr_equal(s.suite->embodiment, suites[i].embodiment);
    assert_int_equal(s.suite->task_count, suites[i].tasks);
    for (int c = 0; c < 2; c++) assert_true(s.scene->camera[c] >= 0);
    close_stage(&s);
  }
}

static void five_starts_in_turn(void **state) {
  (void)state;
  static const char *const suites[] = {"so100", "so101", "so101_ood"}, *const objects[] = {"red_cube_1", "lego_brick_1", "lego_brick_1"};
  double seen[3][5][2];
  for (int k = 0; k < 3; k++) {
    stage s;
    open_stage(&s, suites[k], 0);
    const vlb_task *task = s.world.task;
    int i = 0;
    while (strcmp(task->objects[i].name, objects[k])) i++;
    assert_int_equal(task->placements[i].at_count, 5);
    for (int e = 0; e < 15; e++) {
      start(&s, e);
      const mjtNum *p = position(&s, objects[k]);
      for (int a = 0; a < 2; a++) {
        seen[k][e % 5][a] = task->placements[i].at[e % 5][a];
        assert_true(fabs(p[a] - s.scene->workspace[a] - seen[k][e % 5][a]) < 0.0085);
      }
    }
    start(&s, 0);
    double first = position(&s, objects[k])[0];
    start(&s, 5);
    assert_true(position(&s, objects[k])[0] != first); /* the same place, not the same point */
    close_stage(&s);
  }
  for (int a = 0; a < 5; a++)   /* starts out of distribution are far from all those of the demonstrations */
    for (int b = 0; b < 5; b++) assert_true(hypot(seen[1][a][0] - seen[2][b][0], seen[1][a][1] - seen[2][b][1]) > 0.03);
}

static void scores_add_up(void **state) {
  (void)state;
  stage s;
  open_stage(&s, "so100", SORT);
  start(&s, 0);
  assert_true(s.world.score == 0 && !s.world.success);
  put(&s, "red_cube_1", -0.06, 0.155, 0.03); /* the wrong box */
  wait(&s, 20);
  assert_true(s.world.score == 0);
  put(&s, "red_cube_1", -0.06, -0.155, 0.03);
  wait(&s, 20);
  assert_true(s.world.score == 0.25);
  put(&s, "blue_cube_1", -0.06, 0.155, 0.03);
  wait(&s, 20);
  assert_true(s.world.score == 0.5 && !s.world.success); /* nothing was lifted */
  put(&s, "blue_cube_1", 0, 0.05, 0.016);
  wait(&s, 5);
  assert_true(s.world.score == 0.5); /* what is earned is kept */
  start(&s, 0);
  assert_true(s.world.score == 0);
  close_stage(&s);
}

static void beside_is_not_on_top(void **state) {
  (void)state;
  stage s;
  open_stage(&s, "so100", STACK);
  start(&s, 0);
  put(&s, "blue_cube_1", 0, -0.05, 0.016);
  put(&s, "red_cube_1", 0, -0.05 + 0.0321, 0.016);
  wait(&s, 20);
  assert_true(s.world.score == 0);
  put(&s, "blue_cube_1", 0, -0.05, 0.016);
  put(&s, "red_cube_1", 0, -0.05, 0.0485);
  wait(&s, 20);
  assert_true(s.world.score == 0.5);
  close_stage(&s);
}

typedef struct {
  int steps, success, parts; /* parts: how often the score rose */
  double jump, score;        /* jump: largest change of a target from one step to the next, rad */
  char hash[17];
} outcome;

static void play(stage *s, int episode, outcome *out) {
  const vlb_family *family = s->suite->family;
  vlb_error err = {0};
  double action[VLB_MAX_ACTION], last[VLB_MAX_ACTION] = {0}, score = 0;
  *out = (outcome){0};
  start(s, episode);
  assert_int_equal(family->expert_start(&s->world, episode, seed, &err), VLB_OK);
  for (; out->steps < s->suite->max_steps && !family->expert_finished(&s->world); out->steps++) {
    family->expert_act(&s->world, action);
    for (int i = 0; i < s->suite->embodiment->action_dim; i++) {
      if (out->steps && i != 5) out->jump = fmax(out->jump, fabs(action[i] - last[i]));
      last[i] = action[i];
    }
    if (vlb_world_step(&s->world, action, &err)) fail_msg("%s", err.message);
    assert_true(s->world.score >= score);
    for (int i = 0; s->world.score == 1 && score < 1 && i < s->world.task->goal_count; i++) /* put down is let go */
      assert_false(vlb_robot_touches(s->world.model, s->world.data, vlb_object_body(s->world.model, s->world.task->goals[i].a)));
    out->parts += s->world.score > score;
    score = s->world.score;
  }
  out->score = score;
  out->success = s->world.success;
  vlb_world_hash(&s->world, out->hash);
}

static void the_expert_does_them_all(void **state) {
  (void)state;
  static const struct {
    const char *suite;
    int task, parts;
  } tasks[] = {{"so100", PICK, 2}, {"so100", STACK, 2}, {"so100", SORT, 4}, {"so101", 0, 2}, {"so101_ood", 0, 2}};
  for (int t = 0; t < 5; t++) {
    stage s;
    open_stage(&s, tasks[t].suite, tasks[t].task);
    for (int e = 0; e < 5; e++) {
      outcome o;
      play(&s, e, &o);
      if (!o.success) fail_msg("%s task %d episode %d: %g points after %d steps", tasks[t].suite, tasks[t].task, e, o.score, o.steps);
      assert_int_equal(o.parts, tasks[t].parts);
      assert_true(o.jump < 0.2);
      assert_in_range(o.steps, 90, 400);
    }
    close_stage(&s);
  }
}

static void episodes_repeat(void **state) {
  (void)state;
  stage s;
  outcome a, b, c;
  open_stage(&s, "so100", STACK);
  play(&s, 3, &a);
  play(&s, 8, &c); /* the same start position */
  play(&s, 3, &b);
  close_stage(&s);
  assert_int_equal(a.steps, b.steps);
  assert_string_equal(a.hash, b.hash);
  assert_string_not_equal(a.hash, c.hash);
}

/* Grasped and dropped beside the box: half the points. */
static void half_a_task_is_half_a_score(void **state) {
  (void)state;
  stage s;
  vlb_error err = {0};
  double action[VLB_MAX_ACTION];
  open_stage(&s, "so100", PICK);
  start(&s, 1);
  assert_int_equal(s.suite->family->expert_start(&s.world, 1, seed, &err), VLB_OK);
  for (int k = 0; k < 200 && s.world.score == 0; k++) {
    s.suite->family->expert_act(&s.world, action);
    assert_int_equal(vlb_world_step(&s.world, action, &err), VLB_OK);
  }
  assert_true(s.world.score == 0.5);
  action[5] = 1;
  for (int k = 0; k < 60; k++) assert_int_equal(vlb_world_step(&s.world, action, &err), VLB_OK);
  assert_true(s.world.score == 0.5 && !s.world.success);
  close_stage(&s);
}

/* Whatever a policy asks for: no crash, and an unstable simulation is an error, never a score. */
static void random_targets_do_no_harm(void **state) {
  (void)state;
  stage s;
  vlb_error err = {0};
  open_stage(&s, "so100", SORT);
  for (int e = 0; e < 4; e++) {
    vlb_rng rng = vlb_rng_make(5, VLB_RNG_TEST, 0, (uint32_t)e);
    start(&s, e);
    for (int k = 0; k < 100; k++) {
      double action[VLB_SO_JOINTS];
      for (int i = 0; i < VLB_SO_JOINTS; i++) action[i] = vlb_rng_range(&rng, -3, 3);
      if (vlb_world_step(&s.world, action, &err)) fail_msg("%s", err.message);
    }
  }
  close_stage(&s);
}

/* --- what a task file may say --- */

static vlb_code read_task(const char *score, const char *region, vlb_error *err) {
  char text[1024];
  vlb_toml *toml;
  snprintf(text, sizeof text,
           "instruction = \"x\"\ngoal = [\"in a box_contain_region\"]\nscore = %s\n[regions]\nr = { %s }\n"
           "[fixtures]\nbox = { category = \"open_box\", x = 0, y = 0, z = 0 }\n[objects]\na = { category = \"red_cube\", region = \"r\" }\n",
           score, region);
  assert_int_equal(vlb_toml_parse(text, "t.toml", &toml, err), VLB_OK);
  vlb_layout *layout = calloc(1, sizeof *layout);
  vlb_task *task = calloc(1, sizeof *task);
  strcpy(layout->arena, "desk");
  vlb_code code = vlb_layout_read_task(toml, layout, task, err);
  vlb_toml_free(toml);
  free(layout);
  free(task);
  return code;
}

static void expect_refusal(const char *score, const char *region, const char *why) {
  vlb_error err = {0};
  assert_int_equal(read_task(score, region, &err), VLB_USAGE);
  if (!strstr(err.message, why)) fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static void mistakes_are_refused(void **state) {
  (void)state;
  static const char place[] = "x = [0, 0], y = [0, 0]";
  vlb_error err = {0};
  assert_int_equal(read_task("[[\"lifted a\", 0.5], [\"in a box_contain_region\", 0.5]]", place, &err), VLB_OK);
  expect_refusal("[[\"lifted a\", 0.5]]", place, "add up to 0.5");
  expect_refusal("[[\"lifted a\", 1.5], [\"lifted a\", -0.5]]", place, "above 0");
  expect_refusal("[[\"lifted b\", 1]]", place, "unknown object");
  expect_refusal("[[\"lifted a box\", 1]]", place, "takes 1 argument");
  expect_refusal("[[\"litfed a\", 1]]", place, "did you mean \"lifted\"");
  expect_refusal("[\"lifted a\"]", place, "score");
  expect_refusal("[[\"lifted a\", 1]]", "x = [0, 0], y = [0, 0], at = []", "at: 1 to");
  expect_refusal("[[\"lifted a\", 1]]", "x = [0, 0], y = [0, 0], at = [[1, 2, 3]]", "[x, y]");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(suites_are_the_papers),    cmocka_unit_test(five_starts_in_turn),         cmocka_unit_test(scores_add_up),
      cmocka_unit_test(beside_is_not_on_top),     cmocka_unit_test(the_expert_does_them_all),    cmocka_unit_test(episodes_repeat),
      cmocka_unit_test(half_a_task_is_half_a_score), cmocka_unit_test(random_targets_do_no_harm), cmocka_unit_test(mistakes_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
