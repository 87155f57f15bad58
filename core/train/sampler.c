#include "core/train/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/data/image.h"
#include "core/model/prefix.h"

/* --- order of the frames --- */

vlb_code vlb_sampler_over(vlb_sampler *s, int64_t frames, const vlb_train_config *config, vlb_error *err) {
  *s = (vlb_sampler){.seed = (uint64_t)config->seed, .frames = frames, .batch = config->batch_size, .epoch = -1};
  if (frames > UINT32_MAX) return vlb_fail(err, VLB_USAGE, "%lld frames: at most 4294967295 can be shuffled", (long long)frames);
  s->order = malloc((size_t)frames * sizeof *s->order);
  return s->order ? VLB_OK : vlb_fail(err, VLB_FAILED, "not enough memory for the order of %lld frames", (long long)frames);
}

vlb_code vlb_sampler_open(vlb_sampler *s, const vlb_dataset *data, const vlb_train_config *config, vlb_error *err) {
  return vlb_sampler_over(s, data->frames, config, err);
}

void vlb_sampler_close(vlb_sampler *s) { free(s->order); }

void vlb_sampler_step(vlb_sampler *s, int64_t step, int64_t *out) {
  for (int64_t place = 0; place < s->batch; place++) {
    int64_t i = step * s->batch + place, epoch = i / s->frames;
    if (epoch != s->epoch) {
      vlb_rng rng = vlb_rng_make(s->seed, VLB_RNG_SHUFFLE, 0, (uint32_t)epoch);
      vlb_rng_permutation(&rng, s->order, (uint32_t)s->frames);
      s->epoch = epoch;
    }
    out[place] = s->order[i % s->frames];
  }
}

int64_t vlb_valid_steps(const vlb_dataset *data, int64_t frame, int64_t chunk) {
  int64_t left = data->episode_end[frame] - frame;
  return left < chunk ? left : chunk;
}

void vlb_sample_rows(uint64_t seed, int64_t step, int64_t sample, int64_t chunk, int64_t rows, int32_t *out) {
  vlb_rng rng = vlb_rng_make(seed, VLB_RNG_ROWS, (uint32_t)step, (uint32_t)sample);
  int64_t start = rows < chunk ? vlb_rng_below(&rng, (uint32_t)chunk) : 0;
  for (int64_t k = 0; k < rows; k++) out[k] = (int32_t)((k * chunk + start) / rows);
}

/* --- batches --- */

static size_t view_floats(const vlb_samples *b) { return 3 * (size_t)(b->model->image_size * b->model->image_size); }

static float *pictures(vlb_samples *b, const vlb_model *m) {
  size_t n = (size_t)b->n;
  switch (b->source) {
    case VLB_PREFIX_TOKENS: return b->image_tokens = vlb_floats(n * vlb_prefix_token_count(m));
    case VLB_PREFIX_KV: return b->kv = vlb_floats(n * (size_t)m->shape.vlm_layers * vlb_prefix_layer_count(m));
    default: return b->images = calloc((size_t)m->config.cameras * n * view_floats(b), sizeof *b->images);
  }
}

vlb_code vlb_samples_open(vlb_samples *b, const vlb_model *m, int64_t whole_chunk, int n, vlb_prefix_source source, vlb_error *err) {
  const vlb_model_config *c = &m->config;
  *b = (vlb_samples){.model = c, .chunk = whole_chunk, .source = source, .n = n};
  size_t count = (size_t)n, chunk = (size_t)c->chunk_size, length = (size_t)c->tokenizer_max_length;
  size_t width = (size_t)c->max_action_dim;
  /* zeroed: padded dimensions stay 0 for good */
  bool seen = pictures(b, m);
  b->tokens = calloc(count * length, sizeof *b->tokens);
  b->token_mask = calloc(count * length, 1);
  b->state = calloc(count * (size_t)c->max_state_dim, sizeof *b->state);
  b->actions = calloc(count * chunk * width, sizeof *b->actions);
  b->action_pad = calloc(count * chunk, 1);
  b->chunk_rows = calloc(count * chunk, sizeof *b->chunk_rows);
  b->noise = calloc(count * chunk * width, sizeof *b->noise);
  b->time = calloc(count, sizeof *b->time);
  if (!seen || !b->tokens || !b->token_mask || !b->state || !b->actions || !b->action_pad || !b->chunk_rows || !b->noise || !b->time) {
    vlb_samples_close(b);
    return vlb_fail(err, VLB_FAILED, "not enough memory for %d training samples; lower batch_size", n);
  }
  return VLB_OK;
}

