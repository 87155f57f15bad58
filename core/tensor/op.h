/* Inside of the graph, shared by the op files. An op file holds a forward kernel, its backward beneath it, and their two vlb_op tables. */
#ifndef VLB_TENSOR_OP_H
#define VLB_TENSOR_OP_H

#include "core/tensor/backend.h"
#include "core/tensor/graph.h"

typedef struct vlb_node vlb_node;

typedef struct {
  const char *name;
  /* plan: creates products (vlb_node_gemm) and asks for scratch; may be NULL. */
  vlb_code (*plan)(vlb_graph *g, vlb_node *n, vlb_error *err);
  void (*run)(vlb_graph *g, vlb_node *n);
  /* appends the gradient nodes of n, given that the gradient of n->out exists; NULL for gradient ops. */
  void (*reverse)(vlb_graph *g, vlb_node *n);
} vlb_op;

enum { VLB_NODE_GEMMS = 4, VLB_NODE_ATTRS = 6, VLB_NODE_PRODUCTS = 4 };

struct vlb_node {
  const vlb_op *op;
  vlb_t *in;
  int nin;
  vlb_t out, extra; /* extra: a second output kept for the backward (VLB_NONE when unused) */
  vlb_t *outs;      /* gradient ops with several outputs; owned */
  bool *adds;       /* outs[i] is accumulated into instead of assigned; owned */
  int nouts;
  int64_t attr[VLB_NODE_ATTRS];
  double real;
  vlb_rows *rows;   /* assemble; owned */
  vlb_gemm *gemm[VLB_NODE_GEMMS]; /* borrowed from the graph, which shares equal products */
  const char *stage; /* what the node belongs to, for measurements; NULL: nothing in particular */
  vlb_precision precision;
  bool steady; /* depends on steady inputs only */
  /* Inference: the node is cut into `parts`, which depend on its shape alone, and part(i) runs on any thread of the team. 0: run does it all. */
  int parts;
  void (*part)(vlb_graph *g, vlb_node *n, int i, int worker);
  void *own;                /* what an op keeps for itself */
  void (*own_free)(void *own);
  vlb_product_row products[VLB_NODE_PRODUCTS];
  int product_count;
  double flops, seconds, cpu;
  int runs;
};

/* ---- defining ---- */
vlb_t vlb_tensor_new(vlb_graph *g, int ndim, const int64_t *dims); /* an activation */
vlb_t vlb_tensor_like(vlb_graph *g, vlb_t t);
/* A node with one output `out`. Inputs equal to VLB_NONE are allowed and kept as such. NULL once the graph has failed. */
vlb_node *vlb_node_new(vlb_graph *g, const vlb_op *op, const vlb_t *in, int nin, vlb_t out);
/* A node with the given outputs, for graphs without gradients. */
vlb_node *vlb_node_outputs(vlb_graph *g, const vlb_op *op, const vlb_t *in, int nin, const vlb_t *outs, int nouts);
void vlb_node_free(vlb_node *n);
/* A gradient node: outs[i] of `targets[i]`'s gradient, created or accumulated into; targets that need none become VLB_NONE. */
vlb_node *vlb_node_gradient(vlb_graph *g, const vlb_op *op, const vlb_t *in, int nin, const vlb_t *targets, int ntargets);
/* Lets n, the node just made for the gradient of weight w, assign all of it instead of adding, if nothing writes to it before. */
void vlb_gradient_assign(vlb_graph *g, vlb_node *n, vlb_t w);
void vlb_gradient_add(vlb_graph *g, vlb_t from, vlb_t to); /* gradient of `to` += that of `from` */
/* Makes the gradient of `from` serve as that of `to` without a copy where that is safe, else adds it. Call last in a reverse. */
void vlb_gradient_pass(vlb_graph *g, vlb_t from, vlb_t to);
bool vlb_graph_reversed(const vlb_graph *g); /* trains; else it serves inference, where a row's result must not depend on its company */
bool vlb_needs_gradient(const vlb_graph *g, vlb_t t); /* false for VLB_NONE */
vlb_t vlb_gradient_of(const vlb_graph *g, vlb_t t);   /* VLB_NONE when nothing asked for it */
int vlb_ndim(const vlb_graph *g, vlb_t t);
int64_t vlb_rows_of(const vlb_graph *g, vlb_t t);     /* elements / last axis */
bool vlb_same_shape(const vlb_graph *g, vlb_t a, vlb_t b);
/* Fails the graph when t is trained but no weight of its own: ops that sum a parameter's gradient over rows add it to the gradient
 * vector, which starts each run as zeros. */
