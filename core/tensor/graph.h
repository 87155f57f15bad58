/* A model is written once as a graph of ops: define -> (reverse) -> plan -> run.
 * define records ops and shapes; reverse appends the gradient ops that trainable weights need, and no others; plan
 * creates the matrix products and lays all activations out in one arena by lifetime; run allocates nothing.
 * Definition errors (shapes that do not fit, no memory) are remembered and reported by plan. */
#ifndef VLB_TENSOR_GRAPH_H
#define VLB_TENSOR_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/status.h"
#include "core/base/team.h"

typedef struct vlb_graph vlb_graph;
typedef int vlb_t; /* a tensor of a graph */
enum { VLB_NONE = -1 };

vlb_graph *vlb_graph_new(void); /* NULL on no memory */
void vlb_graph_free(vlb_graph *g);

/* ---- leaves ---- */
vlb_t vlb_input(vlb_graph *g, int ndim, const int64_t *dims);  /* float32, set by vlb_graph_bind before every run */
vlb_t vlb_ids(vlb_graph *g, int64_t batch, int64_t rows);      /* int32 [B,S], set by vlb_graph_bind_ids */
/* A weight in memory that outlives the graph: one tensor per weight, used as often as needed. gradient: its offset in the gradient vector,
 * or -1 when it is not trained. */
vlb_t vlb_weight(vlb_graph *g, int ndim, const int64_t *dims, const float *data, int64_t gradient);

/* ---- ops; the axis names are B batch, S rows (tokens), W width. Parameters (w, bias, b, and embed's table) are weights or inputs,
 * not results of ops that depend on trained weights. ---- */
/* y = x w^T (+ bias) (+ residual). x [..,K], w [N,K'], K' >= first + K: columns first.. of w are used. y [..,N]. */
vlb_t vlb_linear(vlb_graph *g, vlb_t x, vlb_t w, vlb_t bias, vlb_t residual, int64_t first);
vlb_t vlb_add(vlb_graph *g, vlb_t a, vlb_t b);                 /* equal shapes */
vlb_t vlb_add_row(vlb_graph *g, vlb_t x, vlb_t row);           /* x [B,S,W] + row [B,1,W] */
vlb_t vlb_add_table(vlb_graph *g, vlb_t x, vlb_t table);       /* x [B,S,W] + table [S,W] */
vlb_t vlb_layer_norm(vlb_graph *g, vlb_t x, vlb_t w, vlb_t b, double eps);
vlb_t vlb_rms_norm(vlb_graph *g, vlb_t x, vlb_t w, double eps);
vlb_t vlb_gelu(vlb_graph *g, vlb_t x);                         /* tanh form */
vlb_t vlb_silu(vlb_graph *g, vlb_t x);
vlb_t vlb_gate(vlb_graph *g, vlb_t gate, vlb_t up);            /* silu(gate) * up */
/* Rotary embedding (base 10000, half-split layout): the angles of positions [B,S] (ids) once for all layers, [B,S,d] = cosines then
 * sines, and their use on the heads of x [B,S,heads*d]. */
vlb_t vlb_rope_angles(vlb_graph *g, vlb_t positions, int64_t head_dim);
vlb_t vlb_rope(vlb_graph *g, vlb_t x, vlb_t angles);
/* Softmax attention with grouped query heads. q [B,Sq,H*d]; `parts` key and value tensors [B,Si,K*d], joined along the rows;
 * mask [B,Sq,Sk] or [B,1,Sk] of 0/1 floats, or VLB_NONE. A row without any allowed key attends uniformly. */
enum { VLB_MAX_PARTS = 4 };
vlb_t vlb_attention(vlb_graph *g, vlb_t q, const vlb_t *k, const vlb_t *v, int parts, vlb_t mask, int64_t heads, int64_t kv_heads,
                    int64_t head_dim);
/* Rows of tensors put under each other: y [B, sum of counts, W]. A part takes rows first_row.. of batch entries first_batch.. of x,
 * times scale. */
typedef struct {
  vlb_t x;
  int64_t first_batch, first_row, rows;
  double scale;
} vlb_rows;
vlb_t vlb_assemble(vlb_graph *g, int64_t batch, const vlb_rows *parts, int count);
vlb_t vlb_embed(vlb_graph *g, vlb_t table, vlb_t ids);         /* table [N,W], ids [B,S] -> [B,S,W] */
vlb_t vlb_patches(vlb_graph *g, vlb_t images, int64_t patch);  /* [B,C,S,S] -> [B,n*n,C*p*p], n = floor(S/p): the rows a convolution sees */
vlb_t vlb_pixel_shuffle(vlb_graph *g, vlb_t x, int64_t side, int64_t factor); /* [B,side^2,W] -> [B,(side/f)^2,f*f*W] */
/* Elementwise loss of prediction and target [B,T,A] times weight [B,T,A]: squared (power 2) or absolute (power 1) difference. */
vlb_t vlb_loss(vlb_graph *g, vlb_t prediction, vlb_t target, vlb_t weight, int power);
/* scale times the softmax cross-entropy of logits [B,S,V] against K weighted targets per row: ids [B,S*K], weights [B,S,K] -> [B,S,1]. */
vlb_t vlb_cross_entropy(vlb_graph *g, vlb_t logits, vlb_t ids, vlb_t weights, double scale);

