#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/eval_clock.h"
#include "experiments/plan/ablation.h"
#include "experiments/plan/model_folder.h"
#include "experiments/stats/stats.h"
#include "experiments/store/clock_csv.h"
#include "experiments/store/episodes_csv.h"
#include "experiments/store/eval_info.h"
#include "experiments/wire/key.h"
#include "experiments/wire/remote_eval.h"
#include "sim/rollout/suites.h"

/* What is evaluated: the model of a folder, or whatever answers at an address. */
typedef struct {
  const char *folder, *url; /* one of them is NULL */
  vlb_settings settings;
  vlb_remote_config remote;
  char key[VLB_KEY_SIZE];
  json_t *policy; /* url: what the server said, and how the calls went */
} subject;

/* Settings of the folder's training when it says so. The model is that of the folder; only what does not change its tensors makes sense in
 * --set model.*. */
static vlb_code read_folder(const char *folder, vlb_settings *s, vlb_error *err) {
  char path[1024];
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/settings.toml", folder));
  if (vlb_file_exists(path)) VLB_TRY(vlb_settings_read(path, NULL, false, s, err));
  return vlb_model_folder_config(folder, &s->model, err);
}

static vlb_code read_settings(const vlb_args *args, subject *it, vlb_error *err) {
  const char *suite = vlb_arg_text(args, "suite", NULL), *assignment;
  vlb_settings *s = &it->settings;
  if (!it->folder == !it->url) return vlb_fail(err, VLB_USAGE, "what is evaluated is either the FOLDER of a model or --policy ws://HOST:PORT");
  if (it->url && !suite) return vlb_fail(err, VLB_USAGE, "--policy needs --suite NAME: a server does not say where it acts");
  vlb_settings_default(s);
  vlb_fields_default(vlb_remote_fields, &it->remote);
  if (it->folder) VLB_TRY(read_folder(it->folder, s, err));
  if (suite) VLB_TRY(vlb_fields_set(vlb_rollout_fields, &s->eval, "suite", suite, err));
  VLB_TRY(vlb_key_read(vlb_arg_text(args, "key-file", NULL), it->key, err));
  VLB_TRY(vlb_arg_int(args, "episodes", 1, 1000, &s->eval.episodes_per_task, err));
  VLB_TRY(vlb_arg_int(args, "seed", 0, 9000000000000000, &s->eval.seed, err));
  for (int i = 0; (assignment = vlb_arg_each(args, "set", i)); i++) 
    VLB_TRY(it->url ? vlb_remote_set(s, &it->remote, assignment, err) : vlb_settings_set(s, assignment, err));
  return vlb_settings_check(s, err);
}

typedef struct {
  int k, n, errors;
  double score; /* sum */
} tally;

/* Of one task, or (task -1) of all, or of those of one group. */
static tally count(const vlb_suite *suite, const vlb_episode_result *rows, int n, int task, const char *group) {
  tally t = {0};
  for (int i = 0; i < n; i++) {
    if (task >= 0 && rows[i].task != task) continue;
    if (group && strcmp(suite->tasks[rows[i].task].group, group)) continue;
    t.n++;
    t.k += rows[i].outcome == VLB_EPISODE_SUCCESS;
    t.errors += rows[i].outcome == VLB_EPISODE_SIM_ERROR || rows[i].outcome == VLB_EPISODE_POLICY_ERROR;
    t.score += rows[i].score;
  }
  return t;
}

/* The groups of a suite's tasks, in their order. Returns how many. */
static int find_groups(const vlb_suite *suite, const char *groups[VLB_MAX_TASKS]) {
  int n = 0;
  for (int t = 0; t < suite->task_count; t++) {
    int known = !suite->tasks[t].group[0];
    for (int g = 0; g < n && !known; g++) known = !strcmp(groups[g], suite->tasks[t].group);
    if (!known) groups[n++] = suite->tasks[t].group;
  }
  return n;
}

static bool has_partial_credit(const vlb_suite *suite) {
  for (int t = 0; t < suite->task_count; t++)
    if (suite->tasks[t].score_count) return true;
  return false;
}

static void print_row(const tally *t, bool credit, const char *name) {
  vlb_interval w = vlb_wilson(t->k, t->n, 0.95);
  printf("%5.1f %%  %4d/%-4d  %5.1f to %5.1f  ", 100.0 * t->k / t->n, t->k, t->n, 100 * w.lo, 100 * w.hi);
  if (credit) printf("%5.1f  ", 100 * t->score / t->n);
  puts(name);
}

