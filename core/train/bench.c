#include "core/train/bench.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/base/timing.h"
#include "core/tensor/backend.h"
#include "core/train/trainer.h"

/* --- data that costs what real data costs --- */

static void fill_frame(vlb_dataset *d, int64_t i, vlb_rng *rng) {
  enum { EPISODE = 100 };
  for (int j = 0; j < d->state_dim; j++) d->states[i * d->state_dim + j] = (float)vlb_rng_normal(rng);
  for (int j = 0; j < d->action_dim; j++) d->actions[i * d->action_dim + j] = (float)vlb_rng_normal(rng);
  int64_t end = (i / EPISODE + 1) * EPISODE;
  d->episode_end[i] = end < d->frames ? end : d->frames;
}

static vlb_code random_data(const vlb_model_config *m, vlb_dataset **out, vlb_error *err) {
  enum { FRAMES = 1000, WORDS = 12 };
  vlb_dataset *d = *out = calloc(1, sizeof *d);
  if (!d) return vlb_fail(err, VLB_FAILED, "out of memory for a benchmark");
  *d = (vlb_dataset){.frames = FRAMES, .cameras = (int)m->cameras, .size = (int)m->image_size, .prompt_length = (int)m->tokenizer_max_length,
                     .state_dim = (int)(m->max_state_dim < VLB_MAX_STATE ? m->max_state_dim : VLB_MAX_STATE), .action_dim = (int)m->action_dim};
  size_t pixels = (size_t)(FRAMES * m->cameras * m->image_size * m->image_size * 3), length = (size_t)m->tokenizer_max_length;
  d->pixels = malloc(pixels);
  d->states = calloc(FRAMES, (size_t)d->state_dim * sizeof *d->states);
  d->actions = calloc(FRAMES, (size_t)d->action_dim * sizeof *d->actions);
  d->episode_end = calloc(FRAMES, sizeof *d->episode_end);
  d->task = calloc(FRAMES, sizeof *d->task);
  d->tokens = calloc(length, sizeof *d->tokens);
  d->token_mask = calloc(length, 1);
  if (!d->pixels || !d->states || !d->actions || !d->episode_end || !d->task || !d->tokens || !d->token_mask)
    return vlb_fail(err, VLB_FAILED, "out of memory for a benchmark");
  vlb_rng rng = vlb_rng_make(1, VLB_RNG_TEST, 0, 0);
  for (size_t i = 0; i < pixels; i++) d->pixels[i] = (uint8_t)vlb_rng_u32(&rng);
  for (int64_t i = 0; i < FRAMES; i++) fill_frame(d, i, &rng);
  memset(d->token_mask, 1, length < WORDS ? length : WORDS);
  return VLB_OK;
}

/* --- raw, train, train, raw --- */

enum { MAX_STEPS = 4000, MAX_RAW = 100 };

static vlb_code train_for(vlb_trainer *t, double seconds, double *steps, int *count, vlb_error *err) {
  int first = *count;
  for (double start = vlb_seconds(); *count < MAX_STEPS && (*count < first + 2 || vlb_seconds() - start < seconds);) {
    VLB_TRY(vlb_check_stop(t->ctx, err));
    double begun = vlb_seconds();
    t->step %= t->config->steps; /* the learning curve has room for so many; speed does not depend on the step */
    VLB_TRY(vlb_trainer_step(t, err));
    steps[(*count)++] = vlb_seconds() - begun;
  }
  return VLB_OK;
}

static vlb_code measure(vlb_trainer *t, double seconds, vlb_train_bench *out, vlb_error *err) {
  double steps[MAX_STEPS], raw[MAX_RAW], wall = 0, used = 0;
  int step_count = 0, raw_count = 0, threads = t->ctx->threads;
  const double raw_turn = 0.25, train_turn = 1.0;
  VLB_TRY(vlb_trainer_step(t, err)); /* warm-up */
  for (double start = vlb_seconds(); raw_count + 2 <= MAX_RAW && (raw_count < 2 || vlb_seconds() - start < seconds);) {
    raw[raw_count++] = vlb_backend_matmul_rate(threads, raw_turn);
    double begun = vlb_seconds(), before = vlb_cpu_seconds();
    VLB_TRY(train_for(t, 2 * train_turn, steps, &step_count, err));
    used += vlb_cpu_seconds() - before;
    wall += vlb_seconds() - begun;
    raw[raw_count++] = vlb_backend_matmul_rate(threads, raw_turn);
  }
  out->step_seconds = vlb_median(steps, step_count);
  out->raw = vlb_median(raw, raw_count);
  out->samples_per_second = (double)t->config->batch_size / out->step_seconds;
  out->flops = vlb_objective_flops(t->worker[0].objective) * (double)t->config->shards;
  out->useful = 1e-9 * out->flops / out->step_seconds;
  out->share = used / (wall * threads);
  out->threads = threads;
  out->parameters = (int64_t)t->n;
  return VLB_OK;
}

