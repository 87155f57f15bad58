/* The training objective of every kind of model: against the literal computation, and its gradient against differences of its loss. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/tensor/backend.h"
#include "tests/core/model/sample.h"

static const char *const extras[] = {
    "",
    "cameras=1",
    "cameras=3 vision_layers=0",
    "add_image_special_tokens=true",
    "empty_cameras=2",
    "empty_cameras=1 add_image_special_tokens=true attention=self",
    "prefix_length=40",
    "prefix_length=25 attention=self state=suffix action_mask=bidirectional",
    "attention=cross num_expert_layers=2",
    "attention=cross num_expert_layers=1 state=suffix",
    "attention=cross num_expert_layers=2 freeze=vision",
    "attention=cross num_expert_layers=2 freeze=nothing prefix_length=31",
    "num_vlm_layers=3",
    "num_vlm_layers=1",
    "num_vlm_layers=1 freeze=nothing",
    "skip_every_second=true text_layers=5",
    "self_attn_every=3",
    "self_attn_every=1",
    "freeze=vision",
    "freeze=nothing",
    "freeze=nothing attention=self vision_layers=2",
    "freeze=nothing state=suffix objective=l1",
    "freeze=nothing add_image_special_tokens=true empty_cameras=1",
    "freeze=vision train_state_proj=false",
    "train_state_proj=false",
    "chunk_size=1",
    "chunk_size=1 state=suffix attention=cross",
    "state=suffix_seen attention=cross",
    "state=suffix_seen attention=cross num_expert_layers=2 prefix_length=31 objective=l1",
    "state=suffix_seen freeze=nothing action_mask=bidirectional",
    "expert_width=1.5 text_heads=6 text_kv_heads=3 head_dim=2",
    "text_heads=3 text_kv_heads=1 head_dim=8",
    "action_dim=1 max_action_dim=7",
};
enum { EXTRAS = sizeof extras / sizeof *extras, COMBINATIONS = 24, CASES = COMBINATIONS + EXTRAS };

/* every attention with every action mask, place of the state and objective, then the extras */
static const char *case_of(int i) {
  static const char *const attention[] = {"cross", "self", "interleaved"};
  static char text[160];
  if (i >= COMBINATIONS) return extras[i - COMBINATIONS];
  snprintf(text, sizeof text, "attention=%s action_mask=%s state=%s objective=%s", attention[i % 3], i / 3 % 2 ? "bidirectional" : "causal",
           i / 6 % 2 ? "suffix" : "prefix", i / 12 ? "l1" : "flow");
  return text;
}

/* tensor by tensor, so that small gradients count too */
static double gradient_distance(const vlb_model *m, const float *wanted, const float *got) {
  double worst = 0, top = 0;
  for (size_t i = 0; i < m->gradient_count; i++) top = fmax(top, fabs((double)wanted[i]));
  for (int i = 0; i < m->param_count; i++) {
    const vlb_param *p = &m->params[i];
    if (!p->trainable) continue;
    double size = 0;
    for (size_t j = 0; j < p->size; j++) size = fmax(size, fabs((double)wanted[p->offset + j]));
    /* a key bias has no gradient but rounding, which is that of the largest */
    worst = fmax(worst, distance(wanted + p->offset, got + p->offset, p->size) * size / fmax(size, 1e-2 * top));
  }
  return worst;
}

static void test_literal(void **state) {
  (void)state;
  double worst_loss = 0, worst_gradient = 0;
  for (int i = 0; i < 2 * CASES; i++) {
    const char *changes = case_of(i / 2);
    vlb_model *m = model_of(changes);
    sample_batch b = batch_of(&m->config, 3, (uint32_t)i, i % 2);
    float *wanted, *got;
    double literal, loss = objective_run(m, &b, &got);
    literal_run(m, &b, NULL, &literal, &wanted);
    double d = fabs(loss - literal) / literal, g = gradient_distance(m, wanted, got);
    if (!(d <= 2e-6 && g <= 1e-4)) fail_msg("%s: loss off by %.3g, gradient by %.3g", changes, d, g);
    worst_loss = fmax(worst_loss, d), worst_gradient = fmax(worst_gradient, g);
    free(wanted), free(got);
    batch_free(&b);
    vlb_model_free(m);
  }
  print_message("%d cases: loss within %.2g, gradients within %.2g of the literal computation\n", 2 * CASES, worst_loss, worst_gradient);
}

