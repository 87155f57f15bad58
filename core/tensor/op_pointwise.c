/* Elementwise ops: GELU (tanh form), SiLU, the SiLU gate, sums, the elementwise loss. */
#include <math.h>

#include "core/tensor/op.h"
#include "core/tensor/pointwise.h"

/* One loop for all of them: FN turns vectors a, b, c (absent ones are zero) into y and, with a second output, z. */
typedef struct {
  vf y, z;
} pair;
#define POINTWISE(name, EXPR)                                                                                       \
  static void name(vlb_graph *g, vlb_node *n) {                                                                     \
    const float *pa = vlb_in(g, n->in[0]), *pb = n->nin > 1 ? vlb_in(g, n->in[1]) : NULL;                           \
    const float *pc = n->nin > 2 ? vlb_in(g, n->in[2]) : NULL;                                                      \
    float *py = n->outs ? vlb_out(g, n->outs[0]) : vlb_out(g, n->out), *pz = n->nouts > 1 ? vlb_out(g, n->outs[1]) : NULL; \
    bool add_y = n->adds && n->adds[0], add_z = n->nouts > 1 && n->adds[1];                                         \
    int64_t count = (int64_t)vlb_graph_count(g, n->in[0]);                                                          \
    for (int64_t i = 0; i < count; i += VLB_LANES) {                                                                \
      int64_t left = count - i;                                                                                     \
      vf a = v_load(pa + i, left), b = pb ? v_load(pb + i, left) : v_set(0), c = pc ? v_load(pc + i, left) : v_set(0); \
      pair r = EXPR;                                                                                                \
      if (py) v_store(py + i, add_y ? v_load(py + i, left) + r.y : r.y, left);                                      \
      if (pz) v_store(pz + i, add_z ? v_load(pz + i, left) + r.z : r.z, left);                                      \
    }                                                                                                               \
  }

/* ---- GELU ---- */

VLB_INLINE pair gelu(vf x) { return (pair){v_gelu(x), v_set(0)}; }
VLB_INLINE pair gelu_back(vf dy, vf x) {
  vf t = v_gelu_tanh(x), one = v_set(1.0f);
  vf du = v_set(VLB_GELU_C) * (one + v_set(3 * VLB_GELU_A) * x * x);
  return (pair){dy * v_set(0.5f) * (one + t + x * (one - t * t) * du), v_set(0)};
}
POINTWISE(gelu_run, ((void)b, (void)c, gelu(a)))
POINTWISE(gelu_back_run, ((void)c, gelu_back(a, b)))
static const vlb_op gelu_back_op = {"gelu back", NULL, gelu_back_run, NULL};

static void unary_reverse(vlb_graph *g, vlb_node *n, const vlb_op *back) {
  vlb_node_gradient(g, back, (vlb_t[]){vlb_gradient_of(g, n->out), n->in[0]}, 2, &n->in[0], 1);
}
static void gelu_reverse(vlb_graph *g, vlb_node *n) { unary_reverse(g, n, &gelu_back_op); }
const vlb_op vlb_gelu_op = {"gelu", NULL, gelu_run, gelu_reverse};

/* ---- SiLU ---- */

VLB_INLINE pair silu_back(vf dy, vf x) {
  vf s = v_sigmoid(x);
  return (pair){dy * s * (v_set(1.0f) + x * (v_set(1.0f) - s)), v_set(0)};
}
POINTWISE(silu_run, ((void)b, (void)c, (pair){a * v_sigmoid(a), v_set(0)}))
POINTWISE(silu_back_run, ((void)c, silu_back(a, b)))
static const vlb_op silu_back_op = {"silu back", NULL, silu_back_run, NULL};
static void silu_reverse(vlb_graph *g, vlb_node *n) { unary_reverse(g, n, &silu_back_op); }
static const vlb_op silu_op = {"silu", NULL, silu_run, silu_reverse};

/* ---- gate: silu(gate) * up ---- */

