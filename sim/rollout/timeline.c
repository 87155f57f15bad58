#include "sim/rollout/timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1 };
static const int64_t NEVER = INT64_MAX;

typedef struct {
  int slot; /* NONE: nothing */
  vlb_request request;
} message;

struct vlb_timeline {
  vlb_control_config config;
  vlb_control_shape shape;
  const vlb_latency *latency;
  vlb_controller *robot;
  vlb_inbox *server;
  int rate;
  int64_t uplink, downlink; /* ns */
  uint64_t seed;
  int task, episode;

  int64_t tick;
  int64_t loop_free;              /* lerobot: when the robot's loop goes on after sending */
  message up;                     /* on its way to the policy */
  int64_t up_at;                  /* when it arrives */
  float up_state[VLB_MAX_STATE];
  int waiting;                    /* slot of the observation in the inbox */
  int64_t waiting_since;          /* when the first of those that waited in it arrived */
  int taken;                      /* slot of the one that advance asked for, until it is answered */
  int64_t taken_at, free_at;      /* when the policy took it, and when it can take the next */
  vlb_request reply;              /* what is computed, then under way */
  float *actions;                 /* [chunk,action_dim] of the reply */
  int reply_n;
  int64_t down_at;                /* when it arrives, NEVER: none is under way */
  int inferences;
  int64_t busy, busy_until;       /* ns, of inferences that began */

  vlb_timeline_tick *trace, now;
  int trace_size, trace_room;
  bool traced;
};

static bool lerobot(const vlb_timeline *t) { return t->config.control == VLB_CONTROL_LEROBOT; }

vlb_code vlb_timeline_create(const vlb_control_config *config, const vlb_control_shape *shape, int rate, const vlb_latency *latency,
                             vlb_timeline **timeline, vlb_error *err) {
  vlb_timeline *t = calloc(1, sizeof *t);
  *timeline = NULL;
  if (!t) return vlb_fail(err, VLB_FAILED, "out of memory");
  t->config = *config;
  if (t->config.control_every < 1) t->config.control_every = 1;
  t->shape = *shape;
  t->rate = rate;
  t->latency = latency;
  t->uplink = llround(1e9 * config->uplink);
  t->downlink = llround(1e9 * config->downlink);
  t->actions = calloc((size_t)shape->chunk * (size_t)shape->action_dim, sizeof *t->actions);
  vlb_code code = t->actions ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory");
  if (!code) code = vlb_controller_create(config, shape, &t->robot, err);
  if (!code) code = vlb_inbox_create(config, shape->state_dim, &t->server, err);
  if (code) {
    vlb_timeline_free(t);
    return code;
  }
  *timeline = t;
  return VLB_OK;
}

void vlb_timeline_free(vlb_timeline *t) {
  if (!t) return;
  vlb_controller_free(t->robot);
  vlb_inbox_free(t->server);
  free(t->actions);
  free(t->trace);
  free(t);
}

void vlb_timeline_start(vlb_timeline *t, uint64_t seed, int task, int episode, bool traced) {
  vlb_controller_reset(t->robot);
  vlb_inbox_reset(t->server);
  t->seed = seed, t->task = task, t->episode = episode;
  t->tick = 0;
  t->loop_free = 0;
  t->free_at = lerobot(t) ? t->uplink : 0;
  t->up.slot = t->waiting = t->taken = NONE;
  t->up_at = t->down_at = NEVER;
  t->inferences = t->trace_size = 0;
  t->busy = t->busy_until = 0;
  t->now = (vlb_timeline_tick){0};
  t->traced = traced;
}

static int64_t time_of(const vlb_timeline *t, int64_t tick) { return tick * t->config.control_every * 1000000000 / t->rate; }

int64_t vlb_timeline_now(const vlb_timeline *t) { return time_of(t, t->tick); }

/* --- what happens between ticks --- */

static void deliver(vlb_timeline *t) {
  vlb_controller_receive(t->robot, &t->reply, t->actions, t->reply_n);
  t->down_at = NEVER;
  t->now.arrived = true;
}

static vlb_code arrive(vlb_timeline *t, vlb_error *err) {
  bool accepted, replaced;
  VLB_TRY(vlb_inbox_offer(t->server, &t->up.request, t->up_state, &accepted, &replaced, err));
  if (accepted) t->waiting = t->up.slot;
  if (accepted && !replaced) t->waiting_since = t->up_at;
  t->now.accepted |= accepted;
  t->up.slot = NONE;
  t->up_at = NEVER;
  return VLB_OK;
}

/* When the policy takes what waits: it is free, and there is something. */
static int64_t take_time(const vlb_timeline *t) {
  if (!vlb_inbox_waits(t->server) || t->down_at != NEVER) return NEVER;
  return t->free_at > t->waiting_since ? t->free_at : t->waiting_since;
}

