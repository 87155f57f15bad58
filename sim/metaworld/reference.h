/* Numbers from upstream's own Python code, to hold ours against: recorded episodes and official goals. */
#ifndef VLB_SIM_METAWORLD_REFERENCE_H
#define VLB_SIM_METAWORLD_REFERENCE_H

#include "sim/metaworld/metaworld.h"

enum { VLB_MW_MAX_MOMENTS = 16, VLB_MW_MAX_GOALS = 1000 };

/* One recorded episode of the task's expert. */
typedef struct {
  vlb_mw_id task;
  double rand[VLB_MW_RAND];
  double ranges_off; /* how far recorded ranges are from our table's */
  double obs_reset[VLB_MW_OBS];
  double qpos_reset[64];
  int qpos_count; /* 0: not recorded */
  struct {
    int step; /* from 1 */
    double action[VLB_MW_ACTION], obs[VLB_MW_OBS];
  } moment[VLB_MW_MAX_MOMENTS];
  int moment_count;
  int success; /* first successful step, 0: none */
} vlb_mw_case;

/* A JSON object of episodes by task name ("reach-v3"; names that begin with '_' are remarks), each with rand_vec, obs_reset, steps
 * {"1": {obs, action}, ...} and first_success_step; compared where present: qpos_reset, hand_init, mocap_low, reset_low, reset_high,
 * goal_low, goal_high. *cases: [*count] in the file's order; caller frees. Errors: VLB_USAGE with file, task and field. */
vlb_code vlb_mw_cases_read(const char *path, vlb_mw_case **cases, int *count, vlb_error *err);

/* How far ours is from a recorded episode: largest absolute differences. */
typedef struct {
  double reset, obs, action;
  int success; /* our first successful step, 0: none */
  bool passed;
} vlb_mw_difference;

/* Plays the case. passed: within 1e-6 at the reset (positions and ranges too), 1e-5 in observations and 1e-4 in actions afterwards, and
 * the same first success. Errors: see vlb_mw_open and vlb_mw_step. */
vlb_code vlb_mw_compare(const vlb_mw_case *expected, const vlb_mw_source *source, vlb_mw_difference *out, vlb_error *err);

/* The expert from one start: its first successful step, 0: none within 500. */
vlb_code vlb_mw_play_expert(vlb_mw_env *env, const double rand[VLB_MW_RAND], int *success, vlb_error *err);

/* Random vectors by task: [VLB_MW_TASKS] lists, count 0 for tasks that the file lacks. */
typedef struct {
  double (*rand)[VLB_MW_RAND];
  int count;
} vlb_mw_goals;

/* A JSON object of lists of vectors by task name, as MT1's 50 official goals. Errors: VLB_USAGE with file, task and place. Caller:
 * vlb_mw_goals_free, also after a failure. */
vlb_code vlb_mw_goals_read(const char *path, vlb_mw_goals goals[VLB_MW_TASKS], vlb_error *err);
void vlb_mw_goals_free(vlb_mw_goals goals[VLB_MW_TASKS]);

#endif
