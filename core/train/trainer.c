#include "core/train/trainer.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/pool.h"
#include "core/base/timing.h"
#include "core/train/adamw.h"

/* --- one step: shards, sum in a fixed tree, update --- */

float *vlb_trainer_gradient(const vlb_trainer *t, int shard) { return t->gradients + (size_t)shard * t->n; }

/* A shard is computed by one thread from start to end, so which thread and how many there are never shows in its gradient. */
static vlb_code run_shard(void *self, int shard, int worker, vlb_error *err) {
  vlb_trainer *t = self;
  return t->job->shard(t, shard, worker, err);
}

static vlb_code policy_shard(vlb_trainer *t, int shard, int worker, vlb_error *err) {
  vlb_train_worker *w = &t->worker[worker];
  for (int i = 0; i < w->samples.n; i++) {
    int64_t place = (int64_t)shard * w->samples.n + i;
    vlb_samples_fill(&w->samples, i, t->data, t->frames[place], (uint64_t)t->config->seed, t->step, place);
    if (t->cache) vlb_prefix_cache_read(t->cache, t->frames[place], &w->samples, i);
  }
  vlb_batch batch = vlb_samples_batch(&w->samples);
  return vlb_objective_run(w->objective, &batch, t->scale, &t->losses[shard], vlb_trainer_gradient(t, shard), err);
}

static size_t chunk_size(const vlb_trainer *t, size_t first) { return t->n - first < VLB_CHUNK ? t->n - first : VLB_CHUNK; }

/* ((0+1)+(2+3))+((4+5)+(6+7)) for 8 shards: the sum lands in shard 0. Chunk by chunk, so that it stays in the cache. */
static vlb_code reduce_chunk(void *self, int chunk, int worker, vlb_error *err) {
  (void)worker, (void)err;
  vlb_trainer *t = self;
  size_t first = (size_t)chunk * VLB_CHUNK, count = chunk_size(t, first), shards = (size_t)t->config->shards;
  for (size_t stride = 1; stride < shards; stride *= 2)
    for (size_t s = 0; s + stride < shards; s += 2 * stride) {
      float *restrict a = t->gradients + s * t->n + first;
      const float *restrict b = t->gradients + (s + stride) * t->n + first;
      for (size_t i = 0; i < count; i++) a[i] += b[i];
    }
  t->squares[chunk] = vlb_sum_squares(t->gradients + first, count);
  return VLB_OK;
}

static double sum_losses(vlb_trainer *t) {
  int64_t shards = t->config->shards;
  for (int64_t stride = 1; stride < shards; stride *= 2)
    for (int64_t s = 0; s + stride < shards; s += 2 * stride) t->losses[s] += t->losses[s + stride];
  return t->losses[0];
}

typedef struct {
  vlb_trainer *t;
  vlb_adamw_factors factors;
} update;

static vlb_code update_chunk(void *self, int chunk, int worker, vlb_error *err) {
  (void)worker, (void)err;
  const update *u = self;
  vlb_trainer *t = u->t;
  size_t first = (size_t)chunk * VLB_CHUNK;
  vlb_adamw_apply(&u->factors, chunk_size(t, first), t->model->weights + first, t->gradients + first, t->m + first, t->v + first);
  return VLB_OK;
}

static int chunk_count(const vlb_trainer *t) { return (int)((t->n + VLB_CHUNK - 1) / VLB_CHUNK); }

/* Rows of a sample that lie within its episode. */
static int64_t valid_rows(const vlb_trainer *t, int64_t sample) {
  int64_t chunk = t->model->config.chunk_size, rows = t->seen.config.chunk_size, steps = vlb_valid_steps(t->data, t->frames[sample], chunk), valid = 0;
  vlb_sample_rows((uint64_t)t->config->seed, t->step, sample, chunk, rows, t->rows);
  for (int64_t k = 0; k < rows; k++) valid += t->rows[k] < steps;
  return valid;
}

/* 1 / (steps within their episodes * action_dim): the loss is a mean over the whole batch, whatever the shards. */
static double loss_scale(const vlb_trainer *t) {
  int64_t valid = 0;
  for (int64_t i = 0; i < t->config->batch_size; i++) valid += valid_rows(t, i);
  return vlb_loss_scale(&t->seen.config, (vlb_loss_kind)t->config->loss, t->config->batch_size, valid);
}

static void policy_draw(vlb_trainer *t) {
  vlb_sampler_step(&t->sampler, t->step, t->frames);
  t->scale = loss_scale(t);
}