static void print_table(const vlb_suite *suite, const vlb_episode_result *rows, int n) {
  const char *groups[VLB_MAX_TASKS];
  bool credit = has_partial_credit(suite);
  int group_count = find_groups(suite, groups);
  double mean = 0;
  printf("success      k/n  95 %% interval   %stask\n", credit ? "score  " : "");
  for (int t = 0; t < suite->task_count; t++) {
    tally one = count(suite, rows, n, t, NULL);
    print_row(&one, credit, suite->tasks[t].instruction);
  }
  for (int g = 0; g < group_count; g++) {
    tally one = count(suite, rows, n, -1, groups[g]);
    char name[48];
    snprintf(name, sizeof name, "all of group %s", groups[g]);
    print_row(&one, credit, name);
    mean += 100.0 * one.k / one.n / group_count;
  }
  tally all = count(suite, rows, n, -1, NULL);
  print_row(&all, credit, "all tasks");
  if (group_count > 1) printf("%5.1f %%  mean of the groups\n", mean);
  if (all.errors) printf("%d episodes ended in a simulator or policy error\n", all.errors);
}

static void print_json(const subject *it, const vlb_suite *suite, const vlb_episode_result *rows, int n) {
  const vlb_settings *s = &it->settings;
  json_t *tasks = json_array();
  for (int t = 0; t < suite->task_count; t++) {
    tally one = count(suite, rows, n, t, NULL);
    json_array_append_new(tasks, json_pack("{s:s,s:s,s:i,s:i,s:f}", "task", suite->tasks[t].name, "group", suite->tasks[t].group, "successes",
                                           one.k, "episodes", one.n, "score", one.score / one.n));
  }
  tally all = count(suite, rows, n, -1, NULL);
  vlb_interval w = vlb_wilson(all.k, all.n, 0.95);
  json_t *root = json_pack("{s:s,s:I,s:i,s:i,s:i,s:f,s:[f,f],s:f,s:o}", "suite", suite->name, "seed", (json_int_t)s->eval.seed, "successes", all.k,
                           "episodes", all.n, "errors", all.errors, "rate", (double)all.k / all.n, "interval95", w.lo, w.hi, "score",
                           all.score / all.n, "tasks", tasks);
  if (!vlb_control_is_plain(&s->eval.control)) json_object_set_new(root, "clock", vlb_eval_clock_json(suite, rows, n));
  if (it->policy) {
    json_object_set(root, "policy", it->policy);
  } else {
    json_object_set_new(root, "n_action_steps", json_integer(s->model.n_action_steps));
    json_object_set_new(root, "num_steps", json_integer(s->model.num_steps));
  }
  json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
  putchar('\n');
  json_decref(root);
}

/* The settings that move a score without being seen in it. A train cell does not hold n_action_steps: it belongs to the evaluation. */
static void announce(const vlb_settings *s, const vlb_suite *suite, const vlb_context *ctx) {
  vlb_info(ctx->log, "%s, %lld episodes per task, seed %lld; %lld of %lld predicted actions executed before a new prediction, %lld flow steps",
           suite->name, (long long)s->eval.episodes_per_task, (long long)s->eval.seed, (long long)s->model.n_action_steps,
           (long long)s->model.chunk_size, (long long)s->model.num_steps);
}

static vlb_code roll_out(subject *it, const vlb_suite *suite, vlb_episode_result *rows, const vlb_context *ctx, vlb_error *err) {
  const vlb_settings *s = &it->settings;
  if (it->url) return vlb_remote_eval(it->url, it->key, &it->remote, &s->eval, suite, rows, &it->policy, ctx, err);
  announce(s, suite, ctx);
  return vlb_model_folder_eval(it->folder, &s->model, NULL, &s->eval, suite, "eval", rows, ctx, err);
}

static void print_policy(const json_t *policy) {
  char *text = json_dumps(policy, JSON_COMPACT | JSON_REAL_PRECISION(4));
  if (text) printf("policy  %s\n", text);
  free(text);
}

static void print_tables(const subject *it, const vlb_suite *suite, const vlb_episode_result *rows, int n) {
  print_table(suite, rows, n);
  if (!vlb_control_is_plain(&it->settings.eval.control)) vlb_eval_clock_print(suite, rows, n);
  if (it->policy) print_policy(it->policy);
}

