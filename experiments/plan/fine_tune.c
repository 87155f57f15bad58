#include "experiments/plan/fine_tune.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/data/episodes.h"
#include "core/model/fresh.h"
#include "core/model/lerobot_write.h"
#include "core/model/pretrained.h"
#include "core/train/cache_file.h"
#include "core/train/trainer.h"
#include "experiments/plan/demo_files.h"

struct vlb_fine_tune {
  const char *checkpoint, *out;
  bool fresh;                   /* a stand-alone VLM */
  vlb_checkpoint_folder folder; /* of a policy; of a VLM, config.model alone */
  vlb_tokenizer *tokenizer;
  vlb_demo_files files;
  vlb_dtype dtype;
};

/* ---- what it begins with ---- */

static vlb_code open_vlm(vlb_fine_tune *t, const char *tokenizer, vlb_error *err) {
  char path[1024];
  VLB_TRY(vlb_fresh_config(t->checkpoint, &t->folder.config.model, err));
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/tokenizer.json", t->checkpoint));
  if (!tokenizer && !vlb_file_exists(path)) return vlb_fail(err, VLB_USAGE, "%s: not there; name one with --tokenizer", path);
  return vlb_tokenizer_open(tokenizer ? tokenizer : path, &t->tokenizer, err);
}

static vlb_code open_policy(vlb_fine_tune *t, const char *tokenizer, vlb_log *log, vlb_error *err) {
  VLB_TRY(vlb_checkpoint_folder_open(t->checkpoint, log, &t->folder, err));
  return vlb_checkpoint_folder_tokenizer(&t->folder, tokenizer, &t->tokenizer, err);
}

static vlb_code robot_of(const vlb_demo_files *files, const vlb_embodiment **robot, vlb_error *err) {
  vlb_episode_file *file;
  VLB_TRY(vlb_episodes_open(files->path[0], &file, err));
  *robot = vlb_episodes_info(file)->embodiment;
  vlb_episodes_close(file);
  return VLB_OK;
}

/* A robot's pictures go to the policy's cameras in their order, as in evaluation; the policy's other cameras are absent. */
static vlb_code fit_to(vlb_fine_tune *t, const vlb_embodiment *robot, vlb_log *log, vlb_error *err) {
  vlb_lerobot_config *c = &t->folder.config;
  if (t->fresh) c->model.cameras = robot->cameras;
  if (c->model.cameras < robot->cameras)
    return vlb_fail(err, VLB_USAGE, "%s: the policy has %lld cameras, but the robot %s shows %d pictures", t->checkpoint, (long long)c->model.cameras, robot->name,
                    robot->cameras);
  int64_t absent = c->model.cameras - robot->cameras;
  if (c->model.empty_cameras > absent && !t->fresh) c->model.empty_cameras = absent;
  c->model.cameras = robot->cameras;
  if (!t->fresh) c->camera_count = robot->cameras;
  for (int i = 0; i < c->camera_count; i++) vlb_info(log, "%s of the robot %s is %s of the policy", robot->camera[i], robot->name, c->cameras[i]);
  if (c->model.action_dim != robot->action_dim && !t->fresh)
    vlb_info(log, "the policy's actions have %lld numbers, those of the robot %s %d: from now on %d", (long long)c->model.action_dim, robot->name, robot->action_dim,
             robot->action_dim);
  c->model.action_dim = robot->action_dim;
  return VLB_OK;
}

vlb_code vlb_fine_tune_open(const char *checkpoint, const char *tokenizer, const char *const *demos, int demo_count, vlb_log *log,
                            vlb_fine_tune **out, vlb_error *err) {
  const vlb_embodiment *robot = NULL;
  vlb_fine_tune *t = *out = calloc(1, sizeof *t);
  if (!t) return vlb_fail(err, VLB_FAILED, "out of memory");
  t->checkpoint = checkpoint;
  t->fresh = vlb_is_stand_alone_vlm(checkpoint);
  vlb_code code = vlb_demo_files_find(demos, demo_count, &t->files, err);
  if (!code) code = robot_of(&t->files, &robot, err);
  if (!code) code = t->fresh ? open_vlm(t, tokenizer, err) : open_policy(t, tokenizer, log, err);
  if (!code) code = fit_to(t, robot, log, err);
  if (!code) return VLB_OK;
  vlb_fine_tune_close(t);
  *out = NULL;
  return code;
}

