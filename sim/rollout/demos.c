#include "sim/rollout/demos.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/pool.h"
#include "sim/rollout/push.h"
#include "sim/rollout/quality.h"
#include "sim/rollout/record.h"
#include "sim/rollout/suites.h"

#define ROW(kind, name, ...) VLB_FIELD_ROW(vlb_demo_config, kind, name, __VA_ARGS__)
const vlb_field vlb_demo_fields[] = {VLB_DEMO_FIELDS(ROW){0}};

void vlb_demo_settings_write(const vlb_demo_config *config, FILE *out) {
  static const char *const later[] = {"noise", "variety", "pushes", "actions", NULL};
  vlb_fields_write_later(vlb_demo_fields, config, later, out);
}

typedef struct {
  const vlb_demo_config *config;
  const char *folder;
  const vlb_context *ctx;
  vlb_suite *suite;
  vlb_scene **scenes;
  vlb_renderers renderers;
  char settings[sizeof ((vlb_task_info *)0)->settings]; /* text of demos.toml, and of every file: replays start from it */
  vlb_quality *quality; /* [task_count]; tried 0: not recorded yet */
  pthread_mutex_t lock; /* of what follows */
  int stored;
  vlb_error trouble; /* of an attempt that the simulator ended */
} recorder;

/* The attempts of one round at one task; attempt i of the round is episode first + i. */
typedef struct {
  recorder *rec;
  int task, first;
  vlb_episode *episodes; /* [attempts]; frames 0 where the expert failed */
  double *starts;        /* [attempts,width]: where the bodies were */
  int width;
} task_round;

static vlb_code attempt(void *self, int index, int worker, vlb_error *err) {
  task_round *round = self;
  recorder *r = round->rec;
  VLB_TRY(vlb_check_stop(r->ctx, err));
  vlb_record_settings s = {.episode = round->first + index, .size = (int)r->config->render_size, .seed = (uint64_t)r->config->seed,
                           .start = round->starts + index * round->width, .noise = r->config->noise, .variety = r->config->variety,
                           .pushes = r->config->pushes, .wanted = r->config->actions == VLB_ACTIONS_WANTED};
  vlb_world world;
  vlb_renderer *renderer = NULL;
  vlb_error trouble = {VLB_OK, ""};
  int succeeded = 0;
  vlb_code code = vlb_world_open(&world, r->suite, round->task, r->scenes[round->task], err);
  if (!code) code = vlb_renderers_take(&r->renderers, worker, r->scenes[round->task], &renderer, err);
  if (!code) code = vlb_record(&s, &world, renderer, &round->episodes[index], &succeeded, &trouble, err);
  if (renderer) vlb_renderers_give(&r->renderers, worker);
  vlb_world_close(&world);
  if (!succeeded) vlb_episode_free(&round->episodes[index]);
  if (code) return code;
  pthread_mutex_lock(&r->lock);
  if (trouble.code) r->trouble = trouble;
  if (succeeded) vlb_progress_set(r->ctx->log, ++r->stored, "%s", r->suite->tasks[round->task].instruction);
  pthread_mutex_unlock(&r->lock);
  return VLB_OK;
}

static vlb_code too_hard(const recorder *r, int task, int have, int tried, vlb_error *err) {
  const char *why = r->trouble.code ? r->trouble.message : "look at one with 'vlabench render SUITE/TASK --rows 10'";
  return vlb_fail(err, VLB_FAILED, "task \"%s\": the expert succeeded in only %d of %d attempts; %s", r->suite->tasks[task].instruction, have,
                  tried, why);
}

/* Rounds of attempts until enough succeeded: which attempts are made never depends on the threads. The episodes that
 * succeeded, and their starts [per_task,width], are packed to the front. */
static vlb_code record_rounds(recorder *r, int task, vlb_episode *episodes, double *starts, int width, int *tried, vlb_error *err) {
  int wanted = (int)r->config->per_task, have = 0;
  *tried = 0;
  r->trouble = (vlb_error){VLB_OK, ""};
  while (have < wanted) {
    int missing = wanted - have, kept = have;
    if (*tried > 20 && *tried > 2 * have) return too_hard(r, task, have, *tried, err);
    task_round round = {r, task, *tried, episodes + have, starts + have * width, width};
    VLB_TRY(vlb_parallel(r->ctx->threads, missing, attempt, &round, err));
    for (int i = 0; i < missing; i++) {
      vlb_episode *e = &episodes[kept + i];
      if (!e->frames) continue;
      if (have != kept + i) {
        episodes[have] = *e;
        *e = (vlb_episode){0};
        memcpy(starts + have * width, starts + (kept + i) * width, (size_t)width * sizeof *starts);
      }
      have++;
    }
    *tried += missing;
  }
  return VLB_OK;
}

static vlb_code task_path(const recorder *r, int task, char *path, size_t size, vlb_error *err) {
  return vlb_path(path, size, err, "%s/%s_demo.hdf5", r->folder, r->suite->tasks[task].name);
}

/* The file first, its row in quality.csv second: a file without its row is recorded again, to the same bytes. */
static vlb_code store(recorder *r, int task, const vlb_episode *episodes, const double *starts, int width, int tried, vlb_error *err) {
  char path[1024];
  int n = (int)r->config->per_task;
  vlb_task_info info = {.env_name = "vlabench", .observed_before = true};
  memcpy(info.instruction, r->suite->tasks[task].instruction, sizeof info.instruction);
  memcpy(info.settings, r->settings, sizeof info.settings);
  snprintf(info.bddl_file_name, sizeof info.bddl_file_name, "%s/%s", r->suite->name, r->suite->tasks[task].name);
  VLB_TRY(task_path(r, task, path, sizeof path, err));
  VLB_TRY(vlb_episodes_write(path, &info, episodes, n, err));
  VLB_TRY(vlb_quality_measure(episodes, n, starts, width, tried, &r->quality[task], err));
  return vlb_quality_write(r->folder, r->suite, r->quality, err);
}

