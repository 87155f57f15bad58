/* What LeRobot's processor files say about a policy's inputs and outputs (specification section 5), in both layouts: policy_preprocessor.json and
 * policy_postprocessor.json with their statistics, or, before v0.4, statistics among the weights. */
#ifndef VLB_DATA_PROCESSORS_H
#define VLB_DATA_PROCESSORS_H

#include <stdbool.h>

#include "core/base/json.h"
#include "core/base/log.h"
#include "core/data/shards.h"
#include "core/data/statistics.h"

enum { VLB_MAX_RENAMES = 16, VLB_FEATURE_NAME = 128 };

typedef struct {
  vlb_stats state, action;
  char from[VLB_MAX_RENAMES][VLB_FEATURE_NAME], to[VLB_MAX_RENAMES][VLB_FEATURE_NAME]; /* keys of observations */
  int renames;
  int max_length;   /* of the tokenizer step; 0: not said */
  char source[64];  /* where the statistics come from, for people */
} vlb_processors;

/* dims: widths of state and action. Statistics that LeRobot would not apply because their keys differ are not applied here either, and that
 * is announced on `log` (NULL: in silence). Errors (VLB_FAILED): damaged files, statistics of another width, a step or a normalisation that this
 * program does not do. */
vlb_code vlb_processors_read(const char *folder, const vlb_shards *weights, int state_dim, int action_dim, vlb_log *log, vlb_processors *out,
                             vlb_error *err);

/* Writes both pipelines and their statistics into FOLDER. inputs and outputs: the features as config.json has them (borrowed). tokenizer:
 * vlm_model_name; padding: pad_language_to. Errors: VLB_FAILED. */
vlb_code vlb_processors_write(const char *folder, const vlb_processors *p, json_t *inputs, json_t *outputs, const char *tokenizer, const char *padding,
                              vlb_error *err);

/* The norm_map of these statistics: what is done with pictures, states and actions. Caller: json_decref. */
json_t *vlb_norm_map(const vlb_processors *p);

#endif
