/* libero.md 4, on a little world of boxes: every threshold from both sides. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/task/predicates.h"
#include "sim/world/engine.h"

static const char xml[] =
    "<mujoco><compiler angle='radian'/><option gravity='0 0 0'/><worldbody>"
    "<body name='table' pos='0 0 -1'><site name='table_zone' type='box' size='0.1 0.05 0.007' pos='0 0 1'/></body>"
    "<body name='shelf_1_main'><geom group='0' type='box' size='0.2 0.2 0.01'/><geom group='1' type='box' size='0.3 0.3 0.3' contype='0' conaffinity='0'/>"
    "<site name='shelf_1_flat' type='box' pos='0 0 0.01' size='0.1 0.05 0.001'/>"
    "<site name='shelf_1_turned' type='box' pos='0 0 0.01' size='0.1 0.02 0.001' euler='0 0 0.5'/>"
    "<site name='shelf_1_inside' type='box' pos='0 0 0.1' size='0.1 0.05 0.03'/>"
    "<site name='shelf_1_inside_turned' type='box' pos='0 0 0.1' size='0.1 0.05 0.03' euler='0 0 1.5707963267948966'/></body>"
    "<body name='cup_1_main'><joint type='free'/><geom group='0' type='box' size='0.02 0.02 0.02' mass='0.1'/></body>"
    "<body name='cabinet_1_main' pos='5 0 0'><geom group='0' type='box' size='0.1 0.1 0.1'/>"
    "<body name='cabinet_1_top'><joint name='t' type='slide' axis='0 1 0'/><geom group='0' type='box' size='0.05 0.05 0.01'/><site name='cabinet_1_top_region' type='box' size='0.1 0.1 0.1'/></body>"
    "<body name='cabinet_1_low'><joint name='l' type='slide' axis='0 1 0'/><geom group='0' type='box' size='0.05 0.05 0.01'/><site name='cabinet_1_low_region' type='box' size='0.1 0.1 0.1'/></body></body>"
    "<body name='stove_1_main' pos='6 0 0'><geom group='0' type='box' size='0.1 0.1 0.1'/>"
    "<body name='stove_1_knob'><joint name='k' type='hinge' axis='0 0 1'/><geom group='0' type='box' size='0.01 0.01 0.01'/></body></body>"
    "</worldbody></mujoco>";

typedef struct {
  mjModel *model;
  mjData *data;
  vlb_task task;
} fixture;

static int set_up(void **state) {
  static fixture f;
  static const char *const objects[][2] = {{"shelf_1", "shelf"}, {"cup_1", "cup"}, {"cabinet_1", "wooden_cabinet"}, {"stove_1", "flat_stove"}};
  vlb_error err;
  memset(&f, 0, sizeof f);
  assert_int_equal(vlb_engine_load(xml, &f.model, &err), VLB_OK);
  f.data = mj_makeData(f.model);
  for (int i = 0; i < 4; i++) {
    strcpy(f.task.objects[i].name, objects[i][0]);
    strcpy(f.task.objects[i].category, objects[i][1]);
  }
  f.task.object_count = 4;
  *state = &f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  mj_deleteData(f->data);
  mj_deleteModel(f->model);
  return 0;
}

static int holds(fixture *f, vlb_goal_kind kind, const char *a, const char *b) {
  vlb_goal goal = {.kind = kind};
  strcpy(goal.a, a);
  strcpy(goal.b, b);
  return vlb_goal_holds(&goal, &f->task, f->model, f->data);
}

static int holds_at(fixture *f, vlb_goal_kind kind, const char *b, double x, double y, double z) {
  double pose[7] = {x, y, z, 1, 0, 0, 0};
  memcpy(f->data->qpos, pose, sizeof pose);
  mj_forward(f->model, f->data);
  return holds(f, kind, "cup_1", b);
}

static void on_an_object(void **state) {
  fixture *f = *state;
  const double touching = 0.0299; /* half heights 0.01 + 0.02, a little pressed */
  assert_true(holds_at(f, VLB_GOAL_ON, "shelf_1", 0, 0, touching));
  assert_true(holds_at(f, VLB_GOAL_ON, "shelf_1", 0.0299, 0, touching));
  assert_false(holds_at(f, VLB_GOAL_ON, "shelf_1", 0.0301, 0, touching));
  assert_false(holds_at(f, VLB_GOAL_ON, "shelf_1", 0.022, 0.022, touching));
  assert_false(holds_at(f, VLB_GOAL_ON, "shelf_1", 0, 0, 0.0305)); /* not in contact: visual geoms do not count */
  assert_false(holds_at(f, VLB_GOAL_ON, "shelf_1", 0, 0, -touching));
}

static void on_a_site_of_an_object(void **state) {
  fixture *f = *state;
  const double touching = 0.0299;
  assert_true(holds_at(f, VLB_GOAL_ON, "shelf_1_flat", 0, 0, touching));
  assert_true(holds_at(f, VLB_GOAL_ON, "shelf_1_flat", 0.099, 0.049, touching));
  assert_false(holds_at(f, VLB_GOAL_ON, "shelf_1_flat", 0.101, 0, touching));
  assert_false(holds_at(f, VLB_GOAL_ON, "shelf_1_flat", 0, 0.051, touching));
  assert_false(holds_at(f, VLB_GOAL_ON, "shelf_1_flat", 0, 0, 0.05)); /* within the height, but no contact */
}

