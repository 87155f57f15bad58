#include "sim/rollout/bench.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/pool.h"
#include "core/base/timing.h"
#include "sim/render/render.h"
#include "sim/world/engine.h"

enum { SEED = 1000, MOST = 20000 }; /* SEED: the demonstrations' */

/* The expert at work, episode after episode. */
typedef struct {
  vlb_world world;
  int episode, step;
} player;

static vlb_code start(player *p, int episode, vlb_error *err) {
  p->episode = episode;
  p->step = 0;
  VLB_TRY(vlb_world_start(&p->world, episode, SEED, err));
  return p->world.suite->family->expert_start(&p->world, episode, SEED, err);
}

static int over(const player *p) { return p->step >= p->world.suite->max_steps || p->world.suite->family->expert_finished(&p->world); }

/* One control step as a rollout takes it: the state that a policy reads is part of it. */
static vlb_code step(player *p, const double *action, vlb_error *err) {
  float state[VLB_MAX_STATE];
  p->step++;
  VLB_TRY(vlb_world_step(&p->world, action, err));
  p->world.suite->family->state(&p->world, state);
  return VLB_OK;
}

static vlb_code play(player *p, vlb_error *err) {
  double action[VLB_MAX_ACTION];
  p->world.suite->family->expert_act(&p->world, action);
  return step(p, action, err);
}

/* --- steps --- */

typedef struct {
  const mjModel *model;
  mjData *data;
  int n;
} bare_job;

static vlb_code bare_steps(void *self, vlb_error *err) {
  bare_job *job = self;
  (void)err;
  for (int i = 0; i < job->n; i++) mj_step(job->model, job->data);
  return VLB_OK;
}

static vlb_code time_bare(bare_job *job, double *seconds, vlb_error *err) {
  double from = vlb_thread_seconds();
  VLB_TRY(vlb_engine_guard(bare_steps, job, err));
  *seconds = vlb_thread_seconds() - from;
  return VLB_OK;
}

static vlb_code time_ours(player *p, const double *action, double *seconds, vlb_error *err) {
  double from = vlb_thread_seconds();
  VLB_TRY(step(p, action, err));
  *seconds = vlb_thread_seconds() - from;
  return VLB_OK;
}

/* From one state, each on its own mjData; which goes first changes from step to step. */
static vlb_code time_pair(player *p, bare_job *bare, double *ours, double *theirs, vlb_error *err) {
  double action[VLB_MAX_ACTION];
  p->world.suite->family->expert_act(&p->world, action);
  mj_copyData(bare->data, bare->model, p->world.data);
  if (p->step % 2) {
    VLB_TRY(time_bare(bare, theirs, err));
    return time_ours(p, action, ours, err);
  }
  VLB_TRY(time_ours(p, action, ours, err));
  return time_bare(bare, theirs, err);
}

/* Control steps take a whole number of physics steps, which the first one shows. */
static vlb_code count_substeps(player *p, int *n, vlb_error *err) {
  double from = p->world.data->time;
  VLB_TRY(play(p, err));
  *n = (int)lround((p->world.data->time - from) / p->world.model->opt.timestep);
  return *n > 0 ? VLB_OK : vlb_fail(err, VLB_FAILED, "task %d: a control step takes no time", p->world.task_index);
}

static vlb_code measure_steps(player *p, bare_job *bare, double seconds, double *ours, double *theirs, double *ratio, int *n, vlb_error *err) {
  double until = vlb_seconds() + seconds;
  VLB_TRY(start(p, 0, err));
  VLB_TRY(count_substeps(p, &bare->n, err));
  while (*n < MOST && (vlb_seconds() < until || *n < 2)) {
    if (over(p)) VLB_TRY(start(p, p->episode + 1, err));
    VLB_TRY(time_pair(p, bare, &ours[*n], &theirs[*n], err));
    ratio[*n] = ours[*n] / theirs[*n];
    ++*n;
  }
  return VLB_OK;
}

vlb_code vlb_bench_steps_of(const vlb_suite *suite, const vlb_scene *scene, int task, double seconds, vlb_bench_steps *out, vlb_error *err) {
  player p;
  VLB_TRY(vlb_world_open(&p.world, suite, task, scene, err));
  bare_job bare = {p.world.model, mj_makeData(p.world.model), 0};
  double *times = malloc(3 * MOST * sizeof *times), *ours = times, *theirs = times + MOST, *ratio = times + 2 * MOST;
  int n = 0;
  vlb_code code = bare.data && times ? measure_steps(&p, &bare, seconds, ours, theirs, ratio, &n, err)
                                     : vlb_fail(err, VLB_FAILED, "no memory for a second simulation");
  if (!code) *out = (vlb_bench_steps){n, bare.n, vlb_median(ours, n), vlb_median(theirs, n), vlb_median(ratio, n) - 1};
  free(times);
  if (bare.data) mj_deleteData(bare.data);
  vlb_world_close(&p.world);
  return code;
}

/* --- pictures --- */