/* --- where the time goes --- */

/* Adds the rows of one worker's graph; both tables hold the same ops. */
static void add_rows(vlb_train_bench *out, const vlb_profile_row *rows, int n, int steps) {
  for (int i = 0; i < n; i++) {
    int j = 0;
    while (j < out->row_count && strcmp(out->rows[j].op, rows[i].op)) j++;
    if (j == VLB_BENCH_ROWS - 2) continue;
    if (j == out->row_count) out->rows[out->row_count++] = (vlb_profile_row){rows[i].op, 0, 0, 0};
    out->rows[j].runs += rows[i].runs / steps;
    out->rows[j].seconds += rows[i].seconds / steps;
    out->rows[j].flops += rows[i].flops / steps;
  }
}

static int slower_first(const void *x, const void *y) {
  const vlb_profile_row *a = x, *b = y;
  return (a->seconds < b->seconds) - (a->seconds > b->seconds);
}

static double seconds_of_batches(vlb_trainer *t) {
  vlb_train_worker *w = &t->worker[0];
  double start = vlb_seconds();
  for (int64_t i = 0; i < t->config->batch_size; i++) vlb_samples_fill(&w->samples, (int)(i % w->samples.n), t->data, t->frames[i], 1, 0, i);
  return vlb_seconds() - start;
}

static vlb_code profile(vlb_trainer *t, vlb_train_bench *out, vlb_error *err) {
  enum { STEPS = 5 };
  vlb_profile_row rows[VLB_BENCH_ROWS];
  for (int i = 0; i < t->workers; i++) vlb_graph_profile(vlb_objective_graph(t->worker[i].objective), true);
  double start = vlb_seconds(), graph = 0;
  for (int i = 0; i < STEPS; i++) {
    t->step %= t->config->steps;
    VLB_TRY(vlb_trainer_step(t, err));
  }
  out->profile_seconds = (vlb_seconds() - start) / STEPS * t->ctx->threads;
  double batches = seconds_of_batches(t);
  for (int i = 0; i < t->workers; i++) {
    vlb_graph *g = vlb_objective_graph(t->worker[i].objective);
    add_rows(out, rows, vlb_graph_profile_rows(g, rows, VLB_BENCH_ROWS), STEPS);
  }
  for (int i = 0; i < out->row_count; i++) graph += out->rows[i].seconds;
  qsort(out->rows, (size_t)out->row_count, sizeof *out->rows, slower_first);
  out->rows[out->row_count++] = (vlb_profile_row){"batches", 1, batches, 0};
  out->rows[out->row_count++] = (vlb_profile_row){"sum, AdamW, waiting", 1, out->profile_seconds - graph - batches, 0};
  return VLB_OK;
}

vlb_code vlb_bench_train(const vlb_model_config *model_config, const vlb_train_config *config, double seconds, const vlb_context *ctx,
                         vlb_train_bench *out, vlb_error *err) {
  *out = (vlb_train_bench){.row_count = 0};
  vlb_dataset *data = NULL;
  vlb_model *model = NULL;
  vlb_trainer t = {.worker = NULL};
  vlb_code code = random_data(model_config, &data, err);
  if (!code) code = vlb_model_create(model_config, &model, err);
  if (!code) {
    vlb_model_init(model, (uint64_t)config->seed);
    code = vlb_trainer_open(&t, model, config, data, NULL, ctx, err);
  }
  if (!code) code = measure(&t, seconds, out, err);
  if (!code) code = profile(&t, out, err);
  vlb_trainer_close(&t);
  vlb_model_free(model);
  vlb_dataset_free(data);
  return code;
}
