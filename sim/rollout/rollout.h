/* The episode loop: reset, settle, observe, act through an action queue in virtual time, until success or the step limit. */
#ifndef VLB_SIM_ROLLOUT_H
#define VLB_SIM_ROLLOUT_H

#include "core/base/context.h"
#include "core/base/fields.h"
#include "sim/rollout/policy.h"
#include "sim/rollout/timeline.h"
#include "sim/task/task.h"

typedef enum {
  VLB_EPISODE_SUCCESS,
  VLB_EPISODE_TIMEOUT,      /* step limit reached */
  VLB_EPISODE_FAILURE,      /* ended early by a failure rule of the task (none in LIBERO-style suites) */
  VLB_EPISODE_SIM_ERROR,    /* MuJoCo became unstable */
  VLB_EPISODE_POLICY_ERROR, /* the policy returned an error or a number that is not finite */
  VLB_EPISODE_NOT_RUN
} vlb_outcome;
const char *vlb_outcome_name(vlb_outcome outcome);

typedef struct {
  int task, episode;
  vlb_outcome outcome;
  double score; /* partial credit, 0 to 1; tasks without any: 1 for success, else 0 */
  int steps;   /* control steps after settling, up to and including the successful one */
  int replans; /* policy calls */
  int completions;           /* with fixed_time: how often the task was done */
  vlb_timeline_record clock; /* virtual time: what the robot waited for, how old its actions were, how busy the policy was */
  vlb_timeline_tick *trace;  /* [trace_size] of the first trace_episodes of a task, else NULL; owned, vlb_episode_results_clear */
  int trace_size;
  char state_hash[17]; /* first 16 hex digits of the SHA-256 of the final qpos, qvel: bit-exactness is checked with it */
} vlb_episode_result;

#define VLB_ROLLOUT_FIELDS(X)                                                                             \
  X(TEXT, suite, "spatial", 0, 0, NULL, "embedded suite or folder of task files; in ablations several, with commas")                         \
  X(INT, episodes_per_task, "20", 1, 1000, NULL, "episodes per task")                                     \
  X(INT, seed, "90000", 0, 9e15, NULL, "seed of the initial states; demonstrations use another")          \
  X(INT, max_steps, "0", 0, 100000, NULL, "control steps per episode; 0 takes the suite's limit")         \
  X(INT, render_size, "64", 16, 2048, NULL, "pixels of the square camera pictures")                       \
  X(BOOL, shadows, "false", 0, 1, NULL, "render shadows")                                                 \
  X(INT, lanes, "8", 1, 64, NULL, "episodes advanced side by side per thread; never changes a result")
/* of the policy that acts; enters a cell's name where it is not the first */
#define VLB_ACTING_FIELDS(X) X(ENUM, precision, "float32", 0, 0, "float32 bfloat16 int8", "of most layers' weights and inputs when the policy acts; training is float32")
typedef struct {
  VLB_ROLLOUT_FIELDS(VLB_FIELD_MEMBER)
  vlb_control_config control;
  VLB_ACTING_FIELDS(VLB_FIELD_MEMBER)
} vlb_rollout_config;
extern const vlb_field vlb_rollout_fields[]; /* these, then those of control.h, then those of the policy */
extern const vlb_field vlb_episode_fields[]; /* these alone */

void vlb_episode_results_clear(vlb_episode_result *results, int n); /* gives their traces back */

/* Runs all task x episode pairs of the suite with policies[worker], worker < ctx->threads, lanes episodes per policy call.
 * results: [tasks*episodes_per_task] in (task, episode) order, filled whatever happens. An error of one episode is its outcome,
 * not the call's; the call fails only when nothing can run (scene does not compile, no renderer, stop asked for, fixed_time on a suite whose tasks
 * cannot start anew). A
 * config->render_size of 0, which no user can ask for, draws nothing and needs no renderer. */
vlb_code vlb_rollouts_run(const vlb_rollout_config *config, const vlb_suite *suite, const vlb_policy_callback *policies,
                          const vlb_context *ctx, const char *label, vlb_episode_result *results, vlb_error *err);

#endif
