/* Writes checkpoint directories that LeRobot's own classes load (specification sections 2, 4, 5). */
#ifndef VLB_MODEL_LEROBOT_WRITE_H
#define VLB_MODEL_LEROBOT_WRITE_H

#include "core/data/safetensors.h"
#include "core/data/statistics.h"
#include "core/model/lerobot.h"
#include "core/model/model.h"

/* Optimiser and schedule as config.json names them: a note of how the weights were made, without an effect on actions. */
typedef struct {
  double lr, beta1, beta2, eps, weight_decay, grad_clip, decay_lr;
  int64_t warmup_steps, decay_steps;
} vlb_lerobot_training;

/* What a directory is made of. Everything is borrowed. Zero means "as in the base, else the default". */
typedef struct {
  const vlb_model *model;           /* weights and switches */
  const char *base;                 /* a checkpoint directory whose settings, names, tokenizer, processors and unused tensors go on; NULL: a new policy */
  const char *vlm_folder;           /* new policy: a stand-alone VLM whose configuration and tokenizer go along; NULL: the micro ones */
  const vlb_stats *state, *action;  /* new statistics, applied as their `norm` says; both NULL: the base's processors as they are */
  const char (*cameras)[VLB_LEROBOT_NAME]; /* feature keys in the order of the prefix; NULL: the base's, else observation.images.camera1, 2, ... */
  int camera_count;
  int height, width;                /* of the pictures, for the record: they are resized anyway (0: the tower's size) */
  const char *vlm_name;             /* vlm_model_name (NULL: the base's, else "vlm": LeRobot then looks for the directory's own folder vlm, so it must
                                       be started in the directory) */
  vlb_dtype dtype;                  /* VLB_F32, or VLB_BF16: as LeRobot, all but the projections and the k and v of cross layers */
  const vlb_lerobot_training *training;
  bool replace;                     /* another checkpoint at that place gives way once this one is complete */
} vlb_lerobot_output;

/* Writes DIR: config.json with every field, model.safetensors, both processors with their statistics, and the VLM's configuration and tokenizer
 * (folder vlm, or where the base has them). The directory appears under its name when it is complete, with the same bytes for the same input.
 * Errors: VLB_USAGE when DIR is there already and not empty (with `replace`: and is no checkpoint), or the model uses what LeRobot does not have (action_mask =
 * bidirectional, a state in the suffix, objective = l1); VLB_FAILED for the machine, or a base that does not fit the model. */
vlb_code vlb_lerobot_write(const vlb_lerobot_output *output, const char *dir, vlb_error *err);

#endif
