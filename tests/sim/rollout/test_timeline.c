/* The virtual clock against closed forms: waiting per chunk, period of the looks, the bound below which the queue runs dry; and the latency models. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "sim/rollout/timeline.h"

enum { CHUNK = 50, RATE = 30, TICKS = 3000 };

typedef struct {
  vlb_control_config config;
  vlb_timeline_record record;
  vlb_timeline_tick trace[TICKS];
  int ticks;
} play;

static void defaults(play *p, int control, double g, double latency) {
  vlb_fields_default(vlb_control_fields, &p->config);
  p->config.control = control;
  p->config.threshold = g;
  p->config.latency = latency;
}

/* An episode of TICKS ticks of a robot whose state moves by `speed` a tick, under a policy that answers with zeros. */
static void run(play *p, float speed) {
  static const float actions[CHUNK] = {0};
  const vlb_control_shape shape = {.chunk = CHUNK, .action_dim = 1, .state_dim = 1};
  vlb_latency latency;
  vlb_timeline *t;
  vlb_timed_action action;
  vlb_error err;
  assert_int_equal(vlb_latency_open(&p->config, &latency, &err), VLB_OK);
  assert_int_equal(vlb_timeline_create(&p->config, &shape, RATE, &latency, &t, &err), VLB_OK);
  vlb_timeline_start(t, 7, 0, 0, true);
  for (int i = 0, slot; i < TICKS; i++) {
    float state = speed * (float)i;
    while (vlb_timeline_advance(t, &slot, &err), slot >= 0) vlb_timeline_answer(t, actions, CHUNK);
    (void)vlb_timeline_look(t, VLB_LOOK_BEFORE, &state);
    while (vlb_timeline_advance(t, &slot, &err), slot >= 0) vlb_timeline_answer(t, actions, CHUNK);
    (void)vlb_timeline_act(t, &action);
    (void)vlb_timeline_look(t, VLB_LOOK_AFTER, &state);
    assert_int_equal(vlb_timeline_step(t, &err), VLB_OK);
  }
  p->record = vlb_timeline_finish(t);
  const vlb_timeline_tick *trace = vlb_timeline_trace(t, &p->ticks);
  assert_int_equal(p->ticks, TICKS);
  memcpy(p->trace, trace, sizeof p->trace);
  vlb_timeline_free(t);
  vlb_latency_close(&latency);
}

/* Ticks between the n-th look and the last, by their number, from tick `from` on. */
static double mean_period(const play *p, int from) {
  int first = -1, last = -1, n = 0;
  for (int i = from; i < p->ticks; i++) {
    if (!p->trace[i].sent) continue;
    if (first < 0) first = i;
    last = i;
    n++;
  }
  return n > 1 ? (double)(last - first) / (n - 1) : NAN;
}

/* Mean length of the waits that ended, but for the first: that one is for the first chunk. */
static double idle_per_chunk(const play *p) {
  int waits = 0, ticks = 0, here = 0;
  bool began = false;
  for (int i = 0; i < p->ticks; i++) {
    here += began && !p->trace[i].acted;
    if (!p->trace[i].acted) continue;
    waits += here > 0;
    ticks += here;
    here = 0;
    began = true;
  }
  return (double)ticks / waits;
}

static const double latencies[] = {0.01, 0.1, 0.25, 0.31, 0.7, 1.0, 1.9};
enum { LATENCIES = sizeof latencies / sizeof *latencies };

