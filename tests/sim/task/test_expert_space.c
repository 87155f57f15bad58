/* The expert's geometry against closed forms and against MuJoCo's own kinematics. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/task/expert_parts.h"
#include "sim/task/predicates.h"

typedef struct {
  vlb_suite *suite;
  vlb_scene *scene;
  mjData *data;
} stage;

/* The goal suite's table: cabinet, stove, rack, bowl, bottle, plate. */
static int set_up(void **state) {
  vlb_error err;
  stage *s = calloc(1, sizeof *s);
  if (!s || vlb_suite_load("goal", &s->suite, &err) || vlb_task_compile(s->suite, 0, &s->scene, &err)) return -1;
  s->data = mj_makeData(s->scene->model);
  *state = s;
  return vlb_task_reset(&s->suite->tasks[0], 0, 0, 41, s->scene, s->data, &err) == VLB_OK ? 0 : -1;
}

static int tear_down(void **state) {
  stage *s = *state;
  mj_deleteData(s->data);
  vlb_scene_free(s->scene);
  vlb_suite_free(s->suite);
  free(s);
  return 0;
}

static int object(const stage *s, const char *name) { return vlb_object_body(s->scene->model, name); }

/* A pose carried along a drawer's slide and a knob's hinge is where MuJoCo puts a site of that part once the joint has moved. */
static void poses_follow_joints(void **state) {
  static const struct {
    const char *joint, *site;
    double step;
  } parts[] = {{"wooden_cabinet_1_top_level", "wooden_cabinet_1_top_region", -0.11},
               {"flat_stove_1_knob_joint", "flat_stove_1_knob_grasp_0", 0.9}};
  stage *s = *state;
  const mjModel *m = s->scene->model;
  for (int i = 0; i < 2; i++) {
    int joint = mj_name2id(m, mjOBJ_JOINT, parts[i].joint), site = vlb_site(m, parts[i].site);
    vlb_pose at, expected;
    memcpy(at.pos, s->data->site_xpos + 3 * site, sizeof at.pos);
    memcpy(at.rot, s->data->site_xmat + 9 * site, sizeof at.rot);
    expected = vlb_pose_along_joint(m, s->data, joint, &at, parts[i].step);
    s->data->qpos[m->jnt_qposadr[joint]] += parts[i].step;
    mj_forward(m, s->data);
    for (int k = 0; k < 3; k++) assert_true(fabs(expected.pos[k] - s->data->site_xpos[3 * site + k]) < 1e-12);
    for (int k = 0; k < 9; k++) assert_true(fabs(expected.rot[k] - s->data->site_xmat[9 * site + k]) < 1e-12);
    assert_true(mju_dist3(at.pos, expected.pos) + vlb_turn_angle(at.rot, expected.rot) > 0.1);
  }
}

static void turns_are_rotation_vectors(void **state) {
  (void)state;
  double c = cos(0.7), si = sin(0.7), about_z[9] = {c, -si, 0, si, c, 0, 0, 0, 1}, turn[3];
  vlb_turn_between(vlb_upright, about_z, turn);
  assert_true(fabs(turn[0]) < 1e-12 && fabs(turn[1]) < 1e-12 && fabs(turn[2] - 0.7) < 1e-12);
  vlb_turn_between(about_z, vlb_upright, turn);
  assert_true(fabs(turn[2] + 0.7) < 1e-12);
  assert_true(fabs(vlb_turn_angle(vlb_upright, (double[9]){1, 0, 0, 0, -1, 0, 0, 0, -1}) - mjPI) < 1e-9);
}

/* The bowl is 120 mm wide and 56 mm high around its origin. */
static void extents_are_those_of_the_solid_shape(void **state) {
  stage *s = *state;
  double half[3];
  vlb_body_extent(s->scene->model, s->data, object(s, "akita_black_bowl_1"), vlb_upright, half);
  assert_true(fabs(half[0] - 0.06) < 0.002 && fabs(half[1] - 0.06) < 0.002 && fabs(half[2] - 0.028) < 0.002);
}

/* Straight through the cabinet: over its top, and not a step sideways before the hand is up there; beside it nothing is in the way. */
static void hurdles_are_what_stands_in_the_way(void **state) {
  stage *s = *state;
  const mjtNum *c = s->data->xpos + 3 * object(s, "wooden_cabinet_1");
  double from[3] = {c[0] + 0.3, c[1], c[2]}, to[3] = {c[0] - 0.3, c[1], c[2]}, depth = 0.03;
  vlb_hurdle h = vlb_find_hurdle(s->scene, s->data, from, to, 0.02, depth, -1);
  assert_true(fabs(h.rise - (0.105 + depth)) < 1e-6 && h.block == 1);
  from[2] = to[2] = c[2] + 0.105 + depth + 0.001;
  h = vlb_find_hurdle(s->scene, s->data, from, to, 0.02, depth, -1);
  assert_true(h.rise == 0 && h.block == 0);
  from[2] = to[2] = c[2];
  from[1] = to[1] = c[1] - 0.3;
  h = vlb_find_hurdle(s->scene, s->data, from, to, 0.02, depth, -1);
  assert_true(h.rise == 0 && h.block == 0);
}

/* Room to the table below grows with height, and ends where something is entered. */
static void clearance_is_a_distance(void **state) {
  stage *s = *state;
  vlb_pose hand = {{0.3, 0.35, s->scene->workspace[2] + 0.05}, {1, 0, 0, 0, -1, 0, 0, 0, -1}};
  double near = vlb_hand_clearance(s->scene, s->data, &hand, 0.02, -1);
  assert_true(fabs(near - (0.05 - 0.0144)) < 1e-6);
  hand.pos[2] -= 0.05;
  assert_true(vlb_hand_clearance(s->scene, s->data, &hand, 0.02, -1) < 0);
  memcpy(hand.pos, s->data->xpos + 3 * object(s, "wooden_cabinet_1"), sizeof hand.pos);
  assert_true(vlb_hand_clearance(s->scene, s->data, &hand, 0.02, -1) < 0);
  assert_true(vlb_roofed(s->scene, s->data, s->data->xpos + 3 * object(s, "wooden_cabinet_1"), 0.3, -1));
  assert_false(vlb_roofed(s->scene, s->data, s->data->xpos + 3 * object(s, "plate_1"), 0.3, object(s, "plate_1")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(poses_follow_joints, set_up, tear_down),
      cmocka_unit_test(turns_are_rotation_vectors),
      cmocka_unit_test_setup_teardown(extents_are_those_of_the_solid_shape, set_up, tear_down),
      cmocka_unit_test_setup_teardown(hurdles_are_what_stands_in_the_way, set_up, tear_down),
      cmocka_unit_test_setup_teardown(clearance_is_a_distance, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
