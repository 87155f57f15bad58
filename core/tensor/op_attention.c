/* Softmax attention with grouped query heads, an arbitrary mask, and keys and values that come in parts (say prefix and suffix).
 * Heads are packed so that the G query heads of a group and all their rows form one matrix against the group's keys:
 * packed query [B*K, G*Sq, d], packed keys and values [B*K, Sk, d]; four batched products serve forward and backward. */
#include <float.h>
#include <math.h>

#include "core/tensor/op.h"
#include "core/tensor/vector.h"

enum { BATCH, QUERIES, KEYS, GROUPS, KV_HEADS, DIM }; /* GROUPS: query heads per key head */
/* inputs: q, mask, k parts, v parts */
enum { QUERY = VLB_ATTENTION_QUERY, MASK = VLB_ATTENTION_MASK, FIRST_PART = VLB_ATTENTION_FIRST_PART };

typedef struct {
  int64_t batch, queries, keys, groups, kv_heads, dim;
  int64_t rows; /* groups * queries */
  size_t q_size, kv_size, p_size;
} geometry;

static geometry geometry_of(const vlb_node *n) {
  const int64_t *a = n->attr;
  geometry s = {a[BATCH], a[QUERIES], a[KEYS], a[GROUPS], a[KV_HEADS], a[DIM], a[GROUPS] * a[QUERIES], 0, 0, 0};
  s.q_size = (size_t)(s.batch * s.kv_heads * s.rows * s.dim + 15) & ~(size_t)15;
  s.kv_size = (size_t)(s.batch * s.kv_heads * s.keys * s.dim + 15) & ~(size_t)15;
  s.p_size = (size_t)(s.batch * s.kv_heads * s.rows * s.keys + 15) & ~(size_t)15;
  return s;
}

/* [B,Sq,(kh,g,d)] -> [(B,kh),(g,Sq),d] times scale */
static void pack_query(const geometry *s, const float *x, float scale, float *y) {
  int64_t width = s->kv_heads * s->groups * s->dim;
  for (int64_t bh = 0; bh < s->batch * s->kv_heads; bh++)
    for (int64_t g = 0; g < s->groups; g++)
      for (int64_t q = 0; q < s->queries; q++, y += s->dim) {
        const float *from = x + (bh / s->kv_heads * s->queries + q) * width + ((bh % s->kv_heads) * s->groups + g) * s->dim;
        for (int64_t i = 0; i < s->dim; i += VLB_LANES) v_store(y + i, v_set(scale) * v_load(from + i, s->dim - i), s->dim - i);
      }
}

static void unpack_query(const geometry *s, const float *x, float scale, float *y, bool adds) {
  int64_t width = s->kv_heads * s->groups * s->dim;
  for (int64_t bh = 0; bh < s->batch * s->kv_heads; bh++)
    for (int64_t g = 0; g < s->groups; g++)
      for (int64_t q = 0; q < s->queries; q++, x += s->dim) {
        float *to = y + (bh / s->kv_heads * s->queries + q) * width + ((bh % s->kv_heads) * s->groups + g) * s->dim;
        for (int64_t i = 0; i < s->dim; i += VLB_LANES) {
          vf v = v_set(scale) * v_load(x + i, s->dim - i);
          v_store(to + i, adds ? v + v_load(to + i, s->dim - i) : v, s->dim - i);
        }
      }
}

/* rows of part tensors [B,Si,K*d] <-> [(B,kh),Sk,d] at row `at` */
static void pack_part(const geometry *s, const float *x, int64_t rows, int64_t at, float *y) {
  for (int64_t b = 0; b < s->batch; b++)
    for (int64_t r = 0; r < rows; r++)
      for (int64_t h = 0; h < s->kv_heads; h++, x += s->dim) {
        float *to = y + ((b * s->kv_heads + h) * s->keys + at + r) * s->dim;
        for (int64_t i = 0; i < s->dim; i += VLB_LANES) v_store(to + i, v_load(x + i, s->dim - i), s->dim - i);
      }
}

