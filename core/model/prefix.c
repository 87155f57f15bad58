#include "core/model/prefix.h"

#include <stdlib.h>
#include <string.h>

#include "core/model/build.h"

size_t vlb_prefix_token_count(const vlb_model *m) {
  return (size_t)(m->config.cameras * m->shape.tokens_per_view * m->config.text_hidden);
}

size_t vlb_prefix_row_count(const vlb_model *m) { return (size_t)vlb_rows_count(&m->config, &m->shape).context; }

size_t vlb_prefix_layer_count(const vlb_model *m) { return 2 * vlb_prefix_row_count(m) * (size_t)m->shape.kv_width; }

int vlb_prefix_real_rows(const vlb_model *m, const uint8_t *token_mask, uint8_t *real) {
  vlb_row_counts r = vlb_rows_count(&m->config, &m->shape);
  int count = 0;
  vlb_context_pad(m, NULL, 1, token_mask, real);
  for (int i = 0; i < r.context; i++) count += real[i];
  return count;
}

/* ---- pictures ---- */

struct vlb_vision {
  vlb_build build;
  size_t count; /* floats of all tokens */
};

static vlb_code define_vision(vlb_vision *v, const vlb_model *model, int batch, vlb_error *err) {
  vlb_build *b = &v->build;
  VLB_TRY(vlb_build_begin(b, model, batch, false, err));
  vlb_build_vision(b);
  vlb_graph_keep(b->g, b->image_tokens);
  v->count = vlb_graph_count(b->g, b->image_tokens);
  return vlb_graph_plan(b->g, err);
}

vlb_code vlb_vision_create(const vlb_model *model, int batch, vlb_vision **out, vlb_error *err) {
  *out = NULL;
  vlb_vision *v = calloc(1, sizeof *v);
  if (!v) return vlb_fail(err, VLB_FAILED, "out of memory for the vision tower");
  vlb_code code = define_vision(v, model, batch, err);
  if (code) {
    vlb_vision_free(v);
    return code;
  }
  *out = v;
  return VLB_OK;
}

void vlb_vision_free(vlb_vision *v) {
  if (!v) return;
  vlb_graph_free(v->build.g);
  vlb_build_end(&v->build);
  free(v);
}

void vlb_vision_run(vlb_vision *v, const float *images, float *tokens) {
  vlb_build *b = &v->build;
  vlb_graph_bind(b->g, b->images, images);
  vlb_graph_run(b->g, NULL, 0);
  memcpy(tokens, vlb_graph_data(b->g, b->image_tokens), v->count * sizeof *tokens);
}

double vlb_vision_flops(const vlb_vision *v) { return vlb_graph_flops(v->build.g, false); }
vlb_graph *vlb_vision_graph(vlb_vision *v) { return v->build.g; }

/* ---- text layers ---- */

struct vlb_prefix {
  vlb_build build;
  vlb_inputs inputs;
  float *tokens; /* [V,B,n,D]: views that are not there stay zeros, which nobody sees */
  bool bf16;
};

static vlb_code define_prefix(vlb_prefix *p, const vlb_model *model, int batch, vlb_error *err) {
  vlb_build *b = &p->build;
  VLB_TRY(vlb_build_begin(b, model, batch, false, err));
  vlb_build_context(b);
  for (int i = 0; i < model->shape.vlm_layers; i++) {
    vlb_graph_keep(b->g, b->kv[i].k[SEGMENT_CONTEXT]);
    vlb_graph_keep(b->g, b->kv[i].v[SEGMENT_CONTEXT]);
  }
  VLB_TRY(vlb_graph_plan(b->g, err));
  VLB_TRY(vlb_inputs_create(&p->inputs, b, err));
  p->tokens = calloc(vlb_graph_count(b->g, b->image_tokens), sizeof *p->tokens);
  if (!p->tokens) return vlb_fail(err, VLB_FAILED, "out of memory for the prefix of %d samples", batch);
  vlb_graph_bind(b->g, b->image_tokens, p->tokens);
  return VLB_OK;
}

vlb_code vlb_prefix_create(const vlb_model *model, int batch, bool bf16, vlb_prefix **out, vlb_error *err) {
  *out = NULL;
  vlb_prefix *p = calloc(1, sizeof *p);
  if (!p) return vlb_fail(err, VLB_FAILED, "out of memory for the prefix of %d samples", batch);
  p->bf16 = bf16;
  vlb_code code = define_prefix(p, model, batch, err);
  if (code) {
    vlb_prefix_free(p);
    return code;
  }
  *out = p;
  return VLB_OK;
}

void vlb_prefix_free(vlb_prefix *p) {
  if (!p) return;
  vlb_graph_free(p->build.g);
  vlb_build_end(&p->build);
  vlb_inputs_free(&p->inputs);
  free(p->tokens);
  free(p);
}

/* to nearest, ties to even; the numbers of a model that works are far from infinity */
static float to_bf16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x7fffu + (bits >> 16 & 1)) & 0xffff0000u;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* rows of one tensor [B,R,W] */
static void take_rows(const vlb_prefix *p, vlb_t from, float *to) {
  const vlb_build *b = &p->build;
  const vlb_layout *l = &p->inputs.layout;
  const float *x = vlb_graph_data(b->g, from);
  size_t width = (size_t)b->model->shape.kv_width;
  for (int s = 0; s < b->batch; s++)
    for (int r = 0; r < b->rows.context; r++, x += width, to += width) {
      if (!l->pad[s * l->rows.total + r])
        memset(to, 0, width * sizeof *to);
      else if (p->bf16)
        for (size_t i = 0; i < width; i++) to[i] = to_bf16(x[i]);
      else
        memcpy(to, x, width * sizeof *to);
    }
}

void vlb_prefix_run(vlb_prefix *p, const float *tokens, const vlb_batch *batch, float *kv) {
  vlb_build *b = &p->build;
  const vlb_model *m = b->model;
  size_t one = (size_t)b->batch * vlb_prefix_layer_count(m) / 2;
  vlb_batch seen = {.image_mask = batch->image_mask, .tokens = batch->tokens, .token_mask = batch->token_mask};
  memcpy(p->tokens, tokens, (size_t)b->batch * vlb_prefix_token_count(m) * sizeof *tokens);
  vlb_inputs_fill(&p->inputs, b, &seen);
  vlb_graph_run(b->g, NULL, 0);
  for (int i = 0; i < m->shape.vlm_layers; i++, kv += 2 * one) {
    take_rows(p, b->kv[i].k[SEGMENT_CONTEXT], kv);
    take_rows(p, b->kv[i].v[SEGMENT_CONTEXT], kv + one);
  }
}

double vlb_prefix_flops(const vlb_prefix *p) { return vlb_graph_flops(p->build.g, false); }
vlb_graph *vlb_prefix_graph(vlb_prefix *p) { return p->build.g; }
