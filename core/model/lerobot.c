#include "core/model/lerobot.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/json.h"

static int64_t positive(int64_t value, int64_t otherwise) { return value > 0 ? value : otherwise; }

/* the meanings of 0 and -1: all layers, as many as the VLM, no self-attention layers */
static void read_switches(vlb_json *r, const json_t *o, vlb_model_config *c) {
  bool cross = strstr(vlb_json_text(r, o, "attention_mode", "cross_attn"), "cross");
  int64_t every = vlb_json_int(r, o, "self_attn_every_n_layers", 2);
  c->attention = !cross ? VLB_ATTENTION_SELF : every > 0 ? VLB_ATTENTION_INTERLEAVED : VLB_ATTENTION_CROSS;
  c->self_attn_every = positive(every, 2);
  c->num_vlm_layers = positive(vlb_json_int(r, o, "num_vlm_layers", 16), 0);
  c->num_expert_layers = positive(vlb_json_int(r, o, "num_expert_layers", -1), 0);
  c->expert_width = vlb_json_real(r, o, "expert_width_multiplier", 0.75);
  bool expert_only = vlb_json_flag(r, o, "train_expert_only", true), freeze_vision = vlb_json_flag(r, o, "freeze_vision_encoder", true);
  c->freeze = expert_only ? VLB_FREEZE_VLM : freeze_vision ? VLB_FREEZE_VISION : VLB_FREEZE_NOTHING;
  c->train_state_proj = vlb_json_flag(r, o, "train_state_proj", true);
  c->chunk_size = vlb_json_int(r, o, "chunk_size", 50);
  c->n_action_steps = vlb_json_int(r, o, "n_action_steps", 50);
  c->num_steps = vlb_json_int(r, o, "num_steps", 10);
  c->max_state_dim = vlb_json_int(r, o, "max_state_dim", 32);
  c->max_action_dim = vlb_json_int(r, o, "max_action_dim", 32);
  c->empty_cameras = vlb_json_int(r, o, "empty_cameras", 0);
  c->tokenizer_max_length = vlb_json_int(r, o, "tokenizer_max_length", 48);
  c->prefix_length = vlb_json_int(r, o, "prefix_length", -1);
  c->add_image_special_tokens = vlb_json_flag(r, o, "add_image_special_tokens", false);
  c->min_period = vlb_json_real(r, o, "min_period", 4e-3);
  c->max_period = vlb_json_real(r, o, "max_period", 4.0);
}

/* what would change the result and is not done here must not pass in silence */
static void refuse(vlb_json *r, const json_t *o) {
  const char *type = vlb_json_text(r, o, "type", "smolvla");
  if (strcmp(type, "smolvla")) vlb_json_complain(r, "type", "is not smolvla; this program runs SmolVLA policies only");
  if (vlb_json_flag(r, o, "adapt_to_pi_aloha", false)) vlb_json_complain(r, "adapt_to_pi_aloha", "true is not supported");
  if (vlb_json_flag(r, o, "use_delta_joint_actions_aloha", false))
    vlb_json_complain(r, "use_delta_joint_actions_aloha", "true is not supported, nor by LeRobot");
}

/* ---- sizes of the VLM ---- */

/* transformers' names; a vision tower says what differs from its class' defaults only */
static void read_sizes(vlb_json *r, const json_t *text, const json_t *vision, vlb_model_config *c) {
  c->text_hidden = vlb_json_need_int(r, text, "hidden_size");
  c->text_mlp = vlb_json_need_int(r, text, "intermediate_size");
  c->text_layers = vlb_json_need_int(r, text, "num_hidden_layers");
  c->text_heads = vlb_json_need_int(r, text, "num_attention_heads");
  c->text_kv_heads = vlb_json_int(r, text, "num_key_value_heads", c->text_heads);
  c->head_dim = vlb_json_int(r, text, "head_dim", c->text_heads ? c->text_hidden / c->text_heads : 0);
  c->rms_eps = vlb_json_real(r, text, "rms_norm_eps", 1e-5);
  c->vocab_size = vlb_json_need_int(r, text, "vocab_size");
  c->vision_hidden = vlb_json_int(r, vision, "hidden_size", 1152);
  c->vision_mlp = vlb_json_int(r, vision, "intermediate_size", 3072);
  c->vision_layers = vlb_json_int(r, vision, "num_hidden_layers", 12);
  c->vision_heads = vlb_json_int(r, vision, "num_attention_heads", 16);
  c->vision_eps = vlb_json_real(r, vision, "layer_norm_eps", 1e-6);
  c->image_size = vlb_json_int(r, vision, "image_size", 224);
  c->patch_size = vlb_json_int(r, vision, "patch_size", 32);
}