static void unpack_part(const geometry *s, const float *x, int64_t rows, int64_t at, float *y, bool adds) {
  for (int64_t b = 0; b < s->batch; b++)
    for (int64_t r = 0; r < rows; r++)
      for (int64_t h = 0; h < s->kv_heads; h++, y += s->dim) {
        const float *from = x + ((b * s->kv_heads + h) * s->keys + at + r) * s->dim;
        for (int64_t i = 0; i < s->dim; i += VLB_LANES) {
          vf v = v_load(from + i, s->dim - i);
          v_store(y + i, adds ? v + v_load(y + i, s->dim - i) : v, s->dim - i);
        }
      }
}

static void pack_parts(vlb_graph *g, const geometry *s, const vlb_t *parts, int count, float *y) {
  int64_t at = 0;
  for (int i = 0; i < count; i++) {
    int64_t rows = vlb_graph_dim(g, parts[i], 1);
    pack_part(s, vlb_in(g, parts[i]), rows, at, y);
    at += rows;
  }
}

/* softmax in place; allowed is a row of 0/1 or NULL. Masked logits count as the most negative float, so a row without any allowed
 * key becomes uniform, as in the reference. */
static void softmax_row(float *x, const float *allowed, int64_t n) {
  vf top = v_set(-FLT_MAX), sum = {0}, zero = {0};
  for (int64_t i = 0; i < n; i += VLB_LANES) {
    vf v = v_fill(v_load(x + i, n - i), n - i, -FLT_MAX);
    top = v_max(top, allowed ? v_select(v_load(allowed + i, n - i) > zero, v, v_set(-FLT_MAX)) : v);
  }
  vf highest = v_set(v_top(top));
  for (int64_t i = 0; i < n; i += VLB_LANES) {
    vf e = v_fill(v_exp(v_load(x + i, n - i) - highest), n - i, 0);
    if (allowed) e = v_select(v_load(allowed + i, n - i) > zero, e, zero);
    sum += e;
    v_store(x + i, e, n - i);
  }
  float total = v_sum(sum);
  bool none = !(total > 0);
  vf scale = v_set(none ? 0 : 1.0f / total), uniform = v_set(none ? 1.0f / (float)n : 0);
  for (int64_t i = 0; i < n; i += VLB_LANES) v_store(x + i, v_load(x + i, n - i) * scale + uniform, n - i);
}

/* The 0/1 row of the mask that serves row r of the packed queries of one batch entry and key head, or NULL. */
static const float *allowed_row(const vlb_graph *g, const vlb_node *n, const geometry *s, int64_t batch_head, int64_t r) {
  const float *mask = vlb_in(g, n->in[MASK]);
  int64_t mask_rows = vlb_graph_dim(g, n->in[MASK], 1), row = mask_rows > 1 ? r % s->queries : 0;
  return mask ? mask + (batch_head / s->kv_heads * mask_rows + row) * s->keys : NULL;
}

static void softmax(vlb_graph *g, const vlb_node *n, const geometry *s, float *p) {
  for (int64_t bh = 0; bh < s->batch * s->kv_heads; bh++)
    for (int64_t r = 0; r < s->rows; r++, p += s->keys) softmax_row(p, allowed_row(g, n, s, bh, r), s->keys);
}

/* products per (batch, key head): kinds of operand layout in the packed buffers */
static vlb_gemm_spec product(const geometry *s, int64_t m, int64_t n, int64_t k, bool a_transposed, bool b_transposed) {
  return (vlb_gemm_spec){
      .batch = s->batch * s->kv_heads, .m = m, .n = n, .k = k, .a_transposed = a_transposed, .b_transposed = b_transposed};
}

static vlb_code attention_plan(vlb_graph *g, vlb_node *n, vlb_error *err) {
  geometry s = geometry_of(n);
  vlb_gemm_spec logits = product(&s, s.rows, s.keys, s.dim, false, true), mix = product(&s, s.rows, s.dim, s.keys, false, false);
  VLB_TRY(vlb_node_gemm(g, n, 0, &logits, err));
  VLB_TRY(vlb_node_gemm(g, n, 1, &mix, err));
  vlb_node_scratch(g, 2 * s.q_size + 2 * s.kv_size);
  return VLB_OK;
}

static int parts_of(const vlb_node *n) { return (n->nin - FIRST_PART) / 2; }

