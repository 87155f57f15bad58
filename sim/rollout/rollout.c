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
const vlb_field vlb_rollout_fields[] = {VLB_ROLLOUT_FIELDS(ROW){0}};

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
  vlb_episode_result *results;
  int max_steps, groups; /* groups of lanes per task: the jobs of the pool */
  pthread_mutex_t lock;  /* progress */
  int finished, succeeded;
} run;

/* One episode on its way. The queue holds the rest of the policy's last chunk. */
typedef struct {
  vlb_world world;
  vlb_episode_result *result;
  int active, queue_at;
  float *queue;                     /* [chunk, action_dim] */
  uint8_t *image[VLB_MAX_CAMERAS];  /* [size,size,3] */
} lane;

/* One worker's group of episodes of one task, advanced side by side. */
typedef struct {
  run *run;
  int worker, task, lane_count;
  const vlb_policy_callback *policy;
  const vlb_embodiment *embodiment;
  vlb_renderer *renderer;
  lane *lanes;                   /* [lane_count] */
  lane **waiting;                /* lanes that need a new chunk */
  vlb_observation *observations; /* [lane_count] */
  float *actions;                /* [lane_count, chunk, action_dim] */
  uint8_t *raw;                  /* one picture as rendered */
} group;

static void finish(group *g, lane *l, vlb_outcome outcome) {
  run *r = g->run;
  vlb_world_hash(&l->world, l->result->state_hash);
  l->active = 0;
  l->result->outcome = outcome;
  l->result->score = l->world.score;
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
  l->queue_at = g->policy->n_action_steps; /* empty */
  if (vlb_world_start(&l->world, l->result->episode, (uint64_t)r->config->seed, &err))
    finish_with_error(g, l, VLB_EPISODE_SIM_ERROR, &err);
  else if (l->world.success)
    finish(g, l, VLB_EPISODE_SUCCESS);
}

static vlb_code observe(group *g, lane *l, vlb_observation *o, vlb_error *err) {
  int size = (int)g->run->config->render_size;
  *o = (vlb_observation){.embodiment = g->embodiment, .size = size, .instruction = l->world.task->instruction, .task = g->task,
                         .episode = l->result->episode, .replan = l->result->replans};
  for (int c = 0; size && c < g->embodiment->cameras; c++) {
    VLB_TRY(vlb_render(g->renderer, l->world.model, l->world.data, l->world.scene->camera[c], g->raw, err));
    vlb_image_view(g->raw, size, g->embodiment->view, l->image[c]);
    o->image[c] = l->image[c];
  }
  l->world.suite->family->state(&l->world, o->state);
  return VLB_OK;
}

/* Asks the policy for one batch of waiting lanes. Its failure ends those episodes, not the run. */
static void infer(group *g, lane **waiting, int n) {
  vlb_error err = {VLB_OK, ""};
  size_t chunk = (size_t)g->policy->chunk * (size_t)g->embodiment->action_dim;
  vlb_code code = VLB_OK;
  for (int i = 0; i < n && !code; i++) code = observe(g, waiting[i], &g->observations[i], &err);
  vlb_outcome blame = code ? VLB_EPISODE_SIM_ERROR : VLB_EPISODE_POLICY_ERROR;
  if (!code) code = g->policy->infer(g->policy->self, n, g->observations, g->actions, &err);
  for (int i = 0; i < n; i++) {
    lane *l = waiting[i];
    if (code) {
      finish_with_error(g, l, blame, &err);
      continue;
    }
    l->result->replans++;
    l->queue_at = 0;
    memcpy(l->queue, g->actions + (size_t)i * chunk, chunk * sizeof *l->queue);
  }
}

static void refill_queues(group *g) {
  int n = 0;
  for (int i = 0; i < g->lane_count; i++)
    if (g->lanes[i].active && g->lanes[i].queue_at == g->policy->n_action_steps) g->waiting[n++] = &g->lanes[i];
  for (int at = 0; at < n; at += g->policy->batch) infer(g, g->waiting + at, n - at < g->policy->batch ? n - at : g->policy->batch);
}

