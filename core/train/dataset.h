/* The inside of a dataset, for the sampler. */
#ifndef VLB_TRAIN_DATASET_H
#define VLB_TRAIN_DATASET_H

#include "core/train/train.h"

enum { VLB_DATA_STATE = 8, VLB_DATA_ACTION = 7 };

/* N frames of all episodes end to end, S = stored image side, C = views, L = tokenizer_max_length. */
struct vlb_dataset {
  int64_t frames;
  int cameras, size, prompt_length, tasks;
  uint8_t *pixels;     /* [N,C,S,S,3] turned as the policy sees them: agentview, wrist */
  float *states;       /* [N,8] normalised */
  float *actions;      /* [N,7] normalised */
  int64_t *episode_end; /* [N] one past the last frame of the frame's episode */
  int32_t *task;       /* [N] */
  int32_t *tokens;     /* [tasks,L] */
  uint8_t *token_mask; /* [tasks,L] */
  vlb_stats state_stats, action_stats;
};

#endif
