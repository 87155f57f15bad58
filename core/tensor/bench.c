#include "core/tensor/bench.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/timing.h"
#include "core/tensor/backend.h"
#include "core/tensor/graph.h"

enum { MAX_PRODUCTS = 6, MAX_RUNS = 1000 };
enum { FORWARD, BACKWARD };

/* --- the products of an op, plain --- */

typedef struct {
  vlb_gemm *gemm;
  int direction;
  double flops;
  int64_t batch, m, n, k;
} product;

typedef struct {
  product p[MAX_PRODUCTS];
  int count;
  float *a, *b, *c; /* large enough for every product */
  void *scratch;
} products;

static void add_product(products *all, int direction, int64_t batch, int64_t m, int64_t n, int64_t k) {
  all->p[all->count++] = (product){NULL, direction, 2.0 * (double)batch * (double)m * (double)n * (double)k, batch, m, n, k};
}

static void list_products(const vlb_bench_shape *s, products *all) {
  if (!s->heads) {
    add_product(all, FORWARD, 1, s->rows, s->out, s->in);
    add_product(all, BACKWARD, 1, s->rows, s->in, s->out);
    add_product(all, BACKWARD, 1, s->out, s->in, s->rows);
    return;
  }
  int64_t batch = s->batch * s->kv_heads, rows = s->heads / s->kv_heads * s->queries, d = s->head_dim;
  for (int direction = FORWARD; direction <= BACKWARD; direction++) {
    add_product(all, direction, batch, rows, s->keys, d); /* logits; dP */
    add_product(all, direction, batch, rows, d, s->keys); /* mix; dQ */
  }
  add_product(all, BACKWARD, batch, s->keys, d, rows); /* dV */
  add_product(all, BACKWARD, batch, s->keys, d, rows); /* dK */
}

static float *floats(size_t n) {
  float *x = aligned_alloc(64, (n * sizeof *x + 127) & ~(size_t)63);
  for (size_t i = 0; x && i < n; i++) x[i] = 0.01f * (float)(i % 13);
  return x;
}

static vlb_code plan_products(products *all, vlb_error *err) {
  size_t a = 0, b = 0, c = 0, scratch = 64;
  for (int i = 0; i < all->count; i++) {
    product *p = &all->p[i];
    vlb_gemm_spec spec = {.batch = p->batch, .m = p->m, .n = p->n, .k = p->k};
    VLB_TRY(vlb_gemm_create(&spec, &p->gemm, err));
    size_t sizes[] = {(size_t)(p->batch * p->m * p->k), (size_t)(p->batch * p->k * p->n), (size_t)(p->batch * p->m * p->n)};
    a = sizes[0] > a ? sizes[0] : a;
    b = sizes[1] > b ? sizes[1] : b;
    c = sizes[2] > c ? sizes[2] : c;
    scratch = vlb_gemm_scratch(p->gemm) > scratch ? vlb_gemm_scratch(p->gemm) : scratch;
  }
  all->a = floats(a), all->b = floats(b), all->c = floats(c), all->scratch = aligned_alloc(64, (scratch + 63) & ~(size_t)63);
  return all->a && all->b && all->c && all->scratch ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory for a benchmark");
}

static void run_products(const products *all, double seconds[2]) {
  seconds[FORWARD] = seconds[BACKWARD] = 0;
  for (int i = 0; i < all->count; i++) {
    double start = vlb_seconds();
    vlb_gemm_run(all->p[i].gemm, all->a, all->b, NULL, NULL, all->c, all->scratch);
    seconds[all->p[i].direction] += vlb_seconds() - start;
  }
}

static void free_products(products *all) {
  for (int i = 0; i < all->count; i++) vlb_gemm_free(all->p[i].gemm);
  free(all->a), free(all->b), free(all->c), free(all->scratch);
}

/* --- the op --- */

typedef struct {
  vlb_graph *graph;
  float *data, *gradient; /* every leaf reads `data` */
  size_t gradient_count;
} op_graph;

/* An activation whose gradient is wanted: a trained leaf plus zeros, so that the op's own gradient is written, not added. */
static vlb_t activation(op_graph *o, int64_t batch, int64_t rows, int64_t width) {
  const int64_t dims[] = {batch, rows, width};
  vlb_t leaf = vlb_weight(o->graph, 3, dims, o->data, (int64_t)o->gradient_count), zero = vlb_input(o->graph, 3, dims);
  vlb_graph_bind(o->graph, zero, o->data);
  o->gradient_count += (size_t)(batch * rows * width + 15) & ~(size_t)15;
  return vlb_add(o->graph, leaf, zero);
}