static void step_lane(group *g, lane *l) {
  vlb_error err = {VLB_OK, ""};
  double action[VLB_MAX_ACTION];
  const int n = g->embodiment->action_dim;
  const float *next = l->queue + l->queue_at++ * n;
  for (int i = 0; i < n; i++) {
    action[i] = (double)next[i];
    if (isfinite(action[i])) continue;
    vlb_fail(&err, VLB_FAILED, "the policy's action %d at step %d is not a finite number", i, l->result->steps);
    finish_with_error(g, l, VLB_EPISODE_POLICY_ERROR, &err);
    return;
  }
  l->result->steps++;
  if (vlb_world_step(&l->world, action, &err))
    finish_with_error(g, l, VLB_EPISODE_SIM_ERROR, &err);
  else if (l->world.success)
    finish(g, l, VLB_EPISODE_SUCCESS);
  else if (l->result->steps >= g->run->max_steps)
    finish(g, l, VLB_EPISODE_TIMEOUT);
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
    refill_queues(g);
    for (int i = 0; i < g->lane_count; i++)
      if (g->lanes[i].active) step_lane(g, &g->lanes[i]);
  }
  return VLB_OK;
}

static vlb_code open_lane(group *g, lane *l, vlb_error *err) {
  size_t size = (size_t)g->run->config->render_size, pixels = size ? size * size * 3 : 1;
  VLB_TRY(vlb_world_open(&l->world, g->run->suite, g->task, g->run->scenes[g->task], err));
  l->queue = malloc((size_t)g->policy->chunk * (size_t)g->embodiment->action_dim * sizeof *l->queue);
  int missing = !l->queue;
  for (int c = 0; c < g->embodiment->cameras; c++) missing |= !(l->image[c] = malloc(pixels));
  return missing ? vlb_fail(err, VLB_FAILED, "no memory for an episode") : VLB_OK;
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
  for (int i = 0; g->lanes && i < g->lane_count; i++) {
    vlb_world_close(&g->lanes[i].world);
    free(g->lanes[i].queue);
    for (int c = 0; c < VLB_MAX_CAMERAS; c++) free(g->lanes[i].image[c]);
  }
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

vlb_code vlb_rollouts_run(const vlb_rollout_config *config, const vlb_suite *suite, const vlb_policy_callback *policies,
                          const vlb_context *ctx, const char *label, vlb_episode_result *results, vlb_error *err) {
  int per_task = (int)config->episodes_per_task, lanes = (int)config->lanes, total = suite->task_count * per_task;
  run r = {.config = config, .suite = suite, .policies = policies, .ctx = ctx, .results = results};
  r.max_steps = config->max_steps ? (int)config->max_steps : suite->max_steps;
  r.groups = (per_task + lanes - 1) / lanes;
  for (int i = 0; i < total; i++)
    results[i] = (vlb_episode_result){.task = i / per_task, .episode = i % per_task, .outcome = VLB_EPISODE_NOT_RUN};
  VLB_TRY(vlb_scenes_compile(suite, &r.scenes, err));
  pthread_mutex_init(&r.lock, NULL);
  vlb_progress_begin(ctx->log, label, 0, total, "episodes");
  vlb_code code = vlb_renderers_make(&r.renderers, ctx->threads, (int)config->render_size, config->shadows, err);
  if (!code) code = vlb_parallel(ctx->threads, suite->task_count * r.groups, run_group, &r, err);
  vlb_renderers_free(&r.renderers);
  vlb_progress_end(ctx->log);
  pthread_mutex_destroy(&r.lock);
  vlb_scenes_free(r.scenes, suite->task_count);
  /* what a stop left half way was not run */
  for (int i = 0; i < total; i++)
    if (results[i].outcome == VLB_EPISODE_NOT_RUN) results[i].steps = results[i].replans = 0, results[i].score = 0;
  return code;
}
