#include "core/model/lerobot.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

/* A reader that remembers the first failure, so that a list of fields stays a list. */
typedef struct {
  const char *path;
  vlb_error *err;
  vlb_code code;
} reader;

static void complain(reader *r, const char *key, const char *what) {
  if (!r->code) r->code = vlb_fail(r->err, VLB_FAILED, "%s: key %s: %s", r->path, key, what);
}

static double number(reader *r, const json_t *object, const char *key, const double *fallback) {
  const json_t *v = json_object_get(object, key);
  if ((!v || json_is_null(v)) && fallback) return *fallback;
  if (json_is_number(v)) return json_number_value(v);
  complain(r, key, v ? "must be a number" : "is missing");
  return 0;
}
static double real_or(reader *r, const json_t *o, const char *key, double fallback) { return number(r, o, key, &fallback); }

static int64_t whole(reader *r, const json_t *object, const char *key, const int64_t *fallback) {
  const json_t *v = json_object_get(object, key);
  if ((!v || json_is_null(v)) && fallback) return *fallback;
  if (json_is_integer(v)) return json_integer_value(v);
  complain(r, key, v ? "must be a whole number" : "is missing");
  return 0;
}
static int64_t int_or(reader *r, const json_t *o, const char *key, int64_t fallback) { return whole(r, o, key, &fallback); }
static int64_t required(reader *r, const json_t *o, const char *key) { return whole(r, o, key, NULL); }

static bool flag_or(reader *r, const json_t *object, const char *key, bool fallback) {
  const json_t *v = json_object_get(object, key);
  if (!v || json_is_null(v)) return fallback;
  if (!json_is_boolean(v)) complain(r, key, "must be true or false");
  return json_is_true(v);
}

static int64_t positive(int64_t value, int64_t otherwise) { return value > 0 ? value : otherwise; }

/* the meanings of 0 and -1: all layers, as many as the VLM, no self-attention layers */
static void read_switches(reader *r, const json_t *o, vlb_model_config *c) {
  const json_t *mode = json_object_get(o, "attention_mode");
  if (mode && !json_is_string(mode)) complain(r, "attention_mode", "must be a string");
  bool cross = !mode || (json_is_string(mode) && strstr(json_string_value(mode), "cross"));
  int64_t every = int_or(r, o, "self_attn_every_n_layers", 2);
  c->attention = !cross ? VLB_ATTENTION_SELF : every > 0 ? VLB_ATTENTION_INTERLEAVED : VLB_ATTENTION_CROSS;
  c->self_attn_every = positive(every, 2);
  c->num_vlm_layers = positive(int_or(r, o, "num_vlm_layers", 16), 0);
  c->num_expert_layers = positive(int_or(r, o, "num_expert_layers", -1), 0);
  c->expert_width = real_or(r, o, "expert_width_multiplier", 0.75);
  bool expert_only = flag_or(r, o, "train_expert_only", true), freeze_vision = flag_or(r, o, "freeze_vision_encoder", true);
  c->freeze = expert_only ? VLB_FREEZE_VLM : freeze_vision ? VLB_FREEZE_VISION : VLB_FREEZE_NOTHING;
  c->train_state_proj = flag_or(r, o, "train_state_proj", true);
  c->chunk_size = int_or(r, o, "chunk_size", 50);
  c->n_action_steps = int_or(r, o, "n_action_steps", 50);
  c->num_steps = int_or(r, o, "num_steps", 10);
  c->max_state_dim = int_or(r, o, "max_state_dim", 32);
  c->max_action_dim = int_or(r, o, "max_action_dim", 32);
  c->empty_cameras = int_or(r, o, "empty_cameras", 0);
  c->prefix_length = int_or(r, o, "prefix_length", -1);
  c->add_image_special_tokens = flag_or(r, o, "add_image_special_tokens", false);
  c->min_period = real_or(r, o, "min_period", 4e-3);
  c->max_period = real_or(r, o, "max_period", 4.0);
}

