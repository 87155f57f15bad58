/* config.json of a policy in LeRobot's order of fields, and the configuration of the micro VLM as transformers wants it. */
#include <string.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/model/lerobot_parts.h"

/* Fields are set where they are absent or mean something else than in the base, so that a base keeps its own way of saying the same. */
typedef struct {
  json_t *o;
  const vlb_model_config *was; /* what the base's own values mean; NULL: there is no base */
} fields;

static void set(const fields *f, const char *key, bool same, json_t *value) {
  if (f->was && same && json_object_get(f->o, key))
    json_decref(value);
  else
    json_object_set_new(f->o, key, value);
}

static void set_default(const fields *f, const char *key, json_t *value) { set(f, key, true, value); }

#define SET_INT(f, key, member) set(f, key, (f)->was && (f)->was->member == c->member, json_integer(c->member))
#define SET_REAL(f, key, member) set(f, key, (f)->was && (f)->was->member == c->member, json_real(c->member))
#define SET_FLAG(f, key, member) set(f, key, (f)->was && (f)->was->member == c->member, json_boolean(c->member))

/* ---- features ---- */

static json_t *vector(const char *type, int width) { return json_pack("{s:s, s:[i]}", "type", type, "shape", width); }

static json_t *picture(const vlb_lerobot_output *out) {
  int side = (int)out->model->config.image_size;
  return json_pack("{s:s, s:[i, i, i]}", "type", "VISUAL", "shape", 3, out->height ? out->height : side, out->width ? out->width : side);
}

static json_t *new_inputs(const vlb_lerobot_output *out) {
  json_t *inputs = json_object();
  char name[VLB_LEROBOT_NAME];
  int count = out->cameras ? out->camera_count : (int)out->model->config.cameras;
  for (int i = 0; i < count; i++) {
    snprintf(name, sizeof name, "observation.images.camera%d", i + 1);
    json_object_set_new(inputs, out->cameras ? out->cameras[i] : name, picture(out));
  }
  return inputs;
}

static void set_features(const vlb_lerobot_writing *w, const fields *f) {
  int state = w->processors.state.dim, action = (int)w->out->model->config.action_dim;
  if (!w->base || w->out->cameras) json_object_set_new(f->o, "input_features", new_inputs(w->out));
  json_t *inputs = json_object_get(f->o, "input_features");
  if (!json_object_get(inputs, "observation.state") || w->base->config.state_dim != state)
    json_object_set_new(inputs, "observation.state", vector("STATE", state));
  set(f, "output_features", f->was && f->was->action_dim == action, json_pack("{s:o}", "action", vector("ACTION", action)));
}

/* ---- the rest ---- */

static void set_general(const fields *f) {
  static const char *const none[] = {"repo_id", "private", "tags", "license", "pretrained_path", "pretrained_revision"};
  set_default(f, "device", json_string("cpu"));
  set_default(f, "use_amp", json_false());
  set_default(f, "use_peft", json_false());
  set_default(f, "push_to_hub", json_false());
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) set_default(f, none[i], json_null());
}

static void set_shapes(const vlb_lerobot_writing *w, const fields *f, const vlb_model_config *c) {
  SET_INT(f, "chunk_size", chunk_size);
  SET_INT(f, "n_action_steps", n_action_steps);
  set(f, "normalization_mapping", w->base && !w->out->state, vlb_norm_map(&w->processors));
  SET_INT(f, "max_state_dim", max_state_dim);
  SET_INT(f, "max_action_dim", max_action_dim);
  set(f, "resize_imgs_with_padding", f->was && f->was->image_size == c->image_size, json_pack("[I, I]", (json_int_t)c->image_size, (json_int_t)c->image_size));
  /* a caller's model counts those that stand for absent cameras here and now, the base all that may */
  set(f, "empty_cameras", f->was != NULL, json_integer(c->empty_cameras));
  set_default(f, "adapt_to_pi_aloha", json_false());
  set_default(f, "use_delta_joint_actions_aloha", json_false());
  SET_INT(f, "tokenizer_max_length", tokenizer_max_length);
  SET_INT(f, "num_steps", num_steps);
  set_default(f, "use_cache", json_true());
}

