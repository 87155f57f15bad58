/* Inference: keys and values of the prefix once per observation, then num_steps Euler steps from noise (t = 1) to actions (t = 0),
 * specification sections 12.4 and 14.1. Two graphs: the prefix, and one flow step that reads the prefix's keys and values in place. */
#include <stdlib.h>
#include <string.h>

#include "core/base/team.h"
#include "core/base/timing.h"
#include "core/model/named.h"
#include "core/model/model.h"
#include "core/tensor/backend.h"

struct vlb_policy {
  vlb_team *team;
  int range_count;
  double *step_seconds; /* of each step of the flow, last run */
  vlb_build prefix, step;
  vlb_inputs prefix_inputs, step_inputs;
  /* samples laid out for the planned batch; unused places repeat the first observation */
  float *images, *state, *x, *times;
  float *guided; /* one sample's velocity */
  uint8_t *image_mask, *token_mask;
  int32_t *tokens;
  vlb_flow_watch watch;
  void *watcher;
};

static vlb_code wanted(void *self, const float *weight, vlb_error *err) { return vlb_model_restore(self, weight, err); }
static void packed(void *self, const float *weight) { vlb_model_release(self, weight); }

/* before a graph is built: options NULL leave it as it is */
static void prepare(vlb_policy *p, vlb_build *b, const vlb_inference_options *o) {
  if (!o) return;
  union {
    const vlb_model *borrowed;
    void *self;
  } model = {b->model};
  b->joined = true;
  b->precision = o->precision;
  vlb_graph_infer(b->g, &(vlb_inference){p->team, wanted, packed, model.self, o->ranges, o->range_count, o->calibrate});
}

static vlb_code define_prefix(vlb_policy *p, const vlb_model *model, int batch, const vlb_inference_options *o, vlb_error *err) {
  vlb_build *b = &p->prefix;
  VLB_TRY(vlb_build_begin(b, model, batch, false, err));
  prepare(p, b, o);
  vlb_build_prefix(b);
  vlb_build_cross_kv(b);
  for (int i = 0; i < model->shape.vlm_layers; i++)
    for (int s = 0; s < SEGMENTS; s++) {
      vlb_graph_keep(b->g, b->kv[i].k[s]);
      vlb_graph_keep(b->g, b->kv[i].v[s]);
    }
  p->range_count = vlb_graph_range_count(b->g);
  if (o && o->keep) vlb_named_keep(b);
  VLB_TRY(vlb_graph_plan(b->g, err));
  return vlb_inputs_create(&p->prefix_inputs, b, err);
}

static vlb_t kv_input(vlb_policy *p, vlb_t from) {
  if (from < 0) return VLB_NONE;
  int64_t dims[3];
  for (int i = 0; i < 3; i++) dims[i] = vlb_graph_dim(p->prefix.g, from, i);
  return vlb_input(p->step.g, 3, dims);
}

/* what an observation brings and the steps of its flow share */
static void mark_steady(vlb_build *b) {
  const vlb_t inputs[] = {b->state, b->position_suffix, b->position_chunk, b->mask_cross, b->mask_suffix};
  for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) vlb_graph_steady(b->g, inputs[i]);
  for (int i = 0; i < b->model->shape.vlm_layers; i++)
    for (int s = 0; s < SEGMENTS; s++) {
      vlb_graph_steady(b->g, b->kv[i].k[s]);
      vlb_graph_steady(b->g, b->kv[i].v[s]);
    }
}

static vlb_code define_step(vlb_policy *p, const vlb_model *model, int batch, const vlb_inference_options *o, vlb_error *err) {
  vlb_build *b = &p->step;
  VLB_TRY(vlb_build_begin(b, model, batch, false, err));
  prepare(p, b, o);
  for (int i = 0; i < model->shape.vlm_layers; i++)
    for (int s = 0; s < SEGMENTS; s++) {
      b->kv[i].k[s] = kv_input(p, p->prefix.kv[i].k[s]);
      b->kv[i].v[s] = kv_input(p, p->prefix.kv[i].v[s]);
    }
  vlb_build_suffix(b);
  vlb_graph_keep(b->g, b->velocity);
  if (o) mark_steady(b);
  if (o && o->keep) vlb_named_keep(b);
  VLB_TRY(vlb_graph_plan(b->g, err));
  for (int i = 0; i < model->shape.vlm_layers; i++)
    for (int s = 0; s < SEGMENTS; s++) {
      if (b->kv[i].k[s] < 0) continue;
      vlb_graph_bind(b->g, b->kv[i].k[s], vlb_graph_data(p->prefix.g, p->prefix.kv[i].k[s]));
      vlb_graph_bind(b->g, b->kv[i].v[s], vlb_graph_data(p->prefix.g, p->prefix.kv[i].v[s]));
    }
  return vlb_inputs_create(&p->step_inputs, b, err);
}

