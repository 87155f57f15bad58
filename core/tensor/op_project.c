/* Linear layers for inference: one product for all layers of an input, with weights packed at plan time, cut into tiles of rows and groups of
 * panels; bias, activation, gate and residual are applied to a tile while it is in the cache. Float32 products are ours (panel.h), bfloat16 and
 * int8 ones oneDNN's; where the processor cannot multiply bfloat16, rounded values are multiplied as float32. */
#include <math.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/tensor/graph_inside.h"
#include "core/tensor/panel.h"
#include "core/tensor/pointwise.h"

enum { X, RESIDUAL, WEIGHTS }; /* inputs: then weight and bias of each layer */

/* Columns that are stored together: of layer `which`, from `column` on. */
typedef struct {
  int which;
  int64_t column, width, offset; /* width with padding; offset of the packed panel in elements (panels of our own) */
} panel;

/* oneDNN takes another kernel, which adds up in another order, for products of at most 256 elements of C; so that a row's bits do not depend
 * on how many there are, low products have at least so many rows, the last of them without meaning. */
enum { LEAST_ROWS = 32 };
static int64_t at_least(int64_t rows) { return rows > LEAST_ROWS ? rows : LEAST_ROWS; }

typedef struct {
  vlb_projection p;
  int64_t rows, k;
  int panels, groups, tiles;
  panel *panel;
  int *first;       /* [groups+1] panels of a group */
  size_t *packed_at; /* [groups] bytes */
  vlb_low **low;    /* [groups][2]: for tiles of the smaller and the larger number of rows */
  float *scale;     /* int8: of each column, in the order of panels */
  void *packed;     /* borrowed from the graph */
} projection;

static void projection_free(void *own) {
  projection *q = own;
  if (!q) return;
  free(q->panel), free(q->first), free(q->packed_at), free(q->low), free(q->scale), free(q);
}

/* ---- cutting: by shape alone ---- */

static int64_t outputs_of(const vlb_graph *g, const vlb_projection *p, int which) { return vlb_graph_dim(g, p->w[which], 0); }

static vlb_code list_panels(const vlb_graph *g, projection *q, vlb_error *err) {
  int64_t count = 0, offset = 0;
  for (int w = 0; w < q->p.count; w++) count += vlb_panel_count(outputs_of(g, &q->p, w));
  q->panel = calloc((size_t)count, sizeof *q->panel);
  if (!q->panel) return vlb_fail(err, VLB_FAILED, "out of memory planning the graph");
  int64_t each = vlb_panel_count(outputs_of(g, &q->p, 0));
  for (int64_t i = 0, w = 0, j = 0; i < count; i++) {
    if (q->p.gated) { /* the two layers' panels in turns, so that a group holds both */
      w = i % 2, j = i / 2;
    } else if (j == vlb_panel_count(outputs_of(g, &q->p, (int)w))) {
      w++, j = 0;
    }
    q->panel[i] = (panel){(int)w, j * VLB_PANEL, vlb_panel_width(outputs_of(g, &q->p, (int)w), j), offset};
    offset += q->panel[i].width * q->k;
    if (!q->p.gated) j++;
  }
  (void)each;
  q->panels = (int)count;
  return VLB_OK;
}

