#include "sim/world/scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/embed.h"
#include "core/base/fields.h"
#include "sim/world/engine.h"
#include "sim/world/mjcf.h"

extern const vlb_embedded vlb_embedded_sim_assets[];

static const char objects_folder[] = "sim/world/objects/", arenas_folder[] = "sim/world/arenas/", suffix[] = ".xml";
static const char main_body[] = "<body name=\"@_main\"";

/* The embedded file folder/name.xml; NULL, and the nearest name there is (or NULL), when there is none. */
static const char *find_in(const char *folder, const char *name, const char **near) {
  enum { MAX = 256 };
  static _Thread_local char names[MAX][48]; /* the hint outlives the call */
  const char *list[MAX];
  char path[160];
  int n = 0;
  snprintf(path, sizeof path, "%s%s%s", folder, name, suffix);
  const char *text = vlb_mjcf_asset(path);
  if (text) return text;
  for (const vlb_embedded *e = vlb_embedded_sim_assets; e->path && n < MAX; e++) {
    size_t skip = strlen(folder), size = strlen(e->path);
    if (strncmp(e->path, folder, skip)) continue;
    snprintf(names[n], sizeof names[n], "%.*s", (int)(size - skip - strlen(suffix)), e->path + skip);
    list[n] = names[n];
    n++;
  }
  *near = vlb_suggest(name, list, n);
  return NULL;
}

static vlb_code unknown(const char *whose, const char *what, const char *name, const char *near, vlb_error *err) {
  return vlb_fail(err, VLB_USAGE, "%sunknown %s \"%s\"%s%s%s", whose, what, name, near ? "; did you mean \"" : "", near ? near : "",
                  near ? "\"?" : "");
}

int vlb_arena_known(const char *arena, const char **hint) { return find_in(arenas_folder, arena, hint) != NULL; }

/* One instance: a fixture's pose goes into the body's tag, a movable's free joint right behind it. */
static vlb_code write_object(FILE *out, const vlb_scene_object *object, const double workspace[3], vlb_error *err) {
  const char *near, *text = find_in(objects_folder, object->category, &near);
  char whose[80];
  snprintf(whose, sizeof whose, "object \"%s\": ", object->name);
  if (!text) return unknown(whose, "category", object->category, near, err);
  const char *tag = strstr(text, main_body), *end = tag ? strchr(tag, '>') : NULL;
  if (!end) return vlb_fail(err, VLB_FAILED, "%s%s.xml: no %s>", objects_folder, object->category, main_body);
  vlb_mjcf_named(out, text, (size_t)(end - text), object->name);
  if (object->movable)
    fprintf(out, ">\n<joint name=\"%s_joint0\" type=\"free\" damping=\"0.0005\"/>", object->name);
  else
    fprintf(out, " pos=\"%.17g %.17g %.17g\" quat=\"%.17g 0 0 %.17g\">", workspace[0] + object->pos[0], workspace[1] + object->pos[1],
            workspace[2] + object->pos[2], cos(object->yaw / 2), sin(object->yaw / 2));
  vlb_mjcf_named(out, end + 1, strlen(end + 1), object->name);
  return VLB_OK;
}

static void write_zone(FILE *out, const vlb_scene_zone *zone, const double workspace[3]) {
  static const double half_height = 0.007, depth = 0.005;
  fprintf(out, "<site name=\"%s\" type=\"box\" pos=\"%.17g %.17g %.17g\" size=\"%.17g %.17g %.17g\" rgba=\"0 0 0 0\"/>\n", zone->name,
          workspace[0] + (zone->x[0] + zone->x[1]) / 2, workspace[1] + (zone->y[0] + zone->y[1]) / 2, workspace[2] - depth,
          (zone->x[1] - zone->x[0]) / 2, (zone->y[1] - zone->y[0]) / 2, half_height);
}

