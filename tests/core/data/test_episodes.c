/* Episodes: what is written is read, equal bytes, LIBERO's own files, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hdf5.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/base/rng.h"
#include "core/data/episodes.h"
#include "core/data/episodes_layout.h"
#include "libero_file.h"

enum { EPISODES = 12, WIDTH = 5, PIXELS = 4 }; /* more than 8 links: the other way HDF5 stores groups */

static size_t member_bytes(int member, const vlb_episode *e) { return vlb_member_frame(member, e) * (size_t)e->frames; }

static void fill_robot(vlb_episode *e, const vlb_embodiment *robot, int index) {
  vlb_error err;
  assert_int_equal(vlb_episode_alloc(e, robot, 3 + index, WIDTH, PIXELS, &err), VLB_OK);
  for (int member = 0; member < VLB_MEMBERS; member++) {
    vlb_rng rng = vlb_rng_make(5, VLB_RNG_TEST, (uint32_t)index, (uint32_t)member);
    size_t n = member_bytes(member, e);
    double *x = vlb_member_data(member, e);
    uint8_t *b = vlb_member_data(member, e);
    for (size_t i = 0; !vlb_member_is_bytes(member) && i < n / sizeof *x; i++) x[i] = vlb_rng_normal(&rng);
    for (size_t i = 0; vlb_member_is_bytes(member) && i < n; i++) b[i] = (uint8_t)vlb_rng_below(&rng, 256);
  }
  e->episode = index % 3 ? 10 * index : -1;
  if (index % 2) e->model_xml = strdup("<mujoco model=\"caf\u00e9\"/>\n");
}

static void fill(vlb_episode *e, int index) { fill_robot(e, &vlb_panda, index); }

static const vlb_task_info task = {.instruction = "pick up the \"black\" bowl",
                                   .env_name = "vlabench_tabletop",
                                   .bddl_file_name = "spatial/00.toml",
                                   .settings = "suite = \"spatial\"\nseed = 1000\n",
                                   .observed_before = true};

static void write_all(const char *path, vlb_episode *e) {
  vlb_error err;
  for (int i = 0; i < EPISODES; i++) fill(&e[i], i);
  if (vlb_episodes_write(path, &task, e, EPISODES, &err)) fail_msg("%s", err.message);
}

static void free_all(vlb_episode *e) {
  for (int i = 0; i < EPISODES; i++) vlb_episode_free(&e[i]);
}

static void expect_equal(const vlb_episode *a, const vlb_episode *b, bool with_images) {
  assert_int_equal(a->frames, b->frames);
  assert_int_equal(a->state_width, b->state_width);
  assert_int_equal(a->image_size, b->image_size);
  assert_int_equal(a->episode, b->episode);
  assert_ptr_equal(a->embodiment, b->embodiment);
  for (int member = 0; member < VLB_MEMBERS; member++) {
    if (member >= VLB_IN_IMAGE && !with_images) assert_null(vlb_member_data(member, b));
    else assert_memory_equal(vlb_member_data(member, a), vlb_member_data(member, b), member_bytes(member, a));
  }
  if (a->model_xml) assert_string_equal(a->model_xml, b->model_xml);
  else assert_null(b->model_xml);
}

static void test_round_trip(void **state) {
  (void)state;
  vlb_episode e[EPISODES], back;
  write_all("t_demo.hdf5", e);
  vlb_episode_file *file;
  vlb_error err;
  assert_int_equal(vlb_episodes_open("t_demo.hdf5", &file, &err), VLB_OK);
  assert_int_equal(vlb_episodes_count(file), EPISODES);
  const vlb_task_info *info = vlb_episodes_info(file);
  assert_string_equal(info->instruction, task.instruction); /* ours, not the file name's */
  assert_string_equal(info->env_name, task.env_name);
  assert_string_equal(info->bddl_file_name, task.bddl_file_name);
  assert_string_equal(info->settings, task.settings);
  assert_true(info->observed_before);
  assert_false(info->upright);
  assert_int_equal(info->writer, VLB_WRITER_VLABENCH);
  assert_ptr_equal(info->embodiment, &vlb_panda);
  for (int i = 0; i < EPISODES; i++)
    for (int images = 0; images < 2; images++) {
      assert_int_equal(vlb_episodes_read(file, i, images, &back, &err), VLB_OK);
      expect_equal(&e[i], &back, images);
      vlb_episode_free(&back);
    }
  assert_int_equal(vlb_episodes_read(file, EPISODES, true, &back, &err), VLB_FAILED);
  assert_string_equal(err.message, "t_demo.hdf5: no episode 12; it holds 0 to 11");
  vlb_episodes_close(file);
  vlb_episodes_close(NULL);
  free_all(e);
}

