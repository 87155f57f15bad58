#include "experiments/plan/run_cell.h"

#include <stdlib.h>

#include "core/base/file.h"
#include "core/train/vlm.h"
#include "experiments/plan/demo_files.h"
#include "experiments/plan/latency.h"
#include "experiments/plan/model_folder.h"
#include "experiments/store/clock_csv.h"
#include "experiments/store/episodes_csv.h"
#include "experiments/store/eval_info.h"
#include "sim/rollout/suites.h"

/* The task files of the folders, each in name order, loaded. */
static vlb_code load_demos(const vlb_model_config *model, const char *const *demos, int n, const vlb_context *ctx, vlb_dataset **data,
                           vlb_error *err) {
  vlb_demo_files files;
  vlb_code code = vlb_demo_files_find(demos, n, &files, err);
  if (!code) code = vlb_dataset_load(model, files.path, files.count, ctx, data, err);
  vlb_demo_files_forget(&files);
  return code;
}

/* The model that training begins with; a trained one has every tensor. */
static vlb_code begin_model(const vlb_settings *s, const char *init, vlb_model **model, vlb_error *err) {
  char path[1024];
  if (!init) return vlb_train_begin(&s->model, &s->train, model, err);
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/model.safetensors", init));
  VLB_TRY(vlb_model_create(&s->model, model, err));
  return vlb_model_load(*model, path, err);
}

vlb_code vlb_train_in(const vlb_settings *s, const char *const *demos, int demo_count, const char *init, const char *folder, const char *cache,
                      const char *label, const vlb_context *ctx, vlb_error *err) {
  vlb_model *model = NULL;
  vlb_dataset *data = NULL;
  vlb_code code = begin_model(s, init, &model, err);
  if (!code) code = load_demos(&s->model, demos, demo_count, ctx, &data, err);
  if (!code) code = vlb_model_folder_describe(folder, &s->model, err);
  if (!code) code = vlb_train(model, &s->train, data, label, folder, cache, ctx, err);
  vlb_dataset_free(data);
  vlb_model_free(model);
  return code;
}

static vlb_code run_eval(const vlb_cell *cell, const char *folder, const char *parent, const char *label, const vlb_context *ctx, vlb_error *err) {
  const vlb_settings *s = &cell->settings;
  char csv[1024], info[1024];
  vlb_suite *suite;
  VLB_TRY(vlb_path(csv, sizeof csv, err, "%s/episodes.csv", folder));
  VLB_TRY(vlb_path(info, sizeof info, err, "%s/eval_info.json", folder));
  VLB_TRY(vlb_suite_open(s->eval.suite.s, &suite, err));
  int n = suite->task_count * (int)s->eval.episodes_per_task;
  vlb_episode_result *results = calloc((size_t)n, sizeof *results);
  vlb_code code = results ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory for %d episodes", n);
  if (!code) code = vlb_model_folder_eval(parent, &s->model, cell->untrained ? &s->train : NULL, &s->eval, suite, label, results, ctx, err);
  if (!code) code = vlb_episodes_csv_write(csv, suite, s->eval.seed, results, n, err);
  if (!code && !vlb_control_is_plain(&s->eval.control)) code = vlb_clock_csv_write(folder, results, n, err);
  if (!code) code = vlb_eval_info_write(info, suite, results, n, err);
  vlb_episode_results_clear(results, n);
  free(results);
  vlb_suite_free(suite);
  return code;
}

static vlb_code run_latency(const vlb_cell *cell, const char *folder, const vlb_context *ctx, vlb_error *err) {
  vlb_prediction_cost latency;
  VLB_TRY(vlb_cost_measure(&cell->settings.model, &latency, ctx, err));
  return vlb_cost_write(folder, &latency, err);
}

vlb_code vlb_cell_work(const vlb_cell *cell, const char *folder, const char *const *parents, const char *cache, const char *label,
                       const vlb_context *ctx, vlb_error *err) {
  if (cell->kind == VLB_CELL_DEMOS) return vlb_demos_record(&cell->settings.demos, folder, ctx, err);
  if (cell->kind == VLB_CELL_TRAIN) {
    int demos = cell->parent_count - cell->initialised;
    return vlb_train_in(&cell->settings, parents, demos, cell->initialised ? parents[demos] : NULL, folder, cache, label, ctx, err);
  }
  if (cell->kind == VLB_CELL_LATENCY) return run_latency(cell, folder, ctx, err);
  return run_eval(cell, folder, parents[0], label, ctx, err);
}
