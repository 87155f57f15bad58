#include "core/model/layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

vlb_row_counts vlb_rows_count(const vlb_model_config *c, const vlb_model_shape *s) {
  vlb_row_counts r = {.per_view = s->tokens_per_view + (c->add_image_special_tokens ? 3 : 0), .language = (int)c->tokenizer_max_length};
  r.context = s->views * r.per_view + r.language;
  r.state = c->state == VLB_STATE_PREFIX;
  r.prefix = r.context + r.state;
  if (c->prefix_length > r.prefix) r.tail = (int)c->prefix_length - r.prefix;
  r.prefix += r.tail;
  r.suffix = (int)c->chunk_size + !r.state;
  r.total = r.prefix + r.suffix;
  return r;
}

/* state, then actions: each its own block when causal; all actions one block when bidirectional (section 19.1, 19.3) */
static void mark_blocks(const vlb_model_config *c, vlb_layout *l) {
  const vlb_row_counts *r = &l->rows;
  if (r->state) l->block[r->context] = 1;
  for (int i = 0; i < r->suffix; i++) {
    bool first_action = i == r->suffix - c->chunk_size, state = i < r->suffix - c->chunk_size;
    l->block[r->prefix + i] = state || first_action || c->action_mask == VLB_MASK_CAUSAL;
  }
}

vlb_code vlb_layout_create(const vlb_model *m, int batch, vlb_layout *l, vlb_error *err) {
  memset(l, 0, sizeof *l);
  l->rows = vlb_rows_count(&m->config, &m->shape);
  l->batch = batch;
  size_t n = (size_t)l->rows.total, b = (size_t)batch;
  l->pad = calloc(b * n, 1);
  l->block = calloc(n, 1);
  l->allowed = calloc(b * n * n, 1);
  l->positions = calloc(b * n, sizeof *l->positions);
  if (!l->pad || !l->block || !l->allowed || !l->positions) {
    vlb_layout_free(l);
    return vlb_fail(err, VLB_FAILED, "out of memory laying out %d samples", batch);
  }
  mark_blocks(&m->config, l);
  return VLB_OK;
}

void vlb_layout_free(vlb_layout *l) {
  free(l->pad), free(l->block), free(l->allowed), free(l->positions);
  memset(l, 0, sizeof *l);
}

/* views masked or not, special tokens always real, language by its mask */
void vlb_context_pad(const vlb_model *m, const uint8_t *views, int stride, const uint8_t *token_mask, uint8_t *pad) {
  vlb_row_counts r = vlb_rows_count(&m->config, &m->shape);
  bool special = m->config.add_image_special_tokens;
  for (int v = 0; v < m->shape.views; v++) {
    uint8_t real = v < m->config.cameras ? (views ? views[v * stride] : 1) : 0;
    memset(pad + v * r.per_view, real, (size_t)r.per_view);
    if (special) pad[v * r.per_view] = pad[v * r.per_view + 1] = pad[(v + 1) * r.per_view - 1] = 1;
  }
  memcpy(pad + m->shape.views * r.per_view, token_mask, (size_t)r.language);
}

static void fill_pad(const vlb_layout *l, const vlb_model *m, int b, const vlb_batch *batch, uint8_t *pad) {
  const vlb_row_counts *r = &l->rows;
  vlb_context_pad(m, batch->image_mask ? batch->image_mask + b : NULL, l->batch, batch->token_mask + b * r->language, pad);
  if (r->state) pad[r->context] = 1;
  memset(pad + r->context + r->state, 0, (size_t)r->tail);
  memset(pad + r->prefix, 1, (size_t)r->suffix);
}

static void fill_sample(vlb_layout *l, int b) {
  int n = l->rows.total, position = -1, block = 0;
  const uint8_t *pad = l->pad + b * n;
  int32_t *positions = l->positions + b * n;
  uint8_t *allowed = l->allowed + (size_t)b * (size_t)n * (size_t)n;
  for (int q = 0; q < n; q++) {
    position += pad[q];
    positions[q] = position;
    block += l->block[q];
    /* blocks are numbered upwards, so keys of block <= the query's are those up to the end of its block */
    int key_block = 0;
    for (int k = 0; k < n; k++) {
      key_block += l->block[k];
      allowed[(size_t)q * (size_t)n + (size_t)k] = key_block <= block && pad[q] && pad[k];
    }
  }
}

void vlb_layout_fill(vlb_layout *l, const vlb_model *m, const vlb_batch *batch) {
  for (int b = 0; b < l->batch; b++) {
    fill_pad(l, m, b, batch, l->pad + b * l->rows.total);
    fill_sample(l, b);
  }
}

void vlb_time_embedding(const vlb_model_config *c, int width, float t, float *emb) {
  int half = width / 2;
  for (int i = 0; i < half; i++) {
    double fraction = half > 1 ? (double)i / (half - 1) : 0;
    double period = c->min_period * pow(c->max_period / c->min_period, fraction);
    double angle = (double)t * (1.0 / period * 2.0 * 3.14159265358979323846);
    emb[i] = (float)sin(angle);
    emb[half + i] = (float)cos(angle);
  }
}
