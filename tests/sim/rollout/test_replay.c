/* Replays: our files come out as the same bits, whatever was changed in one is found; foreign files meet their own model. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <hdf5.h>

#include "core/base/file.h"
#include "core/data/episodes.h"
#include "sim/rollout/demos.h"
#include "sim/rollout/model_file.h"
#include "sim/rollout/replay.h"
#include "sim/world/engine.h"

enum { SIZE = 32, PER_TASK = 2, MAX_ROWS = 8 };
static const char recorded[] = "ref/pick_up_the_black_bowl_from_table_center_and_place_it_on_the_plate_demo.hdf5";
static vlb_log *quiet;

typedef struct {
  vlb_replay_row row[MAX_ROWS];
  int count, differing;
} outcome;

static void keep(void *self, const vlb_replay_row *row, const vlb_task_info *info) {
  outcome *o = self;
  (void)info;
  o->row[o->count++] = *row;
}

static vlb_code replay(const char *path, const vlb_replay_settings *s, int threads, outcome *o, vlb_error *err) {
  vlb_context ctx = {quiet, threads, NULL};
  *o = (outcome){.count = 0};
  return vlb_replay(path, s, keep, o, &o->differing, &ctx, err);
}

static outcome must(const char *path, const vlb_replay_settings *s, int threads) {
  outcome o;
  vlb_error err = {VLB_OK, ""};
  if (replay(path, s, threads, &o, &err)) fail_msg("%s", err.message);
  return o;
}

static void refuse(const char *path, const vlb_replay_settings *s, vlb_code code, const char *part) {
  outcome o;
  vlb_error err = {VLB_OK, ""};
  assert_int_equal(replay(path, s, 1, &o, &err), code);
  if (!strstr(err.message, part)) fail_msg("\"%s\" lacks \"%s\"", err.message, part);
  assert_int_equal(o.count, 0);
}

static vlb_code record(const char *folder, double pushes, int actions) {
  vlb_demo_config config;
  vlb_error err = {VLB_OK, ""};
  vlb_context ctx = {quiet, 2, NULL};
  vlb_fields_default(vlb_demo_fields, &config);
  strcpy(config.suite.s, "short");
  config.per_task = PER_TASK;
  config.render_size = SIZE;
  config.seed = 77;
  config.pushes = pushes;
  config.actions = actions;
  vlb_code code = vlb_demos_record(&config, folder, &ctx, &err);
  if (code) fprintf(stderr, "%s\n", err.message);
  return code;
}

static int set_up(void **state) {
  (void)state;
  char command[1200];
  quiet = vlb_log_open(stderr, true);
  snprintf(command, sizeof command, "mkdir -p short && cd \"%s/sim/task/suites/spatial\" && cp suite.toml 02_*.toml \"$OLDPWD/short\"",
           getenv("VLB_TEST_ROOT"));
  if (system(command)) return -1;
  return (int)record("ref", 0, VLB_ACTIONS_APPLIED);
}

static int tear_down(void **state) {
  (void)state;
  vlb_log_close(quiet);
  return 0;
}

static const vlb_replay_settings all = {.demo = -1, .pictures = true}, states = {.demo = -1}, second = {.demo = 1};

static void same_bits(void **state) {
  (void)state;
  for (int threads = 1; threads <= 2; threads++) {
    outcome o = must(recorded, &all, threads);
    assert_int_equal(o.count, PER_TASK);
    assert_int_equal(o.differing, 0);
    for (int i = 0; i < PER_TASK; i++) {
      assert_int_equal(o.row[i].demo, i);
      assert_int_equal(o.row[i].state, -1);
      assert_int_equal(o.row[i].picture, -1);
      assert_true(o.row[i].largest == 0 && o.row[i].success && o.row[i].frames > 20);
    }
  }
  outcome one = must(recorded, &second, 1);
  assert_int_equal(one.count, 1);
  assert_int_equal(one.row[0].demo, 1);
}

/* A recorded file with something changed in demo 1, as changed.hdf5. */
static void change_file(const char *path, void (*edit)(vlb_task_info *info, vlb_episode *e)) {
  vlb_episode_file *file;
  vlb_error err = {VLB_OK, ""};
  vlb_episode e[PER_TASK];
  if (vlb_episodes_open(path, &file, &err)) fail_msg("%s", err.message);
  vlb_task_info info = *vlb_episodes_info(file);
  for (int i = 0; i < PER_TASK; i++)
    if (vlb_episodes_read(file, i, true, &e[i], &err)) fail_msg("%s", err.message);
  vlb_episodes_close(file);
  edit(&info, &e[1]);
  if (vlb_episodes_write("changed.hdf5", &info, e, PER_TASK, &err)) fail_msg("%s", err.message);
  for (int i = 0; i < PER_TASK; i++) vlb_episode_free(&e[i]);
}