/* Parts of some 20 microseconds, and their number a multiple of four where there are so many panels: few threads then get equal shares. */
static vlb_code cut(projection *q, bool low, vlb_error *err) {
  enum { WHOLE = 256, TILE = 128 };
  int pairs = q->p.gated ? q->panels / 2 : q->panels, step = q->p.gated ? 2 : 1;
  q->tiles = q->rows <= WHOLE ? 1 : (int)((q->rows + TILE - 1) / TILE);
  double flops = 2.0 * (double)(q->rows / q->tiles) * VLB_PANEL * step * (double)q->k, wanted = low ? 12e6 : 4e6;
  int per_group = (int)ceil(wanted / flops), groups = (pairs + per_group - 1) / per_group;
  if (groups > 1) groups = (groups + 3) / 4 * 4;
  q->groups = groups < pairs ? groups : pairs;
  q->first = calloc((size_t)q->groups + 1, sizeof *q->first);
  q->packed_at = calloc((size_t)q->groups + 1, sizeof *q->packed_at);
  q->low = calloc(2 * (size_t)q->groups, sizeof *q->low);
  if (!q->first || !q->packed_at || !q->low) return vlb_fail(err, VLB_FAILED, "out of memory planning the graph");
  for (int i = 0; i <= q->groups; i++) q->first[i] = (int)((int64_t)pairs * i / q->groups) * step;
  return VLB_OK;
}

static int64_t group_width(const projection *q, int group) {
  int64_t sum = 0;
  for (int i = q->first[group]; i < q->first[group + 1]; i++) sum += q->panel[i].width;
  return sum;
}

static int64_t tile_start(const projection *q, int64_t tile) { return q->rows * tile / q->tiles; }

/* ---- packing ---- */

static const float *weight_of(const vlb_graph *g, const projection *q, const panel *a) { return vlb_in(g, q->p.w[a->which]) + q->p.first; }

static vlb_code reserve(vlb_graph *g, projection *q, size_t bytes, vlb_error *err) {
  if (!vlb_graph_grow(g, (void **)&g->packs, g->pack_count, &g->pack_room, sizeof(void *))) return vlb_fail(err, VLB_FAILED, "out of memory planning the graph");
  q->packed = vlb_floats((bytes + 3) / 4 + 64); /* products may read a little beyond the end */
  if (!q->packed) return vlb_fail(err, VLB_FAILED, "out of memory packing weights: %.0f MB more are needed", 1e-6 * (double)bytes);
  g->packs[g->pack_count++] = q->packed;
  g->pack_bytes += bytes;
  return VLB_OK;
}

static vlb_code pack_panels(vlb_graph *g, projection *q, vlb_error *err) {
  const panel *last = &q->panel[q->panels - 1];
  bool half = q->p.precision == VLB_BFLOAT16;
  VLB_TRY(reserve(g, q, (size_t)(last->offset + last->width * q->k) * (half ? sizeof(uint16_t) : sizeof(float)), err));
  for (int i = 0; i < q->panels; i++) {
    const panel *a = &q->panel[i];
    int64_t n = outputs_of(g, &q->p, a->which), j = a->column / VLB_PANEL;
    if (half)
      vlb_panel_pack_bf16(weight_of(g, q, a), q->p.ld, n, q->k, j, (uint16_t *)q->packed + a->offset);
    else
      vlb_panel_pack_rows(weight_of(g, q, a), q->p.ld, n, q->k, j, (float *)q->packed + a->offset);
  }
  return VLB_OK;
}

/* one row of a weight as int8; returns what a step is worth */
static float quantise_row(const float *w, int64_t k, int8_t *out) {
  float top = 0;
  for (int64_t i = 0; i < k; i++) top = fmaxf(top, fabsf(w[i]));
  float scale = top > 0 ? top / 127.0f : 1.0f;
  for (int64_t i = 0; i < k; i++) out[i] = (int8_t)lrintf(fminf(fmaxf(w[i] / scale, -127.0f), 127.0f));
  return scale;
}

/* the columns of a group as rows [width,k] of the low type */
static void gather_group(const vlb_graph *g, projection *q, int group, void *rows) {
  int64_t at = 0;
  float input = q->p.precision == VLB_INT8 ? fmaxf(g->how.ranges[q->p.range], 1e-30f) / 127.0f : 1.0f;
  for (int i = q->first[group]; i < q->first[group + 1]; i++) {
    const panel *a = &q->panel[i];
    const float *w = weight_of(g, q, a);
    for (int64_t c = 0; c < a->width; c++, at++) {
      const float *row = a->column + c < outputs_of(g, &q->p, a->which) ? w + (a->column + c) * q->p.ld : NULL;
      if (!row) continue; /* padding stays zero */
      if (q->p.precision == VLB_INT8)
        q->scale[i * VLB_PANEL + c] = input * quantise_row(row, q->k, (int8_t *)rows + at * q->k);
      else
        for (int64_t p = 0; p < q->k; p++) ((uint16_t *)rows)[at * q->k + p] = vlb_to_bf16(row[p]);
    }
  }
}

