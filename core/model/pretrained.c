#include "core/model/pretrained.h"

#include <string.h>

#include "core/base/file.h"
#include "core/base/json.h"

vlb_code vlb_checkpoint_folder_open(const char *dir, vlb_log *log, vlb_checkpoint_folder *out, vlb_error *err) {
  char path[1024];
  memset(out, 0, sizeof *out);
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/config.json", dir));
  if (!vlb_file_exists(path)) return vlb_fail(err, VLB_USAGE, "%s: not a checkpoint directory of LeRobot (no config.json in it)", dir);
  VLB_TRY(vlb_lerobot_config_read(path, &out->config, err));
  VLB_TRY(vlb_shards_open(dir, &out->shards, err));
  vlb_lerobot_config *c = &out->config;
  int state = c->state_dim ? c->state_dim : (int)c->model.max_state_dim;
  vlb_code code = vlb_processors_read(dir, out->shards, state, (int)c->model.action_dim, log, &out->processors, err);
  if (code) {
    vlb_checkpoint_folder_close(out);
    return code;
  }
  if (out->processors.max_length) c->model.tokenizer_max_length = out->processors.max_length;
  if (!vlb_lerobot_find(dir, c->vlm, "tokenizer.json", out->tokenizer, sizeof out->tokenizer)) out->tokenizer[0] = 0;
  return VLB_OK;
}

void vlb_checkpoint_folder_close(vlb_checkpoint_folder *f) {
  vlb_shards_close(f->shards);
  f->shards = NULL;
}

static int find_camera(const vlb_checkpoint_folder *f, const char *name) {
  for (int i = 0; i < f->processors.renames; i++)
    if (!strcmp(f->processors.from[i], name)) return vlb_lerobot_camera(&f->config, f->processors.to[i]);
  return vlb_lerobot_camera(&f->config, name);
}

static vlb_code unknown_camera(const vlb_lerobot_config *c, const char *name, vlb_error *err) {
  char list[640] = "";
  for (int i = 0; i < c->camera_count; i++) {
    size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", c->cameras[i]);
  }
  return vlb_fail(err, VLB_USAGE, "the policy has no camera '%s'; it has %s", name, list);
}

vlb_code vlb_checkpoint_folder_cameras(vlb_checkpoint_folder *f, const char *const *names, int n, int *index, vlb_error *err) {
  vlb_lerobot_config *c = &f->config;
  int given[VLB_LEROBOT_CAMERAS], place = 0;
  for (int i = 0; i < c->camera_count; i++) given[i] = -1;
  for (int i = 0; i < n; i++) {
    int camera = find_camera(f, names[i]);
    if (camera < 0) return unknown_camera(c, names[i], err);
    if (given[camera] >= 0) return vlb_fail(err, VLB_USAGE, "camera '%s' is given twice", names[i]);
    given[camera] = i;
  }
  if (!n) return vlb_fail(err, VLB_USAGE, "the policy needs a picture of at least one of its cameras");
  for (int i = 0; i < c->camera_count; i++) {
    if (given[i] < 0) continue;
    if (place != i) memcpy(c->cameras[place], c->cameras[i], sizeof c->cameras[i]);
    index[given[i]] = place++;
  }
  int missing = c->camera_count - place;
  if (c->model.empty_cameras > missing) c->model.empty_cameras = missing;
  c->model.cameras = c->camera_count = place;
  return VLB_OK;
}

/* tokenizer_config.json beside the tokenizer says which end of a long prompt is cut; transformers' default is the right one */
static vlb_code read_truncation(const char *path, vlb_tokenizer *tok, vlb_error *err) {
  char beside[1024];
  json_t *root;
  size_t folder = strrchr(path, '/') ? (size_t)(strrchr(path, '/') - path) : 0;
  VLB_TRY(vlb_path(beside, sizeof beside, err, "%.*s%stokenizer_config.json", (int)folder, path, folder ? "/" : ""));
  if (!vlb_file_exists(beside)) return VLB_OK;
  VLB_TRY(vlb_json_open(beside, &root, err));
  vlb_json r = {beside, err, VLB_OK};
  vlb_tokenizer_keep_start(tok, strcmp(vlb_json_text(&r, root, "truncation_side", "right"), "left"));
  json_decref(root);
  return r.code;
}

static vlb_code load_tokenizer(const vlb_checkpoint_folder *f, const char *path, vlb_tokenizer **tok, vlb_error *err) {
  if (!path) path = f->tokenizer;
  if (!*path)
    return vlb_fail(err, VLB_USAGE, "no tokenizer.json in the checkpoint; put the one of %s into its folder vlm, or name it with --tokenizer", f->config.vlm);
  VLB_TRY(vlb_tokenizer_open(path, tok, err));
  if (vlb_tokenizer_vocab(*tok) > f->config.model.vocab_size)
    return vlb_fail(err, VLB_USAGE, "%s has ids up to %d, but the model's vocabulary has %lld rows", path, vlb_tokenizer_vocab(*tok) - 1,
                    (long long)f->config.model.vocab_size);
  return read_truncation(path, *tok, err);
}

/* the ids of the tokens around pictures are the tokenizer's */
static void find_special(const vlb_tokenizer *tok, vlb_model_config *c) {
  int fake = vlb_tokenizer_added(tok, "<fake_token_around_image>"), global = vlb_tokenizer_added(tok, "<global-img>");
  if (fake >= 0) c->fake_image_token = fake;
  if (global >= 0) c->global_image_token = global;
}

vlb_code vlb_checkpoint_folder_tokenizer(vlb_checkpoint_folder *f, const char *tokenizer, vlb_tokenizer **out, vlb_error *err) {
  VLB_TRY(load_tokenizer(f, tokenizer, out, err));
  find_special(*out, &f->config.model);
  return VLB_OK;
}

vlb_code vlb_pretrained_load(vlb_checkpoint_folder *f, const char *dir, const char *tokenizer, vlb_log *log, vlb_pretrained *out, vlb_error *err) {
  memset(out, 0, sizeof *out);
  vlb_code code = vlb_checkpoint_folder_tokenizer(f, tokenizer, &out->tokenizer, err);
  if (!code) {
    vlb_shards *shards = f->shards;
    f->shards = NULL;
    code = vlb_model_map(&f->config.model, shards, dir, log, &out->model, err);
  }
  out->state = f->processors.state;
  out->action = f->processors.action;
  memcpy(out->cameras, f->config.cameras, sizeof out->cameras);
  if (code) vlb_pretrained_free(out);
  return code;
}

void vlb_pretrained_free(vlb_pretrained *p) {
  vlb_model_free(p->model);
  vlb_tokenizer_free(p->tokenizer);
  memset(p, 0, sizeof *p);
}
