#include "sim/world/scene.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/embed.h"
#include "core/base/fields.h"
#include "sim/world/engine.h"

extern const vlb_embedded vlb_embedded_sim_assets[];

const double vlb_arm_home[VLB_ARM_JOINTS] = {0, -0.161037389, 0, -2.44459747, 0, 2.2267522, 0.78539816339744828};
static const double finger_home[2] = {0.020833, -0.020833};

static const char objects_folder[] = "sim/world/objects/";
static const char main_body[] = "<body name=\"@_main\"";

static const char *asset(const char *path) {
  for (const vlb_embedded *e = vlb_embedded_sim_assets; e->path; e++)
    if (!strcmp(e->path, path)) return (const char *)e->data;
  return NULL;
}

/* Finds a category's fragment, or says which ones there are. */
static vlb_code find_fragment(const vlb_scene_object *object, const char **text, vlb_error *err) {
  enum { MAX = 256 };
  static const char suffix[] = ".xml";
  char path[160], names[MAX][48];
  const char *list[MAX];
  int n = 0;
  snprintf(path, sizeof path, "%s%s%s", objects_folder, object->category, suffix);
  *text = asset(path);
  if (*text) return VLB_OK;
  for (const vlb_embedded *e = vlb_embedded_sim_assets; e->path && n < MAX; e++) {
    size_t folder = strlen(objects_folder), size = strlen(e->path);
    if (strncmp(e->path, objects_folder, folder)) continue;
    snprintf(names[n], sizeof names[n], "%.*s", (int)(size - folder - strlen(suffix)), e->path + folder);
    list[n] = names[n];
    n++;
  }
  const char *near = vlb_suggest(object->category, list, n);
  return vlb_fail(err, VLB_USAGE, "object \"%s\": unknown category \"%s\"%s%s%s", object->name, object->category,
                  near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* Writes text with every '@' replaced by name. */
static void write_named(FILE *out, const char *text, size_t size, const char *name) {
  for (size_t i = 0; i < size; i++) {
    if (text[i] == '@')
      fputs(name, out);
    else
      fputc(text[i], out);
  }
}

/* One instance: a fixture's pose goes into the body's tag, a movable's free joint right behind it. */
static vlb_code write_object(FILE *out, const vlb_scene_object *object, vlb_error *err) {
  const char *text;
  VLB_TRY(find_fragment(object, &text, err));
  const char *tag = strstr(text, main_body), *end = tag ? strchr(tag, '>') : NULL;
  if (!end) return vlb_fail(err, VLB_FAILED, "%s%s.xml: no %s>", objects_folder, object->category, main_body);
  write_named(out, text, (size_t)(end - text), object->name);
  if (object->movable)
    fprintf(out, ">\n<joint name=\"%s_joint0\" type=\"free\" damping=\"0.0005\"/>", object->name);
  else
    fprintf(out, " pos=\"%.17g %.17g %.17g\" quat=\"%.17g 0 0 %.17g\">", object->pos[0], object->pos[1], object->pos[2],
            cos(object->yaw / 2), sin(object->yaw / 2));
  write_named(out, end + 1, strlen(end + 1), object->name);
  return VLB_OK;
}

/* The sections between <mujoco ...> and </mujoco>: MJCF lets every section occur again, so documents join by lines. */
static void write_sections(FILE *out, const char *document) {
  const char *begin = strchr(strstr(document, "<mujoco"), '>') + 1;
  const char *end = strstr(begin, "</mujoco>");
  fwrite(begin, 1, (size_t)(end - begin), out);
}

static vlb_code write_scene(FILE *out, const vlb_scene_object *objects, int n, vlb_error *err) {
  fputs("<mujoco model=\"vlabench\">\n", out);
  fputs(vlb_engine_sizes, out);
  write_sections(out, asset("sim/world/arena.xml"));
  write_sections(out, asset("sim/world/robot.xml"));
  fputs("<worldbody>\n", out);
  for (int movable = 1; movable >= 0; movable--)
    for (int i = 0; i < n; i++)
      if (!objects[i].movable == !movable) VLB_TRY(write_object(out, &objects[i], err));
  fputs("</worldbody>\n</mujoco>\n", out);
  return VLB_OK;
}

static vlb_code compose(const vlb_scene_object *objects, int n, char **xml, vlb_error *err) {
  size_t size = 0;
  *xml = NULL;
  FILE *out = open_memstream(xml, &size);
  if (!out) return vlb_fail(err, VLB_FAILED, "no memory for the scene's text");
  vlb_code code = write_scene(out, objects, n, err);
  if (fclose(out) && !code) code = vlb_fail(err, VLB_FAILED, "no memory for the scene's text");
  return code;
}

/* Ids of the parts that everybody asks for; our own fragments name them. */
static void find_parts(vlb_scene *s) {
  char name[64];
  s->eef_site = mj_name2id(s->model, mjOBJ_SITE, "gripper0_grip_site");
  s->hand_body = mj_name2id(s->model, mjOBJ_BODY, "robot0_right_hand");
  s->camera[0] = mj_name2id(s->model, mjOBJ_CAMERA, "agentview");
  s->camera[1] = mj_name2id(s->model, mjOBJ_CAMERA, "robot0_eye_in_hand");
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

vlb_code vlb_scene_compile(const vlb_scene_object *objects, int n, vlb_scene **scene, vlb_error *err) {
  vlb_scene *s = calloc(1, sizeof *s);
  if (!s) return vlb_fail(err, VLB_FAILED, "no memory for a scene");
  vlb_code code = compose(objects, n, &s->xml, err);
  if (!code) code = vlb_engine_load(s->xml, &s->model, err);
  if (!code && s->model->nv > VLB_MAX_DOF)
    code = vlb_fail(err, VLB_FAILED, "the scene has %d degrees of freedom; at most %d are supported", (int)s->model->nv, VLB_MAX_DOF);
  if (code) {
    vlb_scene_free(s);
    return code;
  }
  find_parts(s);
#if mjVERSION_HEADER < 300
  skip_visual_geoms(s->model);
#endif
  *scene = s;
  return VLB_OK;
}

void vlb_scene_free(vlb_scene *scene) {
  if (!scene) return;
  if (scene->model) mj_deleteModel(scene->model);
  free(scene->xml);
  free(scene);
}

void vlb_scene_home(const vlb_scene *scene, mjData *data) {
  mj_resetData(scene->model, data);
  for (int i = 0; i < VLB_ARM_JOINTS; i++) data->qpos[scene->arm_qpos[i]] = vlb_arm_home[i];
  for (int i = 0; i < 2; i++) data->qpos[scene->finger_qpos[i]] = finger_home[i];
}