static vlb_code low_of(vlb_graph *g, const vlb_low_spec *spec, vlb_low **out, vlb_error *err) {
  for (int i = 0; i < g->low_count; i++)
    if (!memcmp(&g->lows[i].spec, spec, sizeof *spec)) {
      *out = g->lows[i].low;
      return VLB_OK;
    }
  if (!vlb_graph_grow(g, (void **)&g->lows, g->low_count, &g->low_room, sizeof(shared_low))) return vlb_fail(err, VLB_FAILED, "out of memory planning the graph");
  VLB_TRY(vlb_low_create(spec, vlb_team_size(g->how.team), out, err));
  g->lows[g->low_count++] = (shared_low){*spec, *out};
  size_t floats = (vlb_low_scratch(*out) + 63) / 64 * 16;
  if (floats > g->gemm_scratch) g->gemm_scratch = floats;
  return VLB_OK;
}

static vlb_code pack_low(vlb_graph *g, projection *q, vlb_error *err) {
  bool whole = q->p.precision == VLB_INT8;
  int64_t small = q->rows / q->tiles, widest = 0;
  q->scale = calloc((size_t)q->panels * VLB_PANEL, sizeof *q->scale);
  if (!q->scale) return vlb_fail(err, VLB_FAILED, "out of memory planning the graph");
  for (int i = 0; i < q->groups; i++) {
    for (int more = 0; more < 2; more++) {
      if (more && q->rows % q->tiles == 0) continue;
      vlb_low_spec s = {at_least(small + more), group_width(q, i), q->k, whole ? VLB_LOW_INT8 : VLB_LOW_BF16};
      VLB_TRY(low_of(g, &s, &q->low[2 * i + more], err));
    }
    q->packed_at[i + 1] = q->packed_at[i] + (vlb_low_packed_bytes(q->low[2 * i]) + 63) / 64 * 64;
    if (group_width(q, i) > widest) widest = group_width(q, i);
  }
  vlb_node_scratch(g, (size_t)(at_least(small + 1) * widest));
  VLB_TRY(reserve(g, q, q->packed_at[q->groups], err));
  void *rows = vlb_floats((size_t)(widest * q->k));
  vlb_code code = rows ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory packing weights");
  for (int i = 0; !code && i < q->groups; i++) {
    memset(rows, 0, (size_t)(widest * q->k) * sizeof(float));
    gather_group(g, q, i, rows);
    code = vlb_low_pack(q->low[2 * i], rows, (char *)q->packed + q->packed_at[i], err);
  }
  free(rows);
  return code;
}

/* ---- storing a tile ---- */

/* What becomes of the product of one panel. */
typedef struct {
  const float *bias, *residual, *scale; /* from the panel's first column on; NULL: none */
  float *out;
  int64_t width, columns; /* to be stored of the panel; of the whole output */
} target;

VLB_INLINE vf product_at(const float *tile, const float *scale, int64_t c) {
  if (!scale) return v_load(tile + c, VLB_LANES);
  vi sums;
  memcpy(&sums, tile + c, sizeof sums);
  return __builtin_convertvector(sums, vf) * v_load(scale + c, VLB_LANES);
}

