/* The work of one cell, in its folder. */
#ifndef VLB_PLAN_RUN_CELL_H
#define VLB_PLAN_RUN_CELL_H

#include "core/base/context.h"
#include "experiments/plan/cells.h"

/* folder: of this cell; parent: of its parent (NULL for demonstrations). label: for the progress line. */
vlb_code vlb_cell_work(const vlb_cell *cell, const char *folder, const char *parent, const char *label, const vlb_context *ctx, vlb_error *err);

/* Trains config on the demonstrations in a folder and leaves a model folder (model_folder.h). */
vlb_code vlb_train_in(const vlb_settings *settings, const char *demos, const char *folder, const char *label, const vlb_context *ctx,
                      vlb_error *err);

#endif
