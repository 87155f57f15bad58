/* Re-execution of stored episodes (core/data/episodes.h).
 *
 * Our own files are played again from their seed and episode number: the same start, the recorded actions through the controller,
 * and every state must come out as the same bits, every picture too on the same renderer. (A restart from states[0] would not do:
 * neither the controller's goal nor the solver's warm start is in a state.)
 *
 * A file of LIBERO or robomimic brings its own model. It is put into each recorded state, and what the robot's sensors
 * would say there is compared with what was recorded: observation k belongs to states[k], or to states[k + 1] where the file was
 * observed after the action. */
#ifndef VLB_SIM_REPLAY_H
#define VLB_SIM_REPLAY_H

#include <stdbool.h>

#include "core/base/context.h"
#include "core/data/episodes.h"

typedef struct {
  const char *suite;                     /* instead of the one the file names; NULL */
  int demo;                              /* place in the file; -1: all */
  bool pictures;                         /* compare them too; own files only */
  const char *robosuite_assets, *libero_assets; /* folders for foreign files; NULL (model_file.h) */
  double tolerance;                      /* of foreign files, m and rad */
} vlb_replay_settings;

/* What came out of one episode. */
typedef struct {
  int demo, frames; /* place in the file; states compared */
  int state;        /* first frame whose state differs; -1: none */
  int picture;      /* first frame with a picture that differs; -1: none, or not looked at */
  bool success;     /* own: the goal held at the end, as it did when it was recorded */
  double largest;   /* own: largest difference of a number of a state */
  double position, orientation, joints; /* foreign: largest differences in m, rad, and m or rad */
  char trouble[256]; /* why it could not be played to its end; empty */
} vlb_replay_row;
bool vlb_replay_same(const vlb_replay_row *row, const vlb_task_info *info); /* did everything that was compared agree */

/* Replays episodes on ctx->threads threads and hands out rows in the file's order. *differing: how many were not the same. Errors: the
 * file's own, a suite or model that cannot be made, VLB_USAGE for settings that do not fit the file. */
typedef void (*vlb_replay_report)(void *self, const vlb_replay_row *row, const vlb_task_info *info);
vlb_code vlb_replay(const char *path, const vlb_replay_settings *settings, vlb_replay_report report, void *self, int *differing,
                    const vlb_context *ctx, vlb_error *err);

#endif
