/* Attention for inference. Keys and values are packed into panels once (for a flow step: once per observation), heads by themselves; then tiles of
 * queries go through logits, softmax and the sum of values while they are in the cache. */
#include <float.h>
#include <math.h>

#include "core/tensor/graph_inside.h"
#include "core/tensor/panel.h"
#include "core/tensor/vector.h"

/* ---- packing: in k, v [B,S,K*d]; outs: per (b, head) the panels of k^T [d,S] and of v [S,d] ---- */

enum { PACK_ROWS, PACK_HEADS, PACK_DIM, PACK_BATCH };

static void pack_part(vlb_graph *g, vlb_node *n, int i, int worker) {
  (void)worker;
  int64_t rows = n->attr[PACK_ROWS], heads = n->attr[PACK_HEADS], dim = n->attr[PACK_DIM], width = heads * dim;
  int64_t from = i / heads * rows * width + i % heads * dim, keys = vlb_panel_floats(rows, dim), values = vlb_panel_floats(dim, rows);
  float *kt = vlb_out(g, n->outs[0]) + i * keys, *v = vlb_out(g, n->outs[1]) + i * values;
  for (int64_t j = 0; j < vlb_panel_count(rows); j++) vlb_panel_pack_rows(vlb_in(g, n->in[0]) + from, width, rows, dim, j, kt + vlb_panel_offset(dim, j));
  for (int64_t j = 0; j < vlb_panel_count(dim); j++) vlb_panel_pack_columns(vlb_in(g, n->in[1]) + from, width, dim, rows, j, v + vlb_panel_offset(rows, j));
}

static vlb_code pack_plan(vlb_graph *g, vlb_node *n, vlb_error *err) {
  (void)err;
  vlb_node_share(g, n, n->attr[PACK_BATCH] * n->attr[PACK_HEADS], 1, pack_part);
  return VLB_OK;
}

const vlb_op vlb_pack_keys_op = {"pack keys", pack_plan, NULL, NULL};

vlb_node *vlb_pack_keys(vlb_graph *g, vlb_t k, vlb_t v, int64_t kv_heads) {
  int64_t batch = vlb_graph_dim(g, k, 0), rows = vlb_graph_dim(g, k, 1), dim = vlb_graph_dim(g, k, 2) / kv_heads;
  vlb_t outs[2] = {vlb_tensor_new(g, 2, (int64_t[]){batch * kv_heads, vlb_panel_floats(rows, dim)}),
                   vlb_tensor_new(g, 2, (int64_t[]){batch * kv_heads, vlb_panel_floats(dim, rows)})};
  vlb_node *n = vlb_node_outputs(g, &vlb_pack_keys_op, (vlb_t[]){k, v}, 2, outs, 2);
  if (n) memcpy(n->attr, (int64_t[]){rows, kv_heads, dim, batch}, 4 * sizeof *n->attr);
  return n;
}

/* ---- attention: in q, mask, then k^T and v of each part ---- */

enum { BATCH, QUERIES, KEYS, GROUPS, KV_HEADS, DIM }; /* as in op_attention.c */
enum { TILE = 64 };                                   /* queries of a tile, at most */

typedef struct {
  int64_t batch, queries, heads, kv_heads, dim, tiles;
  int parts;
  int64_t rows[VLB_MAX_PARTS], at[VLB_MAX_PARTS]; /* keys of a part, and the column of its first logit */
  int64_t width;                                  /* of a row of logits: every part is padded to whole vectors */
  int64_t out_width;
} geometry;

static int64_t whole_vectors(int64_t n) { return (n + VLB_LANES - 1) / VLB_LANES * VLB_LANES; }

static geometry geometry_of(const vlb_graph *g, const vlb_node *n) {
  const int64_t *a = n->attr;
  geometry s = {.batch = a[BATCH], .queries = a[QUERIES], .heads = a[GROUPS] * a[KV_HEADS], .kv_heads = a[KV_HEADS], .dim = a[DIM],
                .tiles = (a[QUERIES] + TILE - 1) / TILE, .parts = (n->nin - 2) / 2, .out_width = whole_vectors(a[DIM])};
  for (int i = 0; i < s.parts; i++) {
    s.rows[i] = vlb_graph_dim(g, n->in[2 + 2 * i + 1], 1) / s.out_width; /* v [.., d in whole vectors x rows] */
    s.at[i] = s.width;
    s.width += whole_vectors(s.rows[i]);
  }
  return s;
}

