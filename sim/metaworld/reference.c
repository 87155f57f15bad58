#include "sim/metaworld/reference.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

static const double reset_tolerance = 1e-6, obs_tolerance = 1e-5, action_tolerance = 1e-4;

/* ---- JSON ---- */

/* The file's object. Caller: json_decref. */
static vlb_code read_json(const char *path, json_t **root, vlb_error *err) {
  char *text;
  size_t size;
  json_error_t why;
  VLB_TRY(vlb_file_read(path, &text, &size, err));
  *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
  free(text);
  if (!*root) return vlb_fail(err, VLB_USAGE, "%s:%d: %s", path, why.line, why.text);
  if (json_is_object(*root)) return VLB_OK;
  json_decref(*root);
  return vlb_fail(err, VLB_USAGE, "%s: not a JSON object of tasks", path);
}

/* lo to hi numbers into out; *count may be NULL. */
static bool numbers(const json_t *list, int lo, int hi, double *out, int *count) {
  size_t n = json_array_size(list);
  if (!json_is_array(list) || n < (size_t)lo || n > (size_t)hi) return false;
  for (size_t i = 0; i < n; i++) {
    if (!json_is_number(json_array_get(list, i))) return false;
    out[i] = json_number_value(json_array_get(list, i));
  }
  if (count) *count = (int)n;
  return true;
}

static vlb_code bad(vlb_error *err, const char *field, const char *wanted) {
  return vlb_fail(err, VLB_USAGE, "%s is not %s", field, wanted);
}

/* ---- recorded episodes ---- */

static vlb_code read_rand(const json_t *list, vlb_mw_id task, double rand[VLB_MW_RAND], vlb_error *err) {
  int n = 0;
  memset(rand, 0, VLB_MW_RAND * sizeof *rand);
  if (numbers(list, 3, VLB_MW_RAND, rand, &n) && n == vlb_mw_tasks[task].rand_size) return VLB_OK;
  return vlb_fail(err, VLB_USAGE, "the random vector is not %d numbers", vlb_mw_tasks[task].rand_size);
}

/* A recorded range, where there is one, against ours. */
static vlb_code compare_range(const json_t *episode, const char *field, const double *ours, int n, vlb_mw_case *c, vlb_error *err) {
  double theirs[VLB_MW_RAND];
  const json_t *list = json_object_get(episode, field);
  if (!list) return VLB_OK;
  if (!numbers(list, n, n, theirs, NULL)) return bad(err, field, n == 3 ? "3 numbers" : "6 numbers");
  for (int i = 0; i < n; i++) c->ranges_off = fmax(c->ranges_off, fabs(theirs[i] - ours[i]));
  return VLB_OK;
}

static vlb_code read_ranges(const json_t *episode, vlb_mw_case *c, vlb_error *err) {
  const vlb_mw_task *t = &vlb_mw_tasks[c->task];
  VLB_TRY(compare_range(episode, "hand_init", t->hand, 3, c, err));
  VLB_TRY(compare_range(episode, "mocap_low", t->mocap_low, 3, c, err));
  VLB_TRY(compare_range(episode, "reset_low", t->low, t->rand_size, c, err));
  VLB_TRY(compare_range(episode, "reset_high", t->high, t->rand_size, c, err));
  VLB_TRY(compare_range(episode, "goal_low", t->goal_low, 3, c, err));
  return compare_range(episode, "goal_high", t->goal_high, 3, c, err);
}

