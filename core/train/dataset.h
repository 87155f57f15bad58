/* The inside of a dataset, for the sampler. */
#ifndef VLB_TRAIN_DATASET_H
#define VLB_TRAIN_DATASET_H

#include "core/data/embodiment.h"
#include "core/train/train.h"

/* N frames of all episodes end to end, of one robot; S = stored image side, C = its cameras, L = tokenizer_max_length. */
struct vlb_dataset {
  const vlb_embodiment *embodiment;
  int64_t frames;
  int cameras, state_dim, action_dim; /* of the robot */
  int size, prompt_length, tasks;
  uint8_t *pixels;     /* [N,C,S,S,3] as the policy sees them */
  float *states;       /* [N,state_dim] normalised */
  float *actions;      /* [N,action_dim] normalised */
  int64_t *episode_end; /* [N] one past the last frame of the frame's episode */
  int32_t *task;       /* [N] */
  int32_t *tokens;     /* [tasks,L] */
  uint8_t *token_mask; /* [tasks,L] */
  vlb_stats state_stats, action_stats;
};

#endif