static void set_training(const vlb_lerobot_writing *w, const fields *f, const vlb_model_config *c) {
  static const vlb_lerobot_training defaults = {1e-4, 0.9, 0.95, 1e-8, 1e-10, 10, 2.5e-6, 1000, 30000};
  const vlb_lerobot_training *t = w->out->training ? w->out->training : &defaults;
  bool same = !w->out->training, freeze = f->was && f->was->freeze == c->freeze;
  set(f, "freeze_vision_encoder", freeze, json_boolean(c->freeze != VLB_FREEZE_NOTHING));
  set(f, "train_expert_only", freeze, json_boolean(c->freeze == VLB_FREEZE_VLM));
  SET_FLAG(f, "train_state_proj", train_state_proj);
  set(f, "optimizer_lr", same, json_real(t->lr));
  set(f, "optimizer_betas", same, json_pack("[f, f]", t->beta1, t->beta2));
  set(f, "optimizer_eps", same, json_real(t->eps));
  set(f, "optimizer_weight_decay", same, json_real(t->weight_decay));
  set(f, "optimizer_grad_clip_norm", same, json_real(t->grad_clip));
  set(f, "scheduler_warmup_steps", same, json_integer(t->warmup_steps));
  set(f, "scheduler_decay_steps", same, json_integer(t->decay_steps));
  set(f, "scheduler_decay_lr", same, json_real(t->decay_lr));
}

/* the VLM of a model that skips layers holds the kept ones only */
static int64_t layers_of_vlm(const vlb_model_config *c, const vlb_model_shape *s) { return c->skip_every_second ? s->vlm_layers : c->text_layers; }

static void set_architecture(const vlb_lerobot_writing *w, const fields *f, const vlb_model_config *c) {
  bool attention = f->was && f->was->attention == c->attention && (c->attention != VLB_ATTENTION_INTERLEAVED || f->was->self_attn_every == c->self_attn_every);
  int64_t layers = c->skip_every_second ? w->out->model->shape.vlm_layers : c->num_vlm_layers;
  set(f, "vlm_model_name", false, json_string(w->vlm));
  set_default(f, "load_vlm_weights", json_false());
  SET_FLAG(f, "add_image_special_tokens", add_image_special_tokens);
  set(f, "attention_mode", attention, json_string(c->attention == VLB_ATTENTION_SELF ? "self_attn" : "cross_attn"));
  SET_INT(f, "prefix_length", prefix_length);
  set_default(f, "pad_language_to", json_string("max_length"));
  SET_INT(f, "num_expert_layers", num_expert_layers);
  set(f, "num_vlm_layers", f->was && f->was->num_vlm_layers == layers, json_integer(layers));
  set(f, "self_attn_every_n_layers", attention, json_integer(c->attention == VLB_ATTENTION_INTERLEAVED ? c->self_attn_every : 0));
  SET_REAL(f, "expert_width_multiplier", expert_width);
  SET_REAL(f, "min_period", min_period);
  SET_REAL(f, "max_period", max_period);
  set_default(f, "rtc_config", json_null());
  set_default(f, "compile_model", json_false());
  set_default(f, "compile_mode", json_string("max-autotune"));
}

/* the base's own file, or an empty object */
static json_t *begin(const vlb_lerobot_writing *w) {
  char path[1024];
  json_t *o;
  if (w->base && !vlb_path(path, sizeof path, NULL, "%s/config.json", w->out->base) && !vlb_json_open(path, &o, NULL)) return o;
  return json_object();
}

json_t *vlb_lerobot_config_json(const vlb_lerobot_writing *w) {
  const vlb_model_config *c = &w->out->model->config;
  fields f = {begin(w), w->base ? &w->base->config.model : NULL};
  set_default(&f, "type", json_string("smolvla"));
  set_default(&f, "n_obs_steps", json_integer(1));
  set_features(w, &f);
  set_general(&f);
  set_shapes(w, &f, c);
  set_training(w, &f, c);
  set_architecture(w, &f, c);
  return f.o;
}

/* ---- the micro VLM ---- */

