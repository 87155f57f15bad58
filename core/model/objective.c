/* The training objective, specification section 15: x_t = t noise + (1-t) action, target noise - action, squared error over valid
 * steps and real dimensions. L1 (19.4, parameter-free form): x_t = 0, t = 1, target = action, absolute error. */
#include <stdlib.h>
#include <string.h>

#include "core/model/build.h"
#include "core/model/model.h"

struct vlb_objective {
  vlb_build build;
  vlb_inputs inputs;
  vlb_t target, weight, scale, loss;
  float *noisy, *targets, *weights, *times, scale_value; /* behind the inputs */
};

static vlb_code define(vlb_objective *o, const vlb_model *model, int batch, vlb_error *err) {
  vlb_build *b = &o->build;
  VLB_TRY(vlb_build_begin(b, model, batch, false, err));
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

vlb_code vlb_objective_create(const vlb_model *model, int batch, vlb_objective **out, vlb_error *err) {
  *out = NULL;
  vlb_objective *o = calloc(1, sizeof *o);
  if (!o) return vlb_fail(err, VLB_FAILED, "out of memory for the training objective");
  vlb_code code = define(o, model, batch, err);
  if (!code) code = bind(o, err);
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
      o->weights[j] = d < c->action_dim && !batch->action_pad[i * c->chunk_size + s];
    }
  int e = o->build.model->shape.expert_hidden;
  vlb_time_embedding(c, e, t, o->times + i * e);
}

vlb_code vlb_objective_run(vlb_objective *o, const vlb_batch *batch, double scale, double *loss, float *gradient, vlb_error *err) {
  (void)err; /* a run cannot fail; the signature leaves room for backends that can */
  vlb_build *b = &o->build;
  for (int i = 0; i < b->batch; i++) fill_sample(o, batch, i);
  o->scale_value = (float)scale;
  vlb_inputs_fill(&o->inputs, b, batch);
  vlb_graph_run(b->g, gradient, b->model->gradient_count);
  const float *e = vlb_graph_data(b->g, o->loss);
  double sum = 0;
  for (size_t i = 0; i < vlb_graph_count(b->g, o->loss); i++) sum += (double)e[i];
  *loss = sum * scale;
  return VLB_OK;
}

double vlb_objective_flops(const vlb_objective *o) { return vlb_graph_flops(o->build.g, true); }
vlb_graph *vlb_objective_graph(vlb_objective *o) { return o->build.g; }
