/* Running a planned graph, and measuring it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/tensor/graph_inside.h"

void vlb_graph_bind(vlb_graph *g, vlb_t input, const float *data) {
  if (input >= 0) g->tensors[input].data = data;
}

void vlb_graph_bind_ids(vlb_graph *g, vlb_t input, const int32_t *data) {
  if (input >= 0) g->tensors[input].data = data;
}

const float *vlb_in(const vlb_graph *g, vlb_t t) {
  if (t < 0) return NULL;
  const tensor *x = &g->tensors[t];
  if (x->kind == ACTIVATION) return g->arena + x->offset;
  return x->kind == GRADIENT ? g->gradient + x->offset : x->data;
}

float *vlb_out(vlb_graph *g, vlb_t t) {
  if (t < 0) return NULL;
  const tensor *x = &g->tensors[t];
  return (x->kind == ACTIVATION ? g->arena : g->gradient) + x->offset;
}

const int32_t *vlb_in_ids(const vlb_graph *g, vlb_t t) { return g->tensors[t].data; }
const float *vlb_graph_data(const vlb_graph *g, vlb_t t) { return vlb_in(g, t); }
float *vlb_scratch(vlb_graph *g) { return g->scratch; }
float *vlb_worker_scratch(vlb_graph *g, int worker) { return g->scratch + (size_t)worker * (g->scratch_count + g->gemm_scratch); }

void vlb_multiply(vlb_graph *g, vlb_node *n, int i, const float *a, const float *b, const float *bias, const float *residual, float *c) {
  vlb_gemm_run(n->gemm[i], a, b, bias, residual, c, g->scratch + g->scratch_count);
}

/* zeros in the gradient vector, except where a first writer assigns */
static void clear_gradient(vlb_graph *g, size_t count) {
  size_t at = 0;
  for (int i = 0; i < g->assigned_count; i++) {
    const tensor *t = &g->tensors[g->assigned[i]];
    memset(g->gradient + at, 0, (t->offset - at) * sizeof *g->gradient);
    at = t->offset + t->count;
  }
  memset(g->gradient + at, 0, (count - at) * sizeof *g->gradient);
}

/* by the clock, and the processor time: of this thread, or of all where a team works */
static void now(const vlb_graph *g, double *wall, double *cpu) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  *wall = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
  clock_gettime(vlb_team_size(g->how.team) > 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID, &t);
  *cpu = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct {
  vlb_graph *g;
  vlb_node *n;
} work;

static void run_part(void *self, int i, int worker) {
  const work *w = self;
  w->n->part(w->g, w->n, i, worker);
}

static void run_node(vlb_graph *g, vlb_node *n) {
  if (n->parts)
    vlb_team_run(g->how.team, n->parts, run_part, &(work){g, n});
  else
    n->op->run(g, n);
}

static void run_timed(vlb_graph *g, vlb_node *n) {
  double wall[2], cpu[2];
  now(g, &wall[0], &cpu[0]);
  run_node(g, n);
  now(g, &wall[1], &cpu[1]);
  n->seconds += wall[1] - wall[0];
  n->cpu += cpu[1] - cpu[0];
  n->runs++;
}

void vlb_graph_renew(vlb_graph *g) { g->renewed = true; }

void vlb_graph_run(vlb_graph *g, float *gradient, size_t gradient_count) {
  g->gradient = gradient;
  int count = gradient ? g->node_count : g->forward_count;
  if (gradient) clear_gradient(g, gradient_count);
  for (int i = 0; i < count; i++) {
    vlb_node *n = g->nodes[i];
    if (n->steady && !g->renewed) continue;
    if (g->profiling)
      run_timed(g, n);
    else
      run_node(g, n);
  }
  g->renewed = false;
}

/* ---- measuring ---- */

double vlb_graph_flops(const vlb_graph *g, bool backward) {
  double sum = 0;
  for (int i = 0; i < (backward ? g->node_count : g->forward_count); i++) sum += g->nodes[i]->flops;
  return sum;
}

size_t vlb_graph_bytes(const vlb_graph *g) {
  return (g->arena_count + (g->scratch_count + g->gemm_scratch) * (size_t)vlb_team_size(g->how.team)) * sizeof(float);
}

size_t vlb_graph_packed_bytes(const vlb_graph *g) { return g->pack_bytes; }

void vlb_graph_profile(vlb_graph *g, bool on) {
  g->profiling = on;
  if (!on) return;
  for (int i = 0; i < g->node_count; i++) g->nodes[i]->seconds = g->nodes[i]->cpu = 0, g->nodes[i]->runs = 0;
}

static int slower_first(const void *x, const void *y) {
  const vlb_profile_row *a = x, *b = y;
  return (a->seconds < b->seconds) - (a->seconds > b->seconds);
}

int vlb_graph_profile_rows(const vlb_graph *g, vlb_profile_row *rows, int max) {
  int count = 0;
  for (int i = 0; i < g->node_count; i++) {
    const vlb_node *n = g->nodes[i];
    int j = 0;
    while (j < count && strcmp(rows[j].op, n->op->name)) j++;
    if (j == max) continue;
    if (j == count) rows[count++] = (vlb_profile_row){.op = n->op->name};
    rows[j].runs += n->runs;
    rows[j].seconds += n->seconds;
    rows[j].cpu += n->cpu;
    rows[j].flops += n->flops * n->runs;
  }
  qsort(rows, (size_t)count, sizeof *rows, slower_first);
  return count;
}

void vlb_graph_stage(vlb_graph *g, const char *stage) { g->stage = stage; }

int vlb_graph_stage_rows(const vlb_graph *g, vlb_stage_row *rows, int max) {
  int count = 0;
  for (int i = 0; i < g->forward_count; i++) {
    const vlb_node *n = g->nodes[i];
    int j = 0;
    while (j < count && rows[j].stage != n->stage) j++;
    if (j == max) continue;
    if (j == count) rows[count++] = (vlb_stage_row){n->stage, 0, 0, 0};
    rows[j].seconds += n->seconds;
    rows[j].cpu += n->cpu;
    rows[j].flops += n->flops;
  }
  return count;
}

int vlb_graph_products(const vlb_graph *g, const char *stage, vlb_product_row *rows, int max) {
  int count = 0;
  for (int i = 0; i < g->forward_count; i++) {
    const vlb_node *n = g->nodes[i];
    for (int k = 0; k < n->product_count && n->stage == stage; k++) {
      const vlb_product_row *p = &n->products[k];
      int j = 0;
      while (j < count && (rows[j].m != p->m || rows[j].n != p->n || rows[j].k != p->k)) j++;
      if (j == max) continue;
      if (j == count) rows[count++] = (vlb_product_row){p->m, p->n, p->k, 0};
      rows[j].count += p->count;
    }
  }
  return count;
}
