#include "tests/core/model/sample.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/rng.h"

static const char base[] =
    "text_hidden=16 text_mlp=24 text_layers=4 text_heads=4 text_kv_heads=2 head_dim=6 vocab_size=16 vision_hidden=12 vision_mlp=20 "
    "vision_layers=1 vision_heads=2 image_size=16 patch_size=4 scale_factor=2 expert_width=0.5 chunk_size=5 n_action_steps=5 num_steps=3 "
    "max_state_dim=5 max_action_dim=4 action_dim=3 cameras=2 tokenizer_max_length=5 fake_image_token=3 global_image_token=4";

static void change(vlb_model_config *c, const char *changes) {
  char text[1024], *rest = text, *word;
  snprintf(text, sizeof text, "%s", changes);
  while ((word = strsep(&rest, " "))) {
    if (!*word) continue;
    char *value = strchr(word, '=');
    assert_non_null(value);
    *value++ = 0;
    vlb_error err = {0};
    if (vlb_fields_set(vlb_model_fields, c, word, value, &err)) fail_msg("%s", err.message);
  }
}

vlb_model_config config_of(const char *changes) {
  vlb_model_config c;
  vlb_fields_default(vlb_model_fields, &c);
  change(&c, base);
  change(&c, changes);
  if (c.n_action_steps > c.chunk_size) c.n_action_steps = c.chunk_size;
  return c;
}

static uint32_t number_of(const char *name) { /* FNV-1a */
  uint32_t h = 2166136261u;
  for (; *name; name++) h = (h ^ (uint8_t)*name) * 16777619u;
  return h;
}

void random_weights(vlb_model *m) {
  for (int i = 0; i < m->param_count; i++) {
    const vlb_param *p = &m->params[i];
    vlb_rng rng = vlb_rng_make(5, VLB_RNG_TEST, 1, number_of(p->name));
    double fan_in = (double)p->size / (double)p->dims[0], scale = p->ndim > 1 ? 1.2 / sqrt(fan_in) : 0.1;
    for (size_t j = 0; j < p->size; j++)
      m->weights[p->offset + j] = (float)((p->init == VLB_INIT_ONE) + scale * vlb_rng_normal(&rng));
  }
}

vlb_model *model_of(const char *changes) {
  vlb_model_config c = config_of(changes);
  vlb_model *m;
  vlb_error err = {0};
  if (vlb_model_create(&c, &m, &err)) fail_msg("%s: %s", changes, err.message);
  random_weights(m);
  return m;
}

static void *room(size_t count, size_t size) {
  void *p = calloc(count ? count : 1, size);
  assert_non_null(p);
  return p;
}

static void fill_sample(sample_batch *b, const vlb_model_config *c, int i, uint32_t seed, bool ragged) {
  vlb_rng rng = vlb_rng_make(seed + (uint32_t)i, VLB_RNG_TEST, 2, 0);
  size_t pixels = 3 * (size_t)(c->image_size * c->image_size), n = (size_t)b->size, at = (size_t)i;
  size_t chunk = (size_t)(c->chunk_size * c->max_action_dim);
  for (size_t v = 0; v < (size_t)c->cameras; v++) {
    for (size_t j = 0; j < pixels; j++) b->images[(v * n + at) * pixels + j] = (float)vlb_rng_range(&rng, -1, 1);
    b->image_mask[v * n + at] = !(ragged && (v + at) % 2 == 0);
  }
  for (int64_t j = 0; j < c->tokenizer_max_length; j++) {
    b->tokens[i * c->tokenizer_max_length + j] = (int32_t)vlb_rng_below(&rng, (uint32_t)c->vocab_size);
    b->token_mask[i * c->tokenizer_max_length + j] = !(ragged && j >= c->tokenizer_max_length - i % 3);
  }
  for (int64_t j = 0; j < c->max_state_dim; j++) b->state[i * c->max_state_dim + j] = (float)vlb_rng_normal(&rng);
  for (size_t j = 0; j < chunk; j++)
    b->actions[at * chunk + j] = (int64_t)j % c->max_action_dim < c->action_dim ? (float)vlb_rng_normal(&rng) : 0;
  vlb_rng_normals(&rng, b->noise + at * chunk, chunk);
  for (int64_t j = 0; j < c->chunk_size; j++) b->action_pad[i * c->chunk_size + j] = ragged && j > 0 && j + i % 2 >= c->chunk_size;
  b->time[i] = (float)(0.001 + 0.999 * pow(vlb_rng_uniform(&rng), 2.0 / 3));
}

sample_batch batch_of(const vlb_model_config *c, int size, uint32_t seed, bool ragged) {
  size_t n = (size_t)size, chunk = (size_t)(c->chunk_size * c->max_action_dim);
  sample_batch b = {.size = size};
  b.images = room(n * (size_t)c->cameras * 3 * (size_t)(c->image_size * c->image_size), sizeof *b.images);
  b.image_mask = room(n * (size_t)c->cameras, 1);
  b.tokens = room(n * (size_t)c->tokenizer_max_length, sizeof *b.tokens);
  b.token_mask = room(n * (size_t)c->tokenizer_max_length, 1);
  b.state = room(n * (size_t)c->max_state_dim, sizeof *b.state);
  b.actions = room(n * chunk, sizeof *b.actions);
  b.noise = room(n * chunk, sizeof *b.noise);
  b.action_pad = room(n * (size_t)c->chunk_size, 1);
  b.time = room(n, sizeof *b.time);
  int valid = 0;
  for (int i = 0; i < size; i++) fill_sample(&b, c, i, seed, ragged);
  for (int64_t i = 0; i < size * c->chunk_size; i++) valid += !b.action_pad[i];
  b.scale = 1.0 / (valid * (double)c->action_dim);
  b.batch = (vlb_batch){.images = b.images, .image_mask = b.image_mask, .tokens = b.tokens, .token_mask = b.token_mask, .state = b.state,
                        .actions = b.actions, .action_pad = b.action_pad, .noise = b.noise, .time = b.time};
  return b;
}