VLB_INLINE pair gate_back(vf dy, vf gate, vf up) {
  vf s = v_sigmoid(gate);
  return (pair){dy * up * s * (v_set(1.0f) + gate * (v_set(1.0f) - s)), dy * gate * s};
}
POINTWISE(gate_run, ((void)c, (pair){a * v_sigmoid(a) * b, v_set(0)}))
POINTWISE(gate_back_run, gate_back(a, b, c))
static const vlb_op gate_back_op = {"gate back", NULL, gate_back_run, NULL};
static void gate_reverse(vlb_graph *g, vlb_node *n) {
  vlb_node_gradient(g, &gate_back_op, (vlb_t[]){vlb_gradient_of(g, n->out), n->in[0], n->in[1]}, 3, n->in, 2);
}
const vlb_op vlb_gate_op = {"gate", NULL, gate_run, gate_reverse};

/* ---- sum of two ---- */

POINTWISE(add_run, ((void)c, (pair){a + b, v_set(0)}))
static void add_reverse(vlb_graph *g, vlb_node *n) {
  vlb_gradient_add(g, n->out, n->in[1]);
  vlb_gradient_pass(g, n->out, n->in[0]);
}
static const vlb_op add_op = {"add", NULL, add_run, add_reverse};

/* ---- loss: weight * (target - prediction)^2 or weight * |target - prediction| ---- */

VLB_INLINE vf absolute(vf x) { return v_max(x, -x); }
VLB_INLINE vf sign(vf x) { return v_select(x > v_set(0), v_set(1.0f), v_set(0)) - v_select(x < v_set(0), v_set(1.0f), v_set(0)); }
POINTWISE(square_run, ((pair){c * (b - a) * (b - a), v_set(0)}))
POINTWISE(distance_run, ((pair){c * absolute(b - a), v_set(0)}))

/* in: prediction, target, weight * dloss (made by weight_run) */
POINTWISE(square_back_run, ((pair){v_set(2.0f) * (a - b) * c, v_set(0)}))
POINTWISE(distance_back_run, ((pair){sign(a - b) * c, v_set(0)}))
POINTWISE(weight_run, ((void)c, (pair){a * b, v_set(0)}))
static const vlb_op square_back_op = {"loss back", NULL, square_back_run, NULL};
static const vlb_op distance_back_op = {"loss back", NULL, distance_back_run, NULL};
static const vlb_op weight_op = {"loss weight", NULL, weight_run, NULL};

static void loss_reverse(vlb_graph *g, vlb_node *n, const vlb_op *back) {
  vlb_t weighted = vlb_tensor_like(g, n->out);
  vlb_node *w = vlb_node_new(g, &weight_op, (vlb_t[]){vlb_gradient_of(g, n->out), n->in[2]}, 2, weighted);
  if (w) vlb_node_gradient(g, back, (vlb_t[]){n->in[0], n->in[1], weighted}, 3, &n->in[0], 1);
}
static void square_reverse(vlb_graph *g, vlb_node *n) { loss_reverse(g, n, &square_back_op); }
static void distance_reverse(vlb_graph *g, vlb_node *n) { loss_reverse(g, n, &distance_back_op); }
static const vlb_op square_op = {"loss", NULL, square_run, square_reverse};
static const vlb_op distance_op = {"loss", NULL, distance_run, distance_reverse};

/* ---- definitions ---- */

static vlb_t define(vlb_graph *g, const vlb_op *op, const vlb_t *in, int nin) {
  for (int i = 1; i < nin; i++)
    if (!vlb_same_shape(g, in[0], in[i])) vlb_graph_fail(g, "%s: inputs of different shapes", op->name);
  vlb_node *n = vlb_node_new(g, op, in, nin, vlb_tensor_like(g, in[0]));
  return n ? n->out : VLB_NONE;
}

vlb_t vlb_gelu(vlb_graph *g, vlb_t x) { return define(g, &vlb_gelu_op, &x, 1); }
vlb_t vlb_silu(vlb_graph *g, vlb_t x) { return define(g, &silu_op, &x, 1); }
vlb_t vlb_gate(vlb_graph *g, vlb_t gate, vlb_t up) { return define(g, &vlb_gate_op, (vlb_t[]){gate, up}, 2); }
vlb_t vlb_add(vlb_graph *g, vlb_t a, vlb_t b) { return define(g, &add_op, (vlb_t[]){a, b}, 2); }
vlb_t vlb_loss(vlb_graph *g, vlb_t prediction, vlb_t target, vlb_t weight, int power) {
  return define(g, power == 2 ? &square_op : &distance_op, (vlb_t[]){prediction, target, weight}, 3);
}
