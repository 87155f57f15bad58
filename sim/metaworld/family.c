#include "sim/metaworld/family.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fields.h"
#include "core/base/file.h"
#include "sim/metaworld/reference.h"
#include "sim/world/mjcf.h"

const char *const vlb_mw_suite_names[] = {"metaworld", "metaworld_easy", "metaworld_medium", "metaworld_hard", "metaworld_very_hard",
                                          "metaworld_style", "metaworld_style_easy", "metaworld_style_medium", "metaworld_style_hard",
                                          "metaworld_style_very_hard", NULL};
enum { STYLE = 5, MAX_FROZEN = 50 };

static const char *const group_names[] = {"easy", "medium", "hard", "very_hard"};

/* vlb_suite.own */
typedef struct {
  char folder[1024];                                   /* of the assets; empty: embedded */
  int frozen_count[VLB_MW_TASKS];                      /* 0: our own stream */
  double frozen[VLB_MW_TASKS][MAX_FROZEN][VLB_MW_RAND]; /* VLABENCH_METAWORLD_GOALS */
} origin;

/* ---- the embedded models ---- */

char *vlb_mw_style_xml(const char *model) {
  char path[128], *xml = NULL;
  size_t size = 0;
  snprintf(path, sizeof path, "sim/metaworld/models/sawyer_%s.xml", model);
  const char *base = vlb_mjcf_asset("sim/metaworld/models/base.xml"), *objects = vlb_mjcf_asset(path);
  FILE *out = base && objects ? open_memstream(&xml, &size) : NULL;
  if (!out) return NULL;
  fprintf(out, "<mujoco model=\"%s\">\n", model);
  vlb_mjcf_sections(out, base, "");
  vlb_mjcf_sections(out, objects, "");
  fputs("</mujoco>\n", out);
  fclose(out);
  return xml;
}

/* Some models serve tasks that their authors did not tune them for. */
static bool in_style(vlb_mw_id id) {
  static const vlb_mw_id tasks[] = {VLB_MW_REACH,     VLB_MW_BUTTON_PRESS_TOPDOWN, VLB_MW_DRAWER_OPEN, VLB_MW_PUSH_WALL,
                                    VLB_MW_BIN_PICKING, VLB_MW_PEG_INSERT_SIDE,    VLB_MW_PICK_PLACE,  VLB_MW_PUSH,
                                    VLB_MW_PUSH_BACK, VLB_MW_PICK_PLACE_WALL,      VLB_MW_SHELF_PLACE, VLB_MW_STICK_PUSH};
  for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
    if (tasks[i] == id) return true;
  return false;
}

/* ---- scenes ---- */

/* LeRobot's camera: corner2 where corner4 is. */
static vlb_code set_camera(vlb_scene *s, vlb_error *err) {
  static const mjtNum place[3] = {0.75, 0.075, 0.7};
  s->camera[0] = mj_name2id(s->model, mjOBJ_CAMERA, s->embodiment->camera[0]);
  if (s->camera[0] < 0) return vlb_fail(err, VLB_FAILED, "the scene has no camera %s", s->embodiment->camera[0]);
  mju_copy3(s->model->cam_pos + 3 * s->camera[0], place);
  return VLB_OK;
}

/* What is stored with demonstrations: the whole MJCF of ours; of Meta-World's only which scene it was, because the rest is the user's. */
static vlb_code load(const origin *from, vlb_mw_id id, vlb_scene *s, vlb_error *err) {
  const vlb_mw_task *task = &vlb_mw_tasks[id];
  if (!from->folder[0]) s->xml = vlb_mw_style_xml(task->model);
  else if (asprintf(&s->xml, "<!-- Meta-World: sawyer_xyz/sawyer_%s.xml -->\n", task->model) < 0) s->xml = NULL;
  if (!s->xml) return vlb_fail(err, VLB_FAILED, "no memory for the scene of %s", task->name);
  const vlb_mw_source source = {from->folder, from->folder[0] ? NULL : s->xml};
  VLB_TRY(vlb_mw_load(&source, id, &s->model, err));
  return set_camera(s, err);
}