/* Other robots: the same tree, and everything a reader needs is in the file. */
static void test_robots(void **state) {
  (void)state;
  static const vlb_embodiment *const robots[] = {&vlb_sawyer, &vlb_so100, &vlb_so101};
  static const char *const views[] = {"mirrored", "upright", "upright"}, *const cameras[] = {"corner2", "wrist", "side"};
  for (int r = 0; r < 3; r++) {
    vlb_episode e, back;
    vlb_episode_file *file;
    vlb_error err;
    char view[16] = "", path[64], *shared = view;
    fill_robot(&e, robots[r], 4);
    if (vlb_episodes_write("robot.hdf5", &task, &e, 1, &err)) fail_msg("%s", err.message);
    assert_int_equal(vlb_episodes_open("robot.hdf5", &file, &err), VLB_OK);
    assert_ptr_equal(vlb_episodes_info(file)->embodiment, robots[r]);
    if (vlb_episodes_read(file, 0, true, &back, &err)) fail_msg("%s", err.message);
    expect_equal(&e, &back, true);
    assert_null(back.robot_states);
    assert_true(robots[r]->cameras == 2 || !back.image[1]);
    vlb_episode_free(&back);
    vlb_episodes_close(file);
    hid_t h = H5Fopen("robot.hdf5", H5F_ACC_RDONLY, H5P_DEFAULT), data = H5Gopen2(h, "data", H5P_DEFAULT);
    hid_t attr = H5Aopen(data, "view", H5P_DEFAULT), type = H5Aget_type(attr);
    assert_true(H5Aread(attr, type, &shared) >= 0);
    assert_string_equal(shared, views[r]);
    H5free_memory(shared);
    H5Tclose(type);
    H5Aclose(attr);
    hid_t rate = H5Aopen(data, "rate", H5P_DEFAULT);
    int64_t hertz = 0;
    H5Aread(rate, H5T_NATIVE_INT64, &hertz);
    assert_int_equal(hertz, robots[r]->rate);
    H5Aclose(rate);
    snprintf(path, sizeof path, "demo_0/obs/%s_rgb", cameras[r]);
    assert_true(H5Lexists(data, path, H5P_DEFAULT) > 0);
    assert_true(H5Lexists(data, "demo_0/obs/state", H5P_DEFAULT) > 0);
    H5Gclose(data);
    H5Fclose(h);
    vlb_episode_free(&e);
  }
}

static void test_equal_bytes(void **state) {
  (void)state;
  vlb_episode e[EPISODES];
  char hash[2][VLB_HASH_SIZE];
  vlb_error err;
  write_all("one.hdf5", e);
  free_all(e);
  struct timespec second = {1, 100000000}; /* HDF5 counts whole seconds */
  nanosleep(&second, NULL);
  write_all("two.hdf5", e);
  free_all(e);
  assert_int_equal(vlb_hash_file("one.hdf5", hash[0], &err), VLB_OK);
  assert_int_equal(vlb_hash_file("two.hdf5", hash[1], &err), VLB_OK);
  assert_string_equal(hash[0], hash[1]);
}

static int64_t int_attribute(hid_t at, const char *name) {
  int64_t value = -1;
  hid_t attr = H5Aopen(at, name, H5P_DEFAULT);
  assert_true(attr >= 0);
  H5Aread(attr, H5T_NATIVE_INT64, &value);
  H5Aclose(attr);
  return value;
}