static json_t *text_config(const vlb_model_config *c, const vlb_model_shape *s) {
  return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:s, s:i, s:b, s:b, s:b}", "model_type", "llama", "hidden_size",
                   (json_int_t)c->text_hidden, "intermediate_size", (json_int_t)c->text_mlp, "num_hidden_layers", (json_int_t)layers_of_vlm(c, s),
                   "num_attention_heads", (json_int_t)c->text_heads, "num_key_value_heads", (json_int_t)c->text_kv_heads, "head_dim",
                   (json_int_t)c->head_dim, "vocab_size", (json_int_t)c->vocab_size, "rms_norm_eps", c->rms_eps, "initializer_range",
                   c->initializer_range, "hidden_act", "silu", "max_position_embeddings", 8192, "attention_bias", 0, "mlp_bias", 0,
                   "tie_word_embeddings", 0);
}

static json_t *vision_config(const vlb_model_config *c) {
  return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:f, s:s}", "model_type", "smolvlm_vision", "hidden_size", (json_int_t)c->vision_hidden,
                   "intermediate_size", (json_int_t)c->vision_mlp, "num_hidden_layers", (json_int_t)c->vision_layers, "num_attention_heads",
                   (json_int_t)c->vision_heads, "image_size", (json_int_t)c->image_size, "patch_size", (json_int_t)c->patch_size, "num_channels", 3,
                   "layer_norm_eps", c->vision_eps, "hidden_act", "gelu_pytorch_tanh");
}

static vlb_code write_in(const char *folder, const char *name, json_t *root, vlb_error *err) {
  char path[1024];
  vlb_code code = vlb_path(path, sizeof path, err, "%s/%s", folder, name);
  if (!code) return vlb_json_write(path, root, err);
  json_decref(root);
  return code;
}

/* transformers makes a tokenizer and a processor of these; LeRobot asks them for the ids of the two tokens around pictures only */
static vlb_code write_tokenizer_settings(const char *folder, vlb_error *err) {
  return write_in(folder, "tokenizer_config.json",
                  json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "tokenizer_class", "PreTrainedTokenizerFast", "processor_class",
                            "SmolVLMProcessor", "pad_token", "<|pad|>", "eos_token", "<|endoftext|>", "fake_image_token", "<fake_token_around_image>",
                            "global_image_token", "<global-img>", "image_token", "<|pad|>", "model_max_length", 8192, "truncation_side", "left"),
                  err);
}

vlb_code vlb_lerobot_complete_vlm(const vlb_model_shape *s, const char *folder, vlb_error *err) {
  static const char *const names[] = {"processor_config.json", "preprocessor_config.json"};
  char path[1024];
  for (int i = 0; i < 2; i++)
    if (!vlb_path(path, sizeof path, NULL, "%s/%s", folder, names[i]) && vlb_file_exists(path)) return VLB_OK;
  return write_in(folder, names[0],
                  json_pack("{s:s, s:i, s:{s:s}, s:{s:s}}", "processor_class", "SmolVLMProcessor", "image_seq_len", s->tokens_per_view, "image_processor",
                            "image_processor_type", "SmolVLMImageProcessor", "video_processor", "video_processor_type", "SmolVLMVideoProcessor"),
                  err);
}

vlb_code vlb_lerobot_write_micro_vlm(const vlb_model_config *c, const vlb_model_shape *s, const char *folder, vlb_error *err) {
  char path[1024];
  const char *text;
  size_t size;
  VLB_TRY(vlb_folder_make(folder, err));
  VLB_TRY(write_in(folder, "config.json",
                   json_pack("{s:s, s:I, s:i, s:i, s:I, s:b, s:o, s:o}", "model_type", "smolvlm", "scale_factor", (json_int_t)c->scale_factor,
                             "image_token_id", 3, "pad_token_id", 3, "vocab_size", (json_int_t)c->vocab_size, "tie_word_embeddings", 0, "text_config",
                             text_config(c, s), "vision_config", vision_config(c)),
                   err));
  VLB_TRY(write_tokenizer_settings(folder, err));
  VLB_TRY(vlb_lerobot_complete_vlm(s, folder, err));
  VLB_TRY(vlb_tokenizer_micro_text(&text, &size, err));
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/tokenizer.json", folder));
  return vlb_file_write(path, text, size, err);
}
