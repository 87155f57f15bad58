#include "sim/rollout/replay.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/pool.h"
#include "sim/rollout/demos.h"
#include "sim/rollout/model_file.h"
#include "sim/rollout/record.h"
#include "sim/rollout/suites.h"
#include "sim/world/engine.h"

typedef struct {
  const vlb_replay_settings *settings;
  const vlb_context *ctx;
  vlb_episode_file *file;
  const vlb_task_info *info;
  int first;            /* place in the file of rows[0] */
  vlb_replay_row *rows;
  pthread_mutex_t lock; /* of the file and the progress */
  int done;
  /* own files */
  vlb_demo_config config;
  vlb_suite *suite;
  vlb_scene *scene;
  int task;
  /* foreign files */
  vlb_asset_folders assets;
} replay;

bool vlb_replay_same(const vlb_replay_row *row, const vlb_task_info *info) {
  return !*row->trouble && row->state < 0 && row->picture < 0 && (row->success || info->writer != VLB_WRITER_VLABENCH);
}

static void note_trouble(vlb_replay_row *row, const char *message) { snprintf(row->trouble, sizeof row->trouble, "%s", message); }

/* --- own files: played again --- */

/* The largest difference so far, and whether this row is the same bits. */
static bool same_numbers(const double *a, const double *b, int n, double *largest) {
  for (int i = 0; i < n; i++) *largest = fmax(*largest, fabs(a[i] - b[i]));
  return !memcmp(a, b, (size_t)n * sizeof *a);
}

static void compare_state(const vlb_world *w, const vlb_episode *e, int k, double *scratch, vlb_replay_row *row) {
  float seen[VLB_MAX_STATE];
  double state[VLB_MAX_STATE];
  int n = w->suite->embodiment->state_dim;
  vlb_record_state(w, scratch);
  w->suite->family->state(w, seen);
  for (int i = 0; i < n; i++) state[i] = (double)seen[i];
  bool same = same_numbers(scratch, e->states + (size_t)k * (size_t)e->state_width, e->state_width, &row->largest);
  same = same_numbers(state, e->state + (size_t)k * (size_t)n, n, &row->largest) && same;
  if (!same && row->state < 0) row->state = k;
}

static vlb_code compare_pictures(const vlb_world *w, vlb_renderer *renderer, const vlb_episode *e, int k, uint8_t *scratch, vlb_replay_row *row,
                                 vlb_error *err) {
  size_t picture = (size_t)e->image_size * (size_t)e->image_size * 3;
  for (int c = 0; c < e->embodiment->cameras; c++) {
    VLB_TRY(vlb_render(renderer, w->model, w->data, w->scene->camera[c], scratch, err));
    if (row->picture < 0 && memcmp(scratch, e->image[c] + (size_t)k * picture, picture)) row->picture = k;
  }
  return VLB_OK;
}

/* renderer NULL: pictures are not looked at. scratch holds a state or a picture. */
static vlb_code play(const replay *r, vlb_world *w, vlb_renderer *renderer, const vlb_episode *e, void *scratch, vlb_replay_row *row,
                     vlb_error *err) {
  vlb_error trouble = {VLB_OK, ""};
  vlb_code code = vlb_world_start(w, e->episode, (uint64_t)r->config.seed, &trouble);
  if (!code) vlb_record_vary(w, r->config.variety, e->episode, (uint64_t)r->config.seed);
  const double *given = e->applied ? e->applied : e->actions;
  for (int k = 0; k < e->frames && !code; k++) {
    compare_state(w, e, k, scratch, row);
    if (renderer) VLB_TRY(compare_pictures(w, renderer, e, k, scratch, row, err));
    row->frames = k + 1;
    code = vlb_world_step(w, given + (size_t)k * (size_t)e->embodiment->action_dim, &trouble);
  }
  if (code) note_trouble(row, trouble.message);
  row->success = w->success;
  return VLB_OK;
}

static vlb_code replay_own(const replay *r, const vlb_episode *e, vlb_replay_row *row, vlb_error *err) {
  const mjModel *m = r->scene->model;
  if (e->episode < 0) return vlb_fail(err, VLB_FAILED, "the file does not say which initial state it started from; record it again");
  if (e->state_width != 1 + m->nq + m->nv)
    return vlb_fail(err, VLB_FAILED, "states have %d numbers, the task's scene has %d; it was recorded with another scene", e->state_width,
                    (int)(1 + m->nq + m->nv));
  vlb_world world;
  vlb_renderer *renderer = NULL;
  size_t state = (size_t)e->state_width * sizeof(double), picture = (size_t)e->image_size * (size_t)e->image_size * 3;
  void *scratch = malloc(state > picture ? state : picture);
  vlb_code code = scratch ? vlb_world_open(&world, r->suite, r->task, r->scene, err) : vlb_fail(err, VLB_FAILED, "no memory for a replay");
  if (!code) {
    if (r->settings->pictures) code = vlb_renderer_open(r->scene, e->image_size, r->config.shadows, &renderer, err);
    if (!code) code = play(r, &world, renderer, e, scratch, row, err);
    if (renderer) vlb_renderer_close(renderer);
    vlb_world_close(&world);
  }
  free(scratch);
  return code;
}