static vlb_code compile(const vlb_suite *suite, int task, vlb_scene **scene, vlb_error *err) {
  vlb_scene *s = calloc(1, sizeof *s);
  if (!s) return vlb_fail(err, VLB_FAILED, "no memory for a scene");
  s->embodiment = suite->embodiment;
  s->geom_groups = s->site_groups = 7; /* MuJoCo's own choice: 0 to 2 */
  vlb_code code = load(suite->own, (vlb_mw_id)suite->tasks[task].row, s, err);
  if (code) vlb_scene_free(s);
  else *scene = s;
  return code;
}

/* ---- digest ---- */

static int by_name(const FTSENT **a, const FTSENT **b) { return strcmp((*a)->fts_name, (*b)->fts_name); }

/* The package's folder also holds what changes nothing, such as compiled Python. */
static bool is_asset(const FTSENT *e) {
  static const char *const kinds[] = {".xml", ".stl", ".obj", ".msh", ".png"};
  const char *ending = strrchr(e->fts_name, '.');
  for (int i = 0; e->fts_info == FTS_F && ending && i < 5; i++)
    if (!strcasecmp(ending, kinds[i])) return true;
  return false;
}

/* Names and digests of all models, meshes and textures below the folder. */
static vlb_code list_files(const char *folder, FILE *out, vlb_error *err) {
  char *roots[] = {(char *)(uintptr_t)folder, NULL}, hash[VLB_HASH_SIZE];
  int n = 0;
  FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
  vlb_code code = VLB_OK;
  for (FTSENT *e; walk && !code && (e = fts_read(walk));) {
    if (!is_asset(e)) continue;
    code = vlb_hash_file(e->fts_path, hash, err);
    if (!code) fprintf(out, "%s %s\n", e->fts_path + strlen(folder), hash);
    n++;
  }
  if (walk) fts_close(walk);
  if (code || n) return code;
  return vlb_fail(err, VLB_USAGE, "%s: no models of Meta-World in this folder (VLABENCH_METAWORLD_ASSETS)", folder);
}

static void list_models(const vlb_suite *suite, FILE *out) {
  char hash[VLB_HASH_SIZE];
  for (int i = 0; i < suite->task_count; i++) {
    const vlb_mw_task *task = &vlb_mw_tasks[suite->tasks[i].row];
    char *xml = vlb_mw_style_xml(task->model);
    vlb_hash(xml, xml ? strlen(xml) : 0, hash);
    fprintf(out, "%s %s\n", task->name, hash);
    free(xml);
  }
}

static vlb_code digest(const vlb_suite *suite, char hash[VLB_HASH_SIZE], vlb_error *err) {
  const origin *from = suite->own;
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  if (!out) return vlb_fail(err, VLB_FAILED, "no memory for a digest");
  vlb_code code = VLB_OK;
  if (from->folder[0]) code = list_files(from->folder, out, err);
  else list_models(suite, out);
  fwrite(from->frozen_count, sizeof from->frozen_count, 1, out);
  fwrite(from->frozen, sizeof from->frozen, 1, out);
  fclose(out);
  if (!code) vlb_hash(text, size, hash);
  free(text);
  return code;
}

/* ---- one world ---- */

typedef struct {
  vlb_mw_env env; /* borrows the world's model and data */
  double obs[VLB_MW_OBS];
} control;

static vlb_code start(vlb_world *w, int episode, uint64_t seed, vlb_error *err) {
  control *c = w->control;
  const origin *from = w->suite->own;
  const vlb_mw_id id = (vlb_mw_id)w->task->row;
  double drawn[VLB_MW_RAND];
  c->env = (vlb_mw_env){.task = id, .model = w->model, .data = w->data};
  if (from->frozen_count[id]) return vlb_mw_reset(&c->env, from->frozen[id][episode % from->frozen_count[id]], c->obs, err);
  vlb_mw_draw(id, seed, episode, drawn);
  return vlb_mw_reset(&c->env, drawn, c->obs, err);
}

static vlb_code step(vlb_world *w, const double *action, vlb_error *err) {
  control *c = w->control;
  bool success;
  VLB_TRY(vlb_mw_step(&c->env, action, c->obs, &success, err));
  w->success |= success;
  return VLB_OK;
}

static void state(const vlb_world *w, float *out) {
  const control *c = w->control;
  for (int i = 0; i < w->suite->embodiment->state_dim; i++) out[i] = (float)c->obs[i];
}

/* Upstream's experts look at one observation at a time: there is nothing to prepare. */
static vlb_code expert_start(vlb_world *w, int episode, uint64_t seed, vlb_error *err) {
  (void)w, (void)episode, (void)seed, (void)err;
  return VLB_OK;
}