/* g = 0: the queue is drained, then the robot waits for the latency; the whole takes n ticks more. */
static void waits_for_the_latency_at_g_0(void **state) {
  (void)state;
  static const int controls[] = {VLB_CONTROL_SYNC, VLB_CONTROL_PAPER, VLB_CONTROL_LEROBOT, VLB_CONTROL_RTC};
  play p;
  for (int c = 0; c < 4; c++)
    for (int i = 0; i < LATENCIES; i++) {
      double l = latencies[i] * RATE;
      if (controls[c] == VLB_CONTROL_RTC && l >= CHUNK) continue; /* nothing of a chunk would be left */
      defaults(&p, controls[c], 0, latencies[i]);
      run(&p, 1);
      if (controls[c] == VLB_CONTROL_LEROBOT && l <= 1) assert_int_equal(p.record.robot.idle, 0); /* it looks right after its last action */
      else assert_true(fabs(idle_per_chunk(&p) - l) <= 1);
      if (controls[c] == VLB_CONTROL_SYNC) {
        assert_true(fabs(mean_period(&p, 0) - (CHUNK + l)) <= 1);
        assert_int_equal(p.record.robot.late, 0);
        assert_true(fabs(p.record.busy / p.record.seconds - l / (CHUNK + ceil(l))) < 0.02);
      }
    }
}

/* With a chunk that begins when it arrives, the paper's own count: a look every (1 - g) n dt + latency. In whole ticks: the arrival waits for the next
 * tick, and `<` for one more action. */
static void looks_as_often_as_the_paper_says(void **state) {
  (void)state;
  play p;
  for (int k = 1; k <= 10; k++)
    for (int i = 0; i < LATENCIES; i++) {
      double g = k / 10.0, l = latencies[i] * RATE;
      if (l >= g * CHUNK - 1) continue; /* it would run dry */
      defaults(&p, VLB_CONTROL_PAPER, g, latencies[i]);
      p.config.align = VLB_ALIGN_ARRIVAL;
      run(&p, 1);
      assert_true(fabs(mean_period(&p, 1) - (CHUNK - k * CHUNK / 10 + 1 + ceil(l - 1e-6))) < 1e-9);
      if (fabs(l - round(l)) < 1e-6) assert_true(fabs(mean_period(&p, 1) - ((1 - g) * CHUNK + l)) <= 1 + 1e-9);
    }
}

/* With actions that keep their own ticks, what passed meanwhile is dropped: a look every (1 - g) n dt, or every latency when that is longer. */
static void looks_as_often_as_actions_with_ticks_allow(void **state) {
  (void)state;
  play p;
  for (int k = 1; k <= 10; k++)
    for (int i = 0; i < LATENCIES; i++) {
      double g = k / 10.0, l = latencies[i] * RATE;
      if (l >= fmin(g, 0.5) * CHUNK - 1) continue;
      defaults(&p, VLB_CONTROL_PAPER, g, latencies[i]);
      run(&p, 1);
      assert_true(fabs(mean_period(&p, 2 * CHUNK) - fmax((1 - g) * CHUNK, l)) <= 1 + 1e-9);
    }
}

/* g >= latency / (n dt): no tick without an action. Below: some. Where actions keep their ticks the paper's bound is not the whole truth: of a chunk that
 * took l, n dt - l is left, which must last until the next one is there, so latency <= n dt / 2 is needed as well. */
static void runs_dry_below_the_bound_only(void **state) {
  (void)state;
  static const struct {
    int control, align;
  } robots[] = {{VLB_CONTROL_PAPER, VLB_ALIGN_ARRIVAL}, {VLB_CONTROL_PAPER, VLB_ALIGN_OBSERVED}, {VLB_CONTROL_LEROBOT, 0}, {VLB_CONTROL_RTC, 0}};
  play p;
  int dry = 0, full = 0;
  for (int c = 0; c < 4; c++)
    for (double l = 0.5; l < CHUNK; l += 2.25)
      for (double g = 0.02; g < 1; g += 0.07) {
        double margin = (c ? fmin(g, 0.5) : g) * CHUNK - l;
        if (fabs(margin) <= 1) continue; /* within one tick */
        defaults(&p, robots[c].control, g, l / RATE);
        p.config.align = robots[c].align;
        run(&p, 1);
        assert_int_equal(p.record.robot.idle > 0, margin < 0);
        margin < 0 ? dry++ : full++;
      }
  assert_true(dry > 200 && full > 200);
}