/* What LIBERO's own loaders look for beside what our reader reads. */
static void test_layout(void **state) {
  (void)state;
  vlb_episode e[EPISODES];
  write_all("t.hdf5", e);
  hid_t file = H5Fopen("t.hdf5", H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(file >= 0);
  hid_t data = H5Gopen2(file, "data", H5P_DEFAULT), demo = H5Gopen2(file, "data/demo_2", H5P_DEFAULT);
  assert_true(data >= 0 && demo >= 0);
  int64_t total = 0;
  for (int i = 0; i < EPISODES; i++) total += e[i].frames;
  assert_int_equal(int_attribute(data, "num_demos"), EPISODES);
  assert_int_equal(int_attribute(data, "total"), total);
  assert_int_equal(int_attribute(demo, "num_samples"), e[2].frames);
  static const char *const texts[] = {"env_args", "problem_info", "macros_image_convention", "tag", "bddl_file_name", "env_name"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) assert_true(H5Aexists(data, texts[i]) > 0);
  double init[WIDTH], both[6 * 64];
  hid_t attr = H5Aopen(demo, "init_state", H5P_DEFAULT), set = H5Dopen2(demo, "obs/ee_states", H5P_DEFAULT);
  assert_true(H5Aread(attr, H5T_NATIVE_DOUBLE, init) >= 0);
  assert_memory_equal(init, e[2].states, sizeof init);
  assert_true(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, both) >= 0);
  for (int t = 0; t < e[2].frames; t++) {
    assert_memory_equal(both + 6 * t, e[2].state + 8 * t, 6 * sizeof(double));
  }
  hid_t list = H5Dget_create_plist(set);
  assert_int_equal(H5Pget_layout(list), H5D_CONTIGUOUS);
  H5Pclose(list);
  H5Dclose(set);
  H5Aclose(attr);
  H5Gclose(demo);
  H5Gclose(data);
  H5Fclose(file);
  free_all(e);
}

static void expect_libero(const char *path, const char *instruction) {
  vlb_episode_file *file;
  vlb_error err;
  if (vlb_episodes_open(path, &file, &err)) fail_msg("%s", err.message);
  assert_int_equal(vlb_episodes_count(file), 3);
  const vlb_task_info *info = vlb_episodes_info(file);
  assert_string_equal(info->instruction, instruction);
  assert_string_equal(info->env_name, "Libero_Kitchen_Tabletop_Manipulation");
  assert_false(info->observed_before);
  assert_false(info->upright);
  assert_int_equal(info->writer, VLB_WRITER_LIBERO);
  static const double first[] = {0.0, 0.02, 0.1}; /* sorted by number, not by name */
  for (int i = 0; i < 3; i++) {
    vlb_episode e;
    if (vlb_episodes_read(file, i, true, &e, &err)) fail_msg("%s", err.message);
    assert_true(e.actions[0] == first[i]);
    assert_int_equal(e.frames, LIBERO_FRAMES);
    assert_int_equal(e.state_width, LIBERO_STATE);
    assert_int_equal(e.image_size, LIBERO_PIXELS);
    assert_int_equal(e.image[1][7], 7);
    assert_string_equal(e.model_xml, "<mujoco model=\"base\"/>");
    vlb_episode_free(&e);
  }
  vlb_episodes_close(file);
}

