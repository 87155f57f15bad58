#include "core/model/build.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPERT "model.vlm_with_expert.lm_expert."
#define TEXT "model.vlm_with_expert.vlm.model.text_model."
#define VISION "model.vlm_with_expert.vlm.model.vision_model."

vlb_code vlb_build_begin(vlb_build *b, const vlb_model *model, int batch, bool literal, vlb_error *err) {
  memset(b, 0, sizeof *b);
  b->model = model;
  b->batch = batch;
  b->literal = literal;
  b->rows = vlb_rows_count(&model->config, &model->shape);
  if (!literal) b->rows.tail = 0; /* padding rows change nothing but time */
  if (model->shape.vlm_layers > VLB_MAX_LAYERS)
    return vlb_fail(err, VLB_USAGE, "num_vlm_layers = %d; at most %d are supported", model->shape.vlm_layers, VLB_MAX_LAYERS);
  vlb_t *fields[] = {&b->images, &b->tokens, &b->special, &b->state, &b->noisy, &b->time, &b->position_suffix, &b->position_chunk,
                     &b->mask_cross, &b->mask_suffix, &b->answers, &b->angles_suffix, &b->angles_chunk, &b->image_tokens, &b->context, &b->suffix,
                     &b->velocity, &b->final_suffix};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) *fields[i] = VLB_NONE;
  for (int s = 0; s < SEGMENTS; s++) {
    b->position[s] = b->mask_prefix[s] = b->mask_joint[s] = b->angles[s] = b->final_prefix[s] = VLB_NONE;
    for (int i = 0; i <= VLB_MAX_LAYERS; i++) b->stream[i][s] = VLB_NONE;
    for (int i = 0; i < VLB_MAX_LAYERS; i++) b->kv[i].k[s] = b->kv[i].v[s] = VLB_NONE;
  }
  b->weights = malloc((size_t)model->param_count * sizeof *b->weights);
  b->g = vlb_graph_new();
  if (!b->weights || !b->g) {
    vlb_graph_free(b->g);
    vlb_build_end(b);
    return vlb_fail(err, VLB_FAILED, "out of memory building the model");
  }
  for (int i = 0; i < model->param_count; i++) b->weights[i] = VLB_NONE;
  return VLB_OK;
}

void vlb_build_end(vlb_build *b) {
  free(b->weights);
  b->weights = NULL;
}

