/* Controllers and the server's inbox, tick by tick against traces written by hand from the specification (sections 18, 21.2 to 21.4) and Algorithm 1. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/rollout/inbox.h"

enum { CHUNK = 5 };

typedef struct {
  vlb_control_config config;
  vlb_controller *robot;
  vlb_inbox *server;
} bench;

static const float at_rest[VLB_MAX_STATE] = {0};

static void begin(bench *b, int control, double threshold) {
  vlb_error err;
  vlb_fields_default(vlb_control_fields, &b->config);
  b->config.control = control;
  b->config.threshold = threshold;
  const vlb_control_shape shape = {.chunk = CHUNK, .action_dim = 1, .state_dim = 2};
  assert_int_equal(vlb_controller_create(&b->config, &shape, &b->robot, &err), VLB_OK);
  assert_int_equal(vlb_inbox_create(&b->config, 2, &b->server, &err), VLB_OK);
  vlb_inbox_reset(b->server);
}

static void end(bench *b) {
  vlb_controller_free(b->robot);
  vlb_inbox_free(b->server);
}

/* Action number `timestep` executed at this tick; -1: none. */
static void expect_act(bench *b, int timestep) {
  vlb_timed_action a;
  bool acted = vlb_controller_act(b->robot, &a);
  assert_int_equal(acted, timestep >= 0);
  if (acted) assert_int_equal(a.timestep, timestep);
}

/* The look's request, with its timestep; -1: no look. */
static vlb_request expect_look(bench *b, vlb_look_when when, const float *state, int timestep, bool must_go) {
  vlb_request r = {.timestep = -1};
  bool looked = vlb_controller_look(b->robot, when, state, &r);
  assert_int_equal(looked, timestep >= 0);
  if (looked) {
    assert_int_equal(r.timestep, timestep);
    assert_int_equal(r.must_go, must_go);
  }
  return r;
}

static vlb_request after(bench *b, int timestep, bool must_go) { return expect_look(b, VLB_LOOK_AFTER, at_rest, timestep, must_go); }
static vlb_request before(bench *b, int timestep, bool must_go) { return expect_look(b, VLB_LOOK_BEFORE, at_rest, timestep, must_go); }

static bool offer(bench *b, const vlb_request *r, const float *state) {
  vlb_error err;
  bool accepted;
  assert_int_equal(vlb_inbox_offer(b->server, r, state, &accepted, NULL, &err), VLB_OK);
  return accepted;
}

static vlb_request take(bench *b) {
  vlb_request r;
  assert_true(vlb_inbox_take(b->server, &r));
  vlb_inbox_prepared(b->server);
  return r;
}

/* A chunk whose i-th action is `base` + i. */
static void answer(bench *b, const vlb_request *r, float base, int n) {
  float actions[CHUNK];
  for (int i = 0; i < CHUNK; i++) actions[i] = base + (float)i;
  vlb_controller_receive(b->robot, r, actions, n);
}

/* The queue as pairs of number and value, closed by -1. */
static void expect_queue(const bench *b, const double *pairs) {
  int n, i = 0;
  const vlb_timed_action *q = vlb_controller_queue(b->robot, &n);
  for (; pairs[2 * i] >= 0; i++) {
    assert_true(i < n);
    assert_int_equal(q[i].timestep, (int)pairs[2 * i]);
    assert_float_equal(q[i].value[0], (float)pairs[2 * i + 1], 1e-5f);
  }
  assert_int_equal(n, i);
}
#define QUEUE(b, ...) expect_queue(b, (const double[]){__VA_ARGS__, -1})

/* --- LeRobot --- */

static void lerobot_starts_with_two_looks_at_timestep_0(void **state) {
  (void)state;
  bench b;
  begin(&b, VLB_CONTROL_LEROBOT, 0.5);
  before(&b, -1, false);
  expect_act(&b, -1);
  vlb_request first = after(&b, 0, true); /* the event is set at first, and clear from here on */
  assert_true(offer(&b, &first, at_rest));
  vlb_request taken;
  assert_true(vlb_inbox_take(b.server, &taken)); /* predicted = {0}; nothing was processed yet */
  expect_act(&b, -1);
  vlb_request second = after(&b, 0, false);
  assert_true(offer(&b, &second, at_rest)); /* last_processed is None: timestep 0 will be predicted twice */
  vlb_inbox_prepared(b.server);
  expect_act(&b, -1);
  vlb_request third = after(&b, 0, false);
  assert_false(offer(&b, &third, at_rest));
  assert_int_equal(vlb_inbox_counts_of(b.server)->predicted, 1);
  assert_int_equal(take(&b).timestep, 0);
  end(&b);
}

