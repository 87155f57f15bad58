/* The closed forms that the plots show are those of the virtual clock. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiments/report/clock.h"

enum { CHUNK = 50, RATE = 30, TICKS = 6000 };

/* Share of ticks without an action after the first, of a robot under this control. */
static double play(const vlb_control_config *config) {
  static const float actions[CHUNK] = {0}, state[1] = {0};
  const vlb_control_shape shape = {.chunk = CHUNK, .action_dim = 1, .state_dim = 1};
  vlb_latency latency;
  vlb_timeline *t;
  vlb_timed_action action;
  vlb_error err;
  assert_int_equal(vlb_latency_open(config, &latency, &err), VLB_OK);
  assert_int_equal(vlb_timeline_create(config, &shape, RATE, &latency, &t, &err), VLB_OK);
  vlb_timeline_start(t, 1, 0, 0, false);
  for (int i = 0, slot; i < TICKS; i++) {
    for (int half = 0; half < 2; half++) {
      while (vlb_timeline_advance(t, &slot, &err), slot >= 0) vlb_timeline_answer(t, actions, CHUNK);
      if (!half) (void)vlb_timeline_look(t, VLB_LOOK_BEFORE, state);
    }
    (void)vlb_timeline_act(t, &action);
    assert_int_equal(vlb_timeline_step(t, &err), VLB_OK);
  }
  vlb_control_counts n = vlb_timeline_finish(t).robot;
  vlb_timeline_free(t);
  vlb_latency_close(&latency);
  return (double)n.idle / (n.ticks - n.waited);
}

static void idle_shares(void **state) {
  (void)state;
  vlb_control_config c;
  int compared = 0;
  vlb_fields_default(vlb_control_fields, &c);
  for (int control = VLB_CONTROL_SYNC; control <= VLB_CONTROL_PAPER; control++)
    for (int align = VLB_ALIGN_OBSERVED; align <= VLB_ALIGN_ARRIVAL; align++)
      for (int g = 0; g <= 10; g++)
        for (int l = 1; l < 90; l += 4) {
          c.control = control, c.align = align, c.threshold = g / 10.0, c.latency = (double)l / RATE;
          double closed = vlb_clock_idle_share(&c, c.threshold, c.latency, (double)CHUNK / RATE);
          /* the longest cycle, a chunk and an answer, counts two ticks of rounding: the arrival's and that of `<` */
          assert_true(fabs(play(&c) - closed) <= 2.0 / fmax(l, CHUNK / 2));
          compared++;
        }
  assert_true(compared > 900);
  c.control = VLB_CONTROL_LEROBOT;
  assert_true(isnan(vlb_clock_idle_share(&c, 0.5, 0.1, 1)));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(idle_shares)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