/* Where a site of the arena is: fixtures and the robot's base are placed by it before anything is compiled. */
static vlb_code arena_point(const char *arena, const char *text, const char *site, double out[3], vlb_error *err) {
  char mark[64];
  snprintf(mark, sizeof mark, "<site name=\"%s\" pos=\"", site);
  const char *at = strstr(text, mark);
  if (at && sscanf(at + strlen(mark), "%lf %lf %lf", &out[0], &out[1], &out[2]) == 3) return VLB_OK;
  return vlb_fail(err, VLB_FAILED, "%s%s.xml: no %sx y z\"", arenas_folder, arena, mark);
}

/* The SO-101 is the SO-100 before other cameras. */
static const char *robot_file(const vlb_embodiment *e) { return e == &vlb_so101 ? vlb_so100.name : e->name; }

static vlb_code write_scene(FILE *out, const vlb_scene_spec *spec, double workspace[3], vlb_error *err) {
  const char *near, *arena = find_in(arenas_folder, spec->arena, &near), *robot;
  char path[96], base[96];
  double at[3];
  if (!arena) return unknown("", "arena", spec->arena, near, err);
  snprintf(path, sizeof path, "sim/world/robots/%s%s", robot_file(spec->embodiment), suffix);
  if (!(robot = vlb_mjcf_asset(path))) return vlb_fail(err, VLB_USAGE, "robot \"%s\" has no scenes of its own", spec->embodiment->name);
  VLB_TRY(arena_point(spec->arena, arena, "workspace", workspace, err));
  VLB_TRY(arena_point(spec->arena, arena, "robot_base", at, err));
  snprintf(base, sizeof base, "%.17g %.17g %.17g", at[0], at[1], at[2]);
  fputs("<mujoco model=\"vlabench\">\n", out);
  fputs(vlb_engine_sizes, out);
  vlb_mjcf_sections(out, vlb_mjcf_asset("sim/world/common.xml"), "");
  vlb_mjcf_sections(out, arena, "");
  vlb_mjcf_sections(out, robot, base);
  fputs("<worldbody>\n", out);
  for (int i = 0; i < spec->zone_count; i++) write_zone(out, &spec->zones[i], workspace);
  for (int movable = 1; movable >= 0; movable--)
    for (int i = 0; i < spec->object_count; i++)
      if (!spec->objects[i].movable == !movable) VLB_TRY(write_object(out, &spec->objects[i], workspace, err));
  fputs("</worldbody>\n</mujoco>\n", out);
  return VLB_OK;
}

vlb_code vlb_scene_compose(const vlb_scene_spec *spec, char **xml, double workspace[3], vlb_error *err) {
  size_t size = 0;
  *xml = NULL;
  FILE *out = open_memstream(xml, &size);
  if (!out) return vlb_fail(err, VLB_FAILED, "no memory for the scene's text");
  vlb_code code = write_scene(out, spec, workspace, err);
  if (fclose(out) && !code) code = vlb_fail(err, VLB_FAILED, "no memory for the scene's text");
  if (!code) return VLB_OK;
  free(*xml);
  *xml = NULL;
  return code;
}

/* The embodiment's cameras; the Panda's are in the LIBERO scenes under their own or the robot's name. */
static vlb_code find_cameras(vlb_scene *s, vlb_error *err) {
  for (int c = 0; c < s->embodiment->cameras; c++) {
    char name[64];
    snprintf(name, sizeof name, "robot0_%s", s->embodiment->camera[c]);
    s->camera[c] = mj_name2id(s->model, mjOBJ_CAMERA, name + strlen("robot0_"));
    if (s->camera[c] < 0) s->camera[c] = mj_name2id(s->model, mjOBJ_CAMERA, name);
    if (s->camera[c] < 0) return vlb_fail(err, VLB_FAILED, "the scene has no camera \"%s\"", s->embodiment->camera[c]);
  }
  return VLB_OK;
}

