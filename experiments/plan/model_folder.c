#include "experiments/plan/model_folder.h"

#include <stdlib.h>

#include "core/base/file.h"

vlb_code vlb_model_folder_describe(const char *folder, const vlb_model_config *config, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/model.toml", folder));
  VLB_TRY(vlb_writer_open(&w, path, err));
  vlb_fields_write(vlb_model_fields, config, w.out);
  return vlb_writer_commit(&w, err);
}

vlb_code vlb_model_folder_config(const char *folder, vlb_model_config *config, vlb_error *err) {
  char path[1024];
  vlb_toml *root;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/model.toml", folder));
  if (!vlb_file_exists(path))
    return vlb_fail(err, VLB_USAGE, "%s: not the folder of a trained model (no model.toml in it); 'vlabench train' makes one", folder);
  VLB_TRY(vlb_toml_read(path, &root, err));
  vlb_fields_default(vlb_model_fields, config);
  vlb_code code = vlb_fields_read(vlb_model_fields, config, root, err);
  vlb_toml_free(root);
  return code;
}

static vlb_code load(const char *folder, const vlb_model_config *config, const int64_t *untrained_seed, vlb_pretrained *p, vlb_error *err) {
  char path[1024];
  VLB_TRY(vlb_model_create(config, &p->model, err));
  if (untrained_seed) {
    vlb_model_init(p->model, (uint64_t)*untrained_seed);
  } else {
    VLB_TRY(vlb_path(path, sizeof path, err, "%s/model.safetensors", folder));
    VLB_TRY(vlb_model_load(p->model, path, err));
  }
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/statistics.safetensors", folder));
  VLB_TRY(vlb_stats_load(path, &p->state, &p->action, err));
  return vlb_tokenizer_micro(&p->tokenizer, err);
}

/* One policy per worker, then all episodes. */
static vlb_code roll_out(const vlb_policy_source *source, const vlb_rollout_config *eval, const vlb_suite *suite, const char *label,
                         vlb_episode_result *results, const vlb_context *ctx, vlb_error *err) {
  size_t n = (size_t)ctx->threads;
  vlb_policy_adapter **adapters = calloc(n, sizeof *adapters);
  vlb_policy_callback *policies = calloc(n, sizeof *policies);
  vlb_code code = adapters && policies ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory");
  for (size_t i = 0; !code && i < n; i++) {
    code = vlb_policy_adapter_create(source, (int)eval->lanes, &adapters[i], err);
    if (!code) policies[i] = vlb_policy_adapter_callback(adapters[i]);
  }
  if (!code) code = vlb_rollouts_run(eval, suite, policies, ctx, label, results, err);
  for (size_t i = 0; adapters && i < n; i++) vlb_policy_adapter_free(adapters[i]);
  free(adapters);
  free(policies);
  return code;
}

/* An episode that never ran is not a result of the policy: the cell must run again. */
static vlb_code check_complete(const vlb_episode_result *results, int n, vlb_error *err) {
  for (int i = 0; i < n; i++)
    if (results[i].outcome == VLB_EPISODE_NOT_RUN)
      return vlb_fail(err, VLB_FAILED, "episode %d of task %d was not run", results[i].episode, results[i].task);
  return VLB_OK;
}

vlb_code vlb_model_folder_eval(const char *folder, const vlb_model_config *config, const int64_t *untrained_seed,
                               const vlb_rollout_config *eval, const vlb_suite *suite, const char *label, vlb_episode_result *results,
                               const vlb_context *ctx, vlb_error *err) {
  vlb_policy_source source = {.embodiment = suite->embodiment, .seed = (uint64_t)eval->seed};
  vlb_code code = load(folder, config, untrained_seed, &source.trained, err);
  if (!code) code = roll_out(&source, eval, suite, label, results, ctx, err);
  if (!code) code = check_complete(results, suite->task_count * (int)eval->episodes_per_task, err);
  vlb_pretrained_free(&source.trained);
  return code;
}
