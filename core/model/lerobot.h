/* LeRobot's config.json as a vlb_model_config (specification section 2), and the reference cases of section 20. */
#ifndef VLB_MODEL_LEROBOT_H
#define VLB_MODEL_LEROBOT_H

#include "core/model/config.h"

enum { VLB_LEROBOT_CAMERAS = 16 };

/* What the JSON of a reference case says beyond the model. */
typedef struct {
  vlb_model_config model; /* cameras counts image_features; the caller narrows it to those present */
  char cameras[VLB_LEROBOT_CAMERAS][128];
  int camera_count;
  int64_t warmup, decay, steps; /* training probe */
  double peak_lr, alpha, clip;
} vlb_reference_config;

/* Errors (VLB_FAILED, with path and key): no such file, not JSON, a missing key without default, a wrong type; VLB_USAGE: out of range. */
vlb_code vlb_reference_config_read(const char *path, vlb_reference_config *out, vlb_error *err);

#endif
