/* Every way to take every thing of the LIBERO-style suites holds: the hand goes there, closes, lifts and carries it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/control/osc.h"
#include "sim/task/task.h"

typedef struct {
  double pos[3], rot[9];
} pose;

typedef struct {
  vlb_scene *scene;
  mjData *data;
  vlb_osc osc;
} rig;

enum { MAX_CATEGORIES = 64 };

/* Categories of movables, each once. */
static int categories(char out[MAX_CATEGORIES][48]) {
  static const char *const suites[] = {"spatial", "object", "goal", "long"};
  int n = 0;
  for (size_t s = 0; s < sizeof suites / sizeof *suites; s++) {
    vlb_suite *suite;
    vlb_error err;
    assert_int_equal(vlb_suite_load(suites[s], &suite, &err), VLB_OK);
    for (int t = 0; t < suite->task_count; t++)
      for (int i = 0; i < suite->tasks[t].object_count; i++) {
        const vlb_scene_object *o = &suite->tasks[t].objects[i];
        int known = !o->movable;
        for (int k = 0; k < n; k++) known |= !strcmp(out[k], o->category);
        if (!known) strcpy(out[n++], o->category);
        assert_true(n < MAX_CATEGORIES);
      }
    vlb_suite_free(suite);
  }
  return n;
}

static rig stand(const char *category) {
  vlb_scene_object thing = {.name = "thing_1", .movable = 1};
  strcpy(thing.category, category);
  const vlb_scene_spec spec = {.embodiment = &vlb_panda, .arena = "tabletop", .objects = &thing, .object_count = 1};
  rig r = {0};
  vlb_error err;
  assert_int_equal(vlb_scene_compile(&spec, &r.scene, &err), VLB_OK);
  r.data = mj_makeData(r.scene->model);
  return r;
}

static void clear(rig *r) {
  mj_deleteData(r->data);
  vlb_scene_free(r->scene);
}

/* The thing at rest in front of the arm, turned a little. */
static void start(rig *r) {
  const mjModel *m = r->scene->model;
  int body = mj_name2id(m, mjOBJ_BODY, "thing_1_main");
  double bottom = m->site_pos[3 * mj_name2id(m, mjOBJ_SITE, "thing_1_bottom_site") + 2];
  vlb_scene_home(r->scene, r->data);
  const mjtNum at[7] = {-0.12, -0.02, r->scene->workspace[2] - bottom, cos(0.1), 0, 0, sin(0.1)};
  mju_copy(r->data->qpos + m->jnt_qposadr[m->body_jntadr[body]], at, 7);
  mj_forward(m, r->data);
  vlb_osc_reset(&r->osc, r->scene, r->data);
}

static double turned_by(const double a[9], const double b[9]) {
  double d[9];
  mju_mulMatMatT(d, a, b, 3, 3, 3);
  return acos(fmax(-1, fmin(1, (d[0] + d[4] + d[8] - 1) / 2)));
}

/* The grasp's pose, or with the fingers exchanged when that is nearer to the hand's. */
static pose grasp_pose(const rig *r, int site) {
  pose a;
  memcpy(a.pos, r->data->site_xpos + 3 * site, sizeof a.pos);
  memcpy(a.rot, r->data->site_xmat + 9 * site, sizeof a.rot);
  pose b = a;
  for (int i = 0; i < 9; i++)
    if (i % 3 != 2) b.rot[i] = -b.rot[i];
  const double *hand = r->data->site_xmat + 9 * r->scene->eef_site;
  return turned_by(b.rot, hand) < turned_by(a.rot, hand) ? b : a;
}

static void bound(double v[3], double most) {
  double n = mju_norm3(v);
  if (n > most) mju_scl3(v, v, most / n);
}

static void go(rig *r, const pose *to, double gripper, int steps) {
  vlb_error err;
  for (int k = 0; k < steps; k++) {
    double action[7], turn[9], quat[4];
    const double *at = r->data->site_xpos + 3 * r->scene->eef_site, *rot = r->data->site_xmat + 9 * r->scene->eef_site;
    mju_sub3(action, to->pos, at);
    mju_scl3(action, action, 2 / 0.05);
    bound(action, 0.8);
    mju_mulMatMatT(turn, to->rot, rot, 3, 3, 3);
    mju_mat2Quat(quat, turn);
    mju_quat2Vel(action + 3, quat, 1);
    mju_scl3(action + 3, action + 3, 1.5 / 0.5);
    bound(action + 3, 0.5);
    action[6] = gripper;
    assert_int_equal(vlb_osc_step(&r->osc, r->scene, r->data, action, &err), VLB_OK);
  }
}

static void take(rig *r, const char *category, const char *name, int site) {
  static const double stand_off = 0.1, lift = 0.15;
  const mjtNum *thing = r->data->xpos + 3 * mj_name2id(r->scene->model, mjOBJ_BODY, "thing_1_main");
  start(r);
  const double was[3] = {thing[0], thing[1], thing[2]};
  pose at = grasp_pose(r, site), to = at;
  for (int i = 0; i < 3; i++) to.pos[i] -= stand_off * at.rot[3 * i + 2];
  go(r, &to, -1, 60);
  go(r, &at, -1, 30);
  double pushed = hypot(thing[0] - was[0], thing[1] - was[1]);
  if (pushed > 0.004) fail_msg("%s: on the way to %s the fingers push it by %.1f mm", category, name, 1e3 * pushed);
  go(r, &at, 1, 12);
  double width = r->data->qpos[r->scene->finger_qpos[0]] - r->data->qpos[r->scene->finger_qpos[1]];
  double said = 2 * r->scene->model->site_size[3 * site];
  if (fabs(width - said) > 0.006) fail_msg("%s: %s says %.0f mm, the fingers stop at %.0f", category, name, 1e3 * said, 1e3 * width);
  to = at;
  to.pos[2] += lift;
  go(r, &to, 1, 40);
  to.pos[1] += lift;
  go(r, &to, 1, 30);
  if (thing[2] - was[2] < 0.7 * lift || thing[1] - was[1] < 0.7 * lift)
    fail_msg("%s: %s does not hold: it rose by %.0f mm", category, name, 1e3 * (thing[2] - was[2]));
}

static void every_grasp_holds(void **state) {
  (void)state;
  char names[MAX_CATEGORIES][48];
  int n = categories(names), grasps = 0;
  for (int i = 0; i < n; i++) {
    rig r = stand(names[i]);
    for (int s = 0; s < r.scene->model->nsite; s++) {
      const char *name = mj_id2name(r.scene->model, mjOBJ_SITE, s);
      if (strncmp(name, "thing_1_grasp_", strlen("thing_1_grasp_"))) continue;
      take(&r, names[i], name, s);
      grasps++;
    }
    clear(&r);
  }
  assert_true(grasps > 30);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_grasp_holds)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