vlb_code vlb_trainer_step(vlb_trainer *t, vlb_error *err) {
  int threads = t->ctx->threads, chunks = chunk_count(t);
  t->job->draw(t);
  t->lr = vlb_learning_rate(t->config, t->step);
  VLB_TRY(vlb_parallel(threads, (int)t->config->shards, run_shard, t, err));
  double loss = sum_losses(t), squares = 0;
  VLB_TRY(vlb_parallel(threads, chunks, reduce_chunk, t, err));
  for (int c = 0; c < chunks; c++) squares += t->squares[c];
  double norm = sqrt(squares);
  if (!isfinite(loss) || !isfinite(norm))
    return vlb_fail(err, VLB_FAILED, "loss %g, gradient norm %g at step %lld with learning rate %.3g: training diverged; lower lr or grad_clip, or raise warmup_steps",
                    loss, norm, (long long)t->step, t->lr);
  update u = {t, vlb_adamw_factors_of(t->config, t->lr, t->step + 1, norm)};
  VLB_TRY(vlb_parallel(threads, chunks, update_chunk, &u, err));
  t->curve[2 * t->step] = loss;
  t->curve[2 * t->step + 1] = norm;
  t->step++;
  return VLB_OK;
}

/* --- open and close --- */

static vlb_code policy_open(vlb_trainer *t, vlb_error *err) {
  int samples = (int)(t->config->batch_size / t->config->shards);
  t->seen = *t->model;
  VLB_TRY(vlb_train_seen_model(t->config, &t->model->config, &t->seen.config, err));
  VLB_TRY(vlb_sampler_open(&t->sampler, t->data, t->config, err));
  t->rows = calloc((size_t)t->seen.config.chunk_size, sizeof *t->rows);
  t->worker = calloc((size_t)t->workers, sizeof *t->worker);
  if (!t->worker || !t->rows) return vlb_fail(err, VLB_FAILED, "not enough memory for %d training threads", t->workers);
  VLB_TRY(vlb_prefix_cache_open(t->model, t->config, t->data, t->cache_folder, t->ctx, &t->cache, err));
  vlb_prefix_source source = vlb_prefix_cache_source(t->cache);
  bool bf16 = t->config->prefix_precision == VLB_PRECISION_BFLOAT16;
  for (int i = 0; i < t->workers; i++) {
    VLB_TRY(vlb_objective_create_from(&t->seen, samples, source, bf16, &t->worker[i].objective, err));
    vlb_objective_set_loss(t->worker[i].objective, (vlb_loss_kind)t->config->loss);
    VLB_TRY(vlb_samples_open(&t->worker[i].samples, &t->seen, t->model->config.chunk_size, samples, source, err));
    t->worker[i].samples.time_sampling = t->config->time_sampling;
  }
  return VLB_OK;
}

static void policy_close(vlb_trainer *t) {
  for (int i = 0; t->worker && i < t->workers; i++) {
    vlb_objective_free(t->worker[i].objective);
    vlb_samples_close(&t->worker[i].samples);
  }
  vlb_prefix_cache_close(t->cache);
  free(t->rows);
  free(t->worker);
}

static vlb_code open_run(vlb_trainer *t, vlb_error *err) {
  size_t shards = (size_t)t->config->shards;
  VLB_TRY(vlb_train_config_check(t->config, err));
  if (!t->n) return vlb_fail(err, VLB_USAGE, "nothing to train: every tensor is frozen");
  t->workers = t->ctx->threads < (int)shards ? t->ctx->threads : (int)shards;
  t->m = vlb_floats(t->n);
  t->v = vlb_floats(t->n);
  t->curve = calloc((size_t)t->config->steps, 2 * sizeof *t->curve);
  t->frames = calloc((size_t)t->config->batch_size, sizeof *t->frames);
  t->gradients = vlb_floats(shards * t->n);
  t->losses = calloc(shards, sizeof *t->losses);
  t->squares = calloc((size_t)chunk_count(t), sizeof *t->squares);
  if (!t->m || !t->v || !t->curve || !t->frames || !t->gradients || !t->losses || !t->squares)
    return vlb_fail(err, VLB_FAILED, "not enough memory for %zu gradients of %zu numbers; lower shards", shards, t->n);
  return t->job->open(t, err);
}

vlb_code vlb_trainer_open_job(vlb_trainer *t, const vlb_train_job *job, void *own, vlb_model *model, const vlb_train_config *config,
                              const char *folder, const vlb_context *ctx, vlb_error *err) {
  *t = (vlb_trainer){.job = job, .own = own, .model = model, .config = config, .ctx = ctx, .folder = folder, .n = model->gradient_count};
  return open_run(t, err);
}

vlb_code vlb_trainer_open(vlb_trainer *t, vlb_model *model, const vlb_train_config *config, const vlb_dataset *data, const char *folder,
                          const char *cache, const vlb_context *ctx, vlb_error *err) {
  *t = (vlb_trainer){.job = &vlb_policy_job,
                     .model = model,
                     .config = config,
                     .data = data,
                     .ctx = ctx,
                     .folder = folder,
                     .cache_folder = cache,
                     .n = model->gradient_count};
  if (data->prompt_length != model->config.tokenizer_max_length || data->cameras != model->config.cameras)
    return vlb_fail(err, VLB_USAGE, "the demonstrations were loaded for a model with other cameras or tokenizer_max_length");
  return open_run(t, err);
}