/* Settings, suite, task and scene of the file. */
static vlb_code open_own(replay *r, const char *path, vlb_error *err) {
  vlb_toml *root;
  const char *name = strrchr(r->info->bddl_file_name, '/');
  if (!*r->info->settings || !name)
    return vlb_fail(err, VLB_FAILED, "%s: does not say how it was recorded (attribute settings); record it again", path);
  VLB_TRY(vlb_toml_parse(r->info->settings, path, &root, err));
  vlb_fields_default(vlb_demo_fields, &r->config);
  vlb_code code = vlb_fields_read(vlb_demo_fields, &r->config, root, err);
  vlb_toml_free(root);
  if (code) return code;
  if (vlb_suite_open(r->settings->suite ? r->settings->suite : r->config.suite.s, &r->suite, err))
    return vlb_fail_at(err, "%s: its suite (--suite names another)", path);
  for (r->task = 0; r->task < r->suite->task_count; r->task++)
    if (!strcmp(r->suite->tasks[r->task].name, name + 1)) return r->suite->family->compile(r->suite, r->task, &r->scene, err);
  return vlb_fail(err, VLB_USAGE, "%s: suite %s has no task \"%s\"; name the right one with --suite", path, r->suite->name, name + 1);
}

/* --- foreign files: the model in each state --- */

/* What robosuite reads its observations from (libero.md 6). */
typedef struct {
  mjModel *model;
  mjData *data;
  int site, hand, joints[7], fingers[2]; /* indices; joints and fingers into qpos */
} puppet;

static int find_joint(const mjModel *m, const char *format, int number) {
  char name[64];
  snprintf(name, sizeof name, format, number);
  int joint = mj_name2id(m, mjOBJ_JOINT, name);
  return joint < 0 ? -1 : m->jnt_qposadr[joint];
}

static vlb_code find_parts(puppet *p, vlb_error *err) {
  const mjModel *m = p->model;
  p->site = mj_name2id(m, mjOBJ_SITE, "gripper0_grip_site");
  p->hand = mj_name2id(m, mjOBJ_BODY, "robot0_right_hand");
  bool complete = p->site >= 0 && p->hand >= 0;
  for (int i = 0; i < 7; i++) complete = (p->joints[i] = find_joint(m, "robot0_joint%d", i + 1)) >= 0 && complete;
  for (int i = 0; i < 2; i++) complete = (p->fingers[i] = find_joint(m, "gripper0_finger_joint%d", i + 1)) >= 0 && complete;
  return complete ? VLB_OK : vlb_fail(err, VLB_FAILED, "the model is not of robosuite's Panda: its joints, hand or grip site are missing");
}

/* The angle between two orientations, rad. */
static double angle_between(const mjtNum *quat, const double axis_angle[3]) {
  double angle = mju_norm3(axis_angle), axis[3] = {1, 0, 0}, other[4];
  if (angle > 0) mju_scl3(axis, axis_angle, 1 / angle);
  mju_axisAngle2Quat(other, axis, angle);
  return 2 * acos(fmin(fabs(mju_dot(quat, other, 4)), 1));
}

/* Observation k against the model as it stands. */
static void compare_observation(const puppet *p, const vlb_episode *e, int k, double tolerance, vlb_replay_row *row) {
  const double *state = e->state + (size_t)k * 8;
  double joints = 0;
  double position = mju_dist3(p->data->site_xpos + 3 * p->site, state);
  double orientation = angle_between(p->data->xquat + 4 * p->hand, state + 3);
  for (int i = 0; i < 2; i++) joints = fmax(joints, fabs(p->data->qpos[p->fingers[i]] - state[6 + i]));
  for (int i = 0; i < 7 && e->joints; i++) joints = fmax(joints, fabs(p->data->qpos[p->joints[i]] - e->joints[(size_t)k * 7 + (size_t)i]));
  row->position = fmax(row->position, position);
  row->orientation = fmax(row->orientation, orientation);
  row->joints = fmax(row->joints, joints);
  if (row->state < 0 && !(position <= tolerance && orientation <= tolerance && joints <= tolerance)) row->state = k;
}

typedef struct {
  const replay *replay;
  const vlb_episode *episode;
  puppet puppet;
  vlb_replay_row *row;
} pose_job;

static vlb_code pose_all(void *self, vlb_error *err) {
  (void)err;
  pose_job *job = self;
  const vlb_episode *e = job->episode;
  const puppet *p = &job->puppet;
  int later = job->replay->info->observed_before ? 0 : 1;
  for (int k = 0; k + later < e->frames; k++) {
    const double *row = e->states + (size_t)(k + later) * (size_t)e->state_width;
    p->data->time = row[0];
    mju_copy(p->data->qpos, row + 1, (int)p->model->nq);
    mju_copy(p->data->qvel, row + 1 + p->model->nq, (int)p->model->nv);
    mj_kinematics(p->model, p->data);
    compare_observation(p, e, k, job->replay->settings->tolerance, job->row);
    job->row->frames = k + 1;
  }
  return VLB_OK;
}

