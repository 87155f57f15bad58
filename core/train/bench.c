#include "core/train/bench.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/base/timing.h"
#include "core/tensor/backend.h"
#include "core/model/prefix.h"
#include "core/train/trainer.h"
#include "core/train/vlm.h"

/* --- data that costs what real data costs --- */

static void fill_frame(vlb_dataset *d, int64_t i, vlb_rng *rng) {
  enum { EPISODE = 100 };
  for (int j = 0; j < d->state_dim; j++) d->states[i * d->state_dim + j] = (float)vlb_rng_normal(rng);
  for (int j = 0; j < d->action_dim; j++) d->actions[i * d->action_dim + j] = (float)vlb_rng_normal(rng);
  int64_t end = (i / EPISODE + 1) * EPISODE;
  d->episode_end[i] = end < d->frames ? end : d->frames;
}

static vlb_code random_data(const vlb_model_config *m, int64_t frames, vlb_dataset **out, vlb_error *err) {
  enum { WORDS = 12 };
  vlb_dataset *d = *out = calloc(1, sizeof *d);
  if (!d) return vlb_fail(err, VLB_FAILED, "out of memory for a benchmark");
  *d = (vlb_dataset){.frames = frames, .cameras = (int)m->cameras, .size = (int)m->image_size, .tasks = 1, .prompt_length = (int)m->tokenizer_max_length,
                     .state_dim = (int)(m->max_state_dim < VLB_MAX_STATE ? m->max_state_dim : VLB_MAX_STATE), .action_dim = (int)m->action_dim};
  size_t pixels = (size_t)(frames * m->cameras * m->image_size * m->image_size * 3), length = (size_t)m->tokenizer_max_length;
  d->pixels = malloc(pixels);
  d->states = calloc((size_t)frames, (size_t)d->state_dim * sizeof *d->states);
  d->actions = calloc((size_t)frames, (size_t)d->action_dim * sizeof *d->actions);
  d->episode_end = calloc((size_t)frames, sizeof *d->episode_end);
  d->task = calloc((size_t)frames, sizeof *d->task);
  d->tokens = calloc(length, sizeof *d->tokens);
  d->token_mask = calloc(length, 1);
  if (!d->pixels || !d->states || !d->actions || !d->episode_end || !d->task || !d->tokens || !d->token_mask)
    return vlb_fail(err, VLB_FAILED, "out of memory for a benchmark");
  vlb_rng rng = vlb_rng_make(1, VLB_RNG_TEST, 0, 0);
  for (size_t i = 0; i < pixels; i++) d->pixels[i] = (uint8_t)vlb_rng_u32(&rng);
  for (int64_t i = 0; i < frames; i++) fill_frame(d, i, &rng);
  memset(d->token_mask, 1, length < WORDS ? length : WORDS);
  return VLB_OK;
}

/* --- raw, train, train, raw; with a frozen VLM each form of the cache, there and back --- */

enum { MAX_STEPS = 4000, MAX_RAW = 100 };

typedef struct {
  vlb_train_config config; /* of this form */
  double steps[MAX_STEPS], cpu;
  int count;
} form;

typedef struct {
  vlb_model *model;
  const vlb_dataset *data;
  const vlb_context *ctx;
  const char *cache;
  double seconds; /* of one turn */
  form forms[VLB_TRAIN_FORMS];
  int form_count;
  double raw[MAX_RAW], wall, used;
  int raw_count;
  vlb_train_bench *out;
} bench;

static vlb_code train_for(vlb_trainer *t, double seconds, form *f, vlb_error *err) {
  int first = f->count;
  double before = vlb_cpu_seconds();
  for (double start = vlb_seconds(); f->count < MAX_STEPS && (f->count < first + 2 || vlb_seconds() - start < seconds);) {
    VLB_TRY(vlb_check_stop(t->ctx, err));
    double begun = vlb_seconds();
    t->step %= t->config->steps; /* the learning curve has room for so many; speed does not depend on the step */
    VLB_TRY(vlb_trainer_step(t, err));
    f->steps[f->count++] = vlb_seconds() - begun;
  }
  f->cpu += vlb_cpu_seconds() - before;
  return VLB_OK;
}