static void on_a_zone_of_the_table(void **state) {
  fixture *f = *state;
  /* no parent object, no contact needed: s.z - 0.005 < d.z < s.z + 0.10 with s.z = 0.007 */
  assert_true(holds_at(f, VLB_GOAL_ON, "table_zone", 0.09, 0.04, 0.106));
  assert_false(holds_at(f, VLB_GOAL_ON, "table_zone", 0.09, 0.04, 0.108));
  assert_true(holds_at(f, VLB_GOAL_ON, "table_zone", 0.09, 0.04, 0.0021));
  assert_false(holds_at(f, VLB_GOAL_ON, "table_zone", 0.09, 0.04, 0.0019));
}

/* LIBERO multiplies by R where R' is meant. A point 8 cm along the turned site's own long axis is inside the true box, but
 * R turns it the wrong way: outside. Its mirror image is the other way round. */
static void rotation_is_not_transposed(void **state) {
  fixture *f = *state;
  const double touching = 0.0299, c = 0.08 * cos(0.5), s = 0.08 * sin(0.5);
  assert_false(holds_at(f, VLB_GOAL_ON, "shelf_1_turned", c, s, touching));
  assert_true(holds_at(f, VLB_GOAL_ON, "shelf_1_turned", c, -s, touching));
}

static void in_a_site(void **state) {
  fixture *f = *state;
  assert_true(holds_at(f, VLB_GOAL_IN, "shelf_1_inside", 0.099, 0.049, 0.1));
  assert_false(holds_at(f, VLB_GOAL_IN, "shelf_1_inside", 0.101, 0, 0.1));
  assert_false(holds_at(f, VLB_GOAL_IN, "shelf_1_inside", 0, -0.051, 0.1));
  assert_true(holds_at(f, VLB_GOAL_IN, "shelf_1_inside", 0, 0, 0.129));
  assert_false(holds_at(f, VLB_GOAL_IN, "shelf_1_inside", 0, 0, 0.131));
  assert_true(holds_at(f, VLB_GOAL_IN, "shelf_1_inside", 0, 0, 0.061)); /* the floor is 1 cm lower */
  assert_false(holds_at(f, VLB_GOAL_IN, "shelf_1_inside", 0, 0, 0.059));
  assert_true(holds_at(f, VLB_GOAL_IN, "shelf_1_inside_turned", 0, 0.09, 0.1)); /* |R s| swaps x and y */
  assert_false(holds_at(f, VLB_GOAL_IN, "shelf_1_inside_turned", 0.09, 0, 0.1));
}

static double *joint(fixture *f, const char *name) {
  return f->data->qpos + f->model->jnt_qposadr[mj_name2id(f->model, mjOBJ_JOINT, name)];
}

static void drawers(void **state) {
  fixture *f = *state;
  *joint(f, "t") = -0.1401;
  *joint(f, "l") = 0;
  assert_true(holds(f, VLB_GOAL_OPEN, "cabinet_1_top_region", ""));
  assert_false(holds(f, VLB_GOAL_OPEN, "cabinet_1_low_region", ""));
  assert_true(holds(f, VLB_GOAL_OPEN, "cabinet_1", "")); /* any */
  *joint(f, "t") = -0.14;
  assert_false(holds(f, VLB_GOAL_OPEN, "cabinet_1_top_region", ""));
  *joint(f, "t") = 0.001;
  assert_true(holds(f, VLB_GOAL_CLOSE, "cabinet_1_top_region", ""));
  assert_false(holds(f, VLB_GOAL_CLOSE, "cabinet_1_low_region", "")); /* past zero, not at it */
  assert_false(holds(f, VLB_GOAL_CLOSE, "cabinet_1", ""));            /* all */
  *joint(f, "l") = 0.001;
  assert_true(holds(f, VLB_GOAL_CLOSE, "cabinet_1", ""));
}

static void knobs(void **state) {
  fixture *f = *state;
  *joint(f, "k") = 0.5;
  assert_true(holds(f, VLB_GOAL_TURN_ON, "stove_1", ""));
  *joint(f, "k") = 0.4999;
  assert_false(holds(f, VLB_GOAL_TURN_ON, "stove_1", ""));
  assert_false(holds(f, VLB_GOAL_TURN_OFF, "stove_1", ""));
  *joint(f, "k") = 0;
  assert_false(holds(f, VLB_GOAL_TURN_OFF, "stove_1", ""));
  *joint(f, "k") = -0.001;
  assert_true(holds(f, VLB_GOAL_TURN_OFF, "stove_1", ""));
}

static void names_find_their_object(void **state) {
  fixture *f = *state;
  strcpy(f->task.objects[4].name, "cup_1_small");
  f->task.object_count = 5;
  assert_ptr_equal(vlb_task_object(&f->task, "cup_1"), &f->task.objects[1]);
  assert_ptr_equal(vlb_task_object(&f->task, "cup_1_rim"), &f->task.objects[1]);
  assert_ptr_equal(vlb_task_object(&f->task, "cup_1_small_rim"), &f->task.objects[4]);
  assert_null(vlb_task_object(&f->task, "cup_11"));
  f->task.object_count = 4;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(on_an_object), cmocka_unit_test(on_a_site_of_an_object),
      cmocka_unit_test(on_a_zone_of_the_table), cmocka_unit_test(rotation_is_not_transposed),
      cmocka_unit_test(in_a_site), cmocka_unit_test(drawers),
      cmocka_unit_test(knobs), cmocka_unit_test(names_find_their_object),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
