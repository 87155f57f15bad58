/* vlabench verify-metaworld: our Meta-World against numbers from upstream's own code, and its experts over many starts. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/pool.h"
#include "experiments/cli/commands.h"
#include "sim/metaworld/reference.h"
#include "sim/world/version.h"

static vlb_code print_json(json_t *out, vlb_error *err) {
  if (!out) return vlb_fail(err, VLB_FAILED, "no memory for the result");
  json_dumpf(out, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
  putchar('\n');
  json_decref(out);
  return VLB_OK;
}

/* ---- recorded episodes ---- */

typedef struct {
  vlb_mw_source source;
  const vlb_context *ctx;
  vlb_mw_case *cases;
  vlb_mw_difference *found;
  int count;
} comparison;

static vlb_code compare_one(void *self, int index, int worker, vlb_error *err) {
  comparison *c = self;
  (void)worker;
  VLB_TRY(vlb_check_stop(c->ctx, err));
  return vlb_mw_compare(&c->cases[index], &c->source, &c->found[index], err);
}

static const char *step_text(int step, char buf[16]) {
  if (!step) return "-";
  snprintf(buf, 16, "%d", step);
  return buf;
}

static void print_comparison(const comparison *c) {
  char ours[16], theirs[16];
  printf("%-28s %8s %8s %8s %8s %8s\n", "task", "reset", "obs", "action", "success", "expected");
  for (int i = 0; i < c->count; i++) {
    const vlb_mw_difference *d = &c->found[i];
    printf("%-28s %8.1e %8.1e %8.1e %8s %8s  %s\n", vlb_mw_tasks[c->cases[i].task].name, d->reset, d->obs, d->action,
           step_text(d->success, ours), step_text(c->cases[i].success, theirs), d->passed ? "ok" : "OUT");
  }
}

/* JSON has no infinity: -1 */
static double json_real_of(double x) { return isfinite(x) ? x : -1; }

static json_t *comparison_json(const comparison *c) {
  json_t *rows = json_array();
  for (int i = 0; i < c->count; i++) {
    const vlb_mw_difference *d = &c->found[i];
    json_array_append_new(rows, json_pack("{s:s,s:f,s:f,s:f,s:i,s:i,s:b}", "task", vlb_mw_tasks[c->cases[i].task].name, "reset",
                                          json_real_of(d->reset), "obs", json_real_of(d->obs), "action", json_real_of(d->action), "first_success_step", d->success,
                                          "expected", c->cases[i].success, "passed", d->passed));
  }
  return rows;
}

static vlb_code run_comparison(comparison *c, const char *file, bool json, vlb_error *err) {
  int failures = 0;
  c->found = calloc((size_t)c->count, sizeof *c->found);
  if (!c->found) return vlb_fail(err, VLB_FAILED, "no memory for %d results", c->count);
  VLB_TRY(vlb_parallel(c->ctx->threads, c->count, compare_one, c, err));
  for (int i = 0; i < c->count; i++) failures += !c->found[i].passed;
  if (json) VLB_TRY(print_json(comparison_json(c), err));
  else print_comparison(c);
  if (failures)
    return vlb_fail(err, VLB_FELL_SHORT, "%d of %d tasks differ from %s; recordings hold for one version of MuJoCo, and this is %s", failures,
                    c->count, file, vlb_mujoco_version());
  vlb_info(c->ctx->log, "%d tasks agree with %s", c->count, file);
  return VLB_OK;
}

static vlb_code compare(const char *file, vlb_mw_source source, bool json, const vlb_context *ctx, vlb_error *err) {
  comparison c = {.source = source, .ctx = ctx};
  vlb_code code = vlb_mw_cases_read(file, &c.cases, &c.count, err);
  if (!code) code = run_comparison(&c, file, json, err);
  free(c.cases);
  free(c.found);
  return code;
}

/* ---- experts ---- */

enum { MAX_EPISODES = VLB_MW_MAX_GOALS };

typedef struct {
  vlb_mw_source source;
  const vlb_context *ctx;
  vlb_mw_goals goals[VLB_MW_TASKS]; /* count 0: our own stream */
  uint64_t seed;
  int episodes;
  int (*step)[MAX_EPISODES]; /* [VLB_MW_TASKS]: first successful step */
  int played[VLB_MW_TASKS];
} exam;

static vlb_code play_one(exam *x, vlb_mw_id task, vlb_mw_env *env, vlb_error *err) {
  const vlb_mw_goals *goals = &x->goals[task];
  x->played[task] = goals->count && goals->count < x->episodes ? goals->count : x->episodes;
  for (int i = 0; i < x->played[task]; i++) {
    double rand[VLB_MW_RAND];
    VLB_TRY(vlb_check_stop(x->ctx, err));
    if (goals->count) memcpy(rand, goals->rand[i], sizeof rand);
    else vlb_mw_draw(task, x->seed, i, rand);
    VLB_TRY(vlb_mw_play_expert(env, rand, &x->step[task][i], err));
  }
  return VLB_OK;
}

static vlb_code play_task(void *self, int index, int worker, vlb_error *err) {
  exam *x = self;
  vlb_mw_env env;
  (void)worker;
  VLB_TRY(vlb_mw_open(&x->source, (vlb_mw_id)index, &env, err));
  vlb_code code = play_one(x, (vlb_mw_id)index, &env, err);
  vlb_mw_close(&env);
  return code == VLB_FAILED ? vlb_fail_at(err, "%s", vlb_mw_tasks[index].name) : code;
}

