/* Folding a graph for inference: linear layers of one input become one product, activations, gates and residuals join the pass that stores it, attention
 * works in tiles over packed keys; then nodes that depend on steady inputs only are marked. The graph that was written stays the definition. */
#include <stdlib.h>
#include <string.h>

#include "core/tensor/graph_inside.h"

typedef struct {
  vlb_graph *g;
  vlb_node **old; /* as written; NULL once taken */
  int count;
  int *uses;      /* of each tensor that was defined before folding: nodes that read it, and 1 when it is kept */
} fold;

static bool is_linear(const fold *f, const vlb_node *n) {
  return n && n->op == &vlb_linear_op && f->g->tensors[n->in[VLB_LINEAR_W]].kind == WEIGHT;
}

/* the one node that reads t, with its place, or NULL */
static vlb_node *only_reader(const fold *f, vlb_t t, int *at) {
  if (t < 0 || f->uses[t] != 1) return NULL;
  for (int i = 0; i < f->count; i++)
    for (int j = 0; f->old[i] && j < f->old[i]->nin; j++)
      if (f->old[i]->in[j] == t) {
        *at = i;
        return f->old[i];
      }
  return NULL;
}

static int find(const fold *f, const vlb_node *n) {
  int i = 0;
  while (f->old[i] != n) i++;
  return i;
}

static vlb_node *maker(const fold *f, vlb_t t) {
  for (int i = 0; i < f->count; i++)
    if (f->old[i] && f->old[i]->out == t) return f->old[i];
  return NULL;
}

static void take(fold *f, vlb_node *n) {
  f->old[find(f, n)] = NULL;
  vlb_node_free(n);
}

static vlb_projection projection_of(const vlb_node *n) {
  return (vlb_projection){.x = n->in[VLB_LINEAR_X], .residual = n->in[VLB_LINEAR_RESIDUAL], .count = 1, .w = {n->in[VLB_LINEAR_W]},
                          .bias = {n->in[VLB_LINEAR_BIAS]}, .out = {n->out}, .first = n->attr[VLB_LINEAR_FIRST], .ld = n->attr[VLB_LINEAR_LD],
                          .range = (int)n->attr[VLB_LINEAR_RANGE], .precision = n->precision, .stage = n->stage};
}

/* gate(linear x, linear x): one product, and its columns meet as they are stored */
static bool fold_gate(fold *f, const vlb_node *first, vlb_projection *p) {
  int at;
  vlb_node *gate = only_reader(f, first->out, &at);
  if (!gate || gate->op != &vlb_gate_op) return false;
  vlb_node *up = maker(f, gate->in[1]);
  if (gate->in[0] != first->out || !is_linear(f, up) || up->in[VLB_LINEAR_X] != p->x || f->uses[up->out] != 1) return false;
  if (memcmp(up->attr, first->attr, sizeof up->attr - sizeof up->attr[VLB_LINEAR_RANGE]) || up->in[VLB_LINEAR_RESIDUAL] >= 0 || p->residual >= 0) return false;
  p->w[1] = up->in[VLB_LINEAR_W];
  p->bias[1] = up->in[VLB_LINEAR_BIAS];
  p->count = 2;
  p->gated = true;
  p->out[0] = gate->out;
  take(f, up), take(f, gate);
  return true;
}

static bool fold_gelu(fold *f, const vlb_node *first, vlb_projection *p) {
  int at;
  vlb_node *gelu = only_reader(f, first->out, &at);
  if (!gelu || gelu->op != &vlb_gelu_op || p->residual >= 0) return false;
  p->gelu = true;
  p->out[0] = gelu->out;
  take(f, gelu);
  return true;
}

/* further plain linear layers of the same input */
static void fold_siblings(fold *f, const vlb_node *first, vlb_projection *p) {
  for (int i = 0; i < f->count && p->count < 3 && p->residual < 0; i++) {
    vlb_node *n = f->old[i];
    int at;
    if (n == first || !is_linear(f, n) || n->in[VLB_LINEAR_X] != p->x || n->in[VLB_LINEAR_RESIDUAL] >= 0) continue;
    if (n->precision != p->precision || n->stage != p->stage || n->attr[VLB_LINEAR_FIRST] != p->first || n->attr[VLB_LINEAR_LD] != p->ld) continue;
    const vlb_node *reader = only_reader(f, n->out, &at);
    if (reader && (reader->op == &vlb_gate_op || reader->op == &vlb_gelu_op)) continue;
    p->w[p->count] = n->in[VLB_LINEAR_W];
    p->bias[p->count] = n->in[VLB_LINEAR_BIAS];
    p->out[p->count++] = n->out;
    take(f, n);
  }
}

