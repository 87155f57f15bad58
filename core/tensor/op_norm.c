/* RMSNorm and LayerNorm over the last axis. One kernel: LayerNorm is RMSNorm of x - mean(x), plus a bias. */
#include <math.h>

#include "core/tensor/op.h"
#include "core/tensor/vector.h"

enum { X, W, B };
enum { ROWS, WIDTH, CENTRED };

static float mean_of(const float *x, int64_t width) {
  vf sum = {0};
  for (int64_t i = 0; i < width; i += VLB_LANES) sum += v_load(x + i, width - i);
  return v_sum(sum) / (float)width;
}

/* squares of x - mean, with missing lanes of the last vector kept out */
static float scale_of(const float *x, float mean, int64_t width, double eps) {
  vf sum = {0};
  int64_t i = 0;
  for (; i + VLB_LANES <= width; i += VLB_LANES) {
    vf d = v_load(x + i, VLB_LANES) - v_set(mean);
    sum += d * d;
  }
  float rest = 0;
  for (; i < width; i++) rest += (x[i] - mean) * (x[i] - mean);
  return 1.0f / sqrtf((v_sum(sum) + rest) / (float)width + (float)eps);
}

/* y = w (x - mean) r (+ b); (mean, r) of each row go to `extra` for the backward */
static void norm_rows(vlb_graph *g, vlb_node *n, int64_t first, int64_t end) {
  int64_t width = n->attr[WIDTH];
  const float *x = vlb_in(g, n->in[X]) + first * width, *w = vlb_in(g, n->in[W]), *b = vlb_in(g, n->in[B]);
  float *y = vlb_out(g, n->out) + first * width, *saved = vlb_out(g, n->extra);
  for (int64_t r = first; r < end; r++, x += width, y += width) {
    float mean = n->attr[CENTRED] ? mean_of(x, width) : 0.0f;
    float scale = scale_of(x, mean, width, n->real);
    for (int64_t i = 0; i < width; i += VLB_LANES) {
      vf v = (v_load(x + i, width - i) - v_set(mean)) * v_set(scale) * v_load(w + i, width - i);
      if (b) v += v_load(b + i, width - i);
      v_store(y + i, v, width - i);
    }
    saved[2 * r] = mean;
    saved[2 * r + 1] = scale;
  }
}
static void norm_run(vlb_graph *g, vlb_node *n) { norm_rows(g, n, 0, n->attr[ROWS]); }
static void norm_part(vlb_graph *g, vlb_node *n, int i, int worker) {
  (void)worker;
  norm_rows(g, n, n->attr[ROWS] * i / n->parts, n->attr[ROWS] * (i + 1) / n->parts);
}
static vlb_code norm_plan(vlb_graph *g, vlb_node *n, vlb_error *err) {
  (void)err;
  vlb_node_share(g, n, n->attr[ROWS], 16, norm_part);
  return VLB_OK;
}

/* with h = (x - mean) r and q = dy w: dx = r (q - h mean(q h) [- mean(q)]), dw = sum dy h, db = sum dy */
static void norm_row_back(const float *x, const float *w, const float *dy, float mean, float scale, bool centred, int64_t width, float *dx,
                          bool adds) {
  vf dot = {0}, sum = {0};
  for (int64_t i = 0; i < width; i += VLB_LANES) {
    vf q = v_load(dy + i, width - i) * v_load(w + i, width - i);
    dot += q * ((v_load(x + i, width - i) - v_set(mean)) * v_set(scale));
    sum += q;
  }
  float mean_dot = v_sum(dot) / (float)width, mean_q = centred ? v_sum(sum) / (float)width : 0.0f;
  for (int64_t i = 0; i < width; i += VLB_LANES) {
    vf q = v_load(dy + i, width - i) * v_load(w + i, width - i);
    vf h = (v_load(x + i, width - i) - v_set(mean)) * v_set(scale);
    vf d = v_set(scale) * (q - h * v_set(mean_dot) - v_set(mean_q));
    v_store(dx + i, adds ? d + v_load(dx + i, width - i) : d, width - i);
  }
}

/* in: dy, x, w, saved; out: dx, dw, db */
static void norm_back_run(vlb_graph *g, vlb_node *n) {
  int64_t rows = n->attr[ROWS], width = n->attr[WIDTH];
  const float *dy = vlb_in(g, n->in[0]), *x = vlb_in(g, n->in[1]), *w = vlb_in(g, n->in[2]), *saved = vlb_in(g, n->in[3]);
  float *dx = vlb_out(g, n->outs[0]), *dw = vlb_out(g, n->outs[1]), *db = n->nouts > 2 ? vlb_out(g, n->outs[2]) : NULL;
  for (int64_t r = 0; dx && r < rows; r++)
    norm_row_back(x + r * width, w, dy + r * width, saved[2 * r], saved[2 * r + 1], n->attr[CENTRED], width, dx + r * width, n->adds[0]);
  for (int64_t i = 0; (dw || db) && i < width; i += VLB_LANES) {
    vf sum_w = {0}, sum_b = {0};
    for (int64_t r = 0; r < rows; r++) {
      vf d = v_load(dy + r * width + i, width - i);
      sum_w += d * ((v_load(x + r * width + i, width - i) - v_set(saved[2 * r])) * v_set(saved[2 * r + 1]));
      sum_b += d;
    }
    if (dw) v_store(dw + i, v_load(dw + i, width - i) + sum_w, width - i);
    if (db) v_store(db + i, v_load(db + i, width - i) + sum_b, width - i);
  }
}
static const vlb_op norm_back_op = {"norm back", NULL, norm_back_run, NULL};

static void norm_reverse(vlb_graph *g, vlb_node *n) {
  vlb_node *b = vlb_node_gradient(g, &norm_back_op, (vlb_t[]){vlb_gradient_of(g, n->out), n->in[X], n->in[W], n->extra}, 4,
                                  (vlb_t[]){n->in[X], n->in[W], n->in[B]}, 3);
  if (b) memcpy(b->attr, n->attr, sizeof n->attr);
}
static const vlb_op norm_op = {"norm", norm_plan, norm_run, norm_reverse};

static vlb_t norm(vlb_graph *g, vlb_t x, vlb_t w, vlb_t b, double eps, bool centred) {
  int64_t rows = vlb_rows_of(g, x);
  if (vlb_graph_count(g, w) != (size_t)vlb_graph_dim(g, x, -1)) vlb_graph_fail(g, "norm: weight of another width");
  vlb_expect_weight(g, w, "norm");
  vlb_expect_weight(g, b, "norm");
  vlb_node *n = vlb_node_new(g, &norm_op, (vlb_t[]){x, w, b}, 3, vlb_tensor_like(g, x));
  if (!n) return VLB_NONE;
  n->extra = vlb_tensor_new(g, 2, (int64_t[]){rows, 2});
  n->attr[ROWS] = rows;
  n->attr[WIDTH] = vlb_graph_dim(g, x, -1);
  n->attr[CENTRED] = centred;
  n->real = eps;
  return n->out;
}

vlb_t vlb_layer_norm(vlb_graph *g, vlb_t x, vlb_t w, vlb_t b, double eps) { return norm(g, x, w, b, eps, true); }
vlb_t vlb_rms_norm(vlb_graph *g, vlb_t x, vlb_t w, double eps) { return norm(g, x, w, VLB_NONE, eps, false); }