static vlb_code read_moments(const json_t *steps, vlb_mw_case *c, vlb_error *err) {
  const char *key;
  json_t *moment;
  if (!json_is_object(steps)) return bad(err, "steps", "an object");
  if (json_object_size(steps) > VLB_MW_MAX_MOMENTS) return vlb_fail(err, VLB_USAGE, "more than %d steps", VLB_MW_MAX_MOMENTS);
  json_object_foreach((json_t *)(uintptr_t)steps, key, moment) {
    char *end;
    long step = strtol(key, &end, 10);
    if (*end || end == key || step < 1 || step > VLB_MW_MAX_STEPS)
      return vlb_fail(err, VLB_USAGE, "step '%s' is not from 1 to %d", key, VLB_MW_MAX_STEPS);
    int i = c->moment_count++;
    c->moment[i].step = (int)step;
    if (!numbers(json_object_get(moment, "action"), VLB_MW_ACTION, VLB_MW_ACTION, c->moment[i].action, NULL) ||
        !numbers(json_object_get(moment, "obs"), VLB_MW_OBS, VLB_MW_OBS, c->moment[i].obs, NULL))
      return vlb_fail(err, VLB_USAGE, "step %ld has no action of %d and obs of %d numbers", step, VLB_MW_ACTION, VLB_MW_OBS);
  }
  return VLB_OK;
}

static vlb_code read_case(const json_t *episode, vlb_mw_case *c, vlb_error *err) {
  const json_t *success = json_object_get(episode, "first_success_step"), *qpos = json_object_get(episode, "qpos_reset");
  if (!json_is_object(episode)) return vlb_fail(err, VLB_USAGE, "not an object");
  VLB_TRY(read_rand(json_object_get(episode, "rand_vec"), c->task, c->rand, err));
  if (!numbers(json_object_get(episode, "obs_reset"), VLB_MW_OBS, VLB_MW_OBS, c->obs_reset, NULL)) return bad(err, "obs_reset", "39 numbers");
  if (qpos && !numbers(qpos, 1, (int)(sizeof c->qpos_reset / sizeof *c->qpos_reset), c->qpos_reset, &c->qpos_count))
    return bad(err, "qpos_reset", "a list of numbers");
  if (!json_is_null(success) && !json_is_integer(success)) return bad(err, "first_success_step", "a whole number or null");
  json_int_t first = json_integer_value(success);
  if (first < 0 || first > VLB_MW_MAX_STEPS) return bad(err, "first_success_step", "from 1 to 500");
  c->success = (int)first;
  VLB_TRY(read_moments(json_object_get(episode, "steps"), c, err));
  return read_ranges(episode, c, err);
}

static vlb_code read_cases(const char *path, json_t *root, vlb_mw_case *cases, int *count, vlb_error *err) {
  const char *name;
  json_t *episode;
  json_object_foreach(root, name, episode) {
    if (name[0] == '_') continue;
    vlb_mw_case *c = &cases[*count];
    vlb_code code = vlb_mw_find(name, &c->task, err);
    if (!code) code = read_case(episode, c, err);
    if (code) return vlb_fail_at(err, "%s: %s", path, name);
    ++*count;
  }
  return *count ? VLB_OK : vlb_fail(err, VLB_USAGE, "%s: no episodes in it", path);
}

vlb_code vlb_mw_cases_read(const char *path, vlb_mw_case **cases, int *count, vlb_error *err) {
  json_t *root;
  *count = 0;
  *cases = NULL;
  VLB_TRY(read_json(path, &root, err));
  vlb_mw_case *list = calloc(json_object_size(root) + 1, sizeof *list);
  vlb_code code = list ? read_cases(path, root, list, count, err) : vlb_fail(err, VLB_FAILED, "no memory for %s", path);
  json_decref(root);
  if (code) free(list);
  else *cases = list;
  return code;
}

/* ---- comparison ---- */

/* Largest of `so_far` and the differences; what is not a number is infinitely far. */
static double farthest(double so_far, const double *a, const double *b, int n) {
  for (int i = 0; i < n; i++) {
    double d = fabs(a[i] - b[i]);
    so_far = isnan(d) ? INFINITY : fmax(so_far, d);
  }
  return so_far;
}