/* the tensor of a parameter by its name */
static vlb_t weight(vlb_build *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
static vlb_t weight(vlb_build *b, const char *format, ...) {
  char name[160];
  va_list args;
  va_start(args, format);
  vsnprintf(name, sizeof name, format, args);
  va_end(args);
  int i = vlb_model_find(b->model, name);
  if (i < 0) return VLB_NONE;
  const vlb_param *p = &b->model->params[i];
  if (b->weights[i] < 0) {
    vlb_error err;
    if (vlb_model_restore(b->model, p->data, &err)) vlb_graph_fail(b->g, "%s", err.message);
    /* a convolution's weight is used as a matrix [N, C*p*p] */
    int64_t dims[2] = {p->dims[0], (int64_t)p->size / p->dims[0]};
    b->weights[i] = vlb_weight(b->g, p->ndim > 1 ? 2 : 1, dims, p->data, p->trainable ? (int64_t)p->offset : -1);
  }
  return b->weights[i];
}

static vlb_t linear(vlb_build *b, vlb_t x, vlb_t residual, bool bias, const char *name) {
  return vlb_linear(b->g, x, weight(b, "%s.weight", name), bias ? weight(b, "%s.bias", name) : VLB_NONE, residual, 0);
}

/* a linear layer named PREFIXlayers.LAYER.NAME */
static vlb_t layer_linear(vlb_build *b, vlb_t x, vlb_t residual, bool bias, const char *prefix, int layer, const char *name) {
  char full[160];
  snprintf(full, sizeof full, "%slayers.%d.%s", prefix, layer, name);
  return linear(b, x, residual, bias, full);
}

int vlb_segment_rows(const vlb_build *b, int s) {
  if (s == SEGMENT_CONTEXT) return b->rows.context + (b->joined ? b->rows.state : 0);
  return s == SEGMENT_TAIL ? b->rows.tail : b->joined ? 0 : b->rows.state;
}

/* Which layers are stored in less than float32: int8 those of the vision tower and the text model, bfloat16 also the expert's, the connector and the
 * patch embedding; the five projections of state, actions and time are small and stay. */
static vlb_precision at_most(const vlb_build *b, vlb_precision least) { return b->precision < least ? b->precision : least; }

/* ---- vision tower and connector, section 8 ---- */

static vlb_t layer_norm(vlb_build *b, vlb_t x, const char *name) {
  return vlb_layer_norm(b->g, x, weight(b, "%s.weight", name), weight(b, "%s.bias", name), b->model->config.vision_eps);
}

static vlb_t vision_layer(vlb_build *b, vlb_t x, int i) {
  const vlb_model_config *c = &b->model->config;
  char norm[160];
  snprintf(norm, sizeof norm, VISION "encoder.layers.%d.layer_norm1", i);
  vlb_t h = layer_norm(b, x, norm);
  vlb_t q = layer_linear(b, h, VLB_NONE, true, VISION "encoder.", i, "self_attn.q_proj");
  vlb_t k = layer_linear(b, h, VLB_NONE, true, VISION "encoder.", i, "self_attn.k_proj");
  vlb_t v = layer_linear(b, h, VLB_NONE, true, VISION "encoder.", i, "self_attn.v_proj");
  vlb_t o = vlb_attention(b->g, q, &k, &v, 1, VLB_NONE, c->vision_heads, c->vision_heads, c->vision_hidden / c->vision_heads);
  x = layer_linear(b, o, x, true, VISION "encoder.", i, "self_attn.out_proj");
  snprintf(norm, sizeof norm, VISION "encoder.layers.%d.layer_norm2", i);
  h = vlb_gelu(b->g, layer_linear(b, layer_norm(b, x, norm), VLB_NONE, true, VISION "encoder.", i, "mlp.fc1"));
  return layer_linear(b, h, x, true, VISION "encoder.", i, "mlp.fc2");
}

/* images [views*B,3,S,S] -> tokens [views*B,n,D], all views in one batch */
static vlb_t vision(vlb_build *b, int64_t views) {
  const vlb_model_config *c = &b->model->config;
  int64_t n = views * b->batch, side = c->image_size / c->patch_size;
  b->images = vlb_input(b->g, 4, (int64_t[]){n, 3, c->image_size, c->image_size});
  vlb_graph_precision(b->g, at_most(b, VLB_BFLOAT16));
  vlb_graph_stage(b->g, VLB_STAGE_VISION);
  vlb_t x = linear(b, vlb_patches(b->g, b->images, c->patch_size), VLB_NONE, true, VISION "embeddings.patch_embedding");
  x = vlb_add_table(b->g, x, weight(b, VISION "embeddings.position_embedding.weight"));
  vlb_graph_precision(b->g, at_most(b, VLB_INT8));
  for (int i = 0; i < c->vision_layers; i++) x = vision_layer(b, x, i);
  vlb_graph_precision(b->g, at_most(b, VLB_BFLOAT16));
  x = layer_norm(b, x, VISION "post_layernorm");
  vlb_graph_stage(b->g, VLB_STAGE_CONNECTOR);
  x = vlb_pixel_shuffle(b->g, x, side, c->scale_factor);
  x = linear(b, x, VLB_NONE, false, "model.vlm_with_expert.vlm.model.connector.modality_projection.proj");
  vlb_graph_stage(b->g, VLB_STAGE_PREFILL);
  return x;
}

/* ---- prefix, section 9 ---- */

static vlb_t state_token(vlb_build *b) {
  vlb_graph_precision(b->g, VLB_FLOAT32);
  b->state = vlb_input(b->g, 3, (int64_t[]){b->batch, 1, b->model->config.max_state_dim});
  return linear(b, b->state, VLB_NONE, true, "model.state_proj");
}

static vlb_t context(vlb_build *b) {
  const vlb_model_config *c = &b->model->config;
  int views = b->model->shape.views, n = b->model->shape.tokens_per_view, count = 0;
  double scale = sqrt((double)c->text_hidden);
  vlb_rows parts[3 * 32 + 2];
  vlb_t table = weight(b, TEXT "embed_tokens.weight"), special = VLB_NONE;
  if (b->image_tokens < 0) b->image_tokens = vision(b, views);
  b->tokens = vlb_ids(b->g, b->batch, b->rows.language);
  if (c->add_image_special_tokens) {
    b->special = vlb_ids(b->g, b->batch, 3);
    special = vlb_embed(b->g, table, b->special);
  }
  for (int v = 0; v < views; v++) {
    if (special >= 0) parts[count++] = (vlb_rows){special, 0, 0, 2, 1.0};
    parts[count++] = (vlb_rows){b->image_tokens, (int64_t)v * b->batch, 0, n, scale};
    if (special >= 0) parts[count++] = (vlb_rows){special, 0, 2, 1, 1.0};
  }
  parts[count++] = (vlb_rows){vlb_embed(b->g, table, b->tokens), 0, 0, b->rows.language, scale};
  if (b->joined && b->rows.state) parts[count++] = (vlb_rows){state_token(b), 0, 0, 1, 1.0};
  return vlb_assemble(b->g, b->batch, parts, count);
}

/* scaled like the language of the prompt */
static vlb_t answer_tokens(vlb_build *b) {
  vlb_rows all = {vlb_embed(b->g, weight(b, TEXT "embed_tokens.weight"), b->answers), 0, 0, b->rows.state, sqrt((double)b->model->config.text_hidden)};
  return vlb_assemble(b->g, b->batch, &all, 1);
}

static void begin_prefix(vlb_build *b) {
  const vlb_model_config *c = &b->model->config;
  bool given = b->kv[0].k[SEGMENT_CONTEXT] >= 0;
  if (!given) b->stream[0][SEGMENT_CONTEXT] = b->context = context(b);
  if (vlb_segment_rows(b, SEGMENT_STATE)) b->stream[0][SEGMENT_STATE] = b->answers < 0 ? state_token(b) : answer_tokens(b);
  if (b->rows.tail) b->stream[0][SEGMENT_TAIL] = vlb_input(b->g, 3, (int64_t[]){b->batch, b->rows.tail, c->text_hidden}); /* zeros */
  int seen = 0;
  for (int s = 0; s < SEGMENTS; s++) {
    int rows = vlb_segment_rows(b, s);
    seen += rows;
    if (!rows || (given && s == SEGMENT_CONTEXT)) continue;
    b->position[s] = vlb_ids(b->g, b->batch, rows);
    b->angles[s] = vlb_rope_angles(b->g, b->position[s], c->head_dim);
    /* production: a segment sees itself and what lies before it, the same for all its rows, unless they are an answer's or the state's is among them */
    bool by_row = b->literal || b->joined || (s == SEGMENT_STATE && b->answers >= 0);
    b->mask_prefix[s] = vlb_input(b->g, 3, (int64_t[]){b->batch, by_row ? rows : 1, b->literal ? b->rows.prefix : seen});
    if (b->literal) b->mask_joint[s] = vlb_input(b->g, 3, (int64_t[]){b->batch, rows, b->rows.total});
  }
}

static vlb_t rms(vlb_build *b, vlb_t x, const char *prefix, int layer, const char *name) {
  return vlb_rms_norm(b->g, x, weight(b, "%slayers.%d.%s.weight", prefix, layer, name), b->model->config.rms_eps);
}

/* h1 = x + o_proj(attention); h1 + down(silu(gate) * up) of its norm (section 12.1) */
static vlb_t layer_tail(vlb_build *b, vlb_t x, vlb_t attended, const char *prefix, int layer) {
  vlb_t h1 = layer_linear(b, attended, x, false, prefix, layer, "self_attn.o_proj");
  vlb_t h = rms(b, h1, prefix, layer, "post_attention_layernorm");
  vlb_t gate = layer_linear(b, h, VLB_NONE, false, prefix, layer, "mlp.gate_proj");
  vlb_t up = layer_linear(b, h, VLB_NONE, false, prefix, layer, "mlp.up_proj");
  return layer_linear(b, vlb_gate(b->g, gate, up), h1, false, prefix, layer, "mlp.down_proj");
}

static vlb_t attend(vlb_build *b, vlb_t q, const vlb_t *k, const vlb_t *v, int parts, vlb_t mask) {
  const vlb_model_config *c = &b->model->config;
  return vlb_attention(b->g, q, k, v, parts, mask, c->text_heads, c->text_kv_heads, c->head_dim);
}

/* the segments that exist, in order, put close together; returns how many */
static int gather(const vlb_kv *kv, int segments, vlb_t *k, vlb_t *v) {
  int n = 0;
  for (int s = 0; s < segments; s++) {
    if (kv->k[s] < 0) continue;
    k[n] = kv->k[s];
    v[n++] = kv->v[s];
  }
  return n;
}

/* norm, keys and values of every segment of a VLM layer; norms are kept for the queries */
static void vlm_keys(vlb_build *b, int i, vlb_t *norms) {
  for (int s = 0; s < SEGMENTS; s++) {
    norms[s] = VLB_NONE;
    if (b->stream[i][s] < 0) continue;
    norms[s] = rms(b, b->stream[i][s], TEXT, i, "input_layernorm");
    b->kv[i].k[s] = vlb_rope(b->g, layer_linear(b, norms[s], VLB_NONE, false, TEXT, i, "self_attn.k_proj"), b->angles[s]);
    b->kv[i].v[s] = layer_linear(b, norms[s], VLB_NONE, false, TEXT, i, "self_attn.v_proj");
  }
}

static vlb_t vlm_query(vlb_build *b, int i, int s, vlb_t norm) {
  return vlb_rope(b->g, layer_linear(b, norm, VLB_NONE, false, TEXT, i, "self_attn.q_proj"), b->angles[s]);
}

/* The last layer of a context only serves as keys and values; an answer goes on to its end. */
void vlb_build_prefix(vlb_build *b) {
  begin_prefix(b);
  int layers = b->model->shape.vlm_layers;
  vlb_graph_precision(b->g, at_most(b, VLB_INT8));
  for (int i = 0; i < layers; i++) {
    vlb_t norms[SEGMENTS], k[SEGMENTS], v[SEGMENTS];
    vlm_keys(b, i, norms);
    for (int s = 0; s < SEGMENTS; s++) {
      bool ends = i + 1 == layers && !(s == SEGMENT_STATE && b->answers >= 0);
      if (norms[s] < 0 || ends) continue;
      int parts = gather(&b->kv[i], s + 1, k, v);
      vlb_t o = attend(b, vlm_query(b, i, s, norms[s]), k, v, parts, b->mask_prefix[s]);
      b->stream[i + 1][s] = layer_tail(b, b->stream[i][s], o, TEXT, i);
    }
  }
}

void vlb_build_captions(vlb_build *b, int answers) {
  b->rows.state = answers;
  b->rows.prefix = b->rows.context + answers;
  b->answers = vlb_ids(b->g, b->batch, answers);
  vlb_build_prefix(b);
}

/* the output layer is the embedding table */
vlb_t vlb_build_logits(vlb_build *b, int depth) {
  vlb_t x = vlb_rms_norm(b->g, b->stream[depth][SEGMENT_STATE], weight(b, TEXT "norm.weight"), b->model->config.rms_eps);
  return vlb_linear(b->g, x, weight(b, TEXT "embed_tokens.weight"), VLB_NONE, VLB_NONE, 0);
}

void vlb_build_vision(vlb_build *b) { b->image_tokens = vision(b, b->model->config.cameras); }

void vlb_build_context(vlb_build *b) {
  const vlb_model_shape *s = &b->model->shape;
  b->rows.state = b->rows.tail = 0;
  b->image_tokens = vlb_input(b->g, 3, (int64_t[]){(int64_t)s->views * b->batch, s->tokens_per_view, b->model->config.text_hidden});
  vlb_graph_stage(b->g, VLB_STAGE_PREFILL);
  vlb_build_prefix(b);
}

void vlb_build_given_context(vlb_build *b) {
  int64_t dims[] = {b->batch, b->rows.context, b->model->shape.kv_width};
  for (int i = 0; i < b->model->shape.vlm_layers; i++) {
    b->kv[i].k[SEGMENT_CONTEXT] = vlb_input(b->g, 3, dims);
    b->kv[i].v[SEGMENT_CONTEXT] = vlb_input(b->g, 3, dims);
    b->kv_given[i] = b->kv[i];
  }
  vlb_graph_stage(b->g, VLB_STAGE_PREFILL);
}

/* ---- expert, section 12.2 ---- */

/* the expert layer at VLM layer i, or -1 where there is none */
static int expert_at(const vlb_build *b, int i) {
  int step = b->model->shape.vlm_layers / b->model->shape.expert_layers;
  return i % step ? -1 : i / step;
}

/* whether VLM layer i joins both streams; the reference decides by the VLM's index, parameters by the expert's: equal where it matters */
static bool is_self(const vlb_build *b, int i) { return vlb_layer_is_self(&b->model->config, i); }

static vlb_kv cross_kv(vlb_build *b, int i) {
  vlb_kv out;
  int j = expert_at(b, i);
  for (int s = 0; s < SEGMENTS; s++) {
    out.k[s] = out.v[s] = VLB_NONE;
    if (b->kv[i].k[s] < 0) continue;
    out.k[s] = layer_linear(b, b->kv[i].k[s], VLB_NONE, false, EXPERT, j, "self_attn.k_proj");
    out.v[s] = layer_linear(b, b->kv[i].v[s], VLB_NONE, false, EXPERT, j, "self_attn.v_proj");
  }
  return out;
}

void vlb_build_cross_kv(vlb_build *b) {
  vlb_graph_precision(b->g, at_most(b, VLB_BFLOAT16));
  for (int i = 0; i < b->model->shape.vlm_layers; i++)
    if (expert_at(b, i) >= 0 && !is_self(b, i)) b->kv[i] = cross_kv(b, i);
}

/* section 10: action_time_mlp on [action ; time], whose time half is one row per sample */
static vlb_t embed_actions(vlb_build *b) {
  const vlb_model_config *c = &b->model->config;
  int64_t e = b->model->shape.expert_hidden;
  b->noisy = vlb_input(b->g, 3, (int64_t[]){b->batch, c->chunk_size, c->max_action_dim});
  b->time = vlb_input(b->g, 3, (int64_t[]){b->batch, 1, e});
  vlb_t in = weight(b, "model.action_time_mlp_in.weight");
  vlb_t actions = vlb_linear(b->g, linear(b, b->noisy, VLB_NONE, true, "model.action_in_proj"), in, VLB_NONE, VLB_NONE, 0);
  vlb_t time = vlb_linear(b->g, b->time, in, weight(b, "model.action_time_mlp_in.bias"), VLB_NONE, e);
  return linear(b, vlb_silu(b->g, vlb_add_row(b->g, actions, time)), VLB_NONE, true, "model.action_time_mlp_out");
}

static void begin_suffix(vlb_build *b) {
  const vlb_model_config *c = &b->model->config;
  vlb_row_counts r = b->rows;
  vlb_graph_stage(b->g, VLB_STAGE_FLOW);
  vlb_graph_precision(b->g, VLB_FLOAT32);
  vlb_t actions = embed_actions(b);
  if (c->state != VLB_STATE_PREFIX) {
    vlb_rows parts[] = {{state_token(b), 0, 0, 1, 1.0}, {actions, 0, 0, c->chunk_size, 1.0}};
    actions = vlb_assemble(b->g, b->batch, parts, 2);
  }
  b->suffix = b->expert[0] = actions;
  int64_t keys = r.context + r.state + r.tail;
  if (c->attention != VLB_ATTENTION_CROSS) {
    b->position_suffix = vlb_ids(b->g, b->batch, r.suffix);
    b->angles_suffix = vlb_rope_angles(b->g, b->position_suffix, c->head_dim);
    b->mask_suffix = vlb_input(b->g, 3, (int64_t[]){b->batch, r.suffix, keys + r.suffix});
  }
  if (c->attention != VLB_ATTENTION_SELF) {
    b->position_chunk = vlb_ids(b->g, b->batch, r.suffix);
    b->angles_chunk = vlb_rope_angles(b->g, b->position_chunk, c->head_dim);
    b->mask_cross = vlb_input(b->g, 3, (int64_t[]){b->batch, 1, keys + (c->state == VLB_STATE_SUFFIX_SEEN)});
  }
}

/* The state's own key and value beside those of the VLM, for cross layers. Its position there is 0, where rotation changes nothing. */
static void state_kv(vlb_build *b, vlb_t h, int j, vlb_t *k, vlb_t *v) {
  vlb_rows first = {h, 0, 0, 1, 1.0};
  vlb_t row = vlb_assemble(b->g, b->batch, &first, 1);
  *k = layer_linear(b, row, VLB_NONE, false, EXPERT, j, "self_attn.state_k_proj");
  *v = layer_linear(b, row, VLB_NONE, false, EXPERT, j, "self_attn.state_v_proj");
}

/* expert layer j: own keys and values are added to the VLM's in self layers; kv is that of cross_kv in cross layers */
static vlb_t expert_layer(vlb_build *b, vlb_t x, int j, bool self, const vlb_kv *kv, vlb_kv *own) {
  vlb_t h = rms(b, x, EXPERT, j, "input_layernorm"), k[SEGMENTS + 1], v[SEGMENTS + 1];
  vlb_t q = vlb_rope(b->g, layer_linear(b, h, VLB_NONE, false, EXPERT, j, "self_attn.q_proj"), self ? b->angles_suffix : b->angles_chunk);
  int parts = gather(kv, SEGMENTS, k, v);
  if (self) {
    k[parts] = own->k[0] = vlb_rope(b->g, layer_linear(b, h, VLB_NONE, false, EXPERT, j, "self_attn.k_proj"), b->angles_suffix);
    v[parts++] = own->v[0] = layer_linear(b, h, VLB_NONE, false, EXPERT, j, "self_attn.v_proj");
  } else if (b->model->config.state == VLB_STATE_SUFFIX_SEEN) {
    state_kv(b, h, j, &k[parts], &v[parts]);
    parts++;
  }
  return layer_tail(b, x, attend(b, q, k, v, parts, self ? b->mask_suffix : b->mask_cross), EXPERT, j);
}

static void end_suffix(vlb_build *b, vlb_t x) {
  const vlb_model_config *c = &b->model->config;
  vlb_graph_precision(b->g, VLB_FLOAT32);
  b->final_suffix = x = vlb_rms_norm(b->g, x, weight(b, EXPERT "norm.weight"), c->rms_eps);
  if (b->rows.suffix > c->chunk_size) { /* the state's row has served */
    vlb_rows actions = {x, 0, b->rows.suffix - c->chunk_size, c->chunk_size, 1.0};
    x = vlb_assemble(b->g, b->batch, &actions, 1);
  }
  b->velocity = linear(b, x, VLB_NONE, true, "model.action_out_proj");
}

void vlb_build_suffix(vlb_build *b) {
  if (b->suffix < 0) begin_suffix(b);
  vlb_t x = b->suffix;
  vlb_graph_precision(b->g, at_most(b, VLB_BFLOAT16));
  for (int i = 0; i < b->model->shape.vlm_layers; i++) {
    vlb_kv own;
    int j = expert_at(b, i);
    if (j >= 0) x = expert_layer(b, x, j, is_self(b, i), &b->kv[i], &own);
    b->expert[i + 1] = x;
  }
  end_suffix(b, x);
}

/* one VLM segment's row attention over the whole prefix, and in joint layers over the suffix too */
static void literal_vlm(vlb_build *b, int i, const vlb_t *norms, const vlb_kv *own) {
  for (int s = 0; s < SEGMENTS; s++) {
    vlb_t k[SEGMENTS + 1], v[SEGMENTS + 1];
    if (norms[s] < 0) continue;
    int parts = gather(&b->kv[i], SEGMENTS, k, v);
    bool joint = own->k[0] >= 0;
    if (joint) {
      k[parts] = own->k[0];
      v[parts++] = own->v[0];
    }
    vlb_t o = attend(b, vlm_query(b, i, s, norms[s]), k, v, parts, joint ? b->mask_joint[s] : b->mask_prefix[s]);
    b->stream[i + 1][s] = layer_tail(b, b->stream[i][s], o, TEXT, i);
  }
}

void vlb_build_literal(vlb_build *b) {
  begin_prefix(b);
  begin_suffix(b);
  vlb_t norms[SEGMENTS];
  int layers = b->model->shape.vlm_layers;
  for (int i = 0; i < layers; i++) {
    vlb_kv own = {{VLB_NONE, VLB_NONE, VLB_NONE}, {VLB_NONE, VLB_NONE, VLB_NONE}};
    int j = expert_at(b, i);
    vlm_keys(b, i, norms);
    b->expert[i + 1] = b->expert[i];
    if (j >= 0) {
      vlb_kv kv = is_self(b, i) ? b->kv[i] : cross_kv(b, i);
      b->expert[i + 1] = expert_layer(b, b->expert[i], j, is_self(b, i), &kv, &own);
    }
    literal_vlm(b, i, norms, &own);
  }
  for (int s = 0; s < SEGMENTS; s++)
    if (b->stream[layers][s] >= 0)
      b->final_prefix[s] = vlb_rms_norm(b->g, b->stream[layers][s], weight(b, TEXT "norm.weight"), b->model->config.rms_eps);
  end_suffix(b, b->expert[layers]);
}
