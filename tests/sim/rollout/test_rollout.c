/* The engine with a policy that looks at everything: results do not depend on threads or lanes, and no outcome hides another. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/rollout/rollout.h"

enum { TASKS = 2, PER_TASK = 3, TOTAL = TASKS * PER_TASK, CHUNK = 5, EXECUTED = 4, STEPS = 10, SIZE = 32, BATCH = 2, THREADS = 2 };

/* --- a policy made of what it sees --- */

typedef struct {
  int calls, largest;
  int fail_task, fail_episode; /* that observation is an error; -1: none */
  int nan_task, nan_episode;
} fake;

static double brightness(const vlb_observation *o, int camera) {
  uint64_t sum = 0;
  for (int i = 0; i < o->size * o->size * 3; i++) sum = sum * 31 + o->image[camera][i];
  return (double)(sum % 2001) / 1000 - 1;
}

static vlb_code infer(void *self, int n, const vlb_observation *o, float *actions, vlb_error *err) {
  fake *f = self;
  f->calls++;
  if (n > f->largest) f->largest = n;
  for (int i = 0; i < n; i++) {
    float *chunk = actions + (size_t)i * CHUNK * VLB_MAX_ACTION;
    if (o[i].task == f->fail_task && o[i].episode == f->fail_episode) return vlb_fail(err, VLB_FAILED, "no idea");
    for (int k = 0; k < CHUNK * VLB_MAX_ACTION; k++) chunk[k] = (float)(0.3 * sin(k + 10.0 * (double)o[i].state[k % VLB_MAX_STATE]));
    chunk[0] = (float)brightness(&o[i], 0);
    chunk[1] = (float)brightness(&o[i], 1);
    chunk[VLB_MAX_ACTION] = (float)strlen(o[i].instruction) / 100 + (float)o[i].replan;
    if (o[i].task == f->nan_task && o[i].episode == f->nan_episode && o[i].replan == 1) chunk[3] = NAN;
  }
  return VLB_OK;
}

/* --- runs --- */

typedef struct {
  vlb_suite *suite;
  vlb_log *log;
} fixture;

static int set_up(void **state) {
  static fixture f;
  vlb_error err;
  f.log = vlb_log_open(stderr, true);
  *state = &f;
  if (vlb_suite_load("spatial", &f.suite, &err)) return -1;
  f.suite->task_count = TASKS;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  vlb_suite_free(f->suite);
  vlb_log_close(f->log);
  return 0;
}

static vlb_code run(fixture *f, int threads, int lanes, int batch, fake policies[THREADS], const volatile sig_atomic_t *stop,
                    vlb_episode_result results[TOTAL], vlb_error *err) {
  vlb_rollout_config config;
  vlb_policy_callback callbacks[THREADS];
  vlb_context ctx = {f->log, threads, stop};
  vlb_fields_default(vlb_rollout_fields, &config);
  config.episodes_per_task = PER_TASK;
  config.max_steps = STEPS;
  config.render_size = SIZE;
  config.lanes = lanes;
  for (int i = 0; i < THREADS; i++) callbacks[i] = (vlb_policy_callback){&policies[i], batch, CHUNK, EXECUTED, infer};
  return vlb_rollouts_run(&config, f->suite, callbacks, &ctx, "test", results, err);
}

static const fake plain = {0, 0, -1, -1, -1, -1};