void vlb_trainer_close(vlb_trainer *t) {
  t->job->close(t);
  vlb_sampler_close(&t->sampler);
  free(t->m);
  free(t->v);
  free(t->curve);
  free(t->frames);
  free(t->gradients);
  free(t->losses);
  free(t->squares);
}

/* --- the run --- */

/* Mean loss of the last steps: one batch says little. For the eye only. */
static double recent_loss(const vlb_trainer *t) {
  enum { WINDOW = 50 };
  int64_t first = t->step > WINDOW ? t->step - WINDOW : 0;
  double sum = 0;
  for (int64_t s = first; s < t->step; s++) sum += t->curve[2 * s];
  return sum / (double)(t->step - first);
}

static vlb_code train_loop(vlb_trainer *t, vlb_error *err) {
  int64_t first = t->step;
  double start = vlb_seconds();
  while (t->step < t->config->steps) {
    if (vlb_check_stop(t->ctx, err)) {
      vlb_error failed;
      if (vlb_checkpoint_write(t, &failed)) vlb_warn(t->ctx->log, "%s", failed.message);
      return VLB_INTERRUPTED;
    }
    VLB_TRY(vlb_trainer_step(t, err));
    double rate = (double)((t->step - first) * t->config->batch_size) / (vlb_seconds() - start);
    vlb_progress_set(t->ctx->log, t->step, "loss %.4f, %.0f samples/s", recent_loss(t), rate);
    if (t->step % t->config->checkpoint_every == 0 && t->step < t->config->steps) VLB_TRY(vlb_checkpoint_write(t, err));
  }
  return VLB_OK;
}

static vlb_code write_curve(const vlb_trainer *t, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/loss.csv", t->folder));
  VLB_TRY(vlb_writer_open(&w, path, err));
  fprintf(w.out, "step,loss,grad_norm,lr\n");
  for (int64_t s = 0; s < t->step; s++)
    fprintf(w.out, "%lld,%.9g,%.9g,%.9g\n", (long long)s, t->curve[2 * s], t->curve[2 * s + 1], vlb_learning_rate(t->config, s));
  return vlb_writer_commit(&w, err);
}

static vlb_code policy_publish(const vlb_trainer *t, vlb_error *err) {
  char path[1024];
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/statistics.safetensors", t->folder));
  VLB_TRY(vlb_stats_save(path, &t->data->state_stats, &t->data->action_stats, err));
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/model.safetensors", t->folder));
  return vlb_model_save(t->model, path, err);
}

static void print_stats(const vlb_stats *s, FILE *out) {
  for (int i = 0; i < s->dim; i++) fprintf(out, "%a %a\n", (double)s->mean[i], (double)s->std[i]);
}

static void policy_identify(const vlb_trainer *t, FILE *out) {
  fprintf(out, "frames %lld\n", (long long)t->data->frames);
  print_stats(&t->data->state_stats, out);
  print_stats(&t->data->action_stats, out);
}

const vlb_train_job vlb_policy_job = {policy_open, policy_close, policy_draw, policy_shard, policy_identify, policy_publish};

/* The checkpoint goes last: a run killed in between is finished again from it. */
static vlb_code publish(const vlb_trainer *t, vlb_error *err) {
  VLB_TRY(write_curve(t, err));
  VLB_TRY(t->job->publish(t, err));
  return vlb_checkpoint_remove(t, err);
}

vlb_code vlb_trainer_run(vlb_trainer *t, const char *label, vlb_error *err) {
  VLB_TRY(vlb_folder_make(t->folder, err));
  vlb_folder_clean(t->folder);
  VLB_TRY(vlb_checkpoint_identify(t, err));
  VLB_TRY(vlb_checkpoint_read(t, err));
  vlb_progress_begin(t->ctx->log, label, t->step, t->config->steps, "steps");
  vlb_code code = train_loop(t, err);
  vlb_progress_end(t->ctx->log);
  return code ? code : publish(t, err);
}

vlb_code vlb_train(vlb_model *model, const vlb_train_config *config, const vlb_dataset *data, const char *label, const char *folder,
                   const char *cache, const vlb_context *ctx, vlb_error *err) {
  vlb_trainer t;
  vlb_code code = vlb_trainer_open(&t, model, config, data, folder, cache, ctx, err);
  if (!code) code = vlb_trainer_run(&t, label, err);
  vlb_trainer_close(&t);
  return code ? vlb_fail_at(err, "%s", label) : VLB_OK;
}