/* One row of logits to weights that still have to be divided by what is returned. Masked logits count as the most negative float, so a row without
 * any allowed key becomes uniform. */
static float softmax_row(const geometry *s, float *x, const float *allowed, float scale) {
  vf top = v_set(-FLT_MAX), sum = {0}, zero = {0};
  const float *mask = allowed;
  for (int p = 0; p < s->parts; mask += mask ? s->rows[p] : 0, p++)
    for (int64_t i = 0; i < s->rows[p]; i += VLB_LANES) {
      int64_t left = s->rows[p] - i;
      vf v = v_fill(v_load(x + s->at[p] + i, VLB_LANES), left, -FLT_MAX);
      top = v_max(top, mask ? v_select(v_load(mask + i, left) > zero, v, v_set(-FLT_MAX)) : v);
    }
  vf highest = v_set(v_top(top) * scale), by = v_set(scale);
  mask = allowed;
  for (int p = 0; p < s->parts; mask += mask ? s->rows[p] : 0, p++)
    for (int64_t i = 0; i < s->rows[p]; i += VLB_LANES) {
      int64_t left = s->rows[p] - i;
      float *at = x + s->at[p] + i;
      vf e = v_exp(v_load(at, VLB_LANES) * by - highest);
      if (left < VLB_LANES) e = v_fill(e, left, 0);
      if (mask) e = v_select(v_load(mask + i, left) > zero, e, zero);
      sum += e;
      v_store(at, e, VLB_LANES);
    }
  return v_sum(sum);
}

/* the same without a mask and in one part: the vision tower */
static float softmax_plain(float *x, int64_t n, float scale) {
  vf top[2] = {v_set(-FLT_MAX), v_set(-FLT_MAX)}, sum[2] = {{0}, {0}};
  for (int64_t i = 0; i < n; i += 2 * VLB_LANES)
    for (int j = 0; j < 2; j++) top[j] = v_max(top[j], v_load(x + i + j * VLB_LANES, VLB_LANES));
  vf highest = v_set(v_top(v_max(top[0], top[1])) * scale), by = v_set(scale);
  for (int64_t i = 0; i < n; i += 2 * VLB_LANES)
    for (int j = 0; j < 2; j++) {
      vf e = v_exp(v_load(x + i + j * VLB_LANES, VLB_LANES) * by - highest);
      sum[j] += e;
      v_store(x + i + j * VLB_LANES, e, VLB_LANES);
    }
  return v_sum(sum[0] + sum[1]);
}

static float uniform(const geometry *s, float *x) {
  float total = 0;
  for (int p = 0; p < s->parts; p++) {
    for (int64_t i = 0; i < s->rows[p]; i++) x[s->at[p] + i] = 1.0f;
    total += (float)s->rows[p];
  }
  return total;
}

/* where the tile's query rows lie: head h of batch entry b, first query q0 */
typedef struct {
  int64_t b, h, q0, count;
} place;

static void softmax_tile(const vlb_graph *g, const vlb_node *n, const geometry *s, const place *t, float *logits, float *totals) {
  const float *mask = vlb_in(g, n->in[1]);
  int64_t mask_rows = vlb_graph_dim(g, n->in[1], 1), keys = 0;
  float scale = 1.0f / sqrtf((float)s->dim);
  for (int p = 0; p < s->parts; p++) keys += s->rows[p];
  for (int64_t r = 0; r < t->count; r++) {
    float *row = logits + r * s->width;
    const float *allowed = mask ? mask + (t->b * mask_rows + (mask_rows > 1 ? t->q0 + r : 0)) * keys : NULL;
    bool plain = !mask && s->parts == 1 && s->rows[0] % (2 * VLB_LANES) == 0;
    totals[r] = plain ? softmax_plain(row, s->width, scale) : softmax_row(s, row, allowed, scale);
    if (!(totals[r] > 0)) totals[r] = uniform(s, row);
  }
}

