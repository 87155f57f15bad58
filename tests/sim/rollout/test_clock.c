/* Episodes in virtual time: the same bits with any number of threads and lanes under every controller, what waits and what holds, the task starting anew. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/rollout/rollout.h"
#include "sim/task/world.h"

enum { PER_TASK = 3, CHUNK = 12, EXECUTED = 10, STEPS = 60, SIZE = 16, BATCH = 2, THREADS = 2 };

typedef struct {
  vlb_suite *suite;
  vlb_log *log;
} fixture;

/* A policy made of what it sees; what guides it shows in what it does. */
static vlb_code infer(void *self, int n, const vlb_observation *o, float *actions, vlb_error *err) {
  int *guided = self;
  (void)err;
  for (int i = 0; i < n; i++) {
    uint64_t sum = 0;
    for (int k = 0; o[i].size && k < o[i].size * o[i].size * 3; k++) sum = sum * 31 + o[i].image[0][k];
    double shift = (double)(sum % 1000) / 2000;
    if (o[i].guide) {
      ++*guided;
      shift += 0.01 * (double)o[i].guide->previous[o[i].guide->n * 6 - 1] + 0.001 * o[i].guide->delay;
    }
    for (int k = 0; k < CHUNK * 6; k++) actions[i * CHUNK * 6 + k] = (float)(0.2 * sin(k / 6 + shift) + (double)o[i].state[k % 6] + 0.01 * o[i].replan);
  }
  return VLB_OK;
}

static int set_up(void **state) {
  static fixture f;
  vlb_error err;
  f.log = vlb_log_open(stderr, true);
  *state = &f;
  return vlb_suite_load("so100_pick", &f.suite, &err) ? -1 : 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  vlb_suite_free(f->suite);
  vlb_log_close(f->log);
  return 0;
}

static vlb_rollout_config defaults(int control, double latency) {
  vlb_rollout_config config;
  memset(&config, 0, sizeof config);
  vlb_fields_default(vlb_rollout_fields, &config);
  config.episodes_per_task = PER_TASK;
  config.max_steps = STEPS;
  config.render_size = SIZE;
  config.control.control = control;
  config.control.latency = latency;
  config.control.trace_episodes = PER_TASK;
  return config;
}

static vlb_code run(fixture *f, vlb_rollout_config config, int threads, int lanes, int batch, int *guided, vlb_episode_result *results, vlb_error *err) {
  vlb_policy_callback callbacks[THREADS];
  int counts[THREADS] = {0};
  vlb_context ctx = {f->log, threads, NULL};
  config.lanes = lanes;
  for (int i = 0; i < THREADS; i++) callbacks[i] = (vlb_policy_callback){&counts[i], batch, CHUNK, EXECUTED, infer};
  vlb_code code = vlb_rollouts_run(&config, f->suite, callbacks, &ctx, "test", results, err);
  for (int i = 0; guided && i < THREADS; i++) *guided += counts[i];
  return code;
}

static void threads_and_lanes_do_not_matter(void **state) {
  fixture *f = *state;
  vlb_error err;
  for (int control = VLB_CONTROL_SYNC; control <= VLB_CONTROL_RTC; control++) {
    vlb_episode_result one[PER_TASK], many[PER_TASK];
    int guided = 0;
    vlb_rollout_config config = defaults(control, 0.12);
    config.control.latency_model = VLB_LATENCY_LOGNORMAL;
    config.control.latency_spread = 0.5;
    config.control.uplink = 0.02;
    config.control.camera_period = 0.1;
    config.control.threshold = 0.7;
    assert_int_equal(run(f, config, 1, 1, 1, NULL, one, &err), VLB_OK);
    assert_int_equal(run(f, config, THREADS, 2, BATCH, &guided, many, &err), VLB_OK);
    assert_int_equal(guided > 0, control == VLB_CONTROL_RTC);
    for (int i = 0; i < PER_TASK; i++) {
      assert_string_equal(one[i].state_hash, many[i].state_hash);
      assert_memory_equal(&one[i].clock, &many[i].clock, sizeof one[i].clock);
      assert_int_equal(one[i].trace_size, STEPS);
      for (int k = 0; k < STEPS; k++) {
        assert_int_equal(one[i].trace[k].queue, many[i].trace[k].queue);
        assert_int_equal(one[i].trace[k].arrived, many[i].trace[k].arrived);
      }
      assert_true(one[i].clock.robot.executed > 10 && one[i].clock.inferences > 1);
      assert_int_equal(one[i].clock.robot.ticks, STEPS);
      assert_int_equal(one[i].clock.robot.executed + one[i].clock.robot.idle + one[i].clock.robot.waited, STEPS);
    }
    assert_true(one[0].clock.busy != one[1].clock.busy); /* other episodes, other draws */
    vlb_episode_results_clear(one, PER_TASK), vlb_episode_results_clear(many, PER_TASK);
  }
}