static void delays_of_the_network_add_up(void **state) {
  (void)state;
  play p, q;
  defaults(&p, VLB_CONTROL_SYNC, 0, 0.3);
  run(&p, 1);
  defaults(&q, VLB_CONTROL_SYNC, 0, 0.1);
  q.config.uplink = 0.15, q.config.downlink = 0.05;
  run(&q, 1);
  for (int i = 0; i < TICKS; i++) {
    assert_int_equal(p.trace[i].acted, q.trace[i].acted);
    assert_int_equal(p.trace[i].sent, q.trace[i].sent);
    assert_int_equal(p.trace[i].queue, q.trace[i].queue);
  }
  assert_true(fabs(q.record.busy * 3 - p.record.busy) < 0.3);
  /* LeRobot's loop stands still until the server has confirmed: 9 ticks after every look, the robot holding */
  defaults(&q, VLB_CONTROL_LEROBOT, 0.5, 0.01);
  q.config.uplink = 0.15, q.config.downlink = 0.15;
  run(&q, 1);
  for (int i = 40; i + 9 < TICKS; i++)
    for (int k = 1; q.trace[i].sent && k < 9; k++) assert_false(q.trace[i + k].acted || q.trace[i + k].sent);
  assert_true(q.record.robot.sent > 10 && q.record.robot.idle >= 8 * (q.record.robot.sent - 6));
}

/* Controlling every second step, the same seconds are half as many ticks. */
static void a_slower_control_loop(void **state) {
  (void)state;
  play p;
  defaults(&p, VLB_CONTROL_SYNC, 0, 1);
  p.config.control_every = 2;
  run(&p, 1);
  assert_true(fabs(idle_per_chunk(&p) - 15) <= 1);
  assert_true(fabs(p.record.seconds - TICKS / 15.0) < 1e-6);
}

/* g = 1 of LeRobot: a look at every tick, one chunk after the other, so the policy never rests; of those that pass the timestep rule all but the newest are thrown away. */
static void lerobot_at_g_1(void **state) {
  (void)state;
  play p;
  defaults(&p, VLB_CONTROL_LEROBOT, 1, 0.2);
  run(&p, 1);
  assert_int_equal(p.record.robot.sent, TICKS);
  assert_true(p.record.busy / p.record.seconds > 0.98);
  assert_int_equal(p.record.robot.idle, 0);
  const vlb_inbox_counts *n = &p.record.server;
  assert_true(n->replaced > 4 * p.record.inferences);
  assert_int_equal(n->offered, n->accepted + n->predicted + n->similar);
  /* an inference of less than a tick is answered after one: the server sleeps (21.2) */
  defaults(&p, VLB_CONTROL_LEROBOT, 1, 0.001);
  run(&p, 1);
  assert_true(p.record.inferences <= TICKS && p.record.inferences > TICKS / 2 - 2);
}

/* A robot that does not move is asked about again only when it has nothing left to do. */
static void the_filter_saves_looks_of_a_robot_at_rest(void **state) {
  (void)state;
  static const int controls[] = {VLB_CONTROL_PAPER, VLB_CONTROL_LEROBOT};
  play moving, still;
  for (int c = 0; c < 2; c++) {
    defaults(&moving, controls[c], 0.7, 0.2);
    moving.config.similarity = 0.5;
    still = moving;
    run(&moving, 1);
    run(&still, 0);
    assert_true(still.record.inferences < moving.record.inferences / 2);
    assert_int_equal(moving.record.robot.idle, 0);
    assert_true(still.record.robot.starvations > TICKS / (CHUNK + 8) - 3);
    for (int i = 60; i < TICKS; i++)
      if (still.trace[i].accepted) assert_true(still.trace[i].queue <= 1);
  }
}

static void the_same_key_draws_the_same_times(void **state) {
  (void)state;
  play p, q;
  defaults(&p, VLB_CONTROL_PAPER, 0.5, 0.5);
  p.config.latency_model = VLB_LATENCY_LOGNORMAL;
  q = p;
  run(&p, 1);
  run(&q, 1);
  assert_memory_equal(p.trace, q.trace, sizeof p.trace);
}