static void attend_part(vlb_graph *g, vlb_node *n, int i, int worker) {
  geometry s = geometry_of(g, n);
  int64_t tile = i % s.tiles, head = i / s.tiles, ld = s.heads * s.dim;
  place t = {head / s.heads, head % s.heads, s.queries * tile / s.tiles, s.queries * (tile + 1) / s.tiles - s.queries * tile / s.tiles};
  int64_t kv = t.b * s.kv_heads + t.h / (s.heads / s.kv_heads), first = (t.b * s.queries + t.q0) * ld + t.h * s.dim;
  const float *q = vlb_in(g, n->in[0]) + first;
  float *logits = vlb_worker_scratch(g, worker), *out = logits + TILE * s.width, *totals = out + TILE * s.out_width, *y = vlb_out(g, n->out) + first;
  for (int p = 0; p < s.parts; p++) {
    const float *kt = vlb_in(g, n->in[2 + 2 * p]) + kv * vlb_panel_floats(s.rows[p], s.dim);
    for (int64_t j = 0; j < vlb_panel_count(s.rows[p]); j++)
      vlb_panel_multiply(t.count, s.dim, q, ld, kt + vlb_panel_offset(s.dim, j), vlb_panel_width(s.rows[p], j), false, logits + s.at[p] + j * VLB_PANEL, s.width);
  }
  softmax_tile(g, n, &s, &t, logits, totals);
  for (int p = 0; p < s.parts; p++) {
    const float *v = vlb_in(g, n->in[2 + 2 * p + 1]) + kv * vlb_panel_floats(s.dim, s.rows[p]);
    for (int64_t j = 0; j < vlb_panel_count(s.dim); j++)
      vlb_panel_multiply(t.count, s.rows[p], logits + s.at[p], s.width, v + vlb_panel_offset(s.rows[p], j), vlb_panel_width(s.dim, j), p > 0, out + j * VLB_PANEL, s.out_width);
  }
  for (int64_t r = 0; r < t.count; r++)
    for (int64_t c = 0; c < s.dim; c += VLB_LANES) v_store(y + r * ld + c, v_load(out + r * s.out_width + c, VLB_LANES) * v_set(1.0f / totals[r]), s.dim - c);
}

static vlb_code attend_plan(vlb_graph *g, vlb_node *n, vlb_error *err) {
  geometry s = geometry_of(g, n);
  (void)err;
  /* counted as the products of a key head's group of query heads, as the plain attention makes them */
  vlb_node_product(n, s.heads / s.kv_heads * s.queries, n->attr[KEYS], s.dim, s.batch * s.kv_heads);
  vlb_node_product(n, s.heads / s.kv_heads * s.queries, s.dim, n->attr[KEYS], s.batch * s.kv_heads);
  vlb_node_scratch(g, (size_t)(TILE * (s.width + s.out_width + 1)));
  vlb_node_share(g, n, s.batch * s.heads * s.tiles, 1, attend_part);
  return VLB_OK;
}

const vlb_op vlb_attend_op = {"attend", attend_plan, NULL, NULL};

vlb_node *vlb_attend(vlb_graph *g, const vlb_node *attention, vlb_node *const *packs) {
  vlb_t in[2 + 2 * VLB_MAX_PARTS] = {attention->in[VLB_ATTENTION_QUERY], attention->in[VLB_ATTENTION_MASK]};
  int parts = (attention->nin - VLB_ATTENTION_FIRST_PART) / 2;
  for (int i = 0; i < parts; i++) {
    if (!packs[i]) return NULL;
    in[2 + 2 * i] = packs[i]->outs[0];
    in[2 + 2 * i + 1] = packs[i]->outs[1];
  }
  vlb_node *n = vlb_node_new(g, &vlb_attend_op, in, 2 + 2 * parts, attention->out);
  if (n) memcpy(n->attr, attention->attr, sizeof n->attr);
  return n;
}
