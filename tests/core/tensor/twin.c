#include "tests/core/tensor/twin.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- values ---- */

static value *value_new(twin *t, const int64_t *dims, vlb_t tensor) {
  value *x = calloc(1, sizeof *x);
  assert_non_null(x);
  x->count = 1;
  for (; dims[x->ndim]; x->ndim++) {
    x->dims[x->ndim] = dims[x->ndim];
    x->count *= (size_t)dims[x->ndim];
  }
  x->v = calloc(x->count, sizeof *x->v);
  assert_non_null(x->v);
  x->t = tensor;
  x->next = t->values;
  t->values = x;
  return x;
}

static const int64_t *axes_of(const value *x) {
  static int64_t dims[5];
  memset(dims, 0, sizeof dims);
  memcpy(dims, x->dims, (size_t)x->ndim * sizeof *dims);
  return dims;
}

static int64_t last(const value *x) { return x->dims[x->ndim - 1]; }
static vlb_t tensor_of(const value *x) { return x ? x->t : VLB_NONE; }

/* ---- leaves ---- */

static twin_leaf *leaf_at(twin *t, size_t count, bool trained, const float *given) {
  assert_true(t->next_leaf < TWIN_LEAVES);
  twin_leaf *l = &t->leaves[t->next_leaf++];
  if (t->next_leaf <= t->leaf_count) return l;
  t->leaf_count = t->next_leaf;
  l->trained = trained;
  l->count = count;
  l->data = calloc(count, sizeof *l->data);
  l->direction = calloc(count, sizeof *l->direction);
  assert_true(l->data && l->direction);
  if (given)
    memcpy(l->data, given, count * sizeof *l->data);
  else
    vlb_rng_normals(&t->rng, l->data, count);
  if (trained) {
    l->offset = t->gradient_count;
    t->gradient_count += (count + 15) & ~(size_t)15;
  }
  return l;
}

static value *leaf(twin *t, const int64_t *dims, bool trained, const float *given) {
  value *x = value_new(t, dims, VLB_NONE);
  twin_leaf *l = leaf_at(t, x->count, trained, given);
  for (size_t i = 0; i < x->count; i++) x->v[i] = (double)l->data[i] + (trained ? t->step * l->direction[i] : 0);
  if (t->g && trained) x->t = vlb_weight(t->g, x->ndim, x->dims, l->data, (int64_t)l->offset);
  if (t->g && !trained) {
    x->t = vlb_input(t->g, x->ndim, x->dims);
    vlb_graph_bind(t->g, x->t, l->data);
  }
  return x;
}

value *twin_weight(twin *t, const int64_t *dims) { return leaf(t, dims, true, NULL); }
value *twin_constant(twin *t, const int64_t *dims) { return leaf(t, dims, false, NULL); }
value *twin_given(twin *t, const int64_t *dims, const float *data) { return leaf(t, dims, false, data); }
value *twin_leaf_of(twin *t, const int64_t *dims) {
  value *x = leaf(t, dims, true, NULL);
  return t->wrap ? twin_add(t, x, twin_constant(t, dims)) : x;
}

value *twin_ids(twin *t, int64_t batch, int64_t rows, const int32_t *ids) {
  value *x = value_new(t, AXES(batch, rows), VLB_NONE);
  x->ids = ids;
  if (t->g) {
    x->t = vlb_ids(t->g, batch, rows);
    vlb_graph_bind_ids(t->g, x->t, ids);
  }
  return x;
}

/* ---- ops ---- */

value *twin_linear(twin *t, value *x, value *w, value *bias, value *residual, int64_t first) {
  int64_t dims[5] = {0}, in = last(x), out = w->dims[0], ld = last(w), rows = (int64_t)x->count / in;
  memcpy(dims, x->dims, (size_t)x->ndim * sizeof *dims);
  dims[x->ndim - 1] = out;
  value *y = value_new(t, dims, t->g ? vlb_linear(t->g, x->t, w->t, tensor_of(bias), tensor_of(residual), first) : VLB_NONE);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t o = 0; o < out; o++) {
      double sum = (bias ? bias->v[o] : 0) + (residual ? residual->v[r * out + o] : 0);
      for (int64_t i = 0; i < in; i++) sum += x->v[r * in + i] * w->v[o * ld + first + i];
      y->v[r * out + o] = sum;
    }
  return y;
}

