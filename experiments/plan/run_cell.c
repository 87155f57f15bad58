#include "experiments/plan/run_cell.h"

#include <stdlib.h>

#include "core/base/file.h"
#include "core/model/model.h"
#include "experiments/plan/model_folder.h"
#include "experiments/store/episodes_csv.h"
#include "sim/rollout/suites.h"

/* The task files of a folder in name order, loaded. */
static vlb_code load_demos(const vlb_model_config *model, const char *demos, const vlb_context *ctx, vlb_dataset **data, vlb_error *err) {
  vlb_file_list list;
  VLB_TRY(vlb_folder_list(demos, ".hdf5", &list, err));
  vlb_code code = list.count ? vlb_dataset_load(model, (const char *const *)list.path, list.count, ctx, data, err)
                             : vlb_fail(err, VLB_USAGE, "%s: no demonstrations (*.hdf5) in that folder; 'vlabench demos' records some", demos);
  vlb_list_free(&list);
  return code;
}

vlb_code vlb_train_in(const vlb_settings *s, const char *demos, const char *folder, const char *label, const vlb_context *ctx, vlb_error *err) {
  vlb_model *model = NULL;
  vlb_dataset *data = NULL;
  vlb_code code = load_demos(&s->model, demos, ctx, &data, err);
  if (!code) code = vlb_model_folder_describe(folder, &s->model, err);
  if (!code) code = vlb_model_create(&s->model, &model, err);
  if (!code) {
    vlb_model_init(model, (uint64_t)s->train.seed);
    code = vlb_train(model, &s->train, data, label, folder, ctx, err);
  }
  vlb_dataset_free(data);
  vlb_model_free(model);
  return code;
}

static vlb_code run_eval(const vlb_cell *cell, const char *folder, const char *parent, const char *label, const vlb_context *ctx, vlb_error *err) {
  const vlb_settings *s = &cell->settings;
  char csv[1024];
  vlb_suite *suite;
  VLB_TRY(vlb_path(csv, sizeof csv, err, "%s/episodes.csv", folder));
  VLB_TRY(vlb_suite_open(s->eval.suite.s, &suite, err));
  int n = suite->task_count * (int)s->eval.episodes_per_task;
  vlb_episode_result *results = calloc((size_t)n, sizeof *results);
  vlb_code code = results ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory for %d episodes", n);
  if (!code) code = vlb_model_folder_eval(parent, &s->model, cell->untrained ? &s->train.seed : NULL, &s->eval, suite, label, results, ctx, err);
  if (!code) code = vlb_episodes_csv_write(csv, suite, s->eval.seed, results, n, err);
  free(results);
  vlb_suite_free(suite);
  return code;
}

vlb_code vlb_cell_work(const vlb_cell *cell, const char *folder, const char *parent, const char *label, const vlb_context *ctx, vlb_error *err) {
  if (cell->kind == VLB_CELL_DEMOS) return vlb_demos_record(&cell->settings.demos, folder, ctx, err);
  if (cell->kind == VLB_CELL_TRAIN) return vlb_train_in(&cell->settings, parent, folder, label, ctx, err);
  return run_eval(cell, folder, parent, label, ctx, err);
}
