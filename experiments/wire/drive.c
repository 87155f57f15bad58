#include "experiments/wire/drive.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/timing.h"
#include "core/data/image.h"
#include "experiments/wire/drive_replay.h"
#include "sim/render/render.h"
#include "sim/task/world.h"

enum { NONE = -1 };

/* An observation on its way. */
typedef struct {
  vlb_observation seen;
  uint8_t *image[VLB_MAX_CAMERAS];
} sight;

struct vlb_drive {
  const vlb_rollout_config *eval;
  const vlb_suite *suite;
  int task, every, max_steps;
  const vlb_policy_callback *policy;
  const vlb_context *ctx;
  vlb_control_shape shape;
  vlb_scene *scene;
  vlb_renderer *renderer;
  uint8_t *raw;
  vlb_world world;
  vlb_controller *robot;
  double period;                  /* seconds of a tick */
  double begun;                   /* when tick 0 was; moved by every overrun */
  double tick_end;                /* of the present tick, in the robot's time */
  sight sights[VLB_TIMELINE_SLOTS];
  /* between the robot's thread and the one that asks the policy */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  vlb_inbox *inbox;
  int waiting, taken;             /* slots, or NONE */
  double waiting_since, free_at;  /* in the robot's time, as timeline.c has them */
  bool asked, ready, quit;        /* an observation is taken; its answer is there; the episode is over */
  vlb_request reply;
  float *actions;                 /* [chunk,action_dim] */
  double ready_at;
  vlb_error failure;
};

void vlb_drive_result_clear(vlb_drive_result *r) {
  free(r->ticks);
  free(r->latency);
  *r = (vlb_drive_result){0};
}

/* Seconds since tick 0, without the overruns, in which the robot's time stands still just before the next tick (on its edge, rounding to the
 * virtual clock's nanoseconds would choose the side). Under the lock. */
static double robot_time(const vlb_drive *d) { return fmin(vlb_seconds() - d->begun, d->tick_end - 1e-6); }

/* ---- the thread that asks the policy ---- */

typedef struct {
  vlb_drive *drive;
  vlb_drive_result *result;
  int latency_room;
} asker;

static bool note_latency(asker *a, double seconds) {
  vlb_drive_result *r = a->result;
  if (r->latencies == a->latency_room) {
    int room = a->latency_room ? 2 * a->latency_room : 64;
    double *more = realloc(r->latency, (size_t)room * sizeof *more);
    if (!more) return false;
    r->latency = more;
    a->latency_room = room;
  }
  r->latency[r->latencies++] = seconds;
  return true;
}

/* The policy is free and something waits: it takes that at once, in the robot's thread, so that which observation it is does not hang on how fast another
 * thread wakes up. Under the lock. */
static void assign(vlb_drive *d) {
  if (d->asked || d->ready || !vlb_inbox_take(d->inbox, &d->reply)) return;
  vlb_inbox_prepared(d->inbox);
  d->taken = d->waiting;
  d->waiting = NONE;
  d->asked = true;
  pthread_cond_signal(&d->changed);
}

static void *ask(void *self) {
  asker *a = self;
  vlb_drive *d = a->drive;
  const bool lerobot = d->eval->control.control == VLB_CONTROL_LEROBOT;
  pthread_mutex_lock(&d->lock);
  for (;;) {
    while (!d->asked && !d->quit) pthread_cond_wait(&d->changed, &d->lock);
    if (d->quit) break;
    vlb_observation *o = &d->sights[d->taken].seen;
    double from = fmax(d->free_at, d->waiting_since);
    o->replan = a->result->latencies;
    pthread_mutex_unlock(&d->lock);
    vlb_error err = {VLB_OK, ""};
    vlb_code code = d->policy->infer(d->policy->self, 1, o, d->actions, &err);
    pthread_mutex_lock(&d->lock);
    d->ready_at = robot_time(d);
    if (!code && !note_latency(a, d->ready_at - from)) code = vlb_fail(&err, VLB_FAILED, "out of memory");
    if (code) d->failure = err;
    /* LeRobot's server answers no faster than one control tick after it was free (specification 21.2) */
    if (lerobot) d->ready_at = fmax(d->ready_at, d->free_at + d->period);
    d->free_at = d->ready_at;
    d->taken = NONE;
    d->asked = false;
    d->ready = true;
  }
  pthread_mutex_unlock(&d->lock);
  return NULL;
}

