/* One robot, its network and its policy in virtual time: who knows what when, and how long it takes. Time moves by control ticks and by the delays of
 * the latency model; nothing reads a clock. Knows neither simulator nor model: whoever drives it looks, computes and acts.
 *
 * A tick:   answer_all;  slot = look(BEFORE);  answer_all;  act;  look(AFTER);  step        with
 * answer_all:  while (vlb_timeline_advance(t, &slot), slot >= 0) vlb_timeline_answer(t, chunk of the observation in slot, n);
 *
 * An observation travels `uplink`, waits until the policy is free, is computed with a drawn latency, and its chunk travels `downlink`; it counts
 * from the first tick at or after its arrival. LeRobot's client (specification 21.3) waits for the server to confirm an observation before its next tick
 * (uplink and downlink), and its server (21.2) answers a call no faster than one control tick after it came, and is not called again before the last
 * answer has arrived and the call has travelled. */
#ifndef VLB_SIM_TIMELINE_H
#define VLB_SIM_TIMELINE_H

#include "sim/rollout/inbox.h"
#include "sim/rollout/latency.h"

enum { VLB_TIMELINE_SLOTS = 3 }; /* observations that may be under way: one travels, one waits, one is computed */

/* What stays of an episode beside the controller's counts. */
typedef struct {
  vlb_control_counts robot;
  vlb_inbox_counts server;
  int inferences;
  double busy;   /* seconds in which the policy computed */
  double seconds; /* virtual time of the whole episode */
} vlb_timeline_record;

/* A tick of a trace. */
typedef struct {
  int tick, queue; /* actions waiting when the tick began, arrivals of this tick included */
  bool acted, sent, must_go, accepted, arrived;
} vlb_timeline_tick;

typedef struct vlb_timeline vlb_timeline;

/* ticks_per_second: of the control loop (a rational number: rate / every). latency must outlive it. */
vlb_code vlb_timeline_create(const vlb_control_config *config, const vlb_control_shape *shape, int rate, const vlb_latency *latency,
                             vlb_timeline **timeline, vlb_error *err);
void vlb_timeline_free(vlb_timeline *t);

/* A new episode; the key of its latencies. traced: ticks are written down. */
void vlb_timeline_start(vlb_timeline *t, uint64_t seed, int task, int episode, bool traced);

/* Plays what happens up to the present tick. *slot: of an observation whose chunk must be computed now, or -1: nothing more. Errors: VLB_FAILED without memory. */
vlb_code vlb_timeline_advance(vlb_timeline *t, int *slot, vlb_error *err);
/* actions [n,action_dim]; n = 0: the policy failed. Follows every slot of advance. */
void vlb_timeline_answer(vlb_timeline *t, const float *actions, int n);
int vlb_timeline_inference(const vlb_timeline *t); /* number of the inference that advance asked for, from 0: key of its noise */
int vlb_timeline_delay(const vlb_timeline *t); /* rtc: vlb_request.delay of the look that was made last */

/* The slot in which to put an observation of this moment; -1: none is wanted. state [state_dim]. */
int vlb_timeline_look(vlb_timeline *t, vlb_look_when when, const float *state);

/* The action of this tick; false: hold. */
bool vlb_timeline_act(vlb_timeline *t, vlb_timed_action *action);
vlb_code vlb_timeline_step(vlb_timeline *t, vlb_error *err); /* the tick is over */

const vlb_timed_action *vlb_timeline_queue(const vlb_timeline *t, int *size);
int64_t vlb_timeline_now(const vlb_timeline *t); /* nanoseconds */
vlb_timeline_record vlb_timeline_finish(const vlb_timeline *t);
const vlb_timeline_tick *vlb_timeline_trace(const vlb_timeline *t, int *ticks);

#endif