void vlb_expect_weight(vlb_graph *g, vlb_t t, const char *op);

/* ---- planning ---- */
/* The i-th product of a node; flops are counted. Equal products are shared within a graph. */
vlb_code vlb_node_gemm(vlb_graph *g, vlb_node *n, int i, const vlb_gemm_spec *spec, vlb_error *err);
void vlb_node_scratch(vlb_graph *g, size_t floats); /* a node's run may use this many floats of vlb_scratch */
void vlb_node_product(vlb_node *n, int64_t m, int64_t width, int64_t k, int64_t count); /* counts [m,k] x [k,width], `count` times */
/* With a graph that infers: the node's rows are shared in parts of about `each`; else nothing. part as in vlb_node. */
void vlb_node_share(vlb_graph *g, vlb_node *n, int64_t rows, int64_t each, void (*part)(vlb_graph *g, vlb_node *n, int i, int worker));

/* ---- running ---- */
const float *vlb_in(const vlb_graph *g, vlb_t t);      /* NULL for VLB_NONE */
float *vlb_out(vlb_graph *g, vlb_t t);                 /* NULL for VLB_NONE */
const int32_t *vlb_in_ids(const vlb_graph *g, vlb_t t);
float *vlb_scratch(vlb_graph *g);                      /* 64-byte aligned */
float *vlb_worker_scratch(vlb_graph *g, int worker);   /* the same for a part */
void vlb_multiply(vlb_graph *g, vlb_node *n, int i, const float *a, const float *b, const float *bias, const float *residual, float *c);

/* ---- folding for inference: fold.c replaces the first ops by the others ---- */
extern const vlb_op vlb_linear_op, vlb_attention_op, vlb_gelu_op, vlb_gate_op;
extern const vlb_op vlb_project_op, vlb_convert_op, vlb_pack_keys_op, vlb_attend_op;
enum { VLB_LINEAR_X, VLB_LINEAR_W, VLB_LINEAR_BIAS, VLB_LINEAR_RESIDUAL };                                /* inputs of linear */
enum { VLB_LINEAR_FIRST, VLB_LINEAR_ROWS, VLB_LINEAR_OUT, VLB_LINEAR_IN, VLB_LINEAR_LD, VLB_LINEAR_RANGE }; /* its attributes */
enum { VLB_ATTENTION_QUERY, VLB_ATTENTION_MASK, VLB_ATTENTION_FIRST_PART };
vlb_code vlb_graph_fold(vlb_graph *g, vlb_error *err);

/* A linear layer, or several of the same input, with packed weights: op_project.c. */
typedef struct {
  vlb_t x, residual;
  int count;           /* weights */
  vlb_t w[3], bias[3], out[3];
  bool gated;          /* two weights, one output: silu(first) * second */
  bool gelu;
  int64_t first, ld;   /* columns first.. of weights of ld columns */
  int range;           /* place in the ranges, -1 */
  vlb_precision precision;
  const char *stage;
} vlb_projection;
vlb_node *vlb_project(vlb_graph *g, const vlb_projection *p);

/* Attention in tiles over keys and values that were packed once: op_attend.c. */
vlb_node *vlb_pack_keys(vlb_graph *g, vlb_t k, vlb_t v, int64_t kv_heads);
vlb_node *vlb_attend(vlb_graph *g, const vlb_node *attention, vlb_node *const *packs);

#endif
