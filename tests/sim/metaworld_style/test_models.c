/* The Meta-World-style models: each compiles, is laid out as the engine expects, and keeps to the drawing groups. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/embed.h"
#include "sim/metaworld/family.h"
#include "sim/world/engine.h"

extern const vlb_embedded vlb_embedded_sim_assets[];

enum { SEEN = 1, COLLIDES = 4 }; /* groups of geoms */

/* sim/metaworld/models/sawyer_NAME.xml is the model NAME. */
static bool is_model(const char *path, char *name, size_t size) {
  static const char prefix[] = "sim/metaworld/models/sawyer_";
  const size_t skip = sizeof prefix - 1;
  if (strncmp(path, prefix, skip)) return false;
  snprintf(name, size, "%.*s", (int)(strlen(path) - skip - strlen(".xml")), path + skip);
  return true;
}

static mjModel *load(const char *name) {
  vlb_error err = {0};
  mjModel *m = NULL;
  char *xml = vlb_mw_style_xml(name);
  assert_non_null(xml);
  if (vlb_engine_load(xml, &m, &err)) fail_msg("%s: %s", name, err.message);
  free(xml);
  return m;
}

static void for_each_model(void (*check)(const char *name, const mjModel *m)) {
  char name[64];
  int n = 0;
  for (const vlb_embedded *e = vlb_embedded_sim_assets; e->path; e++) {
    if (!is_model(e->path, name, sizeof name)) continue;
    mjModel *m = load(name);
    check(name, m);
    mj_deleteModel(m);
    n++;
  }
  assert_int_equal(n, 12);
}

static void check_names(const char *name, const mjModel *m) {
  static const struct {
    mjtObj kind;
    const char *name;
  } wanted[] = {
      {mjOBJ_BODY, "hand"}, {mjOBJ_BODY, "rightclaw"}, {mjOBJ_BODY, "leftclaw"}, {mjOBJ_BODY, "mocap"},
      {mjOBJ_SITE, "rightEndEffector"}, {mjOBJ_SITE, "leftEndEffector"},
      {mjOBJ_GEOM, "rightpad_geom"}, {mjOBJ_GEOM, "leftpad_geom"},
      {mjOBJ_JOINT, "r_close"}, {mjOBJ_JOINT, "l_close"},
  };
  static const char *const cameras[] = {"topview", "corner", "corner2", "corner3", "corner4", "behindGripper", "gripperPOV"};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    if (mj_name2id(m, (int)wanted[i].kind, wanted[i].name) < 0) fail_msg("%s has no %s", name, wanted[i].name);
  assert_int_equal(m->ncam, 7);
  for (int i = 0; i < 7; i++) assert_int_equal(mj_name2id(m, mjOBJ_CAMERA, cameras[i]), i);
}

/* Arm 7, fingers 2, then the objects; one weld, one mocap body, two servos of gain 400. */
static void check_layout(const char *name, const mjModel *m) {
  (void)name;
  assert_true(m->opt.timestep == 0.0025);
  assert_int_equal(m->nmocap, 1);
  assert_int_equal(m->neq, 1);
  assert_int_equal(m->eq_type[0], mjEQ_WELD);
  assert_int_equal(m->nu, 2);
  for (int i = 0; i < 9; i++) assert_int_equal(m->jnt_qposadr[i], i);
  assert_int_equal(m->jnt_qposadr[mj_name2id(m, mjOBJ_JOINT, "r_close")], 7);
  assert_int_equal(m->jnt_qposadr[mj_name2id(m, mjOBJ_JOINT, "l_close")], 8);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(m->actuator_trnid[2 * i], 7 + i);
    assert_true(m->actuator_gainprm[mjNGAIN * i] == 400);
  }
  assert_true(m->nq > 9);
  assert_int_equal(m->nmesh, 0);
}

/* Group 4 collides and is not drawn, group 1 is drawn and has no part in the physics; in a body, what collides comes first. */
static void check_groups(const char *name, const mjModel *m) {
  for (int g = 0; g < m->ngeom; g++) {
    int touches = m->geom_contype[g] || m->geom_conaffinity[g];
    if (m->geom_group[g] != (touches ? COLLIDES : SEEN)) fail_msg("%s: geom %d is in group %d", name, g, m->geom_group[g]);
    if (touches && g > 0 && m->geom_bodyid[g - 1] == m->geom_bodyid[g] && m->geom_bodyid[g] > 0)
      if (m->geom_group[g - 1] != COLLIDES) fail_msg("%s: geom %d collides and follows one that is only seen", name, g);
  }
}

/* In the reference posture the hand is where the mocap body is, fingers down. */
static void check_posture(const char *name, const mjModel *m) {
  (void)name;
  mjData *d = mj_makeData(m);
  mj_forward(m, d);
  const mjtNum *hand = d->xpos + 3 * mj_name2id(m, mjOBJ_BODY, "hand");
  const double home[3] = {0, 0.6, 0.2};
  for (int i = 0; i < 3; i++) {
    assert_true(fabs(hand[i] - home[i]) < 1e-3);
    assert_true(fabs(d->mocap_pos[i] - home[i]) < 1e-12);
  }
  assert_true(d->xmat[9 * mj_name2id(m, mjOBJ_BODY, "hand") + 6] < -0.9999); /* its x axis points down */
  mj_deleteData(d);
}

static void test_names(void **state) {
  (void)state;
  for_each_model(check_names);
}

static void test_layout(void **state) {
  (void)state;
  for_each_model(check_layout);
}

static void test_groups(void **state) {
  (void)state;
  for_each_model(check_groups);
}

static void test_posture(void **state) {
  (void)state;
  for_each_model(check_posture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_layout),
      cmocka_unit_test(test_groups),
      cmocka_unit_test(test_posture),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