void batch_free(sample_batch *b) {
  free(b->images), free(b->image_mask), free(b->tokens), free(b->token_mask), free(b->state), free(b->actions), free(b->noise);
  free(b->action_pad), free(b->time);
}

/* ---- the literal model, with the objective written out once more ---- */

typedef struct {
  float *noisy, *times, *target, *weight, scale;
} objective_inputs;

static objective_inputs inputs_of(const vlb_model *m, const sample_batch *b) {
  const vlb_model_config *c = &m->config;
  int64_t per = c->chunk_size * c->max_action_dim, e = m->shape.expert_hidden;
  size_t n = (size_t)(b->size * per);
  bool flow = c->objective == VLB_OBJECTIVE_FLOW;
  objective_inputs in = {room(n, sizeof(float)), room((size_t)(b->size * e), sizeof(float)), room(n, sizeof(float)), room(n, sizeof(float)),
                         (float)b->scale};
  for (int64_t i = 0; i < (int64_t)n; i++) {
    float t = b->time[i / per], a = b->actions[i], z = b->noise[i];
    in.noisy[i] = flow ? t * z + (1 - t) * a : 0;
    in.target[i] = flow ? z - a : a;
    in.weight[i] = i % c->max_action_dim < c->action_dim && !b->action_pad[i / c->max_action_dim];
  }
  for (int i = 0; i < b->size; i++) vlb_time_embedding(c, (int)e, flow ? b->time[i] : 1, in.times + i * e);
  return in;
}

static float *copy_floats(const float *x, size_t count) {
  float *p = room(count, sizeof *p);
  memcpy(p, x, count * sizeof *p);
  return p;
}

void literal_run(const vlb_model *m, const sample_batch *b, float **velocity, double *loss, float **gradient) {
  vlb_build l;
  vlb_inputs in;
  vlb_error err = {0};
  objective_inputs o = inputs_of(m, b);
  assert_int_equal(vlb_build_begin(&l, m, b->size, true, &err), VLB_OK);
  vlb_build_literal(&l);
  int64_t dims[] = {b->size, m->config.chunk_size, m->config.max_action_dim};
  vlb_t target = vlb_input(l.g, 3, dims), weight = vlb_input(l.g, 3, dims), scale = vlb_input(l.g, 1, (int64_t[]){1});
  vlb_t elements = vlb_loss(l.g, l.velocity, target, weight, m->config.objective == VLB_OBJECTIVE_FLOW ? 2 : 1);
  vlb_graph_keep(l.g, l.velocity), vlb_graph_keep(l.g, elements);
  vlb_graph_reverse(l.g, elements, scale);
  if (vlb_graph_plan(l.g, &err)) fail_msg("%s", err.message);
  assert_int_equal(vlb_inputs_create(&in, &l, &err), VLB_OK);
  vlb_inputs_fill(&in, &l, &b->batch);
  vlb_graph_bind(l.g, l.noisy, o.noisy), vlb_graph_bind(l.g, l.time, o.times), vlb_graph_bind(l.g, target, o.target);
  vlb_graph_bind(l.g, weight, o.weight), vlb_graph_bind(l.g, scale, &o.scale);
  float *g = room(m->gradient_count, sizeof *g);
  vlb_graph_run(l.g, g, m->gradient_count);
  double sum = 0;
  for (size_t i = 0; i < vlb_graph_count(l.g, elements); i++) sum += (double)vlb_graph_data(l.g, elements)[i];
  if (loss) *loss = sum * b->scale;
  if (velocity) *velocity = copy_floats(vlb_graph_data(l.g, l.velocity), vlb_graph_count(l.g, l.velocity));
  if (gradient)
    *gradient = g;
  else
    free(g);
  free(o.noisy), free(o.times), free(o.target), free(o.weight);
  vlb_inputs_free(&in);
  vlb_graph_free(l.g);
  vlb_build_end(&l);
}

double objective_run(const vlb_model *m, const sample_batch *b, float **gradient) {
  vlb_objective *o;
  vlb_error err = {0};
  double loss;
  if (vlb_objective_create(m, b->size, &o, &err)) fail_msg("%s", err.message);
  float *g = gradient ? room(m->gradient_count, sizeof *g) : NULL;
  assert_int_equal(vlb_objective_run(o, &b->batch, b->scale, &loss, g, &err), VLB_OK);
  vlb_objective_free(o);
  if (gradient) *gradient = g;
  return loss;
}

double distance(const float *wanted, const float *got, size_t count) {
  double top = 1e-30, worst = 0;
  for (size_t i = 0; i < count; i++) top = fmax(top, fabs((double)wanted[i]));
  for (size_t i = 0; i < count; i++) {
    double d = fabs((double)wanted[i] - (double)got[i]);
    if (isnan(d)) return d;
    worst = fmax(worst, d);
  }
  return worst / top;
}
