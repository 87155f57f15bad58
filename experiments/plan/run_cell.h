/* The work of one cell, in its folder. */
#ifndef VLB_PLAN_RUN_CELL_H
#define VLB_PLAN_RUN_CELL_H

#include "core/base/context.h"
#include "experiments/plan/cells.h"

/* folder: of this cell; parents: [parent_count] those of its parents. cache: folder of the prefix cache. label: for the progress line. */
vlb_code vlb_cell_work(const vlb_cell *cell, const char *folder, const char *const *parents, const char *cache, const char *label,
                       const vlb_context *ctx, vlb_error *err);

/* Trains config on the demonstrations in some folders, in their order, and leaves a model folder (model_folder.h). init: a model folder whose
 * weights it starts from, NULL: as settings->train says. cache: folder of the prefix cache. */
vlb_code vlb_train_in(const vlb_settings *settings, const char *const *demos, int demo_count, const char *init, const char *folder, const char *cache,
                      const char *label, const vlb_context *ctx, vlb_error *err);

#endif
