/* metaworld.md, section 2. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fields.h"
#include "core/base/file.h"
#include "core/base/rng.h"
#include "sim/metaworld/rules.h"
#include "sim/world/engine.h"

enum { SUBSTEPS = 5, HOME_STEPS = 50, HALF = 18 /* numbers of one moment in an observation */ };

/* observation limits of hand and gripper */
static const double seen_low[4] = {-0.525, 0.348, -0.0525, -1}, seen_high[4] = {0.525, 1.025, 0.7, 1};

static double clip(double x, double lo, double hi) { return fmin(fmax(x, lo), hi); }

/* ---- tasks by name ---- */

vlb_code vlb_mw_find(const char *name, vlb_mw_id *task, vlb_error *err) {
  const char *names[VLB_MW_TASKS];
  char bare[64];
  size_t n = strlen(name);
  if (n > 3 && (!strcmp(name + n - 3, "-v3") || !strcmp(name + n - 3, "-v2"))) n -= 3;
  snprintf(bare, sizeof bare, "%.*s", (int)(n < sizeof bare ? n : sizeof bare - 1), name);
  for (int i = 0; i < VLB_MW_TASKS; i++) {
    names[i] = vlb_mw_tasks[i].name;
    if (strcmp(bare, names[i])) continue;
    *task = (vlb_mw_id)i;
    return VLB_OK;
  }
  const char *near = vlb_suggest(bare, names, VLB_MW_TASKS);
  if (near) return vlb_fail(err, VLB_USAGE, "Meta-World has no task '%s'; did you mean %s?", bare, near);
  return vlb_fail(err, VLB_USAGE, "Meta-World has no task '%s'; its tasks are assembly, basketball ... window-close", bare);
}

/* ---- the model ---- */

vlb_code vlb_mw_folder(const char *given, char *folder, size_t size, vlb_error *err) {
  static const char *const inside[] = {"", "/assets", "/metaworld/assets"};
  char models[1024];
  for (int i = 0; i < 3; i++) {
    VLB_TRY(vlb_path(folder, size, err, "%s%s", given, inside[i]));
    VLB_TRY(vlb_path(models, sizeof models, err, "%s/sawyer_xyz", folder));
    if (vlb_file_exists(models)) return VLB_OK;
  }
  return vlb_fail(err, VLB_USAGE,
                  "%s: no models of Meta-World (sawyer_xyz/) here; name the folder 'assets' of the Python package metaworld with "
                  "--metaworld-assets or VLABENCH_METAWORLD_ASSETS",
                  given);
}

/* Where upstream keeps the scene: version 3 first, then what version 2 called it. */
static vlb_code scene_path(const char *given, const vlb_mw_task *task, char *path, size_t size, vlb_error *err) {
  char folder[1024];
  size_t bare = strlen(task->model);
  if (bare > 3 && !strcmp(task->model + bare - 3, "_v3")) bare -= 3;
  VLB_TRY(vlb_mw_folder(given, folder, sizeof folder, err));
  VLB_TRY(vlb_path(path, size, err, "%s/sawyer_xyz/sawyer_%s.xml", folder, task->model));
  if (vlb_file_exists(path)) return VLB_OK;
  VLB_TRY(vlb_path(path, size, err, "%s/sawyer_xyz/sawyer_%.*s_v2.xml", folder, (int)bare, task->model));
  if (vlb_file_exists(path)) return VLB_OK;
  return vlb_fail(err, VLB_USAGE, "%s: no sawyer_xyz/sawyer_%s.xml here; is it all of Meta-World's assets?", folder, task->model);
}

/* Upstream lets the weld between mocap and hand keep them at one place with half a turn between them. */
static void patch_welds(mjModel *m) {
  static const mjtNum weld[11] = {0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 5}; /* anchor 3, position 3, rotation 4, torque scale */
  for (int i = 0; i < m->neq; i++)
    if (m->eq_type[i] == mjEQ_WELD) mju_copy(m->eq_data + mjNEQDATA * i, weld, 11);
}

