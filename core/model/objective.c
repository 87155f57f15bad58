/* The training objective, specification section 15: x_t = t noise + (1-t) action, target noise - action, squared error over valid
 * steps and real dimensions. L1 (19.4, parameter-free form): x_t = 0, t = 1, target = action, absolute error. */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/model/build.h"
#include "core/model/prefix.h"

struct vlb_objective {
  vlb_build build;
  vlb_inputs inputs;
  /* of a frozen VLM, whose part runs apart from the graph that has gradients; NULL where the batch brings its result */
  bool frozen;
  vlb_vision *vision;
  vlb_prefix *prefix;
  float *image_tokens, *kv;
  vlb_t target, weight, scale, loss;
  vlb_loss_kind kind;
  float *noisy, *targets, *weights, *times, scale_value; /* behind the inputs */
};

static vlb_code define(vlb_objective *o, const vlb_model *model, int batch, vlb_error *err) {
  vlb_build *b = &o->build;
  VLB_TRY(vlb_build_begin(b, model, batch, false, err));
  if (o->frozen) vlb_build_given_context(b);
  vlb_build_prefix(b);
  vlb_build_cross_kv(b);
  vlb_build_suffix(b);
  int64_t dims[] = {batch, model->config.chunk_size, model->config.max_action_dim};
  o->target = vlb_input(b->g, 3, dims);
  o->weight = vlb_input(b->g, 3, dims);
  o->scale = vlb_input(b->g, 1, (int64_t[]){1});
  o->loss = vlb_loss(b->g, b->velocity, o->target, o->weight, model->config.objective == VLB_OBJECTIVE_FLOW ? 2 : 1);
  vlb_graph_keep(b->g, o->loss);
  vlb_graph_reverse(b->g, o->loss, o->scale);
  return vlb_graph_plan(b->g, err);
}

static vlb_code bind(vlb_objective *o, vlb_error *err) {
  vlb_build *b = &o->build;
  size_t n = vlb_graph_count(b->g, o->target);
  VLB_TRY(vlb_inputs_create(&o->inputs, b, err));
  o->noisy = calloc(n, sizeof *o->noisy);
  o->targets = calloc(n, sizeof *o->targets);
  o->weights = calloc(n, sizeof *o->weights);
  o->times = calloc(vlb_graph_count(b->g, b->time), sizeof *o->times);
  if (!o->noisy || !o->targets || !o->weights || !o->times) return vlb_fail(err, VLB_FAILED, "out of memory for the training objective");
  vlb_graph_bind(b->g, b->noisy, o->noisy);
  vlb_graph_bind(b->g, b->time, o->times);
  vlb_graph_bind(b->g, o->target, o->targets);
  vlb_graph_bind(b->g, o->weight, o->weights);
  vlb_graph_bind(b->g, o->scale, &o->scale_value);
  return VLB_OK;
}

/* What the batch does not bring is computed here, by the same two objects that fill a cache. */
static vlb_code open_frozen(vlb_objective *o, const vlb_model *model, int batch, vlb_prefix_source source, bool bf16, vlb_error *err) {
  size_t n = (size_t)batch;
  if (source == VLB_PREFIX_KV) return VLB_OK;
  VLB_TRY(vlb_prefix_create(model, batch, bf16, &o->prefix, err));
  o->kv = vlb_floats(n * (size_t)model->shape.vlm_layers * vlb_prefix_layer_count(model));
  if (!o->kv) return vlb_fail(err, VLB_FAILED, "out of memory for the keys and values of %d samples", batch);
  if (source == VLB_PREFIX_TOKENS) return VLB_OK;
  VLB_TRY(vlb_vision_create(model, batch, &o->vision, err));
  o->image_tokens = vlb_floats(n * vlb_prefix_token_count(model));
  return o->image_tokens ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory for the image tokens of %d samples", batch);
}

vlb_code vlb_objective_create(const vlb_model *model, int batch, vlb_objective **out, vlb_error *err) {
  return vlb_objective_create_from(model, batch, VLB_PREFIX_IMAGES, false, out, err);
}

vlb_code vlb_objective_create_from(const vlb_model *model, int batch, vlb_prefix_source source, bool bf16, vlb_objective **out,
                                   vlb_error *err) {
  *out = NULL;
  vlb_objective *o = calloc(1, sizeof *o);
  if (!o) return vlb_fail(err, VLB_FAILED, "out of memory for the training objective");
  o->frozen = model->config.freeze == VLB_FREEZE_VLM;
  vlb_code code = define(o, model, batch, err);
  if (!code) code = bind(o, err);
  if (!code && o->frozen) code = open_frozen(o, model, batch, source, bf16, err);
  if (code) {
    vlb_objective_free(o);
    return code;
  }
  *out = o;
  return VLB_OK;
}