static void raw_rate(bench *b) {
  const double turn = b->seconds < 0.25 ? b->seconds : 0.25;
  if (b->raw_count < MAX_RAW) b->raw[b->raw_count++] = vlb_backend_matmul_rate(b->ctx->threads, turn);
}

static vlb_code profile(vlb_trainer *t, vlb_train_bench *out, vlb_error *err);

/* One turn of one form; the first form's first turn is also looked at op by op. */
static vlb_code measure_in(bench *b, vlb_trainer *t, form *f, vlb_error *err) {
  VLB_TRY(vlb_trainer_step(t, err)); /* warm-up */
  raw_rate(b);
  double begun = vlb_seconds(), before = vlb_cpu_seconds();
  VLB_TRY(train_for(t, b->seconds, f, err));
  if (f == b->forms) {
    b->used += vlb_cpu_seconds() - before;
    b->wall += vlb_seconds() - begun;
  }
  raw_rate(b);
  if (f != b->forms || b->out->row_count) return VLB_OK;
  b->out->flops = vlb_objective_flops(t->worker[0].objective) * (double)f->config.shards;
  b->out->parameters = (int64_t)t->n;
  return profile(t, b->out, err);
}

static vlb_code measure(bench *b, form *f, vlb_error *err) {
  vlb_trainer t = {.worker = NULL};
  vlb_code code = vlb_trainer_open(&t, b->model, &f->config, b->data, NULL, b->cache, b->ctx, err);
  if (!code) code = measure_in(b, &t, f, err);
  vlb_trainer_close(&t);
  return code;
}

static vlb_code measure_all(bench *b, vlb_error *err) {
  for (int turn = 0; turn < 2; turn++)
    for (int i = 0; i < b->form_count; i++) VLB_TRY(measure(b, &b->forms[turn ? b->form_count - 1 - i : i], err));
  return VLB_OK;
}

static void conclude(bench *b) {
  vlb_train_bench *out = b->out;
  double bytes[VLB_TRAIN_FORMS] = {1e-9 * 1000 * (double)b->model->shape.vlm_layers * (double)vlb_prefix_layer_count(b->model) * sizeof(float),
                                   1e-9 * 1000 * (double)vlb_prefix_token_count(b->model) * sizeof(float), 0};
  static const char *const names[] = {"kv", "vision", "none"};
  for (int i = 0; i < b->form_count; i++) {
    form *f = &b->forms[i];
    out->forms[i] = (vlb_train_form){names[i], vlb_median(f->steps, f->count), f->cpu / f->count, bytes[i]};
  }
  out->form_count = b->form_count > 1 ? b->form_count : 0;
  out->step_seconds = out->forms[0].step_seconds;
  out->raw = vlb_median(b->raw, b->raw_count);
  out->samples_per_second = (double)b->forms[0].config.batch_size / out->step_seconds;
  out->useful = 1e-9 * out->flops / out->step_seconds;
  out->threads = b->ctx->threads;
  out->share = b->used / (b->wall * out->threads);
}

/* --- where the time goes --- */

/* Adds the rows of one worker's graph; both tables hold the same ops. */
static void add_rows(vlb_train_bench *out, const vlb_profile_row *rows, int n, int steps) {
  for (int i = 0; i < n; i++) {
    int j = 0;
    while (j < out->row_count && strcmp(out->rows[j].op, rows[i].op)) j++;
    if (j == VLB_BENCH_ROWS - 2) continue;
    if (j == out->row_count) out->rows[out->row_count++] = (vlb_profile_row){.op = rows[i].op};
    out->rows[j].runs += rows[i].runs / steps;
    out->rows[j].seconds += rows[i].cpu / steps;
    out->rows[j].flops += rows[i].flops / steps;
  }
}

static int slower_first(const void *x, const void *y) {
  const vlb_profile_row *a = x, *b = y;
  return (a->seconds < b->seconds) - (a->seconds > b->seconds);
}

