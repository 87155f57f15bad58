/* Training that goes on from a checkpoint directory of LeRobot, or begins with a stand-alone VLM and a fresh expert, on demonstrations in HDF5, and ends
 * as a checkpoint directory: the same trainer as everything else, with the VLM used where its file is mapped. */
#ifndef VLB_PLAN_FINE_TUNE_H
#define VLB_PLAN_FINE_TUNE_H

#include "core/base/context.h"
#include "core/data/safetensors.h"
#include "core/train/train.h"

typedef struct vlb_fine_tune vlb_fine_tune;

/* Opens the checkpoint and the demonstrations, and fits the first to the robot of the second: its number of actions, its pictures for the policy's first
 * cameras (said on log). tokenizer: another tokenizer.json, or NULL. Errors (VLB_USAGE): a robot with more pictures, no demonstrations, no
 * tokenizer; those of the checkpoint's readers. */
vlb_code vlb_fine_tune_open(const char *checkpoint, const char *tokenizer, const char *const *demos, int demo_count, vlb_log *log,
                            vlb_fine_tune **out, vlb_error *err);
void vlb_fine_tune_close(vlb_fine_tune *t);

vlb_model_config *vlb_fine_tune_model(vlb_fine_tune *t); /* may be changed before the run */

/* Trains and writes the checkpoint directory OUT with its loss.csv; until then everything lies in OUT.training, from which a run that was killed goes on.
 * Statistics are those of the demonstrations. cache: folder of the prefix cache, NULL: one in OUT.training that goes when it is done. */
vlb_code vlb_fine_tune_run(vlb_fine_tune *t, const vlb_train_config *train, const char *out, const char *cache, vlb_dtype dtype,
                           const vlb_context *ctx, vlb_error *err);

#endif