static size_t image_floats(const vlb_model_config *c) { return 3 * (size_t)(c->image_size * c->image_size); }
static size_t chunk_floats(const vlb_model_config *c) { return (size_t)(c->chunk_size * c->max_action_dim); }

static vlb_code allocate(vlb_policy *p, const vlb_model *model, int batch, vlb_error *err) {
  const vlb_model_config *c = &model->config;
  size_t n = (size_t)batch;
  p->images = calloc(n * (size_t)c->cameras * image_floats(c), sizeof *p->images);
  p->state = calloc(n * (size_t)c->max_state_dim, sizeof *p->state);
  p->x = calloc(n * chunk_floats(c), sizeof *p->x);
  p->guided = calloc(chunk_floats(c), sizeof *p->guided);
  p->times = calloc(n * (size_t)model->shape.expert_hidden, sizeof *p->times);
  p->step_seconds = calloc((size_t)c->num_steps, sizeof *p->step_seconds);
  p->image_mask = calloc(n * (size_t)c->cameras, 1);
  p->token_mask = calloc(n * (size_t)c->tokenizer_max_length, 1);
  p->tokens = calloc(n * (size_t)c->tokenizer_max_length, sizeof *p->tokens);
  if (!p->step_seconds || !p->images || !p->state || !p->x || !p->guided || !p->times || !p->image_mask || !p->token_mask || !p->tokens)
    return vlb_fail(err, VLB_FAILED, "out of memory for a policy of %d observations", batch);
  vlb_graph_bind(p->step.g, p->step.noisy, p->x);
  vlb_graph_bind(p->step.g, p->step.time, p->times);
  return VLB_OK;
}

vlb_code vlb_precision_check(vlb_precision precision, vlb_error *err) {
  if (precision != VLB_INT8 || vlb_low_supported(VLB_LOW_INT8)) return VLB_OK;
  return vlb_fail(err, VLB_USAGE, "precision int8 needs a processor with AVX-512 VNNI, this one offers %s; use bfloat16 or float32", vlb_backend_isa());
}

static vlb_code create(vlb_policy *p, const vlb_model *model, int batch, const vlb_inference_options *o, vlb_error *err) {
  if (o) VLB_TRY(vlb_precision_check(o->precision, err));
  if (o && o->precision == VLB_INT8 && !o->ranges) return vlb_fail(err, VLB_FAILED, "precision int8 without the ranges of the layers' inputs");
  if (o && o->threads > 1) VLB_TRY(vlb_team_create(o->threads, &p->team, err));
  VLB_TRY(define_prefix(p, model, batch, o, err));
  VLB_TRY(define_step(p, model, batch, o, err));
  return allocate(p, model, batch, err);
}

vlb_code vlb_policy_create_for(const vlb_model *model, int batch, const vlb_inference_options *options, vlb_policy **out, vlb_error *err) {
  *out = NULL;
  vlb_policy *p = calloc(1, sizeof *p);
  if (!p) return vlb_fail(err, VLB_FAILED, "out of memory for a policy");
  vlb_code code = create(p, model, batch, options, err);
  if (code) {
    vlb_policy_free(p);
    return code;
  }
  *out = p;
  return VLB_OK;
}

vlb_code vlb_policy_create(const vlb_model *model, int batch, vlb_policy **out, vlb_error *err) {
  return vlb_policy_create_for(model, batch, NULL, out, err);
}

int vlb_policy_range_count(const vlb_policy *p) { return p->range_count; }

const vlb_build *vlb_policy_prefix_build(const vlb_policy *p) { return &p->prefix; }
const vlb_build *vlb_policy_step_build(const vlb_policy *p) { return &p->step; }
const vlb_layout *vlb_policy_layout(const vlb_policy *p) { return &p->prefix_inputs.layout; }

void vlb_policy_free(vlb_policy *p) {
  if (!p) return;
  vlb_graph_free(p->prefix.g), vlb_graph_free(p->step.g);
  vlb_build_end(&p->prefix), vlb_build_end(&p->step);
  vlb_inputs_free(&p->prefix_inputs), vlb_inputs_free(&p->step_inputs);
  vlb_team_free(p->team);
  free(p->step_seconds);
  free(p->images), free(p->state), free(p->x), free(p->guided), free(p->times), free(p->image_mask), free(p->token_mask), free(p->tokens), free(p);
}

