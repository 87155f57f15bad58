#include "core/train/prefix_fill.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/pool.h"
#include "core/data/image.h"

enum { MOST_PENDING = 256, MOST_PATCHES = 1024 };
static const size_t PENDING_BYTES = 64u << 20; /* written between two waits for the disk */

/* What one thread needs: the VLM's two parts, a batch, a record, and the frames that wait for their marks. */
typedef struct {
  vlb_vision *vision;
  vlb_prefix *prefix;
  vlb_samples samples;
  float *tokens, *kv;
  char *record;
  int64_t pending[MOST_PENDING]; /* frames of task `task` */
  int pending_count, task;
} filler;

typedef struct {
  vlb_prefix_cache *cache;
  const vlb_model *model;
  int batch;
  filler *worker;
  int64_t *frame;    /* what is to be made, in order */
  int64_t count;
  int64_t *chunk;    /* [chunks + 1] first of each chunk: frames of one task, at most batch */
  int chunks;
  atomic_llong done;
} fill;

/* ---- what is missing ---- */

enum { CHECKED_AT_ONCE = 64 };

/* visited[i] becomes 2 where a frame must be made */
static vlb_code check_frames(void *self, int index, int worker, vlb_error *err) {
  (void)worker;
  fill *f = self;
  vlb_prefix_cache *c = f->cache;
  int64_t first = (int64_t)index * CHECKED_AT_ONCE, end = first + CHECKED_AT_ONCE < c->data->frames ? first + CHECKED_AT_ONCE : c->data->frames;
  VLB_TRY(vlb_check_stop(c->ctx, err));
  for (int64_t i = first; i < end; i++) {
    vlb_cached_task *t = &c->task[c->data->task[i]];
    if (c->visited[i] && !vlb_cache_file_holds(&t->file, i - t->first, (size_t)c->used)) c->visited[i] = 2;
  }
  vlb_progress_set(c->ctx->log, atomic_fetch_add(&f->done, end - first) + end - first, NULL);
  return VLB_OK;
}

static vlb_code list_missing(fill *f, vlb_error *err) {
  vlb_prefix_cache *c = f->cache;
  int64_t frames = c->data->frames;
  vlb_progress_begin(c->ctx->log, "check prefix cache", 0, frames, "frames");
  vlb_code code = vlb_parallel(c->ctx->threads, (int)((frames + CHECKED_AT_ONCE - 1) / CHECKED_AT_ONCE), check_frames, f, err);
  vlb_progress_end(c->ctx->log);
  VLB_TRY(code);
  for (int64_t i = 0; i < frames; i++) f->count += c->visited[i] == 2;
  f->frame = malloc(((size_t)f->count + 1) * sizeof *f->frame);
  f->chunk = malloc(((size_t)f->count + 1) * sizeof *f->chunk);
  if (!f->frame || !f->chunk) return vlb_fail(err, VLB_FAILED, "out of memory for the prefix cache");
  int64_t n = 0, begun = 0;
  for (int64_t i = 0; i < frames; i++) {
    if (c->visited[i] != 2) continue;
    if (!n || n - begun == f->batch || c->data->task[i] != c->data->task[f->frame[n - 1]]) f->chunk[f->chunks++] = begun = n;
    f->frame[n++] = i;
  }
  f->chunk[f->chunks] = n;
  return VLB_OK;
}

/* ---- making frames ---- */

/* marks of what the worker has written; nothing when it has nothing */
static vlb_code commit(fill *f, filler *w, vlb_error *err) {
  if (!w->pending_count) return VLB_OK;
  int n = w->pending_count;
  w->pending_count = 0;
  return vlb_cache_file_commit(&f->cache->task[w->task].file, w->pending, n, err);
}

static char *pack_rows(const vlb_prefix_cache *c, const vlb_cached_task *t, const float *from, char *to) {
  size_t width = (size_t)c->model->shape.kv_width, rows = vlb_prefix_row_count(c->model);
  for (size_t r = 0; r < rows; r++, from += width) {
    if (!t->real[r]) continue;
    if (c->bf16)
      for (size_t i = 0; i < width; i++) memcpy(to + 2 * i, (const char *)(from + i) + 2, 2); /* the upper half: it was rounded */
    else
      memcpy(to, from, width * sizeof *from);
    to += width * vlb_cached_number(c);
  }
  return to;
}

/* sample s of the worker's batch */
static void pack(const fill *f, const vlb_cached_task *t, filler *w, size_t s) {
  const vlb_prefix_cache *c = f->cache;
  size_t n = (size_t)f->batch;
  char *to = w->record;
  if (c->source == VLB_PREFIX_TOKENS) {
    size_t cameras = (size_t)c->model->config.cameras, view = vlb_prefix_token_count(c->model) / cameras;
    for (size_t v = 0; v < cameras; v++, to += view * sizeof(float)) memcpy(to, w->tokens + (v * n + s) * view, view * sizeof(float));
    return;
  }
  size_t one = vlb_prefix_layer_count(f->model) / 2;
  for (size_t i = 0; i < 2 * (size_t)c->depth; i++) to = pack_rows(c, t, w->kv + (i * n + s) * one, to);
}