/* ---- the robot ---- */

static void sleep_until(double when) {
  double left = when - vlb_seconds();
  if (left <= 0) return;
  struct timespec t = {(time_t)left, (long)((left - floor(left)) * 1e9)};
  nanosleep(&t, NULL);
}

static vlb_code draw(vlb_drive *d, sight *s, const float *state, int episode, vlb_error *err) {
  const vlb_embodiment *e = d->suite->embodiment;
  const int size = (int)d->eval->render_size;
  s->seen = (vlb_observation){.embodiment = e, .size = size, .instruction = d->world.task->instruction, .task = d->task, .episode = episode};
  for (int c = 0; c < e->cameras; c++) {
    VLB_TRY(vlb_render(d->renderer, d->world.model, d->world.data, d->world.scene->camera[c], d->raw, err));
    vlb_image_view(d->raw, size, e->view, s->image[c]);
    s->seen.image[c] = s->image[c];
  }
  memcpy(s->seen.state, state, (size_t)e->state_dim * sizeof *state);
  return VLB_OK;
}

static int free_slot(vlb_drive *d) {
  pthread_mutex_lock(&d->lock);
  int slot = 0;
  while (slot == d->waiting || slot == d->taken) slot++;
  pthread_mutex_unlock(&d->lock);
  return slot;
}

static vlb_code look(vlb_drive *d, vlb_look_when when, double time, int episode, vlb_drive_tick *tick, vlb_error *err) {
  vlb_request request;
  bool accepted, replaced;
  if (!vlb_controller_look(d->robot, when, tick->state, &request)) return VLB_OK;
  int slot = free_slot(d);
  tick->sent = true;
  VLB_TRY(draw(d, &d->sights[slot], tick->state, episode, err));
  pthread_mutex_lock(&d->lock);
  vlb_code code = vlb_inbox_offer(d->inbox, &request, tick->state, &accepted, &replaced, err);
  if (!code && accepted) d->waiting = slot;
  if (!code && accepted && !replaced) d->waiting_since = time;
  if (!code) assign(d);
  pthread_mutex_unlock(&d->lock);
  return code;
}

/* A chunk counts from the first tick at or after its arrival. */
static vlb_code deliver(vlb_drive *d, double time, vlb_drive_tick *tick, vlb_error *err) {
  pthread_mutex_lock(&d->lock);
  vlb_code code = d->failure.code;
  if (code) *err = d->failure;
  if (!code && d->ready && d->ready_at <= time + 1e-9) {
    vlb_controller_receive(d->robot, &d->reply, d->actions, d->shape.chunk);
    d->ready = false;
    tick->arrived = true;
    assign(d);
  }
  pthread_mutex_unlock(&d->lock);
  return code;
}

static vlb_code take_action(vlb_drive *d, vlb_drive_tick *tick, double *last, vlb_error *err) {
  vlb_timed_action action;
  (void)vlb_controller_queue(d->robot, &tick->queue);
  tick->acted = vlb_controller_act(d->robot, &action);
  for (int i = 0; tick->acted && i < d->shape.action_dim; i++) {
    last[i] = (double)action.value[i];
    if (!isfinite(last[i])) return vlb_fail(err, VLB_FAILED, "action %d of the policy is not a finite number", i);
  }
  return VLB_OK;
}

static vlb_code move(vlb_drive *d, vlb_drive_result *r, const vlb_drive_tick *tick, const double *last, vlb_error *err) {
  double held[VLB_MAX_ACTION];
  for (int i = 0; i < d->every && !d->world.success; i++) {
    vlb_world_hold(&d->world, vlb_controller_counts(d->robot)->executed ? last : NULL, held);
    VLB_TRY(vlb_world_step(&d->world, tick->acted && i == 0 ? last : held, err));
    r->steps++;
  }
  return VLB_OK;
}

