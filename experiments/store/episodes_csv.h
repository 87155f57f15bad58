/* episodes.csv: one row per episode, the raw fact behind every rate. */
#ifndef VLB_STORE_EPISODES_CSV_H
#define VLB_STORE_EPISODES_CSV_H

#include "sim/rollout/rollout.h"

/* Columns task, name, episode, seed, outcome, steps, replans, state_hash. Atomic. */
vlb_code vlb_episodes_csv_write(const char *path, const vlb_suite *suite, int64_t seed, const vlb_episode_result *rows, int n, vlb_error *err);

/* rows: malloc'd, in (task, episode) order; caller frees. tasks: number of tasks. Errors: VLB_FAILED with path:line. */
vlb_code vlb_episodes_csv_read(const char *path, vlb_episode_result **rows, int *n, int *tasks, vlb_error *err);

#endif