static void fold_linear(fold *f, vlb_node *n) {
  vlb_projection p = projection_of(n);
  if (!fold_gate(f, n, &p) && !fold_gelu(f, n, &p)) fold_siblings(f, n, &p);
  take(f, n);
  vlb_project(f->g, &p);
}

/* the packing of a key and a value part: once, however many layers read it */
static vlb_node *packed(fold *f, vlb_t k, vlb_t v, int64_t kv_heads, const char *stage) {
  for (int i = 0; i < f->g->node_count; i++) {
    vlb_node *n = f->g->nodes[i];
    if (n->op == &vlb_pack_keys_op && n->in[0] == k && n->in[1] == v) return n;
  }
  vlb_node *n = vlb_pack_keys(f->g, k, v, kv_heads);
  if (n) n->stage = stage;
  return n;
}

static void fold_attention(fold *f, vlb_node *n) {
  int parts = (n->nin - VLB_ATTENTION_FIRST_PART) / 2;
  vlb_node *packs[VLB_MAX_PARTS];
  for (int i = 0; i < parts; i++)
    packs[i] = packed(f, n->in[VLB_ATTENTION_FIRST_PART + i], n->in[VLB_ATTENTION_FIRST_PART + parts + i], n->attr[4], n->stage);
  vlb_node *made = vlb_attend(f->g, n, packs);
  if (made) made->stage = n->stage;
  take(f, n);
}

static void count_uses(fold *f) {
  for (int i = 0; i < f->count; i++)
    for (int j = 0; j < f->old[i]->nin; j++)
      if (f->old[i]->in[j] >= 0) f->uses[f->old[i]->in[j]]++;
  for (int t = 0; t < f->g->tensor_count; t++) f->uses[t] += f->g->tensors[t].kept;
}

static void fold_all(fold *f) {
  vlb_graph *g = f->g;
  for (int i = 0; i < f->count && !g->failed; i++) {
    vlb_node *n = f->old[i];
    if (!n) continue;
    if (is_linear(f, n)) {
      fold_linear(f, n);
    } else if (n->op == &vlb_attention_op) {
      fold_attention(f, n);
    } else if (vlb_graph_grow(g, (void **)&g->nodes, g->node_count, &g->node_room, sizeof(vlb_node *))) {
      g->nodes[g->node_count++] = n;
      f->old[i] = NULL;
    }
  }
}

/* inputs are steady when they were said to be, weights always, the rest when all they are made from is */
static void mark_steady(vlb_graph *g) {
  bool any = false;
  for (int t = 0; t < g->tensor_count; t++) any |= g->tensors[t].steady;
  if (!any) return;
  for (int i = 0; i < g->node_count; i++) {
    vlb_node *n = g->nodes[i];
    n->steady = true;
    for (int j = 0; j < n->nin; j++)
      if (n->in[j] >= 0 && g->tensors[n->in[j]].kind != WEIGHT && !g->tensors[n->in[j]].steady) n->steady = false;
    if (n->out >= 0) g->tensors[n->out].steady = n->steady;
    for (int j = 0; j < n->nouts; j++) g->tensors[n->outs[j]].steady = n->steady;
  }
}

vlb_code vlb_graph_fold(vlb_graph *g, vlb_error *err) {
  fold f = {g, g->nodes, g->node_count, calloc((size_t)g->tensor_count + 1, sizeof(int))};
  if (!f.uses) return vlb_fail(err, VLB_FAILED, "out of memory planning the graph");
  int ranges = 0;
  for (int i = 0; i < f.count; i++)
    if (f.old[i]->op == &vlb_linear_op) f.old[i]->attr[VLB_LINEAR_RANGE] = f.old[i]->precision == VLB_INT8 ? ranges++ : -1;
  count_uses(&f);
  g->nodes = NULL;
  g->node_count = g->node_room = 0;
  fold_all(&f);
  for (int i = 0; i < f.count; i++) vlb_node_free(f.old[i]);
  free(f.old), free(f.uses);
  mark_steady(g);
  return VLB_OK;
}

int vlb_graph_range_count(const vlb_graph *g) {
  int n = 0;
  for (int i = 0; i < g->node_count; i++) n += g->nodes[i]->op == &vlb_linear_op && g->nodes[i]->precision == VLB_INT8;
  return n;
}