/* The first chunk's own first action is executed: latest_action is -1. Of the next ones the first is always dropped, and with an answer after m = 1 ticks
 * execution goes on with index m + 1 = 2. */
static void lerobot_drops_what_was_executed_and_weights_the_rest(void **state) {
  (void)state;
  bench b;
  begin(&b, VLB_CONTROL_LEROBOT, 0.5);
  expect_act(&b, -1);
  vlb_request r = after(&b, 0, true);
  answer(&b, &r, 10, CHUNK);
  QUEUE(&b, 0, 10, 1, 11, 2, 12, 3, 13, 4, 14);
  expect_act(&b, 0), after(&b, -1, false); /* 4/5 */
  expect_act(&b, 1), after(&b, -1, false); /* 3/5 */
  expect_act(&b, 2);
  r = after(&b, 2, false); /* 2/5 <= 1/2, stamped with the action just sent */
  expect_act(&b, 3);
  after(&b, 3, false); /* and at every tick until the chunk is there */
  answer(&b, &r, 20, CHUNK);
  /* 20 (number 2) and 21 (number 3) are late; 0.3 x 14 + 0.7 x 22 */
  QUEUE(&b, 4, 19.6, 5, 23, 6, 24);
  assert_int_equal(vlb_controller_counts(b.robot)->late, 2);
  expect_act(&b, 4);
  end(&b);
}

static void lerobot_loses_what_the_chunk_does_not_cover(void **state) {
  (void)state;
  bench b;
  begin(&b, VLB_CONTROL_LEROBOT, 1);
  expect_act(&b, -1);
  vlb_request r = after(&b, 0, true);
  answer(&b, &r, 10, CHUNK);
  expect_act(&b, 0);
  r = after(&b, 0, false);
  answer(&b, &r, 20, 3); /* numbers 0, 1, 2: 3 and 4 of the old chunk are gone */
  QUEUE(&b, 1, 0.3 * 11 + 0.7 * 21, 2, 0.3 * 12 + 0.7 * 22);
  end(&b);
}

static void lerobot_stalls_when_the_must_go_inference_fails(void **state) {
  (void)state;
  bench b;
  begin(&b, VLB_CONTROL_LEROBOT, 0);
  expect_act(&b, -1);
  vlb_request r = after(&b, 0, true);
  assert_true(offer(&b, &r, at_rest));
  r = take(&b);
  answer(&b, &r, 10, CHUNK); /* the chunk sets the event */
  for (int i = 0; i < CHUNK - 1; i++) expect_act(&b, i), after(&b, -1, false);
  expect_act(&b, 4);
  r = after(&b, 4, true); /* 0/5 <= 0, the queue is dry: exactly one must_go */
  assert_true(offer(&b, &r, at_rest));
  r = take(&b);
  answer(&b, &r, 0, 0); /* the server raised: no data, the event stays clear */
  for (int i = 0; i < 200; i++) {
    expect_act(&b, -1);
    r = after(&b, 4, false);
    assert_false(offer(&b, &r, (const float[]){100.f * (float)i, 0})); /* however far the robot is moved: 4 was predicted */
  }
  assert_int_equal(vlb_controller_counts(b.robot)->idle, 200);
  assert_int_equal(vlb_controller_counts(b.robot)->starvations, 1);
  end(&b);
}

static void lerobot_filters_at_the_server(void **state) {
  (void)state;
  bench b;
  begin(&b, VLB_CONTROL_LEROBOT, 1);
  b.config.similarity = 1;
  vlb_inbox_free(b.server);
  vlb_error err;
  assert_int_equal(vlb_inbox_create(&b.config, 2, &b.server, &err), VLB_OK);
  vlb_request r = {.timestep = 0, .must_go = true};
  assert_true(offer(&b, &r, (const float[]){3, 0}));
  take(&b);
  r = (vlb_request){.timestep = 1};
  assert_false(offer(&b, &r, (const float[]){3, 0.99f})); /* strictly nearer than 1 */
  assert_true(offer(&b, &r, (const float[]){3, 1}));
  assert_true(offer(&b, &(vlb_request){.timestep = 2}, (const float[]){4, 1})); /* the newest wins; compared with the last one processed */
  assert_int_equal(take(&b).timestep, 2);
  assert_false(vlb_inbox_waits(b.server));
  assert_true(offer(&b, &(vlb_request){.timestep = 2, .must_go = true}, (const float[]){4, 1}));
  vlb_inbox_ready(b.server); /* forgets 2 and what waits, not the state */
  assert_false(vlb_inbox_waits(b.server));
  assert_false(offer(&b, &(vlb_request){.timestep = 2}, (const float[]){4, 1}));
  assert_true(offer(&b, &(vlb_request){.timestep = 2}, (const float[]){5, 1}));
  const vlb_inbox_counts *n = vlb_inbox_counts_of(b.server);
  assert_int_equal(n->similar, 2);
  assert_int_equal(n->replaced, 1);
  end(&b);
}