static void test_libero_files(void **state) {
  (void)state;
  static const libero_variant variants[] = {{0}, {.compressed = true}, {.fixed_text = true}};
  for (int i = 0; i < 3; i++) {
    libero_file_make("KITCHEN_SCENE10_turn_on_the_stove_and_wait_demo.hdf5", &variants[i]);
    expect_libero("KITCHEN_SCENE10_turn_on_the_stove_and_wait_demo.hdf5", "turn on the stove and wait");
    libero_file_make("open_the_drawer_demo.hdf5", &variants[i]);
    expect_libero("open_the_drawer_demo.hdf5", "open the drawer");
    libero_file_make("renamed.hdf5", &variants[i]);
    expect_libero("renamed.hdf5", "turn on the stove");
  }
  libero_file_make("renamed.hdf5", &(libero_variant){.problem_info = "{\"language_instruction\": [\"turn\", \"it\", \"off\"]}"});
  expect_libero("renamed.hdf5", "turn it off");
  libero_file_make("renamed.hdf5", &(libero_variant){.problem_info = "{\"language_instruction\": \"\\\"close it\\\"\"}"});
  expect_libero("renamed.hdf5", "close it");
  libero_file_make("renamed.hdf5", &(libero_variant){.problem_info = "not JSON"});
  expect_libero("renamed.hdf5", "");
}

/* Pixel rows of the helper's pictures: byte i of a dataset is i mod 251. */
static void expect_rows(const vlb_episode *e, bool turned) {
  enum { LINE = LIBERO_PIXELS * 3 };
  for (int c = 0; c < 2; c++)
    for (int k = 0; k < e->frames; k++)
      for (int y = 0; y < LIBERO_PIXELS; y++) {
        int stored = (k * LIBERO_PIXELS + (turned ? LIBERO_PIXELS - 1 - y : y)) * LINE;
        const uint8_t *row = e->image[c] + (k * LIBERO_PIXELS + y) * LINE;
        for (int i = stored ? 0 : 1; i < LINE; i++) assert_int_equal(row[i], (stored + i) % 251);
      }
}

static void open_variant(const libero_variant *v, vlb_episode_file **file, vlb_episode *e) {
  vlb_error err;
  libero_file_make("variant.hdf5", v);
  if (vlb_episodes_open("variant.hdf5", file, &err) || vlb_episodes_read(*file, 0, true, e, &err)) fail_msg("%s", err.message);
}

static void test_robomimic_files(void **state) {
  (void)state;
  for (int compressed = 0; compressed < 2; compressed++) {
    vlb_episode_file *file;
    vlb_episode e;
    open_variant(&(libero_variant){.robomimic = true, .compressed = compressed}, &file, &e);
    const vlb_task_info *info = vlb_episodes_info(file);
    assert_int_equal(info->writer, VLB_WRITER_ROBOMIMIC);
    assert_true(info->upright && info->observed_before);
    assert_string_equal(info->instruction, "Lift");
    assert_ptr_equal(info->embodiment, &vlb_panda);
    assert_int_equal(e.frames, LIBERO_FRAMES);
    expect_rows(&e, true);
    for (int k = 1; k < e.frames; k++) {
      double *s = e.state + 8 * k, *r = e.robot_states + 9 * k, turn[3];
      vlb_axis_angle(r + 5, turn);
      assert_memory_equal(s + 3, turn, sizeof turn);
      assert_memory_equal(r + 2, s, 3 * sizeof *s);
      assert_memory_equal(r, s + 6, 2 * sizeof *s);
      for (int i = 0; i < 3; i++) assert_true(s[i] == (3 * k + i) * 0.001);
      for (int i = 0; i < 4; i++) assert_true(r[5 + i] == (4 * k + i) * 0.001);
      for (int i = 0; i < 7; i++) assert_true(e.joints[7 * k + i] == (7 * k + i) * 0.001);
    }
    vlb_episode_free(&e);
    vlb_episodes_close(file);
    open_variant(&(libero_variant){.robomimic = true, .missing = "obs/robot0_joint_pos"}, &file, &e);
    assert_null(e.joints);
    vlb_episode_free(&e);
    vlb_episodes_close(file);
  }
}