static vlb_code check_model(const mjModel *m, vlb_mw_id task, vlb_error *err) {
  const char *name = vlb_mw_tasks[task].name;
  if (m->nmocap != 1 || m->nu != 2)
    return vlb_fail(err, VLB_FAILED, "the scene of %s has %lld mocap bodies and %lld actuators; Meta-World's has 1 and 2", name,
                    (long long)m->nmocap, (long long)m->nu);
  for (const vlb_mw_op *op = vlb_mw_rules[task].reset; op->verb; op++)
    if (op->at + op->count > m->nq)
      return vlb_fail(err, VLB_FAILED, "the scene of %s has %lld joint positions; its start sets number %d", name, (long long)m->nq,
                      op->at + op->count);
  return VLB_OK;
}

vlb_code vlb_mw_load(const vlb_mw_source *source, vlb_mw_id task, mjModel **model, vlb_error *err) {
  char path[1024];
  *model = NULL;
  if (source->xml) VLB_TRY(vlb_engine_load(source->xml, model, err));
  else {
    VLB_TRY(scene_path(source->folder, &vlb_mw_tasks[task], path, sizeof path, err));
    VLB_TRY(vlb_engine_load_file(path, model, err));
  }
  vlb_code code = check_model(*model, task, err);
  if (!code) patch_welds(*model);
  else mj_deleteModel(*model);
  return code;
}

vlb_code vlb_mw_open(const vlb_mw_source *source, vlb_mw_id task, vlb_mw_env *env, vlb_error *err) {
  *env = (vlb_mw_env){.task = task};
  VLB_TRY(vlb_mw_load(source, task, &env->model, err));
  env->data = mj_makeData(env->model);
  if (env->data) return VLB_OK;
  vlb_mw_close(env);
  return vlb_fail(err, VLB_FAILED, "no memory for a simulation");
}

void vlb_mw_close(vlb_mw_env *env) {
  if (env->data) mj_deleteData(env->data);
  if (env->model) mj_deleteModel(env->model);
  env->data = NULL;
  env->model = NULL;
}

/* ---- random vectors ---- */

void vlb_mw_draw(vlb_mw_id task, uint64_t seed, int episode, double rand[VLB_MW_RAND]) {
  const vlb_mw_task *t = &vlb_mw_tasks[task];
  const double *from = t->apart_from[0] != 0 || t->apart_from[1] != 0 ? t->apart_from : rand + 3;
  vlb_rng rng = vlb_rng_make(seed, VLB_RNG_METAWORLD, (uint32_t)task, (uint32_t)episode);
  memset(rand, 0, VLB_MW_RAND * sizeof *rand);
  do
    for (int i = 0; i < t->rand_size; i++) rand[i] = vlb_rng_range(&rng, t->low[i], t->high[i]);
  while (hypot(rand[0] - from[0], rand[1] - from[1]) < t->apart);
}

/* ---- observation ---- */

/* (x,y,z,w) of a rotation matrix as scipy computes it: by the largest of the diagonal and the trace, which settles the sign. */
static void matrix_quat(const mjtNum r[9], double q[4]) {
  double d[4] = {r[0], r[4], r[8], r[0] + r[4] + r[8]};
  int i = 0;
  for (int c = 1; c < 4; c++)
    if (d[c] > d[i]) i = c;
  if (i < 3) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
    q[i] = 1 - d[3] + 2 * r[4 * i];
    q[j] = r[3 * j + i] + r[3 * i + j];
    q[k] = r[3 * k + i] + r[3 * i + k];
    q[3] = r[3 * k + j] - r[3 * j + k];
  } else {
    q[0] = r[7] - r[5];
    q[1] = r[2] - r[6];
    q[2] = r[3] - r[1];
    q[3] = 1 + d[3];
  }
  mju_scl(q, q, 1 / mju_norm(q, 4), 4);
}

