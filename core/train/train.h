/* Training of one arm: data in memory, sharded deterministic step, AdamW, checkpoints, resume. */
#ifndef VLB_TRAIN_TRAIN_H
#define VLB_TRAIN_TRAIN_H

#include "core/base/context.h"
#include "core/base/fields.h"
#include "core/data/statistics.h"
#include "core/data/tokenizer.h"
#include "core/model/model.h"

#define VLB_TRAIN_FIELDS(X)                                                                                      \
  X(INT, steps, "3000", 1, 16777215, NULL, "optimiser steps")                                                    \
  X(INT, batch_size, "64", 1, 65536, NULL, "samples per step; a multiple of shards")                             \
  X(INT, shards, "8", 1, 1024, NULL, "parts of a batch summed in a fixed tree; changes results, threads do not") \
  X(INT, seed, "1000", 0, 9e15, NULL, "seed of initialisation, sample order, noise and time")                    \
  X(BOOL, per_suite, "false", 0, 1, NULL, "in ablations: a policy for each suite of demos.suite instead of one for all") \
  X(INT, seeds, "1", 1, 10, NULL, "in ablations: trainings of each arm, with seeds seed, seed + 1, ...")         \
  X(REAL, lr, "1e-4", 0, 10, NULL, "peak learning rate")                                                         \
  X(REAL, decay_lr, "2.5e-6", 0, 10, NULL, "learning rate at the end of the cosine")                             \
  X(INT, warmup_steps, "1000", 0, 100000000, NULL, "squeezed with decay_steps when steps is smaller")            \
  X(INT, decay_steps, "30000", 1, 100000000, NULL, "length of the cosine, measured from step 0")                 \
  X(REAL, beta1, "0.9", 0, 1, NULL, "AdamW")                                                                     \
  X(REAL, beta2, "0.95", 0, 1, NULL, "AdamW")                                                                    \
  X(REAL, eps, "1e-8", 0, 1, NULL, "AdamW")                                                                      \
  X(REAL, weight_decay, "1e-10", 0, 1, NULL, "AdamW")                                                            \
  X(REAL, grad_clip, "10", 0, 1e9, NULL, "largest gradient norm; 0 = no limit")                                             \
  X(TEXT, vlm, "", 0, 0, NULL, "weights the VLM starts from: a shipped one's name or a folder with model.safetensors; empty: random") \
  X(ENUM, prefix_cache, "kv", 0, 0, "none vision kv", "frozen VLM: most that is kept of each frame on disk; less where it does not fit. No result depends on it") \
  X(REAL, prefix_cache_gb, "8", 0, 1e6, NULL, "most disk for the prefix cache, GB; files of other runs make room, the oldest first") \
  X(REAL, prefix_cache_memory_gb, "1", 0, 1e6, NULL, "most of the mapped cache that stays in the program's memory, GB") \
  X(ENUM, prefix_precision, "float32", 0, 0, "float32 bfloat16", "frozen VLM: keys and values of pictures and words as training sees them, cached or not") \
  X(ENUM, loss, "current", 0, 0, "current 2025 spring2026", "entries counted: valid ones; all, padded too, as in 2025; valid ones over the number of all") \
  X(INT, chunk_rows, "0", 0, 100000, NULL, "attention = cross: at most so many actions of each chunk are looked at, drawn anew each time; 0: all") \
  X(ENUM, time_sampling, "beta", 0, 0, "beta ratio", "times of the flow: Beta(1.5, 1); the biased ratio of powers of before 28 July 2025") \
  X(INT, checkpoint_every, "500", 1, 100000000, NULL, "steps between resumable checkpoints")

enum { VLB_CACHE_NONE, VLB_CACHE_VISION, VLB_CACHE_KV };
enum { VLB_PRECISION_FLOAT32, VLB_PRECISION_BFLOAT16 };
enum { VLB_TIME_BETA, VLB_TIME_RATIO };

typedef struct {
  VLB_TRAIN_FIELDS(VLB_FIELD_MEMBER)
} vlb_train_config;

extern const vlb_field vlb_train_fields[];

/* Checks across keys. VLB_USAGE names the keys and the reason. vlb_train calls it; a plan may call it earlier. */
vlb_code vlb_train_config_check(const vlb_train_config *config, vlb_error *err);

/* The model as a training step sees it: with chunk_rows, its chunks have at most so many actions. VLB_USAGE where the actions see each other. */
vlb_code vlb_train_seen_model(const vlb_train_config *config, const vlb_model_config *model, vlb_model_config *seen, vlb_error *err);

/* Frames of all episodes, ready for sampling (core/train/dataset.c). */
typedef struct vlb_dataset vlb_dataset;
/* Loads task files (core/data/episodes.h) of one robot in the order given. Pixels stay 8 bits of the stored size, turned as the
 * robot's policy sees them, and go through vlb_image_prepare_u8 like an observation at inference; states (as float32) and actions are
 * normalised by the statistics of all frames computed here. Frame k pairs what the policy sees with the action it must then choose: a
 * file recorded "after" pairs observation k-1 with action k and loses action 0.
 * Errors: VLB_USAGE when the model does not fit the robot (vlb_model_fits) or the robots differ, VLB_FAILED for unreadable or mixed
 * files, VLB_INTERRUPTED. Caller frees. */
vlb_code vlb_dataset_load(const vlb_model_config *model, const char *const *files, int n, const vlb_context *ctx,
                          vlb_dataset **out, vlb_error *err);
/* The same with the tokenizer of a checkpoint instead of the micro one. */
vlb_code vlb_dataset_load_with(const vlb_tokenizer *tokenizer, const vlb_model_config *model, const char *const *files, int n,
                               const vlb_context *ctx, vlb_dataset **out, vlb_error *err);
void vlb_dataset_free(vlb_dataset *d);
int64_t vlb_dataset_frames(const vlb_dataset *d);
const vlb_stats *vlb_dataset_state_stats(const vlb_dataset *d);
const vlb_stats *vlb_dataset_action_stats(const vlb_dataset *d);

/* Trains `model` in place and leaves in `folder` (which exists): model.safetensors, statistics.safetensors,
 * loss.csv (step,loss,grad_norm,lr; the norm before clipping). A resumable checkpoint (folder/checkpoint.safetensors) is written every
 * checkpoint_every steps and removed at the end; if one is there, training goes on from it and ends with the same bytes. The weights are
 * the same bits for any ctx->threads. Errors: VLB_USAGE for a configuration that cannot run, VLB_FAILED for a loss that is not finite
 * (names the step; nothing is published) or a checkpoint of another run, VLB_INTERRUPTED after a stop (checkpoint written). cache: folder of the
 * prefix cache (core/train/prefix_cache.h), which runs may share; NULL: none. */
vlb_code vlb_train(vlb_model *model, const vlb_train_config *config, const vlb_dataset *data, const char *label, const char *folder,
                   const char *cache, const vlb_context *ctx, vlb_error *err);

/* Learning rate of step s = 0,1,... (specification 17.3). */
double vlb_learning_rate(const vlb_train_config *config, int64_t s);

/* One AdamW update on flat vectors, k = 1,2,... (specification 17.2). Returns the gradient norm before clipping. */
double vlb_adamw(const vlb_train_config *config, double lr, int64_t k, size_t n, float *weights, float *gradient, float *m, float *v);

#endif
