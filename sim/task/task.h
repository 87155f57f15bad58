/* Tasks are data: a TOML file names instruction, objects, placements and goal. A suite is a folder of task files
 * (format: sim/task/suites/README.md). */
#ifndef VLB_SIM_TASK_H
#define VLB_SIM_TASK_H

#include <stdint.h>

#include "core/base/hash.h"
#include "core/base/rng.h"
#include "sim/world/scene.h"

enum { VLB_MAX_OBJECTS = 24, VLB_MAX_GOALS = 4, VLB_MAX_SCORES = 8, VLB_MAX_STARTS = 8, VLB_MAX_ZONES = 8, VLB_MAX_TASKS = 64 };

typedef enum { VLB_GOAL_ON, VLB_GOAL_IN, VLB_GOAL_OPEN, VLB_GOAL_CLOSE, VLB_GOAL_TURN_ON, VLB_GOAL_TURN_OFF, VLB_GOAL_LIFTED } vlb_goal_kind;
typedef struct {
  vlb_goal_kind kind;
  char a[96], b[96]; /* on, in: object; object or site. Others: object or site; unused */
} vlb_goal;

/* Partial credit: what is worth how much of an episode's score, once it has held. */
typedef struct {
  vlb_goal goal;
  double points; /* of 1 */
} vlb_score;

/* Uniform placement in a rectangle (m, rad; world axes). */
typedef struct {
  double x[2], y[2], yaw[2]; /* ranges; x, y from the reference `on` when it is set */
  double at[VLB_MAX_STARTS][2]; /* start positions taken in turn by the episode's number; x, y count from them */
  int at_count;                 /* 0: none */
  char on[96];               /* object or site it rests on; empty = the table */
} vlb_placement;

typedef struct {
  char name[96], instruction[256]; /* the name is the instruction with underscores, as LIBERO's */
  char group[24];                  /* tables sum up by it; empty: none */
  int row;                         /* of the family's own table of tasks; those made of data have what follows instead */
  char arena[32];
  vlb_scene_object objects[VLB_MAX_OBJECTS];
  vlb_placement placements[VLB_MAX_OBJECTS]; /* of movables */
  int object_count;
  vlb_scene_zone zones[VLB_MAX_ZONES];
  int zone_count;
  vlb_goal goals[VLB_MAX_GOALS], starts[VLB_MAX_GOALS]; /* starts: open, close, turn_on, turn_off */
  int goal_count, start_count;
  vlb_score scores[VLB_MAX_SCORES]; /* none: only the whole goal counts */
  int score_count;
} vlb_task;

typedef struct vlb_family vlb_family; /* sim/task/world.h */

typedef struct {
  char name[48];
  const vlb_family *family;
  const vlb_embodiment *embodiment;
  int max_steps, settle_steps;
  char *texts; /* names and digests of the files it was read from, one a line */
  void *own;   /* what else its family needs, one block that free() gives back; NULL: nothing */
  vlb_task *tasks;
  int task_count;
} vlb_suite;

/* A suite made of data: an embedded one by name ("spatial"), or a folder of task files. (sim/rollout/suites.h knows the others
 * too.) Errors: VLB_USAGE with file:line, did-you-mean. Caller frees. */
vlb_code vlb_suite_load(const char *name_or_folder, vlb_suite **suite, vlb_error *err);
void vlb_suite_free(vlb_suite *suite);
extern const char *const vlb_suite_names[]; /* embedded ones, closed by NULL */

/* What a task's scene is composed of; points into the suite. */
vlb_scene_spec vlb_task_scene(const vlb_suite *suite, int task);

/* Compiles the task's scene and checks that every body and site the task names is in it. Caller: vlb_scene_free. */
vlb_code vlb_task_compile(const vlb_suite *suite, int task, vlb_scene **scene, vlb_error *err);

/* SHA-256 over the suite's files and the composed scenes of its tasks. */
vlb_code vlb_task_digest(const vlb_suite *suite, char hash[VLB_HASH_SIZE], vlb_error *err);

/* Places everything: pure function of (task index, episode, seed). Rejects overlapping placements; data ends forwarded,
 * time 0, at rest, robot at home with its noise. Errors: VLB_FAILED when no placement fits. */
vlb_code vlb_task_reset(const vlb_task *task, int task_index, int episode, uint64_t seed, const vlb_scene *scene, mjData *data, vlb_error *err);

/* Things once more at a start of their own, those of another episode number, at rest; robot and time as they are. Pure function of (task index,
 * episode, round >= 1, seed) and the robot's pose. Errors: VLB_FAILED when no placement fits. */
vlb_code vlb_task_again(const vlb_task *task, int task_index, int episode, int round, uint64_t seed, const vlb_scene *scene, mjData *data,
                        vlb_error *err);

/* Conjunction of the goals, tests exactly as libero.md 4 (no mj_forward here). */
int vlb_task_success(const vlb_task *task, const vlb_scene *scene, const mjData *data);

#endif
