/* The long suite: rooms, what is open or lit at the start, and that its drawer, oven and caddy take what belongs in them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/task/predicates.h"
#include "sim/task/world.h"

enum { STARTS = 50, DRAWER = 3, BOOK = 5, TWO_POTS = 8, OVEN = 9 };
static const uint64_t seed = 1000;

static int load(void **state) {
  vlb_error err;
  return vlb_suite_load("long", (vlb_suite **)state, &err) == VLB_OK ? 0 : -1;
}

static int unload(void **state) {
  vlb_suite_free(*state);
  return 0;
}

static vlb_scene *compile(const vlb_suite *suite, int task) {
  vlb_scene *scene = NULL;
  vlb_error err;
  if (vlb_task_compile(suite, task, &scene, &err)) fail_msg("%s", err.message);
  return scene;
}

static mjData *start(const vlb_suite *suite, int task, const vlb_scene *scene) {
  vlb_error err;
  mjData *data = mj_makeData(scene->model);
  assert_int_equal(vlb_task_reset(&suite->tasks[task], task, 0, seed, scene, data, &err), VLB_OK);
  return data;
}

/* libero.md 5: workspace, robot's base, agentview */
static void rooms_are_liberos(void **state) {
  static const struct {
    int task;
    const char *arena;
    double workspace[3], base[3], camera[3], quat[4];
  } rooms[] = {
      {2, "kitchen", {0, 0, 0.9}, {-0.66, 0, 0.912}, {0.6586131746834771, 0, 1.6103500240372423}, {0.6380177736, 0.3048497438, 0.3048498831, 0.6380177736}},
      {4, "living_room", {0, 0, 0.41}, {-0.51, 0, 0.42}, {0.6065773716836134, 0, 0.96}, {0.6182166934, 0.3432307542, 0.3432314395, 0.6182177067}},
      {5, "study", {-0.2, 0, 0.867}, {-0.75, 0, 0.912}, {0.4586131746834771, 0, 1.6103500240372423}, {0.6380177736, 0.3048497438, 0.3048498831, 0.6380177736}},
  };
  const vlb_suite *suite = *state;
  for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
    assert_string_equal(suite->tasks[rooms[i].task].arena, rooms[i].arena);
    vlb_scene *scene = compile(suite, rooms[i].task);
    const mjModel *m = scene->model;
    assert_true(mju_dist3(scene->workspace, rooms[i].workspace) < 1e-9);
    assert_true(mju_dist3(m->body_pos + 3 * mj_name2id(m, mjOBJ_BODY, "robot0_base"), rooms[i].base) < 1e-9);
    assert_true(mju_dist3(m->cam_pos + 3 * scene->camera[0], rooms[i].camera) < 1e-9);
    for (int k = 0; k < 4; k++) assert_true(fabs(m->cam_quat[4 * scene->camera[0] + k] - rooms[i].quat[k]) < 1e-6);
    assert_true(m->cam_fovy[scene->camera[0]] == 45);
    vlb_scene_free(scene);
  }
}

/* All 50 starts of a task exist, upright, and none of them is done already. */
static void all_starts_exist(void **state) {
  const vlb_suite *suite = *state;
  vlb_error err;
  for (int t = 0; t < suite->task_count; t++) {
    const vlb_task *task = &suite->tasks[t];
    vlb_scene *scene = compile(suite, t);
    mjData *d = mj_makeData(scene->model);
    for (int episode = 0; episode < STARTS; episode++) {
      if (vlb_task_reset(task, t, episode, seed, scene, d, &err)) fail_msg("%s", err.message);
      assert_false(vlb_task_success(task, scene, d));
      for (int i = 0; i < task->object_count; i++) assert_true(d->xmat[9 * vlb_object_body(scene->model, task->objects[i].name) + 8] > 0.999);
      for (int i = 0; i < task->start_count; i++) assert_true(vlb_goal_holds(&task->starts[i], task, scene->model, d));
    }
    mj_deleteData(d);
    vlb_scene_free(scene);
  }
}

/* Moves an object to a point relative to a site, turned by yaw about the vertical. */
static void put(const mjModel *m, mjData *d, const char *object, const char *site, const double offset[3], double yaw) {
  mjtNum *pose = d->qpos + m->jnt_qposadr[m->body_jntadr[vlb_object_body(m, object)]];
  mju_add3(pose, d->site_xpos + 3 * vlb_site(m, site), offset);
  mju_copy4(pose + 3, (mjtNum[4]){cos(yaw / 2), 0, 0, sin(yaw / 2)});
  mj_forward(m, d);
}

/* Pushes a joint with a steady force (N or N m) for two seconds. */
static void push(const mjModel *m, mjData *d, const char *joint, double force) {
  int dof = m->jnt_dofadr[mj_name2id(m, mjOBJ_JOINT, joint)];
  for (int i = 0; i < 1000; i++) {
    d->qfrc_applied[dof] = force;
    mj_step(m, d);
  }
}

