/* Reading of ablation files: layers, presets, arms, contrasts. What goes wrong is tested on the command line (tests/cli/bad_ablation.sh). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/file.h"
#include "experiments/plan/ablation.h"

static vlb_ablation *read_ok(const char *path, bool quick) {
  vlb_ablation *a = NULL;
  vlb_error err = {VLB_OK, ""};
  if (vlb_ablation_read(path, quick, &a, &err)) fail_msg("%s", err.message);
  return a;
}

static void write_text(const char *path, const char *text) {
  vlb_error err;
  assert_int_equal(vlb_file_write(path, text, strlen(text), &err), VLB_OK);
}

/* the embedded main job: three arms that differ in attention only, all three pairs declared */
static void attention_is_embedded(void **state) {
  (void)state;
  const char *const names[] = {"attention", "attention.toml", "ablations/attention.toml"};
  for (int i = 0; i < 3; i++) {
    vlb_ablation *a = read_ok(names[i], false);
    assert_string_equal(a->name, "attention");
    assert_int_equal(a->arm_count, 3);
    assert_int_equal(a->contrast_count, 3);
    assert_string_equal(a->scale, "micro");
    assert_true(a->floor >= 0);
    vlb_settings same = a->arms[0].settings;
    same.model.attention = a->arms[1].settings.model.attention;
    assert_memory_equal(&same, &a->arms[1].settings, sizeof same);
    assert_int_equal(a->arms[0].settings.model.attention, VLB_ATTENTION_CROSS);
    assert_int_equal(a->arms[1].settings.model.attention, VLB_ATTENTION_SELF);
    assert_int_equal(a->arms[2].settings.model.attention, VLB_ATTENTION_INTERLEAVED);
    free(a);
  }
}

/* quick is smaller in everything that costs time and equal in what the question is about */
static void quick_is_smaller(void **state) {
  (void)state;
  vlb_ablation *full = read_ok("attention", false), *quick = read_ok("attention", true);
  for (int i = 0; i < full->arm_count; i++) {
    const vlb_settings *f = &full->arms[i].settings, *q = &quick->arms[i].settings;
    assert_true(q->train.steps < f->train.steps);
    assert_true(q->demos.per_task < f->demos.per_task);
    assert_true(q->eval.episodes_per_task < f->eval.episodes_per_task);
    assert_memory_equal(&q->model, &f->model, sizeof q->model);
  }
  assert_true(quick->quick && !full->quick);
  free(full);
  free(quick);
}

static const char base_text[] =
    "scale = \"s\"\n[train]\nsteps = 100\nbatch_size = 16\n[eval]\nepisodes_per_task = 7\n[preset.quick.train]\nsteps = 10\n";
static const char top_text[] =
    "extends = \"base.toml\"\ntitle = \"T\"\n[train]\nbatch_size = 32\n[preset.quick.eval]\nepisodes_per_task = 2\n"
    "[[arm]]\nname = \"one\"\n[[arm]]\nname = \"two\"\nlabel = \"Two\"\ntrain.steps = 55\nmodel.chunk_size = 60\n";

/* defaults < base < file < presets of both < arm */
static void layers_in_order(void **state) {
  (void)state;
  vlb_error err;
  assert_int_equal(vlb_folder_make("layers", &err), VLB_OK);
  write_text("layers/base.toml", base_text);
  write_text("layers/top.toml", top_text);
  vlb_ablation *a = read_ok("layers/top.toml", false), *q = read_ok("layers/top.toml", true);
  assert_int_equal(a->arms[0].settings.train.steps, 100);
  assert_int_equal(a->arms[0].settings.train.batch_size, 32);
  assert_int_equal(a->arms[0].settings.eval.episodes_per_task, 7);
  assert_int_equal(a->arms[1].settings.train.steps, 55);
  assert_int_equal(a->arms[1].settings.model.chunk_size, 60);
  assert_int_equal(a->arms[0].settings.model.chunk_size, 50);
  assert_int_equal(q->arms[0].settings.train.steps, 10);
  assert_int_equal(q->arms[0].settings.eval.episodes_per_task, 2);
  assert_int_equal(q->arms[1].settings.train.steps, 55);
  assert_string_equal(a->arms[0].label, "one");
  assert_string_equal(a->arms[1].label, "Two");
  assert_string_equal(a->scale, "s");
  assert_int_equal(a->floor, -1);
  free(a);
  free(q);
}

