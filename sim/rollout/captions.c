#include "sim/rollout/captions.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/pool.h"
#include "core/data/captions.h"
#include "core/data/image.h"
#include "sim/render/render.h"
#include "sim/rollout/push.h"
#include "sim/rollout/suites.h"
#include "sim/task/facts.h"

#define ROW(kind, name, ...) VLB_FIELD_ROW(vlb_caption_config, kind, name, __VA_ARGS__)
const vlb_field vlb_caption_fields[] = {VLB_CAPTION_FIELDS(ROW){0}};

/* Frames of one episode, in growing memory. */
typedef struct {
  int frames, room;
  uint8_t *pixels;
  char *text;
  size_t text_size;
  size_t *ends; /* of every frame's text */
} reel;

typedef struct {
  const vlb_caption_config *config;
  const char *folder;
  const vlb_context *ctx;
  vlb_suite *suite;
  vlb_scene **scenes;
  vlb_renderers renderers;
  int task;
  reel *reels; /* [episodes_per_task] of the present task */
} recorder;

static void free_reel(reel *r) {
  free(r->pixels), free(r->text), free(r->ends);
  *r = (reel){0};
}

static size_t frame_bytes(const recorder *r) {
  size_t side = (size_t)r->config->render_size;
  return (size_t)r->suite->embodiment->cameras * side * side * 3;
}

static vlb_code grow(reel *to, size_t bytes, vlb_error *err) {
  if (to->frames < to->room) return VLB_OK;
  int room = 2 * to->room + 32;
  uint8_t *pixels = realloc(to->pixels, (size_t)room * bytes);
  if (pixels) to->pixels = pixels;
  size_t *ends = realloc(to->ends, (size_t)room * sizeof *ends);
  if (ends) to->ends = ends;
  if (!pixels || !ends) return vlb_fail(err, VLB_FAILED, "no memory for scenes");
  to->room = room;
  return VLB_OK;
}

/* One frame: its pictures as a policy sees them, and what is true of it. */
static vlb_code take_frame(const recorder *r, const vlb_world *w, vlb_renderer *renderer, vlb_rng *rng, reel *to, FILE *text, vlb_error *err) {
  size_t bytes = frame_bytes(r), side = (size_t)r->config->render_size, picture = side * side * 3;
  VLB_TRY(grow(to, bytes, err));
  uint8_t *raw = malloc(picture);
  vlb_code code = raw ? VLB_OK : vlb_fail(err, VLB_FAILED, "no memory for a picture");
  for (int c = 0; c < r->suite->embodiment->cameras && !code; c++) {
    code = vlb_render(renderer, w->model, w->data, w->scene->camera[c], raw, err);
    if (!code) vlb_image_view(raw, (int)side, r->suite->embodiment->view, to->pixels + (size_t)to->frames * bytes + (size_t)c * picture);
  }
  free(raw);
  if (code) return code;
  vlb_facts_write(w, rng, text);
  if (fflush(text)) return vlb_fail(err, VLB_FAILED, "no memory for captions");
  to->ends[to->frames++] = to->text_size;
  return VLB_OK;
}

/* Chance per step of a push off the expert's way. */
static const double push_chance = 0.03;

/* An episode that the simulator ends keeps the frames it has. */
static vlb_code play(const recorder *r, vlb_world *w, vlb_renderer *renderer, int episode, reel *to, FILE *text, vlb_error *err) {
  const vlb_family *family = w->suite->family;
  uint64_t seed = (uint64_t)r->config->seed;
  vlb_rng rng = vlb_rng_make(seed, VLB_RNG_SCENE, (uint32_t)w->task_index, (uint32_t)episode);
  vlb_error trouble;
  vlb_push push = {.chance = push_chance};
  if (vlb_world_start(w, episode, seed, &trouble)) return VLB_OK;
  VLB_TRY(family->expert_start(w, episode, seed, err));
  for (int step = 0; step < w->suite->max_steps; step++) {
    double action[VLB_MAX_ACTION];
    if (step == 0 || vlb_rng_uniform(&rng) * (double)r->config->every < 1) VLB_TRY(take_frame(r, w, renderer, &rng, to, text, err));
    family->expert_act(w, action);
    vlb_push_apply(&push, &rng, action);
    if (vlb_world_step(w, action, &trouble) || family->expert_finished(w)) break;
  }
  return VLB_OK;
}

static vlb_code record_episode(void *self, int index, int worker, vlb_error *err) {
  recorder *r = self;
  reel *to = &r->reels[index];
  vlb_world world;
  vlb_renderer *renderer = NULL;
  VLB_TRY(vlb_check_stop(r->ctx, err));
  FILE *text = open_memstream(&to->text, &to->text_size);
  if (!text) return vlb_fail(err, VLB_FAILED, "no memory for captions");
  vlb_code code = vlb_world_open(&world, r->suite, r->task, r->scenes[r->task], err);
  if (!code) code = vlb_renderers_take(&r->renderers, worker, r->scenes[r->task], &renderer, err);
  if (!code) code = play(r, &world, renderer, index, to, text, err);
  if (renderer) vlb_renderers_give(&r->renderers, worker);
  vlb_world_close(&world);
  if (fclose(text) && !code) code = vlb_fail(err, VLB_FAILED, "no memory for captions");
  return code;
}

