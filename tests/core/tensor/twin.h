/* One definition, two evaluations. A case is a function written with the calls below; each call records the op in a graph (when there
 * is one) and computes it at once with plain loops in double. The doubles are the reference of the forward pass, and, since the function
 * can be evaluated again with nudged leaves, of the gradients: central differences of a double function with a step of 1e-5 are exact to
 * about 1e-9 of the values' size (truncation h^2 f''' ~ 1e-10, rounding 1e-16 / h ~ 1e-11), far below the float32 rounding of the
 * graph that they judge. Differences of the float32 forward itself could not tell an error of one part in a thousand from rounding. */
#ifndef VLB_TEST_TWIN_H
#define VLB_TEST_TWIN_H

#include "core/base/rng.h"
#include "core/tensor/graph.h"

typedef struct value {
  int ndim;
  int64_t dims[4];
  size_t count;
  double *v;
  const int32_t *ids; /* of twin_ids */
  vlb_t t;
  struct value *next;
} value;

enum { TWIN_LEAVES = 32 };
typedef struct {
  bool trained;
  size_t count, offset; /* in the gradient vector */
  float *data;
  double *direction; /* of the present evaluation: leaf = data + step * direction */
} twin_leaf;

typedef struct {
  vlb_graph *g; /* NULL: doubles only */
  const int64_t *p; /* what the case is asked to vary */
  bool wrap;        /* trained leaves reach the op as activations, not as weights */
  twin_leaf leaves[TWIN_LEAVES];
  int leaf_count, next_leaf;
  double step;
  size_t gradient_count;
  vlb_rng rng;
  value *values; /* all of the present evaluation, latest first */
} twin;

/* ---- leaves; a [..] list of axes ends with 0 ---- */
#define AXES(...) (const int64_t[]){__VA_ARGS__, 0}
value *twin_weight(twin *t, const int64_t *dims);   /* trained, always a weight: what linear, norm and embed are given */
value *twin_leaf_of(twin *t, const int64_t *dims);  /* trained; an activation when t->wrap */
value *twin_constant(twin *t, const int64_t *dims); /* an input */
value *twin_given(twin *t, const int64_t *dims, const float *data); /* an input with these numbers, which outlive the case */
value *twin_ids(twin *t, int64_t batch, int64_t rows, const int32_t *ids);

/* ---- ops, as in core/tensor/graph.h ---- */
value *twin_linear(twin *t, value *x, value *w, value *bias, value *residual, int64_t first);
value *twin_add(twin *t, value *a, value *b);
value *twin_add_row(twin *t, value *x, value *row);
value *twin_add_table(twin *t, value *x, value *table);
value *twin_layer_norm(twin *t, value *x, value *w, value *b, double eps);
value *twin_rms_norm(twin *t, value *x, value *w, double eps);
value *twin_gelu(twin *t, value *x);
value *twin_silu(twin *t, value *x);
value *twin_gate(twin *t, value *gate, value *up);
value *twin_rope_angles(twin *t, value *positions, int64_t head_dim);
value *twin_rope(twin *t, value *x, value *angles);
value *twin_attention(twin *t, value *q, value *const *k, value *const *v, int parts, value *mask, int64_t heads, int64_t kv_heads,
                      int64_t head_dim);
typedef struct {
  value *x;
  int64_t first_batch, first_row, rows;
  double scale;
} twin_rows;
value *twin_assemble(twin *t, int64_t batch, const twin_rows *parts, int count);
value *twin_embed(twin *t, value *table, value *ids);
value *twin_patches(twin *t, value *images, int64_t patch);
value *twin_pixel_shuffle(twin *t, value *x, int64_t side, int64_t factor);
value *twin_loss(twin *t, value *prediction, value *target, value *weight, int power);
value *twin_cross_entropy(twin *t, value *logits, value *ids, value *weights, double scale);

/* A case returns its elementwise loss. */
typedef value *(*twin_case)(twin *t);

/* Largest errors seen by twin_check so far, in units of each tensor's largest magnitude. */
typedef struct {
  double forward, gradient;
  int cases;
} twin_figures;
extern twin_figures twin_worst;

/* Defines and runs the case and fails the test unless: every tensor matches the doubles; the loss's gradient for every trained leaf
 * matches central differences, element by element and along random directions; a run allocates nothing; a second run gives the same
 * bytes, also after a run on NaNs that leaves the arena full of them; and a graph that keeps every tensor (no reuse) gives
 * the same gradient bytes as one that keeps the loss alone. tolerance: of a tensor's largest magnitude, for values and gradients. */
void twin_check(const char *name, twin_case define, const int64_t *p, bool wrap, double tolerance);

#endif