static vlb_code measure_frames(player *p, vlb_renderer *r, int camera, uint8_t *rgb, double seconds, double *times, double *cpu, int *n, vlb_error *err) {
  double until = vlb_seconds() + seconds;
  VLB_TRY(start(p, 0, err));
  VLB_TRY(vlb_render(r, p->world.model, p->world.data, camera, rgb, err)); /* the first one compiles shaders */
  while (*n < MOST && (vlb_seconds() < until || *n < 2)) {
    if (over(p)) VLB_TRY(start(p, 0, err));
    VLB_TRY(play(p, err));
    double from = vlb_seconds(), cpu_from = vlb_thread_seconds();
    VLB_TRY(vlb_render(r, p->world.model, p->world.data, camera, rgb, err));
    cpu[*n] = vlb_thread_seconds() - cpu_from;
    times[(*n)++] = vlb_seconds() - from;
  }
  return VLB_OK;
}

vlb_code vlb_bench_frames_of(const vlb_suite *suite, const vlb_scene *scene, int task, int camera, int size, int shadows, double seconds,
                             vlb_bench_frames *out, vlb_error *err) {
  player p;
  vlb_renderer *r = NULL;
  int n = 0;
  VLB_TRY(vlb_world_open(&p.world, suite, task, scene, err));
  double *times = malloc(2 * MOST * sizeof *times), *cpu = times + MOST, from = vlb_seconds();
  uint8_t *rgb = malloc((size_t)size * (size_t)size * 3);
  vlb_code code = times && rgb ? vlb_renderer_open(scene, size, shadows, &r, err) : vlb_fail(err, VLB_FAILED, "no memory for a picture");
  double opened = vlb_seconds();
  if (!code) code = measure_frames(&p, r, scene->camera[camera], rgb, seconds, times, cpu, &n, err);
  if (!code) *out = (vlb_bench_frames){n, opened - from, vlb_median(times, n), vlb_median(cpu, n)};
  vlb_renderer_close(r);
  free(rgb);
  free(times);
  vlb_world_close(&p.world);
  return code;
}

/* --- episodes --- */

typedef struct {
  const vlb_suite *suite;
  vlb_scene *const *scenes;
  const vlb_context *ctx;
  vlb_renderers renderers;
  int per_task, size;
  uint8_t **rgb; /* [threads], a picture each */
  pthread_mutex_t lock; /* of what follows */
  int succeeded;
} expert_run;

static vlb_code look(const player *p, vlb_renderer *r, uint8_t *rgb, vlb_error *err) {
  for (int c = 0; r && c < p->world.suite->embodiment->cameras; c++)
    VLB_TRY(vlb_render(r, p->world.model, p->world.data, p->world.scene->camera[c], rgb, err));
  return VLB_OK;
}

static vlb_code play_episode(player *p, int episode, vlb_renderer *r, uint8_t *rgb, vlb_error *err) {
  VLB_TRY(start(p, episode, err));
  while (!over(p)) {
    VLB_TRY(look(p, r, rgb, err));
    VLB_TRY(play(p, err));
  }
  return VLB_OK;
}

static vlb_code run_episode(void *self, int index, int worker, vlb_error *err) {
  expert_run *run = self;
  player p;
  vlb_renderer *r = NULL;
  int task = index / run->per_task;
  VLB_TRY(vlb_check_stop(run->ctx, err));
  VLB_TRY(vlb_world_open(&p.world, run->suite, task, run->scenes[task], err));
  vlb_code code = run->size ? vlb_renderers_take(&run->renderers, worker, run->scenes[task], &r, err) : VLB_OK;
  if (!code) code = play_episode(&p, index % run->per_task, r, run->rgb[worker], err);
  pthread_mutex_lock(&run->lock);
  run->succeeded += !code && p.world.success;
  pthread_mutex_unlock(&run->lock);
  vlb_renderers_give(&run->renderers, worker);
  vlb_world_close(&p.world);
  return code;
}

vlb_code vlb_bench_expert(const vlb_suite *suite, vlb_scene *const *scenes, int per_task, int size, const vlb_context *ctx,
                          vlb_bench_episodes *out, vlb_error *err) {
  int n = suite->task_count * per_task, missing = 0;
  expert_run run = {.suite = suite, .scenes = scenes, .ctx = ctx, .per_task = per_task, .size = size};
  run.rgb = calloc((size_t)ctx->threads, sizeof *run.rgb);
  for (int i = 0; run.rgb && i < ctx->threads; i++) missing |= !(run.rgb[i] = malloc((size_t)size * (size_t)size * 3 + 1));
  vlb_code code = run.rgb && !missing ? VLB_OK : vlb_fail(err, VLB_FAILED, "no memory for pictures");
  if (!code) code = vlb_renderers_make(&run.renderers, ctx->threads, size, 0, err);
  pthread_mutex_init(&run.lock, NULL);
  double from = vlb_seconds();
  if (!code) code = vlb_parallel(ctx->threads, n, run_episode, &run, err);
  *out = (vlb_bench_episodes){n, run.succeeded, n / (vlb_seconds() - from)};
  pthread_mutex_destroy(&run.lock);
  vlb_renderers_free(&run.renderers);
  for (int i = 0; run.rgb && i < ctx->threads; i++) free(run.rgb[i]);
  free(run.rgb);
  return code;
}