void vlb_samples_close(vlb_samples *b) {
  free(b->images);
  free(b->image_tokens);
  free(b->kv);
  free(b->tokens);
  free(b->token_mask);
  free(b->state);
  free(b->actions);
  free(b->action_pad);
  free(b->chunk_rows);
  free(b->noise);
  free(b->time);
  *b = (vlb_samples){0};
}

void vlb_samples_observe(vlb_samples *b, int at, const vlb_dataset *data, int64_t frame) {
  int size = data->size, target = (int)b->model->image_size;
  size_t stored = 3 * (size_t)size * (size_t)size;
  for (int v = 0; b->images && v < data->cameras; v++)
    vlb_image_prepare_u8(data->pixels + (size_t)(frame * data->cameras + v) * stored, size, size,
                         b->images + (size_t)(v * b->n + at) * view_floats(b), target);
  size_t length = (size_t)data->prompt_length, task = (size_t)data->task[frame];
  memcpy(b->tokens + (size_t)at * length, data->tokens + task * length, length * sizeof *b->tokens);
  memcpy(b->token_mask + (size_t)at * length, data->token_mask + task * length, length);
  memcpy(b->state + (size_t)at * (size_t)b->model->max_state_dim, data->states + frame * data->state_dim,
         (size_t)data->state_dim * sizeof *b->state);
}

/* The target of row i is the action of frame + i, held at the episode's last action beyond its end and marked there. */
static void fill_actions(vlb_samples *b, int at, const vlb_dataset *data, int64_t frame) {
  int64_t rows = b->model->chunk_size, valid = vlb_valid_steps(data, frame, b->chunk);
  float *out = b->actions + at * rows * b->model->max_action_dim;
  for (int64_t k = 0; k < rows; k++, out += b->model->max_action_dim) {
    int64_t i = b->chunk_rows[at * rows + k], source = frame + (i < valid ? i : valid - 1);
    memcpy(out, data->actions + source * data->action_dim, (size_t)data->action_dim * sizeof *out);
    b->action_pad[at * rows + k] = i >= valid;
  }
}

/* Beta(1.5, 1) has the distribution function y^1.5: its inverse turns a uniform number into a time. The older code took such a power for a
 * gamma variate and divided it by its sum with another. */
float vlb_sample_time(int64_t sampling, vlb_rng *rng) {
  double y = pow(vlb_rng_uniform(rng), 2.0 / 3.0);
  if (sampling == VLB_TIME_RATIO) {
    double other = vlb_rng_uniform(rng);
    y = y + other > 0 ? y / (y + other) : 0;
  }
  return (float)(0.001 + 0.999 * y);
}

void vlb_samples_fill(vlb_samples *b, int at, const vlb_dataset *data, int64_t frame, uint64_t seed, int64_t step, int64_t sample) {
  vlb_samples_observe(b, at, data, frame);
  vlb_sample_rows(seed, step, sample, b->chunk, b->model->chunk_size, b->chunk_rows + at * b->model->chunk_size);
  fill_actions(b, at, data, frame);
  size_t noise = (size_t)(b->model->chunk_size * b->model->max_action_dim);
  vlb_rng rng = vlb_rng_make(seed, VLB_RNG_NOISE, (uint32_t)step, (uint32_t)sample);
  vlb_rng_normals(&rng, b->noise + (size_t)at * noise, noise);
  rng = vlb_rng_make(seed, VLB_RNG_TIME, (uint32_t)step, (uint32_t)sample);
  b->time[at] = vlb_sample_time(b->time_sampling, &rng);
}

vlb_batch vlb_samples_batch(const vlb_samples *b) {
  return (vlb_batch){.images = b->images,
                     .image_tokens = b->image_tokens,
                     .kv = b->kv,
                     .tokens = b->tokens,
                     .token_mask = b->token_mask,
                     .state = b->state,
                     .actions = b->actions,
                     .action_pad = b->action_pad,
                     .chunk_rows = b->chunk_rows,
                     .noise = b->noise,
                     .time = b->time};
}
