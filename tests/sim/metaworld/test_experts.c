/* Decisions of Meta-World's experts on observations made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "sim/metaworld/metaworld.h"

/* hand, gripper opening, first object, goal */
typedef struct {
  double hand[3], opening, object[3], goal[3];
} scene;

static void act(vlb_mw_id task, const scene *s, double action[VLB_MW_ACTION]) {
  double obs[VLB_MW_OBS] = {0};
  memcpy(obs, s->hand, sizeof s->hand);
  obs[3] = s->opening;
  memcpy(obs + 4, s->object, sizeof s->object);
  memcpy(obs + 36, s->goal, sizeof s->goal);
  vlb_mw_expert(task, obs, action);
}

static void expect(vlb_mw_id task, scene s, double x, double y, double z, double grip) {
  const double wanted[VLB_MW_ACTION] = {x, y, z, grip};
  double action[VLB_MW_ACTION];
  act(task, &s, action);
  for (int i = 0; i < VLB_MW_ACTION; i++)
    if (fabs(action[i] - wanted[i]) > 1e-6) fail_msg("%s: action %d is %g, not %g", vlb_mw_tasks[task].name, i, action[i], wanted[i]);
}

/* p (goal - hand), clipped */
static void test_reach(void **state) {
  (void)state;
  expect(VLB_MW_REACH, (scene){{0, 0.6, 0.2}, 1, {0}, {0.1, 0.58, 0.2}}, 0.5, -0.1, 0, 0);
  expect(VLB_MW_REACH, (scene){{0, 0.6, 0.2}, 1, {0}, {0.3, 0.1, 0.2}}, 1, -1, 0, 0);
}

/* over the puck, down, wait while the fingers close, then to the goal */
static void test_pick_place(void **state) {
  const double puck[3] = {0.105, 0.7, 0.02};
  scene s = {{0.05, 0.7, 0.15}, 1, {puck[0], puck[1], puck[2]}, {0.12, 0.72, 0.2}};
  (void)state;
  expect(VLB_MW_PICK_PLACE, s, 0.5, 0, -0.3, 0);
  s.hand[0] = 0.1;
  expect(VLB_MW_PICK_PLACE, s, 0, 0, -1, 0);
  s.hand[2] = 0.05;
  expect(VLB_MW_PICK_PLACE, s, 0, 0, 0, 1);
  s.opening = 0.6;
  expect(VLB_MW_PICK_PLACE, s, 0.2, 0.2, 1, 1);
}

/* the pull is harder than the approach */
static void test_drawer_open(void **state) {
  scene s = {{0, 0.7, 0.4}, 1, {0.01, 0.72, 0.1}, {0}};
  (void)state;
  expect(VLB_MW_DRAWER_OPEN, s, 0.04, 0.08, -1, -1);
  s.hand[1] = 0.72, s.hand[2] = 0.085;
  expect(VLB_MW_DRAWER_OPEN, s, 0.5, -1, -0.25, -1);
}

/* upstream's slip: the height serves as all three coordinates */
static void test_handle_pull(void **state) {
  scene s = {{0.12, 0.1, 0.2}, 1, {0.12, 0.14, 0.11}, {0}};
  (void)state;
  expect(VLB_MW_HANDLE_PULL, s, -0.25, 0.25, -1, 1);
}

/* up at the wall, then on */
static void test_walls(void **state) {
  scene s = {{0, 0.7, 0.1}, 1, {0}, {0, 0.7, 0.1}};
  (void)state;
  expect(VLB_MW_REACH_WALL, s, 0, 0, 1, 0);
  s.hand[2] = s.goal[2] = 0.3;
  expect(VLB_MW_REACH_WALL, s, 0, 0, 0, 0);
  scene p = {{0.095, 0.6, 0.02}, 1, {0.1, 0.7, 0.02}, {0, 0.9, 0.02}};
  p.hand[1] = 0.7;
  expect(VLB_MW_PUSH_WALL, p, -1, 0, 0, 0.6);
  p.hand[0] = -0.125, p.object[0] = -0.12;
  expect(VLB_MW_PUSH_WALL, p, 0, 1, 0, 0.6);
  p.object[0] = p.hand[0] = 0.4;
  p.hand[0] -= 0.005;
  expect(VLB_MW_PUSH_WALL, p, -1, 1, 0, 0.6);
}

/* with the second object */
static void test_stick(void **state) {
  double obs[VLB_MW_OBS] = {0}, action[VLB_MW_ACTION];
  (void)state;
  obs[0] = -0.05, obs[1] = 0.6, obs[2] = 0.05;
  obs[4] = -0.065, obs[5] = 0.6, obs[6] = 0.02; /* stick */
  obs[11] = 0.1, obs[12] = 0.66, obs[13] = 0.05; /* thermos */
  vlb_mw_expert(VLB_MW_STICK_PUSH, obs, action); /* in y first */
  assert_true(fabs(action[0]) < 1e-6 && fabs(action[1] - 0.6) < 1e-6 && fabs(action[3] - 0.7) < 1e-6);
  obs[12] = 0.6;
  vlb_mw_expert(VLB_MW_STICK_PUSH, obs, action); /* then in */
  assert_true(action[0] == 1 && fabs(action[1]) < 1e-6);
}

/* All fifty answer any observation with numbers in range, in single precision, and the same ones again. */
static void test_any_observation(void **state) {
  (void)state;
  for (int task = 0; task < VLB_MW_TASKS; task++)
    for (int n = 0; n < 200; n++) {
      double obs[VLB_MW_OBS], action[VLB_MW_ACTION], again[VLB_MW_ACTION];
      for (int i = 0; i < VLB_MW_OBS; i++) obs[i] = sin(1.3 * i + 0.7 * n + task) * (n % 3 ? 0.5 : 50);
      vlb_mw_expert((vlb_mw_id)task, obs, action);
      vlb_mw_expert((vlb_mw_id)task, obs, again);
      for (int i = 0; i < VLB_MW_ACTION; i++) assert_true(fabs(action[i]) <= 1 && action[i] == (double)(float)action[i] && action[i] == again[i]);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_reach), cmocka_unit_test(test_pick_place), cmocka_unit_test(test_drawer_open),
                                     cmocka_unit_test(test_handle_pull), cmocka_unit_test(test_walls), cmocka_unit_test(test_stick),
                                     cmocka_unit_test(test_any_observation)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