value *twin_add(twin *t, value *a, value *b) {
  value *y = value_new(t, axes_of(a), t->g ? vlb_add(t->g, a->t, b->t) : VLB_NONE);
  for (size_t i = 0; i < y->count; i++) y->v[i] = a->v[i] + b->v[i];
  return y;
}

value *twin_add_row(twin *t, value *x, value *row) {
  value *y = value_new(t, axes_of(x), t->g ? vlb_add_row(t->g, x->t, row->t) : VLB_NONE);
  int64_t rows = x->dims[1], width = x->dims[2];
  for (int64_t i = 0; i < (int64_t)y->count; i++) y->v[i] = x->v[i] + row->v[i / (rows * width) * width + i % width];
  return y;
}

value *twin_add_table(twin *t, value *x, value *table) {
  value *y = value_new(t, axes_of(x), t->g ? vlb_add_table(t->g, x->t, table->t) : VLB_NONE);
  for (size_t i = 0; i < y->count; i++) y->v[i] = x->v[i] + table->v[i % table->count];
  return y;
}

static void norm(value *y, const value *x, const value *w, const value *b, double eps, bool centred) {
  int64_t width = last(x);
  for (int64_t r = 0; r < (int64_t)x->count / width; r++) {
    const double *row = x->v + r * width;
    double mean = 0, square = 0;
    for (int64_t i = 0; centred && i < width; i++) mean += row[i] / (double)width;
    for (int64_t i = 0; i < width; i++) square += (row[i] - mean) * (row[i] - mean) / (double)width;
    for (int64_t i = 0; i < width; i++) y->v[r * width + i] = w->v[i] * (row[i] - mean) / sqrt(square + eps) + (b ? b->v[i] : 0);
  }
}

value *twin_layer_norm(twin *t, value *x, value *w, value *b, double eps) {
  value *y = value_new(t, axes_of(x), t->g ? vlb_layer_norm(t->g, x->t, w->t, b->t, eps) : VLB_NONE);
  norm(y, x, w, b, eps, true);
  return y;
}

value *twin_rms_norm(twin *t, value *x, value *w, double eps) {
  value *y = value_new(t, axes_of(x), t->g ? vlb_rms_norm(t->g, x->t, w->t, eps) : VLB_NONE);
  norm(y, x, w, NULL, eps, false);
  return y;
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

value *twin_gelu(twin *t, value *x) {
  value *y = value_new(t, axes_of(x), t->g ? vlb_gelu(t->g, x->t) : VLB_NONE);
  for (size_t i = 0; i < y->count; i++) {
    double a = x->v[i];
    y->v[i] = 0.5 * a * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (a + 0.044715 * a * a * a)));
  }
  return y;
}

value *twin_silu(twin *t, value *x) {
  value *y = value_new(t, axes_of(x), t->g ? vlb_silu(t->g, x->t) : VLB_NONE);
  for (size_t i = 0; i < y->count; i++) y->v[i] = x->v[i] * sigmoid(x->v[i]);
  return y;
}

value *twin_gate(twin *t, value *gate, value *up) {
  value *y = value_new(t, axes_of(gate), t->g ? vlb_gate(t->g, gate->t, up->t) : VLB_NONE);
  for (size_t i = 0; i < y->count; i++) y->v[i] = gate->v[i] * sigmoid(gate->v[i]) * up->v[i];
  return y;
}