void vlb_objective_free(vlb_objective *o) {
  if (!o) return;
  vlb_graph_free(o->build.g);
  vlb_build_end(&o->build);
  vlb_inputs_free(&o->inputs);
  vlb_vision_free(o->vision);
  vlb_prefix_free(o->prefix);
  free(o->image_tokens), free(o->kv);
  free(o->noisy), free(o->targets), free(o->weights), free(o->times), free(o);
}

/* noisy actions, targets and weights of one sample */
static void fill_sample(vlb_objective *o, const vlb_batch *batch, int i) {
  const vlb_model_config *c = &o->build.model->config;
  bool flow = c->objective == VLB_OBJECTIVE_FLOW;
  float t = flow ? batch->time[i] : 1.0f;
  int64_t width = c->max_action_dim, first = i * c->chunk_size * width;
  for (int64_t s = 0; s < c->chunk_size; s++)
    for (int64_t d = 0; d < width; d++) {
      int64_t j = first + s * width + d;
      float a = batch->actions[j], z = flow ? batch->noise[j] : 0;
      o->noisy[j] = flow ? t * z + (1.0f - t) * a : 0;
      o->targets[j] = flow ? z - a : a;
      o->weights[j] = o->kind == VLB_LOSS_2025 || (d < c->action_dim && !batch->action_pad[i * c->chunk_size + s]);
    }
  int e = o->build.model->shape.expert_hidden;
  vlb_time_embedding(c, e, t, o->times + i * e);
}

/* keys and values of the context, brought or computed, become the graph's inputs */
static void fill_context(vlb_objective *o, const vlb_batch *batch) {
  vlb_build *b = &o->build;
  const float *tokens = batch->image_tokens, *kv = batch->kv;
  if (o->vision) {
    vlb_vision_run(o->vision, batch->images, o->image_tokens);
    tokens = o->image_tokens;
  }
  if (o->prefix) {
    vlb_prefix_run(o->prefix, tokens, batch, o->kv);
    kv = o->kv;
  }
  size_t one = (size_t)b->batch * vlb_prefix_layer_count(b->model) / 2;
  for (int i = 0; i < b->model->shape.vlm_layers; i++, kv += 2 * one) {
    vlb_graph_bind(b->g, b->kv_given[i].k[SEGMENT_CONTEXT], kv);
    vlb_graph_bind(b->g, b->kv_given[i].v[SEGMENT_CONTEXT], kv + one);
  }
}

void vlb_objective_set_loss(vlb_objective *o, vlb_loss_kind kind) { o->kind = kind; }

double vlb_loss_scale(const vlb_model_config *c, vlb_loss_kind kind, int64_t samples, int64_t valid) {
  if (kind != VLB_LOSS_CURRENT) return 1.0 / (double)(samples * c->chunk_size * c->max_action_dim);
  return 1.0 / ((double)(valid ? valid : 1) * (double)c->action_dim);
}

vlb_code vlb_objective_run(vlb_objective *o, const vlb_batch *batch, double scale, double *loss, float *gradient, vlb_error *err) {
  (void)err; /* a run cannot fail; the signature leaves room for backends that can */
  vlb_build *b = &o->build;
  for (int i = 0; i < b->batch; i++) fill_sample(o, batch, i);
  o->scale_value = (float)scale;
  if (o->frozen) fill_context(o, batch);
  vlb_inputs_fill(&o->inputs, b, batch);
  vlb_graph_run(b->g, gradient, b->model->gradient_count);
  const float *e = vlb_graph_data(b->g, o->loss);
  double sum = 0;
  for (size_t i = 0; i < vlb_graph_count(b->g, o->loss); i++) sum += (double)e[i];
  *loss = sum * scale;
  return VLB_OK;
}

double vlb_objective_flops(const vlb_objective *o) {
  return vlb_graph_flops(o->build.g, true) + (o->prefix ? vlb_prefix_flops(o->prefix) : 0) + (o->vision ? vlb_vision_flops(o->vision) : 0);
}

int vlb_objective_graphs(vlb_objective *o, vlb_graph *graphs[3]) {
  int n = 0;
  graphs[n++] = o->build.g;
  if (o->prefix) graphs[n++] = vlb_prefix_graph(o->prefix);
  if (o->vision) graphs[n++] = vlb_vision_graph(o->vision);
  return n;
}