/* --- Algorithm 1 --- */

static void paper_looks_below_the_threshold_one_at_a_time(void **state) {
  (void)state;
  bench b;
  begin(&b, VLB_CONTROL_PAPER, 0.4);
  vlb_request r = before(&b, 0, true);
  expect_act(&b, -1);
  before(&b, -1, false); /* an answer is due */
  answer(&b, &r, 10, CHUNK);
  for (int i = 0; i < 3; i++) before(&b, -1, false), expect_act(&b, i), after(&b, -1, false);
  before(&b, -1, false); /* 2/5 < 0.4 does not hold, where <= would */
  expect_act(&b, 3);
  r = before(&b, 4, false);
  expect_act(&b, 4);
  expect_act(&b, -1);
  answer(&b, &r, 20, CHUNK); /* number 4 is late */
  QUEUE(&b, 5, 21, 6, 22, 7, 23, 8, 24);
  expect_act(&b, 5);
  const vlb_control_counts *n = vlb_controller_counts(b.robot);
  assert_int_equal(n->waited, 1);
  assert_int_equal(n->idle, 1);
  assert_int_equal(n->executed, 6);
  assert_int_equal(n->age_max, 5); /* numbers 0 to 4, looked for at tick 0, executed at ticks 1 to 5; number 5 at tick 7, looked for at 5 */
  assert_int_equal(n->age_sum, 1 + 2 + 3 + 4 + 5 + 2);
  end(&b);
}

static void paper_filters_at_the_robot_unless_the_queue_is_empty(void **state) {
  (void)state;
  bench b;
  begin(&b, VLB_CONTROL_PAPER, 1);
  b.config.similarity = 1;
  vlb_controller_free(b.robot);
  vlb_error err;
  const vlb_control_shape shape = {.chunk = CHUNK, .action_dim = 1, .state_dim = 2};
  assert_int_equal(vlb_controller_create(&b.config, &shape, &b.robot, &err), VLB_OK);
  vlb_request r = before(&b, 0, true);
  answer(&b, &r, 10, CHUNK);
  expect_act(&b, 0);
  before(&b, -1, false); /* 4/5 < 1, but nothing moved */
  expect_act(&b, 1);
  r = expect_look(&b, VLB_LOOK_BEFORE, (const float[]){0, 1}, 2, false);
  answer(&b, &r, 20, 1);
  QUEUE(&b, 2, 0.3 * 12 + 0.7 * 20, 3, 13, 4, 14); /* what the chunk does not cover is kept */
  expect_act(&b, 2), expect_act(&b, 3), expect_act(&b, 4);
  expect_look(&b, VLB_LOOK_BEFORE, (const float[]){0, 1}, 5, true); /* forced */
  assert_int_equal(vlb_controller_counts(b.robot)->filtered, 1);
  end(&b);
}

static void with_g_0_an_empty_queue_still_looks(void **state) {
  (void)state;
  bench b;
  begin(&b, VLB_CONTROL_PAPER, 0);
  vlb_request r = before(&b, 0, true);
  answer(&b, &r, 0, CHUNK);
  for (int i = 0; i < CHUNK; i++) before(&b, -1, false), expect_act(&b, i);
  before(&b, 5, true);
  end(&b);
}

static void aligned_to_arrival_nothing_is_late(void **state) {
  (void)state;
  bench b;
  begin(&b, VLB_CONTROL_PAPER, 1);
  b.config.align = VLB_ALIGN_ARRIVAL;
  vlb_controller_free(b.robot);
  vlb_error err;
  const vlb_control_shape shape = {.chunk = CHUNK, .action_dim = 1, .state_dim = 2};
  assert_int_equal(vlb_controller_create(&b.config, &shape, &b.robot, &err), VLB_OK);
  vlb_request r = before(&b, 0, true);
  answer(&b, &r, 10, CHUNK);
  expect_act(&b, 0);
  r = before(&b, 1, false);
  expect_act(&b, 1), expect_act(&b, 2);
  answer(&b, &r, 20, CHUNK);
  QUEUE(&b, 3, 0.3 * 13 + 0.7 * 20, 4, 0.3 * 14 + 0.7 * 21, 5, 22, 6, 23, 7, 24);
  end(&b);
}

static void aggregation_weights(void **state) {
  (void)state;
  static const float want[][2] = {{0.3f, 0.7f}, {0, 1}, {0.5f, 0.5f}, {0.7f, 0.3f}};
  for (int f = 0; f < 4; f++) {
    vlb_merge_rule rule = vlb_merge_rule_of(f, false);
    assert_true(rule.old_weight == want[f][0] && rule.new_weight == want[f][1]);
  }
}