static void threads_and_lanes_do_not_matter(void **state) {
  fixture *f = *state;
  vlb_episode_result one[TOTAL], many[TOTAL];
  vlb_error err;
  fake a[THREADS] = {plain, plain}, b[THREADS] = {plain, plain};
  memset(one, 0, sizeof one);
  memset(many, 0, sizeof many);
  assert_int_equal(run(f, 1, 1, 1, a, NULL, one, &err), VLB_OK);
  assert_int_equal(run(f, THREADS, 3, BATCH, b, NULL, many, &err), VLB_OK);
  assert_int_equal(a[0].largest, 1);
  assert_true(a[0].calls == TOTAL * 3);
  assert_true(b[0].largest == BATCH || b[1].largest == BATCH);
  for (int i = 0; i < TOTAL; i++) {
    assert_int_equal(one[i].task, i / PER_TASK);
    assert_int_equal(one[i].episode, i % PER_TASK);
    assert_int_equal(one[i].outcome, VLB_EPISODE_TIMEOUT);
    assert_int_equal(one[i].steps, STEPS);
    assert_int_equal(one[i].replans, 3); /* 10 steps, 4 at a time */
    assert_int_equal(strlen(one[i].state_hash), 16);
    assert_int_equal(many[i].outcome, one[i].outcome);
    assert_int_equal(many[i].steps, one[i].steps);
    assert_int_equal(many[i].replans, one[i].replans);
    assert_string_equal(many[i].state_hash, one[i].state_hash);
    for (int k = 0; k < i; k++) assert_string_not_equal(one[i].state_hash, one[k].state_hash);
  }
}

static void one_episodes_error_is_its_own(void **state) {
  fixture *f = *state;
  vlb_episode_result results[TOTAL];
  vlb_error err;
  fake policy[THREADS] = {plain, plain};
  policy[0].fail_task = 0;
  policy[0].fail_episode = 1;
  policy[0].nan_task = 1;
  policy[0].nan_episode = 2;
  assert_int_equal(run(f, 1, 3, 1, policy, NULL, results, &err), VLB_OK);
  for (int i = 0; i < TOTAL; i++) assert_int_equal(results[i].outcome, i == 1 || i == 5 ? VLB_EPISODE_POLICY_ERROR : VLB_EPISODE_TIMEOUT);
  assert_int_equal(results[1].steps, 0);
  assert_int_equal(results[5].steps, EXECUTED); /* the second chunk was bad */
}

/* A goal that holds from the start is met while settling: no step, no look. */
static void success_while_settling(void **state) {
  fixture *f = *state;
  vlb_episode_result results[TOTAL];
  vlb_error err;
  fake policy[THREADS] = {plain, plain};
  vlb_task changed = f->suite->tasks[5], kept = f->suite->tasks[1]; /* on the ramekin */
  strcpy(changed.goals[0].b, "glazed_rim_porcelain_ramekin_1");
  f->suite->tasks[1] = changed;
  assert_int_equal(run(f, 1, 2, 1, policy, NULL, results, &err), VLB_OK);
  f->suite->tasks[1] = kept;
  for (int i = PER_TASK; i < TOTAL; i++) {
    assert_int_equal(results[i].outcome, VLB_EPISODE_SUCCESS);
    assert_int_equal(results[i].steps, 0);
    assert_int_equal(results[i].replans, 0);
  }
}

static void a_stop_leaves_the_rest_not_run(void **state) {
  fixture *f = *state;
  vlb_episode_result results[TOTAL];
  vlb_error err;
  fake policy[THREADS] = {plain, plain};
  volatile sig_atomic_t stop = 1;
  assert_int_equal(run(f, THREADS, 2, 1, policy, &stop, results, &err), VLB_INTERRUPTED);
  for (int i = 0; i < TOTAL; i++) assert_int_equal(results[i].outcome, VLB_EPISODE_NOT_RUN);
}

static void outcomes_have_names(void **state) {
  (void)state;
  assert_string_equal(vlb_outcome_name(VLB_EPISODE_SUCCESS), "success");
  assert_string_equal(vlb_outcome_name(VLB_EPISODE_NOT_RUN), "not_run");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_and_lanes_do_not_matter), cmocka_unit_test(one_episodes_error_is_its_own),
      cmocka_unit_test(success_while_settling),          cmocka_unit_test(a_stop_leaves_the_rest_not_run),
      cmocka_unit_test(outcomes_have_names),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
