#include "experiments/plan/latency.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/file.h"
#include "core/model/model.h"
#include "core/tensor/graph.h"

static double flops_of(vlb_policy *p, const vlb_model_config *c) {
  int64_t steps = c->objective == VLB_OBJECTIVE_FLOW ? c->num_steps : 1;
  return vlb_graph_flops(vlb_policy_prefix_graph(p), false) + (double)steps * vlb_graph_flops(vlb_policy_step_graph(p), false);
}

/* A model with weights of a seed and its policy for one observation. */
static vlb_code open_policy(const vlb_model_config *c, vlb_model **model, vlb_policy **policy, vlb_error *err) {
  *policy = NULL;
  VLB_TRY(vlb_model_create(c, model, err));
  vlb_model_init(*model, 1);
  vlb_code code = vlb_policy_create(*model, 1, policy, err);
  if (code) vlb_model_free(*model);
  return code;
}

vlb_code vlb_prediction_flops(const vlb_model_config *config, double *flops, vlb_error *err) {
  vlb_model *model;
  vlb_policy *policy;
  VLB_TRY(open_policy(config, &model, &policy, err));
  *flops = flops_of(policy, config);
  vlb_policy_free(policy);
  vlb_model_free(model);
  return VLB_OK;
}

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* A grey picture, an instruction of the full length, a state and noise of zeros: a prediction does the same work whatever it sees. */
static vlb_code run_often(vlb_policy *p, const vlb_model_config *c, int views, double ms[VLB_LATENCY_RUNS], const vlb_context *ctx, vlb_error *err) {
  size_t pixels = (size_t)views * 3 * (size_t)(c->image_size * c->image_size), language = (size_t)c->tokenizer_max_length;
  size_t state = (size_t)c->max_state_dim, chunk = (size_t)(c->chunk_size * c->max_action_dim);
  float *floats = calloc(pixels + state + 2 * chunk, sizeof *floats);
  int32_t *tokens = calloc(language, sizeof *tokens);
  uint8_t *mask = malloc(language);
  vlb_code code = floats && tokens && mask ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory");
  if (!code) memset(mask, 1, language);
  vlb_batch batch = {.images = floats, .tokens = tokens, .token_mask = mask, .state = floats ? floats + pixels : NULL,
                     .noise = floats ? floats + pixels + state : NULL};
  for (int i = -2; !code && i < VLB_LATENCY_RUNS; i++) { /* two to warm up */
    code = vlb_check_stop(ctx, err);
    double start = cpu_seconds();
    if (!code) code = vlb_policy_run(p, 1, &batch, floats + pixels + state + chunk, err);
    if (i >= 0) ms[i] = 1e3 * (cpu_seconds() - start);
  }
  free(floats), free(tokens), free(mask);
  return code;
}

vlb_code vlb_cost_measure(const vlb_model_config *config, vlb_prediction_cost *out, const vlb_context *ctx, vlb_error *err) {
  vlb_model *model;
  vlb_policy *policy;
  double ms[VLB_LATENCY_RUNS];
  VLB_TRY(open_policy(config, &model, &policy, err));
  vlb_code code = run_often(policy, config, model->shape.views, ms, ctx, err);
  if (!code) {
    qsort(ms, VLB_LATENCY_RUNS, sizeof *ms, by_value);
    *out = (vlb_prediction_cost){1e-9 * flops_of(policy, config), ms[VLB_LATENCY_RUNS / 2], ms[VLB_LATENCY_RUNS / 4], ms[3 * VLB_LATENCY_RUNS / 4]};
  }
  vlb_policy_free(policy);
  vlb_model_free(model);
  return code;
}

vlb_code vlb_cost_write(const char *folder, const vlb_prediction_cost *l, vlb_error *err) {
  char path[1024], text[256];
  snprintf(text, sizeof text, "{\"gflop\": %.6g, \"ms\": %.6g, \"ms_lo\": %.6g, \"ms_hi\": %.6g, \"runs\": %d, \"threads\": 1}\n", l->gflop, l->ms, l->ms_lo,
           l->ms_hi, VLB_LATENCY_RUNS);
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/latency.json", folder));
  return vlb_file_write(path, text, strlen(text), err);
}

vlb_code vlb_cost_read(const char *folder, vlb_prediction_cost *l, vlb_error *err) {
  char path[1024];
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/latency.json", folder));
  json_t *root = json_load_file(path, 0, NULL);
  bool good = root && !json_unpack(root, "{s:F,s:F,s:F,s:F}", "gflop", &l->gflop, "ms", &l->ms, "ms_lo", &l->ms_lo, "ms_hi", &l->ms_hi);
  json_decref(root);
  return good ? VLB_OK : vlb_fail(err, VLB_FAILED, "%s: not a measured latency", path);
}
