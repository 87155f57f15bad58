#include "core/tensor/graph.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/tensor/graph_inside.h"

vlb_graph *vlb_graph_new(void) { return calloc(1, sizeof(vlb_graph)); }

void vlb_node_free(vlb_node *n) {
  if (!n) return;
  if (n->own_free) n->own_free(n->own);
  free(n->in), free(n->outs), free(n->adds), free(n->rows), free(n);
}

void vlb_graph_free(vlb_graph *g) {
  if (!g) return;
  for (int i = 0; i < g->node_count; i++) vlb_node_free(g->nodes[i]);
  for (int i = 0; i < g->gemm_count; i++) vlb_gemm_free(g->gemms[i].gemm);
  for (int i = 0; i < g->low_count; i++) vlb_low_free(g->lows[i].low);
  for (int i = 0; i < g->pack_count; i++) free(g->packs[i]);
  free(g->packs), free(g->lows), free(g->nodes), free(g->gemms), free(g->assigned), free(g->tensors), free(g->arena), free(g->scratch), free(g);
}

void vlb_graph_fail(vlb_graph *g, const char *format, ...) {
  if (g->failed) return; /* the first failure is the one worth reading */
  g->failed = true;
  g->error.code = VLB_FAILED;
  va_list args;
  va_start(args, format);
  vsnprintf(g->error.message, sizeof g->error.message, format, args);
  va_end(args);
}

void vlb_graph_infer(vlb_graph *g, const vlb_inference *how) {
  g->how = *how;
  g->infers = g->renewed = true;
}

void vlb_graph_precision(vlb_graph *g, vlb_precision p) { g->precision = p; }

void vlb_graph_steady(vlb_graph *g, vlb_t input) {
  if (input >= 0) g->tensors[input].steady = true;
}

bool vlb_graph_reversed(const vlb_graph *g) { return g->node_count > g->forward_count; }


bool vlb_graph_grow(vlb_graph *g, void **array, int count, int *room, size_t size) {
  if (count < *room) return true;
  int more = *room ? 2 * *room : 64;
  void *p = realloc(*array, (size_t)more * size);
  if (!p) {
    vlb_graph_fail(g, "out of memory defining the graph");
    return false;
  }
  *array = p;
  *room = more;
  return true;
}

/* ---- tensors ---- */

static vlb_t add_tensor(vlb_graph *g, storage kind, int ndim, const int64_t *dims) {
  if (!vlb_graph_grow(g, (void **)&g->tensors, g->tensor_count, &g->tensor_room, sizeof(tensor))) return VLB_NONE;
  tensor t = {.ndim = ndim, .count = 1, .kind = kind, .gradient_offset = -1, .gradient = VLB_NONE, .first = -1, .last = -1};
  for (int i = 0; i < ndim; i++) {
    t.dims[i] = dims[i];
    t.count *= (size_t)dims[i];
  }
  g->tensors[g->tensor_count] = t;
  return g->tensor_count++;
}

vlb_t vlb_tensor_new(vlb_graph *g, int ndim, const int64_t *dims) { return add_tensor(g, ACTIVATION, ndim, dims); }

vlb_t vlb_tensor_like(vlb_graph *g, vlb_t t) {
  if (t < 0) return VLB_NONE;
  tensor copy = g->tensors[t]; /* the array may move */
  return add_tensor(g, ACTIVATION, copy.ndim, copy.dims);
}

vlb_t vlb_input(vlb_graph *g, int ndim, const int64_t *dims) { return add_tensor(g, INPUT, ndim, dims); }

vlb_t vlb_ids(vlb_graph *g, int64_t batch, int64_t rows) { return add_tensor(g, IDS, 2, (int64_t[]){batch, rows}); }

vlb_t vlb_weight(vlb_graph *g, int ndim, const int64_t *dims, const float *data, int64_t gradient) {
  vlb_t t = add_tensor(g, WEIGHT, ndim, dims);
  if (t < 0) return t;
  g->tensors[t].data = data;
  g->tensors[t].gradient_offset = gradient;
  g->tensors[t].needs_gradient = gradient >= 0;
  return t;
}

