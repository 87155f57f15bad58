#include "core/train/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/data/episodes.h"
#include "core/data/image.h"
#include "core/data/tokenizer.h"

/* Two passes over the files: the first, without pixels, finds how many frames there are and the statistics; the second fills the
 * pixels into one block of the right size. HDF5 holds one lock for the whole library, so the files are read one after the other. */
typedef struct {
  vlb_dataset *data;
  const vlb_model_config *model;
  const vlb_context *ctx;
  double *states, *actions; /* [N,state_dim], [N,action_dim] as recorded, while loading */
  int64_t capacity;         /* frames that fit the arrays of the first pass */
  int64_t filled;           /* frames that have their pixels */
  const char *path;         /* of the file being read, for messages */
} loader;

static vlb_code no_memory(vlb_error *err) { return vlb_fail(err, VLB_FAILED, "not enough memory for the demonstrations; load fewer files"); }

/* realloc that keeps the old block and says so when there is no memory */
static vlb_code grow(void *block, size_t bytes, vlb_error *err) {
  void **p = block;
  void *q = realloc(*p, bytes);
  if (!q) return no_memory(err);
  *p = q;
  return VLB_OK;
}

static vlb_code reserve(loader *l, int64_t frames, vlb_error *err) {
  if (frames <= l->capacity) return VLB_OK;
  size_t n = (size_t)(frames > 2 * l->capacity ? frames : 2 * l->capacity);
  VLB_TRY(grow(&l->states, n * (size_t)l->data->state_dim * sizeof *l->states, err));
  VLB_TRY(grow(&l->actions, n * (size_t)l->data->action_dim * sizeof *l->actions, err));
  VLB_TRY(grow(&l->data->episode_end, n * sizeof *l->data->episode_end, err));
  VLB_TRY(grow(&l->data->task, n * sizeof *l->data->task, err));
  l->capacity = (int64_t)n;
  return VLB_OK;
}

static vlb_code add_episode(loader *l, const vlb_episode *e, int64_t lost, vlb_error *err) {
  vlb_dataset *d = l->data;
  int64_t count = e->frames - lost;
  if (count < 1) return vlb_fail(err, VLB_FAILED, "an episode of %d frames has no observation with an action after it", e->frames);
  VLB_TRY(reserve(l, d->frames + count, err));
  for (int64_t k = 0; k < count; k++) {
    int64_t n = d->frames + k;
    /* the policy's state is float32; rounding here makes the statistics those of the numbers it will see */
    for (int i = 0; i < d->state_dim; i++) l->states[n * d->state_dim + i] = (float)e->state[k * d->state_dim + i];
    memcpy(l->actions + n * d->action_dim, e->actions + (k + lost) * d->action_dim, (size_t)d->action_dim * sizeof *l->actions);
    d->episode_end[n] = d->frames + count;
    d->task[n] = d->tasks;
  }
  d->frames += count;
  return VLB_OK;
}

static vlb_code add_prompt(vlb_dataset *d, const vlb_tokenizer *tok, const char *instruction, vlb_error *err) {
  size_t length = (size_t)d->prompt_length, rows = (size_t)d->tasks + 1;
  VLB_TRY(grow(&d->tokens, rows * length * sizeof *d->tokens, err));
  VLB_TRY(grow(&d->token_mask, rows * length, err));
  return vlb_tokenizer_prompt(tok, instruction, d->prompt_length, d->tokens + (rows - 1) * length, d->token_mask + (rows - 1) * length, err);
}

/* What one pass does with each episode of a file; `lost` is the number of its first actions that have no observation. */
typedef vlb_code (*visitor)(loader *l, const vlb_episode *e, int64_t lost, vlb_error *err);

static vlb_code visit_episodes(loader *l, vlb_episode_file *file, bool with_images, visitor visit, vlb_error *err) {
  int64_t lost = vlb_episodes_info(file)->observed_before ? 0 : 1;
  for (int i = 0; i < vlb_episodes_count(file); i++) {
    VLB_TRY(vlb_check_stop(l->ctx, err));
    vlb_episode e;
    VLB_TRY(vlb_episodes_read(file, i, with_images, &e, err));
    vlb_code code = visit(l, &e, lost, err);
    vlb_episode_free(&e);
    if (code) return vlb_fail_at(err, "%s: demo_%d", l->path, i);
  }
  return VLB_OK;
}

/* The first file says which robot it is; the others and the model must fit. */
static vlb_code check_robot(loader *l, const vlb_embodiment *robot, vlb_error *err) {
  vlb_dataset *d = l->data;
  if (d->embodiment == robot) return VLB_OK;
  if (d->embodiment)
    return vlb_fail(err, VLB_USAGE, "%s: demonstrations of %s after those of %s; train on one robot at a time", l->path, robot->name, d->embodiment->name);
  if (vlb_model_fits(l->model, robot, err)) return vlb_fail_at(err, "%s", l->path);
  d->embodiment = robot;
  d->cameras = robot->cameras;
  d->state_dim = robot->state_dim;
  d->action_dim = robot->action_dim;
  return VLB_OK;
}

static vlb_code read_numbers(loader *l, const vlb_tokenizer *tok, vlb_error *err) {
  vlb_episode_file *file;
  VLB_TRY(vlb_episodes_open(l->path, &file, err));
  vlb_code code = check_robot(l, vlb_episodes_info(file)->embodiment, err);
  if (!code) code = add_prompt(l->data, tok, vlb_episodes_info(file)->instruction, err);
  if (!code) code = visit_episodes(l, file, false, add_episode, err);
  vlb_episodes_close(file);
  l->data->tasks++;
  return code;
}