static vlb_code record_task(recorder *r, int task, vlb_error *err) {
  int n = (int)r->config->per_task, width = 3 * (int)r->scenes[task]->model->nbody, tried;
  vlb_episode *episodes = calloc((size_t)n, sizeof *episodes);
  double *starts = calloc((size_t)n * (size_t)width, sizeof *starts);
  vlb_code code = episodes && starts ? VLB_OK : vlb_fail(err, VLB_FAILED, "no memory for %d demonstrations", n);
  if (!code) code = record_rounds(r, task, episodes, starts, width, &tried, err);
  if (!code) code = store(r, task, episodes, starts, width, tried, err);
  for (int i = 0; episodes && i < n; i++) vlb_episode_free(&episodes[i]);
  free(episodes);
  free(starts);
  return code;
}

/* Settings of what is in the folder; a folder with other ones is not continued. */
static vlb_code claim_folder(const recorder *r, vlb_error *err) {
  char path[1024], *found = NULL;
  size_t size = 0;
  VLB_TRY(vlb_folder_make(r->folder, err));
  vlb_folder_clean(r->folder);
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/demos.toml", r->folder));
  vlb_code code = VLB_OK;
  if (!vlb_file_exists(path))
    code = vlb_file_write(path, r->settings, strlen(r->settings), err);
  else if (!(code = vlb_file_read(path, &found, &size, err)) && strcmp(found, r->settings))
    code = vlb_fail(err, VLB_USAGE, "%s: this folder holds demonstrations with other settings; choose another or delete it", path);
  free(found);
  return code;
}

static vlb_code write_settings(recorder *r, vlb_error *err) {
  FILE *out = fmemopen(r->settings, sizeof r->settings, "w");
  if (out) vlb_demo_settings_write(r->config, out);
  return out && !fclose(out) ? VLB_OK : vlb_fail(err, VLB_FAILED, "no memory for the settings");
}

/* Tasks whose file and row are both there need no work. */
static vlb_code find_done(recorder *r, vlb_error *err) {
  char path[1024];
  VLB_TRY(vlb_quality_read(r->folder, r->suite, r->quality, err));
  for (int t = 0; t < r->suite->task_count; t++) {
    VLB_TRY(task_path(r, t, path, sizeof path, err));
    if (!vlb_file_exists(path)) r->quality[t].tried = 0;
    if (r->quality[t].tried) r->stored += (int)r->config->per_task;
  }
  return VLB_OK;
}

/* A folder without any demonstration must not look like one that has some. */
static void leave_folder(const recorder *r) {
  char path[1024];
  for (int t = 0; t < r->suite->task_count; t++)
    if (r->quality[t].tried) return;
  if (!vlb_path(path, sizeof path, NULL, "%s/demos.toml", r->folder)) (void)unlink(path);
  (void)rmdir(r->folder); /* only when nothing else is in it */
}

static vlb_code record_tasks(recorder *r, vlb_error *err) {
  VLB_TRY(find_done(r, err));
  VLB_TRY(vlb_scenes_compile(r->suite, &r->scenes, err));
  vlb_code code = VLB_OK;
  vlb_progress_begin(r->ctx->log, "demos", r->stored, r->suite->task_count * (int)r->config->per_task, "demonstrations");
  for (int t = 0; t < r->suite->task_count && !code; t++)
    if (!r->quality[t].tried) code = record_task(r, t, err);
  vlb_progress_end(r->ctx->log);
  return code;
}

static vlb_code record_all(recorder *r, vlb_error *err) {
  VLB_TRY(write_settings(r, err));
  VLB_TRY(claim_folder(r, err));
  vlb_code code = record_tasks(r, err);
  if (code) leave_folder(r);
  return code;
}

static vlb_code check_pushes(const vlb_demo_config *config, const vlb_suite *suite, vlb_error *err) {
  if (config->pushes <= 0 || vlb_push_works(suite->embodiment)) return VLB_OK;
  return vlb_fail(err, VLB_USAGE, "pushes: actions of the robot %s are joint angles, not a hand's motion; suite %s needs pushes = 0",
                  suite->embodiment->name, suite->name);
}

vlb_code vlb_demos_record(const vlb_demo_config *config, const char *folder, const vlb_context *ctx, vlb_error *err) {
  recorder r = {.config = config, .folder = folder, .ctx = ctx};
  VLB_TRY(vlb_suite_open(config->suite.s, &r.suite, err));
  r.quality = calloc((size_t)r.suite->task_count, sizeof *r.quality);
  pthread_mutex_init(&r.lock, NULL);
  vlb_code code = r.quality ? check_pushes(config, r.suite, err) : vlb_fail(err, VLB_FAILED, "no memory for a suite");
  if (!code) code = vlb_renderers_make(&r.renderers, ctx->threads, (int)config->render_size, config->shadows, err);
  if (!code) code = record_all(&r, err);
  vlb_renderers_free(&r.renderers);
  pthread_mutex_destroy(&r.lock);
  vlb_scenes_free(r.scenes, r.suite->task_count);
  free(r.quality);
  vlb_suite_free(r.suite);
  return code;
}