/* one [groups, n, size] array into places laid out for `room` samples; places beyond n repeat sample 0 */
static void place(void *to, const void *from, int groups, int n, int room, size_t size) {
  for (int g = 0; g < groups; g++)
    for (int i = 0; i < room; i++)
      memcpy((char *)to + ((size_t)g * (size_t)room + (size_t)i) * size,
             (const char *)from + ((size_t)g * (size_t)n + (size_t)(i < n ? i : 0)) * size, size);
}

static vlb_batch stage(vlb_policy *p, int n, const vlb_batch *batch) {
  const vlb_model_config *c = &p->prefix.model->config;
  int room = p->prefix.batch, cameras = (int)c->cameras;
  size_t tokens = (size_t)c->tokenizer_max_length;
  place(p->images, batch->images, cameras, n, room, image_floats(c) * sizeof(float));
  place(p->tokens, batch->tokens, 1, n, room, tokens * sizeof *p->tokens);
  place(p->token_mask, batch->token_mask, 1, n, room, tokens);
  place(p->state, batch->state, 1, n, room, (size_t)c->max_state_dim * sizeof(float));
  if (batch->image_mask) place(p->image_mask, batch->image_mask, cameras, n, room, 1);
  return (vlb_batch){.images = p->images, .image_mask = batch->image_mask ? p->image_mask : NULL, .tokens = p->tokens,
                     .token_mask = p->token_mask, .state = p->state};
}

void vlb_policy_watch(vlb_policy *p, vlb_flow_watch watch, void *self) {
  p->watch = watch;
  p->watcher = self;
}

vlb_graph *vlb_policy_prefix_graph(vlb_policy *p) { return p->prefix.g; }
const double *vlb_policy_step_seconds(const vlb_policy *p) { return p->step_seconds; }
vlb_graph *vlb_policy_step_graph(vlb_policy *p) { return p->step.g; }

static const float *velocity(vlb_policy *p, float t) {
  int e = p->step.model->shape.expert_hidden;
  for (int i = 0; i < p->step.batch; i++) {
    if (i == 0)
      vlb_time_embedding(&p->step.model->config, e, t, p->times);
    else
      memcpy(p->times + i * e, p->times, (size_t)e * sizeof *p->times);
  }
  vlb_graph_run(p->step.g, NULL, 0);
  return vlb_graph_data(p->step.g, p->step.velocity);
}

/* An Euler step of all samples; of the guided ones from the guided velocity. */
static void step_all(vlb_policy *p, int n, const vlb_guidance *guidance, double t, float dt, const float *v) {
  const vlb_model_config *c = &p->step.model->config;
  size_t per_sample = chunk_floats(c);
  for (int b = 0; b < p->step.batch; b++) {
    const float *velocity = v + (size_t)b * per_sample;
    float *x = p->x + (size_t)b * per_sample;
    if (guidance && b < n && guidance[b].n) {
      vlb_guidance_apply(&guidance[b], (int)c->chunk_size, (int)c->max_action_dim, t, x, velocity, p->guided);
      velocity = p->guided;
    }
    for (size_t i = 0; i < per_sample; i++) x[i] += dt * velocity[i];
  }
}

vlb_code vlb_policy_run(vlb_policy *p, int n, const vlb_batch *batch, float *actions, vlb_error *err) {
  const vlb_model_config *c = &p->prefix.model->config;
  if (n < 1 || n > p->prefix.batch) return vlb_fail(err, VLB_FAILED, "a policy planned for %d observations was given %d", p->prefix.batch, n);
  size_t per_sample = chunk_floats(c), count = per_sample * (size_t)p->prefix.batch;
  vlb_batch staged = stage(p, n, batch);
  vlb_inputs_fill(&p->prefix_inputs, &p->prefix, &staged);
  vlb_inputs_fill(&p->step_inputs, &p->step, &staged);
  vlb_graph_renew(p->prefix.g), vlb_graph_renew(p->step.g);
  vlb_graph_run(p->prefix.g, NULL, 0);
  if (c->objective == VLB_OBJECTIVE_L1) {
    memset(p->x, 0, count * sizeof *p->x);
    memcpy(actions, velocity(p, 1.0f), (size_t)n * per_sample * sizeof *actions);
    return VLB_OK;
  }
  place(p->x, batch->noise, 1, n, p->prefix.batch, per_sample * sizeof(float));
  double dt = -1.0 / (double)c->num_steps;
  for (int64_t s = 0; s < c->num_steps; s++) {
    double t = 1.0 + (double)s * dt;
    double start = vlb_seconds();
    const float *v = velocity(p, (float)t);
    p->step_seconds[s] = vlb_seconds() - start;
    if (p->watch) p->watch(p->watcher, (int)s, p->x, v);
    step_all(p, n, batch->guidance, t, (float)dt, v);
  }
  memcpy(actions, p->x, (size_t)n * per_sample * sizeof *actions);
  return VLB_OK;
}