bool vlb_needs_gradient(const vlb_graph *g, vlb_t t) { return t >= 0 && g->tensors[t].needs_gradient; }
bool vlb_graph_trains(const vlb_graph *g, vlb_t t) { return vlb_needs_gradient(g, t); }
vlb_t vlb_gradient_of(const vlb_graph *g, vlb_t t) { return t < 0 ? VLB_NONE : g->tensors[t].gradient; }
int vlb_ndim(const vlb_graph *g, vlb_t t) { return t < 0 ? 0 : g->tensors[t].ndim; }
size_t vlb_graph_count(const vlb_graph *g, vlb_t t) { return t < 0 ? 0 : g->tensors[t].count; }

int64_t vlb_graph_dim(const vlb_graph *g, vlb_t t, int axis) {
  if (t < 0) return 1;
  int i = axis < 0 ? g->tensors[t].ndim + axis : axis;
  return i < 0 || i >= g->tensors[t].ndim ? 1 : g->tensors[t].dims[i];
}

int64_t vlb_rows_of(const vlb_graph *g, vlb_t t) { return t < 0 ? 0 : (int64_t)g->tensors[t].count / vlb_graph_dim(g, t, -1); }

bool vlb_same_shape(const vlb_graph *g, vlb_t a, vlb_t b) {
  if (a < 0 || b < 0 || g->tensors[a].ndim != g->tensors[b].ndim) return false;
  return !memcmp(g->tensors[a].dims, g->tensors[b].dims, (size_t)g->tensors[a].ndim * sizeof(int64_t));
}

void vlb_expect_weight(vlb_graph *g, vlb_t t, const char *op) {
  if (vlb_needs_gradient(g, t) && g->tensors[t].kind != WEIGHT) vlb_graph_fail(g, "%s: a parameter that is trained must be a weight", op);
}

/* ---- nodes ---- */

static vlb_node *append_node(vlb_graph *g, const vlb_op *op, const vlb_t *in, int nin) {
  if (g->failed || !vlb_graph_grow(g, (void **)&g->nodes, g->node_count, &g->node_room, sizeof(vlb_node *))) return NULL;
  vlb_node *n = calloc(1, sizeof *n);
  if (n) n->in = malloc((size_t)(nin ? nin : 1) * sizeof *n->in);
  if (!n || !n->in) {
    free(n);
    vlb_graph_fail(g, "out of memory defining the graph");
    return NULL;
  }
  n->op = op;
  n->stage = g->stage;
  n->precision = g->precision;
  n->nin = nin;
  memcpy(n->in, in, (size_t)nin * sizeof *in);
  n->out = n->extra = VLB_NONE;
  g->nodes[g->node_count++] = n;
  return n;
}

vlb_node *vlb_node_new(vlb_graph *g, const vlb_op *op, const vlb_t *in, int nin, vlb_t out) {
  vlb_node *n = out < 0 ? NULL : append_node(g, op, in, nin);
  if (!n) return NULL;
  n->out = out;
  for (int i = 0; i < nin; i++)
    if (vlb_needs_gradient(g, in[i])) g->tensors[out].needs_gradient = true;
  return n;
}

vlb_node *vlb_node_outputs(vlb_graph *g, const vlb_op *op, const vlb_t *in, int nin, const vlb_t *outs, int nouts) {
  vlb_node *n = append_node(g, op, in, nin);
  if (!n) return NULL;
  n->outs = malloc((size_t)nouts * sizeof *n->outs);
  n->adds = calloc((size_t)nouts, sizeof *n->adds);
  if (!n->outs || !n->adds) {
    vlb_graph_fail(g, "out of memory defining the graph");
    return NULL;
  }
  memcpy(n->outs, outs, (size_t)nouts * sizeof *outs);
  n->nouts = nouts;
  return n;
}

