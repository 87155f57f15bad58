/* Linear layers: y = x w^T (+ bias) (+ residual); dx = dy w, dw = dy^T x, db = sum dy. */
#include <string.h>

#include "core/tensor/op.h"
#include "core/tensor/vector.h"

enum { X = VLB_LINEAR_X, W = VLB_LINEAR_W, BIAS = VLB_LINEAR_BIAS, RESIDUAL = VLB_LINEAR_RESIDUAL };
/* attributes: first column of w, rows of x, widths, row stride of w */
enum { FIRST = VLB_LINEAR_FIRST, ROWS = VLB_LINEAR_ROWS, OUT = VLB_LINEAR_OUT, IN = VLB_LINEAR_IN, LD = VLB_LINEAR_LD };

/* Some columns of w go through a copy of their own: oneDNN's kernel for strided rows is slower and allocates at every run. */
static bool whole(const int64_t *a) { return a[IN] == a[LD]; }

static void plan_columns(vlb_graph *g, const int64_t *a) {
  if (!whole(a)) vlb_node_scratch(g, (size_t)(a[OUT] * a[IN]));
}

static const float *columns_of(vlb_graph *g, const int64_t *a, const float *w) {
  if (whole(a)) return w;
  float *copy = vlb_scratch(g);
  for (int64_t r = 0; r < a[OUT]; r++) memcpy(copy + r * a[IN], w + r * a[LD] + a[FIRST], (size_t)a[IN] * sizeof *copy);
  return copy;
}

static vlb_code linear_plan(vlb_graph *g, vlb_node *n, vlb_error *err) {
  const int64_t *a = n->attr;
  vlb_gemm_spec s = {.batch = 1, .m = a[ROWS], .n = a[OUT], .k = a[IN], .b_transposed = 1,
                     .bias = n->in[BIAS] >= 0, .residual = n->in[RESIDUAL] >= 0, .same_rows = !vlb_graph_reversed(g)};
  plan_columns(g, a);
  return vlb_node_gemm(g, n, 0, &s, err);
}

static void linear_run(vlb_graph *g, vlb_node *n) {
  const float *w = columns_of(g, n->attr, vlb_in(g, n->in[W]));
  vlb_multiply(g, n, 0, vlb_in(g, n->in[X]), w, vlb_in(g, n->in[BIAS]), vlb_in(g, n->in[RESIDUAL]), vlb_out(g, n->out));
}

/* in: dy, w; out: dx */
static vlb_code input_plan(vlb_graph *g, vlb_node *n, vlb_error *err) {
  const int64_t *a = n->attr;
  vlb_gemm_spec s = {.batch = 1, .m = a[ROWS], .n = a[IN], .k = a[OUT], .accumulate = n->adds[0]};
  plan_columns(g, a);
  return vlb_node_gemm(g, n, 0, &s, err);
}
static void input_run(vlb_graph *g, vlb_node *n) {
  vlb_multiply(g, n, 0, vlb_in(g, n->in[0]), columns_of(g, n->attr, vlb_in(g, n->in[1])), NULL, NULL, vlb_out(g, n->outs[0]));
}
static const vlb_op input_op = {"linear dx", input_plan, input_run, NULL};

/* in: dy, x; out: dw. The gradient of some columns only is made beside the weight's and added to it. */
static vlb_code weight_plan(vlb_graph *g, vlb_node *n, vlb_error *err) {
  const int64_t *a = n->attr;
  vlb_gemm_spec s = {.batch = 1, .m = a[OUT], .n = a[IN], .k = a[ROWS], .a_transposed = 1, .accumulate = whole(a) && n->adds[0]};
  plan_columns(g, a);
  return vlb_node_gemm(g, n, 0, &s, err);
}
static void weight_run(vlb_graph *g, vlb_node *n) {
  const int64_t *a = n->attr;
  float *dw = vlb_out(g, n->outs[0]), *part = whole(a) ? dw : vlb_scratch(g);
  vlb_multiply(g, n, 0, vlb_in(g, n->in[0]), vlb_in(g, n->in[1]), NULL, NULL, part);
  for (int64_t r = 0; part != dw && r < a[OUT]; r++)
    for (int64_t c = 0; c < a[IN]; c++) dw[r * a[LD] + a[FIRST] + c] += part[r * a[IN] + c];
}
static const vlb_op weight_op = {"linear dw", weight_plan, weight_run, NULL};

