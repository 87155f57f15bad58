/* Reading of ablation files: layers, presets, arms, contrasts. What goes wrong is tested on the command line (tests/cli/bad_ablation.sh). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(attention_is_embedded), cmocka_unit_test(quick_is_smaller),
                                     cmocka_unit_test(layers_in_order), cmocka_unit_test(settings_alone)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