static void expert_act(vlb_world *w, double *action) {
  const control *c = w->control;
  vlb_mw_expert(c->env.task, c->obs, action);
}

static int expert_finished(const vlb_world *w) { return w->success; }

static const vlb_family family = {sizeof(control), 1, compile, digest, start, step, state, expert_start, expert_act, expert_finished, NULL, NULL,
                                  NULL};

/* ---- suites ---- */

static void add_task(vlb_suite *suite, vlb_mw_id id) {
  const vlb_mw_task *from = &vlb_mw_tasks[id];
  vlb_task *task = &suite->tasks[suite->task_count++];
  task->row = (int)id;
  snprintf(task->name, sizeof task->name, "%s", from->name);
  snprintf(task->instruction, sizeof task->instruction, "%s", from->instruction);
  snprintf(task->group, sizeof task->group, "%s", group_names[from->difficulty]);
}

/* which: of vlb_mw_suite_names. */
static bool belongs(int which, vlb_mw_id id) {
  int group = which > STYLE ? which - STYLE - 1 : which - 1;
  if (which >= STYLE && !in_style(id)) return false;
  return which == 0 || which == STYLE || group == (int)vlb_mw_tasks[id].difficulty;
}

static vlb_code set_folder(origin *from, const char *name, vlb_error *err) {
  const char *folder = getenv("VLABENCH_METAWORLD_ASSETS");
  if (!folder || !*folder)
    return vlb_fail(err, VLB_USAGE, "suite \"%s\" needs Meta-World's assets: set VLABENCH_METAWORLD_ASSETS, or --metaworld-assets, to the folder 'assets' of the Python "
                    "package metaworld, or take metaworld_style, which needs nothing", name);
  return vlb_mw_folder(folder, from->folder, sizeof from->folder, err);
}

static vlb_code set_goals(origin *from, vlb_error *err) {
  const char *path = getenv("VLABENCH_METAWORLD_GOALS");
  vlb_mw_goals goals[VLB_MW_TASKS];
  if (!path || !*path) return VLB_OK;
  vlb_code code = vlb_mw_goals_read(path, goals, err);
  for (int i = 0; i < VLB_MW_TASKS && !code; i++) {
    from->frozen_count[i] = goals[i].count < MAX_FROZEN ? goals[i].count : MAX_FROZEN;
    if (goals[i].count) memcpy(from->frozen[i], goals[i].rand, (size_t)from->frozen_count[i] * sizeof *goals[i].rand);
  }
  vlb_mw_goals_free(goals);
  return code;
}

static vlb_code fill(vlb_suite *s, int which, vlb_error *err) {
  snprintf(s->name, sizeof s->name, "%s", vlb_mw_suite_names[which]);
  s->family = &family;
  s->embodiment = &vlb_sawyer;
  s->max_steps = VLB_MW_MAX_STEPS;
  s->tasks = calloc(VLB_MW_TASKS, sizeof *s->tasks);
  s->own = calloc(1, sizeof(origin));
  s->texts = strdup("");
  if (!s->tasks || !s->own || !s->texts) return vlb_fail(err, VLB_FAILED, "no memory for a suite");
  for (int id = 0; id < VLB_MW_TASKS; id++)
    if (belongs(which, (vlb_mw_id)id)) add_task(s, (vlb_mw_id)id);
  if (which < STYLE) VLB_TRY(set_folder(s->own, s->name, err));
  return set_goals(s->own, err);
}

vlb_code vlb_mw_suite_open(const char *name, vlb_suite **suite, vlb_error *err) {
  int which = 0;
  while (vlb_mw_suite_names[which] && strcmp(name, vlb_mw_suite_names[which])) which++;
  if (!vlb_mw_suite_names[which]) {
    const char *near = vlb_suggest(name, vlb_mw_suite_names, which);
    return vlb_fail(err, VLB_USAGE, "no suite \"%s\"; did you mean \"%s\"?", name, near ? near : vlb_mw_suite_names[0]);
  }
  vlb_suite *s = calloc(1, sizeof *s);
  vlb_code code = s ? fill(s, which, err) : vlb_fail(err, VLB_FAILED, "no memory for a suite");
  if (code) vlb_suite_free(s);
  else *suite = s;
  return code;
}
