/* Benchmarks of the simulator: what they measure is there, and random actions end in a verdict whatever happens. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/rollout/bench.h"
#include "sim/rollout/random.h"

enum { TASKS = 2, PER_TASK = 2, THREADS = 2 };

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
  f.suite->max_steps = 40;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  vlb_suite_free(f->suite);
  vlb_log_close(f->log);
  return 0;
}

static void measures(void **state) {
  fixture *f = *state;
  vlb_error err = {VLB_OK, ""};
  vlb_context ctx = {f->log, THREADS, NULL};
  vlb_scene **scenes;
  vlb_bench_steps s;
  vlb_bench_frames p;
  vlb_bench_episodes e;
  assert_int_equal(vlb_scenes_compile(f->suite, &scenes, &err), VLB_OK);
  assert_int_equal(vlb_bench_steps_of(f->suite, scenes[0], 0, 0.05, &s, &err), VLB_OK);
  assert_true(s.steps >= 2);
  assert_int_equal(s.substeps, 25);
  assert_true(s.bare > 0 && s.ours > 0 && isfinite(s.overhead));
  print_message("overhead %.1f%%\n", 100 * s.overhead);
  assert_int_equal(vlb_bench_frames_of(f->suite, scenes[1], 1, 1, 32, 0, 0.05, &p, &err), VLB_OK);
  assert_true(p.frames >= 2 && p.open > 0 && p.frame > 0 && p.cpu > 0);
  assert_int_equal(vlb_bench_expert(f->suite, scenes, 1, 16, &ctx, &e, &err), VLB_OK);
  assert_int_equal(e.episodes, TASKS);
  assert_int_equal(e.succeeded, 0); /* 40 steps are too few */
  assert_true(e.rate > 0);
  vlb_scenes_free(scenes, TASKS);
}

static int total(const vlb_random_report *r) {
  int n = 0;
  for (int i = 0; i <= VLB_EPISODE_NOT_RUN; i++) n += r->outcomes[i];
  return n;
}

static void random_actions(void **state) {
  fixture *f = *state;
  vlb_error err = {VLB_OK, ""};
  vlb_random_report one, two;
  vlb_context ctx = {f->log, 1, NULL};
  assert_int_equal(vlb_random_run(f->suite, PER_TASK, 7, &ctx, &one, &err), VLB_OK);
  ctx.threads = THREADS;
  assert_int_equal(vlb_random_run(f->suite, PER_TASK, 7, &ctx, &two, &err), VLB_OK);
  assert_memory_equal(one.outcomes, two.outcomes, sizeof one.outcomes);
  assert_int_equal(total(&one), TASKS * PER_TASK);
  assert_int_equal(one.outcomes[VLB_EPISODE_TIMEOUT], TASKS * PER_TASK);
  assert_int_equal(one.steps, TASKS * PER_TASK * 40);
  assert_int_equal(one.slipped, 0);
}

/* --- a family whose physics breaks --- */

static vlb_family broken;
static int mute; /* whether it keeps the trouble to itself */

/* After 20 steps a wild velocity, which MuJoCo notices, or numbers that are none, which only the policy can see. */
static vlb_code break_down(vlb_world *w, const double *action, vlb_error *err) {
  (void)action;
  (void)err;
  if (w->data->time < 1.2) return vlb_tabletop_family.step(w, action, err);
  if (mute) {
    for (int i = 0; i < 3; i++) w->data->site_xpos[3 * w->scene->eef_site + i] = NAN;
    return VLB_OK;
  }
  w->data->qvel[0] = 1e12;
  return vlb_tabletop_family.step(w, action, err);
}

static void instability_is_reported(void **state) {
  fixture *f = *state;
  vlb_error err = {VLB_OK, ""};
  vlb_random_report r;
  vlb_context ctx = {f->log, 1, NULL};
  const vlb_family *kept = f->suite->family;
  broken = *kept;
  broken.step = break_down;
  f->suite->family = &broken;
  mute = 0;
  assert_int_equal(vlb_random_run(f->suite, 1, 7, &ctx, &r, &err), VLB_OK);
  assert_int_equal(r.outcomes[VLB_EPISODE_SIM_ERROR], TASKS);
  assert_int_equal(r.slipped, 0);
  mute = 1;
  assert_int_equal(vlb_random_run(f->suite, 1, 7, &ctx, &r, &err), VLB_OK);
  assert_int_equal(r.slipped, TASKS);
  f->suite->family = kept;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(measures), cmocka_unit_test(random_actions), cmocka_unit_test(instability_is_reported)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
