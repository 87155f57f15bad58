/* A robot in real time: the simulator steps by the clock while a policy somewhere else thinks. The controllers are those of the virtual clock
 * (sim/rollout/controller.h), and each episode is played again on that clock with the latencies that were measured, to see whether it tells the truth. */
#ifndef VLB_WIRE_DRIVE_H
#define VLB_WIRE_DRIVE_H

#include "core/base/context.h"
#include "sim/rollout/rollout.h"

/* A tick of an episode. */
typedef struct {
  int queue;               /* actions that waited when it began */
  bool acted, sent, arrived;
  float state[VLB_MAX_STATE];
  int replayed, at_mean;   /* the queue on a virtual clock with each measured latency in turn, and with their mean */
} vlb_drive_tick;

/* How far a virtual clock's queue is from the real one's. */
typedef struct {
  int equal;   /* ticks with the same queue */
  int largest; /* difference, in actions */
} vlb_drive_match;

/* Of one episode; vlb_drive_result_clear gives its arrays back. */
typedef struct {
  int episode, steps;
  vlb_outcome outcome;
  char why[512];             /* of an error */
  vlb_control_counts robot;
  vlb_inbox_counts server;
  vlb_drive_tick *ticks;     /* [tick_count] */
  int tick_count;
  double *latency;           /* [latencies] seconds from an observation, or from the answer before if that came later, to its answer */
  int latencies;
  int overruns;              /* ticks that took longer than the period; the clock waits for them, as LeRobot's loop does */
  double overrun_seconds;
  vlb_drive_match replayed, at_mean;
} vlb_drive_result;
void vlb_drive_result_clear(vlb_drive_result *r);

typedef struct vlb_drive vlb_drive;

/* eval: seed, max_steps, render_size and control; its delays must be those of the world, that is 0. policy: called from one other thread; must outlive
 * the drive. Errors: VLB_USAGE for a delay, or for rtc, whose guidance the protocol does not carry; VLB_FAILED, no renderer. Caller frees. */
vlb_code vlb_drive_open(const vlb_rollout_config *eval, const vlb_suite *suite, int task, const vlb_policy_callback *policy, const vlb_context *ctx,
                        vlb_drive **drive, vlb_error *err);
void vlb_drive_free(vlb_drive *drive);

/* One episode, tick by tick of the clock. What goes wrong in it is its outcome. Errors: VLB_INTERRUPTED; VLB_FAILED without memory or thread. */
vlb_code vlb_drive_episode(vlb_drive *drive, int episode, vlb_drive_result *result, vlb_error *err);

#endif