static void change(void (*edit)(vlb_task_info *info, vlb_episode *e)) { change_file(recorded, edit); }

static void keep_wanted_only(vlb_task_info *info, vlb_episode *e) {
  (void)info;
  double most = 0;
  for (int i = 0; i < 7 * e->frames; i++) most = fmax(most, fabs(e->applied[i] - e->actions[i]));
  assert_true(most > 0.5); /* a push */
  vlb_episode_drop_applied(e);
}

/* Pushes are part of what was applied; where the file holds what the expert wanted, it holds both. */
static void pushed_ones_too(void **state) {
  (void)state;
  static const char *const folders[] = {"pushed", "wanted"};
  char path[2][128];
  for (int k = 0; k < 2; k++) {
    assert_int_equal(record(folders[k], 0.05, k), VLB_OK);
    snprintf(path[k], sizeof path[k], "%s/%s", folders[k], strchr(recorded, '/') + 1);
    outcome o = must(path[k], &all, 1);
    assert_int_equal(o.differing, 0);
    for (int i = 0; i < PER_TASK; i++) assert_true(o.row[i].largest == 0 && o.row[i].success);
  }
  change_file(path[1], keep_wanted_only);
  outcome o = must("changed.hdf5", &states, 1);
  assert_int_equal(o.row[0].state, -1);
  assert_true(o.row[1].state > 0 && o.row[1].largest > 1e-3);
}

static void nudge_action(vlb_task_info *info, vlb_episode *e) { (void)info, e->actions[7 * 9] += 1e-3; }
static void nudge_state(vlb_task_info *info, vlb_episode *e) { (void)info, e->states[12 * e->state_width + 3] = nextafter(e->states[12 * e->state_width + 3], 9); }
static void nudge_view(vlb_task_info *info, vlb_episode *e) { (void)info, e->state[14 * 8] += 1e-9; }
static void nudge_pixel(vlb_task_info *info, vlb_episode *e) { (void)info, e->image[1][15 * SIZE * SIZE * 3 + 100] ^= 1; }
static void cut_end(vlb_task_info *info, vlb_episode *e) { (void)info, vlb_episode_cut(e, e->frames / 2); }
static void other_start(vlb_task_info *info, vlb_episode *e) { (void)info, e->episode += 50; }
static void no_start(vlb_task_info *info, vlb_episode *e) { (void)info, e->episode = -1; }
static void no_settings(vlb_task_info *info, vlb_episode *e) { (void)e, *info->settings = 0; }
static void other_task(vlb_task_info *info, vlb_episode *e) { (void)e, strcpy(info->bddl_file_name, "short/juggle"); }
static void lost_suite(vlb_task_info *info, vlb_episode *e) { (void)e, strcpy(info->settings, "suite = \"nowhere\"\nseed = 77\n"); }

static void changes_are_found(void **state) {
  (void)state;
  change(nudge_action);
  outcome o = must("changed.hdf5", &states, 2);
  assert_int_equal(o.differing, 1);
  assert_int_equal(o.row[0].state, -1);
  assert_int_equal(o.row[1].state, 10); /* the states after the action */
  assert_true(o.row[1].largest > 0);
  change(nudge_state);
  assert_int_equal(must("changed.hdf5", &second, 1).row[0].state, 12);
  change(nudge_view);
  assert_int_equal(must("changed.hdf5", &second, 1).row[0].state, 14);
  change(nudge_pixel);
  o = must("changed.hdf5", &all, 1);
  assert_int_equal(o.row[1].state, -1);
  assert_int_equal(o.row[1].picture, 15);
  assert_int_equal(o.differing, 1);
  assert_int_equal(must("changed.hdf5", &second, 1).differing, 0); /* pictures not looked at */
  change(cut_end);
  o = must("changed.hdf5", &second, 1);
  assert_true(o.row[0].state == -1 && !o.row[0].success && o.differing == 1);
  change(other_start);
  assert_int_equal(must("changed.hdf5", &second, 1).row[0].state, 0);
}