/* ---- inference ----
 * A graph without gradients may be planned for inference: what can be folded is (q, k, v in one product, gate and up in one, bias, activation and
 * residual in the pass that stores a product), weights are packed once, and every op is cut into parts by its shape alone, which the threads
 * of a team share. So results are the same bits for any number of threads; they differ from those of the graph as written by rounding. */
typedef enum { VLB_FLOAT32, VLB_BFLOAT16, VLB_INT8 } vlb_precision; /* of a linear layer's weights and inputs; sums and all else are float32 */
typedef struct {
  vlb_team *team; /* NULL: the caller's thread; borrowed */
  /* Called before a weight is packed, so that its original can be brought back, and after, so that it can be let go. May be NULL, both. */
  vlb_code (*wanted)(void *self, const float *weight, vlb_error *err);
  void (*packed)(void *self, const float *weight);
  void *self;
  /* int8: the largest magnitude of the input of each linear layer of that precision, in the order of definition. With `calibrate` these layers
   * compute in float32 and raise ranges to what they see. */
  float *ranges;
  int range_count;
  bool calibrate;
} vlb_inference;
void vlb_graph_infer(vlb_graph *g, const vlb_inference *how); /* before plan; how is copied */
void vlb_graph_precision(vlb_graph *g, vlb_precision p);      /* of linear layers defined from now on; heeded by inference only */
int vlb_graph_range_count(const vlb_graph *g);                /* layers of precision int8 */
/* An input that changes rarely: what depends on nothing else is computed only in the first run and after vlb_graph_renew. */
void vlb_graph_steady(vlb_graph *g, vlb_t input);
void vlb_graph_renew(vlb_graph *g);

/* Notes what is wrong with a graph while it is defined; the first such note is the error of planning it. */
void vlb_graph_fail(vlb_graph *g, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- life of a graph ---- */
void vlb_graph_keep(vlb_graph *g, vlb_t t);                    /* stays readable after run */
bool vlb_graph_trains(const vlb_graph *g, vlb_t t);            /* some trainable weight lies below t */
void vlb_graph_reverse(vlb_graph *g, vlb_t loss, vlb_t scale); /* gradient of scale[1] * sum(loss) */
vlb_code vlb_graph_plan(vlb_graph *g, vlb_error *err);
void vlb_graph_bind(vlb_graph *g, vlb_t input, const float *data);
void vlb_graph_bind_ids(vlb_graph *g, vlb_t input, const int32_t *data);
/* Runs the forward ops and, when gradient is not NULL, the appended gradient ops; gradient [as long as the offsets say] is overwritten. */
void vlb_graph_run(vlb_graph *g, float *gradient, size_t gradient_count);
const float *vlb_graph_data(const vlb_graph *g, vlb_t t);      /* of a kept tensor, after run */
int64_t vlb_graph_dim(const vlb_graph *g, vlb_t t, int axis);  /* negative axes count from the end */
size_t vlb_graph_count(const vlb_graph *g, vlb_t t);

/* ---- measuring ---- */
double vlb_graph_flops(const vlb_graph *g, bool backward); /* of the matrix products of one run */
size_t vlb_graph_bytes(const vlb_graph *g);                /* arena and scratch */
size_t vlb_graph_packed_bytes(const vlb_graph *g);         /* weights packed for inference */
typedef struct {
  const char *op;
  int runs;
  double seconds, flops; /* by the clock */
  double cpu;            /* of the thread's processor time */
} vlb_profile_row;
void vlb_graph_profile(vlb_graph *g, bool on);             /* start (clears) or stop timing each op */
int vlb_graph_profile_rows(const vlb_graph *g, vlb_profile_row *rows, int max); /* summed per kind of op, slowest first */

/* Parts of a graph: nodes defined from now on belong to `stage` (a text that outlives the graph). */
void vlb_graph_stage(vlb_graph *g, const char *stage);
typedef struct {
  const char *stage;
  double seconds, cpu, flops; /* since profiling began: by the clock, processor time (this thread's; with a team, the program's); flops of one run */
} vlb_stage_row;
int vlb_graph_stage_rows(const vlb_graph *g, vlb_stage_row *rows, int max); /* forward nodes, in the order of definition */
/* The distinct matrix products of a stage's forward nodes: [m,k] x [k,n], `count` of them in one run. */
typedef struct {
  int64_t m, n, k, count;
} vlb_product_row;
int vlb_graph_products(const vlb_graph *g, const char *stage, vlb_product_row *rows, int max);

#endif