static int take(vlb_timeline *t, int64_t at) {
  (void)vlb_inbox_take(t->server, &t->reply);
  vlb_inbox_prepared(t->server); /* preparing takes no virtual time */
  t->taken = t->waiting;
  t->taken_at = at;
  t->waiting = NONE;
  return t->taken;
}

vlb_code vlb_timeline_advance(vlb_timeline *t, int *slot, vlb_error *err) {
  int64_t present = vlb_timeline_now(t);
  *slot = NONE;
  for (;;) {
    int64_t taking = take_time(t);
    if (t->down_at <= present && t->down_at <= t->up_at && t->down_at <= taking) {
      deliver(t);
    } else if (t->up_at <= present && t->up_at <= taking) {
      VLB_TRY(arrive(t, err));
    } else if (taking <= present) {
      *slot = take(t, taking);
      return VLB_OK;
    } else {
      return VLB_OK;
    }
  }
}

void vlb_timeline_answer(vlb_timeline *t, const float *actions, int n) {
  int64_t latency = vlb_latency_draw(t->latency, t->seed, t->task, t->episode, t->inferences++);
  int64_t ready = t->taken_at + latency, period = time_of(t, 1);
  if (n > t->shape.chunk) n = t->shape.chunk;
  if (n > 0) memcpy(t->actions, actions, (size_t)n * (size_t)t->shape.action_dim * sizeof *actions);
  t->reply_n = n;
  t->taken = NONE;
  t->busy += latency;
  t->busy_until = ready;
  if (lerobot(t) && ready < t->free_at + period) ready = t->free_at + period;
  t->down_at = ready + t->downlink;
  t->free_at = lerobot(t) ? t->down_at + t->uplink : ready;
}

int vlb_timeline_inference(const vlb_timeline *t) { return t->inferences; }
int vlb_timeline_delay(const vlb_timeline *t) { return t->up.request.delay; }

/* --- the robot's tick --- */

static int free_slot(const vlb_timeline *t) {
  for (int i = 0; i < VLB_TIMELINE_SLOTS; i++)
    if (i != t->up.slot && i != t->waiting && i != t->taken) return i;
  return NONE;
}

int vlb_timeline_look(vlb_timeline *t, vlb_look_when when, const float *state) {
  int64_t present = vlb_timeline_now(t);
  if (present < t->loop_free || t->up.slot != NONE || !vlb_controller_look(t->robot, when, state, &t->up.request)) return NONE;
  t->up.slot = free_slot(t);
  t->up_at = present + t->uplink;
  memcpy(t->up_state, state, (size_t)t->shape.state_dim * sizeof *state);
  if (lerobot(t)) t->loop_free = t->up_at + t->downlink;
  t->now.sent = true;
  t->now.must_go |= t->up.request.must_go;
  return t->up.slot;
}

bool vlb_timeline_act(vlb_timeline *t, vlb_timed_action *action) {
  (void)vlb_controller_queue(t->robot, &t->now.queue);
  t->now.tick = (int)t->tick;
  if (vlb_timeline_now(t) < t->loop_free) {
    vlb_controller_hold(t->robot);
    return false;
  }
  t->now.acted = vlb_controller_act(t->robot, action);
  return t->now.acted;
}

static vlb_code write_down(vlb_timeline *t, vlb_error *err) {
  if (t->trace_size == t->trace_room) {
    int room = t->trace_room ? 2 * t->trace_room : 512;
    vlb_timeline_tick *more = realloc(t->trace, (size_t)room * sizeof *more);
    if (!more) return vlb_fail(err, VLB_FAILED, "out of memory for a trace of %d ticks", room);
    t->trace = more;
    t->trace_room = room;
  }
  t->trace[t->trace_size++] = t->now;
  return VLB_OK;
}

vlb_code vlb_timeline_step(vlb_timeline *t, vlb_error *err) {
  if (t->traced) VLB_TRY(write_down(t, err));
  t->now = (vlb_timeline_tick){0};
  t->tick++;
  return VLB_OK;
}

const vlb_timed_action *vlb_timeline_queue(const vlb_timeline *t, int *size) { return vlb_controller_queue(t->robot, size); }

vlb_timeline_record vlb_timeline_finish(const vlb_timeline *t) {
  int64_t present = vlb_timeline_now(t), beyond = t->busy_until > present ? t->busy_until - present : 0;
  return (vlb_timeline_record){.robot = *vlb_controller_counts(t->robot), .server = *vlb_inbox_counts_of(t->server), .inferences = t->inferences,
                               .busy = 1e-9 * (double)(t->busy - beyond), .seconds = 1e-9 * (double)present};
}

const vlb_timeline_tick *vlb_timeline_trace(const vlb_timeline *t, int *ticks) {
  *ticks = t->trace_size;
  return t->trace;
}