static void what_cannot_be_played(void **state) {
  (void)state;
  refuse(recorded, &(vlb_replay_settings){.demo = 2}, VLB_USAGE, "--demo 2: it holds 0 to 1");
  refuse("nowhere.hdf5", &states, VLB_FAILED, "nowhere.hdf5: cannot open");
  change(no_start);
  refuse("changed.hdf5", &states, VLB_FAILED, "changed.hdf5: demo 1: the file does not say which initial state");
  change(no_settings);
  refuse("changed.hdf5", &states, VLB_FAILED, "changed.hdf5: does not say how it was recorded");
  change(other_task);
  refuse("changed.hdf5", &states, VLB_USAGE, "has no task \"juggle\"");
  change(lost_suite);
  refuse("changed.hdf5", &states, VLB_USAGE, "nowhere");
  assert_int_equal(must("changed.hdf5", &(vlb_replay_settings){.suite = "short", .demo = -1}, 1).differing, 0);
}

/* --- foreign files --- */

/* A Panda of boxes with robosuite's names; one mesh from each author's folder. */
static const char author_model[] =
    "<mujoco><compiler angle=\"radian\" meshdir=\"meshes/\"/>"
    "<asset><mesh name=\"a\" file=\"/Users/someone/robosuite/models/assets/robots/tiny.stl\"/>"
    "<mesh name=\"b\" file=\"/data/other/libero-dev/chiliocosm/assets/bowl/tiny.stl\"/></asset>"
    "<worldbody><geom type=\"mesh\" mesh=\"b\"/>"
    "<body pos=\"0 0 0.3\"><joint name=\"robot0_joint1\" axis=\"0 0 1\"/><geom type=\"mesh\" mesh=\"a\"/>"
    "<body pos=\"0 0 0.1\"><joint name=\"robot0_joint2\" axis=\"0 1 0\"/><geom size=\"0.02\"/>"
    "<body pos=\"0 0 0.1\"><joint name=\"robot0_joint3\" axis=\"0 0 1\"/><geom size=\"0.02\"/>"
    "<body pos=\"0.1 0 0\"><joint name=\"robot0_joint4\" axis=\"0 1 0\"/><geom size=\"0.02\"/>"
    "<body pos=\"0.1 0 0\"><joint name=\"robot0_joint5\" axis=\"1 0 0\"/><geom size=\"0.02\"/>"
    "<body pos=\"0.1 0 0\"><joint name=\"robot0_joint6\" axis=\"0 1 0\"/><geom size=\"0.02\"/>"
    "<body name=\"robot0_right_hand\" pos=\"0 0 -0.1\"><joint name=\"robot0_joint7\" axis=\"0 0 1\"/><geom size=\"0.02\"/>"
    "<site name=\"gripper0_grip_site\" pos=\"0 0 -0.1\"/>"
    "<body><joint name=\"gripper0_finger_joint1\" type=\"slide\" axis=\"0 1 0\"/><geom size=\"0.01\"/></body>"
    "<body><joint name=\"gripper0_finger_joint2\" type=\"slide\" axis=\"0 1 0\"/><geom size=\"0.01\"/></body>"
    "</body></body></body></body></body></body></body></worldbody></mujoco>";

/* A tetrahedron as binary STL. */
static void write_mesh(const char *path) {
  static const float corner[4][3] = {{0, 0, 0}, {0.01f, 0, 0}, {0, 0.01f, 0}, {0, 0, 0.01f}};
  static const int face[4][3] = {{0, 2, 1}, {0, 1, 3}, {0, 3, 2}, {1, 2, 3}};
  char bytes[80 + 4 + 4 * 50] = "";
  uint32_t n = 4;
  memcpy(bytes + 80, &n, 4);
  for (int f = 0; f < 4; f++)
    for (int v = 0; v < 3; v++) memcpy(bytes + 84 + 50 * f + 12 + 12 * v, corner[face[f][v]], 12);
  vlb_error err;
  assert_int_equal(vlb_file_write(path, bytes, sizeof bytes, &err), VLB_OK);
}

static void make_assets(void) {
  mkdir("suite", 0777), mkdir("suite/robots", 0777), mkdir("libero", 0777), mkdir("libero/bowl", 0777);
  write_mesh("suite/robots/tiny.stl");
  write_mesh("libero/bowl/tiny.stl");
}