static void see(vlb_mw_env *env, const vlb_mw_object *object, double out[7]) {
  const mjData *d = env->data;
  const char *name = object->quat_of;
  double *q = out + 3;
  vlb_mw_where(env, &object->point, NULL, out);
  mju_zero(q, 4);
  switch (object->quat) {
    case MW_NO_QUAT: break;
    case MW_ONE_QUAT: q[0] = 1; break;
    case MW_WXYZ: mju_copy4(q, d->xquat + 4 * vlb_mw_index(env, mjOBJ_BODY, name)); break;
    case MW_XYZW_BODY: matrix_quat(d->xmat + 9 * vlb_mw_index(env, mjOBJ_BODY, name), q); break;
    case MW_XYZW_GEOM: matrix_quat(d->geom_xmat + 9 * vlb_mw_index(env, mjOBJ_GEOM, name), q); break;
    case MW_XYZW_SITE: matrix_quat(d->site_xmat + 9 * vlb_mw_index(env, mjOBJ_SITE, name), q); break;
  }
}

/* Hand, gripper opening, two objects. */
static void see_now(vlb_mw_env *env, double now[HALF]) {
  const mjtNum *x = env->data->xpos;
  const vlb_mw_object *objects = vlb_mw_rules[env->task].seen;
  mjtNum gap[3];
  mju_zero(now, HALF);
  mju_copy3(now, x + 3 * vlb_mw_index(env, mjOBJ_BODY, "hand"));
  mju_sub3(gap, x + 3 * vlb_mw_index(env, mjOBJ_BODY, "rightclaw"), x + 3 * vlb_mw_index(env, mjOBJ_BODY, "leftclaw"));
  now[3] = clip(mju_norm3(gap) / 0.1, 0, 1);
  for (int i = 0; i < 2 && (i == 0 || objects[i].point.from != MW_CONST); i++) see(env, &objects[i], now + 4 + 7 * i);
}

/* This moment, the one before, the goal. */
static void observe(vlb_mw_env *env, double obs[VLB_MW_OBS]) {
  see_now(env, obs);
  mju_copy(obs + HALF, env->previous, HALF);
  mju_copy3(obs + 2 * HALF, env->goal);
  mju_copy(env->previous, obs, HALF);
}

static void clip_observation(const vlb_mw_task *task, double obs[VLB_MW_OBS]) {
  for (int half = 0; half < 2; half++)
    for (int i = 0; i < 4; i++) obs[HALF * half + i] = clip(obs[HALF * half + i], seen_low[i], seen_high[i]);
  for (int i = 0; i < 3; i++) obs[2 * HALF + i] = clip(obs[2 * HALF + i], task->goal_low[i], task->goal_high[i]);
}

/* ---- reset ---- */

/* Upstream computes bodies' outer forces here as well; nothing reads them. */
static void simulate(vlb_mw_env *env) {
  for (int i = 0; i < SUBSTEPS; i++) mj_step(env->model, env->data);
}

/* Not of unit length, as upstream's; MuJoCo normalises it. */
static void point_hand_down(mjData *d) {
  static const mjtNum down[4] = {1, 0, 1, 0};
  mju_copy4(d->mocap_quat, down);
}

static void reset_hand(vlb_mw_env *env) {
  mjData *d = env->data;
  for (int i = 0; i < HOME_STEPS; i++) {
    mju_copy3(d->mocap_pos, vlb_mw_tasks[env->task].hand);
    point_hand_down(d);
    d->ctrl[0] = -1;
    d->ctrl[1] = 1;
    simulate(env);
  }
}

static void set_positions(vlb_mw_env *env, const vlb_mw_op *op, const double x[3]) {
  const mjtNum value[7] = {x[0], x[1], x[2], 1, 0, 0, 0};
  mjData *d = env->data;
  mju_copy(d->qpos + op->at, value, op->count);
  for (int i = op->still[0]; i < op->still[1] && i < env->model->nv; i++) d->qvel[i] = 0;
  if (op->verb == MW_SET) mj_forward(env->model, d);
}

static void apply(vlb_mw_env *env, const vlb_mw_op *op, const double *rand) {
  double x[3];
  vlb_mw_where(env, &op->point, rand, x);
  switch (op->verb) {
    case MW_DONE: break;
    case MW_KEEP_HEIGHT: env->height = x[2]; break;
    case MW_MOVE_BODY: mju_copy3(env->model->body_pos + 3 * vlb_mw_index(env, mjOBJ_BODY, op->name), x); break;
    case MW_MOVE_SITE: mju_copy3(env->model->site_pos + 3 * vlb_mw_index(env, mjOBJ_SITE, op->name), x); break;
    case MW_SET:
    case MW_SET_UNSEEN: set_positions(env, op, x); break;
    case MW_FORWARD: mj_forward(env->model, env->data); break;
    case MW_SIMULATE: simulate(env); break;
    case MW_GOAL: mju_copy3(env->goal, x); break;
  }
}