/* ---- gradients against differences of the loss ---- */

/* loss with the weights moved by step * direction over the given range */
static double loss_at(vlb_objective *o, vlb_model *m, const sample_batch *b, const float *home, const double *direction, size_t from,
                      size_t count, double step) {
  double loss;
  for (size_t i = from; i < from + count; i++) m->weights[i] = (float)((double)home[i] + step * direction[i]);
  assert_int_equal(vlb_objective_run(o, &b->batch, b->scale, &loss, NULL, NULL), VLB_OK);
  memcpy(m->weights + from, home + from, count * sizeof *home);
  return loss;
}

typedef struct {
  vlb_objective *o;
  vlb_model *m;
  const sample_batch *b;
  const float *home, *gradient;
  double *direction;
  double worst;
} check;

/* Derivative over a range by differences of fourth order. The loss is a double sum of float32 elements, so its noise is some 1e-7, and the
 * quotient's is that over h: small steps drown in it where the gradient is small, large ones step over the bends of sharp functions (an absolute
 * error has kinks, a norm of eight numbers turns fast). A right gradient agrees at one of the steps, a wrong one at none. */
static double disagreement(check *c, size_t from, size_t count, double along) {
  static const double steps[] = {1.6e-3, 6.4e-3, 2.5e-2, 4e-4};
  double best = INFINITY;
  for (int s = 0; s < 4; s++) {
    double h = steps[s], f[4];
    for (int i = 0; i < 4; i++) f[i] = loss_at(c->o, c->m, c->b, c->home, c->direction, from, count, (i % 2 ? -1 : 1) * (1 + i / 2) * h);
    best = fmin(best, fabs((8 * (f[0] - f[1]) - (f[2] - f[3])) / (12 * h) - along));
    if (s == 0 && best < 1e-4 * fabs(along)) break;
  }
  return best;
}

/* Along the gradient itself plus an equally long random vector: what the gradient claims too much shows in the first, what it lacks in
 * the second. */
static void check_range(check *c, const char *name, size_t from, size_t count) {
  vlb_rng rng = vlb_rng_make(9, VLB_RNG_TEST, (uint32_t)from & 0xffff, (uint32_t)count);
  double size = 0, length = 0, along = 0, unit = 0;
  for (size_t i = from; i < from + count; i++) {
    c->direction[i] = vlb_rng_normal(&rng);
    size += (double)c->gradient[i] * (double)c->gradient[i];
    length += c->direction[i] * c->direction[i];
  }
  size = sqrt(size), length = sqrt(length);
  for (size_t i = from; i < from + count; i++) {
    c->direction[i] = (size > 0 ? (double)c->gradient[i] / size : 0) + c->direction[i] / length;
    unit += c->direction[i] * c->direction[i];
  }
  for (size_t i = from; i < from + count; i++) {
    c->direction[i] /= sqrt(unit);
    along += c->direction[i] * (double)c->gradient[i];
  }
  double d = disagreement(c, from, count, along);
  if (!(d <= 1e-3 * size + 2e-5)) fail_msg("%s: the slope differs by %.3g from %.6g (norm %.3g)", name, d, along, size);
  if (size > 0.1) c->worst = fmax(c->worst, d / size);
}