/* The clock waits for a tick that took too long: a robot's loop does not catch up. */
static void close_tick(vlb_drive *d, vlb_drive_result *r, double end) {
  pthread_mutex_lock(&d->lock);
  double over = vlb_seconds() - d->begun - end;
  if (over > 0) {
    d->begun += over;
    r->overruns++;
    r->overrun_seconds += over;
  }
  d->tick_end = end + d->period;
  pthread_mutex_unlock(&d->lock);
  sleep_until(d->begun + end);
}

/* *outcome is set where the episode ends with this tick. */
static vlb_code run_tick(vlb_drive *d, vlb_drive_result *r, double *last, vlb_error *err) {
  vlb_drive_tick *tick = &r->ticks[r->tick_count];
  double time = r->tick_count * d->period;
  r->outcome = VLB_EPISODE_POLICY_ERROR; /* whose fault it would be */
  d->suite->family->state(&d->world, tick->state);
  VLB_TRY(deliver(d, time, tick, err));
  r->outcome = VLB_EPISODE_SIM_ERROR;
  VLB_TRY(look(d, VLB_LOOK_BEFORE, time, r->episode, tick, err));
  r->outcome = VLB_EPISODE_POLICY_ERROR;
  VLB_TRY(take_action(d, tick, last, err));
  r->outcome = VLB_EPISODE_SIM_ERROR;
  VLB_TRY(look(d, VLB_LOOK_AFTER, time, r->episode, tick, err));
  r->tick_count++;
  VLB_TRY(move(d, r, tick, last, err));
  r->outcome = d->world.success ? VLB_EPISODE_SUCCESS : VLB_EPISODE_TIMEOUT;
  close_tick(d, r, time + d->period);
  return VLB_OK;
}

static vlb_code run_ticks(vlb_drive *d, vlb_drive_result *r, vlb_error *err) {
  double last[VLB_MAX_ACTION] = {0};
  int most = (d->max_steps + d->every - 1) / d->every;
  pthread_mutex_lock(&d->lock);
  d->begun = vlb_seconds();
  d->tick_end = d->period;
  pthread_mutex_unlock(&d->lock);
  while (!d->world.success && r->tick_count < most) {
    VLB_TRY(vlb_check_stop(d->ctx, err));
    vlb_error mishap = {VLB_OK, ""};
    if (!run_tick(d, r, last, &mishap)) continue;
    if (mishap.code == VLB_INTERRUPTED) return *err = mishap, VLB_INTERRUPTED;
    snprintf(r->why, sizeof r->why, "%.500s", mishap.message);
    return VLB_OK;
  }
  return VLB_OK;
}

static void begin(vlb_drive *d) {
  vlb_controller_reset(d->robot);
  vlb_inbox_reset(d->inbox);
  d->waiting = d->taken = NONE;
  d->waiting_since = d->free_at = d->ready_at = 0;
  d->asked = d->ready = d->quit = false;
  d->failure = (vlb_error){VLB_OK, ""};
}

vlb_code vlb_drive_episode(vlb_drive *d, int episode, vlb_drive_result *r, vlb_error *err) {
  asker a = {.drive = d, .result = r};
  pthread_t thread;
  *r = (vlb_drive_result){.episode = episode, .outcome = VLB_EPISODE_SUCCESS};
  r->ticks = calloc((size_t)d->max_steps + 1, sizeof *r->ticks);
  if (!r->ticks) return vlb_fail(err, VLB_FAILED, "out of memory for an episode");
  begin(d);
  VLB_TRY(vlb_world_start(&d->world, episode, (uint64_t)d->eval->seed, err));
  if (pthread_create(&thread, NULL, ask, &a)) return vlb_fail(err, VLB_FAILED, "cannot start the thread that asks the policy");
  vlb_code code = run_ticks(d, r, err);
  pthread_mutex_lock(&d->lock);
  d->quit = true;
  pthread_cond_signal(&d->changed);
  pthread_mutex_unlock(&d->lock);
  pthread_join(thread, NULL);
  r->robot = *vlb_controller_counts(d->robot);
  r->server = *vlb_inbox_counts_of(d->inbox);
  if (!code) code = vlb_drive_replay(&d->eval->control, &d->shape, d->suite->embodiment->rate, r, err);
  return code;
}