static void read_vlm_object(vlb_json *r, const json_t *vlm, const char *text, const char *vision, vlb_model_config *c) {
  const json_t *t = json_object_get(vlm, text), *v = json_object_get(vlm, vision);
  if (!t || !v) {
    vlb_json_complain(r, !t ? text : vision, "is missing: the sizes of the VLM");
    return;
  }
  read_sizes(r, t, v, c);
  c->scale_factor = vlb_json_int(r, vlm, "scale_factor", 2);
}

static void read_vlm_file(vlb_json *r, const char *path, vlb_model_config *c) {
  json_t *o;
  if (r->code || (r->code = vlb_json_open(path, &o, r->err))) return;
  vlb_json file = {path, r->err, VLB_OK};
  read_vlm_object(&file, o, "text_config", "vision_config", c);
  json_decref(o);
  r->code = file.code;
}

vlb_code vlb_lerobot_vlm_read(const char *path, vlb_model_config *config, vlb_error *err) {
  vlb_json r = {path, err, VLB_OK};
  read_vlm_file(&r, path, config);
  return r.code;
}

/* SmolVLM2 by name (specification section 3) */
static bool known_vlm(const char *name, vlb_model_config *c) {
  c->rms_eps = 1e-5, c->vision_eps = 1e-6, c->vocab_size = 49280, c->head_dim = 64;
  c->vision_hidden = 768, c->vision_mlp = 3072, c->vision_layers = 12, c->vision_heads = 12;
  c->image_size = 512, c->patch_size = 16, c->scale_factor = 4;
  c->fake_image_token = 49189, c->global_image_token = 49152;
  if (strstr(name, "SmolVLM") && strstr(name, "256M")) {
    c->text_hidden = 576, c->text_mlp = 1536, c->text_layers = 30, c->text_heads = 9, c->text_kv_heads = 3;
  } else if (strstr(name, "SmolVLM") && strstr(name, "500M")) {
    c->text_hidden = 960, c->text_mlp = 2560, c->text_layers = 32, c->text_heads = 15, c->text_kv_heads = 5;
  } else if (strstr(name, "SmolVLM") && strstr(name, "2.2B")) {
    c->text_hidden = 2048, c->text_mlp = 8192, c->text_layers = 24, c->text_heads = 32, c->text_kv_heads = 32;
    c->vision_hidden = 1152, c->vision_mlp = 4304, c->vision_layers = 27, c->vision_heads = 16;
    c->image_size = 384, c->patch_size = 14, c->scale_factor = 3;
  } else {
    return false;
  }
  return true;
}

bool vlb_lerobot_find(const char *folder, const char *vlm, const char *name, char *path, size_t size) {
  const char *inside[] = {vlm, "vlm", "tokenizer", "."};
  for (int i = 0; i < 4; i++)
    if (!vlb_path(path, size, NULL, "%s/%s/%s", folder, inside[i], name) && vlb_file_exists(path)) return true;
  return !vlb_path(path, size, NULL, "%s/%s", vlm, name) && vlb_file_exists(path);
}

static void read_vlm(vlb_json *r, const json_t *o, const char *folder, vlb_lerobot_config *out) {
  char path[1024];
  const json_t *tiny = json_object_get(o, "tiny_vlm");
  const char *name = vlb_json_text(r, o, "vlm_model_name", "HuggingFaceTB/SmolVLM2-500M-Video-Instruct");
  vlb_model_config *c = &out->model;
  snprintf(out->vlm, sizeof out->vlm, "%s", name);
  if (tiny) {
    read_vlm_object(r, tiny, "text", "vision", c);
    c->fake_image_token = vlb_json_int(r, tiny, "fake_image_token_id", 0);
    c->global_image_token = vlb_json_int(r, tiny, "global_image_token_id", 0);
  } else if (!vlb_path(path, sizeof path, NULL, "%s/%s/config.json", folder, name) && vlb_file_exists(path)) {
    read_vlm_file(r, path, c);
  } else if (!vlb_path(path, sizeof path, NULL, "%s/vlm/config.json", folder) && vlb_file_exists(path)) {
    read_vlm_file(r, path, c);
  } else if (!known_vlm(name, c)) {
    vlb_json_complain(r, "vlm_model_name", "is not SmolVLM2 256M, 500M or 2.2B; put that model's config.json into the folder vlm of the checkpoint");
  }
}

/* ---- features ---- */

/* shape: (3, height, width), for the record */
static void add_camera(vlb_json *r, vlb_lerobot_config *out, const char *name, const json_t *shape) {
  if (!name || strlen(name) >= VLB_LEROBOT_NAME || out->camera_count == VLB_LEROBOT_CAMERAS) {
    vlb_json_complain(r, "image features", "must be 1 to 16 names of at most 127 bytes");
    return;
  }
  for (size_t i = 0; i < 2; i++) {
    json_int_t size = json_integer_value(json_array_get(shape, i + 1));
    out->camera_size[out->camera_count][i] = size > 0 && size < 1 << 20 ? (int)size : 0;
  }
  strcpy(out->cameras[out->camera_count++], name);
}