void vlb_fine_tune_close(vlb_fine_tune *t) {
  if (!t) return;
  if (!t->fresh) vlb_checkpoint_folder_close(&t->folder);
  vlb_tokenizer_free(t->tokenizer);
  vlb_demo_files_forget(&t->files);
  free(t);
}

vlb_model_config *vlb_fine_tune_model(vlb_fine_tune *t) { return &t->folder.config.model; }

static vlb_code begin(vlb_fine_tune *t, uint64_t seed, vlb_model **model, vlb_error *err) {
  const vlb_model_config *config = &t->folder.config.model;
  if (t->fresh) return vlb_fresh_model(t->checkpoint, config, seed, model, err);
  vlb_shards *shards = t->folder.shards;
  t->folder.shards = NULL;
  return vlb_model_begin(config, seed, shards, false, t->checkpoint, model, err);
}

/* ---- how it ends ---- */

static vlb_code publish(const vlb_trainer *r, vlb_error *err) {
  const vlb_fine_tune *t = r->own;
  const vlb_train_config *c = r->config;
  vlb_lerobot_training training = {.lr = c->lr, .beta1 = c->beta1, .beta2 = c->beta2, .eps = c->eps, .weight_decay = c->weight_decay, .grad_clip = c->grad_clip,
                                   .decay_lr = c->decay_lr, .warmup_steps = c->warmup_steps, .decay_steps = c->decay_steps};
  vlb_lerobot_output output = {.model = r->model, .state = &r->data->state_stats, .action = &r->data->action_stats, .height = r->data->size,
                               .width = r->data->size, .dtype = t->dtype, .training = &training};
  if (t->fresh) {
    output.vlm_folder = t->checkpoint;
  } else {
    output.base = t->checkpoint;
    output.cameras = t->folder.config.cameras;
    output.camera_count = t->folder.config.camera_count;
  }
  return vlb_lerobot_write(&output, t->out, err);
}

static vlb_code train(vlb_fine_tune *t, vlb_model *model, const vlb_train_config *config, const vlb_dataset *data, const char *work, const char *cache,
                      const vlb_context *ctx, vlb_error *err) {
  vlb_trainer r;
  vlb_train_job job = vlb_policy_job;
  job.publish = publish;
  vlb_code code = vlb_trainer_open(&r, model, config, data, work, cache, ctx, err);
  r.job = &job;
  r.own = t;
  if (!code) code = vlb_trainer_run(&r, "train", err);
  vlb_trainer_close(&r);
  return code;
}

/* the curve goes with the weights; the folder goes when nothing else is in it */
static vlb_code clear(const char *work, const char *out, const char *own_cache, vlb_error *err) {
  char from[1024], to[1024];
  VLB_TRY(vlb_path(from, sizeof from, err, "%s/loss.csv", work));
  VLB_TRY(vlb_path(to, sizeof to, err, "%s/loss.csv", out));
  if (rename(from, to)) return vlb_fail(err, VLB_FAILED, "%s: cannot be moved to %s: %s", from, out, strerror(errno));
  if (own_cache) vlb_cache_folder_remove(own_cache);
  (void)rmdir(work);
  return VLB_OK;
}

vlb_code vlb_fine_tune_run(vlb_fine_tune *t, const vlb_train_config *config, const char *out, const char *cache, vlb_dtype dtype,
                           const vlb_context *ctx, vlb_error *err) {
  char work[1024], own_cache[1024];
  vlb_model *model = NULL;
  vlb_dataset *data = NULL;
  t->out = out;
  t->dtype = dtype;
  VLB_TRY(vlb_path(work, sizeof work, err, "%s.training", out));
  VLB_TRY(vlb_path(own_cache, sizeof own_cache, err, "%s/prefix_cache", work));
  vlb_code code = vlb_dataset_load_with(t->tokenizer, &t->folder.config.model, t->files.path, t->files.count, ctx, &data, err);
  if (!code) code = begin(t, (uint64_t)config->seed, &model, err);
  if (!code) {
    vlb_info(ctx->log, "%.1f million weights are trained, on %lld frames", 1e-6 * (double)model->gradient_count, (long long)vlb_dataset_frames(data));
    code = train(t, model, config, data, work, cache ? cache : own_cache, ctx, err);
  }
  if (!code) code = clear(work, out, cache ? NULL : own_cache, err);
  vlb_model_free(model);
  vlb_dataset_free(data);
  return code;
}