static vlb_code make_chunk(void *self, int index, int worker, vlb_error *err) {
  fill *f = self;
  vlb_prefix_cache *c = f->cache;
  filler *w = &f->worker[worker];
  const int64_t *frames = f->frame + f->chunk[index];
  int n = (int)(f->chunk[index + 1] - f->chunk[index]), task = c->data->task[frames[0]];
  vlb_cached_task *t = &c->task[task];
  VLB_TRY(vlb_check_stop(c->ctx, err));
  /* places beyond the chunk repeat its first frame: what stands beside a frame does not change it */
  for (int i = 0; i < f->batch; i++) vlb_samples_observe(&w->samples, i, c->data, frames[i < n ? i : 0]);
  vlb_batch batch = vlb_samples_batch(&w->samples);
  vlb_vision_run(w->vision, batch.images, w->tokens);
  if (w->prefix) vlb_prefix_run(w->prefix, w->tokens, &batch, w->kv);
  size_t record = t->file.parts * t->file.part_bytes;
  if (w->task != task || w->pending_count + n > MOST_PENDING || (size_t)w->pending_count * record > PENDING_BYTES) VLB_TRY(commit(f, w, err));
  w->task = task;
  for (int i = 0; i < n; i++) {
    pack(f, t, w, (size_t)i);
    VLB_TRY(vlb_cache_file_write(&t->file, frames[i] - t->first, w->record, err));
    w->pending[w->pending_count++] = frames[i] - t->first;
  }
  vlb_progress_set(c->ctx->log, atomic_fetch_add(&f->done, n) + n, NULL);
  return VLB_OK;
}

/* ---- life ---- */

static size_t largest_record(const vlb_prefix_cache *c) {
  size_t most = 1;
  for (int k = 0; k < c->data->tasks; k++) {
    const vlb_cache_file *file = &c->task[k].file;
    if (file->parts * file->part_bytes > most) most = file->parts * file->part_bytes;
  }
  return most;
}

static vlb_code open_worker(const fill *f, filler *w, vlb_error *err) {
  const vlb_prefix_cache *c = f->cache;
  bool kv = c->source == VLB_PREFIX_KV;
  size_t n = (size_t)f->batch;
  VLB_TRY(vlb_samples_open(&w->samples, f->model, f->model->config.chunk_size, f->batch, VLB_PREFIX_IMAGES, err));
  VLB_TRY(vlb_vision_create(f->model, f->batch, &w->vision, err));
  if (kv) VLB_TRY(vlb_prefix_create(f->model, f->batch, c->bf16, &w->prefix, err));
  w->tokens = malloc(n * vlb_prefix_token_count(f->model) * sizeof *w->tokens);
  w->kv = malloc(kv ? n * (size_t)c->depth * vlb_prefix_layer_count(f->model) * sizeof *w->kv : 1);
  w->record = malloc(largest_record(c));
  return w->tokens && w->kv && w->record ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory for the prefix cache");
}

static void close_worker(filler *w) {
  vlb_vision_free(w->vision);
  vlb_prefix_free(w->prefix);
  vlb_samples_close(&w->samples);
  free(w->tokens), free(w->kv), free(w->record);
}

static vlb_code make_all(fill *f, int workers, vlb_error *err) {
  vlb_prefix_cache *c = f->cache;
  vlb_code code = VLB_OK;
  for (int i = 0; !code && i < workers; i++) code = open_worker(f, &f->worker[i], err);
  if (code) return code;
  f->done = c->visits - f->count;
  vlb_progress_begin(c->ctx->log, "fill prefix cache", f->done, c->visits, "frames");
  code = vlb_parallel(workers, f->chunks, make_chunk, f, err);
  vlb_progress_end(c->ctx->log);
  /* also after a failure: what was made is good */
  for (int i = 0; i < workers; i++) {
    vlb_code last = commit(f, &f->worker[i], code ? NULL : err);
    if (!code) code = last;
  }
  return code;
}

vlb_code vlb_prefix_fill(vlb_prefix_cache *c, const vlb_model *model, vlb_error *err) {
  int patches = model->shape.patches * (int)model->config.cameras, workers = c->ctx->threads;
  fill f = {.cache = c, .model = model, .batch = patches < MOST_PATCHES ? MOST_PATCHES / patches : 1};
  f.worker = calloc((size_t)workers, sizeof *f.worker);
  vlb_code code = f.worker ? list_missing(&f, err) : vlb_fail(err, VLB_FAILED, "out of memory for the prefix cache");
  if (!code && f.count) code = make_all(&f, workers, err);
  for (int i = 0; f.worker && i < workers; i++) close_worker(&f.worker[i]);
  free(f.worker), free(f.frame), free(f.chunk);
  return code;
}