static void attention_run(vlb_graph *g, vlb_node *n) {
  geometry s = geometry_of(n);
  int parts = parts_of(n);
  float *q = vlb_scratch(g), *o = q + s.q_size, *k = o + s.q_size, *v = k + s.kv_size, *p = vlb_out(g, n->extra);
  pack_query(&s, vlb_in(g, n->in[QUERY]), 1.0f / sqrtf((float)s.dim), q);
  pack_parts(g, &s, n->in + FIRST_PART, parts, k);
  pack_parts(g, &s, n->in + FIRST_PART + parts, parts, v);
  vlb_multiply(g, n, 0, q, k, NULL, NULL, p);
  softmax(g, n, &s, p);
  vlb_multiply(g, n, 1, p, v, NULL, NULL, o);
  unpack_query(&s, o, 1.0f, vlb_out(g, n->out), false);
}

/* ds = p (dp - sum(dp p)), in place of dp. A masked logit was replaced, so nothing flows to it: that matters where p is uniform for
 * want of an allowed key; elsewhere p is zero there anyway. */
static void softmax_row_back(const float *p, const float *allowed, float *dp, int64_t n) {
  vf dot = {0};
  for (int64_t i = 0; i < n; i += VLB_LANES) dot += v_load(p + i, n - i) * v_load(dp + i, n - i);
  vf sum = v_set(v_sum(dot));
  for (int64_t i = 0; i < n; i += VLB_LANES) {
    vf ds = v_load(p + i, n - i) * (v_load(dp + i, n - i) - sum);
    if (allowed) ds = v_select(v_load(allowed + i, n - i) > v_set(0), ds, v_set(0));
    v_store(dp + i, ds, n - i);
  }
}

static void softmax_back(vlb_graph *g, const vlb_node *n, const geometry *s, const float *p, float *dp) {
  for (int64_t bh = 0; bh < s->batch * s->kv_heads; bh++)
    for (int64_t r = 0; r < s->rows; r++, p += s->keys, dp += s->keys) softmax_row_back(p, allowed_row(g, n, s, bh, r), dp, s->keys);
}

static vlb_code attention_back_plan(vlb_graph *g, vlb_node *n, vlb_error *err) {
  geometry s = geometry_of(n);
  vlb_gemm_spec dp = product(&s, s.rows, s.keys, s.dim, false, true), dq = product(&s, s.rows, s.dim, s.keys, false, false),
                dkv = product(&s, s.keys, s.dim, s.rows, true, false);
  VLB_TRY(vlb_node_gemm(g, n, 0, &dp, err));
  VLB_TRY(vlb_node_gemm(g, n, 1, &dq, err));
  VLB_TRY(vlb_node_gemm(g, n, 2, &dkv, err)); /* dv */
  VLB_TRY(vlb_node_gemm(g, n, 3, &dkv, err)); /* dk: counted as its own product */
  vlb_node_scratch(g, 3 * s.q_size + 3 * s.kv_size + s.p_size);
  return VLB_OK;
}

static void unpack_parts(vlb_graph *g, const geometry *s, vlb_node *n, int first_out, int parts, const float *x) {
  int64_t at = 0;
  for (int i = 0; i < parts; i++) {
    int64_t rows = vlb_graph_dim(g, n->in[FIRST_PART + i], 1);
    float *y = vlb_out(g, n->outs[first_out + i]);
    if (y) unpack_part(s, x, rows, at, y, n->adds[first_out + i]);
    at += rows;
  }
}

/* in: as forward, then dy and p; out: dv parts, dk parts, dq, written in this order: one tensor may serve in several roles, and its
 * gradient is assigned by the first and added to by the later ones */
