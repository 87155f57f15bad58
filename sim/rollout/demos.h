/* Demonstrations of the scripted expert, recorded in the LIBERO layout (core/data/episodes.h). */
#ifndef VLB_SIM_DEMOS_H
#define VLB_SIM_DEMOS_H

#include "core/base/context.h"
#include "core/base/fields.h"
#include "sim/task/task.h"

#define VLB_DEMO_FIELDS(X)                                                                                 \
  X(TEXT, suite, "spatial", 0, 0, NULL, "embedded suite or folder of task files; in ablations several, with commas")                          \
  X(INT, per_task, "50", 1, 10000, NULL, "successful demonstrations per task")                             \
  X(INT, seed, "1000", 0, 9e15, NULL, "seed of initial states and of the expert's variation")              \
  X(INT, render_size, "128", 16, 2048, NULL, "pixels of the square camera pictures")                       \
  X(BOOL, shadows, "false", 0, 1, NULL, "render shadows")                                                  \
  X(REAL, noise, "0", 0, 1, NULL, "standard deviation of noise on every action, in the robot's units")     \
  X(REAL, variety, "0", 0, 1, NULL, "1: every episode has its own places of cameras and light")  \
  X(REAL, pushes, "0", 0, 1, NULL, "chance per step that the hand is pushed off its way for a while") \
  X(ENUM, actions, "applied", 0, 0, "applied wanted", "recorded is what the robot was given, or what the expert wanted before unsteadiness, noise and pushes")
enum { VLB_ACTIONS_APPLIED, VLB_ACTIONS_WANTED };
typedef struct {
  VLB_DEMO_FIELDS(VLB_FIELD_MEMBER)
} vlb_demo_config;
extern const vlb_field vlb_demo_fields[];

/* Writes [demos] without what came later and is not used (vlb_fields_write_later). */
void vlb_demo_settings_write(const vlb_demo_config *config, FILE *out);

/* Records every task of the suite into folder/<task name>_demo.hdf5, observed before each action (core/data/episodes.h), and
 * folder/quality.csv (task, tried, succeeded, length min/median/max). Failed attempts are counted, not stored. Resumable: tasks
 * that are complete are kept; folder/demos.toml holds the settings, and other ones are an error (VLB_USAGE). The same bytes at
 * any number of threads. A task whose expert fails more often than it succeeds is VLB_FAILED. */
vlb_code vlb_demos_record(const vlb_demo_config *config, const char *folder, const vlb_context *ctx, vlb_error *err);

#endif
