/* What cells take: operations against the graphs' own count, and what the outlook makes of a store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/model/model.h"
#include "experiments/plan/estimate.h"
#include "experiments/plan/latency.h"

/* counted from the shapes: within a tenth of what the graphs of training and of inference say of themselves */
static void operations(void **state) {
  (void)state;
  static const char *const variants[][3] = {{"", "", ""},
                                            {"model.attention=self", "", ""},
                                            {"model.attention=interleaved", "model.num_vlm_layers=8", ""},
                                            {"model.freeze=vlm", "", ""},
                                            {"model.freeze=vision", "model.expert_width=1", ""},
                                            {"model.objective=l1", "model.state=suffix", ""},
                                            {"model.chunk_size=5", "model.n_action_steps=1", "model.num_steps=3"},
                                            {"model.state=suffix_seen", "model.skip_every_second=true", ""}};
  for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
    vlb_settings s;
    vlb_error err = {VLB_OK, ""};
    vlb_model_shape shape;
    vlb_model *model = NULL;
    vlb_objective *objective = NULL;
    double act = 0;
    if (vlb_settings_read("base_ablation", NULL, VLB_PRESET_DEFAULT, &s, &err)) fail_msg("%s", err.message);
    for (int k = 0; k < 3; k++)
      if (variants[i][k][0] && vlb_settings_set(&s, variants[i][k], &err)) fail_msg("%s", err.message);
    if (vlb_model_shape_of(&s.model, &shape, &err) || vlb_prediction_flops(&s.model, &act, &err) || vlb_model_create(&s.model, &model, &err) ||
        vlb_objective_create(model, 2, &objective, &err))
      fail_msg("%s", err.message);
    double counted = vlb_act_flops(&s.model, &shape) / act, trained = 2 * vlb_sample_flops(&s.model, &shape) / vlb_objective_flops(objective);
    if (counted < 0.9 || counted > 1.1 || trained < 0.9 || trained > 1.1)
      fail_msg("%s %s: %.3f of a prediction, %.3f of a sample", variants[i][0], variants[i][1], counted, trained);
    vlb_objective_free(objective);
    vlb_model_free(model);
  }
}

/* twice the work costs twice; a later prediction, half the predictions */
static void costs_follow_the_work(void **state) {
  (void)state;
  vlb_cell cell = {.kind = VLB_CELL_EVAL, .work = 100};
  vlb_error err = {VLB_OK, ""};
  if (vlb_settings_read("base_micro", NULL, VLB_PRESET_DEFAULT, &cell.settings, &err)) fail_msg("%s", err.message);
  cell.settings.eval.max_steps = 300;
  double once = vlb_cell_expected(&cell).cpu;
  cell.work = 10000;
  double often = vlb_cell_expected(&cell).cpu;
  assert_true(often > 90 * once && often < 100 * once); /* scenes are compiled once */
  cell.settings.model.n_action_steps = 1;
  double every_step = vlb_cell_expected(&cell).cpu;
  assert_true(every_step > 1.5 * often && every_step < 10 * often);
  cell.untrained = true;
  assert_true(vlb_cell_expected(&cell).cpu > every_step);
}

/* The first training of a plan that needs a prefix makes it; a network of other layers makes its own; those that keep none pay at every sample. */
static void prefixes_are_made_once(void **state) {
  (void)state;
  enum { N = 4 };
  vlb_cell cells[N];
  vlb_error err = {VLB_OK, ""};
  for (int i = 0; i < N; i++) {
    cells[i] = (vlb_cell){.kind = VLB_CELL_TRAIN, .work = 200000};
    if (vlb_settings_read("base_ablation", NULL, VLB_PRESET_DEFAULT, &cells[i].settings, &err)) fail_msg("%s", err.message);
  }
  cells[1].settings.model.attention = VLB_ATTENTION_CROSS;
  cells[2].settings.model.skip_every_second = true;
  cells[3].settings.train.prefix_cache = 0; /* none */
  vlb_plan plan = {.cells = cells, .count = N};
  for (int i = 0; i < N; i++) {
    bool makes = i == 0 || i == 2;
    double alone = vlb_cell_expected(&cells[i]).cpu, here = vlb_plan_expected(&plan, i).cpu;
    if (makes ? here < 1.1 * alone : here > alone) fail_msg("training %d: %g alone, %g in the plan", i, alone, here);
  }
  assert_true(vlb_cell_expected(&cells[3]).cpu > 1.3 * vlb_cell_expected(&cells[0]).cpu);
}

static void words(void **state) {
  (void)state;
  char buf[48];
  assert_string_equal(vlb_about(0, buf, sizeof buf), "nothing");
  assert_string_equal(vlb_about(20, buf, sizeof buf), "less than a minute");
  assert_string_equal(vlb_about(200, buf, sizeof buf), "3 min");
  assert_string_equal(vlb_about(7500, buf, sizeof buf), "2 h 05 min");
  assert_string_equal(vlb_about_bytes(0, buf, sizeof buf), "nothing");
  assert_string_equal(vlb_about_bytes(1, buf, sizeof buf), "1 kB");
  assert_string_equal(vlb_about_bytes(2.4e6, buf, sizeof buf), "2 MB");
  assert_string_equal(vlb_about_bytes(1.55e9, buf, sizeof buf), "1.6 GB");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(operations), cmocka_unit_test(costs_follow_the_work), cmocka_unit_test(prefixes_are_made_once), cmocka_unit_test(words)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
