/* The inside of the captions in memory, shared by samples (caption_data.c) and the run (pretrain.c). */
#ifndef VLB_TRAIN_CAPTION_DATA_H
#define VLB_TRAIN_CAPTION_DATA_H

#include "core/data/captions.h"
#include "core/train/pretrain.h"

/* A token of a line. */
typedef struct {
  float place;  /* of a coordinate: position in bins; -1: a word or "not to be seen" */
  int16_t id;   /* of a coordinate: that of the nearest bin */
  int16_t seen; /* id that the next row is given: the word itself; of a coordinate only which one of its line it was, so that none can be
                 * worked out from those before it instead of looked up in the pictures */
  int16_t said; /* 1: part of the answer, which is to be learnt; 0: of the question */
  int16_t none; /* fills the struct up: its bytes are hashed */
} vlb_caption_token;

struct vlb_caption_data {
  int cameras, size, base; /* base: id of the first coordinate token */
  int64_t frames, held;    /* held: of those, kept for measuring; the others come first in `order` */
  uint8_t *pixels;         /* [frames,cameras,size,size,3] */
  int64_t *line_of;        /* [frames+1] first line of a frame */
  int64_t *token_of;       /* [lines+1] first token of a line */
  vlb_caption_token *tokens;
  uint32_t *order;         /* [frames] training frames, then those held out */
  int32_t newline;
  /* room */
  int64_t frame_room, line_room, token_room;
};

/* Memory of n samples in vlb_caption_batch's layout. */
typedef struct {
  const vlb_model_config *model;
  const vlb_pretrain_config *config;
  int n;
  float *images, *weights;
  int32_t *tokens, *answers, *targets;
  uint8_t *token_mask;
} vlb_caption_samples;

vlb_code vlb_caption_samples_open(vlb_caption_samples *b, const vlb_model_config *model, const vlb_pretrain_config *config, int n, vlb_error *err);
void vlb_caption_samples_close(vlb_caption_samples *b);
/* Sample (seed, step, sample) of a frame into place `at`: which questions are asked is a pure function of the three. instruct: the
 * instruction is the question in any case. */
void vlb_caption_samples_fill(vlb_caption_samples *b, int at, const vlb_caption_data *data, int64_t frame, uint64_t seed, int64_t step,
                              int64_t sample, bool instruct);
/* How many tokens of that sample count. */
int vlb_caption_count(const vlb_caption_data *data, const vlb_pretrain_config *config, int64_t frame, uint64_t seed, int64_t step, int64_t sample);
vlb_caption_batch vlb_caption_samples_batch(const vlb_caption_samples *b);

#endif