static void read_sizes(reader *r, const json_t *o, vlb_model_config *c) {
  const json_t *vlm = json_object_get(o, "tiny_vlm"), *text = json_object_get(vlm, "text"), *vision = json_object_get(vlm, "vision");
  if (!vlm || !text || !vision) {
    complain(r, "tiny_vlm", "must hold the sizes of text and vision");
    return;
  }
  c->text_hidden = required(r, text, "hidden_size");
  c->text_mlp = required(r, text, "intermediate_size");
  c->text_layers = required(r, text, "num_hidden_layers");
  c->text_heads = required(r, text, "num_attention_heads");
  c->text_kv_heads = required(r, text, "num_key_value_heads");
  c->head_dim = required(r, text, "head_dim");
  c->rms_eps = real_or(r, text, "rms_norm_eps", 1e-5);
  c->vocab_size = required(r, text, "vocab_size");
  c->vision_hidden = required(r, vision, "hidden_size");
  c->vision_mlp = required(r, vision, "intermediate_size");
  c->vision_layers = required(r, vision, "num_hidden_layers");
  c->vision_heads = required(r, vision, "num_attention_heads");
  c->vision_eps = real_or(r, vision, "layer_norm_eps", 1e-6);
  c->image_size = required(r, vision, "image_size");
  c->patch_size = required(r, vision, "patch_size");
  c->scale_factor = required(r, vlm, "scale_factor");
  c->fake_image_token = int_or(r, vlm, "fake_image_token_id", 0);
  c->global_image_token = int_or(r, vlm, "global_image_token_id", 0);
}

static void read_cameras(reader *r, const json_t *o, vlb_reference_config *out) {
  const json_t *list = json_object_get(o, "image_features");
  size_t n = json_array_size(list);
  if (!json_is_array(list) || !n || n > VLB_LEROBOT_CAMERAS) complain(r, "image_features", "must list 1 to 16 cameras");
  for (size_t i = 0; i < n && i < VLB_LEROBOT_CAMERAS && !r->code; i++) {
    const char *name = json_string_value(json_array_get(list, i));
    if (!name || strlen(name) >= sizeof out->cameras[i])
      complain(r, "image_features", "must list names");
    else
      strcpy(out->cameras[i], name);
  }
  out->camera_count = (int)n;
  out->model.cameras = (int64_t)n;
}

static void read_probe(reader *r, const json_t *o, vlb_reference_config *out) {
  const json_t *probe = json_object_get(o, "train_probe");
  if (!probe) return;
  out->warmup = required(r, probe, "warmup");
  out->decay = required(r, probe, "decay");
  out->steps = required(r, probe, "steps");
  out->peak_lr = number(r, probe, "peak_lr", NULL);
  out->alpha = number(r, probe, "alpha", NULL);
  out->clip = number(r, probe, "clip", NULL);
}

static void read_all(reader *r, const json_t *o, vlb_reference_config *out) {
  memset(out, 0, sizeof *out);
  vlb_fields_default(vlb_model_fields, &out->model);
  read_switches(r, o, &out->model);
  read_sizes(r, o, &out->model);
  read_cameras(r, o, out);
  read_probe(r, o, out);
  out->model.action_dim = required(r, o, "action_dim");
  if (!r->code && vlb_fields_check(vlb_model_fields, &out->model, r->err)) r->code = vlb_fail_at(r->err, "%s", r->path);
}

vlb_code vlb_reference_config_read(const char *path, vlb_reference_config *out, vlb_error *err) {
  char *text;
  size_t size;
  json_error_t problem;
  VLB_TRY(vlb_file_read(path, &text, &size, err));
  json_t *o = json_loadb(text, size, 0, &problem);
  free(text);
  if (!o) return vlb_fail(err, VLB_FAILED, "%s:%d: %s", path, problem.line, problem.text);
  reader r = {path, err, VLB_OK};
  read_all(&r, o, out);
  json_decref(o);
  return r.code;
}
