/* Scenes with captions for pretraining: frames from starts and along the scripted expert's way, pushed off it now and then. */
#ifndef VLB_SIM_CAPTIONS_H
#define VLB_SIM_CAPTIONS_H

#include "core/base/context.h"
#include "core/base/fields.h"

#define VLB_CAPTION_FIELDS(X)                                                                                      \
  X(TEXT, suites, "spatial,object,goal,long", 0, 0, NULL, "suites whose scenes are shown, separated by commas")     \
  X(INT, episodes_per_task, "20", 1, 100000, NULL, "episodes per task; of every 20 the last is held out")           \
  X(INT, every, "5", 1, 1000, NULL, "control steps between frames, on average")                                     \
  X(INT, seed, "50000", 0, 9e15, NULL, "seed of the initial states; demonstrations and evaluations have others")    \
  X(INT, render_size, "64", 16, 2048, NULL, "pixels of the square camera pictures")                                 \
  X(BOOL, shadows, "false", 0, 1, NULL, "render shadows")
typedef struct {
  VLB_CAPTION_FIELDS(VLB_FIELD_MEMBER)
} vlb_caption_config;
extern const vlb_field vlb_caption_fields[];

/* Records folder/<suite>_<task>.captions (core/data/captions.h), one file per task of suites of the Panda. Resumable: files that are
 * there are kept, but captions.toml must hold the same settings (VLB_USAGE). The same bytes at any number of threads. */
vlb_code vlb_captions_record(const vlb_caption_config *config, const char *folder, const vlb_context *ctx, vlb_error *err);

#endif