static double seconds_of_batches(vlb_trainer *t) {
  vlb_train_worker *w = &t->worker[0];
  double start = vlb_thread_seconds();
  for (int64_t i = 0; i < t->config->batch_size; i++) {
    int at = (int)(i % w->samples.n);
    vlb_samples_fill(&w->samples, at, t->data, t->frames[i], 1, 0, i);
    if (t->cache) vlb_prefix_cache_read(t->cache, t->frames[i], &w->samples, at);
  }
  return vlb_thread_seconds() - start;
}

static vlb_code profile(vlb_trainer *t, vlb_train_bench *out, vlb_error *err) {
  enum { STEPS = 5 };
  vlb_profile_row rows[VLB_BENCH_ROWS];
  vlb_graph *graphs[3];
  for (int i = 0; i < t->workers; i++)
    for (int k = vlb_objective_graphs(t->worker[i].objective, graphs); k > 0; k--) vlb_graph_profile(graphs[k - 1], true);
  double start = vlb_cpu_seconds(), graph = 0;
  for (int i = 0; i < STEPS; i++) {
    t->step %= t->config->steps;
    VLB_TRY(vlb_trainer_step(t, err));
  }
  out->profile_seconds = (vlb_cpu_seconds() - start) / STEPS;
  double batches = seconds_of_batches(t);
  for (int i = 0; i < t->workers; i++)
    for (int k = vlb_objective_graphs(t->worker[i].objective, graphs); k > 0; k--)
      add_rows(out, rows, vlb_graph_profile_rows(graphs[k - 1], rows, VLB_BENCH_ROWS), STEPS);
  for (int i = 0; i < out->row_count; i++) graph += out->rows[i].seconds;
  qsort(out->rows, (size_t)out->row_count, sizeof *out->rows, slower_first);
  out->rows[out->row_count++] = (vlb_profile_row){.op = "batches", .runs = 1, .seconds = batches};
  out->rows[out->row_count++] = (vlb_profile_row){.op = "sum, AdamW", .runs = 1, .seconds = out->profile_seconds - graph - batches};
  return VLB_OK;
}

static void list_forms(bench *b, const vlb_train_config *config) {
  static const int64_t forms[] = {VLB_CACHE_KV, VLB_CACHE_VISION, VLB_CACHE_NONE};
  b->form_count = b->cache ? VLB_TRAIN_FORMS : 1;
  for (int i = 0; i < b->form_count; i++) {
    b->forms[i].config = *config;
    b->forms[i].config.prefix_cache = forms[i];
    b->forms[i].config.steps = config->steps > MAX_STEPS ? config->steps : MAX_STEPS; /* so that all frames are visited */
    b->forms[i].config.prefix_cache_gb = 1e6;
  }
}

vlb_code vlb_bench_train(const vlb_model_config *model_config, const vlb_train_config *config, double seconds, const char *cache,
                         const vlb_context *ctx, vlb_train_bench *out, vlb_error *err) {
  bool frozen = model_config->freeze == VLB_FREEZE_VLM;
  int64_t frames = frozen ? 2 * config->batch_size : 1000; /* a cache of few frames is filled quickly; speed does not depend on their number */
  *out = (vlb_train_bench){.row_count = 0};
  vlb_dataset *data = NULL;
  bench *b = calloc(1, sizeof *b);
  if (!b) return vlb_fail(err, VLB_FAILED, "out of memory for a benchmark");
  *b = (bench){.ctx = ctx, .cache = frozen ? cache : NULL, .out = out};
  list_forms(b, config);
  b->seconds = seconds / (2 * b->form_count);
  vlb_code code = random_data(model_config, frames, &data, err);
  b->data = data;
  if (!code) code = vlb_train_begin(model_config, config, &b->model, err);
  if (!code) code = measure_all(b, err);
  if (!code) conclude(b);
  vlb_model_free(b->model);
  free(b);
  vlb_dataset_free(data);
  return code;
}