/* settings alone: of a base file, of an arm, and changed by assignments */
static void settings_alone(void **state) {
  (void)state;
  vlb_settings s;
  vlb_error err = {VLB_OK, ""};
  write_text("base.toml", base_text);
  write_text("top.toml", top_text);
  assert_int_equal(vlb_settings_read("base.toml", NULL, true, &s, &err), VLB_OK);
  assert_int_equal(s.train.steps, 10);
  assert_int_equal(vlb_settings_read("top.toml", "two", false, &s, &err), VLB_OK);
  assert_int_equal(s.train.steps, 55);
  assert_int_equal(vlb_settings_read("top.toml", "three", false, &s, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "'three'"));
  assert_int_equal(vlb_settings_set(&s, "train.steps=9", &err), VLB_OK);
  assert_int_equal(s.train.steps, 9);
  assert_int_equal(vlb_settings_set(&s, "train.stepz=9", &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "steps"));
  assert_int_equal(vlb_settings_set(&s, "steps=9", &err), VLB_USAGE);
}

/* arms on any robot: demonstrations, model and evaluation must be of the same one */
static void every_robot(void **state) {
  (void)state;
  static const struct {
    const char *demos, *eval, *model, *message; /* message NULL: fits */
  } cases[] = {
      {"spatial", "spatial", "", NULL},
      {"spatial", "object", "", NULL},
      {"so100", "so100", "action_dim = 6", NULL},
      {"metaworld_style", "metaworld_style", "action_dim = 4\ncameras = 1", NULL},
      {"metaworld_hard", "metaworld_style", "action_dim = 4\ncameras = 1", NULL}, /* with or without its assets */
      {"so100", "so100", "", "arms.toml:2: arm 'a': model.action_dim = 7, but the robot so100 takes 6 numbers; set model.action_dim = 6"},
      {"metaworld_style", "metaworld_style", "action_dim = 4", "model.cameras = 2, but the robot sawyer has 1 camera; set model.cameras = 1"},
      {"spatial", "spatial", "cameras = 1", "model.cameras = 1, but the robot panda has 2 cameras; set model.cameras = 2"},
      {"spatial", "spatial", "cameras = 3", "set model.cameras = 2 (model.empty_cameras adds black views)"},
      {"spatial", "spatial", "max_state_dim = 7", "model.max_state_dim = 7 is below the 8 state numbers of the robot panda"},
      {"spatial", "so100", "", "demos.suite = \"spatial\" is of the robot panda, eval.suite = \"so100\" of so100; choose suites of one robot"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[512];
    vlb_ablation *a = NULL;
    vlb_error err = {VLB_OK, ""};
    snprintf(text, sizeof text, "title = \"t\"\n[[arm]]\nname = \"a\"\n[arm.demos]\nsuite = \"%s\"\n[arm.eval]\nsuite = \"%s\"\n[arm.model]\n%s\n",
             cases[i].demos, cases[i].eval, cases[i].model);
    write_text("arms.toml", text);
    vlb_code code = vlb_ablation_read("arms.toml", false, &a, &err);
    if (!cases[i].message && code) fail_msg("case %zu: %s", i, err.message);
    if (cases[i].message && !strstr(err.message, cases[i].message)) fail_msg("case %zu: \"%s\"", i, err.message);
    free(a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(attention_is_embedded), cmocka_unit_test(quick_is_smaller),
                                     cmocka_unit_test(layers_in_order), cmocka_unit_test(settings_alone),
                                     cmocka_unit_test(every_robot)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