/* A server that is gone leaves policy errors; the exit code says so. */
static vlb_code check_server(const subject *it, const vlb_episode_result *rows, int n, vlb_error *err) {
  int failed = 0;
  for (int i = 0; i < n; i++) failed += rows[i].outcome == VLB_EPISODE_POLICY_ERROR;
  if (!it->url || !failed) return VLB_OK;
  return vlb_fail(err, VLB_INCOMPLETE, "%s: %d of %d episodes ended in a policy error; the messages above say why", it->url, failed, n);
}

static vlb_code evaluate(const vlb_args *args, subject *it, const vlb_suite *suite, const vlb_context *ctx, vlb_error *err) {
  const char *csv = vlb_arg_text(args, "out", NULL), *info = vlb_arg_text(args, "info", NULL), *clock = vlb_arg_text(args, "clock", NULL);
  const vlb_settings *s = &it->settings;
  int n = suite->task_count * (int)s->eval.episodes_per_task;
  vlb_episode_result *rows = calloc((size_t)n, sizeof *rows);
  if (!rows) return vlb_fail(err, VLB_FAILED, "out of memory for %d episodes", n);
  vlb_code code = roll_out(it, suite, rows, ctx, err);
  vlb_progress_end(ctx->log);
  if (!code && csv) code = vlb_episodes_csv_write(csv, suite, s->eval.seed, rows, n, err);
  if (!code && info) code = vlb_eval_info_write(info, suite, rows, n, err);
  if (!code && clock) code = vlb_folder_make(clock, err);
  if (!code && clock) code = vlb_clock_csv_write(clock, rows, n, err);
  if (!code) (vlb_arg_on(args, "json") ? print_json : print_tables)(it, suite, rows, n);
  if (!code) code = check_server(it, rows, n, err);
  vlb_episode_results_clear(rows, n);
  json_decref(it->policy);
  free(rows);
  return code;
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  subject it = {.folder = vlb_arg_at(args, 0), .url = vlb_arg_text(args, "policy", NULL)};
  vlb_suite *suite;
  VLB_TRY(read_settings(args, &it, err));
  VLB_TRY(vlb_suite_open(it.settings.eval.suite.s, &suite, err));
  vlb_code code = evaluate(args, &it, suite, ctx, err);
  vlb_suite_free(suite);
  return code;
}

static void more_help(FILE *out) {
  fputs("\nKeys of [eval], for --set eval.KEY=VALUE; of the model, n_action_steps and num_steps can be set too\n", out);
  vlb_fields_help(vlb_rollout_fields, out);
  fputs("\nWith --policy, keys for --set remote.KEY=VALUE\n", out);
  vlb_fields_help(vlb_remote_fields, out);
}

static const vlb_option options[] = {{0, "suite", "NAME", "embedded suite or folder of task files"},
                                     {0, "policy", "URL", "instead of FOLDER: a policy server, ws://HOST:PORT (vlabench serve, or openpi's)"},
                                     {0, "key-file", "FILE", "with --policy: file with the server's key"},
                                     {0, "episodes", "N", "episodes per task"},
                                     {0, "seed", "N", "seed of initial states and sampling noise"},
                                     {0, "set", "S.KEY=V", "change one setting; may be repeated"},
                                     {'o', "out", "FILE", "one row per episode, as CSV"},
                                     {0, "info", "FILE", "LeRobot's eval_info.json: per task, per group, overall"},
                                     {0, "clock", "FOLDER", "clock.csv there: virtual time, one row per episode; queue.csv with eval.trace_episodes"},
                                     VLB_OPTION_JSON,
                                     {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_eval = {
    "eval", "success rate of a trained model on a suite", "FOLDER | --policy URL",
    "  vlabench eval model                                    the suite it was trained for\n"
    "  vlabench eval results/cells/train-0123456789ab         a cell of the store\n"
    "  vlabench eval model --set model.n_action_steps=1       a new prediction after every action\n"
    "  vlabench eval model --episodes 50 -o episodes.csv      more episodes, one row each\n"
    "  vlabench eval smolvla_libero --suite spatial           a checkpoint directory of LeRobot\n"
    "  vlabench eval model --info eval_info.json              the summary that LeRobot's own evaluation writes\n"
    "  vlabench eval model --set eval.latency=0.7 --set eval.control=lerobot   the robot goes on while the policy takes 0.7 s\n"
    "  vlabench eval --policy ws://localhost:8000 --suite spatial                                whatever answers there\n"
    "  vlabench eval --policy ws://gpu:8000 --suite goal --set remote.n_action_steps=5 --json    openpi's server says no such number\n",
    options, 0, 1, run, more_help};
