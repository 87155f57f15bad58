#include "experiments/store/eval_info.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

static const char *group_of(const vlb_suite *suite, int task) { return suite->tasks[task].group[0] ? suite->tasks[task].group : suite->name; }

/* Means over the episodes of a group; NULL: over all. */
static json_t *aggregate(const vlb_suite *suite, const vlb_episode_result *rows, int n, const char *group) {
  double score = 0;
  int count = 0, successes = 0;
  for (int i = 0; i < n; i++) {
    if (group && strcmp(group_of(suite, rows[i].task), group)) continue;
    score += rows[i].score;
    successes += rows[i].outcome == VLB_EPISODE_SUCCESS;
    count++;
  }
  return json_pack("{s:f,s:f,s:f,s:i,s:[]}", "avg_sum_reward", score / count, "avg_max_reward", score / count, "pc_success",
                   100.0 * successes / count, "n_episodes", count, "video_paths");
}

static json_t *task_metrics(const vlb_suite *suite, const vlb_episode_result *rows, int n, int task) {
  json_t *sums = json_array(), *most = json_array(), *successes = json_array();
  for (int i = 0; i < n; i++) {
    if (rows[i].task != task) continue;
    json_array_append_new(sums, json_real(rows[i].score));
    json_array_append_new(most, json_real(rows[i].score));
    json_array_append_new(successes, json_boolean(rows[i].outcome == VLB_EPISODE_SUCCESS));
  }
  json_t *metrics = json_pack("{s:o,s:o,s:o,s:[]}", "sum_rewards", sums, "max_rewards", most, "successes", successes, "video_paths");
  return json_pack("{s:s,s:i,s:o}", "task_group", group_of(suite, task), "task_id", task, "metrics", metrics);
}

static json_t *eval_info(const vlb_suite *suite, const vlb_episode_result *rows, int n) {
  json_t *tasks = json_array(), *groups = json_object();
  for (int t = 0; t < suite->task_count; t++) {
    json_array_append_new(tasks, task_metrics(suite, rows, n, t));
    if (!json_object_get(groups, group_of(suite, t))) json_object_set_new(groups, group_of(suite, t), aggregate(suite, rows, n, group_of(suite, t)));
  }
  return json_pack("{s:o,s:o,s:o}", "per_task", tasks, "per_group", groups, "overall", aggregate(suite, rows, n, NULL));
}

vlb_code vlb_eval_info_write(const char *path, const vlb_suite *suite, const vlb_episode_result *rows, int n, vlb_error *err) {
  json_t *root = eval_info(suite, rows, n);
  char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(10)) : NULL;
  json_decref(root);
  if (!text) return vlb_fail(err, VLB_FAILED, "%s: out of memory", path);
  vlb_code code = vlb_file_write(path, text, strlen(text), err);
  free(text);
  return code;
}