static vlb_code find_home(vlb_scene *s, vlb_error *err) {
  const mjModel *m = s->model;
  int home = mj_name2id(m, mjOBJ_NUMERIC, "home"), noise = mj_name2id(m, mjOBJ_NUMERIC, "home_noise");
  if (home < 0 || noise < 0 || m->numeric_size[home] != m->numeric_size[noise])
    return vlb_fail(err, VLB_FAILED, "robot \"%s\": no <numeric> \"home\" and \"home_noise\" of one length", s->embodiment->name);
  s->robot_joints = m->numeric_size[home];
  s->home = m->numeric_data + m->numeric_adr[home];
  s->home_noise = m->numeric_data + m->numeric_adr[noise];
  return VLB_OK;
}

static void find_panda(vlb_scene *s) {
  char name[64];
  s->eef_site = mj_name2id(s->model, mjOBJ_SITE, "gripper0_grip_site");
  s->hand_body = mj_name2id(s->model, mjOBJ_BODY, "robot0_right_hand");
  for (int i = 0; i < VLB_ARM_JOINTS; i++) {
    snprintf(name, sizeof name, "robot0_joint%d", i + 1);
    int joint = mj_name2id(s->model, mjOBJ_JOINT, name);
    s->arm_qpos[i] = s->model->jnt_qposadr[joint];
    s->arm_dof[i] = s->model->jnt_dofadr[joint];
    snprintf(name, sizeof name, "robot0_torq_j%d", i + 1);
    s->arm_actuator[i] = mj_name2id(s->model, mjOBJ_ACTUATOR, name);
  }
  for (int i = 0; i < 2; i++) {
    snprintf(name, sizeof name, "gripper0_finger_joint%d", i + 1);
    s->finger_qpos[i] = s->model->jnt_qposadr[mj_name2id(s->model, mjOBJ_JOINT, name)];
    snprintf(name, sizeof name, "gripper0_gripper_finger_joint%d", i + 1);
    s->finger_actuator[i] = mj_name2id(s->model, mjOBJ_ACTUATOR, name);
  }
}

#if mjVERSION_HEADER < 300
/* MuJoCo 2.2.2 tests every geom of two near bodies against each other, those that can only be seen too, which more than
 * doubles the cost of a step. A body's geoms for collision end at the last one that can collide; the results are the same
 * bits. Drawing does not look at this range. */
static void skip_visual_geoms(mjModel *m) {
  for (int b = 0; b < m->nbody; b++) {
    int first = m->body_geomadr[b], *count = &m->body_geomnum[b];
    while (*count > 0 && !m->geom_contype[first + *count - 1] && !m->geom_conaffinity[first + *count - 1]) --*count;
  }
}
#endif

static vlb_code compile(const vlb_scene_spec *spec, vlb_scene *s, vlb_error *err) {
  s->embodiment = spec->embodiment;
  s->geom_groups = s->site_groups = 1u << 1;
  VLB_TRY(vlb_scene_compose(spec, &s->xml, s->workspace, err));
  VLB_TRY(vlb_engine_load(s->xml, &s->model, err));
  if (s->model->nv > VLB_MAX_DOF)
    return vlb_fail(err, VLB_FAILED, "the scene has %d degrees of freedom; at most %d are supported", (int)s->model->nv, VLB_MAX_DOF);
  VLB_TRY(find_cameras(s, err));
  VLB_TRY(find_home(s, err));
  if (s->embodiment == &vlb_panda) find_panda(s);
#if mjVERSION_HEADER < 300
  skip_visual_geoms(s->model);
#endif
  return VLB_OK;
}

vlb_code vlb_scene_compile(const vlb_scene_spec *spec, vlb_scene **scene, vlb_error *err) {
  vlb_scene *s = calloc(1, sizeof *s);
  vlb_code code = s ? compile(spec, s, err) : vlb_fail(err, VLB_FAILED, "no memory for a scene");
  if (code)
    vlb_scene_free(s);
  else
    *scene = s;
  return code;
}

void vlb_scene_free(vlb_scene *scene) {
  if (!scene) return;
  if (scene->model) mj_deleteModel(scene->model);
  free(scene->xml);
  free(scene);
}

void vlb_scene_home(const vlb_scene *scene, mjData *data) {
  mj_resetData(scene->model, data);
  mju_copy(data->qpos, scene->home, scene->robot_joints);
}