static void store(const target *t, bool gelu, int64_t row, int64_t rows, const float *tile, int64_t ld) {
  for (int64_t r = row; r < row + rows; r++, tile += ld) {
    float *out = t->out + r * t->columns;
    for (int64_t c = 0; c < t->width; c += VLB_LANES) {
      int64_t left = t->width - c;
      vf v = product_at(tile, t->scale, c);
      if (t->bias) v += v_load(t->bias + c, left);
      if (gelu) v = v_gelu(v);
      if (t->residual) v += v_load(t->residual + r * t->columns + c, left);
      v_store(out + c, v, left);
    }
  }
}

static void store_gated(const target *t, const target *up, int64_t row, int64_t rows, const float *tile, const float *up_tile, int64_t ld) {
  for (int64_t r = row; r < row + rows; r++, tile += ld, up_tile += ld)
    for (int64_t c = 0; c < t->width; c += VLB_LANES) {
      int64_t left = t->width - c;
      vf a = product_at(tile, t->scale, c), b = product_at(up_tile, up->scale, c);
      if (t->bias) a += v_load(t->bias + c, left);
      if (up->bias) b += v_load(up->bias + c, left);
      v_store(t->out + r * t->columns + c, a * v_sigmoid(a) * b, left);
    }
}

static target target_of(vlb_graph *g, const vlb_node *n, const projection *q, int i) {
  const panel *a = &q->panel[i];
  int64_t columns = outputs_of(g, &q->p, a->which), left = columns - a->column;
  const float *bias = vlb_in(g, q->p.bias[a->which]), *residual = vlb_in(g, n->in[RESIDUAL]);
  return (target){.bias = bias ? bias + a->column : NULL, .residual = residual ? residual + a->column : NULL,
                  .scale = q->p.precision == VLB_INT8 ? q->scale + i * VLB_PANEL : NULL,
                  .out = vlb_out(g, q->p.out[q->p.gated ? 0 : a->which]) + a->column, .width = left < a->width ? left : a->width, .columns = columns};
}

/* ---- running ---- */

static void run_low(vlb_graph *g, vlb_node *n, int i, int worker) {
  projection *q = n->own;
  int64_t row = tile_start(q, i / q->groups), rows = tile_start(q, i / q->groups + 1) - row;
  int group = i % q->groups, more = rows > q->rows / q->tiles;
  float *tile = vlb_worker_scratch(g, worker);
  const char *x = (const char *)vlb_in(g, n->in[X]) + row * q->k * (q->p.precision == VLB_INT8 ? 1 : 2);
  vlb_low_run(q->low[2 * group + more], worker, x, (const char *)q->packed + q->packed_at[group], tile, tile + g->scratch_count);
  int64_t ld = group_width(q, group), at = 0;
  for (int j = q->first[group]; j < q->first[group + 1]; j++) {
    target t = target_of(g, n, q, j);
    int64_t width = q->panel[j].width;
    if (q->p.gated) {
      target up = target_of(g, n, q, ++j);
      store_gated(&t, &up, row, rows, tile + at, tile + at + width, ld);
      width += q->panel[j].width;
    } else {
      store(&t, q->p.gelu, row, rows, tile + at, ld);
    }
    at += width;
  }
}

static void multiply(const projection *q, int j, int64_t rows, const float *x, float *c, int64_t ld) {
  const panel *a = &q->panel[j];
  if (q->p.precision == VLB_BFLOAT16)
    vlb_panel_multiply_bf16(rows, q->k, x, q->k, (const uint16_t *)q->packed + a->offset, a->width, false, c, ld);
  else
    vlb_panel_multiply(rows, q->k, x, q->k, (const float *)q->packed + a->offset, a->width, false, c, ld);
}