static int width_of(vlb_json *r, const json_t *feature, const char *key) {
  const json_t *shape = json_object_get(feature, "shape"), *n = json_array_get(shape, 0);
  json_int_t width = json_integer_value(n);
  if (json_array_size(shape) != 1 || width < 1 || width > 1 << 20) vlb_json_complain(r, key, "must have a shape of one size");
  return (int)width;
}

static void read_features(vlb_json *r, const json_t *o, vlb_lerobot_config *out) {
  const char *key;
  json_t *feature;
  json_object_foreach(json_object_get(o, "input_features"), key, feature) {
    if (!strcmp(vlb_json_text(r, feature, "type", ""), "VISUAL")) add_camera(r, out, key, json_object_get(feature, "shape"));
    if (!strcmp(key, "observation.state")) out->state_dim = width_of(r, feature, key);
  }
  const json_t *action = json_object_get(json_object_get(o, "output_features"), "action");
  if (!action) vlb_json_complain(r, "output_features", "has no action");
  out->model.action_dim = width_of(r, action, "action");
}

/* a reference case lists its cameras and says action_dim */
static void read_case(vlb_json *r, const json_t *o, vlb_lerobot_config *out) {
  const json_t *list = json_object_get(o, "image_features"), *probe = json_object_get(o, "train_probe");
  for (size_t i = 0; i < json_array_size(list) && !r->code; i++) add_camera(r, out, json_string_value(json_array_get(list, i)), NULL);
  out->model.action_dim = vlb_json_need_int(r, o, "action_dim");
  if (!probe) return;
  out->warmup = vlb_json_need_int(r, probe, "warmup");
  out->decay = vlb_json_need_int(r, probe, "decay");
  out->steps = vlb_json_need_int(r, probe, "steps");
  out->peak_lr = vlb_json_need_real(r, probe, "peak_lr");
  out->alpha = vlb_json_need_real(r, probe, "alpha");
  out->clip = vlb_json_need_real(r, probe, "clip");
}

/* (width, height), or null: pictures come as large as the vision tower wants them. The tower takes what it is given, also when it was made for another
 * size: its position table is then spread over the patches. */
static void read_resize(vlb_json *r, const json_t *o, vlb_lerobot_config *out) {
  const json_t *size = json_object_get(o, "resize_imgs_with_padding");
  out->resize = !json_is_null(size);
  json_int_t w = size ? json_integer_value(json_array_get(size, 0)) : 512, h = size ? json_integer_value(json_array_get(size, 1)) : 512;
  if (out->resize && (h != w || w < 1 || w > 8192)) vlb_json_complain(r, "resize_imgs_with_padding", "must be two equal sizes from 1 to 8192");
  if (out->resize) out->model.image_size = w;
}

static void read_all(vlb_json *r, const json_t *o, const char *folder, vlb_lerobot_config *out) {
  memset(out, 0, sizeof *out);
  vlb_fields_default(vlb_model_fields, &out->model);
  read_switches(r, o, &out->model);
  refuse(r, o);
  out->bfloat16 = vlb_json_flag(r, o, "load_vlm_weights", false) || vlb_json_flag(r, o, "use_amp", false);
  read_vlm(r, o, folder, out);
  if (json_object_get(o, "output_features"))
    read_features(r, o, out);
  else
    read_case(r, o, out);
  read_resize(r, o, out);
  if (!out->camera_count) vlb_json_complain(r, "input_features", "has no pictures (type VISUAL)");
  out->model.cameras = out->camera_count;
  if (!r->code && vlb_fields_check(vlb_model_fields, &out->model, r->err)) r->code = vlb_fail_at(r->err, "%s", r->path);
}

vlb_code vlb_lerobot_config_read(const char *path, vlb_lerobot_config *out, vlb_error *err) {
  json_t *o;
  char folder[1024];
  VLB_TRY(vlb_path(folder, sizeof folder, err, "%s", path));
  char *slash = strrchr(folder, '/');
  if (slash)
    *slash = 0;
  else
    strcpy(folder, ".");
  VLB_TRY(vlb_json_open(path, &o, err));
  vlb_json r = {path, err, VLB_OK};
  read_all(&r, o, folder, out);
  json_decref(o);
  return r.code;
}

int vlb_lerobot_camera(const vlb_lerobot_config *config, const char *name) {
  static const char prefix[] = "observation.images.";
  for (int i = 0; i < config->camera_count; i++) {
    const char *key = config->cameras[i], *end = strncmp(key, prefix, sizeof prefix - 1) ? key : key + sizeof prefix - 1;
    if (!strcmp(key, name) || !strcmp(end, name)) return i;
  }
  return -1;
}
