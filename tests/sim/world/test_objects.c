/* Every fragment keeps the rules of sim/world/objects/README.md, and every arena holds a scene. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/embed.h"
#include "sim/world/scene.h"

extern const vlb_embedded vlb_embedded_sim_assets[];

/* The file's name without folder and ".xml" when it lies directly in the folder. */
static int name_in(const vlb_embedded *e, const char *folder, char name[48]) {
  size_t n = strlen(folder), size = strlen(e->path);
  if (strncmp(e->path, folder, n) || strchr(e->path + n, '/')) return 0;
  snprintf(name, 48, "%.*s", (int)(size - n - strlen(".xml")), e->path + n);
  return 1;
}

static int is_movable(const vlb_embedded *e) { return strstr((const char *)e->data, "class=\"movable\"") != NULL; }

/* The desk is the small arm's, all others the Panda's. */
static vlb_scene *compile(const char *arena, const vlb_scene_object *objects, int n) {
  const vlb_scene_spec spec = {.embodiment = strcmp(arena, "desk") ? &vlb_panda : &vlb_so100, .arena = arena, .objects = objects, .object_count = n};
  vlb_scene *scene = NULL;
  vlb_error err;
  if (vlb_scene_compile(&spec, &scene, &err)) fail_msg("%s with %s: %s", arena, n ? objects[0].category : "nothing", err.message);
  return scene;
}

static const mjtNum *mark(const mjModel *m, const char *category, const char *what) {
  char name[64];
  snprintf(name, sizeof name, "thing_1_%s_site", what);
  int site = mj_name2id(m, mjOBJ_SITE, name);
  if (site < 0) fail_msg("%s: no %s", category, name);
  return m->site_pos + 3 * site;
}

/* Regions are boxes; grasps can be gripped and have something between the pads (what is 0.001 wide or less is pushed). */
static void check_site(const mjModel *m, const char *category, int site) {
  const char *name = mj_id2name(m, mjOBJ_SITE, site), *end = name + strlen(name);
  const mjtNum *size = m->site_size + 3 * site;
  if (!strcmp(end - strlen("_region"), "_region") || !strcmp(end - strlen("_side"), "_side")) {
    if (m->site_type[site] != mjGEOM_BOX) fail_msg("%s: %s is not a box", category, name);
    for (int i = 0; i < 3; i++) assert_true(size[i] > 0);
  }
  if (strstr(name, "_grasp_") && !(size[0] > 0 && size[0] <= 0.036)) fail_msg("%s: %s: the hand does not open that wide", category, name);
}

static void check_marks(const mjModel *m, const char *category) {
  assert_true(mark(m, category, "bottom")[2] < mark(m, category, "top")[2]);
  assert_true(fmax(fabs(mark(m, category, "horizontal_radius")[0]), fabs(mark(m, category, "horizontal_radius")[1])) > 0.01);
  for (int s = 0; s < m->nsite; s++)
    if (!strncmp(mj_id2name(m, mjOBJ_SITE, s), "thing_1_", 8)) check_site(m, category, s);
}

/* Left alone on its bottom mark for half a second it stays there, upright: the mark is true and the feet are steady. */
static void check_stands(const vlb_scene *scene, const char *category) {
  const mjModel *m = scene->model;
  mjData *d = mj_makeData(m);
  int body = mj_name2id(m, mjOBJ_BODY, "thing_1_main"), other = mj_name2id(m, mjOBJ_BODY, "thing_2_main");
  mjtNum *pose = d->qpos + m->jnt_qposadr[m->body_jntadr[body]];
  vlb_scene_home(scene, d);
  const mjtNum at[3] = {scene->workspace[0] - 0.1, scene->workspace[1] + 0.3, scene->workspace[2] - mark(m, category, "bottom")[2]};
  mju_copy3(pose, at);
  mju_copy3(d->qpos + m->jnt_qposadr[m->body_jntadr[other]], at);
  d->qpos[m->jnt_qposadr[m->body_jntadr[other]] + 1] -= 0.6;
  for (int i = 0; i < 250; i++) mj_step(m, d);
  mj_forward(m, d);
  double moved = mju_dist3(d->xpos + 3 * body, at), upright = d->xmat[9 * body + 8];
  if (moved > 0.002 || upright < 0.9999) fail_msg("%s: moved by %.1f mm, upright %.4f", category, 1e3 * moved, upright);
  double mass = m->body_subtreemass[body];
  if (mass < 0.01 || mass > 0.6) fail_msg("%s weighs %.3f kg", category, mass);
  mj_deleteData(d);
}

static void every_object_keeps_the_rules(void **state) {
  (void)state;
  int count = 0;
  for (const vlb_embedded *e = vlb_embedded_sim_assets; e->path; e++) {
    vlb_scene_object things[2] = {{.name = "thing_1", .pos = {0, 0.3, 0.2}}, {.name = "thing_2", .pos = {0, -0.3, 0.2}}};
    if (!name_in(e, "sim/world/objects/", things[0].category)) continue;
    strcpy(things[1].category, things[0].category); /* two of a kind have different names for everything */
    things[0].movable = things[1].movable = is_movable(e);
    vlb_scene *scene = compile("tabletop", things, 2);
    check_marks(scene->model, things[0].category);
    if (things[0].movable) check_stands(scene, things[0].category);
    vlb_scene_free(scene);
    count++;
  }
  assert_true(count > 15);
}

static void every_arena_holds_a_scene(void **state) {
  (void)state;
  const vlb_scene_object cube = {.name = "cube_1", .category = "wooden_cube", .movable = 1};
  char arena[48];
  int count = 0;
  for (const vlb_embedded *e = vlb_embedded_sim_assets; e->path; e++) {
    if (!name_in(e, "sim/world/arenas/", arena)) continue;
    vlb_scene *scene = compile(arena, &cube, 1);
    int base = mj_name2id(scene->model, mjOBJ_BODY, scene->embodiment == &vlb_panda ? "robot0_base" : "so_base"), site = mj_name2id(scene->model, mjOBJ_SITE, "robot_base");
    assert_true(mju_dist3(scene->model->body_pos + 3 * base, scene->model->site_pos + 3 * site) < 1e-9);
    assert_true(mj_name2id(scene->model, mjOBJ_CAMERA, "overview") >= 0);
    vlb_scene_free(scene);
    count++;
  }
  assert_true(count >= 2);
}

/* A zone is a box of the surface, sunk in by half and a little more (libero.md 5). */
static void zones_are_sites(void **state) {
  (void)state;
  const vlb_scene_zone zone = {.name = "front", .x = {0.1, 0.3}, .y = {-0.2, -0.1}};
  const vlb_scene_spec spec = {.embodiment = &vlb_panda, .arena = "tabletop", .zones = &zone, .zone_count = 1};
  vlb_scene *scene;
  vlb_error err;
  assert_int_equal(vlb_scene_compile(&spec, &scene, &err), VLB_OK);
  int site = mj_name2id(scene->model, mjOBJ_SITE, "front");
  assert_true(site >= 0);
  static const double middle[3] = {0.2, -0.15, 0.895}, half[3] = {0.1, 0.05, 0.007};
  for (int i = 0; i < 3; i++) {
    assert_true(fabs(scene->model->site_pos[3 * site + i] - middle[i]) < 1e-9);
    assert_true(fabs(scene->model->site_size[3 * site + i] - half[i]) < 1e-9);
  }
  assert_int_equal(scene->model->site_type[site], mjGEOM_BOX);
  vlb_scene_free(scene);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_object_keeps_the_rules),
      cmocka_unit_test(every_arena_holds_a_scene),
      cmocka_unit_test(zones_are_sites),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