static void check_gradient(const char *changes, bool ragged, bool each, double *worst) {
  vlb_model *m = model_of(changes);
  sample_batch b = batch_of(&m->config, 2, 77, ragged);
  float *gradient, *home = malloc(m->gradient_count * sizeof *home);
  double *direction = calloc(m->gradient_count, sizeof *direction);
  assert_true(home && direction);
  objective_run(m, &b, &gradient);
  memcpy(home, m->weights, m->gradient_count * sizeof *home);
  check c = {.m = m, .b = &b, .home = home, .gradient = gradient, .direction = direction};
  assert_int_equal(vlb_objective_create(m, b.size, &c.o, NULL), VLB_OK);
  for (int i = 0; i < m->param_count && each; i++)
    if (m->params[i].trainable) check_range(&c, m->params[i].name, m->params[i].offset, m->params[i].size);
  check_range(&c, "all", 0, m->gradient_count);
  *worst = fmax(*worst, c.worst);
  vlb_objective_free(c.o);
  free(home), free(direction), free(gradient);
  batch_free(&b);
  vlb_model_free(m);
}

static void test_gradients(void **state) {
  (void)state;
  double worst = 0;
  for (int i = 0; i < CASES; i++) {
    const char *changes = case_of(i);
    print_message("%s\n", changes);
    check_gradient(changes, i % 2, i % 4 == 2, &worst); /* all weights at once; in some cases each tensor by itself too */
  }
  print_message("largest error of a derivative %.2g of the gradient's norm\n", worst);
}

/* ---- what is frozen costs nothing ---- */

static void test_frozen_context_has_no_gradient(void **state) {
  (void)state;
  static const char *const kinds[] = {"", "attention=self", "attention=cross", "state=suffix", "train_state_proj=false", "freeze=vision", "freeze=nothing"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    vlb_model *m = model_of(kinds[i]);
    const vlb_model_config *c = &m->config;
    vlb_build b;
    assert_int_equal(vlb_build_begin(&b, m, 2, false, NULL), VLB_OK);
    vlb_build_prefix(&b);
    bool state_trains = c->state == VLB_STATE_PREFIX && c->train_state_proj;
    for (int l = 0; l < m->shape.vlm_layers; l++) {
      assert_true(vlb_graph_trains(b.g, b.kv[l].k[SEGMENT_CONTEXT]) == (c->freeze != VLB_FREEZE_VLM));
      assert_true(vlb_graph_trains(b.g, b.kv[l].k[SEGMENT_STATE]) ==
                  (c->state == VLB_STATE_PREFIX && (state_trains || (c->freeze != VLB_FREEZE_VLM && l + 1 < m->shape.vlm_layers) || (c->freeze != VLB_FREEZE_VLM && l > 0))));
    }
    assert_true(vlb_graph_trains(b.g, b.image_tokens) == (c->freeze != VLB_FREEZE_VLM));
    vlb_graph_free(b.g);
    vlb_build_end(&b);
    vlb_model_free(m);
  }
}

static void flops_of(const char *changes, double *forward, double *backward) {
  vlb_model *m = model_of(changes);
  vlb_objective *o;
  assert_int_equal(vlb_objective_create(m, 2, &o, NULL), VLB_OK);
  vlb_graph *graphs[3];
  *forward = 0;
  for (int i = vlb_objective_graphs(o, graphs); i > 0; i--) *forward += vlb_graph_flops(graphs[i - 1], false);
  *backward = vlb_objective_flops(o) - *forward;
  vlb_objective_free(o);
  vlb_model_free(m);
}

static void test_frozen_flops(void **state) {
  (void)state;
  double forward[4], backward[4];
  flops_of("freeze=vlm train_state_proj=false", &forward[0], &backward[0]);
  flops_of("freeze=vlm", &forward[1], &backward[1]);
  flops_of("freeze=vision", &forward[2], &backward[2]);
  flops_of("freeze=nothing", &forward[3], &backward[3]);
  for (int i = 1; i < 4; i++) assert_true(forward[i] == forward[0] && backward[i] > backward[i - 1]);
  /* training the state projection means one row of 14 through the VLM; training the VLM means all of them, twice */
  vlb_model *m = model_of("");
  double rows = vlb_rows_count(&m->config, &m->shape).prefix;
  vlb_model_free(m);
  double vlm = backward[2] - backward[0];
  assert_true(backward[1] - backward[0] < 1.5 * vlm / rows);
  print_message("backward, in units of the forward: state fixed %.2f, VLM frozen %.2f, vision frozen %.2f, nothing frozen %.2f\n", backward[0] / forward[0],
                backward[1] / forward[0], backward[2] / forward[0], backward[3] / forward[0]);
}

