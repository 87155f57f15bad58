/* The state of a training run, shared by the loop (trainer.c), its checkpoints (checkpoint.c) and its benchmark (bench.c). */
#ifndef VLB_TRAIN_TRAINER_H
#define VLB_TRAIN_TRAINER_H

#include <stdio.h>

#include "core/base/hash.h"
#include "core/train/prefix_cache.h"

/* What one worker thread needs to run a shard: its own plan and its own batch. */
typedef struct {
  vlb_objective *objective;
  vlb_samples samples;
} vlb_train_worker;

typedef struct vlb_trainer vlb_trainer;

/* What is trained on what: the part of a run that the sharded step, AdamW and the checkpoints know nothing of. */
typedef struct {
  vlb_code (*open)(vlb_trainer *t, vlb_error *err);           /* what t->workers threads need, and the sampler */
  void (*close)(vlb_trainer *t);                              /* also after a failed open */
  void (*draw)(vlb_trainer *t);                               /* the batch of t->step: t->frames and t->scale */
  vlb_code (*shard)(vlb_trainer *t, int shard, int worker, vlb_error *err); /* t->losses[shard] and the shard's gradient */
  void (*identify)(const vlb_trainer *t, FILE *out);          /* what decides the result beside settings and initial weights */
  vlb_code (*publish)(const vlb_trainer *t, vlb_error *err);  /* the result into t->folder */
} vlb_train_job;
extern const vlb_train_job vlb_policy_job; /* a policy on demonstrations */

struct vlb_trainer {
  const vlb_train_job *job;
  void *own; /* the job's */
  vlb_model *model;
  vlb_model seen; /* of the policy's job: its weights, as a step sees it (vlb_train_seen_model) */
  const vlb_train_config *config;
  const vlb_dataset *data; /* of the policy's job */
  const vlb_context *ctx;
  const char *folder, *cache_folder;
  char run[VLB_HASH_SIZE]; /* digest of everything that decides the result: a checkpoint of another run is refused */

  int64_t step;  /* updates done */
  size_t n;      /* trainable floats: model->weights[0..n) */
  float *m, *v;  /* [n] moments */
  double *curve; /* [steps,2] loss and gradient norm of the steps done */

  /* of the step being made */
  vlb_sampler sampler;
  int64_t *frames;  /* [batch] */
  int32_t *rows;    /* [seen.config.chunk_size] of one sample */
  double scale;     /* 1 / (valid numbers of the whole batch) */
  double lr;
  int workers;
  vlb_train_worker *worker;
  vlb_prefix_cache *cache; /* NULL: none; owned */
  float *gradients; /* [shards,n]; after the reduction the first is the gradient of the batch */
  double *losses;   /* [shards], likewise */
  double *squares;  /* [chunks] */
};

/* A run at step 0. Everything is borrowed until close, which is also due after a failed open. folder: NULL without checkpoints. cache: as in
 * vlb_train; it is filled here. */
vlb_code vlb_trainer_open(vlb_trainer *t, vlb_model *model, const vlb_train_config *config, const vlb_dataset *data, const char *folder,
                          const char *cache, const vlb_context *ctx, vlb_error *err);
/* The same for any job. */
vlb_code vlb_trainer_open_job(vlb_trainer *t, const vlb_train_job *job, void *own, vlb_model *model, const vlb_train_config *config,
                              const char *folder, const vlb_context *ctx, vlb_error *err);
void vlb_trainer_close(vlb_trainer *t);
/* Every step from the folder's checkpoint on, then loss.csv and what the job publishes. */
vlb_code vlb_trainer_run(vlb_trainer *t, const char *label, vlb_error *err);
float *vlb_trainer_gradient(const vlb_trainer *t, int shard); /* [n] of a shard */
/* One optimiser step. VLB_FAILED, with the weights as they were, when the loss or the gradient is not finite. */
vlb_code vlb_trainer_step(vlb_trainer *t, vlb_error *err);

/* Fills t->run. Call before the weights change. */
vlb_code vlb_checkpoint_identify(vlb_trainer *t, vlb_error *err);
/* folder/checkpoint.safetensors, atomic. */
vlb_code vlb_checkpoint_write(const vlb_trainer *t, vlb_error *err);
/* Puts weights, moments, curve and step back; without a checkpoint it leaves everything at step 0. */
vlb_code vlb_checkpoint_read(vlb_trainer *t, vlb_error *err);
/* Removes the checkpoint of a run that is complete. */
vlb_code vlb_checkpoint_remove(const vlb_trainer *t, vlb_error *err);

#endif
