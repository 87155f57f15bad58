#include "experiments/wire/drive_replay.h"

#include <stdlib.h>

/* Chunks are asked for and answered; what is in them does not move a queue. */
static vlb_code answer_all(vlb_timeline *t, const float *zeros, int chunk, vlb_error *err) {
  for (int slot;;) {
    VLB_TRY(vlb_timeline_advance(t, &slot, err));
    if (slot < 0) return VLB_OK;
    vlb_timeline_answer(t, zeros, chunk);
  }
}

static vlb_code play(vlb_timeline *t, const vlb_control_shape *shape, const float *zeros, const vlb_drive_result *r, vlb_error *err) {
  vlb_timed_action action;
  vlb_timeline_start(t, 0, 0, r->episode, true);
  for (int k = 0; k < r->tick_count; k++) {
    const float *state = r->ticks[k].state;
    VLB_TRY(answer_all(t, zeros, shape->chunk, err));
    (void)vlb_timeline_look(t, VLB_LOOK_BEFORE, state);
    VLB_TRY(answer_all(t, zeros, shape->chunk, err));
    (void)vlb_timeline_act(t, &action);
    (void)vlb_timeline_look(t, VLB_LOOK_AFTER, state);
    VLB_TRY(vlb_timeline_step(t, err));
  }
  return VLB_OK;
}

static vlb_code replay_with(const vlb_control_config *config, const vlb_control_shape *shape, int rate, const vlb_latency *latency, bool at_mean,
                            vlb_drive_result *r, vlb_error *err) {
  vlb_drive_match *match = at_mean ? &r->at_mean : &r->replayed;
  vlb_timeline *t = NULL;
  float *zeros = calloc((size_t)shape->chunk * (size_t)shape->action_dim, sizeof *zeros);
  vlb_code code = zeros ? vlb_timeline_create(config, shape, rate, latency, &t, err) : vlb_fail(err, VLB_FAILED, "out of memory");
  if (!code) code = play(t, shape, zeros, r, err);
  int n = 0;
  const vlb_timeline_tick *trace = t ? vlb_timeline_trace(t, &n) : NULL;
  *match = (vlb_drive_match){0};
  for (int k = 0; !code && k < n; k++) {
    int difference = abs(trace[k].queue - r->ticks[k].queue);
    match->equal += !difference;
    if (difference > match->largest) match->largest = difference;
    *(at_mean ? &r->ticks[k].at_mean : &r->ticks[k].replayed) = trace[k].queue;
  }
  vlb_timeline_free(t);
  free(zeros);
  return code;
}

vlb_code vlb_drive_replay(const vlb_control_config *config, const vlb_control_shape *shape, int rate, vlb_drive_result *r, vlb_error *err) {
  double sum = 0, never = 3600; /* an answer that did not come before the end of the episode */
  vlb_latency each = {.model = VLB_LATENCY_REPLAYED, .measured = r->latencies ? r->latency : &never, .count = r->latencies ? r->latencies : 1};
  for (int i = 0; i < r->latencies; i++) sum += r->latency[i];
  vlb_latency mean = {.model = VLB_LATENCY_FIXED, .mean = r->latencies ? sum / r->latencies : never};
  VLB_TRY(replay_with(config, shape, rate, &each, false, r, err));
  return replay_with(config, shape, rate, &mean, true, r, err);
}