static vlb_code play_case(vlb_mw_env *env, const vlb_mw_case *c, vlb_mw_difference *out, vlb_error *err) {
  double obs[VLB_MW_OBS], action[VLB_MW_ACTION];
  VLB_TRY(vlb_mw_reset(env, c->rand, obs, err));
  out->reset = farthest(c->ranges_off, obs, c->obs_reset, VLB_MW_OBS);
  if (c->qpos_count) out->reset = c->qpos_count == env->model->nq ? farthest(out->reset, env->data->qpos, c->qpos_reset, c->qpos_count) : INFINITY;
  int last = 0;
  for (int i = 0; i < c->moment_count; i++)
    if (c->moment[i].step > last) last = c->moment[i].step;
  for (int step = 1; step <= VLB_MW_MAX_STEPS && (step <= last || !out->success); step++) {
    bool success;
    vlb_mw_expert(c->task, obs, action);
    VLB_TRY(vlb_mw_step(env, action, obs, &success, err));
    if (success && !out->success) out->success = step;
    for (int i = 0; i < c->moment_count; i++) {
      if (c->moment[i].step != step) continue;
      out->obs = farthest(out->obs, obs, c->moment[i].obs, VLB_MW_OBS);
      out->action = farthest(out->action, action, c->moment[i].action, VLB_MW_ACTION);
    }
  }
  out->passed = out->reset <= reset_tolerance && out->obs <= obs_tolerance && out->action <= action_tolerance && out->success == c->success;
  return VLB_OK;
}

vlb_code vlb_mw_compare(const vlb_mw_case *expected, const vlb_mw_source *source, vlb_mw_difference *out, vlb_error *err) {
  vlb_mw_env env;
  *out = (vlb_mw_difference){0};
  VLB_TRY(vlb_mw_open(source, expected->task, &env, err));
  vlb_code code = play_case(&env, expected, out, err);
  vlb_mw_close(&env);
  return code ? vlb_fail_at(err, "%s", vlb_mw_tasks[expected->task].name) : VLB_OK;
}

vlb_code vlb_mw_play_expert(vlb_mw_env *env, const double rand[VLB_MW_RAND], int *success, vlb_error *err) {
  double obs[VLB_MW_OBS], action[VLB_MW_ACTION];
  *success = 0;
  VLB_TRY(vlb_mw_reset(env, rand, obs, err));
  for (int step = 1; step <= VLB_MW_MAX_STEPS && !*success; step++) {
    bool now;
    vlb_mw_expert(env->task, obs, action);
    VLB_TRY(vlb_mw_step(env, action, obs, &now, err));
    if (now) *success = step;
  }
  return VLB_OK;
}

/* ---- goals ---- */

static vlb_code read_goals(const json_t *list, vlb_mw_id task, vlb_mw_goals *goals, vlb_error *err) {
  size_t n = json_array_size(list);
  if (n < 1 || n > VLB_MW_MAX_GOALS) return vlb_fail(err, VLB_USAGE, "not a list of 1 to %d vectors", VLB_MW_MAX_GOALS);
  if (goals->rand) return vlb_fail(err, VLB_USAGE, "the task comes twice");
  goals->rand = calloc(n, sizeof *goals->rand);
  if (!goals->rand) return vlb_fail(err, VLB_FAILED, "no memory for goals");
  for (size_t i = 0; i < n; i++)
    if (read_rand(json_array_get(list, i), task, goals->rand[i], err)) return vlb_fail_at(err, "vector %d", (int)i);
  goals->count = (int)n;
  return VLB_OK;
}

vlb_code vlb_mw_goals_read(const char *path, vlb_mw_goals goals[VLB_MW_TASKS], vlb_error *err) {
  json_t *root, *list;
  const char *name;
  vlb_code code = VLB_OK;
  memset(goals, 0, VLB_MW_TASKS * sizeof *goals);
  VLB_TRY(read_json(path, &root, err));
  json_object_foreach(root, name, list) {
    vlb_mw_id task = VLB_MW_TASKS;
    if (name[0] == '_') continue;
    code = vlb_mw_find(name, &task, err);
    if (!code) code = read_goals(list, task, &goals[task], err);
    if (code) break;
  }
  if (code) code = vlb_fail_at(err, "%s: %s", path, name);
  json_decref(root);
  return code;
}

void vlb_mw_goals_free(vlb_mw_goals goals[VLB_MW_TASKS]) {
  for (int i = 0; i < VLB_MW_TASKS; i++) free(goals[i].rand);
  memset(goals, 0, VLB_MW_TASKS * sizeof *goals);
}
