#include "core/model/config.h"

#define ROW(kind, name, ...) VLB_FIELD_ROW(vlb_model_config, kind, name, __VA_ARGS__)
const vlb_field vlb_model_fields[] = {VLB_MODEL_FIELDS(ROW){.name = NULL}};
#undef ROW

/* two thirds of four times the width, rounded up to a multiple of 256 (specification section 3) */
static int mlp_size(int64_t hidden) {
  int64_t m = 4 * (int64_t)(2.0 * (double)hidden / 3.0);
  return (int)((m + 255) / 256 * 256);
}

static vlb_code check_layers(const vlb_model_config *c, vlb_model_shape *s, vlb_error *err) {
  int64_t kept = c->skip_every_second ? (c->text_layers + 1) / 2 : c->text_layers;
  if (c->num_vlm_layers > kept)
    return vlb_fail(err, VLB_USAGE, "num_vlm_layers = %lld, but the VLM has %lld layers%s", (long long)c->num_vlm_layers, (long long)kept,
                    c->skip_every_second ? " after skip_every_second" : "");
  s->vlm_layers = (int)(c->num_vlm_layers ? c->num_vlm_layers : kept);
  s->expert_layers = (int)(c->num_expert_layers ? c->num_expert_layers : s->vlm_layers);
  if (s->expert_layers > s->vlm_layers || s->vlm_layers % s->expert_layers)
    return vlb_fail(err, VLB_USAGE, "num_expert_layers = %d does not divide the %d VLM layers kept", s->expert_layers, s->vlm_layers);
  if (s->expert_layers != s->vlm_layers && c->attention != VLB_ATTENTION_CROSS)
    return vlb_fail(err, VLB_USAGE,
                    "num_expert_layers = %d with %d VLM layers needs attention = cross: self-attention layers join both streams, so each "
                    "needs an expert layer of its own",
                    s->expert_layers, s->vlm_layers);
  return VLB_OK;
}

static vlb_code check_widths(const vlb_model_config *c, vlb_model_shape *s, vlb_error *err) {
  s->expert_hidden = (int)((double)c->text_hidden * c->expert_width);
  if (s->expert_hidden < 4 || s->expert_hidden % 2)
    return vlb_fail(err, VLB_USAGE, "expert_width = %g of text_hidden = %lld gives an expert of width %d; it must be even and at least 4",
                    c->expert_width, (long long)c->text_hidden, s->expert_hidden);
  s->expert_mlp = mlp_size(s->expert_hidden);
  s->q_width = (int)(c->text_heads * c->head_dim);
  s->kv_width = (int)(c->text_kv_heads * c->head_dim);
  if (c->text_heads % c->text_kv_heads)
    return vlb_fail(err, VLB_USAGE, "text_kv_heads = %lld does not divide text_heads = %lld", (long long)c->text_kv_heads, (long long)c->text_heads);
  if (c->head_dim % 2) return vlb_fail(err, VLB_USAGE, "head_dim = %lld is odd; rotary embedding pairs its halves", (long long)c->head_dim);
  if (c->vision_hidden % c->vision_heads)
    return vlb_fail(err, VLB_USAGE, "vision_heads = %lld does not divide vision_hidden = %lld", (long long)c->vision_heads, (long long)c->vision_hidden);
  return VLB_OK;
}

static vlb_code check_images(const vlb_model_config *c, vlb_model_shape *s, vlb_error *err) {
  int64_t side = c->image_size / c->patch_size; /* pixels behind the last whole patch are not seen, as in a convolution */
  if (!side) return vlb_fail(err, VLB_USAGE, "patch_size = %lld is more than image_size = %lld", (long long)c->patch_size, (long long)c->image_size);
  if (side % c->scale_factor)
    return vlb_fail(err, VLB_USAGE, "scale_factor = %lld does not divide the %lld patches per side", (long long)c->scale_factor, (long long)side);
  s->patches = (int)(side * side);
  s->tokens_per_view = (int)(s->patches / (c->scale_factor * c->scale_factor));
  s->views = (int)(c->cameras + c->empty_cameras);
  return VLB_OK;
}

static vlb_code check_actions(const vlb_model_config *c, vlb_error *err) {
  if (c->n_action_steps > c->chunk_size)
    return vlb_fail(err, VLB_USAGE, "n_action_steps = %lld is more than chunk_size = %lld", (long long)c->n_action_steps, (long long)c->chunk_size);
  if (c->action_dim > c->max_action_dim)
    return vlb_fail(err, VLB_USAGE, "action_dim = %lld is more than max_action_dim = %lld", (long long)c->action_dim, (long long)c->max_action_dim);
  if (c->max_period <= c->min_period)
    return vlb_fail(err, VLB_USAGE, "max_period = %g must be more than min_period = %g", c->max_period, c->min_period);
  if (c->add_image_special_tokens && (c->fake_image_token >= c->vocab_size || c->global_image_token >= c->vocab_size))
    return vlb_fail(err, VLB_USAGE, "fake_image_token and global_image_token must be below vocab_size = %lld", (long long)c->vocab_size);
  return VLB_OK;
}

vlb_code vlb_model_shape_of(const vlb_model_config *config, vlb_model_shape *shape, vlb_error *err) {
  VLB_TRY(check_layers(config, shape, err));
  VLB_TRY(check_widths(config, shape, err));
  VLB_TRY(check_images(config, shape, err));
  return check_actions(config, err);
}

vlb_code vlb_model_fits(const vlb_model_config *config, const vlb_embodiment *robot, vlb_error *err) {
  if (config->cameras != robot->cameras)
    return vlb_fail(err, VLB_USAGE, "model.cameras = %lld, but the robot %s has %d camera%s; set model.cameras = %d%s", (long long)config->cameras,
                    robot->name, robot->cameras, robot->cameras == 1 ? "" : "s", robot->cameras,
                    config->cameras > robot->cameras ? " (model.empty_cameras adds black views)" : "");
  if (config->max_state_dim < robot->state_dim)
    return vlb_fail(err, VLB_USAGE, "model.max_state_dim = %lld is below the %d state numbers of the robot %s; raise it",
                    (long long)config->max_state_dim, robot->state_dim, robot->name);
  if (config->action_dim != robot->action_dim)
    return vlb_fail(err, VLB_USAGE, "model.action_dim = %lld, but the robot %s takes %d numbers; set model.action_dim = %d",
                    (long long)config->action_dim, robot->name, robot->action_dim, robot->action_dim);
  return VLB_OK;
}

void vlb_model_leave_out_unexecuted(vlb_model_config *c) {
  if (c->attention == VLB_ATTENTION_CROSS) c->chunk_size = c->n_action_steps;
}
