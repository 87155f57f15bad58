#include "sim/rollout/rollout.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/data/image.h"
#include "sim/render/render.h"
#include "sim/task/world.h"

#define ROW(kind, name, ...) VLB_FIELD_ROW(vlb_rollout_config, kind, name, __VA_ARGS__)
#define CONTROL_ROW(kind, name, fallback, lo, hi, choices, doc) \
  {VLB_FIELD_##kind, #name, offsetof(vlb_rollout_config, control.name), fallback, lo, hi, choices, doc},
const vlb_field vlb_rollout_fields[] = {VLB_ROLLOUT_FIELDS(ROW) VLB_CONTROL_FIELDS(CONTROL_ROW) VLB_ACTING_FIELDS(ROW){0}};
const vlb_field vlb_episode_fields[] = {VLB_ROLLOUT_FIELDS(ROW){0}};

static const char *const outcome_names[] = {"success", "timeout", "failure", "simulator_error", "policy_error", "not_run"};

const char *vlb_outcome_name(vlb_outcome outcome) { return outcome_names[outcome]; }

/* What all workers share. */
typedef struct {
  const vlb_rollout_config *config;
  const vlb_suite *suite;
  const vlb_policy_callback *policies;
  const vlb_context *ctx;
  vlb_scene **scenes;
  vlb_renderers renderers;
  vlb_latency latency;
  vlb_episode_result *results;
  int max_steps, groups; /* groups of lanes per task: the jobs of the pool */
  int every;             /* simulator steps per control tick */
  pthread_mutex_t lock;  /* progress */
  int finished, succeeded;
} run;

/* An observation on its way to the policy. */
typedef struct {
  vlb_observation seen;
  uint8_t *image[VLB_MAX_CAMERAS]; /* [size,size,3] */
  vlb_guide guide;
  float *previous; /* [2 n_action_steps,action_dim]: what the guide points to */
} sight;

/* One episode on its way. */
typedef struct {
  vlb_world world;
  vlb_episode_result *result;
  vlb_timeline *timeline;
  int active, slot;   /* slot: of the observation that the policy computes now */
  int acted;          /* `last` is the last action */
  int put_back;       /* step at which things go to a new start, 0: none is due */
  double last[VLB_MAX_ACTION];
  int64_t frame;      /* number of the cameras' last picture, -1: none */
  sight sights[VLB_TIMELINE_SLOTS];
  uint8_t *frames[VLB_MAX_CAMERAS]; /* the last picture, when cameras have a period */
} lane;

/* One worker's group of episodes of one task, advanced side by side. */
typedef struct {
  run *run;
  int worker, task, lane_count;
  const vlb_policy_callback *policy;
  const vlb_embodiment *embodiment;
  vlb_renderer *renderer;
  lane *lanes;                   /* [lane_count] */
  lane **waiting;                /* lanes whose policy computes */
  vlb_observation *observations; /* [lane_count] */
  float *actions;                /* [lane_count, chunk, action_dim] */
  uint8_t *raw;                  /* one picture as rendered */
} group;

/* What the episode leaves of its queue, when it was asked for. Without memory it leaves none. */
static void keep_trace(lane *l) {
  int n;
  const vlb_timeline_tick *ticks = vlb_timeline_trace(l->timeline, &n);
  l->result->trace = n ? malloc((size_t)n * sizeof *ticks) : NULL;
  l->result->trace_size = l->result->trace ? n : 0;
  if (l->result->trace) memcpy(l->result->trace, ticks, (size_t)n * sizeof *ticks);
}

static void finish(group *g, lane *l, vlb_outcome outcome) {
  run *r = g->run;
  vlb_world_hash(&l->world, l->result->state_hash);
  l->active = 0;
  l->result->outcome = outcome;
  l->result->score = l->result->completions ? 1 : l->world.score;
  l->result->replans = vlb_timeline_inference(l->timeline);
  l->result->clock = vlb_timeline_finish(l->timeline);
  l->result->clock.seconds = (double)l->result->steps / g->embodiment->rate;
  keep_trace(l);
  pthread_mutex_lock(&r->lock);
  r->finished++;
  r->succeeded += outcome == VLB_EPISODE_SUCCESS;
  vlb_progress_set(r->ctx->log, r->finished, "%d/%d succeeded", r->succeeded, r->finished);
  pthread_mutex_unlock(&r->lock);
}

/* An error of one episode is its outcome; the log tells what happened. */
static void finish_with_error(group *g, lane *l, vlb_outcome outcome, const vlb_error *err) {
  vlb_warn(g->run->ctx->log, "task %d episode %d: %s", l->result->task, l->result->episode, err->message);
  finish(g, l, outcome);
}

static void start_lane(group *g, lane *l) {
  const run *r = g->run;
  vlb_error err = {VLB_OK, ""};
  l->active = 1;
  l->acted = l->put_back = 0;
  l->frame = -1;
  vlb_timeline_start(l->timeline, (uint64_t)r->config->seed, g->task, l->result->episode, l->result->episode < r->config->control.trace_episodes);
  if (vlb_world_start(&l->world, l->result->episode, (uint64_t)r->config->seed, &err))
    finish_with_error(g, l, VLB_EPISODE_SIM_ERROR, &err);
  else if (l->world.success)
    finish(g, l, VLB_EPISODE_SUCCESS);
}

/* --- looking --- */

static vlb_code picture(group *g, lane *l, int camera, uint8_t *out, vlb_error *err) {
  VLB_TRY(vlb_render(g->renderer, l->world.model, l->world.data, l->world.scene->camera[camera], g->raw, err));
  vlb_image_view(g->raw, (int)g->run->config->render_size, g->embodiment->view, out);
  return VLB_OK;
}

/* Cameras with a period see the world at the first tick at or after each of their pictures' times. */
static vlb_code run_cameras(group *g, lane *l, vlb_error *err) {
  double period = g->run->config->control.camera_period;
  if (period <= 0 || !g->run->config->render_size) return VLB_OK;
  int64_t frame = vlb_timeline_now(l->timeline) / llround(1e9 * period);
  if (frame == l->frame) return VLB_OK;
  l->frame = frame;
  for (int c = 0; c < g->embodiment->cameras; c++) VLB_TRY(picture(g, l, c, l->frames[c], err));
  return VLB_OK;
}

/* What guides the next chunk, if anything is left of the last one. */
static const vlb_guide *guide(group *g, lane *l, sight *s, int delay) {
  const vlb_control_config *c = &g->run->config->control;
  int n, width = g->embodiment->action_dim;
  const vlb_timed_action *queue = vlb_timeline_queue(l->timeline, &n);
  if (c->control != VLB_CONTROL_RTC || !n) return NULL;
  for (int i = 0; i < n; i++) memcpy(s->previous + i * width, queue[i].value, (size_t)width * sizeof(float));
  s->guide = (vlb_guide){.previous = s->previous, .n = n, .delay = delay, .horizon = (int)c->rtc_horizon, .schedule = (int)c->rtc_schedule,
                         .weight = c->rtc_guidance};
  return &s->guide;
}

static vlb_code observe(group *g, lane *l, sight *s, const float *state, vlb_error *err) {
  int size = (int)g->run->config->render_size;
  bool stored = g->run->config->control.camera_period > 0;
  vlb_observation *o = &s->seen;
  *o = (vlb_observation){.embodiment = g->embodiment, .size = size, .instruction = l->world.task->instruction, .task = g->task,
                         .episode = l->result->episode, .guide = guide(g, l, s, vlb_timeline_delay(l->timeline))};
  for (int c = 0; size && c < g->embodiment->cameras; c++) {
    if (stored)
      memcpy(s->image[c], l->frames[c], (size_t)size * (size_t)size * 3);
    else
      VLB_TRY(picture(g, l, c, s->image[c], err));
    o->image[c] = s->image[c];
  }
  memcpy(o->state, state, (size_t)g->embodiment->state_dim * sizeof *state);
  return VLB_OK;
}

static void look(group *g, lane *l, vlb_look_when when) {
  vlb_error err = {VLB_OK, ""};
  float state[VLB_MAX_STATE];
  l->world.suite->family->state(&l->world, state);
  int slot = vlb_timeline_look(l->timeline, when, state);
  if (slot >= 0 && observe(g, l, &l->sights[slot], state, &err)) finish_with_error(g, l, VLB_EPISODE_SIM_ERROR, &err);
}

/* --- the policy --- */

/* Asks the policy for one batch of waiting lanes. Its failure ends those episodes, not the run. */
static void infer(group *g, lane **waiting, int n) {
  vlb_error err = {VLB_OK, ""};
  size_t chunk = (size_t)g->policy->chunk * (size_t)g->embodiment->action_dim;
  for (int i = 0; i < n; i++) {
    g->observations[i] = waiting[i]->sights[waiting[i]->slot].seen;
    g->observations[i].replan = vlb_timeline_inference(waiting[i]->timeline);
  }
  vlb_code code = g->policy->infer(g->policy->self, n, g->observations, g->actions, &err);
  for (int i = 0; i < n; i++) {
    if (code)
      finish_with_error(g, waiting[i], VLB_EPISODE_POLICY_ERROR, &err);
    else
      vlb_timeline_answer(waiting[i]->timeline, g->actions + (size_t)i * chunk, g->policy->n_action_steps);
  }
}

/* Everything that is due between the ticks: observations arrive, chunks are computed and come back. */
static void answer_all(group *g) {
  for (int n = -1; n; ) {
    n = 0;
    for (int i = 0; i < g->lane_count; i++) {
      lane *l = &g->lanes[i];
      vlb_error err = {VLB_OK, ""};
      if (l->active && vlb_timeline_advance(l->timeline, &l->slot, &err)) finish_with_error(g, l, VLB_EPISODE_SIM_ERROR, &err);
      if (l->active && l->slot >= 0) g->waiting[n++] = l;
    }
    for (int at = 0; at < n; at += g->policy->batch) infer(g, g->waiting + at, n - at < g->policy->batch ? n - at : g->policy->batch);
  }
}

/* --- acting --- */

static vlb_code check_action(const lane *l, const vlb_timed_action *a, int n, vlb_error *err) {
  for (int i = 0; i < n; i++)
    if (!isfinite(a->value[i])) return vlb_fail(err, VLB_FAILED, "the policy's action %d at step %d is not a finite number", i, l->result->steps);
  return VLB_OK;
}

/* With a fixed time the task starts anew after each success: a hand puts things back, the robot goes on. */
static void begin_again(group *g, lane *l) {
  vlb_error err = {VLB_OK, ""};
  l->put_back = 0;
  if (vlb_world_again(&l->world, l->result->episode, l->result->completions, (uint64_t)g->run->config->seed, &err))
    finish_with_error(g, l, VLB_EPISODE_SIM_ERROR, &err);
}

/* Until the hand comes the thing lies where it is, done once. */
static void judge_again(group *g, lane *l) {
  if (l->world.success && !l->put_back) {
    l->result->completions++;
    l->put_back = l->result->steps + (int)lround(g->run->config->control.put_back * g->embodiment->rate);
  }
  if (l->put_back && l->result->steps >= l->put_back) begin_again(g, l);
}

static void judge(group *g, lane *l) {
  if (g->run->config->control.fixed_time > 0)
    judge_again(g, l);
  else if (l->world.success)
    finish(g, l, VLB_EPISODE_SUCCESS);
  if (l->active && l->result->steps >= g->run->max_steps) finish(g, l, l->result->completions ? VLB_EPISODE_SUCCESS : VLB_EPISODE_TIMEOUT);
}

/* Simulator steps of one control tick: the first takes the action, if there is one; the robot holds in the others. */
static void move(group *g, lane *l, bool acted) {
  vlb_error err = {VLB_OK, ""};
  double held[VLB_MAX_ACTION];
  for (int i = 0; i < g->run->every && l->active; i++) {
    vlb_world_hold(&l->world, l->acted ? l->last : NULL, held);
    l->result->steps++;
    if (vlb_world_step(&l->world, acted && i == 0 ? l->last : held, &err))
      finish_with_error(g, l, VLB_EPISODE_SIM_ERROR, &err);
    else
      judge(g, l);
  }
}

static void tick(group *g, lane *l) {
  vlb_error err = {VLB_OK, ""};
  vlb_timed_action action;
  bool acted = vlb_timeline_act(l->timeline, &action);
  if (acted && check_action(l, &action, g->embodiment->action_dim, &err)) {
    finish_with_error(g, l, VLB_EPISODE_POLICY_ERROR, &err);
    return;
  }
  for (int i = 0; acted && i < g->embodiment->action_dim; i++) l->last[i] = (double)action.value[i];
  l->acted |= acted;
  look(g, l, VLB_LOOK_AFTER);
  if (l->active && vlb_timeline_step(l->timeline, &err)) finish_with_error(g, l, VLB_EPISODE_SIM_ERROR, &err);
  if (l->active) move(g, l, acted);
}

static int any_active(const group *g) {
  for (int i = 0; i < g->lane_count; i++)
    if (g->lanes[i].active) return 1;
  return 0;
}

static vlb_code advance(group *g, vlb_error *err) {
  for (int i = 0; i < g->lane_count; i++) start_lane(g, &g->lanes[i]);
  while (any_active(g)) {
    VLB_TRY(vlb_check_stop(g->run->ctx, err));
    for (int i = 0; i < g->lane_count; i++)
      if (g->lanes[i].active) VLB_TRY(run_cameras(g, &g->lanes[i], err));
    answer_all(g);
    for (int i = 0; i < g->lane_count; i++)
      if (g->lanes[i].active) look(g, &g->lanes[i], VLB_LOOK_BEFORE);
    answer_all(g);
    for (int i = 0; i < g->lane_count; i++)
      if (g->lanes[i].active) tick(g, &g->lanes[i]);
  }
  return VLB_OK;
}

static vlb_code open_lane(group *g, lane *l, vlb_error *err) {
  const vlb_embodiment *e = g->embodiment;
  size_t size = (size_t)g->run->config->render_size, pixels = size ? size * size * 3 : 1;
  const vlb_control_shape shape = {.chunk = g->policy->n_action_steps, .action_dim = e->action_dim, .state_dim = e->state_dim};
  VLB_TRY(vlb_world_open(&l->world, g->run->suite, g->task, g->run->scenes[g->task], err));
  VLB_TRY(vlb_timeline_create(&g->run->config->control, &shape, e->rate, &g->run->latency, &l->timeline, err));
  bool missing = false;
  for (int s = 0; s < VLB_TIMELINE_SLOTS; s++) {
    missing |= !(l->sights[s].previous = calloc(2 * (size_t)shape.chunk * (size_t)e->action_dim, sizeof(float)));
    for (int c = 0; c < e->cameras; c++) missing |= !(l->sights[s].image[c] = malloc(pixels));
  }
  for (int c = 0; c < e->cameras; c++) missing |= !(l->frames[c] = malloc(pixels));
  return missing ? vlb_fail(err, VLB_FAILED, "no memory for an episode") : VLB_OK;
}

static void close_lane(lane *l) {
  vlb_world_close(&l->world);
  vlb_timeline_free(l->timeline);
  for (int s = 0; s < VLB_TIMELINE_SLOTS; s++) {
    free(l->sights[s].previous);
    for (int c = 0; c < VLB_MAX_CAMERAS; c++) free(l->sights[s].image[c]);
  }
  for (int c = 0; c < VLB_MAX_CAMERAS; c++) free(l->frames[c]);
}

static vlb_code open_group(group *g, int first, vlb_error *err) {
  const vlb_rollout_config *c = g->run->config;
  size_t n = (size_t)g->lane_count, size = (size_t)c->render_size;
  g->lanes = calloc(n, sizeof *g->lanes);
  g->waiting = calloc(n, sizeof(lane *));
  g->observations = calloc(n, sizeof *g->observations);
  g->actions = calloc(n * (size_t)g->policy->chunk * (size_t)g->embodiment->action_dim, sizeof *g->actions);
  g->raw = malloc(size ? size * size * 3 : 1);
  if (!g->lanes || !g->waiting || !g->observations || !g->actions || !g->raw)
    return vlb_fail(err, VLB_FAILED, "no memory for %d episodes side by side", g->lane_count);
  for (int i = 0; i < g->lane_count; i++) {
    g->lanes[i].result = &g->run->results[g->task * (int)c->episodes_per_task + first + i];
    VLB_TRY(open_lane(g, &g->lanes[i], err));
  }
  if (!size) return VLB_OK;
  return vlb_renderers_take(&g->run->renderers, g->worker, g->run->scenes[g->task], &g->renderer, err);
}

static void close_group(group *g) {
  for (int i = 0; g->lanes && i < g->lane_count; i++) close_lane(&g->lanes[i]);
  if (g->renderer) vlb_renderers_give(&g->run->renderers, g->worker);
  free(g->lanes);
  free((void *)g->waiting);
  free(g->observations);
  free(g->actions);
  free(g->raw);
}

/* A job of the pool: up to `lanes` episodes of one task. */
static vlb_code run_group(void *self, int index, int worker, vlb_error *err) {
  run *r = self;
  int lanes = (int)r->config->lanes, first = index % r->groups * lanes, left = (int)r->config->episodes_per_task - first;
  group g = {.run = r, .worker = worker, .task = index / r->groups, .policy = &r->policies[worker], .embodiment = r->suite->embodiment,
             .lane_count = left < lanes ? left : lanes};
  vlb_code code = open_group(&g, first, err);
  if (!code) code = advance(&g, err);
  close_group(&g);
  return code;
}

void vlb_episode_results_clear(vlb_episode_result *results, int n) {
  for (int i = 0; results && i < n; i++) {
    free(results[i].trace);
    results[i].trace = NULL;
    results[i].trace_size = 0;
  }
}

/* The step limit of an episode, and what it takes to run at all. */
static vlb_code prepare(run *r, vlb_error *err) {
  const vlb_control_config *c = &r->config->control;
  r->every = c->control_every > 1 ? (int)c->control_every : 1;
  r->max_steps = r->config->max_steps ? (int)r->config->max_steps : r->suite->max_steps;
  if (c->fixed_time > 0 && !r->suite->family->again)
    return vlb_fail(err, VLB_USAGE, "fixed_time: the tasks of suite %s cannot start anew in the middle of an episode; those of the SO-100 and SO-101 can", r->suite->name);
  if (c->fixed_time > 0) r->max_steps = (int)lround(c->fixed_time * r->suite->embodiment->rate);
  VLB_TRY(vlb_latency_open(c, &r->latency, err));
  return vlb_scenes_compile(r->suite, &r->scenes, err);
}

vlb_code vlb_rollouts_run(const vlb_rollout_config *config, const vlb_suite *suite, const vlb_policy_callback *policies,
                          const vlb_context *ctx, const char *label, vlb_episode_result *results, vlb_error *err) {
  int per_task = (int)config->episodes_per_task, lanes = (int)config->lanes, total = suite->task_count * per_task;
  run r = {.config = config, .suite = suite, .policies = policies, .ctx = ctx, .results = results};
  r.groups = (per_task + lanes - 1) / lanes;
  for (int i = 0; i < total; i++)
    results[i] = (vlb_episode_result){.task = i / per_task, .episode = i % per_task, .outcome = VLB_EPISODE_NOT_RUN};
  vlb_code code = prepare(&r, err);
  if (code) {
    vlb_latency_close(&r.latency);
    return code;
  }
  pthread_mutex_init(&r.lock, NULL);
  vlb_progress_begin(ctx->log, label, 0, total, "episodes");
  code = vlb_renderers_make(&r.renderers, ctx->threads, (int)config->render_size, config->shadows, err);
  if (!code) code = vlb_parallel(ctx->threads, suite->task_count * r.groups, run_group, &r, err);
  vlb_renderers_free(&r.renderers);
  vlb_progress_end(ctx->log);
  pthread_mutex_destroy(&r.lock);
  vlb_scenes_free(r.scenes, suite->task_count);
  vlb_latency_close(&r.latency);
  /* what a stop left half way was not run */
  for (int i = 0; i < total; i++)
    if (results[i].outcome == VLB_EPISODE_NOT_RUN) results[i].steps = results[i].replans = results[i].completions = 0, results[i].score = 0;
  return code;
}