/* The same bits, or where products make no such promise, nearly the same numbers. */
static void assert_same(const float *a, const float *b, size_t n) {
  if (vlb_backend_rows_alike()) {
    assert_memory_equal(a, b, n * sizeof *a);
    return;
  }
  double size = 0, off = 0;
  for (size_t i = 0; i < n; i++) size += (double)a[i] * (double)a[i], off += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
  if (!(off <= 1e-10 * size)) fail_msg("off by %.2g of the norm", sqrt(off / size));
}

/* what is trained besides does not change an expert parameter's gradient */
static void test_freezing_does_not_change_the_rest(void **state) {
  (void)state;
  static const char *const kinds[] = {"", "attention=self", "attention=cross", "state=suffix", "objective=l1", "add_image_special_tokens=true"};
  char frozen[96], open[96];
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    snprintf(frozen, sizeof frozen, "%s freeze=vlm", kinds[i]);
    snprintf(open, sizeof open, "%s freeze=nothing", kinds[i]);
    vlb_model *a = model_of(frozen), *b = model_of(open);
    sample_batch batch = batch_of(&a->config, 3, 5, true);
    float *ga, *gb;
    double la = objective_run(a, &batch, &ga), lb = objective_run(b, &batch, &gb);
    assert_true(vlb_backend_rows_alike() ? la == lb : fabs(la - lb) <= 1e-6 * la);
    for (int p = 0; p < a->param_count; p++) {
      if (!a->params[p].trainable) continue;
      const vlb_param *q = &b->params[vlb_model_find(b, a->params[p].name)];
      assert_true(q->trainable);
      assert_same(ga + a->params[p].offset, gb + q->offset, q->size);
    }
    free(ga), free(gb);
    batch_free(&batch);
    vlb_model_free(a), vlb_model_free(b);
  }
}

/* ---- the objective's own rules ---- */

static void test_repeats(void **state) {
  (void)state;
  vlb_model *m = model_of("freeze=nothing");
  sample_batch b = batch_of(&m->config, 3, 1, true), other = batch_of(&m->config, 3, 50, false);
  float *first, *again = malloc(m->gradient_count * sizeof *again);
  double loss = objective_run(m, &b, &first), repeated;
  vlb_objective *o;
  assert_int_equal(vlb_objective_create(m, 3, &o, NULL), VLB_OK);
  for (int i = 0; i < 3; i++) {
    /* another batch in between leaves nothing behind, and a run for the loss alone neither */
    assert_int_equal(vlb_objective_run(o, &other.batch, other.scale, &repeated, i == 1 ? NULL : again, NULL), VLB_OK);
    assert_int_equal(vlb_objective_run(o, &b.batch, b.scale, &repeated, again, NULL), VLB_OK);
    assert_true(repeated == loss);
    assert_memory_equal(first, again, m->gradient_count * sizeof *again);
    assert_int_equal(vlb_objective_run(o, &b.batch, b.scale, &repeated, NULL, NULL), VLB_OK);
    assert_true(repeated == loss);
  }
  vlb_objective_free(o);
  free(first), free(again);
  batch_free(&b), batch_free(&other);
  vlb_model_free(m);
}

static double run_kind(vlb_model *m, const sample_batch *b, vlb_loss_kind kind, double scale, float *gradient) {
  vlb_objective *o;
  double loss;
  assert_int_equal(vlb_objective_create(m, b->size, &o, NULL), VLB_OK);
  vlb_objective_set_loss(o, kind);
  assert_int_equal(vlb_objective_run(o, &b->batch, scale, &loss, gradient, NULL), VLB_OK);
  vlb_objective_free(o);
  return loss;
}

/* The loss of 2025 is today's for a robot with all max_action_dim dimensions in episodes without end; that of spring 2026 is today's sum over the
 * number of all entries. Loss and gradient, bit by bit. */