/* the angle itself is defined in float32 (specification 12.1) */
value *twin_rope_angles(twin *t, value *positions, int64_t d) {
  value *y = value_new(t, AXES(positions->dims[0], positions->dims[1], d), t->g ? vlb_rope_angles(t->g, positions->t, d) : VLB_NONE);
  for (int64_t r = 0; r < (int64_t)positions->count; r++)
    for (int64_t j = 0; j < d / 2; j++) {
      float theta = (float)positions->ids[r] / powf(10000.0f, (float)(2 * j) / (float)d);
      y->v[r * d + j] = cos((double)theta);
      y->v[r * d + d / 2 + j] = sin((double)theta);
    }
  return y;
}

value *twin_rope(twin *t, value *x, value *angles) {
  value *y = value_new(t, axes_of(x), t->g ? vlb_rope(t->g, x->t, angles->t) : VLB_NONE);
  int64_t d = last(angles), heads = last(x) / d, half = d / 2;
  for (int64_t i = 0; i < (int64_t)x->count / d; i++) {
    const double *a = angles->v + i / heads * d, *from = x->v + i * d;
    for (int64_t j = 0; j < half; j++) {
      y->v[i * d + j] = from[j] * a[j] - from[j + half] * a[j + half];
      y->v[i * d + j + half] = from[j + half] * a[j] + from[j] * a[j + half];
    }
  }
  return y;
}

/* key row j of batch entry b in the parts joined along the rows */
static const double *joined_row(value *const *parts, int64_t b, int64_t j) {
  while (j >= (*parts)->dims[1]) j -= (*parts++)->dims[1];
  return (*parts)->v + (b * (*parts)->dims[1] + j) * last(*parts);
}

/* one query of one head; a masked logit is replaced, so that a row without allowed key is uniform and passes no gradient to q and k */
static void attend_row(const double *q, value *const *k, value *const *v, int64_t b, int64_t at, const double *allowed, int64_t keys,
                       int64_t d, double *y) {
  double *p = calloc((size_t)keys, sizeof *p), top = -INFINITY, total = 0;
  assert_non_null(p);
  for (int64_t j = 0; j < keys; j++) {
    const double *row = joined_row(k, b, j) + at;
    for (int64_t i = 0; i < d; i++) p[j] += q[i] * row[i] / sqrt((double)d);
    if (allowed && !(allowed[j] > 0)) p[j] = -3.4028234663852886e38;
    top = fmax(top, p[j]);
  }
  for (int64_t j = 0; j < keys; j++) total += p[j] = exp(p[j] - top);
  for (int64_t j = 0; j < keys; j++)
    for (int64_t i = 0; i < d; i++) y[i] += p[j] / total * (joined_row(v, b, j) + at)[i];
  free(p);
}

value *twin_attention(twin *t, value *q, value *const *k, value *const *v, int parts, value *mask, int64_t heads, int64_t kv_heads,
                      int64_t d) {
  vlb_t kt[VLB_MAX_PARTS], vt[VLB_MAX_PARTS];
  int64_t keys = 0, queries = q->dims[1];
  for (int i = 0; i < parts; i++) {
    kt[i] = k[i]->t;
    vt[i] = v[i]->t;
    keys += k[i]->dims[1];
  }
  value *y = value_new(t, axes_of(q), t->g ? vlb_attention(t->g, q->t, kt, vt, parts, tensor_of(mask), heads, kv_heads, d) : VLB_NONE);
  for (int64_t b = 0; b < q->dims[0]; b++)
    for (int64_t r = 0; r < queries; r++)
      for (int64_t h = 0; h < heads; h++) {
        int64_t mask_rows = mask ? mask->dims[1] : 1, at = ((b * queries + r) * heads + h) * d;
        const double *allowed = mask ? mask->v + (b * mask_rows + (mask_rows > 1 ? r : 0)) * keys : NULL;
        attend_row(q->v + at, k, v, b, h / (heads / kv_heads) * d, allowed, keys, d, y->v + at);
      }
  return y;
}