/* Names that the scene lacks, or what MuJoCo warned of. */
static vlb_code check(vlb_mw_env *env, const char *when, double time, vlb_error *err) {
  const char *what = vlb_engine_trouble(env->data);
  if (env->missing) return vlb_fail(err, VLB_FAILED, "the scene of %s has nothing called '%s'", vlb_mw_tasks[env->task].name, env->missing);
  if (what) return vlb_fail(err, VLB_FAILED, "simulator instability in the %s at %.2f s: %s", when, time, what);
  return VLB_OK;
}

typedef struct {
  vlb_mw_env *env;
  const double *in; /* random vector, action */
  double *obs;
  bool *success;
} job;

/* Twice, with mj_resetData in between: bodies moved in the model stay moved, and what the second pass reads before its first forward
 * comes from the first. The observation follows the last operation without a forward of its own. */
static vlb_code reset(void *self, vlb_error *err) {
  job *j = self;
  vlb_mw_env *env = j->env;
  for (int pass = 0; pass < 2; pass++) {
    mj_resetData(env->model, env->data);
    reset_hand(env);
    for (const vlb_mw_op *op = vlb_mw_rules[env->task].reset; op->verb; op++) apply(env, op, j->in);
    VLB_TRY(check(env, "reset", env->data->time, err));
  }
  see_now(env, env->previous);
  observe(env, j->obs);
  return check(env, "reset", env->data->time, err);
}

vlb_code vlb_mw_reset(vlb_mw_env *env, const double rand[VLB_MW_RAND], double obs[VLB_MW_OBS], vlb_error *err) {
  job j = {.env = env, .in = rand, .obs = obs};
  return vlb_engine_guard(reset, &j, err);
}

/* ---- step ---- */

static bool reached(vlb_mw_env *env, const double obs[VLB_MW_OBS]) {
  const vlb_mw_rule *rule = &vlb_mw_rules[env->task];
  mjtNum d[3];
  if (rule->reached) return rule->reached(env, obs);
  for (int i = 0; i < 3; i++) d[i] = (obs[4 + i] - env->goal[i]) * rule->weight[i];
  return mju_norm3(d) <= rule->within;
}

/* Actions are single precision upstream, and scaled in it. */
static vlb_code step(void *self, vlb_error *err) {
  job *j = self;
  vlb_mw_env *env = j->env;
  mjData *d = env->data;
  const vlb_mw_task *task = &vlb_mw_tasks[env->task];
  double start = d->time;
  for (int i = 0; i < 3; i++) {
    float move = (float)clip(j->in[i], -1, 1) * 0.01f;
    d->mocap_pos[i] = clip(d->mocap_pos[i] + (double)move, task->mocap_low[i], vlb_mw_mocap_high[i]);
  }
  point_hand_down(d);
  d->ctrl[0] = (double)(float)j->in[3];
  d->ctrl[1] = -d->ctrl[0];
  simulate(env);
  /* a fifth of a step's time, and no more than positions is read of it; but the next step's solver starts from its result, so without
   * it two of upstream's recordings are missed */
  mj_forward(env->model, d);
  VLB_TRY(check(env, "control step", start, err));
  observe(env, j->obs);
  clip_observation(task, j->obs);
  *j->success = reached(env, j->obs);
  return check(env, "control step", start, err);
}

vlb_code vlb_mw_step(vlb_mw_env *env, const double action[VLB_MW_ACTION], double obs[VLB_MW_OBS], bool *success, vlb_error *err) {
  job j = {env, action, obs, success};
  for (int i = 0; i < VLB_MW_ACTION; i++)
    if (!isfinite(action[i])) return vlb_fail(err, VLB_FAILED, "action %d is not a finite number", i);
  return vlb_engine_guard(step, &j, err);
}