static void test_losses_of_the_past(void **state) {
  (void)state;
  static const char *const kinds[][2] = {{"", "action_dim=4"}, {"objective=l1 attention=cross", "objective=l1 attention=cross action_dim=4"}};
  for (int k = 0; k < 2; k++) {
    vlb_model *m = model_of(kinds[k][0]), *all = model_of(kinds[k][1]);
    const vlb_model_config *c = &m->config;
    assert_true(c->action_dim == 3 && c->max_action_dim == 4);
    sample_batch b = batch_of(c, 3, 4, true), endless = batch_of(c, 3, 4, true);
    int64_t valid = 0, entries = 3 * c->chunk_size;
    for (int64_t i = 0; i < entries; i++) valid += !b.action_pad[i];
    assert_true(valid < entries);
    memset(endless.action_pad, 0, (size_t)entries);
    assert_true(vlb_loss_scale(c, VLB_LOSS_CURRENT, 3, valid) == b.scale);
    double scale = vlb_loss_scale(c, VLB_LOSS_2025, 3, valid);
    assert_true(scale == 1.0 / (double)(entries * 4) && scale == vlb_loss_scale(c, VLB_LOSS_SPRING_2026, 3, valid));
    float *g[4];
    for (int i = 0; i < 4; i++) g[i] = malloc(m->gradient_count * sizeof **g);
    double then = run_kind(m, &b, VLB_LOSS_2025, scale, g[0]), now = run_kind(all, &endless, VLB_LOSS_CURRENT, scale, g[1]);
    assert_true(then == now);
    assert_memory_equal(g[0], g[1], m->gradient_count * sizeof **g);
    double spring = run_kind(m, &b, VLB_LOSS_SPRING_2026, scale, g[2]), today = run_kind(m, &b, VLB_LOSS_CURRENT, scale, g[3]);
    assert_true(spring == today && spring != then);
    assert_memory_equal(g[2], g[3], m->gradient_count * sizeof **g);
    for (int i = 0; i < 4; i++) free(g[i]);
    batch_free(&b), batch_free(&endless);
    vlb_model_free(m), vlb_model_free(all);
  }
}

/* Every second action of the batch's chunks, from `first` on, as rows of their chunk. */
static sample_batch every_second(const vlb_model_config *c, const sample_batch *b, int64_t first, int32_t *rows) {
  sample_batch part = *b;
  int64_t chunk = c->chunk_size, count = (chunk - first + 1) / 2, width = c->max_action_dim;
  float *actions = calloc((size_t)(2 * b->size * count * width), sizeof *actions), *noise = actions + b->size * count * width;
  uint8_t *pad = malloc((size_t)(b->size * count));
  for (int64_t i = 0; i < b->size * count; i++) {
    int64_t row = first + 2 * (i % count), from = i / count * chunk + row;
    memcpy(actions + i * width, b->actions + from * width, (size_t)width * sizeof *actions);
    memcpy(noise + i * width, b->noise + from * width, (size_t)width * sizeof *noise);
    rows[i] = (int32_t)row, pad[i] = b->action_pad[from];
  }
  part.batch.actions = part.actions = actions, part.batch.noise = part.noise = noise;
  part.batch.action_pad = part.action_pad = pad, part.batch.chunk_rows = rows;
  return part;
}

/* Where actions only look across, loss and gradient of a chunk are the sums over its rows, each at its own place: what train.chunk_rows draws from. */
static void test_rows_add_up(void **state) {
  (void)state;
  static const char *const kinds[] = {"attention=cross chunk_size=7", "attention=cross num_expert_layers=2 objective=l1 chunk_size=6",
                                      "attention=cross state=suffix chunk_size=5", "attention=cross state=suffix_seen chunk_size=4 action_mask=bidirectional"};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    vlb_model *m = model_of(kinds[k]);
    sample_batch b = batch_of(&m->config, 3, 21, true);
    float *whole, *sum = calloc(m->gradient_count, sizeof *sum);
    double loss = objective_run(m, &b, &whole), parts = 0;
    for (int first = 0; first < 2; first++) {
      int32_t rows[3 * 7];
      vlb_model seen = *m;
      seen.config.chunk_size = seen.config.n_action_steps = (m->config.chunk_size - first + 1) / 2;
      sample_batch part = every_second(&m->config, &b, first, rows);
      float *g;
      parts += objective_run(&seen, &part, &g);
      for (size_t i = 0; i < m->gradient_count; i++) sum[i] += g[i];
      free(part.actions), free(part.action_pad), free(g);
    }
    assert_true(fabs(parts - loss) <= 1e-6 * loss);
    double off = gradient_distance(m, whole, sum);
    if (!(off <= 1e-4)) fail_msg("%s: gradients off by %.3g", kinds[k], off);
    free(whole), free(sum);
    batch_free(&b);
    vlb_model_free(m);
  }
}