static vlb_t define_op(op_graph *o, const vlb_bench_shape *s) {
  if (s->heads) {
    int64_t kv = s->kv_heads * s->head_dim;
    vlb_t q = activation(o, s->batch, s->queries, s->heads * s->head_dim), k = activation(o, s->batch, s->keys, kv),
          v = activation(o, s->batch, s->keys, kv);
    return vlb_attention(o->graph, q, &k, &v, 1, VLB_NONE, s->heads, s->kv_heads, s->head_dim);
  }
  vlb_t x = activation(o, 1, s->rows, s->in);
  vlb_t w = vlb_weight(o->graph, 2, (const int64_t[]){s->out, s->in}, o->data, (int64_t)o->gradient_count);
  o->gradient_count += (size_t)(s->out * s->in + 15) & ~(size_t)15;
  return vlb_linear(o->graph, x, w, VLB_NONE, VLB_NONE, 0);
}

static size_t larger(size_t a, int64_t b) { return (size_t)b > a ? (size_t)b : a; }

static vlb_code build_op(op_graph *o, const vlb_bench_shape *s, vlb_error *err) {
  size_t most = larger(larger(larger(16, s->rows * s->in), s->rows * s->out), s->in * s->out);
  most = larger(larger(most, s->batch * s->queries * s->heads * s->head_dim), s->batch * s->keys * s->kv_heads * s->head_dim);
  o->graph = vlb_graph_new();
  o->data = floats(most);
  if (!o->graph || !o->data) return vlb_fail(err, VLB_FAILED, "out of memory for a benchmark");
  vlb_t y = define_op(o, s);
  const int64_t dims[] = {vlb_graph_dim(o->graph, y, 0), vlb_graph_dim(o->graph, y, 1), vlb_graph_dim(o->graph, y, 2)}, one = 1;
  vlb_t target = vlb_input(o->graph, 3, dims), weight = vlb_input(o->graph, 3, dims), scale = vlb_input(o->graph, 1, &one);
  vlb_graph_bind(o->graph, target, o->data);
  vlb_graph_bind(o->graph, weight, o->data);
  vlb_graph_bind(o->graph, scale, o->data);
  vlb_graph_reverse(o->graph, vlb_loss(o->graph, y, target, weight, 2), scale);
  VLB_TRY(vlb_graph_plan(o->graph, err));
  o->gradient = floats(o->gradient_count);
  return o->gradient ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory for a benchmark");
}

/* Only ops with products count: the leaf, the zeros and the loss are scaffolding. */
static void run_op(op_graph *o, double seconds[2]) {
  enum { KINDS = 32 };
  vlb_profile_row rows[KINDS];
  vlb_graph_profile(o->graph, true);
  vlb_graph_run(o->graph, o->gradient, o->gradient_count);
  seconds[FORWARD] = seconds[BACKWARD] = 0;
  int n = vlb_graph_profile_rows(o->graph, rows, KINDS);
  for (int i = 0; i < n; i++) {
    bool forward = !strcmp(rows[i].op, "linear") || !strcmp(rows[i].op, "attention");
    if (rows[i].flops > 0) seconds[forward ? FORWARD : BACKWARD] += rows[i].seconds;
  }
}

/* --- both, in turns --- */

static void measure(op_graph *o, const products *all, double seconds, vlb_bench_rate rate[2]) {
  static const bool order[] = {true, false, false, true}; /* slow drifts of the machine hit both alike */
  double times[2][2][MAX_RUNS], flops[2] = {0, 0}, ignored[2]; /* [op, raw][direction] */
  int runs[2] = {0, 0};
  for (int i = 0; i < all->count; i++) flops[all->p[i].direction] += all->p[i].flops;
  run_op(o, ignored);
  run_products(all, ignored);
  for (double start = vlb_seconds(); runs[0] + 2 <= MAX_RUNS && (runs[0] < 4 || vlb_seconds() - start < seconds);)
    for (int turn = 0; turn < 4; turn++) {
      int who = order[turn] ? 0 : 1;
      double t[2];
      if (order[turn]) run_op(o, t);
      else run_products(all, t);
      for (int d = FORWARD; d <= BACKWARD; d++) times[who][d][runs[who]] = t[d];
      runs[who]++;
    }
  for (int d = FORWARD; d <= BACKWARD; d++)
    rate[d] = (vlb_bench_rate){.op = 1e-9 * flops[d] / vlb_median(times[0][d], runs[0]), .raw = 1e-9 * flops[d] / vlb_median(times[1][d], runs[1])};
}

vlb_code vlb_bench_op(const vlb_bench_shape *shape, double seconds, vlb_bench_rate *forward, vlb_bench_rate *backward, vlb_error *err) {
  products all = {.count = 0};
  op_graph o = {.gradient_count = 0};
  vlb_bench_rate rate[2] = {{0, 0}, {0, 0}};
  list_products(shape, &all);
  vlb_code code = plan_products(&all, err);
  if (!code) code = build_op(&o, shape, err);
  if (!code) measure(&o, &all, seconds, rate);
  *forward = rate[FORWARD];
  *backward = rate[BACKWARD];
  free_products(&all);
  vlb_graph_free(o.graph);
  free(o.data), free(o.gradient);
  return code;
}