static void run_panels(vlb_graph *g, vlb_node *n, int i, int worker) {
  projection *q = n->own;
  int64_t row = tile_start(q, i / q->groups), rows = tile_start(q, i / q->groups + 1) - row;
  float *tile = vlb_worker_scratch(g, worker);
  const float *x = vlb_in(g, n->in[X]) + row * q->k;
  for (int j = q->first[i % q->groups]; j < q->first[i % q->groups + 1]; j++) {
    target t = target_of(g, n, q, j);
    multiply(q, j, rows, x, tile, 2 * VLB_PANEL);
    if (q->p.gated) {
      target up = target_of(g, n, q, ++j);
      multiply(q, j, rows, x, tile + VLB_PANEL, 2 * VLB_PANEL);
      store_gated(&t, &up, row, rows, tile, tile + VLB_PANEL, 2 * VLB_PANEL);
    } else {
      store(&t, q->p.gelu, row, rows, tile, 2 * VLB_PANEL);
    }
  }
}

static bool by_onednn(vlb_precision p) { return p == VLB_INT8 || (p == VLB_BFLOAT16 && vlb_low_supported(VLB_LOW_BF16)); }

static vlb_code project_plan(vlb_graph *g, vlb_node *n, vlb_error *err) {
  projection *q = n->own;
  bool low = by_onednn(q->p.precision);
  for (int w = 0; w < q->p.count && g->how.wanted; w++) VLB_TRY(g->how.wanted(g->how.self, vlb_in(g, q->p.w[w]), err));
  VLB_TRY(list_panels(g, q, err));
  VLB_TRY(cut(q, low, err));
  VLB_TRY(low ? pack_low(g, q, err) : pack_panels(g, q, err));
  for (int w = 0; w < q->p.count; w++) {
    vlb_node_product(n, q->rows, outputs_of(g, &q->p, w), q->k, 1);
    if (g->how.packed) g->how.packed(g->how.self, vlb_in(g, q->p.w[w]));
  }
  if (!low) vlb_node_scratch(g, (size_t)((q->rows / q->tiles + 1) * 2 * VLB_PANEL));
  vlb_node_share(g, n, (int64_t)q->tiles * q->groups, 1, low ? run_low : run_panels);
  return VLB_OK;
}

const vlb_op vlb_project_op = {"linear", project_plan, NULL, NULL};

/* ---- inputs in another type, or their range ---- */

enum { CONVERT_ROWS, CONVERT_WIDTH, CONVERT_TO, CONVERT_RANGE };
enum { TO_BF16, TO_ROUNDED, TO_INT8, TO_RANGE };

VLB_INLINE vi bf16_bits(vf x) {
  vi bits = (vi)x, one = (bits >> 16) & 1, rounded = bits + 0x7fff + one;
  return (vi)v_select(x != x, (vf)(bits | 0x400000), (vf)rounded) & ~(vi)((vi){0} + 0xffff);
}

typedef uint16_t halves __attribute__((vector_size(2 * VLB_LANES)));
typedef int8_t bytes __attribute__((vector_size(VLB_LANES)));

static void convert_row(const float *x, int64_t width, int64_t to, float inverse, char *out) {
  for (int64_t i = 0; i < width; i += VLB_LANES) {
    int64_t left = width - i < VLB_LANES ? width - i : VLB_LANES;
    vf v = v_load(x + i, left);
    if (to == TO_INT8) {
      vf q = v_min(v_max(v * v_set(inverse), v_set(-127.0f)), v_set(127.0f)) + v_set(12582912.0f); /* rounds to an integer */
      bytes b = __builtin_convertvector((vi)q - (vi)v_set(12582912.0f), bytes);
      memcpy(out + i, &b, (size_t)left);
    } else if (to == TO_BF16) {
      halves h = __builtin_convertvector((vi)((bf16_bits(v) >> 16) & 0xffff), halves);
      memcpy(out + 2 * i, &h, 2 * (size_t)left);
    } else {
      v_store((float *)out + i, (vf)bf16_bits(v), left);
    }
  }
}