/* What robosuite's sensors would say in a state: the model's kinematics, by another way than the replay's (mj_forward). */
static void observe(const mjModel *m, mjData *d, const double *row, double *state, double *joints) {
  mju_copy(d->qpos, row + 1, (int)m->nq);
  mju_copy(d->qvel, row + 1 + m->nq, (int)m->nv);
  mj_forward(m, d);
  const mjtNum *q = d->xquat + 4 * mj_name2id(m, mjOBJ_BODY, "robot0_right_hand");
  mju_copy3(state, d->site_xpos + 3 * mj_name2id(m, mjOBJ_SITE, "gripper0_grip_site"));
  vlb_axis_angle((const double[]){q[1], q[2], q[3], q[0]}, state + 3);
  for (int i = 0; i < 2; i++) state[6 + i] = d->qpos[7 + i];
  for (int i = 0; i < 7; i++) joints[i] = d->qpos[i];
}

/* LIBERO's files have no attribute of ours. */
static void as_libero(const char *path) {
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), data = H5Gopen2(file, "data", H5P_DEFAULT);
  assert_true(H5Adelete(data, "observation_time") >= 0);
  H5Gclose(data);
  H5Fclose(file);
}

/* `shift`: observation k is taken in states[k + shift]. */
static void write_foreign(const char *path, int shift, double offset) {
  enum { FRAMES = 6, WIDTH = 1 + 9 + 9 };
  vlb_error err = {VLB_OK, ""};
  vlb_episode e;
  vlb_asset_folders folders = {"suite", "libero"};
  char *xml, here[1024];
  mjModel *m = NULL;
  assert_non_null(getcwd(here, sizeof here));
  snprintf(folders.robosuite, sizeof folders.robosuite, "%.900s/suite", here);
  snprintf(folders.libero, sizeof folders.libero, "%.900s/libero", here);
  if (vlb_model_file_rewrite(author_model, &folders, &xml, &err) || vlb_engine_load(xml, &m, &err)) fail_msg("%s", err.message);
  free(xml);
  assert_int_equal(m->nq, 9);
  mjData *d = mj_makeData(m);
  assert_int_equal(vlb_episode_alloc(&e, &vlb_panda, FRAMES, WIDTH, 4, &err), VLB_OK);
  for (int k = 0; k < FRAMES; k++)
    for (int i = 0; i < 9; i++) e.states[k * WIDTH + 1 + i] = 0.3 * sin(1 + i) + 0.05 * k;
  for (int k = 0; k < FRAMES; k++) observe(m, d, e.states + (k + shift < FRAMES ? k + shift : k) * WIDTH, e.state + 8 * k, e.joints + 7 * k);
  e.state[8 * 3] += offset;
  e.model_xml = strdup(author_model);
  vlb_task_info info = {.instruction = "pick", .env_name = "Env", .bddl_file_name = "x.bddl"};
  if (vlb_episodes_write(path, &info, &e, 1, &err)) fail_msg("%s", err.message);
  as_libero(path);
  mj_deleteData(d);
  mj_deleteModel(m);
  vlb_episode_free(&e);
}

static const vlb_replay_settings foreign = {.demo = -1, .robosuite_assets = "suite", .libero_assets = "libero", .tolerance = 1e-6};

static void foreign_files_meet_their_model(void **state) {
  (void)state;
  make_assets();
  write_foreign("foreign.hdf5", 1, 0);
  outcome o = must("foreign.hdf5", &foreign, 2);
  assert_int_equal(o.differing, 0);
  assert_int_equal(o.row[0].frames, 5); /* the last observation has no state of its own */
  assert_true(o.row[0].position < 1e-9 && o.row[0].orientation < 1e-6 && o.row[0].joints < 1e-12);
  write_foreign("foreign.hdf5", 1, 1e-3);
  o = must("foreign.hdf5", &foreign, 1);
  assert_int_equal(o.row[0].state, 3);
  assert_true(fabs(o.row[0].position - 1e-3) < 1e-9 && o.differing == 1);
  /* observations of the wrong time are found out */
  write_foreign("foreign.hdf5", 0, 0);
  assert_int_equal(must("foreign.hdf5", &foreign, 1).row[0].state, 0);
}