/* --- latency models --- */

static void means_and_spreads_of_the_distributions(void **state) {
  (void)state;
  static const int models[] = {VLB_LATENCY_LOGNORMAL, VLB_LATENCY_GAMMA};
  enum { N = 20000 };
  for (int m = 0; m < 2; m++) {
    vlb_latency l = {.model = models[m], .mean = 0.4, .spread = 0.5};
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
      double x = 1e-9 * (double)vlb_latency_draw(&l, 3, 1, 2, i);
      assert_true(x > 0);
      sum += x, squares += x * x;
    }
    double mean = sum / N, sd = sqrt(squares / N - mean * mean);
    assert_true(fabs(mean - 0.4) < 4 * 0.2 / sqrt(N));
    assert_true(fabs(sd - 0.2) < 0.01);
  }
}

static void measured_times(void **state) {
  (void)state;
  static const char list[] = "[{\"bench\": \"infer\", \"stage\": \"vision\"}, {\"bench\": \"infer\", \"chunk_seconds\": [0.1, 0.2, 0.6]}]";
  vlb_control_config c;
  vlb_latency l;
  vlb_error err;
  char digest[VLB_HASH_SIZE], other[VLB_HASH_SIZE];
  vlb_fields_default(vlb_control_fields, &c);
  c.latency_model = VLB_LATENCY_MEASURED;
  strcpy(c.latency_file.s, "times.json");
  assert_int_equal(vlb_latency_open(&c, &l, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "times.json"));
  assert_int_equal(vlb_file_write("times.json", list, strlen(list), &err), VLB_OK);
  assert_int_equal(vlb_latency_open(&c, &l, &err), VLB_OK);
  int seen[3] = {0};
  for (int i = 0; i < 3000; i++) {
    int64_t ns = vlb_latency_draw(&l, 1, 0, 0, i);
    int k = ns == 100000000 ? 0 : ns == 200000000 ? 1 : 2;
    if (k == 2) assert_int_equal(ns, 600000000);
    seen[k]++;
  }
  for (int k = 0; k < 3; k++) assert_true(seen[k] > 900 && seen[k] < 1100);
  vlb_latency_close(&l);
  assert_int_equal(vlb_latency_digest(&c, digest, &err), VLB_OK);
  c.latency = 0.6; /* scaled to this mean */
  assert_int_equal(vlb_latency_open(&c, &l, &err), VLB_OK);
  assert_true(fabs(l.measured[0] - 0.2) < 1e-12 && fabs(l.mean - 0.6) < 1e-12);
  vlb_latency_close(&l);
  assert_int_equal(vlb_latency_digest(&c, other, &err), VLB_OK);
  assert_string_not_equal(digest, other);
  static const char *const bad[] = {"[1]", "{\"chunk_seconds\": []}", "{\"chunk_seconds\": [0.1, \"x\"]}", "{\"chunk_seconds\": [0.1, -1]}", "{"};
  for (int i = 0; i < 5; i++) {
    assert_int_equal(vlb_file_write("times.json", bad[i], strlen(bad[i]), &err), VLB_OK);
    assert_int_equal(vlb_latency_open(&c, &l, &err), VLB_USAGE);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(waits_for_the_latency_at_g_0),
      cmocka_unit_test(looks_as_often_as_the_paper_says),
      cmocka_unit_test(looks_as_often_as_actions_with_ticks_allow),
      cmocka_unit_test(runs_dry_below_the_bound_only),
      cmocka_unit_test(delays_of_the_network_add_up),
      cmocka_unit_test(a_slower_control_loop),
      cmocka_unit_test(lerobot_at_g_1),
      cmocka_unit_test(the_filter_saves_looks_of_a_robot_at_rest),
      cmocka_unit_test(the_same_key_draws_the_same_times),
      cmocka_unit_test(means_and_spreads_of_the_distributions),
      cmocka_unit_test(measured_times),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
