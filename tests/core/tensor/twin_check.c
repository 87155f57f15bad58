#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/core/tensor/allocations.h"
#include "tests/core/tensor/twin.h"

twin_figures twin_worst;

static void forget(twin *t) {
  while (t->values) {
    value *x = t->values;
    t->values = x->next;
    free(x->v), free(x);
  }
  t->next_leaf = 0;
}

/* sum of the case's loss in double, with every leaf moved by step * direction */
static double evaluate(twin *t, twin_case define, double step) {
  t->g = NULL;
  t->step = step;
  value *loss = define(t);
  double sum = 0;
  for (size_t i = 0; i < loss->count; i++) sum += loss->v[i];
  forget(t);
  t->step = 0;
  return sum;
}

/* derivative along the leaves' directions; see twin.h for the step */
static double slope(twin *t, twin_case define) {
  const double h = 1e-5;
  return (evaluate(t, define, h) - evaluate(t, define, -h)) / (2 * h);
}

static float *some_floats(size_t count, float x) {
  float *p = malloc((count + 1) * sizeof *p);
  assert_non_null(p);
  for (size_t i = 0; i <= count; i++) p[i] = x;
  return p;
}

/* ---- the graph ---- */

typedef struct {
  value *loss; /* owned by the twin */
  vlb_graph *g;
} built;

static const float one = 1.0f;

static built build(twin *t, twin_case define, bool keep_all) {
  t->g = vlb_graph_new();
  assert_non_null(t->g);
  built b = {define(t), t->g};
  vlb_t scale = vlb_input(t->g, 1, AXES(1));
  vlb_graph_keep(t->g, b.loss->t);
  for (value *x = t->values; keep_all && x; x = x->next) vlb_graph_keep(t->g, x->t);
  vlb_graph_reverse(t->g, b.loss->t, scale);
  vlb_error err = {0};
  if (vlb_graph_plan(t->g, &err)) fail_msg("plan: %s", err.message);
  vlb_graph_bind(t->g, scale, &one);
  return b;
}

/* runs over a gradient full of NaNs, without allocating */
static void run(twin *t, float *gradient) {
  for (size_t i = 0; i < t->gradient_count; i++) gradient[i] = NAN;
  allocations_clear();
  vlb_graph_run(t->g, gradient, t->gradient_count);
  allocation_counts made = allocations();
  if (made.ours) fail_msg("a run made %ld allocations", made.ours);
  if (made.largest > allocations_allowed()) fail_msg("oneDNN allocated %zu bytes in a run", made.largest);
}

/* leaves the arena and everything else full of NaNs, which a tensor that is read before it is written would show */
static void poison(twin *t) {
  float *saved[TWIN_LEAVES], *gradient = some_floats(t->gradient_count, 0);
  for (int i = 0; i < t->leaf_count; i++) {
    twin_leaf *l = &t->leaves[i];
    saved[i] = some_floats(l->count, 0);
    memcpy(saved[i], l->data, l->count * sizeof *l->data);
    for (size_t j = 0; j < l->count; j++) l->data[j] = NAN;
  }
  run(t, gradient);
  for (int i = 0; i < t->leaf_count; i++) {
    memcpy(t->leaves[i].data, saved[i], t->leaves[i].count * sizeof(float));
    free(saved[i]);
  }
  free(gradient);
}

static void same_bytes(const char *what, const float *a, const float *b, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (memcmp(a + i, b + i, sizeof *a)) fail_msg("%s: element %zu is %.9g, was %.9g", what, i, (double)b[i], (double)a[i]);
}

/* Largest difference in units of the largest magnitude, or of the usual size of values and gradients here where that is larger: a
 * tensor of one number may be all cancellation. */
static double distance(const double *wanted, const float *got, size_t count) {
  double top = 0.1, worst = 0;
  for (size_t i = 0; i < count; i++) top = fmax(top, fabs(wanted[i]));
  for (size_t i = 0; i < count; i++) {
    double d = fabs(wanted[i] - (double)got[i]);
    if (isnan(d)) return d;
    worst = fmax(worst, d);
  }
  return worst / top;
}

