/* Pretraining of a VLM on captions (core/data/captions.h): the data in memory, the samples made of it, the run, and how well it sees. */
#ifndef VLB_TRAIN_PRETRAIN_H
#define VLB_TRAIN_PRETRAIN_H

#include "core/model/captioner.h"
#include "core/train/train.h"

#define VLB_PRETRAIN_FIELDS(X)                                                                                             \
  X(INT, answers, "64", 8, 4096, NULL, "rows of text behind the question: its answer, then other questions with theirs")     \
  X(REAL, instructions, "0.75", 0, 1, NULL, "share of samples whose question is the task's instruction")                     \
  X(REAL, spread, "1", 0.1, 3, NULL, "bins, standard deviation of the target around a place")                                \
  X(INT, depth_every, "8", 0, 256, NULL, "answers are read off before every so many layers, too; 0: at the end only")        \
  X(REAL, depth_weight, "0.3", 0, 10, NULL, "what such a loss counts beside the end's")
typedef struct {
  VLB_PRETRAIN_FIELDS(VLB_FIELD_MEMBER)
} vlb_pretrain_config;
extern const vlb_field vlb_pretrain_fields[];

typedef struct vlb_caption_data vlb_caption_data;
/* Every *.captions file of a folder, by name. Coordinate tokens take the ids behind the tokenizer's. Errors: VLB_USAGE when the model's
 * vocabulary or cameras do not fit. Caller frees. */
vlb_code vlb_caption_data_load(const char *folder, const vlb_model_config *model, const vlb_context *ctx, vlb_caption_data **out, vlb_error *err);
void vlb_caption_data_free(vlb_caption_data *d);
int64_t vlb_caption_data_frames(const vlb_caption_data *d, bool held_out);

/* Trains a VLM (vlb_model_create_vlm) in place; folder/model.safetensors (F32), folder/loss.csv. Resumable like vlb_train, and as little
 * dependent on the threads. */
vlb_code vlb_pretrain(vlb_model *vlm, const vlb_pretrain_config *config, const vlb_train_config *train, const vlb_caption_data *data,
                      const char *label, const char *folder, const vlb_context *ctx, vlb_error *err);

/* How well it sees held-out scenes, read off at every depth. */
typedef struct {
  int layers;             /* read off after so many */
  double loss;            /* nats per token of the answers */
  double word_hits;       /* share of the words that it would have said itself */
  double pixels[2];       /* median distance of what is to be moved from where it is said to be, per camera, where it is in view */
  double metres;          /* median error of the offset from the hand of what is to be moved, metres (length of the vector) */
  double to_metres;       /* the same of where it goes */
  int64_t samples;
} vlb_sight;
/* rows [VLB_MAX_DEPTHS]; how many into *count. most: samples at most. */
vlb_code vlb_pretrain_measure(const vlb_model *vlm, const vlb_pretrain_config *config, const vlb_caption_data *data, int64_t most,
                              const vlb_context *ctx, vlb_sight *rows, int *count, vlb_error *err);

/* A deeper VLM from a shallower one: the layers there are, and behind them new ones that change nothing yet (their output
 * projections are zero). Tensors of equal names are copied. */
void vlb_pretrain_grow(const vlb_model *from, vlb_model *to, uint64_t seed);

/* Rounds every weight to bfloat16 and writes it so. */
vlb_code vlb_pretrain_publish(vlb_model *vlm, const char *path, vlb_error *err);

#endif
