/* A folder with a trained model: model.toml (configuration), model.safetensors (weights), statistics.safetensors; or a checkpoint directory of
 * LeRobot (core/model/pretrained.h), which is only read. */
#ifndef VLB_PLAN_MODEL_FOLDER_H
#define VLB_PLAN_MODEL_FOLDER_H

#include "core/train/train.h"
#include "experiments/plan/policy_adapter.h"
#include "sim/rollout/rollout.h"

vlb_code vlb_model_folder_describe(const char *folder, const vlb_model_config *config, vlb_error *err); /* writes model.toml */
vlb_code vlb_model_folder_config(const char *folder, vlb_model_config *config, vlb_error *err);         /* reads it */

bool vlb_model_folder_is_checkpoint(const char *folder);

/* The folder's policy, ready to act, in *p, which was zeroed. robot: whose cameras it looks through, may be NULL for a checkpoint; its names
 * become those of a folder of our own. Caller: vlb_pretrained_free, also after a failure. */
vlb_code vlb_model_folder_load(const char *folder, const vlb_model_config *config, const vlb_train_config *untrained, const vlb_embodiment *robot,
                               vlb_log *log, vlb_pretrained *p, vlb_error *err);

/* Rolls out the model of a folder on a suite. model: configuration (that of the folder, perhaps with other inference settings).
 * untrained: NULL loads the weights, else they are those that training with these settings begins with. results: [suite->task_count * episodes_per_task] in (task,
 * episode) order. An episode that was not run is an error. */
vlb_code vlb_model_folder_eval(const char *folder, const vlb_model_config *model, const vlb_train_config *untrained,
                               const vlb_rollout_config *eval, const vlb_suite *suite, const char *label, vlb_episode_result *results,
                               const vlb_context *ctx, vlb_error *err);

#endif
