/* The pretrained VLM that a training run starts from: [train] vlm. */
#ifndef VLB_TRAIN_VLM_H
#define VLB_TRAIN_VLM_H

#include "core/base/hash.h"
#include "core/train/train.h"

/* Opens the VLM called `name`: one that is compiled into the program (core/train/vlm/NAME/model.safetensors), else a folder. "" gives NULL: random weights.
 * Errors: VLB_USAGE when there is neither (lists the shipped ones), those of vlb_shards_open. Caller closes. */
vlb_code vlb_vlm_open(const char *name, vlb_shards **shards, vlb_error *err);

/* SHA-256 over its tensors, whatever files they lie in; "" has no digest: out is "". */
vlb_code vlb_vlm_digest(const char *name, char out[VLB_HASH_SIZE], vlb_error *err);

/* The model that training with these settings begins with. Caller frees. */
vlb_code vlb_train_begin(const vlb_model_config *model, const vlb_train_config *config, vlb_model **out, vlb_error *err);

#endif