/* Attributes decide where they are present: orientation of pictures and time of the observation, in either kind of file. */
static void test_conventions(void **state) {
  (void)state;
  static const struct {
    libero_variant variant;
    bool upright, before;
  } cases[] = {{{0}, false, false},
               {{.image_convention = "opengl"}, false, false},
               {{.image_convention = "opencv"}, true, false},
               {{.observation_time = "after"}, false, false},
               {{.image_convention = "opencv", .observation_time = "before"}, true, true},
               {{.robomimic = true}, true, true},
               {{.robomimic = true, .image_convention = "opengl"}, false, true},
               {{.robomimic = true, .image_convention = "opencv", .observation_time = "after"}, true, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    vlb_episode_file *file;
    vlb_episode e;
    open_variant(&cases[i].variant, &file, &e);
    assert_int_equal(vlb_episodes_info(file)->upright, cases[i].upright);
    assert_int_equal(vlb_episodes_info(file)->observed_before, cases[i].before);
    expect_rows(&e, cases[i].upright);
    vlb_episode_free(&e);
    vlb_episodes_close(file);
  }
}

/* The orientation of robosuite's quat2axisangle (libero.md 6): angles beyond pi stay, no rotation is the zero vector. */
static void test_axis_angle(void **state) {
  (void)state;
  static const double cases[][7] = {{0, 0, 0, 1, 0, 0, 0},
                                    {1, 0, 0, 0, M_PI, 0, 0},
                                    {0, 0.6, 0, 0.8, 0, 1.2870022175866, 0},
                                    {0, 0.6, 0, -0.8, 0, 4.9961830895930, 0},
                                    {0, 0, 0, 1.0000001, 0, 0, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    double out[3];
    vlb_axis_angle(cases[i], out);
    for (int k = 0; k < 3; k++) assert_true(fabs(out[k] - cases[i][4 + k]) < 1e-12);
  }
}

static void refuse(const libero_variant *v, const char *message) {
  libero_file_make("bad.hdf5", v);
  vlb_episode_file *file;
  vlb_error err = {VLB_OK, ""};
  vlb_episode e;
  vlb_code code = vlb_episodes_open("bad.hdf5", &file, &err);
  if (!code) {
    code = vlb_episodes_read(file, 0, true, &e, &err);
    assert_null(e.actions);
    vlb_episodes_close(file);
  }
  assert_int_equal(code, VLB_FAILED);
  assert_string_equal(err.message, message);
}

static void test_refusals(void **state) {
  (void)state;
  refuse(&(libero_variant){.no_data = true}, "bad.hdf5: no group /data; it is not a file of episodes");
  refuse(&(libero_variant){.no_demos = true}, "bad.hdf5: no episodes: /data has no demo_0, demo_1, ...");
  refuse(&(libero_variant){.missing = "obs/ee_pos"}, "bad.hdf5: /data/demo_0/obs/ee_pos: dataset is missing");
  refuse(&(libero_variant){.missing = "actions"}, "bad.hdf5: /data/demo_0/actions: dataset is missing");
  refuse(&(libero_variant){.short_by_one = "states"}, "bad.hdf5: /data/demo_0/states: size 3 instead of 4 in dimension 0");
  refuse(&(libero_variant){.short_by_one = "rewards"}, "bad.hdf5: /data/demo_0/rewards: size 3 instead of 4 in dimension 0");
  refuse(&(libero_variant){.wrong_width = "actions"}, "bad.hdf5: /data/demo_0/actions: size 8 instead of 7 in dimension 1");
  refuse(&(libero_variant){.wrong_width = "obs/eye_in_hand_rgb"},
         "bad.hdf5: /data/demo_0/obs/eye_in_hand_rgb: size 7 instead of 6 in dimension 1");
  refuse(&(libero_variant){.wrong_type = "obs/joint_states"},
         "bad.hdf5: /data/demo_0/obs/joint_states: wrong type: floating-point numbers are needed");
  refuse(&(libero_variant){.wrong_type = "obs/agentview_rgb"},
         "bad.hdf5: /data/demo_0/obs/agentview_rgb: wrong type: 8-bit integers are needed");
  refuse(&(libero_variant){.flat = "obs/ee_ori"}, "bad.hdf5: /data/demo_0/obs/ee_ori: wrong number of dimensions");
  refuse(&(libero_variant){.flat = "states"}, "bad.hdf5: /data/demo_0/states: wrong number of dimensions");
  refuse(&(libero_variant){.not_finite = "actions"}, "bad.hdf5: /data/demo_0/actions: holds a value that is not finite");
  refuse(&(libero_variant){.robomimic = true, .missing = "obs/agentview_image"}, "bad.hdf5: /data/demo_0/obs/agentview_image: dataset is missing");
  refuse(&(libero_variant){.robomimic = true, .wrong_width = "obs/robot0_eef_quat"},
         "bad.hdf5: /data/demo_0/obs/robot0_eef_quat: size 5 instead of 4 in dimension 1");
  refuse(&(libero_variant){.image_convention = "upside"},
         "bad.hdf5: macros_image_convention is \"upside\"; known are \"opengl\" and \"opencv\"");
  refuse(&(libero_variant){.observation_time = "soon"}, "bad.hdf5: observation_time is \"soon\"; known are \"after\" and \"before\"");
  refuse(&(libero_variant){.wrong_samples = 5}, "bad.hdf5: /data/demo_0: num_samples is 5, but there are 4 actions");
  vlb_episode_file *file;
  vlb_error err;
  assert_int_equal(vlb_episodes_open("missing.hdf5", &file, &err), VLB_FAILED);
  assert_string_equal(err.message, "missing.hdf5: cannot open: No such file or directory");
  assert_int_equal(vlb_file_write("text.hdf5", "hello\n", 6, &err), VLB_OK);
  assert_int_equal(vlb_episodes_open("text.hdf5", &file, &err), VLB_FAILED);
  assert_string_equal(err.message, "text.hdf5: not an HDF5 file, or truncated");
  vlb_episode empty = {0};
  assert_int_equal(vlb_episodes_write("empty.hdf5", &task, &empty, 1, &err), VLB_FAILED);
  assert_false(vlb_file_exists("empty.hdf5"));
}

/* One changed pixel is noticed. */
static void test_seal(void **state) {
  (void)state;
  vlb_episode e[EPISODES];
  write_all("sealed.hdf5", e);
  free_all(e);
  char *bytes;
  size_t size;
  vlb_error err;
  vlb_episode_file *file;
  assert_int_equal(vlb_file_read("sealed.hdf5", &bytes, &size, &err), VLB_OK);
  bytes[size / 2] ^= 1;
  assert_int_equal(vlb_file_write("sealed.hdf5", bytes, size, &err), VLB_OK);
  assert_int_equal(vlb_episodes_open("sealed.hdf5", &file, &err), VLB_FAILED);
  assert_string_equal(err.message, "sealed.hdf5: damaged: the content does not fit its checksum; copy or record the file again");
  free(bytes);
}

/* A damaged compressed picture of a file without a seal: a clear line, whatever zlib makes of it. */
static void test_damaged_chunk(void **state) {
  (void)state;
  vlb_error err;
  vlb_episode_file *file;
  vlb_episode e;
  char *bytes;
  size_t size;
  libero_file_make("chunk.hdf5", &(libero_variant){.robomimic = true, .compressed = true, .fixed_text = true});
  hid_t h = H5Fopen("chunk.hdf5", H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(h, "data/demo_0/obs/agentview_image", H5P_DEFAULT);
  haddr_t at;
  hsize_t stored, first[4];
  unsigned filters;
  hid_t space = H5Dget_space(set);
  assert_true(H5Dget_chunk_info(set, space, 2, first, &filters, &at, &stored) >= 0);
  assert_true(stored > 30);
  H5Sclose(space);
  H5Dclose(set);
  H5Fclose(h);
  assert_int_equal(vlb_file_read("chunk.hdf5", &bytes, &size, &err), VLB_OK);
  memset(bytes + at + 10, 0, 16);
  assert_int_equal(vlb_file_write("chunk.hdf5", bytes, size, &err), VLB_OK);
  free(bytes);
  assert_int_equal(vlb_episodes_open("chunk.hdf5", &file, &err), VLB_OK);
  assert_int_equal(vlb_episodes_read(file, 0, true, &e, &err), VLB_FAILED);
  assert_string_equal(err.message, "chunk.hdf5: /data/demo_0/obs/agentview_image: cannot read; the file is damaged");
  assert_int_equal(vlb_episodes_read(file, 0, false, &e, &err), VLB_OK); /* the numbers are whole */
  vlb_episode_free(&e);
  vlb_episodes_close(file);
}

/* Pictures are compressed without loss, one to a chunk; a blank one takes next to nothing. */
static void test_compression(void **state) {
  (void)state;
  vlb_episode e;
  vlb_error err;
  enum { SIDE = 64, FRAMES = 8 };
  assert_int_equal(vlb_episode_alloc(&e, &vlb_sawyer, FRAMES, WIDTH, SIDE, &err), VLB_OK);
  for (int i = 0; i < FRAMES * SIDE * SIDE * 3; i++) e.image[0][i] = (uint8_t)(i / 97);
  assert_int_equal(vlb_episodes_write("small.hdf5", &task, &e, 1, &err), VLB_OK);
  hid_t file = H5Fopen("small.hdf5", H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(file, "data/demo_0/obs/corner2_rgb", H5P_DEFAULT);
  hid_t list = H5Dget_create_plist(set);
  hsize_t chunk[4];
  assert_int_equal(H5Pget_layout(list), H5D_CHUNKED);
  assert_int_equal(H5Pget_chunk(list, 4, chunk), 4);
  assert_true(chunk[0] == 1 && chunk[1] == SIDE && chunk[2] == SIDE && chunk[3] == 3);
  assert_true(H5Dget_storage_size(set) < FRAMES * SIDE * SIDE * 3 / 4);
  H5Pclose(list);
  H5Dclose(set);
  H5Fclose(file);
  vlb_episode_free(&e);
}

static void test_full_disk(void **state) {
  (void)state;
  vlb_episode e[EPISODES];
  write_all("full.hdf5", e);
  char before_hash[VLB_HASH_SIZE], hash[VLB_HASH_SIZE], temp[64];
  vlb_error err;
  vlb_hash_file("full.hdf5", before_hash, &err);
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit before, small;
  getrlimit(RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 20000;
  setrlimit(RLIMIT_FSIZE, &small);
  vlb_code code = vlb_episodes_write("full.hdf5", &task, e, EPISODES, &err);
  setrlimit(RLIMIT_FSIZE, &before);
  free_all(e);
  assert_int_equal(code, VLB_FAILED);
  assert_string_equal(err.message, "full.hdf5: cannot write: File too large");
  vlb_hash_file("full.hdf5", hash, &err);
  assert_string_equal(hash, before_hash);
  vlb_temp_name("full.hdf5", temp, sizeof temp);
  assert_false(vlb_file_exists(temp));
}

static void *read_many(void *path) {
  vlb_episode_file *file;
  vlb_error err;
  if (vlb_episodes_open(path, &file, &err)) return path;
  bool good = true;
  for (int i = 0; i < 30; i++) {
    vlb_episode e;
    good = vlb_episodes_read(file, i % EPISODES, true, &e, &err) == VLB_OK && good;
    vlb_episode_free(&e);
  }
  vlb_episodes_close(file);
  return good ? NULL : path;
}

static void test_threads(void **state) {
  (void)state;
  vlb_episode e[EPISODES];
  write_all("shared.hdf5", e);
  free_all(e);
  pthread_t id[4];
  static char path[] = "shared.hdf5";
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&id[i], NULL, read_many, path), 0);
  for (int i = 0; i < 4; i++) {
    void *failed;
    pthread_join(id[i], &failed);
    assert_null(failed);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_robots),      cmocka_unit_test(test_equal_bytes), cmocka_unit_test(test_layout),
      cmocka_unit_test(test_robomimic_files), cmocka_unit_test(test_conventions), cmocka_unit_test(test_axis_angle),
      cmocka_unit_test(test_libero_files), cmocka_unit_test(test_refusals),    cmocka_unit_test(test_seal),
      cmocka_unit_test(test_damaged_chunk), cmocka_unit_test(test_compression),
      cmocka_unit_test(test_full_disk),    cmocka_unit_test(test_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