/* the tensor that holds the gradient of t; adds tells whether something was written to it before */
static vlb_t open_gradient(vlb_graph *g, vlb_t t, bool *adds) {
  if (!vlb_needs_gradient(g, t)) return VLB_NONE;
  *adds = g->tensors[t].gradient >= 0;
  if (*adds) return g->tensors[t].gradient;
  tensor source = g->tensors[t];
  vlb_t d = add_tensor(g, source.kind == WEIGHT ? GRADIENT : ACTIVATION, source.ndim, source.dims);
  if (d < 0) return d;
  if (source.kind == WEIGHT) {
    g->tensors[d].offset = (size_t)source.gradient_offset;
    *adds = true; /* the gradient vector starts each run as zeros, but for what vlb_gradient_assign says */
  }
  g->tensors[t].gradient = d;
  return d;
}

vlb_node *vlb_node_gradient(vlb_graph *g, const vlb_op *op, const vlb_t *in, int nin, const vlb_t *targets, int ntargets) {
  vlb_node *n = append_node(g, op, in, nin);
  if (!n) return NULL;
  n->outs = malloc((size_t)ntargets * sizeof *n->outs);
  n->adds = calloc((size_t)ntargets, sizeof *n->adds);
  if (!n->outs || !n->adds) {
    vlb_graph_fail(g, "out of memory defining the graph");
    return NULL;
  }
  n->nouts = ntargets;
  for (int i = 0; i < ntargets; i++) n->outs[i] = open_gradient(g, targets[i], &n->adds[i]);
  return n;
}

void vlb_gradient_assign(vlb_graph *g, vlb_node *n, vlb_t w) {
  vlb_t d = vlb_gradient_of(g, w);
  for (int i = 0; i + 1 < g->node_count; i++)
    for (int j = 0; j < g->nodes[i]->nouts; j++)
      if (g->nodes[i]->outs[j] == d) return;
  n->adds[0] = false;
  g->tensors[d].assigned = true;
}

static void add_into_run(vlb_graph *g, vlb_node *n) {
  const float *x = vlb_in(g, n->in[0]);
  float *y = vlb_out(g, n->outs[0]);
  size_t count = g->tensors[n->outs[0]].count;
  if (n->adds[0])
    for (size_t i = 0; i < count; i++) y[i] += x[i];
  else
    memcpy(y, x, count * sizeof *y);
}
static const vlb_op add_into_op = {"add gradient", NULL, add_into_run, NULL};

void vlb_gradient_add(vlb_graph *g, vlb_t from, vlb_t to) {
  vlb_t d = vlb_gradient_of(g, from);
  if (d >= 0 && vlb_needs_gradient(g, to)) vlb_node_gradient(g, &add_into_op, &d, 1, &to, 1);
}

void vlb_gradient_pass(vlb_graph *g, vlb_t from, vlb_t to) {
  vlb_t d = vlb_gradient_of(g, from);
  if (d < 0 || !vlb_needs_gradient(g, to)) return;
  tensor *t = &g->tensors[to];
  if (t->kind == ACTIVATION && t->gradient < 0 && g->tensors[d].kind == ACTIVATION)
    t->gradient = d; /* nobody reads d after this node's own reverse, so `to` may go on with it */
  else
    vlb_gradient_add(g, from, to);
}

/* ---- reverse ---- */

static void seed_run(vlb_graph *g, vlb_node *n) {
  float scale = vlb_in(g, n->in[0])[0];
  float *y = vlb_out(g, n->outs[0]);
  size_t count = g->tensors[n->outs[0]].count;
  for (size_t i = 0; i < count; i++) y[i] = scale;
}
static const vlb_op seed_op = {"seed gradient", NULL, seed_run, NULL};