static vlb_code reserve_pixels(vlb_dataset *d, int size, vlb_error *err) {
  if (!d->pixels) {
    d->size = size;
    size_t bytes = (size_t)(d->frames * d->cameras) * (size_t)size * (size_t)size * 3;
    d->pixels = vlb_memory_fits(bytes) ? malloc(bytes) : NULL;
    if (!d->pixels)
      return vlb_fail(err, VLB_FAILED, "not enough memory for %.1f GB of pictures; record smaller or fewer demonstrations", (double)bytes / 1e9);
  }
  if (size == d->size) return VLB_OK;
  return vlb_fail(err, VLB_FAILED, "pictures of %d pixels after pictures of %d; record all demonstrations at one size", size, d->size);
}

static vlb_code add_pixels(loader *l, const vlb_episode *e, int64_t lost, vlb_error *err) {
  vlb_dataset *d = l->data;
  VLB_TRY(reserve_pixels(d, e->image_size, err));
  size_t view = (size_t)d->size * (size_t)d->size * 3;
  for (int64_t k = 0; k < e->frames - lost; k++, l->filled++)
    for (int c = 0; c < d->cameras; c++)
      vlb_image_view(e->image[c] + (size_t)k * view, d->size, d->embodiment->view, d->pixels + (size_t)(l->filled * d->cameras + c) * view);
  vlb_progress_set(l->ctx->log, l->filled, NULL);
  return VLB_OK;
}

static vlb_code read_pixels(loader *l, vlb_error *err) {
  vlb_episode_file *file;
  VLB_TRY(vlb_episodes_open(l->path, &file, err));
  vlb_code code = visit_episodes(l, file, true, add_pixels, err);
  vlb_episodes_close(file);
  return code;
}

static vlb_code read_files(loader *l, const char *const *files, int n, const vlb_tokenizer *tok, vlb_error *err) {
  for (int i = 0; i < n; i++) {
    l->path = files[i];
    VLB_TRY(read_numbers(l, tok, err));
  }
  if (!l->data->frames) return vlb_fail(err, VLB_FAILED, "no demonstrations in %d file%s; record some first", n, n == 1 ? "" : "s");
  vlb_progress_begin(l->ctx->log, "load demonstrations", 0, l->data->frames, "frames");
  vlb_code code = VLB_OK;
  for (int i = 0; i < n && !code; i++) {
    l->path = files[i];
    code = read_pixels(l, err);
  }
  vlb_progress_end(l->ctx->log);
  return code;
}

/* [N,dim] normalised by the statistics of its own rows, which go to *stats. */
static vlb_code normalised(const double *rows, int64_t n, int dim, vlb_stats *stats, float **out, vlb_error *err) {
  vlb_stats_compute(rows, n, dim, stats);
  *out = malloc((size_t)(n * dim) * sizeof **out);
  if (!*out) return no_memory(err);
  for (int64_t i = 0; i < n; i++) {
    float x[VLB_STATS_MAX];
    for (int j = 0; j < dim; j++) x[j] = (float)rows[i * dim + j];
    vlb_normalize(stats, x, *out + i * dim);
  }
  return VLB_OK;
}

static vlb_code check_vocabulary(const vlb_model_config *m, const vlb_tokenizer *tok, vlb_error *err) {
  if (m->vocab_size >= vlb_tokenizer_vocab(tok)) return VLB_OK;
  return vlb_fail(err, VLB_USAGE, "model.vocab_size is %lld, but the tokenizer has %d tokens", (long long)m->vocab_size, vlb_tokenizer_vocab(tok));
}

static vlb_code load(loader *l, const char *const *files, int n, const vlb_tokenizer *tok, vlb_error *err) {
  vlb_dataset *d = l->data;
  vlb_code code = check_vocabulary(l->model, tok, err);
  if (!code) code = read_files(l, files, n, tok, err);
  if (!code) code = normalised(l->states, d->frames, d->state_dim, &d->state_stats, &d->states, err);
  if (!code) code = normalised(l->actions, d->frames, d->action_dim, &d->action_stats, &d->actions, err);
  return code;
}

vlb_code vlb_dataset_load(const vlb_model_config *model, const char *const *files, int n, const vlb_context *ctx, vlb_dataset **out,
                          vlb_error *err) {
  vlb_tokenizer *tok;
  *out = NULL;
  VLB_TRY(vlb_tokenizer_micro(&tok, err));
  vlb_code code = vlb_dataset_load_with(tok, model, files, n, ctx, out, err);
  vlb_tokenizer_free(tok);
  return code;
}

vlb_code vlb_dataset_load_with(const vlb_tokenizer *tokenizer, const vlb_model_config *model, const char *const *files, int n,
                               const vlb_context *ctx, vlb_dataset **out, vlb_error *err) {
  *out = NULL;
  vlb_dataset *d = calloc(1, sizeof *d);
  if (!d) return no_memory(err);
  d->prompt_length = (int)model->tokenizer_max_length;
  loader l = {.data = d, .model = model, .ctx = ctx};
  vlb_code code = load(&l, files, n, tokenizer, err);
  free(l.states);
  free(l.actions);
  if (code) vlb_dataset_free(d);
  else *out = d;
  return code;
}

void vlb_dataset_free(vlb_dataset *d) {
  if (!d) return;
  free(d->pixels);
  free(d->states);
  free(d->actions);
  free(d->episode_end);
  free(d->task);
  free(d->tokens);
  free(d->token_mask);
  free(d);
}

int64_t vlb_dataset_frames(const vlb_dataset *d) { return d->frames; }
const vlb_stats *vlb_dataset_state_stats(const vlb_dataset *d) { return &d->state_stats; }
const vlb_stats *vlb_dataset_action_stats(const vlb_dataset *d) { return &d->action_stats; }