/* ---- the whole ---- */

static vlb_code check(const vlb_control_config *c, vlb_error *err) {
  if (c->control == VLB_CONTROL_RTC) return vlb_fail(err, VLB_USAGE, "eval.control = rtc: its guidance does not travel over the wire; there are sync, paper and lerobot");
  if (c->latency > 0 || c->uplink > 0 || c->downlink > 0 || c->camera_period > 0 || c->fixed_time > 0)
    return vlb_fail(err, VLB_USAGE, "eval.latency, uplink, downlink, camera_period and fixed_time are of the virtual clock; here the delays are the world's own");
  return vlb_control_check(c, err);
}

static vlb_code open_parts(vlb_drive *d, vlb_error *err) {
  const vlb_embodiment *e = d->suite->embodiment;
  size_t size = (size_t)d->eval->render_size, pixels = size * size * 3;
  bool missing = !(d->raw = malloc(pixels)) || !(d->actions = calloc((size_t)d->policy->chunk * (size_t)e->action_dim, sizeof *d->actions));
  for (int s = 0; s < VLB_TIMELINE_SLOTS; s++)
    for (int c = 0; c < e->cameras; c++) missing |= !(d->sights[s].image[c] = malloc(pixels));
  if (missing) return vlb_fail(err, VLB_FAILED, "out of memory for the robot's pictures");
  d->shape = (vlb_control_shape){.chunk = d->policy->n_action_steps, .action_dim = e->action_dim, .state_dim = e->state_dim};
  VLB_TRY(vlb_controller_create(&d->eval->control, &d->shape, &d->robot, err));
  VLB_TRY(vlb_inbox_create(&d->eval->control, e->state_dim, &d->inbox, err));
  VLB_TRY(d->suite->family->compile(d->suite, d->task, &d->scene, err));
  VLB_TRY(vlb_world_open(&d->world, d->suite, d->task, d->scene, err));
  return vlb_renderer_open(d->scene, (int)size, d->eval->shadows, &d->renderer, err);
}

vlb_code vlb_drive_open(const vlb_rollout_config *eval, const vlb_suite *suite, int task, const vlb_policy_callback *policy, const vlb_context *ctx,
                        vlb_drive **drive, vlb_error *err) {
  *drive = NULL;
  VLB_TRY(check(&eval->control, err));
  vlb_drive *d = calloc(1, sizeof *d);
  if (!d) return vlb_fail(err, VLB_FAILED, "out of memory");
  d->eval = eval;
  d->suite = suite;
  d->task = task;
  d->policy = policy;
  d->ctx = ctx;
  d->every = (int)eval->control.control_every;
  d->period = (double)d->every / suite->embodiment->rate;
  d->max_steps = eval->max_steps ? (int)eval->max_steps : suite->max_steps;
  pthread_mutex_init(&d->lock, NULL);
  pthread_cond_init(&d->changed, NULL);
  vlb_code code = open_parts(d, err);
  if (code)
    vlb_drive_free(d);
  else
    *drive = d;
  return code;
}

void vlb_drive_free(vlb_drive *d) {
  if (!d) return;
  if (d->renderer) vlb_renderer_close(d->renderer);
  vlb_world_close(&d->world);
  if (d->scene) vlb_scene_free(d->scene);
  vlb_controller_free(d->robot);
  vlb_inbox_free(d->inbox);
  for (int s = 0; s < VLB_TIMELINE_SLOTS; s++)
    for (int c = 0; c < VLB_MAX_CAMERAS; c++) free(d->sights[s].image[c]);
  free(d->raw);
  free(d->actions);
  pthread_mutex_destroy(&d->lock);
  pthread_cond_destroy(&d->changed);
  free(d);
}
