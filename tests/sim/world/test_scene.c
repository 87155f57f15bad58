/* The composer: names, order of qpos, fixtures' poses, messages for bad input. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sim/world/engine.h"
#include "sim/world/scene.h"

static const vlb_scene_object cubes[] = {
    {.name = "shelf_1", .category = "wooden_cube", .movable = 0, .pos = {0.1, -0.2, 0.1}, .yaw = 0.5},
    {.name = "cube_1", .category = "wooden_cube", .movable = 1},
    {.name = "cube_2", .category = "wooden_cube", .movable = 1},
};

static vlb_code compile(const vlb_scene_object *objects, int n, vlb_scene **scene, vlb_error *err) {
  const vlb_scene_spec spec = {.embodiment = &vlb_panda, .arena = "tabletop", .objects = objects, .object_count = n};
  return vlb_scene_compile(&spec, scene, err);
}

static void test_order_and_names(void **state) {
  (void)state;
  vlb_error err = {0};
  vlb_scene *s = NULL;
  assert_int_equal(compile(cubes, 3, &s, &err), VLB_OK);
  assert_int_equal(s->model->nq, 7 + 2 + 2 * 7);
  assert_int_equal(s->model->nv, 7 + 2 + 2 * 6);
  assert_int_equal(s->model->nu, 9);
  for (int i = 0; i < VLB_ARM_JOINTS; i++) assert_int_equal(s->arm_qpos[i], i);
  for (int i = 0; i < 2; i++) assert_int_equal(s->finger_qpos[i], 7 + i);
  /* movables first, whatever the order in the list */
  int joint = mj_name2id(s->model, mjOBJ_JOINT, "cube_1_joint0");
  assert_int_equal(s->model->jnt_qposadr[joint], 9);
  assert_true(s->camera[0] >= 0 && s->camera[1] >= 0 && s->eef_site >= 0 && s->hand_body >= 0);
  assert_non_null(strstr(s->xml, "cube_2_top_site"));
  assert_null(strchr(s->xml, '@'));
  vlb_scene_free(s);
}

static void test_fixture_pose(void **state) {
  (void)state;
  vlb_error err = {0};
  vlb_scene *s = NULL;
  assert_int_equal(compile(cubes, 3, &s, &err), VLB_OK);
  mjData *d = mj_makeData(s->model);
  vlb_scene_home(s, d);
  mj_forward(s->model, d);
  int body = mj_name2id(s->model, mjOBJ_BODY, "shelf_1_main");
  for (int i = 0; i < 3; i++) assert_true(fabs(d->xpos[3 * body + i] - cubes[0].pos[i] - s->workspace[i]) < 1e-9);
  assert_true(fabs(d->xmat[9 * body] - cos(0.5)) < 1e-9 && fabs(d->xmat[9 * body + 3] - sin(0.5)) < 1e-9);
  mj_deleteData(d);
  vlb_scene_free(s);
}

/* Published Denavit-Hartenberg table: flange of the Panda with all joints at 0, and the home pose's hand. */
static void test_kinematics(void **state) {
  (void)state;
  vlb_error err = {0};
  vlb_scene *s = NULL;
  assert_int_equal(compile(NULL, 0, &s, &err), VLB_OK);
  mjData *d = mj_makeData(s->model);
  mj_forward(s->model, d);
  const mjtNum *hand = d->xpos + 3 * s->hand_body;
  const double base[3] = {-0.66, 0, 0.912};
  assert_true(fabs(hand[0] - base[0] - 0.088) < 1e-9);
  assert_true(fabs(hand[1] - base[1]) < 1e-9);
  assert_true(fabs(hand[2] - base[2] - (0.333 + 0.316 + 0.384 - 0.107)) < 1e-9);
  vlb_scene_home(s, d);
  mj_forward(s->model, d);
  assert_true(d->xmat[9 * s->hand_body + 8] < -0.99); /* the hand looks down */
  mj_deleteData(d);
  vlb_scene_free(s);
}

/* Nothing of group 1 collides or weighs; robot and fixtures leave each other alone. */
static void test_groups(void **state) {
  (void)state;
  vlb_error err = {0};
  vlb_scene *s = NULL;
  assert_int_equal(compile(cubes, 3, &s, &err), VLB_OK);
  const mjModel *m = s->model;
  for (int g = 0; g < m->ngeom; g++)
    if (m->geom_group[g] == 1) assert_true(m->geom_contype[g] == 0 && m->geom_conaffinity[g] == 0);
  int cube = mj_name2id(m, mjOBJ_BODY, "cube_1_main");
  assert_true(fabs(m->body_mass[cube] - 0.07) < 1e-9);
  mjData *d = mj_makeData(s->model);
  vlb_scene_home(s, d);
  d->qpos[9] = d->qpos[16] = d->qpos[17] = 0.3; /* two cubes in the air, apart */
  d->qpos[11] = d->qpos[18] = 1;
  mj_forward(m, d);
  assert_int_equal(d->ncon, 0);
  mj_deleteData(d);
  vlb_scene_free(s);
}

static void test_unknown_category(void **state) {
  (void)state;
  vlb_error err = {0};
  vlb_scene *s = NULL;
  vlb_scene_object wrong = {.name = "x_1", .category = "woden_cube", .movable = 1};
  assert_int_equal(compile(&wrong, 1, &s, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "\"woden_cube\""));
  assert_non_null(strstr(err.message, "did you mean \"wooden_cube\"?"));
}

static void test_unknown_arena(void **state) {
  (void)state;
  vlb_error err = {0};
  vlb_scene *s = NULL;
  const vlb_scene_spec spec = {.embodiment = &vlb_panda, .arena = "tabeltop", .objects = cubes, .object_count = 3};
  assert_int_equal(vlb_scene_compile(&spec, &s, &err), VLB_USAGE);
  assert_string_equal(err.message, "unknown arena \"tabeltop\"; did you mean \"tabletop\"?");
}

static void test_repeated_name(void **state) {
  (void)state;
  vlb_error err = {0};
  vlb_scene *s = NULL;
  vlb_scene_object twice[] = {cubes[1], cubes[1]};
  assert_int_equal(compile(twice, 2, &s, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "cube_1"));
  assert_null(strchr(err.message, '\n'));
}

static vlb_code raise_error(void *self, vlb_error *err) {
  (void)err;
  mju_error(self);
  return VLB_OK;
}

/* MuJoCo's own errors end the work, not the program. */
static void test_guard(void **state) {
  (void)state;
  vlb_error err = {0};
  assert_int_equal(vlb_engine_guard(raise_error, "stack overflow", &err), VLB_FAILED);
  assert_string_equal(err.message, "MuJoCo: stack overflow");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_order_and_names), cmocka_unit_test(test_fixture_pose),      cmocka_unit_test(test_kinematics),
      cmocka_unit_test(test_groups),          cmocka_unit_test(test_unknown_category), cmocka_unit_test(test_unknown_arena), cmocka_unit_test(test_repeated_name),
      cmocka_unit_test(test_guard),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