/* 0.1 s are three steps: ten actions, three ticks of waiting, and so on; the first wait is not idle. */
static void the_world_goes_on_while_the_robot_waits(void **state) {
  fixture *f = *state;
  vlb_episode_result waits[PER_TASK], flows[PER_TASK];
  vlb_error err;
  assert_int_equal(run(f, defaults(VLB_CONTROL_SYNC, 0.1), 1, 3, BATCH, NULL, waits, &err), VLB_OK);
  assert_int_equal(run(f, defaults(VLB_CONTROL_SYNC, 0), 1, 3, BATCH, NULL, flows, &err), VLB_OK);
  for (int i = 0; i < PER_TASK; i++) {
    const vlb_timeline_tick *t = waits[i].trace;
    for (int k = 0; k < STEPS; k++) assert_int_equal(t[k].acted, k % 13 >= 3);
    assert_int_equal(waits[i].clock.robot.waited, 3);
    assert_int_equal(waits[i].clock.robot.idle, 4 * 3);
    assert_int_equal(waits[i].steps, STEPS);
    assert_true(fabs(waits[i].clock.seconds - 2) < 1e-9);
    assert_true(fabs(waits[i].clock.busy - 0.5) < 1e-6);
    assert_int_equal(flows[i].clock.robot.executed, STEPS);
    assert_int_equal(flows[i].replans, 6);
  }
  vlb_episode_results_clear(waits, PER_TASK), vlb_episode_results_clear(flows, PER_TASK);
}

/* Told to hold, the arm keeps its target; the Panda stands still with its gripper as it was. */
static void what_holding_is(void **state) {
  fixture *f = *state;
  vlb_error err;
  vlb_scene **scenes;
  vlb_world w;
  double action[VLB_MAX_ACTION];
  assert_int_equal(vlb_scenes_compile(f->suite, &scenes, &err), VLB_OK);
  assert_int_equal(vlb_world_open(&w, f->suite, 0, scenes[0], &err), VLB_OK);
  assert_int_equal(vlb_world_start(&w, 0, 5, &err), VLB_OK);
  double target[6] = {0.1, -1, 0.5, 1.2, 0.2, 0.4};
  assert_int_equal(vlb_world_step(&w, target, &err), VLB_OK);
  vlb_world_hold(&w, NULL, action);
  assert_memory_equal(action, target, sizeof target);
  vlb_world_close(&w);
  vlb_scenes_free(scenes, f->suite->task_count);
  vlb_suite *panda;
  assert_int_equal(vlb_suite_load("spatial", &panda, &err), VLB_OK);
  w = (vlb_world){.suite = panda};
  vlb_world_hold(&w, (const double[]){1, 1, 1, 1, 1, 1, 0.7}, action);
  assert_memory_equal(action, ((const double[]){0, 0, 0, 0, 0, 0, 0.7}), 7 * sizeof *action);
  vlb_world_hold(&w, NULL, action);
  assert_true(action[6] < -0.99);
  vlb_suite_free(panda);
}

static void a_task_that_starts_anew(void **state) {
  fixture *f = *state;
  vlb_error err;
  vlb_scene **scenes;
  vlb_world w;
  char hash[3][17];
  assert_int_equal(vlb_scenes_compile(f->suite, &scenes, &err), VLB_OK);
  assert_int_equal(vlb_world_open(&w, f->suite, 0, scenes[0], &err), VLB_OK);
  for (int k = 0; k < 3; k++) {
    double cube[3], arm[6], target[6] = {0.1, -1, 0.5, 1.2, 0.2, 0.4};
    assert_int_equal(vlb_world_start(&w, 2, 5, &err), VLB_OK);
    for (int i = 0; i < 20; i++) assert_int_equal(vlb_world_step(&w, target, &err), VLB_OK);
    int body = mj_name2id(w.model, mjOBJ_BODY, "red_cube_1_main");
    if (body < 0) body = w.model->nbody - 1;
    mju_copy3(cube, w.data->xpos + 3 * body);
    mju_copy(arm, w.data->qpos, 6);
    double time = w.data->time;
    w.success = 1, w.score = 1;
    assert_int_equal(vlb_world_again(&w, 2, k < 2 ? 1 : 2, 5, &err), VLB_OK);
    vlb_world_hash(&w, hash[k]);
    assert_memory_equal(arm, w.data->qpos, sizeof arm);
    assert_true(w.success == 0 && w.score <= 0 && w.data->time >= time);
    double moved = hypot(cube[0] - w.data->xpos[3 * body], cube[1] - w.data->xpos[3 * body + 1]);
    assert_true(moved > 0.01);
  }
  assert_string_equal(hash[0], hash[1]);
  assert_string_not_equal(hash[0], hash[2]);
  vlb_world_close(&w);
  vlb_scenes_free(scenes, f->suite->task_count);
}

static void a_fixed_time(void **state) {
  fixture *f = *state;
  vlb_episode_result results[PER_TASK];
  vlb_error err;
  vlb_rollout_config config = defaults(VLB_CONTROL_SYNC, 0);
  config.control.fixed_time = 3; /* longer than max_steps */
  assert_int_equal(run(f, config, 1, 3, BATCH, NULL, results, &err), VLB_OK);
  for (int i = 0; i < PER_TASK; i++) {
    assert_int_equal(results[i].steps, 90);
    assert_int_equal(results[i].outcome, VLB_EPISODE_TIMEOUT); /* nothing was moved */
    assert_int_equal(results[i].completions, 0);
  }
  vlb_episode_results_clear(results, PER_TASK);
  vlb_suite *mine = f->suite;
  assert_int_equal(vlb_suite_load("spatial", &f->suite, &err), VLB_OK);
  f->suite->task_count = 1;
  assert_int_equal(run(f, config, 1, 3, BATCH, NULL, results, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "fixed_time"));
  vlb_suite_free(f->suite);
  f->suite = mine;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_and_lanes_do_not_matter), cmocka_unit_test(the_world_goes_on_while_the_robot_waits), cmocka_unit_test(what_holding_is),
      cmocka_unit_test(a_task_that_starts_anew),         cmocka_unit_test(a_fixed_time),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