/* --- waiting, and real-time chunking --- */

static void sync_runs_dry_and_waits(void **state) {
  (void)state;
  bench b;
  begin(&b, VLB_CONTROL_SYNC, 0.5);
  vlb_request r = before(&b, 0, true);
  expect_act(&b, -1);
  answer(&b, &r, 10, CHUNK);
  for (int i = 0; i < CHUNK; i++) before(&b, -1, false), expect_act(&b, i), after(&b, -1, false);
  r = before(&b, 5, true);
  expect_act(&b, -1), expect_act(&b, -1);
  before(&b, -1, false);
  answer(&b, &r, 0, 0); /* it failed: asked again */
  r = before(&b, 5, true);
  answer(&b, &r, 20, CHUNK);
  expect_act(&b, 5);
  const vlb_control_counts *n = vlb_controller_counts(b.robot);
  assert_int_equal(n->idle, 2);
  assert_int_equal(n->starvations, 1);
  assert_int_equal(n->lost, 1);
  assert_int_equal(n->sent, 3);
  end(&b);
}

/* A chunk replaces the queue but for as many actions as ticks went by, and the next request tells the longest such delay. */
static void rtc_replaces_by_time(void **state) {
  (void)state;
  bench b;
  begin(&b, VLB_CONTROL_RTC, 0.6);
  vlb_request r = before(&b, 0, true);
  assert_int_equal(r.delay, 0);
  expect_act(&b, -1), expect_act(&b, -1);
  answer(&b, &r, 10, CHUNK); /* two ticks: 10 and 11 are over, although nothing moved */
  QUEUE(&b, 0, 12, 1, 13, 2, 14);
  r = before(&b, 0, false); /* 3/5 <= 0.6 */
  assert_int_equal(r.delay, 2);
  expect_act(&b, 0);
  before(&b, -1, false);
  answer(&b, &r, 20, CHUNK);
  QUEUE(&b, 1, 21, 2, 22, 3, 23, 4, 24);
  expect_act(&b, 1);
  r = before(&b, 2, false);
  for (int i = 2; i <= 4; i++) expect_act(&b, i);
  for (int i = 0; i < 4; i++) expect_act(&b, -1);
  answer(&b, &r, 30, CHUNK); /* seven ticks: all of it is over */
  QUEUE(&b, -1);
  assert_int_equal(before(&b, 5, true).delay, 7);
  end(&b);
}

/* --- keys --- */

static void keys_that_are_not_used_do_not_count(void **state) {
  (void)state;
  vlb_control_config a, b;
  memset(&a, 0, sizeof a), memset(&b, 0, sizeof b);
  vlb_fields_default(vlb_control_fields, &a), vlb_fields_default(vlb_control_fields, &b);
  assert_true(vlb_control_is_plain(&a));
  b.threshold = 0.9, b.aggregate = VLB_AGGREGATE_LATEST, b.similarity = 3, b.rtc_horizon = 7, b.latency_spread = 1, b.align = VLB_ALIGN_ARRIVAL;
  vlb_control_resolve(&b);
  assert_memory_equal(&a, &b, sizeof a);
  b.control = VLB_CONTROL_RTC, b.threshold = 0.9;
  vlb_control_resolve(&b);
  assert_true(fabs(b.threshold - 0.9) < 1e-12);
  assert_false(vlb_control_is_plain(&b));
  vlb_error err;
  b.latency_model = VLB_LATENCY_MEASURED;
  assert_int_equal(vlb_control_check(&b, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "latency_file"));
  b.latency_model = VLB_LATENCY_GAMMA;
  assert_int_equal(vlb_control_check(&b, &err), VLB_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lerobot_starts_with_two_looks_at_timestep_0),
      cmocka_unit_test(lerobot_drops_what_was_executed_and_weights_the_rest),
      cmocka_unit_test(lerobot_loses_what_the_chunk_does_not_cover),
      cmocka_unit_test(lerobot_stalls_when_the_must_go_inference_fails),
      cmocka_unit_test(lerobot_filters_at_the_server),
      cmocka_unit_test(paper_looks_below_the_threshold_one_at_a_time),
      cmocka_unit_test(paper_filters_at_the_robot_unless_the_queue_is_empty),
      cmocka_unit_test(with_g_0_an_empty_queue_still_looks),
      cmocka_unit_test(aligned_to_arrival_nothing_is_late),
      cmocka_unit_test(aggregation_weights),
      cmocka_unit_test(sync_runs_dry_and_waits),
      cmocka_unit_test(rtc_replaces_by_time),
      cmocka_unit_test(keys_that_are_not_used_do_not_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
