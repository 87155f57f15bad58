/* The robot's side of a policy that takes time: when to look, what to execute, what to do with a chunk that arrives. One controller serves one
 * robot; it knows neither simulator, clock nor network, so the same one drives the virtual clock (timeline.h) and a real connection.
 *
 * A control tick is: vlb_controller_look(BEFORE), vlb_controller_act, vlb_controller_look(AFTER); chunks are handed over in between, by the thread that
 * calls (a client with a receiving thread holds one lock around each of these calls). When a look returns true the caller takes the observation now, sends it with the
 * request's numbers and hands the answer, whenever it comes, to vlb_controller_receive. When act returns false the robot holds its last target.
 *
 *   sync     looks when the queue is empty, executes n actions of the chunk, waits for the next
 *   paper    Algorithm 1: looks when queue/n < g, or the queue is empty (g = 0 would never look), and no answer is due; a look at a state
 *            too near the last one used is dropped here (filtered) unless the queue is empty
 *   lerobot  LeRobot's client (specification 21.3): looks after acting whenever queue/n <= g, whether or not answers are due; the server filters
 *            (inbox.h). A chunk replaces the queue; what it does not cover is lost
 *   rtc      real-time chunking (18): looks when queue/n <= g and no answer is due; a chunk replaces the queue but for the actions whose time
 *            passed meanwhile; the request tells how many that were at most so far, the queue is the previous chunk that guides the new one */
#ifndef VLB_SIM_CONTROLLER_H
#define VLB_SIM_CONTROLLER_H

#include "sim/rollout/control.h"
#include "sim/rollout/queue.h"

typedef struct {
  int chunk;                 /* actions of each chunk that are used, n */
  int action_dim, state_dim;
} vlb_control_shape;

/* What goes to the policy beside the observation. */
typedef struct {
  int timestep; /* number of the action that the chunk begins with */
  int tick;     /* control tick of the look */
  bool must_go; /* not to be filtered: the queue is empty */
  int delay;    /* rtc: ticks that an answer took at most so far */
} vlb_request;

/* Of one episode. Ticks before the first action are `waited`, not idle. */
typedef struct {
  int ticks, executed;
  int waited;               /* ticks before the first action */
  int idle;                 /* ticks after it in which the robot held its last target */
  int starvations;          /* times the queue ran dry */
  int looks, sent, filtered; /* filtered: dropped here */
  int chunks, late, lost;   /* chunks received; actions of theirs whose time was over; answers that held none */
  int64_t age_sum;          /* ticks from look to execution, over the executed actions */
  int age_max;
} vlb_control_counts;

typedef enum { VLB_LOOK_BEFORE, VLB_LOOK_AFTER } vlb_look_when;
typedef struct vlb_controller vlb_controller;

vlb_code vlb_controller_create(const vlb_control_config *config, const vlb_control_shape *shape, vlb_controller **controller, vlb_error *err);
void vlb_controller_free(vlb_controller *c);
void vlb_controller_reset(vlb_controller *c); /* a new episode */

/* Whether an observation is to be sent now. state [state_dim]: what the robot's joints read now. */
bool vlb_controller_look(vlb_controller *c, vlb_look_when when, const float *state, vlb_request *request);

/* The action of this tick; false: none, the robot holds its last target. Ends the tick's first half: ticks are counted here. */
bool vlb_controller_act(vlb_controller *c, vlb_timed_action *action);

/* A tick in which the robot's loop is elsewhere (LeRobot's client waits for the server to take an observation): the robot holds its last target. */
void vlb_controller_hold(vlb_controller *c);

/* A chunk [n,action_dim] for a request; n may exceed the shape's. n = 0: the policy failed on it (LeRobot's client learns nothing from that and may
 * stall for ever; the others ask again). */
void vlb_controller_receive(vlb_controller *c, const vlb_request *request, const float *actions, int n);

/* What waits, in order; borrowed until the next call. */
const vlb_timed_action *vlb_controller_queue(const vlb_controller *c, int *size);
const vlb_control_counts *vlb_controller_counts(const vlb_controller *c);

#endif