/* loss and gradient of a batch are the sums of its samples': what lets a batch be cut into shards */
static void test_samples_add_up(void **state) {
  (void)state;
  vlb_model *m = model_of("");
  sample_batch all = batch_of(&m->config, 3, 8, false);
  float *whole, *sum = calloc(m->gradient_count, sizeof *sum);
  double loss = objective_run(m, &all, &whole), parts = 0;
  for (uint32_t i = 0; i < 3; i++) {
    sample_batch one = batch_of(&m->config, 1, 8 + i, false);
    one.scale = all.scale;
    float *g;
    parts += objective_run(m, &one, &g);
    for (size_t j = 0; j < m->gradient_count; j++) sum[j] += g[j];
    free(g);
    batch_free(&one);
  }
  assert_true(fabs(parts - loss) < 1e-6 * loss);
  assert_true(gradient_distance(m, whole, sum) < 1e-4);
  free(whole), free(sum);
  batch_free(&all);
  vlb_model_free(m);
}

/* dimensions beyond action_dim and steps beyond the end are no part of the loss */
static void test_what_is_counted(void **state) {
  (void)state;
  for (int l1 = 0; l1 < 2; l1++) {
    vlb_model *m = model_of(l1 ? "objective=l1" : "");
    const vlb_model_config *c = &m->config;
    sample_batch b = batch_of(c, 2, 3, true);
    float *velocity;
    double sum = 0, loss = objective_run(m, &b, NULL);
    int valid = 0;
    literal_run(m, &b, &velocity, NULL, NULL);
    for (int64_t s = 0; s < 2 * c->chunk_size; s++)
      for (int64_t d = 0; d < c->action_dim; d++) {
        int64_t i = s * c->max_action_dim + d;
        double e = (l1 ? (double)b.actions[i] : (double)b.noise[i] - (double)b.actions[i]) - (double)velocity[i];
        sum += b.action_pad[s] ? 0 : l1 ? fabs(e) : e * e;
        valid += !b.action_pad[s];
      }
    assert_true(valid < 2 * c->chunk_size * c->action_dim && fabs(sum / valid - loss) < 1e-5 * loss);
    free(velocity);
    batch_free(&b);
    vlb_model_free(m);
  }
}

/* the bias of the last projection, whose gradient anyone can write down: it names dimensions that get none */
static void test_unused_dimensions_get_no_gradient(void **state) {
  (void)state;
  vlb_model *m = model_of("action_dim=2");
  sample_batch b = batch_of(&m->config, 2, 3, true);
  float *g;
  objective_run(m, &b, &g);
  const vlb_param *bias = &m->params[vlb_model_find(m, "model.action_out_proj.bias")];
  for (int64_t d = 0; d < m->config.max_action_dim; d++) assert_true((g[bias->offset + (size_t)d] == 0) == (d >= 2));
  free(g);
  batch_free(&b);
  vlb_model_free(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_literal), cmocka_unit_test(test_gradients), cmocka_unit_test(test_frozen_context_has_no_gradient),
      cmocka_unit_test(test_frozen_flops), cmocka_unit_test(test_freezing_does_not_change_the_rest), cmocka_unit_test(test_repeats), cmocka_unit_test(test_losses_of_the_past),
      cmocka_unit_test(test_rows_add_up), cmocka_unit_test(test_samples_add_up), cmocka_unit_test(test_what_is_counted), cmocka_unit_test(test_unused_dimensions_get_no_gradient),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
