/* The model that a demonstration of LIBERO or robomimic carries: MJCF that names meshes and textures by its author's paths
 * (libero.md 8.3). */
#ifndef VLB_SIM_MODEL_FILE_H
#define VLB_SIM_MODEL_FILE_H

#include "core/base/status.h"

/* Where this machine keeps those files; empty: nowhere. */
typedef struct {
  char robosuite[1024]; /* robosuite 1.4's models/assets */
  char libero[1024];    /* LIBERO's assets */
} vlb_asset_folders;

/* The folders given (NULL: none), else VLABENCH_ROBOSUITE_ASSETS and VLABENCH_LIBERO_ASSETS, else for LIBERO's the line `assets:` of
 * config.yaml in $LIBERO_CONFIG_PATH or ~/.libero. Errors (VLB_USAGE): a folder that was named and is not there. */
vlb_code vlb_asset_folders_find(const char *robosuite, const char *libero, vlb_asset_folders *out, vlb_error *err);

/* The same MJCF with paths of this machine: .../robosuite/models/assets/REST and .../chiliocosm/assets/REST (LIBERO's former name;
 * .../libero/assets/REST too) by their endings, other paths as they are. Caller frees. Errors (VLB_FAILED): the first file that
 * is not there, and what to set. */
vlb_code vlb_model_file_rewrite(const char *xml, const vlb_asset_folders *folders, char **out, vlb_error *err);

#endif
