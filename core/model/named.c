#include "core/model/named.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void vlb_named_free(vlb_named *list) {
  for (int i = 0; i < list->count; i++) free(list->tensors[i].data);
  free(list->tensors);
  *list = (vlb_named){0};
}

static vlb_named_tensor *next(vlb_named *list) {
  if (list->failed) return NULL;
  if (list->count == list->room) {
    int room = list->room ? 2 * list->room : 256;
    vlb_named_tensor *grown = realloc(list->tensors, (size_t)room * sizeof *grown);
    list->failed = !grown;
    if (!grown) return NULL;
    list->tensors = grown;
    list->room = room;
  }
  return &list->tensors[list->count];
}

float *vlb_named_add(vlb_named *list, int ndim, const int64_t *dims, const char *format, ...) {
  vlb_named_tensor *x = next(list);
  if (!x) return NULL;
  *x = (vlb_named_tensor){.ndim = ndim, .count = 1};
  for (int i = 0; i < ndim; i++) {
    x->dims[i] = dims[i];
    x->count *= (size_t)dims[i];
  }
  va_list args;
  va_start(args, format);
  vsnprintf(x->name, sizeof x->name, format, args);
  va_end(args);
  x->data = calloc(x->count ? x->count : 1, sizeof *x->data);
  list->failed = !x->data;
  if (x->data) list->count++;
  return x->data;
}

void vlb_named_copy(vlb_named *list, const vlb_graph *g, vlb_t t, const char *name) {
  if (t < 0) return;
  float *to = vlb_named_add(list, 3, (int64_t[]){vlb_graph_dim(g, t, 0), vlb_graph_dim(g, t, 1), vlb_graph_dim(g, t, 2)}, "%s", name);
  if (to) memcpy(to, vlb_graph_data(g, t), vlb_graph_count(g, t) * sizeof *to);
}

const vlb_named_tensor *vlb_named_find(const vlb_named *list, const char *name) {
  for (int i = 0; i < list->count; i++)
    if (!strcmp(list->tensors[i].name, name)) return &list->tensors[i];
  return NULL;
}

void vlb_named_keep(vlb_build *b) {
  vlb_t single[] = {b->image_tokens, b->suffix, b->velocity, b->final_suffix};
  for (size_t i = 0; i < sizeof single / sizeof *single; i++) vlb_graph_keep(b->g, single[i]);
  for (int i = 0; i <= b->model->shape.vlm_layers; i++) {
    vlb_graph_keep(b->g, b->expert[i]);
    for (int s = 0; s < SEGMENTS; s++) vlb_graph_keep(b->g, b->stream[i][s]);
  }
  for (int s = 0; s < SEGMENTS; s++) vlb_graph_keep(b->g, b->final_prefix[s]);
}

void vlb_named_images(vlb_named *list, const vlb_build *b, const vlb_batch *batch) {
  const vlb_model_config *c = &b->model->config;
  size_t floats = (size_t)b->batch * 3 * (size_t)(c->image_size * c->image_size);
  size_t tokens = vlb_graph_count(b->g, b->image_tokens) / (size_t)b->model->shape.views;
  for (int v = 0; v < b->model->shape.views; v++) {
    float *image = vlb_named_add(list, 4, (int64_t[]){b->batch, 3, c->image_size, c->image_size}, "out.image%d", v);
    for (size_t i = 0; image && i < floats; i++) image[i] = v < c->cameras ? batch->images[(size_t)v * floats + i] : -1.0f;
    float *t = vlb_named_add(list, 3, (int64_t[]){b->batch, b->model->shape.tokens_per_view, c->text_hidden}, "out.image_tokens%d", v);
    if (t) memcpy(t, vlb_graph_data(b->g, b->image_tokens) + (size_t)v * tokens, tokens * sizeof *t);
  }
}

void vlb_named_stream(vlb_named *list, const vlb_build *b, const vlb_t *segments, const char *name) {
  int64_t rows = 0, width = 0;
  for (int s = 0; s < SEGMENTS; s++) {
    if (segments[s] < 0) continue;
    rows += vlb_graph_dim(b->g, segments[s], 1);
    width = vlb_graph_dim(b->g, segments[s], 2);
  }
  float *out = rows ? vlb_named_add(list, 3, (int64_t[]){b->batch, rows, width}, "%s", name) : NULL;
  size_t at = 0;
  for (int s = 0; out && s < SEGMENTS; s++) {
    if (segments[s] < 0) continue;
    size_t block = (size_t)(vlb_graph_dim(b->g, segments[s], 1) * width);
    const float *x = vlb_graph_data(b->g, segments[s]);
    for (int i = 0; i < b->batch; i++) memcpy(out + (size_t)(i * rows * width) + at, x + (size_t)i * block, block * sizeof *out);
    at += block;
  }
}

void vlb_named_layout(vlb_named *list, const vlb_layout *l) {
  int64_t batch = l->batch, N = l->rows.total, P = l->rows.prefix, S = l->rows.suffix;
  size_t n = (size_t)N, p = (size_t)P, s = (size_t)S;
  float *pad = vlb_named_add(list, 2, (int64_t[]){batch, P}, "out.prefix_pad"), *att = vlb_named_add(list, 2, (int64_t[]){batch, P}, "out.prefix_att");
  float *suffix = vlb_named_add(list, 2, (int64_t[]){batch, S}, "out.suffix_att"), *att2d = vlb_named_add(list, 3, (int64_t[]){batch, N, N}, "out.att2d");
  float *positions = vlb_named_add(list, 2, (int64_t[]){batch, N}, "out.position_ids");
  for (size_t b = 0; !list->failed && b < (size_t)batch; b++) {
    for (size_t i = 0; i < p; i++) pad[b * p + i] = l->pad[b * n + i], att[b * p + i] = l->block[i];
    for (size_t i = 0; i < s; i++) suffix[b * s + i] = l->block[p + i];
    for (size_t i = 0; i < n; i++) positions[b * n + i] = (float)l->positions[b * n + i];
    for (size_t i = 0; i < n * n; i++) att2d[b * n * n + i] = l->allowed[b * n * n + i];
  }
}
