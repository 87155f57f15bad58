/* eval_info.json as LeRobot's evaluation writes it, for tools that read those: per_task, per_group, overall. An episode's reward is its score (1 for
 * success where a task has no partial credit), groups are the suite's groups of tasks or the suite itself. eval_s, eval_ep_s are left out, for a
 * result holds no times, and video_paths are empty. */
#ifndef VLB_STORE_EVAL_INFO_H
#define VLB_STORE_EVAL_INFO_H

#include "sim/rollout/rollout.h"

/* rows: [n] in (task, episode) order. */
vlb_code vlb_eval_info_write(const char *path, const vlb_suite *suite, const vlb_episode_result *rows, int n, vlb_error *err);

#endif