value *twin_assemble(twin *t, int64_t batch, const twin_rows *parts, int count) {
  vlb_rows rows[16];
  int64_t all = 0, at = 0, width = last(parts[0].x);
  assert_true(count <= 16);
  for (int i = 0; i < count; i++) {
    rows[i] = (vlb_rows){parts[i].x->t, parts[i].first_batch, parts[i].first_row, parts[i].rows, parts[i].scale};
    all += parts[i].rows;
  }
  value *y = value_new(t, AXES(batch, all, width), t->g ? vlb_assemble(t->g, batch, rows, count) : VLB_NONE);
  for (int i = 0; i < count; at += parts[i++].rows)
    for (int64_t b = 0; b < batch; b++)
      for (int64_t j = 0; j < parts[i].rows * width; j++)
        y->v[(b * all + at) * width + j] =
            (double)(float)parts[i].scale *
            parts[i].x->v[((parts[i].first_batch + b) * parts[i].x->dims[1] + parts[i].first_row) * width + j];
  return y;
}

value *twin_embed(twin *t, value *table, value *ids) {
  int64_t width = last(table);
  value *y = value_new(t, AXES(ids->dims[0], ids->dims[1], width), t->g ? vlb_embed(t->g, table->t, ids->t) : VLB_NONE);
  for (int64_t i = 0; i < (int64_t)y->count; i++) y->v[i] = table->v[ids->ids[i / width] * width + i % width];
  return y;
}

value *twin_patches(twin *t, value *images, int64_t p) {
  int64_t channels = images->dims[1], pixels = images->dims[2], n = pixels / p;
  value *y = value_new(t, AXES(images->dims[0], n * n, channels * p * p), t->g ? vlb_patches(t->g, images->t, p) : VLB_NONE);
  for (int64_t b = 0; b < images->dims[0]; b++)
    for (int64_t c = 0; c < channels; c++)
      for (int64_t row = 0; row < pixels; row++)
        for (int64_t col = 0; col < pixels; col++)
          y->v[((b * n * n + row / p * n + col / p) * channels + c) * p * p + row % p * p + col % p] =
              images->v[((b * channels + c) * pixels + row) * pixels + col];
  return y;
}

value *twin_pixel_shuffle(twin *t, value *x, int64_t side, int64_t f) {
  int64_t width = last(x), n = side / f;
  value *y = value_new(t, AXES(x->dims[0], n * n, f * f * width), t->g ? vlb_pixel_shuffle(t->g, x->t, side, f) : VLB_NONE);
  for (int64_t b = 0; b < x->dims[0]; b++)
    for (int64_t row = 0; row < n; row++)
      for (int64_t col = 0; col < n; col++)
        for (int64_t dy = 0; dy < f; dy++)
          for (int64_t dx = 0; dx < f; dx++)
            for (int64_t c = 0; c < width; c++)
              y->v[((b * n + row) * n + col) * f * f * width + (dy * f + dx) * width + c] =
                  x->v[((b * side + f * row + dy) * side + f * col + dx) * width + c];
  return y;
}

value *twin_loss(twin *t, value *prediction, value *target, value *weight, int power) {
  value *y = value_new(t, axes_of(prediction), t->g ? vlb_loss(t->g, prediction->t, target->t, weight->t, power) : VLB_NONE);
  for (size_t i = 0; i < y->count; i++) y->v[i] = weight->v[i] * pow(fabs(target->v[i] - prediction->v[i]), power);
  return y;
}

value *twin_cross_entropy(twin *t, value *logits, value *ids, value *weights, double scale) {
  int64_t width = last(logits), targets = last(weights), rows = (int64_t)logits->count / width;
  value *y = value_new(t, AXES(logits->dims[0], logits->dims[1], 1),
                       t->g ? vlb_cross_entropy(t->g, logits->t, ids->t, weights->t, scale) : VLB_NONE);
  for (int64_t r = 0; r < rows; r++) {
    const double *x = logits->v + r * width;
    double sum = 0;
    for (int64_t i = 0; i < width; i++) sum += exp(x[i]);
    y->v[r] = 0;
    for (int64_t k = 0; k < targets; k++) y->v[r] += (double)(float)scale * weights->v[r * targets + k] * (log(sum) - x[ids->ids[r * targets + k]]);
  }
  return y;
}