static int by_size(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

/* Successes, and the lower median of their steps (0: none). Sorts the task's steps. */
static int successes(exam *x, int task, int *median) {
  int n = x->played[task], k = 0;
  qsort(x->step[task], (size_t)n, sizeof(int), by_size);
  for (int i = 0; i < n; i++) k += x->step[task][i] > 0;
  *median = k ? x->step[task][n - k + (k - 1) / 2] : 0;
  return k;
}

static const char *const groups[] = {"easy", "medium", "hard", "very_hard"};

static vlb_code report_exam(exam *x, double wanted, bool json, vlb_error *err) {
  int good = 0, all = 0;
  json_t *rows = json ? json_array() : NULL;
  if (!json) printf("%-28s %-9s %9s %12s\n", "task", "group", "successes", "median step");
  for (int i = 0; i < VLB_MW_TASKS; i++) {
    int median, k = successes(x, i, &median), n = x->played[i];
    const char *group = groups[vlb_mw_tasks[i].difficulty];
    good += k;
    all += n;
    if (json)
      json_array_append_new(rows, json_pack("{s:s,s:s,s:i,s:i,s:i}", "task", vlb_mw_tasks[i].name, "group", group, "successes", k, "episodes",
                                            n, "median_step", median));
    else
      printf("%-28s %-9s %5d/%-3d %12d\n", vlb_mw_tasks[i].name, group, k, n, median);
  }
  if (json) VLB_TRY(print_json(json_pack("{s:i,s:i,s:o}", "successes", good, "episodes", all, "tasks", rows), err));
  else printf("%-28s %-9s %5d/%-3d %11.1f%%\n", "all", "", good, all, 100.0 * good / all);
  if (100.0 * good >= wanted * all) return VLB_OK;
  return vlb_fail(err, VLB_FELL_SHORT, "the experts succeed in %d of %d episodes, less than %g %%", good, all, wanted);
}

static vlb_code examine(const vlb_args *args, vlb_mw_source source, const vlb_context *ctx, vlb_error *err) {
  int64_t episodes = 0, seed = 0;
  double wanted = 97; /* upstream's own code reaches 98.5 on MuJoCo 2.2.2, with a standard error of 0.3 in 50 episodes a task */
  const char *goals = vlb_arg_text(args, "goals", NULL);
  VLB_TRY(vlb_arg_int(args, "experts", 1, MAX_EPISODES, &episodes, err));
  VLB_TRY(vlb_arg_int(args, "seed", 0, INT64_MAX, &seed, err));
  VLB_TRY(vlb_arg_real(args, "at-least", 0, 100, &wanted, err));
  exam *x = calloc(1, sizeof *x);
  if (x) *x = (exam){.source = source, .ctx = ctx, .seed = (uint64_t)seed, .episodes = (int)episodes, .step = calloc(VLB_MW_TASKS, sizeof *x->step)};
  vlb_code code = x && x->step ? VLB_OK : vlb_fail(err, VLB_FAILED, "no memory for the episodes");
  if (!code && goals) code = vlb_mw_goals_read(goals, x->goals, err);
  if (!code) code = vlb_parallel(ctx->threads, VLB_MW_TASKS, play_task, x, err);
  if (!code) code = report_exam(x, wanted, vlb_arg_on(args, "json"), err);
  if (x) {
    vlb_mw_goals_free(x->goals);
    free(x->step);
  }
  free(x);
  return code;
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  const char *file = vlb_arg_at(args, 0), *folder = getenv("VLABENCH_METAWORLD_ASSETS");
  bool experts = vlb_arg_on(args, "experts");
  if (!file == !experts) return vlb_fail(err, VLB_USAGE, "verify-metaworld: give a FILE of recorded episodes, or --experts N");
  if (!folder || !*folder)
    return vlb_fail(err, VLB_USAGE, "verify-metaworld: name Meta-World's assets with --metaworld-assets DIR or VLABENCH_METAWORLD_ASSETS");
  vlb_mw_source source = {.folder = folder};
  return file ? compare(file, source, vlb_arg_on(args, "json"), ctx, err) : examine(args, source, ctx, err);
}

static const vlb_option options[] = {
    {0, "experts", "N", "instead of a FILE: N episodes of every task's expert"},
    {0, "at-least", "P", "with --experts: percentage of all episodes that must succeed (default 97)"},
    {0, "goals", "FILE", "with --experts: random vectors from a JSON file of lists by task, not from our stream"},
    {0, "seed", "S", "with --experts: seed of our stream (default 0)"},
    VLB_OPTION_JSON,
    {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_verify_metaworld = {
    .name = "verify-metaworld",
    .summary = "replay recorded Meta-World episodes and compare every number",
    .usage = "[FILE]",
    .examples = "  vlabench verify-metaworld golden.json --metaworld-assets ~/metaworld/assets   # resets, observations, actions, successes\n"
                "  vlabench verify-metaworld --experts 50 --json                                 # how often the scripted experts succeed\n",
    .options = options,
    .min_args = 0,
    .max_args = 1,
    .run = run};
