#include "experiments/plan/policy_adapter.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/data/image.h"

struct vlb_policy_adapter {
  const vlb_policy_source *source;
  vlb_policy *policy;
  int batch;
  float *images;       /* [V,batch,3,S,S] */
  uint8_t *image_mask; /* [V,batch] */
  int32_t *tokens;     /* [batch,L] */
  uint8_t *token_mask; /* [batch,L] */
  float *state;        /* [batch,max_state_dim] */
  float *noise;        /* [batch,T,max_action_dim] */
  float *actions;      /* [batch,T,max_action_dim] */
};

static vlb_code check(const vlb_policy_source *s, vlb_error *err) {
  const vlb_model_config *c = &s->model->config;
  const vlb_embodiment *robot = s->embodiment;
  if (s->state.dim != robot->state_dim || s->action.dim != robot->action_dim)
    return vlb_fail(err, VLB_USAGE, "the model was trained on %d state and %d action numbers, the robot %s has %d and %d; evaluate it on the robot it was trained on",
                    s->state.dim, s->action.dim, robot->name, robot->state_dim, robot->action_dim);
  VLB_TRY(vlb_model_fits(c, robot, err));
  if (vlb_tokenizer_vocab(s->tokenizer) > c->vocab_size)
    return vlb_fail(err, VLB_USAGE, "the tokenizer has %d words, more than model.vocab_size = %lld", vlb_tokenizer_vocab(s->tokenizer),
                    (long long)c->vocab_size);
  return VLB_OK;
}

static vlb_code allocate(vlb_policy_adapter *a, vlb_error *err) {
  const vlb_model_config *c = &a->source->model->config;
  size_t n = (size_t)a->batch, views = (size_t)a->source->model->shape.views, side = (size_t)c->image_size;
  size_t words = (size_t)c->tokenizer_max_length, chunk = (size_t)(c->chunk_size * c->max_action_dim);
  a->images = malloc(views * n * 3 * side * side * sizeof(float));
  a->image_mask = malloc(views * n);
  a->tokens = malloc(n * words * sizeof(int32_t));
  a->token_mask = malloc(n * words);
  a->state = malloc(n * (size_t)c->max_state_dim * sizeof(float));
  a->noise = malloc(n * chunk * sizeof(float));
  a->actions = malloc(n * chunk * sizeof(float));
  if (!a->images || !a->image_mask || !a->tokens || !a->token_mask || !a->state || !a->noise || !a->actions)
    return vlb_fail(err, VLB_FAILED, "out of memory for a policy of %d observations", a->batch);
  return VLB_OK;
}

vlb_code vlb_policy_adapter_create(const vlb_policy_source *source, int batch, vlb_policy_adapter **adapter, vlb_error *err) {
  *adapter = NULL;
  VLB_TRY(check(source, err));
  vlb_policy_adapter *a = calloc(1, sizeof *a);
  if (!a) return vlb_fail(err, VLB_FAILED, "out of memory");
  a->source = source;
  a->batch = batch;
  vlb_code code = allocate(a, err);
  if (!code) code = vlb_policy_create(source->model, batch, &a->policy, err);
  if (code)
    vlb_policy_adapter_free(a);
  else
    *adapter = a;
  return code;
}

void vlb_policy_adapter_free(vlb_policy_adapter *a) {
  if (!a) return;
  vlb_policy_free(a->policy);
  free(a->images);
  free(a->image_mask);
  free(a->tokens);
  free(a->token_mask);
  free(a->state);
  free(a->noise);
  free(a->actions);
  free(a);
}

/* Views of n observations, layout [V,n,3,S,S]; views beyond the cameras are black and masked. */
static void fill_images(vlb_policy_adapter *a, int n, const vlb_observation *o) {
  const vlb_model_config *c = &a->source->model->config;
  size_t view = 3 * (size_t)c->image_size * (size_t)c->image_size;
  for (int v = 0; v < a->source->model->shape.views; v++)
    for (int i = 0; i < n; i++) {
      size_t at = (size_t)v * (size_t)n + (size_t)i;
      float *out = a->images + at * view;
      a->image_mask[at] = v < c->cameras;
      if (v < c->cameras)
        vlb_image_prepare_u8(o[i].image[v], o[i].size, o[i].size, out, (int)c->image_size);
      else
        for (size_t k = 0; k < view; k++) out[k] = -1;
    }
}

/* Prompt, state and noise of observation i of the batch. */
static vlb_code fill_rest(vlb_policy_adapter *a, int i, const vlb_observation *o, vlb_error *err) {
  const vlb_model_config *c = &a->source->model->config;
  size_t at = (size_t)i, words = (size_t)c->tokenizer_max_length, width = (size_t)c->max_state_dim;
  size_t chunk = (size_t)(c->chunk_size * c->max_action_dim);
  VLB_TRY(vlb_tokenizer_prompt(a->source->tokenizer, o->instruction, (int)words, a->tokens + at * words, a->token_mask + at * words, err));
  memset(a->state + at * width, 0, width * sizeof(float));
  vlb_normalize(&a->source->state, o->state, a->state + at * width);
  /* the noise belongs to (task, episode, replan) and not to the arm: arms that are compared start every denoising from the same point */
  vlb_rng rng = vlb_rng_make(a->source->seed, VLB_RNG_SAMPLE, (uint32_t)o->task << 16 | (uint32_t)o->episode, (uint32_t)o->replan);
  vlb_rng_normals(&rng, a->noise + at * chunk, chunk);
  return VLB_OK;
}

static vlb_code infer(void *self, int n, const vlb_observation *observations, float *actions, vlb_error *err) {
  vlb_policy_adapter *a = self;
  const vlb_model_config *c = &a->source->model->config;
  fill_images(a, n, observations);
  for (int i = 0; i < n; i++) VLB_TRY(fill_rest(a, i, &observations[i], err));
  vlb_batch batch = {.images = a->images, .image_mask = c->empty_cameras ? a->image_mask : NULL, .tokens = a->tokens,
                     .token_mask = a->token_mask, .state = a->state, .noise = a->noise};
  VLB_TRY(vlb_policy_run(a->policy, n, &batch, a->actions, err));
  for (int64_t k = 0; k < n * c->chunk_size; k++)
    vlb_unnormalize(&a->source->action, a->actions + k * c->max_action_dim, actions + k * c->action_dim);
  return VLB_OK;
}

vlb_policy_callback vlb_policy_adapter_callback(vlb_policy_adapter *a) {
  const vlb_model_config *c = &a->source->model->config;
  return (vlb_policy_callback){.self = a, .batch = a->batch, .chunk = (int)c->chunk_size, .n_action_steps = (int)c->n_action_steps, .infer = infer};
}
