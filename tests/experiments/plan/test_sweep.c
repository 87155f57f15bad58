/* Axes of sweeps and their combinations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "experiments/plan/cells.h"
#include "experiments/plan/sweep.h"

/* the values joined by blanks */
static void reads_as(const char *name, const char *values, const char *wanted) {
  vlb_axis axis;
  vlb_error err = {VLB_OK, ""};
  char all[2048] = "";
  if (vlb_axis_read(name, values, &axis, &err)) fail_msg("%s", err.message);
  for (int i = 0; i < axis.count; i++) snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? " " : "", axis.values[i]);
  assert_string_equal(all, wanted);
}

static void refused(const char *name, const char *values, const char *message) {
  vlb_axis axis;
  vlb_error err = {VLB_OK, ""};
  if (vlb_axis_read(name, values, &axis, &err) != VLB_USAGE) fail_msg("%s = %s was accepted", name, values);
  if (!strstr(err.message, message)) fail_msg("%s = %s: \"%s\"", name, values, err.message);
}

static void values(void **state) {
  (void)state;
  reads_as("layers", "8..12", "8 9 10 11 12");
  reads_as("layers", "8..32:8", "8 16 24 32");
  reads_as("layers", "8..31:8", "8 16 24");
  reads_as("layers", "4,8..10,32", "4 8 9 10 32");
  reads_as("width", "0.25..1:0.25", "0.25 0.5 0.75 1");
  reads_as("width", "0.1..0.5:0.1", "0.1 0.2 0.3 0.4 0.5"); /* the end is not lost to rounding */
  reads_as("action_steps", "1,10", "1 10");
  reads_as("attention", "cross,self", "cross self");
  reads_as("train.lr", "1e-3,3e-4", "1e-3 3e-4");
  reads_as("eval.suite", "spatial,goal", "spatial goal");
}

static void mistakes(void **state) {
  (void)state;
  refused("layres", "8", "did you mean 'layers'?");
  refused("model.num_vlm_layerz", "8", "did you mean \"num_vlm_layers\"?");
  refused("modle.chunk_size", "8", "no section 'modle'");
  refused("layers", "12..8", "upwards");
  refused("layers", "8..", "not a range");
  refused("layers", "8..24:0", "not a range");
  refused("layers", "8..24:x", "not a range");
  refused("layers", "", "not a value");
  refused("layers", "8,,9", "not a value");
  refused("layers", "8,9,8", "8 occurs twice");
  refused("layers", "8,eight", "eight");
  refused("layers", "0..100", "more than 64 values");
  refused("width", "0.25..1", "needs a step");
  refused("attention", "cross..self", "its values are words");
  refused("attention", "crossed", "crossed");
}

static vlb_ablation *parsed(const char *text) {
  vlb_ablation *a = NULL;
  vlb_error err = {VLB_OK, ""};
  if (vlb_ablation_parse(text, "some_sweep.toml", VLB_PRESET_QUICK, &a, &err)) fail_msg("%s", err.message);
  return a;
}

static void combinations(void **state) {
  (void)state;
  vlb_ablation *a = parsed("extends = \"ablations/base_ablation.toml\"\n[sweep]\nlayers = \"8..16:8\"\nwidth = [0.25, 0.5, 1]\n");
  static const char *const names[] = {"layers_8-width_0_25", "layers_8-width_0_5", "layers_8-width_1", "layers_16-width_0_25", "layers_16-width_0_5",
                                      "layers_16-width_1"};
  assert_int_equal(a->arm_count, 6);
  for (int i = 0; i < 6; i++) assert_string_equal(a->arms[i].name, names[i]);
  assert_string_equal(a->arms[4].label, "layers = 16, width = 0.5");
  assert_int_equal(a->arms[4].settings.model.num_vlm_layers, 16);
  assert_true(a->arms[4].settings.model.expert_width == 0.5);
  assert_true(a->latency);
  assert_string_equal(a->name, "some_sweep");
  free(a);
}

/* a sweep over an ablation takes its settings, not its arms, contrasts and rows of the paper; its cells are the ablation's own */
static void same_cells(void **state) {
  (void)state;
  vlb_ablation *swept = parsed("extends = \"ablations/layers.toml\"\n[sweep]\nmodel.num_vlm_layers = \"8..32:8\"\n"), *layers = NULL;
  vlb_error err = {VLB_OK, ""};
  vlb_plan a, b;
  assert_int_equal(swept->contrast_count, 0);
  assert_string_equal(swept->paper_table, "");
  if (vlb_ablation_read("layers", VLB_PRESET_QUICK, &layers, &err) || vlb_plan_make(swept, &a, &err) || vlb_plan_make(layers, &b, &err)) fail_msg("%s", err.message);
  for (int i = 0; i < 4; i++) {
    assert_string_equal(a.cells[a.arms[i].eval[0].cell].name, b.cells[b.arms[i].eval[0].cell].name);
    assert_true(a.arms[i].latency >= 0 && a.cells[a.arms[i].latency].kind == VLB_CELL_LATENCY);
  }
  vlb_plan_free(&a);
  vlb_plan_free(&b);
  free(swept);
  free(layers);
}

/* what a prediction costs does not change with the actions that are executed of it */
static void latency_cells(void **state) {
  (void)state;
  vlb_ablation *a = parsed("extends = \"ablations/base_ablation.toml\"\n[sweep]\naction-steps = \"1,10\"\nflow-steps = \"5,10\"\n");
  vlb_plan plan;
  vlb_error err = {VLB_OK, ""};
  assert_int_equal(vlb_plan_make(a, &plan, &err), VLB_OK);
  int count[VLB_CELL_LATENCY + 1] = {0};
  for (int i = 0; i < plan.count; i++) count[plan.cells[i].kind]++;
  assert_int_equal(count[VLB_CELL_TRAIN], 1);
  assert_int_equal(count[VLB_CELL_EVAL], 4);
  assert_int_equal(count[VLB_CELL_LATENCY], 2);
  vlb_plan_free(&plan);
  free(a);
}

static void impossible_files(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"[sweep]\nlayers = \"8..40:8\"\n", "some_sweep.toml:2: sweep: layers = 40: num_vlm_layers = 40, but the VLM has 32 layers"},
      {"[sweep]\nlayers = \"8..31\"\nwidth = \"0.25,0.5,1\"\n", "72 combinations; a sweep has at most 64 arms"},
      {"[sweep]\nlayers = 8\nmodel.num_vlm_layers = 16\n", "model.num_vlm_layers is swept twice"},
      {"[sweep]\n", "[sweep] names no axis"},
      {"[sweep]\nlayers = true\n", "some_sweep.toml:3: expected a string"},
      {"[sweep]\nlayers = 8\n[[arm]]\nname = \"a\"\n", "[[arm]] and [sweep] in one file"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[512];
    vlb_ablation *a;
    vlb_error err = {VLB_OK, ""};
    snprintf(text, sizeof text, "extends = \"ablations/base_ablation.toml\"\n%s", cases[i][0]);
    if (vlb_ablation_parse(text, "some_sweep.toml", VLB_PRESET_DEFAULT, &a, &err) != VLB_USAGE) fail_msg("case %zu was accepted", i);
    if (!strstr(err.message, cases[i][1])) fail_msg("case %zu: \"%s\"", i, err.message);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(values),     cmocka_unit_test(mistakes),      cmocka_unit_test(combinations),
                                     cmocka_unit_test(same_cells), cmocka_unit_test(latency_cells), cmocka_unit_test(impossible_files)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