void vlb_graph_reverse(vlb_graph *g, vlb_t loss, vlb_t scale) {
  g->forward_count = g->node_count;
  if (!vlb_needs_gradient(g, loss)) return;
  vlb_node_gradient(g, &seed_op, &scale, 1, &loss, 1);
  for (int i = g->forward_count - 1; i >= 0 && !g->failed; i--) {
    vlb_node *n = g->nodes[i];
    if (n->op->reverse && vlb_gradient_of(g, n->out) >= 0) n->op->reverse(g, n);
  }
}

void vlb_graph_keep(vlb_graph *g, vlb_t t) {
  if (t >= 0) g->tensors[t].kept = true;
}

/* ---- plan ---- */

vlb_code vlb_node_gemm(vlb_graph *g, vlb_node *n, int i, const vlb_gemm_spec *spec, vlb_error *err) {
  vlb_node_product(n, spec->m, spec->n, spec->k, spec->batch);
  for (int j = 0; j < g->gemm_count; j++)
    if (!memcmp(&g->gemms[j].spec, spec, sizeof *spec)) {
      n->gemm[i] = g->gemms[j].gemm;
      return VLB_OK;
    }
  if (!vlb_graph_grow(g, (void **)&g->gemms, g->gemm_count, &g->gemm_room, sizeof(shared_gemm))) {
    *err = g->error;
    return VLB_FAILED;
  }
  shared_gemm s = {*spec, NULL};
  VLB_TRY(vlb_gemm_create(spec, &s.gemm, err));
  g->gemms[g->gemm_count++] = s;
  n->gemm[i] = s.gemm;
  size_t floats = (vlb_gemm_scratch(s.gemm) + 63) / 64 * 16;
  if (floats > g->gemm_scratch) g->gemm_scratch = floats;
  return VLB_OK;
}

void vlb_node_product(vlb_node *n, int64_t m, int64_t width, int64_t k, int64_t count) {
  n->flops += 2.0 * (double)count * (double)m * (double)width * (double)k;
  if (n->product_count < VLB_NODE_PRODUCTS) n->products[n->product_count++] = (vlb_product_row){m, width, k, count};
}

void vlb_node_share(vlb_graph *g, vlb_node *n, int64_t rows, int64_t each, void (*part)(vlb_graph *g, vlb_node *n, int i, int worker)) {
  if (!g->infers) return;
  n->parts = (int)((rows + each - 1) / each);
  n->part = part;
}

void vlb_node_scratch(vlb_graph *g, size_t floats) {
  if (floats > g->scratch_count) g->scratch_count = floats;
}

static void live(vlb_graph *g, vlb_t t, int node) {
  if (t < 0) return;
  tensor *x = &g->tensors[t];
  if (x->first < 0) x->first = node;
  x->last = node;
}

static void live_always(vlb_graph *g, vlb_t t) {
  if (t < 0) return;
  g->tensors[t].first = 0;
  g->tensors[t].last = g->node_count;
}

static void find_lifetimes(vlb_graph *g) {
  for (int i = 0; i < g->node_count; i++) {
    vlb_node *n = g->nodes[i];
    for (int j = 0; j < n->nin; j++) live(g, n->in[j], i);
    for (int j = 0; j < n->nouts; j++) live(g, n->outs[j], i);
    live(g, n->out, i);
    live(g, n->extra, i);
  }
  for (int i = 0; i < g->node_count; i++) {
    const vlb_node *n = g->nodes[i];
    if (!n->steady) continue; /* what it makes outlives the run */
    for (int j = 0; j < n->nouts; j++) live_always(g, n->outs[j]);
    live_always(g, n->out);
  }
  for (int i = 0; i < g->tensor_count; i++)
    if (g->tensors[i].kept) g->tensors[i].last = g->node_count;
}

static size_t padded(size_t count) { return (count + 15) & ~(size_t)15; }

typedef struct {
  size_t count;
  vlb_t t;
} by_size;

static int larger_first(const void *x, const void *y) {
  const by_size *a = x, *b = y;
  if (a->count != b->count) return a->count < b->count ? 1 : -1;
  return a->t - b->t;
}

