/* A fresh policy on a VLM that stands alone: a folder with the config.json, weights and tokenizer of a SmolVLM2 (specification section 4.2), whose
 * tensors lack the prefix that they have in a policy. */
#ifndef VLB_MODEL_FRESH_H
#define VLB_MODEL_FRESH_H

#include "core/model/model.h"

/* Whether a folder's config.json is that of a VLM and not of a policy. */
bool vlb_is_stand_alone_vlm(const char *folder);

/* LeRobot's defaults for a new policy (16 layers of the VLM, or all if it has fewer; pictures resized to 512 pixels where the tower takes those) with
 * the sizes of the VLM in FOLDER. Errors (VLB_FAILED): config.json missing, damaged or not that of a SmolVLM. */
vlb_code vlb_fresh_config(const char *folder, vlb_model_config *config, vlb_error *err);

/* The policy: the VLM's weights from FOLDER (one file or shards, mapped as far as they are frozen), the rest random from the seed. Missing tensors are counted
 * and named in the error; the VLM's layers beyond those kept, and its output layer, are not asked for. Caller: vlb_model_free. */
vlb_code vlb_fresh_model(const char *folder, const vlb_model_config *config, uint64_t seed, vlb_model **model, vlb_error *err);

#endif