static void assets_are_found_or_asked_for(void **state) {
  (void)state;
  vlb_error err;
  make_assets();
  write_foreign("foreign.hdf5", 1, 0);
  vlb_replay_settings s = {.demo = -1, .tolerance = 1e-6};
  unsetenv("LIBERO_CONFIG_PATH");
  setenv("HOME", "/nonexistent", 1);
  refuse("foreign.hdf5", &s, VLB_FAILED, "the model needs robots/tiny.stl of robosuite 1.4's models/assets, which are not here; name their folder with --robosuite-assets DIR or VLABENCH_ROBOSUITE_ASSETS");
  setenv("VLABENCH_ROBOSUITE_ASSETS", "suite", 1);
  refuse("foreign.hdf5", &s, VLB_FAILED, "the model needs bowl/tiny.stl of LIBERO's assets");
  mkdir("config", 0777);
  char here[900], yaml[1200];
  assert_non_null(getcwd(here, sizeof here));
  const char *quote[] = {"", "\"", "'"};
  for (int i = 0; i < 3; i++) {
    snprintf(yaml, sizeof yaml, "benchmark_root: /x\nassets: %s%s/libero%s\ndatasets: /y\n", quote[i], here, quote[i]);
    assert_int_equal(vlb_file_write("config/config.yaml", yaml, strlen(yaml), &err), VLB_OK);
    setenv("LIBERO_CONFIG_PATH", "config", 1);
    assert_int_equal(must("foreign.hdf5", &s, 1).differing, 0);
  }
  setenv("VLABENCH_LIBERO_ASSETS", "nowhere", 1);
  refuse("foreign.hdf5", &s, VLB_USAGE, "VLABENCH_LIBERO_ASSETS: no such folder: nowhere");
  setenv("VLABENCH_LIBERO_ASSETS", "suite", 1);
  refuse("foreign.hdf5", &s, VLB_FAILED, "/suite/bowl/tiny.stl is missing; --libero-assets must name LIBERO's assets");
  unsetenv("VLABENCH_LIBERO_ASSETS"), unsetenv("VLABENCH_ROBOSUITE_ASSETS"), unsetenv("LIBERO_CONFIG_PATH");
  refuse("foreign.hdf5", &(vlb_replay_settings){.demo = -1, .pictures = true}, VLB_USAGE, "this one is LIBERO's");
  refuse("foreign.hdf5", &(vlb_replay_settings){.demo = -1, .suite = "spatial"}, VLB_USAGE, "brings its model");
}

/* Only what is between the quotes of file="..." changes. */
static void paths_by_their_endings(void **state) {
  (void)state;
  vlb_error err = {VLB_OK, ""};
  vlb_asset_folders folders = {"", "/lib"};
  char *out;
  make_assets();
  if (vlb_model_file_rewrite("<a file=\"/other/x.png\" name='file'/><b file='rel.stl'/>", &folders, &out, &err)) fail_msg("%s", err.message);
  assert_string_equal(out, "<a file=\"/other/x.png\" name='file'/><b file='rel.stl'/>");
  free(out);
  assert_int_equal(vlb_model_file_rewrite("<a file=\"/x/chiliocosm/assets/y.png\"/>", &folders, &out, &err), VLB_FAILED);
  assert_string_equal(err.message, "/lib/y.png is missing; --libero-assets must name LIBERO's assets");
  assert_null(out);
  snprintf(folders.libero, sizeof folders.libero, "libero");
  assert_int_equal(vlb_model_file_rewrite("<a file='/x/libero/assets/bowl/tiny.stl'/>", &folders, &out, &err), VLB_OK);
  assert_string_equal(out, "<a file='libero/bowl/tiny.stl'/>");
  free(out);
  assert_int_equal(vlb_model_file_rewrite("<a file=\"unclosed/>", &folders, &out, &err), VLB_FAILED);
  assert_int_equal(vlb_model_file_rewrite("<a file=naked/>", &folders, &out, &err), VLB_FAILED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(same_bits),
      cmocka_unit_test(pushed_ones_too),
      cmocka_unit_test(changes_are_found),
      cmocka_unit_test(what_cannot_be_played),
      cmocka_unit_test(foreign_files_meet_their_model),
      cmocka_unit_test(assets_are_found_or_asked_for),
      cmocka_unit_test(paths_by_their_endings),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
