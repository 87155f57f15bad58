/* Softmax cross-entropy against a few weighted targets per row: one word, or the bins around a place. */
#include <math.h>
#include <string.h>

#include "core/tensor/op.h"
#include "core/tensor/vector.h"

enum { ROWS, WIDTH, TARGETS };

static float row_top(const float *x, int64_t width) {
  vf top = v_set(x[0]);
  for (int64_t i = 0; i < width; i += VLB_LANES) top = v_max(v_fill(v_load(x + i, width - i), width - i, x[0]), top);
  return v_top(top);
}

/* sum of e^(x - top) */
static float row_sum(const float *x, int64_t width, float top) {
  vf sum = v_set(0);
  for (int64_t i = 0; i < width; i += VLB_LANES) sum += v_fill(v_exp(v_load(x + i, width - i) - v_set(top)), width - i, 0);
  return v_sum(sum);
}

static float weight_of(const float *weights, int64_t targets) {
  float sum = 0;
  for (int64_t k = 0; k < targets; k++) sum += weights[k];
  return sum;
}

/* in: logits [B,S,V], ids [B,S*K], weights [B,S,K]; out [B,S,1]. A row whose weights are all zero costs nothing and is not looked at. */
static void entropy_run(vlb_graph *g, vlb_node *n) {
  const float *x = vlb_in(g, n->in[0]), *w = vlb_in(g, n->in[2]);
  const int32_t *ids = vlb_in_ids(g, n->in[1]);
  float *out = vlb_out(g, n->out);
  int64_t width = n->attr[WIDTH], targets = n->attr[TARGETS];
  for (int64_t r = 0; r < n->attr[ROWS]; r++, x += width, w += targets, ids += targets) {
    float sum = weight_of(w, targets), hit = 0;
    out[r] = 0;
    if (sum == 0) continue;
    float top = row_top(x, width), lse = top + logf(row_sum(x, width, top));
    for (int64_t k = 0; k < targets; k++) hit += w[k] * (lse - x[ids[k]]);
    out[r] = (float)n->real * hit;
  }
}

/* in: dy [B,S,1], logits, ids, weights; out: dlogits = dy scale (sum of weights * softmax - weights at their ids) */
static void entropy_back_run(vlb_graph *g, vlb_node *n) {
  const float *dy = vlb_in(g, n->in[0]), *x = vlb_in(g, n->in[1]), *w = vlb_in(g, n->in[3]);
  const int32_t *ids = vlb_in_ids(g, n->in[2]);
  float *d = vlb_out(g, n->outs[0]);
  int64_t width = n->attr[WIDTH], targets = n->attr[TARGETS];
  for (int64_t r = 0; r < n->attr[ROWS]; r++, x += width, d += width, w += targets, ids += targets) {
    float sum = weight_of(w, targets), scale = dy[r] * (float)n->real;
    if (!n->adds[0]) memset(d, 0, (size_t)width * sizeof *d);
    if (sum == 0) continue;
    float top = row_top(x, width), factor = scale * sum / row_sum(x, width, top);
    for (int64_t i = 0; i < width; i += VLB_LANES)
      v_store(d + i, v_load(d + i, width - i) + v_set(factor) * v_exp(v_load(x + i, width - i) - v_set(top)), width - i);
    for (int64_t k = 0; k < targets; k++) d[ids[k]] -= scale * w[k];
  }
}
static const vlb_op entropy_back_op = {"entropy back", NULL, entropy_back_run, NULL};
static void entropy_reverse(vlb_graph *g, vlb_node *n) {
  vlb_t in[] = {vlb_gradient_of(g, n->out), n->in[0], n->in[1], n->in[2]};
  vlb_node *b = vlb_node_gradient(g, &entropy_back_op, in, 4, &n->in[0], 1);
  if (!b) return;
  memcpy(b->attr, n->attr, sizeof n->attr);
  b->real = n->real;
}
static const vlb_op entropy_op = {"entropy", NULL, entropy_run, entropy_reverse};

vlb_t vlb_cross_entropy(vlb_graph *g, vlb_t logits, vlb_t ids, vlb_t weights, double scale) {
  int64_t batch = vlb_graph_dim(g, logits, 0), rows = vlb_graph_dim(g, logits, 1), targets = vlb_graph_dim(g, weights, 2);
  if (vlb_graph_dim(g, ids, 0) != batch || vlb_graph_dim(g, ids, 1) != rows * targets || vlb_graph_dim(g, weights, 0) != batch ||
      vlb_graph_dim(g, weights, 1) != rows)
    vlb_graph_fail(g, "cross-entropy: targets of another shape than the logits");
  vlb_node *n = vlb_node_new(g, &entropy_op, (vlb_t[]){logits, ids, weights}, 3, vlb_tensor_new(g, 3, (int64_t[]){batch, rows, 1}));
  if (!n) return VLB_NONE;
  n->attr[ROWS] = batch * rows;
  n->attr[WIDTH] = vlb_graph_dim(g, logits, 2);
  n->attr[TARGETS] = targets;
  n->real = scale;
  return n->out;
}