static vlb_code replay_foreign(const replay *r, const vlb_episode *e, vlb_replay_row *row, vlb_error *err) {
  char *xml = NULL;
  pose_job job = {.replay = r, .episode = e, .row = row};
  puppet *p = &job.puppet;
  if (!e->model_xml) return vlb_fail(err, VLB_FAILED, "the file brings no model (attribute model_file)");
  vlb_code code = vlb_model_file_rewrite(e->model_xml, &r->assets, &xml, err);
  if (!code) code = vlb_engine_load(xml, &p->model, err);
  if (!code && e->state_width != 1 + p->model->nq + p->model->nv)
    code = vlb_fail(err, VLB_FAILED, "states have %d numbers, its model has %d", e->state_width, (int)(1 + p->model->nq + p->model->nv));
  if (!code) code = find_parts(p, err);
  if (!code && !(p->data = mj_makeData(p->model))) code = vlb_fail(err, VLB_FAILED, "no memory for a simulation");
  if (!code) code = vlb_engine_guard(pose_all, &job, err);
  if (p->data) mj_deleteData(p->data);
  if (p->model) mj_deleteModel(p->model);
  free(xml);
  return code;
}

static vlb_code open_foreign(replay *r, const char *path, vlb_error *err) {
  if (r->settings->pictures)
    return vlb_fail(err, VLB_USAGE, "%s: --pictures is for files that vlabench recorded; this one is %s's", path, vlb_episode_writer_name(r->info->writer));
  if (r->settings->suite) return vlb_fail(err, VLB_USAGE, "%s: --suite is for files that vlabench recorded; this one brings its model", path);
  return vlb_asset_folders_find(r->settings->robosuite_assets, r->settings->libero_assets, &r->assets, err);
}

/* --- all episodes --- */

static vlb_code replay_one(void *self, int index, int worker, vlb_error *err) {
  replay *r = self;
  vlb_episode e;
  vlb_replay_row *row = &r->rows[index];
  (void)worker;
  VLB_TRY(vlb_check_stop(r->ctx, err));
  *row = (vlb_replay_row){.demo = r->first + index, .state = -1, .picture = -1};
  pthread_mutex_lock(&r->lock);
  vlb_code code = vlb_episodes_read(r->file, row->demo, r->settings->pictures, &e, err);
  pthread_mutex_unlock(&r->lock);
  if (code) return code;
  code = r->info->writer == VLB_WRITER_VLABENCH ? replay_own(r, &e, row, err) : replay_foreign(r, &e, row, err);
  vlb_episode_free(&e);
  if (code) return vlb_fail_at(err, "demo %d", row->demo);
  pthread_mutex_lock(&r->lock);
  vlb_progress_set(r->ctx->log, ++r->done, NULL);
  pthread_mutex_unlock(&r->lock);
  return VLB_OK;
}

static vlb_code replay_rows(replay *r, const char *path, int *count, vlb_error *err) {
  int total = vlb_episodes_count(r->file), demo = r->settings->demo;
  if (demo >= total) return vlb_fail(err, VLB_USAGE, "%s: --demo %d: it holds 0 to %d", path, demo, total - 1);
  VLB_TRY(r->info->writer == VLB_WRITER_VLABENCH ? open_own(r, path, err) : open_foreign(r, path, err));
  r->first = demo < 0 ? 0 : demo;
  *count = demo < 0 ? total : 1;
  r->rows = calloc((size_t)*count, sizeof *r->rows);
  if (!r->rows) return vlb_fail(err, VLB_FAILED, "no memory for %d episodes", *count);
  vlb_progress_begin(r->ctx->log, "replay", 0, *count, "episodes");
  vlb_code code = vlb_parallel(r->ctx->threads, *count, replay_one, r, err);
  vlb_progress_end(r->ctx->log);
  return code ? vlb_fail_at(err, "%s", path) : VLB_OK;
}

vlb_code vlb_replay(const char *path, const vlb_replay_settings *settings, vlb_replay_report report, void *self, int *differing,
                    const vlb_context *ctx, vlb_error *err) {
  replay r = {.settings = settings, .ctx = ctx};
  int count = 0;
  *differing = 0;
  VLB_TRY(vlb_episodes_open(path, &r.file, err));
  r.info = vlb_episodes_info(r.file);
  pthread_mutex_init(&r.lock, NULL);
  vlb_code code = replay_rows(&r, path, &count, err);
  for (int i = 0; i < count && !code; i++) {
    report(self, &r.rows[i], r.info);
    *differing += !vlb_replay_same(&r.rows[i], r.info);
  }
  pthread_mutex_destroy(&r.lock);
  free(r.rows);
  vlb_scene_free(r.scene);
  vlb_suite_free(r.suite);
  vlb_episodes_close(r.file);
  return code;
}