/* the lowest offset at which t overlaps no placed tensor that lives at the same time; placed is sorted by offset */
static size_t lowest_gap(const vlb_graph *g, vlb_t t, const vlb_t *placed, int n) {
  const tensor *x = &g->tensors[t];
  size_t at = 0;
  for (int i = 0; i < n; i++) {
    const tensor *p = &g->tensors[placed[i]];
    if (p->last < x->first || p->first > x->last) continue;
    if (at + padded(x->count) <= p->offset) break;
    if (p->offset + padded(p->count) > at) at = p->offset + padded(p->count);
  }
  return at;
}

/* greedy by size: large tensors first, each into the lowest gap of its lifetime */
static vlb_code lay_out(vlb_graph *g, vlb_error *err) {
  by_size *order = malloc((size_t)(g->tensor_count + 1) * sizeof *order);
  vlb_t *placed = malloc((size_t)(g->tensor_count + 1) * sizeof *placed);
  if (!order || !placed) {
    free(order), free(placed);
    return vlb_fail(err, VLB_FAILED, "out of memory planning the graph");
  }
  int n = 0, done = 0;
  for (int i = 0; i < g->tensor_count; i++)
    if (g->tensors[i].kind == ACTIVATION && g->tensors[i].first >= 0) order[n++] = (by_size){g->tensors[i].count, i};
  qsort(order, (size_t)n, sizeof *order, larger_first);
  for (int i = 0; i < n; i++) {
    tensor *x = &g->tensors[order[i].t];
    x->offset = lowest_gap(g, order[i].t, placed, done);
    int j = done++;
    while (j > 0 && g->tensors[placed[j - 1]].offset > x->offset) placed[j] = placed[j - 1], j--;
    placed[j] = order[i].t;
    if (x->offset + padded(x->count) > g->arena_count) g->arena_count = x->offset + padded(x->count);
  }
  free(order), free(placed);
  return VLB_OK;
}

/* the assigned parts of the gradient vector, lowest first */
static vlb_code list_assigned(vlb_graph *g, vlb_error *err) {
  g->assigned = malloc((size_t)(g->tensor_count + 1) * sizeof *g->assigned);
  if (!g->assigned) return vlb_fail(err, VLB_FAILED, "out of memory planning the graph");
  for (int i = 0; i < g->tensor_count; i++) {
    if (!g->tensors[i].assigned) continue;
    int j = g->assigned_count++;
    while (j > 0 && g->tensors[g->assigned[j - 1]].offset > g->tensors[i].offset) g->assigned[j] = g->assigned[j - 1], j--;
    g->assigned[j] = i;
  }
  return VLB_OK;
}

vlb_code vlb_graph_plan(vlb_graph *g, vlb_error *err) {
  if (g->infers && !g->failed && !g->forward_count) VLB_TRY(vlb_graph_fold(g, err));
  if (!g->failed && !g->forward_count) g->forward_count = g->node_count;
  for (int i = 0; i < g->node_count && !g->failed; i++)
    if (g->nodes[i]->op->plan) VLB_TRY(g->nodes[i]->op->plan(g, g->nodes[i], err));
  if (g->failed) {
    *err = g->error;
    return g->error.code;
  }
  find_lifetimes(g);
  VLB_TRY(lay_out(g, err));
  VLB_TRY(list_assigned(g, err));
  g->scratch_count = padded(g->scratch_count);
  g->arena = vlb_floats(g->arena_count + 16);
  size_t workers = (size_t)vlb_team_size(g->how.team);
  g->scratch = vlb_floats((g->scratch_count + g->gemm_scratch) * workers + 16);
  if (!g->arena || !g->scratch)
    return vlb_fail(err, VLB_FAILED, "out of memory: the graph needs %.0f MB; use a smaller batch", 4e-6 * (double)(g->arena_count + g->scratch_count));
  return VLB_OK;
}
