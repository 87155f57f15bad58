/* Which frames a step trains on, and the batch made from them. Everything is a pure function of (seed, step, sample). */
#ifndef VLB_TRAIN_SAMPLER_H
#define VLB_TRAIN_SAMPLER_H

#include "core/base/rng.h"
#include "core/train/dataset.h"

/* The order of the frames: a permutation of all of them per epoch. */
typedef struct {
  uint64_t seed;
  int64_t frames, batch, epoch;
  uint32_t *order; /* permutation of the present epoch */
} vlb_sampler;

vlb_code vlb_sampler_open(vlb_sampler *s, const vlb_dataset *data, const vlb_train_config *config, vlb_error *err);
vlb_code vlb_sampler_over(vlb_sampler *s, int64_t frames, const vlb_train_config *config, vlb_error *err); /* of anything countable */
void vlb_sampler_close(vlb_sampler *s);
/* The frames of step 0,1,...: out[batch]. A step needs full batches, so sample i of the run (i = step * batch + place) is place
 * i mod N of epoch i / N: the last batch of an epoch is filled up from the next. */
void vlb_sampler_step(vlb_sampler *s, int64_t step, int64_t *out);

/* Steps of the chunk that starts at `frame` which lie within its episode, 1..T. */
int64_t vlb_valid_steps(const vlb_dataset *data, int64_t frame, int64_t chunk);

/* The rows of a chunk that (seed, step, sample) shows, ascending: out[rows], evenly spread from a random place on, so that each is as likely as any other.
 * All of them where rows = chunk. */
void vlb_sample_rows(uint64_t seed, int64_t step, int64_t sample, int64_t chunk, int64_t rows, int32_t *out);

/* Memory of a batch of n samples in vlb_batch's layout; recorded views are all real, empty cameras are the model's affair. */
typedef struct {
  const vlb_model_config *model; /* as a step sees it: T is its chunk_size */
  int64_t chunk;                 /* of which those T are rows */
  vlb_prefix_source source; /* which of the next three there is */
  float *images, *image_tokens, *kv;
  int n;
  int64_t time_sampling; /* VLB_TIME_BETA where it is not set */
  float *state, *actions, *noise, *time;
  uint8_t *token_mask, *action_pad;
  int32_t *tokens, *chunk_rows;
} vlb_samples;

/* chunk: that of the whole model. */
vlb_code vlb_samples_open(vlb_samples *b, const vlb_model *seen, int64_t chunk, int n, vlb_prefix_source source, vlb_error *err);
void vlb_samples_close(vlb_samples *b);
/* Fills place `at` with `frame`, but for image tokens or kv, which are the prefix cache's to fill; noise and time are those of (seed, step, sample), sample = place in the whole batch. */
void vlb_samples_fill(vlb_samples *b, int at, const vlb_dataset *data, int64_t frame, uint64_t seed, int64_t step, int64_t sample);
/* What a policy sees at `frame` alone: pictures, unless the source is another, words, state. */
void vlb_samples_observe(vlb_samples *b, int at, const vlb_dataset *data, int64_t frame);
float vlb_sample_time(int64_t sampling, vlb_rng *rng); /* in [0.001, 1]: section 15, and its history */
vlb_batch vlb_samples_batch(const vlb_samples *b); /* a view, valid until close */

#endif