static void convert_part(vlb_graph *g, vlb_node *n, int i, int worker) {
  static const int64_t sizes[] = {[TO_BF16] = 2, [TO_ROUNDED] = 4, [TO_INT8] = 1};
  int64_t rows = n->attr[CONVERT_ROWS], width = n->attr[CONVERT_WIDTH], to = n->attr[CONVERT_TO];
  float inverse = to == TO_INT8 ? 127.0f / fmaxf(g->how.ranges[n->attr[CONVERT_RANGE]], 1e-30f) : 1.0f;
  char *out = (char *)vlb_out(g, n->out);
  (void)worker;
  for (int64_t r = rows * i / n->parts; r < rows * (i + 1) / n->parts; r++)
    convert_row(vlb_in(g, n->in[0]) + r * width, width, to, inverse, out + r * width * sizes[to]);
}

static void range_run(vlb_graph *g, vlb_node *n) {
  const float *x = vlb_in(g, n->in[0]);
  float top = g->how.ranges[n->attr[CONVERT_RANGE]];
  for (size_t i = 0; i < vlb_graph_count(g, n->in[0]); i++) top = fmaxf(top, fabsf(x[i]));
  g->how.ranges[n->attr[CONVERT_RANGE]] = top;
}

static vlb_code convert_plan(vlb_graph *g, vlb_node *n, vlb_error *err) {
  if (n->attr[CONVERT_RANGE] >= g->how.range_count)
    return vlb_fail(err, VLB_FAILED, "int8: %d ranges of layers' inputs, but there are more layers; calibrate this model again", g->how.range_count);
  if (n->attr[CONVERT_TO] != TO_RANGE) vlb_node_share(g, n, n->attr[CONVERT_ROWS], 16, convert_part);
  return VLB_OK;
}
const vlb_op vlb_convert_op = {"convert", convert_plan, range_run, NULL};

static vlb_t convert(vlb_graph *g, const vlb_projection *p, int64_t to) {
  static const size_t per_float[] = {[TO_BF16] = 2, [TO_ROUNDED] = 1, [TO_INT8] = 4, [TO_RANGE] = 1};
  size_t count = (size_t)(at_least(vlb_rows_of(g, p->x)) * vlb_graph_dim(g, p->x, -1));
  vlb_t out = vlb_tensor_new(g, 1, (int64_t[]){to == TO_RANGE ? 1 : (int64_t)(count / per_float[to] + 16)});
  vlb_node *n = vlb_node_new(g, &vlb_convert_op, &p->x, 1, out);
  if (!n) return VLB_NONE;
  memcpy(n->attr, (int64_t[]){vlb_rows_of(g, p->x), vlb_graph_dim(g, p->x, -1), to, p->range}, 4 * sizeof *n->attr);
  n->stage = p->stage;
  return out;
}

/* ---- definition ---- */

vlb_node *vlb_project(vlb_graph *g, const vlb_projection *p) {
  projection *q = calloc(1, sizeof *q);
  if (!q) {
    vlb_graph_fail(g, "out of memory planning the graph");
    return NULL;
  }
  q->p = *p;
  q->rows = vlb_rows_of(g, p->x);
  q->k = vlb_graph_dim(g, p->x, -1);
  vlb_t x = p->x, in[WEIGHTS + 6] = {VLB_NONE, p->residual};
  if (p->precision == VLB_INT8 && g->how.calibrate) {
    convert(g, p, TO_RANGE);
    q->p.precision = VLB_FLOAT32;
  } else if (p->precision != VLB_FLOAT32) {
    x = convert(g, p, p->precision == VLB_INT8 ? TO_INT8 : by_onednn(p->precision) ? TO_BF16 : TO_ROUNDED);
  }
  in[X] = x;
  for (int i = 0; i < p->count; i++) in[WEIGHTS + 2 * i] = p->w[i], in[WEIGHTS + 2 * i + 1] = p->bias[i];
  vlb_node *n = vlb_node_outputs(g, &vlb_project_op, in, WEIGHTS + 2 * p->count, p->out, p->gated ? 1 : p->count);
  if (!n) {
    projection_free(q);
    return NULL;
  }
  n->own = q;
  n->own_free = projection_free;
  n->stage = p->stage;
  return n;
}