/* All reels end to end. */
static vlb_code join(const recorder *r, vlb_captions *out, vlb_error *err) {
  size_t bytes = frame_bytes(r), text = 0;
  for (int64_t i = 0; i < r->config->episodes_per_task; i++) {
    out->frames += r->reels[i].frames;
    text += r->reels[i].frames ? r->reels[i].ends[r->reels[i].frames - 1] : 0;
  }
  out->cameras = r->suite->embodiment->cameras;
  out->size = (int)r->config->render_size;
  out->pixels = malloc((size_t)out->frames * bytes + 1);
  out->text = malloc(text + 1);
  out->at = calloc((size_t)out->frames + 1, sizeof *out->at);
  out->episode = calloc((size_t)out->frames + 1, sizeof *out->episode);
  if (!out->pixels || !out->text || !out->at || !out->episode) return vlb_fail(err, VLB_FAILED, "no memory for %lld scenes", (long long)out->frames);
  int64_t frame = 0, at = 0;
  for (int i = 0; i < (int)r->config->episodes_per_task; i++) {
    const reel *from = &r->reels[i];
    if (!from->frames) continue;
    memcpy(out->pixels + (size_t)frame * bytes, from->pixels, (size_t)from->frames * bytes);
    memcpy(out->text + at, from->text, from->ends[from->frames - 1]);
    for (int k = 0; k < from->frames; k++) {
      out->episode[frame++] = i;
      out->at[frame] = at + (int64_t)from->ends[k];
    }
    at = out->at[frame];
  }
  return VLB_OK;
}

static vlb_code record_task(recorder *r, const char *path, vlb_error *err) {
  int n = (int)r->config->episodes_per_task;
  vlb_captions all = {0};
  r->reels = calloc((size_t)n, sizeof *r->reels);
  vlb_code code = r->reels ? vlb_parallel(r->ctx->threads, n, record_episode, r, err) : vlb_fail(err, VLB_FAILED, "no memory for scenes");
  if (!code) code = join(r, &all, err);
  if (!code && !all.frames) code = vlb_fail(err, VLB_FAILED, "not one episode of \"%s\" could start", r->suite->tasks[r->task].instruction);
  if (!code) code = vlb_captions_write(&all, path, err);
  vlb_captions_close(&all);
  for (int i = 0; r->reels && i < n; i++) free_reel(&r->reels[i]);
  free(r->reels);
  return code;
}

static vlb_code record_tasks(recorder *r, vlb_error *err) {
  vlb_code code = VLB_OK;
  char label[80];
  snprintf(label, sizeof label, "scenes %s", r->suite->name);
  vlb_progress_begin(r->ctx->log, label, 0, r->suite->task_count, "tasks");
  for (r->task = 0; r->task < r->suite->task_count && !code; r->task++) {
    char path[1024];
    code = vlb_path(path, sizeof path, err, "%s/%s_%02d.captions", r->folder, r->suite->name, r->task);
    if (!code && !vlb_file_exists(path)) code = record_task(r, path, err);
    vlb_progress_set(r->ctx->log, r->task + 1, NULL);
  }
  vlb_progress_end(r->ctx->log);
  return code;
}

static vlb_code record_suite(recorder *r, const char *name, vlb_error *err) {
  VLB_TRY(vlb_suite_open(name, &r->suite, err));
  vlb_code code = VLB_OK;
  if (r->suite->embodiment != &vlb_panda) code = vlb_fail(err, VLB_USAGE, "suites: %s is not a suite of the Panda", name);
  if (!code) code = vlb_scenes_compile(r->suite, &r->scenes, err);
  if (!code) code = vlb_renderers_make(&r->renderers, r->ctx->threads, (int)r->config->render_size, r->config->shadows, err);
  if (!code) code = record_tasks(r, err);
  vlb_renderers_free(&r->renderers);
  vlb_scenes_free(r->scenes, r->suite->task_count);
  vlb_suite_free(r->suite);
  r->scenes = NULL;
  return code;
}

/* Settings of what is in the folder; a folder with other ones is not continued. */
static vlb_code claim_folder(const recorder *r, vlb_error *err) {
  char path[1024], settings[1024] = "", *found = NULL;
  size_t size = 0;
  FILE *out = fmemopen(settings, sizeof settings, "w");
  if (out) vlb_fields_write(vlb_caption_fields, r->config, out);
  if (!out || fclose(out)) return vlb_fail(err, VLB_FAILED, "no memory for the settings");
  VLB_TRY(vlb_folder_make(r->folder, err));
  vlb_folder_clean(r->folder);
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/captions.toml", r->folder));
  if (!vlb_file_exists(path)) return vlb_file_write(path, settings, strlen(settings), err);
  vlb_code code = vlb_file_read(path, &found, &size, err);
  if (!code && strcmp(found, settings))
    code = vlb_fail(err, VLB_USAGE, "%s: this folder holds scenes with other settings; choose another or delete it", path);
  free(found);
  return code;
}

vlb_code vlb_captions_record(const vlb_caption_config *config, const char *folder, const vlb_context *ctx, vlb_error *err) {
  recorder r = {.config = config, .folder = folder, .ctx = ctx};
  char names[VLB_TEXT_SIZE], *rest = names;
  VLB_TRY(claim_folder(&r, err));
  snprintf(names, sizeof names, "%s", config->suites.s);
  for (char *name; (name = strsep(&rest, ",")) != NULL;)
    if (*name) VLB_TRY(record_suite(&r, name, err));
  return VLB_OK;
}