static void forward_matches(twin *t, double tolerance) {
  int index = 0;
  for (value *x = t->values; x; x = x->next, index++) {
    if (x->ids) continue;
    double d = distance(x->v, vlb_graph_data(t->g, x->t), x->count);
    if (!(d <= tolerance)) fail_msg("tensor %d from the end, of %zu elements, is off by %.3g of its size", index, x->count, d);
    twin_worst.forward = fmax(twin_worst.forward, d);
  }
}

/* ---- gradients ---- */

static void still(twin *t) {
  for (int i = 0; i < t->leaf_count; i++) memset(t->leaves[i].direction, 0, t->leaves[i].count * sizeof(double));
}

/* element by element; of a large leaf a sample that is drawn, with its first and last */
static void elements_match(twin *t, twin_case define, int index, const float *gradient, double tolerance) {
  enum { MOST = 64 };
  twin_leaf *l = &t->leaves[index];
  double wanted[MOST];
  float got[MOST];
  size_t n = l->count < MOST ? l->count : MOST;
  for (size_t i = 0; i < n; i++) {
    size_t j = l->count <= MOST || i == 0 ? i : i == 1 ? l->count - 1 : vlb_rng_below(&t->rng, (uint32_t)l->count);
    still(t);
    l->direction[j] = 1;
    wanted[i] = slope(t, define);
    got[i] = gradient[l->offset + j];
  }
  double d = distance(wanted, got, n);
  if (!(d <= tolerance)) fail_msg("gradient of leaf %d is off by %.3g of its size", index, d);
  twin_worst.gradient = fmax(twin_worst.gradient, d);
}

static void directions_match(twin *t, twin_case define, const float *gradient, double tolerance) {
  for (int round = 0; round < 3; round++) {
    double along = 0, size = 0;
    for (int i = 0; i < t->leaf_count; i++)
      for (size_t j = 0; j < t->leaves[i].count; j++) {
        twin_leaf *l = &t->leaves[i];
        l->direction[j] = l->trained ? vlb_rng_normal(&t->rng) : 0;
        if (!l->trained) continue;
        double g = (double)gradient[l->offset + j];
        along += l->direction[j] * g;
        size += g * g;
      }
    double d = fabs(slope(t, define) - along) / fmax(sqrt(size), 0.1);
    if (!(d <= tolerance)) fail_msg("derivative along direction %d is off by %.3g of the gradient's norm", round, d);
    twin_worst.gradient = fmax(twin_worst.gradient, d);
  }
  still(t);
}

void twin_check(const char *name, twin_case define, const int64_t *p, bool wrap, double tolerance) {
  twin t = {.p = p, .wrap = wrap, .rng = vlb_rng_make(7, VLB_RNG_TEST, 0, 0)};
  evaluate(&t, define, 0); /* makes the leaves */
  float *kept = some_floats(t.gradient_count, 0), *gradient = some_floats(t.gradient_count, 0);
  print_message("%s\n", name);

  built all = build(&t, define, true);
  run(&t, kept);
  forward_matches(&t, tolerance);
  forget(&t);

  built lean = build(&t, define, false);
  size_t count = lean.loss->count;
  float *loss = some_floats(count, 0);
  for (int round = 0; round < 3; round++) {
    if (round == 2) poison(&t);
    run(&t, gradient);
    same_bytes("gradient of the graph that keeps nothing", kept, gradient, t.gradient_count);
    if (round) same_bytes("loss of a repeated run", loss, vlb_graph_data(t.g, lean.loss->t), count);
    memcpy(loss, vlb_graph_data(t.g, lean.loss->t), count * sizeof *loss);
  }
  if (vlb_graph_bytes(lean.g) > vlb_graph_bytes(all.g)) fail_msg("keeping less takes more memory");
  forget(&t);
  vlb_graph_free(all.g), vlb_graph_free(lean.g);

  for (int i = 0; i < t.leaf_count; i++)
    if (t.leaves[i].trained) elements_match(&t, define, i, gradient, tolerance);
  directions_match(&t, define, gradient, tolerance);
  twin_worst.cases++;
  for (int i = 0; i < t.leaf_count; i++) free(t.leaves[i].data), free(t.leaves[i].direction);
  free(kept), free(gradient), free(loss);
}
