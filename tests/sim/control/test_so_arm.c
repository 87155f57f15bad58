/* The SO-100's closed-form kinematics: against published lengths by hand, against the MJCF, and there and back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "sim/control/so_arm.h"

static const double pi = 3.14159265358979323846;

static int near(double a, double b, double tolerance) { return fabs(a - b) < tolerance; }

/* At zero: upper arm up, the rest forward. Lengths of the SO-100's published description, in mm. */
static void zero_pose_is_the_sum_of_the_links(void **state) {
  (void)state;
  const double zero[5] = {0}, right[5] = {pi / 2};
  vlb_so_pose p;
  vlb_so_forward(zero, &p);
  assert_true(near(p.x, (30.6 + 28 + 134.9 + 60.1 + 92) / 1000, 1e-9) && near(p.y, 0, 1e-12));
  assert_true(near(p.z, (16.5 + 102.5 + 112.57 + 5.2) / 1000, 1e-9));
  assert_true(near(p.pitch, 0, 1e-12));
  vlb_so_forward(right, &p); /* pan is positive to the right */
  assert_true(near(p.x, 0, 1e-9) && p.y < -0.3);
}

static void forward_is_the_models(void **state) {
  (void)state;
  vlb_error err = {0};
  vlb_scene *scene;
  const vlb_scene_spec spec = {.embodiment = &vlb_so101, .arena = "desk"};
  assert_int_equal(vlb_scene_compile(&spec, &scene, &err), VLB_OK);
  const mjModel *m = scene->model;
  mjData *d = mj_makeData(m);
  int pan = mj_name2id(m, mjOBJ_BODY, "so_shoulder"), gripper = mj_name2id(m, mjOBJ_BODY, "so_gripper");
  int tip = mj_name2id(m, mjOBJ_SITE, "so_jaw_tip");
  vlb_rng rng = vlb_rng_make(3, VLB_RNG_TEST, 0, 0);
  for (int k = 0; k < 200; k++) {
    for (int i = 0; i < VLB_SO_JOINTS; i++) d->qpos[i] = vlb_rng_range(&rng, m->jnt_range[2 * i], m->jnt_range[2 * i + 1]);
    mj_kinematics(m, d);
    vlb_so_pose p;
    vlb_so_forward(d->qpos, &p);
    const mjtNum *r = d->xmat + 9 * gripper, *g = d->xpos + 3 * gripper, *o = d->xpos + 3 * pan, *t = d->site_xpos + 3 * tip;
    assert_true(near(g[0] + 0.092 * r[0] - o[0], p.x, 1e-9));
    assert_true(near(g[1] + 0.092 * r[3] - o[1], p.y, 1e-9));
    assert_true(near(g[2] + 0.092 * r[6] - scene->workspace[2], p.z, 1e-9));
    assert_true(near(-r[6], sin(p.pitch), 1e-9));
    /* the moving jaw's face from the roll axis: the fixed one's is 10 mm on the other side */
    double aside = (t[0] - g[0]) * r[2] + (t[1] - g[1]) * r[5] + (t[2] - g[2]) * r[8];
    assert_true(near(vlb_so_gap(d->qpos[5]), aside + 0.010, 3e-4));
  }
  mj_deleteData(d);
  vlb_scene_free(scene);
}

/* What the robot file promises to the closed form. */
static void ranges_are_the_models(void **state) {
  (void)state;
  vlb_error err = {0};
  vlb_scene *scene;
  const vlb_scene_spec spec = {.embodiment = &vlb_so100, .arena = "desk"};
  assert_int_equal(vlb_scene_compile(&spec, &scene, &err), VLB_OK);
  static const char *const names[] = {"shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"};
  const mjModel *m = scene->model;
  assert_int_equal(m->nu, VLB_SO_JOINTS);
  assert_int_equal(scene->robot_joints, VLB_SO_JOINTS);
  for (int i = 0; i < VLB_SO_JOINTS; i++) {
    assert_string_equal(mj_id2name(m, mjOBJ_JOINT, i), names[i]);
    assert_int_equal(m->actuator_trnid[2 * i], i);
    for (int k = 0; k < 2; k++) assert_true(m->actuator_ctrlrange[2 * i + k] == m->jnt_range[2 * i + k]);
  }
  vlb_scene_free(scene);
}

static void there_and_back(void **state) {
  (void)state;
  vlb_rng rng = vlb_rng_make(4, VLB_RNG_TEST, 0, 0);
  int flat = 0;
  for (int k = 0; k < 2000; k++) {
    double r = vlb_rng_range(&rng, 0.15, 0.26), a = vlb_rng_range(&rng, -1.5, 1.5), q[5];
    vlb_so_pose wanted = {r * cos(a), r * sin(a), vlb_rng_range(&rng, 0.01, 0.12), pi / 2, vlb_rng_range(&rng, -2, 2)}, got;
    double pitch = vlb_so_inverse(&wanted, q);
    vlb_so_forward(q, &got);
    assert_true(near(got.x, wanted.x, 1e-6) && near(got.y, wanted.y, 1e-6) && near(got.z, wanted.z, 1e-6));
    assert_true(near(got.roll, wanted.roll, 1e-12) && near(got.pitch, pitch, 1e-6));
    if (r < 0.25 && wanted.z < 0.03) assert_true(near(pitch, pi / 2, 1e-12)); /* the mat is reached from above */
    flat += pitch < pi / 2;
  }
  assert_true(flat > 0 && flat < 1000);
}

static void what_is_out_of_reach_is_pointed_at(void **state) {
  (void)state;
  vlb_so_pose far = {0.6, 0.2, 0.1, pi / 2, 0}, got;
  double q[5];
  assert_true(vlb_so_inverse(&far, q) < 0.01);
  vlb_so_forward(q, &got);
  assert_true(near(atan2(got.y, got.x), atan2(0.2, 0.6), 1e-9));
  assert_true(hypot(got.x, got.y) > 0.4);
}

static void jaws_measure_gaps(void **state) {
  (void)state;
  for (double gap = 0.005; gap < 0.08; gap += 0.005) assert_true(near(vlb_so_gap(vlb_so_jaw(gap)), gap, 1e-12));
  assert_true(near(vlb_so_middle(vlb_so_jaw(0.03)), 0.005, 1e-12));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(zero_pose_is_the_sum_of_the_links), cmocka_unit_test(forward_is_the_models),
      cmocka_unit_test(ranges_are_the_models),             cmocka_unit_test(there_and_back),
      cmocka_unit_test(what_is_out_of_reach_is_pointed_at), cmocka_unit_test(jaws_measure_gaps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
