/* Rotary position embedding, specification 12.1. */
#include <math.h>

#include <string.h>

#include "core/tensor/op.h"

enum { ROWS, DIM, HEADS };

static void angles_run(vlb_graph *g, vlb_node *n) {
  const int32_t *position = vlb_in_ids(g, n->in[0]);
  int64_t half = n->attr[DIM] / 2;
  float *y = vlb_out(g, n->out);
  for (int64_t j = 0; j < half; j++) {
    /* the reference computes the frequency in float32 and divides the float32 position by it */
    float period = powf(10000.0f, (2.0f / (float)n->attr[DIM]) * (float)j);
    for (int64_t r = 0; r < n->attr[ROWS]; r++) {
      float theta = (float)position[r] / period;
      y[r * 2 * half + j] = cosf(theta);
      y[r * 2 * half + half + j] = sinf(theta);
    }
  }
}
static const vlb_op angles_op = {"rope angles", NULL, angles_run, NULL};

vlb_t vlb_rope_angles(vlb_graph *g, vlb_t positions, int64_t head_dim) {
  int64_t batch = vlb_graph_dim(g, positions, 0), rows = vlb_graph_dim(g, positions, 1);
  vlb_node *n = vlb_node_new(g, &angles_op, &positions, 1, vlb_tensor_new(g, 3, (int64_t[]){batch, rows, head_dim}));
  if (!n) return VLB_NONE;
  n->attr[ROWS] = batch * rows;
  n->attr[DIM] = head_dim;
  return n->out;
}

/* y = x turned by direction * theta; the gradient is turned back */
static void rotate(const float *x, const float *angles, float *y, int64_t heads, int64_t dim, float direction, bool adds) {
  int64_t half = dim / 2;
  for (int64_t h = 0; h < heads; h++, x += dim, y += dim)
    for (int64_t j = 0; j < half; j++) {
      float c = angles[j], s = direction * angles[half + j];
      float lo = x[j] * c - x[half + j] * s, hi = x[half + j] * c + x[j] * s;
      y[j] = adds ? y[j] + lo : lo;
      y[half + j] = adds ? y[half + j] + hi : hi;
    }
}

static void rotate_rows(const vlb_node *n, int64_t first, int64_t end, const float *x, const float *angles, float *y, float direction, bool adds) {
  int64_t dim = n->attr[DIM], width = dim * n->attr[HEADS];
  for (int64_t r = first; r < end; r++) rotate(x + r * width, angles + r * dim, y + r * width, n->attr[HEADS], dim, direction, adds);
}

static void turn_rows(vlb_graph *g, vlb_node *n, int64_t first, int64_t end) {
  rotate_rows(n, first, end, vlb_in(g, n->in[0]), vlb_in(g, n->in[1]), vlb_out(g, n->out), 1.0f, false);
}
static void rope_run(vlb_graph *g, vlb_node *n) { turn_rows(g, n, 0, n->attr[ROWS]); }
static void rope_part(vlb_graph *g, vlb_node *n, int i, int worker) {
  (void)worker;
  turn_rows(g, n, n->attr[ROWS] * i / n->parts, n->attr[ROWS] * (i + 1) / n->parts);
}
static vlb_code rope_plan(vlb_graph *g, vlb_node *n, vlb_error *err) {
  (void)err;
  vlb_node_share(g, n, n->attr[ROWS], 8, rope_part);
  return VLB_OK;
}
static void rope_back_run(vlb_graph *g, vlb_node *n) {
  rotate_rows(n, 0, n->attr[ROWS], vlb_in(g, n->in[0]), vlb_in(g, n->in[1]), vlb_out(g, n->outs[0]), -1.0f, n->adds[0]);
}
static const vlb_op rope_back_op = {"rope back", NULL, rope_back_run, NULL};

static void rope_reverse(vlb_graph *g, vlb_node *n) {
  vlb_node *b = vlb_node_gradient(g, &rope_back_op, (vlb_t[]){vlb_gradient_of(g, n->out), n->in[1]}, 2, &n->in[0], 1);
  if (b) memcpy(b->attr, n->attr, sizeof n->attr);
}
static const vlb_op rope_op = {"rope", rope_plan, rope_run, rope_reverse};

vlb_t vlb_rope(vlb_graph *g, vlb_t x, vlb_t angles) {
  int64_t dim = vlb_graph_dim(g, angles, -1);
  if (vlb_rows_of(g, x) != vlb_rows_of(g, angles) || vlb_graph_dim(g, x, -1) % dim) vlb_graph_fail(g, "rope: angles of other rows or heads");
  vlb_node *n = vlb_node_new(g, &rope_op, (vlb_t[]){x, angles}, 2, vlb_tensor_like(g, x));
  if (!n) return VLB_NONE;
  n->attr[ROWS] = vlb_rows_of(g, x);
  n->attr[DIM] = dim;
  n->attr[HEADS] = vlb_graph_dim(g, x, -1) / dim;
  return n->out;
}
