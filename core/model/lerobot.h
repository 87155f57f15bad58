/* LeRobot's config.json as a vlb_model_config (specification section 2), and the reference cases of section 20. */
#ifndef VLB_MODEL_LEROBOT_H
#define VLB_MODEL_LEROBOT_H

#include "core/model/config.h"

enum { VLB_LEROBOT_CAMERAS = 16, VLB_LEROBOT_NAME = 128 };

/* What config.json says beyond the model. */
typedef struct {
  vlb_model_config model; /* cameras counts the pictures the policy asks for; the caller narrows it to those present */
  char cameras[VLB_LEROBOT_CAMERAS][VLB_LEROBOT_NAME]; /* feature keys, in the order of the prefix */
  int camera_count;
  int state_dim;               /* of observation.state; 0: not said */
  char vlm[VLB_LEROBOT_NAME];  /* vlm_model_name */
  int camera_size[VLB_LEROBOT_CAMERAS][2]; /* height and width of the pictures it was trained on, as config.json notes them; 0: not said */
  bool bfloat16;               /* LeRobot itself would run it in bfloat16: load_vlm_weights, or use_amp */
  bool resize;                 /* pictures are resized to image_size; else they must have that size */
  int64_t warmup, decay, steps; /* training probe of a reference case; steps = 0: none */
  double peak_lr, alpha, clip;
} vlb_lerobot_config;

/* Reads a policy's config.json, with LeRobot's defaults and the meanings of 0 and -1. The VLM's sizes are those of its own config.json, looked
 * for in the folder vlm_model_name or vlm beside `path`, else known by name (SmolVLM2 256M, 500M and 2.2B); a reference case carries them
 * under tiny_vlm. Errors (VLB_FAILED, with path and key): no such file, not JSON, a missing key without default, a wrong type, what this
 * program does not do; VLB_USAGE: out of range. */
vlb_code vlb_lerobot_config_read(const char *path, vlb_lerobot_config *out, vlb_error *err);

/* The sizes of a VLM into a configuration from the VLM's own config.json at `path`; the rest of it is left alone. */
vlb_code vlb_lerobot_vlm_read(const char *path, vlb_model_config *config, vlb_error *err);

/* Where a file of the VLM lies: FOLDER/VLM_MODEL_NAME/NAME, FOLDER/vlm/NAME, FOLDER/tokenizer/NAME or FOLDER/NAME, the first that is there, else
 * VLM_MODEL_NAME/NAME seen from the working directory. False: nowhere. */
bool vlb_lerobot_find(const char *folder, const char *vlm, const char *name, char *path, size_t size);

/* Index of a camera by its key or the part of it behind "observation.images."; -1: none. */
int vlb_lerobot_camera(const vlb_lerobot_config *config, const char *name);

#endif