static void attention_back_run(vlb_graph *g, vlb_node *n) {
  geometry s = geometry_of(n);
  int parts = (n->nin - FIRST_PART - 2) / 2;
  const float *dy = vlb_in(g, n->in[n->nin - 2]), *p = vlb_in(g, n->in[n->nin - 1]);
  float *q = vlb_scratch(g), *dq = q + s.q_size, *d_o = dq + s.q_size, *k = d_o + s.q_size, *v = k + s.kv_size, *dkv = v + s.kv_size,
        *dp = dkv + s.kv_size;
  float scale = 1.0f / sqrtf((float)s.dim);
  pack_query(&s, vlb_in(g, n->in[QUERY]), scale, q);
  pack_query(&s, dy, 1.0f, d_o);
  pack_parts(g, &s, n->in + FIRST_PART, parts, k);
  pack_parts(g, &s, n->in + FIRST_PART + parts, parts, v);
  vlb_multiply(g, n, 2, p, d_o, NULL, NULL, dkv);
  unpack_parts(g, &s, n, 0, parts, dkv);
  vlb_multiply(g, n, 0, d_o, v, NULL, NULL, dp);
  softmax_back(g, n, &s, p, dp);
  vlb_multiply(g, n, 3, dp, q, NULL, NULL, dkv);
  unpack_parts(g, &s, n, parts, parts, dkv);
  if (n->outs[2 * parts] < 0) return;
  vlb_multiply(g, n, 1, dp, k, NULL, NULL, dq);
  unpack_query(&s, dq, scale, vlb_out(g, n->outs[2 * parts]), n->adds[2 * parts]);
}
static const vlb_op attention_back_op = {"attention back", attention_back_plan, attention_back_run, NULL};

static void attention_reverse(vlb_graph *g, vlb_node *n) {
  int parts = parts_of(n);
  vlb_t in[FIRST_PART + 2 * VLB_MAX_PARTS + 2], targets[1 + 2 * VLB_MAX_PARTS];
  memcpy(in, n->in, (size_t)n->nin * sizeof *in);
  in[n->nin] = vlb_gradient_of(g, n->out);
  in[n->nin + 1] = n->extra;
  memcpy(targets, n->in + FIRST_PART + parts, (size_t)parts * sizeof *targets);
  memcpy(targets + parts, n->in + FIRST_PART, (size_t)parts * sizeof *targets);
  targets[2 * parts] = n->in[QUERY];
  vlb_node *b = vlb_node_gradient(g, &attention_back_op, in, n->nin + 2, targets, 1 + 2 * parts);
  if (b) memcpy(b->attr, n->attr, sizeof n->attr);
}
const vlb_op vlb_attention_op = {"attention", attention_plan, attention_run, attention_reverse};

vlb_t vlb_attention(vlb_graph *g, vlb_t q, const vlb_t *k, const vlb_t *v, int parts, vlb_t mask, int64_t heads, int64_t kv_heads,
                    int64_t head_dim) {
  if (parts < 1 || parts > VLB_MAX_PARTS || heads % kv_heads || vlb_graph_dim(g, q, -1) != heads * head_dim) {
    vlb_graph_fail(g, "attention: %lld heads of %lld against %lld key heads in %d parts", (long long)heads, (long long)head_dim,
                   (long long)kv_heads, parts);
    return VLB_NONE;
  }
  vlb_t in[FIRST_PART + 2 * VLB_MAX_PARTS] = {q, mask};
  int64_t keys = 0, batch = vlb_graph_dim(g, q, 0), queries = vlb_graph_dim(g, q, 1);
  for (int i = 0; i < parts; i++) {
    in[FIRST_PART + i] = k[i];
    in[FIRST_PART + parts + i] = v[i];
    keys += vlb_graph_dim(g, k[i], 1);
    if (!vlb_same_shape(g, k[i], v[i]) || vlb_graph_dim(g, k[i], 0) != batch || vlb_graph_dim(g, k[i], -1) != kv_heads * head_dim)
      vlb_graph_fail(g, "attention: key or value part %d of another shape", i);
  }
  if (mask >= 0 && (vlb_graph_dim(g, mask, 2) != keys || (vlb_graph_dim(g, mask, 1) != queries && vlb_graph_dim(g, mask, 1) != 1)))
    vlb_graph_fail(g, "attention: mask of another shape");
  vlb_node *n = vlb_node_new(g, &vlb_attention_op, in, FIRST_PART + 2 * parts, vlb_tensor_like(g, q));
  if (!n) return VLB_NONE;
  memcpy(n->attr, (int64_t[]){batch, queries, keys, heads / kv_heads, kv_heads, head_dim}, sizeof n->attr);
  n->extra = vlb_tensor_new(g, 3, (int64_t[]){batch * kv_heads, heads / kv_heads * queries, keys});
  return n->out;
}
