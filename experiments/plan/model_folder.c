#include "experiments/plan/model_folder.h"

#include <stdlib.h>

#include "core/base/file.h"
#include "core/model/inference.h"
#include "core/train/vlm.h"

vlb_code vlb_model_folder_describe(const char *folder, const vlb_model_config *config, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/model.toml", folder));
  VLB_TRY(vlb_writer_open(&w, path, err));
  vlb_fields_write(vlb_model_fields, config, w.out);
  return vlb_writer_commit(&w, err);
}

/* whether the folder is a checkpoint directory of LeRobot, which has config.json instead of model.toml */
bool vlb_model_folder_is_checkpoint(const char *folder) {
  char path[2][1024];
  return !vlb_path(path[0], sizeof path[0], NULL, "%s/model.toml", folder) && !vlb_path(path[1], sizeof path[1], NULL, "%s/config.json", folder) &&
         !vlb_file_exists(path[0]) && vlb_file_exists(path[1]);
}

static vlb_code checkpoint_config(const char *folder, vlb_model_config *config, vlb_error *err) {
  vlb_checkpoint_folder f;
  VLB_TRY(vlb_checkpoint_folder_open(folder, NULL, &f, err));
  *config = f.config.model;
  vlb_checkpoint_folder_close(&f);
  return VLB_OK;
}

vlb_code vlb_model_folder_config(const char *folder, vlb_model_config *config, vlb_error *err) {
  char path[1024];
  vlb_toml *root;
  if (vlb_model_folder_is_checkpoint(folder)) return checkpoint_config(folder, config, err);
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/model.toml", folder));
  if (!vlb_file_exists(path))
    return vlb_fail(err, VLB_USAGE, "%s: not the folder of a trained model (no model.toml in it, nor the config.json of LeRobot); 'vlabench train' makes one", folder);
  VLB_TRY(vlb_toml_read(path, &root, err));
  vlb_fields_default(vlb_model_fields, config);
  vlb_code code = vlb_fields_read(vlb_model_fields, config, root, err);
  vlb_toml_free(root);
  return code;
}

/* the robot's pictures go to the policy's cameras in their order, whatever both call them; said, because it changes results */
static vlb_code load_checkpoint(const char *folder, const vlb_model_config *config, const vlb_embodiment *robot, vlb_log *log, vlb_pretrained *p,
                                vlb_error *err) {
  vlb_checkpoint_folder f;
  VLB_TRY(vlb_checkpoint_folder_open(folder, log, &f, err));
  if (config->cameras > f.config.camera_count) {
    vlb_checkpoint_folder_close(&f);
    return vlb_fail(err, VLB_USAGE, "%s: the policy has %d cameras, model.cameras = %lld", folder, f.config.camera_count, (long long)config->cameras);
  }
  for (int i = 0; robot && i < config->cameras && i < robot->cameras; i++)
    vlb_info(log, "%s of the robot %s is %s of the policy", robot->camera[i], robot->name, f.config.cameras[i]);
  f.config.model = *config;
  vlb_code code = vlb_pretrained_load(&f, folder, NULL, log, p, err);
  vlb_checkpoint_folder_close(&f);
  return code;
}

static vlb_code load_own(const char *folder, const vlb_model_config *config, const vlb_train_config *untrained, const vlb_embodiment *robot,
                         vlb_pretrained *p, vlb_error *err) {
  char path[1024];
  for (int i = 0; robot && i < robot->cameras; i++) snprintf(p->cameras[i], sizeof p->cameras[i], "observation.images.%s", robot->camera[i]);
  if (untrained) {
    VLB_TRY(vlb_train_begin(config, untrained, &p->model, err));
  } else {
    VLB_TRY(vlb_model_create(config, &p->model, err));
    VLB_TRY(vlb_path(path, sizeof path, err, "%s/model.safetensors", folder));
    VLB_TRY(vlb_model_load(p->model, path, err));
  }
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/statistics.safetensors", folder));
  VLB_TRY(vlb_stats_load(path, &p->state, &p->action, err));
  return vlb_tokenizer_micro(&p->tokenizer, err);
}

vlb_code vlb_model_folder_load(const char *folder, const vlb_model_config *config, const vlb_train_config *untrained, const vlb_embodiment *robot,
                               vlb_log *log, vlb_pretrained *p, vlb_error *err) {
  vlb_code code = vlb_model_folder_is_checkpoint(folder) ? load_checkpoint(folder, config, robot, log, p, err)
                                                         : load_own(folder, config, untrained, robot, p, err);
  if (code) vlb_pretrained_free(p);
  return code;
}

/* One policy per worker, then all episodes. A large policy (one with inference options) is one, whose packed weights are there once and which
 * has all the threads to itself. */
static vlb_code roll_out(const vlb_policy_source *source, const vlb_rollout_config *eval, const vlb_suite *suite, const char *label,
                         vlb_episode_result *results, const vlb_context *given, vlb_error *err) {
  const vlb_context alone = {.log = given->log, .threads = 1, .stop = given->stop}, *ctx = source->inference ? &alone : given;
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

vlb_code vlb_model_folder_eval(const char *folder, const vlb_model_config *config, const vlb_train_config *untrained,
                               const vlb_rollout_config *eval, const vlb_suite *suite, const char *label, vlb_episode_result *results,
                               const vlb_context *ctx, vlb_error *err) {
  vlb_inference_options inference = {.threads = ctx->threads, .precision = (vlb_precision)eval->precision};
  vlb_ranges ranges = {NULL, 0};
  vlb_policy_source source = {.embodiment = suite->embodiment, .seed = (uint64_t)eval->seed,
                              .inference = vlb_model_folder_is_checkpoint(folder) || eval->precision ? &inference : NULL};
  vlb_code code = vlb_model_folder_load(folder, config, untrained, suite->embodiment, ctx->log, &source.trained, err);
  if (!code && vlb_control_is_plain(&eval->control) && !eval->precision) vlb_model_leave_out_unexecuted(&source.trained.model->config);
  if (!code) code = vlb_ranges_prepare(&source.trained, inference.precision, NULL, ctx->threads, NULL, 0, ctx->log, &ranges, err);
  inference.ranges = ranges.top;
  inference.range_count = ranges.count;
  if (!code) code = roll_out(&source, eval, suite, label, results, ctx, err);
  if (!code) code = check_complete(results, suite->task_count * (int)eval->episodes_per_task, err);
  vlb_pretrained_free(&source.trained);
  vlb_ranges_free(&ranges);
  return code;
}