static void the_drawer_closes_over_a_bowl(void **state) {
  const vlb_suite *suite = *state;
  vlb_scene *scene = compile(suite, DRAWER);
  mjData *d = start(suite, DRAWER, scene);
  put(scene->model, d, "akita_black_bowl_1", "white_cabinet_1_bottom_region", (double[3]){0, -0.014, -0.005}, 0);
  assert_true(vlb_goal_holds(&suite->tasks[DRAWER].goals[1], &suite->tasks[DRAWER], scene->model, d));
  assert_false(vlb_task_success(&suite->tasks[DRAWER], scene, d));
  push(scene->model, d, "white_cabinet_1_bottom_joint", 8);
  assert_true(vlb_task_success(&suite->tasks[DRAWER], scene, d));
  mj_deleteData(d);
  vlb_scene_free(scene);
}

/* The mug stands as a hand leaves it, its handle out of the oven; the door closes over it. */
static void the_oven_closes_over_a_mug(void **state) {
  const vlb_suite *suite = *state;
  vlb_scene *scene = compile(suite, OVEN);
  mjData *d = start(suite, OVEN, scene);
  put(scene->model, d, "white_yellow_mug_1", "microwave_1_heating_region", (double[3]){0, 0, -0.0115}, -mjPI / 2);
  assert_false(vlb_task_success(&suite->tasks[OVEN], scene, d));
  push(scene->model, d, "microwave_1_door_joint", 0.5);
  assert_true(vlb_task_success(&suite->tasks[OVEN], scene, d));
  mj_deleteData(d);
  vlb_scene_free(scene);
}

static void the_caddy_holds_the_book(void **state) {
  const vlb_suite *suite = *state;
  vlb_scene *scene = compile(suite, BOOK);
  mjData *d = start(suite, BOOK, scene);
  put(scene->model, d, "black_book_1", "desk_caddy_1_back_contain_region", (double[3]){0.01, 0.01, 0.03}, 0);
  for (int i = 0; i < 500; i++) mj_step(scene->model, d);
  assert_true(vlb_task_success(&suite->tasks[BOOK], scene, d));
  mj_deleteData(d);
  vlb_scene_free(scene);
}

/* Two pots side by side stand on the burner of a stove that is lit from the start. */
static void the_burner_takes_two_pots(void **state) {
  const vlb_suite *suite = *state;
  vlb_scene *scene = compile(suite, TWO_POTS);
  mjData *d = start(suite, TWO_POTS, scene);
  put(scene->model, d, "moka_pot_1", "flat_stove_1_cook_region", (double[3]){-0.04, 0, 0.066}, -mjPI / 2);
  put(scene->model, d, "moka_pot_2", "flat_stove_1_cook_region", (double[3]){0.04, 0, 0.066}, -mjPI / 2);
  for (int i = 0; i < 250; i++) mj_step(scene->model, d);
  assert_true(vlb_task_success(&suite->tasks[TWO_POTS], scene, d));
  mj_deleteData(d);
  vlb_scene_free(scene);
}

/* A place under a roof, a drawer that closes past zero, two things on one burner: the expert knows the way. */
static void the_expert_does_the_hard_ones(void **state) {
  static const int tasks[] = {DRAWER, TWO_POTS, OVEN};
  const vlb_suite *suite = *state;
  vlb_error err;
  for (int i = 0; i < 3; i++) {
    vlb_scene *scene = compile(suite, tasks[i]);
    vlb_world world = {0};
    double action[7];
    int steps = 0;
    assert_int_equal(vlb_world_open(&world, suite, tasks[i], scene, &err), VLB_OK);
    assert_int_equal(vlb_world_start(&world, 0, seed, &err), VLB_OK);
    assert_int_equal(suite->family->expert_start(&world, 0, seed, &err), VLB_OK);
    for (; steps < suite->max_steps && !world.success; steps++) {
      suite->family->expert_act(&world, action);
      assert_int_equal(vlb_world_step(&world, action, &err), VLB_OK);
    }
    if (!world.success) fail_msg("%s: not done in %d steps", world.task->instruction, steps);
    vlb_world_close(&world);
    vlb_scene_free(scene);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rooms_are_liberos),
      cmocka_unit_test(all_starts_exist),
      cmocka_unit_test(the_drawer_closes_over_a_bowl),
      cmocka_unit_test(the_oven_closes_over_a_mug),
      cmocka_unit_test(the_caddy_holds_the_book),
      cmocka_unit_test(the_burner_takes_two_pots),
      cmocka_unit_test(the_expert_does_the_hard_ones),
  };
  return cmocka_run_group_tests(tests, load, unload);
}