/* in: dy; out: db. Sums of columns, rows in order. */
static void bias_run(vlb_graph *g, vlb_node *n) {
  int64_t rows = n->attr[ROWS], width = n->attr[OUT];
  const float *dy = vlb_in(g, n->in[0]);
  float *db = vlb_out(g, n->outs[0]);
  for (int64_t c = 0; c < width; c += VLB_LANES) {
    vf sum = {0};
    for (int64_t r = 0; r < rows; r++) sum += v_load(dy + r * width + c, width - c);
    v_store(db + c, v_load(db + c, width - c) + sum, width - c);
  }
}
static const vlb_op bias_op = {"linear db", NULL, bias_run, NULL};

static void linear_reverse(vlb_graph *g, vlb_node *n) {
  vlb_t dy = vlb_gradient_of(g, n->out), x = n->in[X], w = n->in[W], bias = n->in[BIAS];
  vlb_node *made[2] = {NULL, NULL};
  if (vlb_needs_gradient(g, x)) made[0] = vlb_node_gradient(g, &input_op, (vlb_t[]){dy, w}, 2, &x, 1);
  if (vlb_needs_gradient(g, w)) made[1] = vlb_node_gradient(g, &weight_op, (vlb_t[]){dy, x}, 2, &w, 1);
  for (int i = 0; i < 2; i++)
    if (made[i]) memcpy(made[i]->attr, n->attr, sizeof n->attr);
  if (made[1] && whole(n->attr)) vlb_gradient_assign(g, made[1], w);
  if (vlb_needs_gradient(g, bias)) {
    vlb_node *b = vlb_node_gradient(g, &bias_op, &dy, 1, &bias, 1);
    if (b) memcpy(b->attr, n->attr, sizeof n->attr);
  }
  vlb_gradient_pass(g, n->out, n->in[RESIDUAL]);
}
const vlb_op vlb_linear_op = {"linear", linear_plan, linear_run, linear_reverse};

vlb_t vlb_linear(vlb_graph *g, vlb_t x, vlb_t w, vlb_t bias, vlb_t residual, int64_t first) {
  int64_t in = vlb_graph_dim(g, x, -1), out = vlb_graph_dim(g, w, 0), ld = vlb_graph_dim(g, w, 1), dims[4];
  if (first + in > ld) {
    vlb_graph_fail(g, "linear: input of width %lld against a weight with %lld columns", (long long)in, (long long)ld);
    return VLB_NONE;
  }
  vlb_expect_weight(g, w, "linear");
  vlb_expect_weight(g, bias, "linear");
  int nd = vlb_ndim(g, x);
  for (int i = 0; i < nd; i++) dims[i] = i + 1 < nd ? vlb_graph_dim(g, x, i) : out;
  vlb_t y = vlb_tensor_new(g, nd, dims);
  if (residual >= 0 && vlb_graph_count(g, residual) != vlb_graph_count(g, y)) vlb_graph_fail(g, "linear: residual of another shape");
  vlb_node *n = vlb_node_new(g, &vlb_linear_op, (vlb_t[]){x, w, bias, residual}, 4, y);
  if (!n) return VLB_NONE;
  n->attr[FIRST] = first;
  n->attr[ROWS] = vlb_rows_of(g, x);
  n->attr[OUT] = out;
  n->attr[IN] = in;
  n->attr[LD] = ld;
  return y;
}
