#include "core/model/runner.h"

#include <stdlib.h>
#include <string.h>

#include "core/data/image.h"

enum { MAX_BATCH = 64 };

struct vlb_runner {
  const vlb_pretrained *trained;
  vlb_policy *policies[MAX_BATCH]; /* planned for 1, 2, .. observations, when they are first asked for: a planned place costs as much empty */
  bool large; /* planned for one observation only, so that packed weights are there once */
  int batch;
  vlb_batch in;        /* the arrays below, as the policy takes them */
  float *images;       /* [cameras,n,3,S,S] */
  int32_t *tokens;     /* [batch,L] */
  uint8_t *token_mask; /* [batch,L] */
  float *state;        /* [batch,max_state_dim] */
  float *noise;        /* [batch,T,max_action_dim] */
  float *actions;      /* [batch,T,max_action_dim] */
  float *previous;     /* [batch,T,max_action_dim]: what guides */
  vlb_guidance *guidance; /* [batch] */
};

static vlb_code allocate(vlb_runner *r, vlb_error *err) {
  const vlb_model_config *c = &r->trained->model->config;
  size_t n = (size_t)r->batch, cameras = (size_t)c->cameras, side = (size_t)c->image_size;
  size_t words = (size_t)c->tokenizer_max_length, chunk = (size_t)(c->chunk_size * c->max_action_dim);
  r->images = malloc(cameras * n * 3 * side * side * sizeof(float));
  r->tokens = malloc(n * words * sizeof(int32_t));
  r->token_mask = malloc(n * words);
  r->state = malloc(n * (size_t)c->max_state_dim * sizeof(float));
  r->noise = malloc(n * chunk * sizeof(float));
  r->actions = malloc(n * chunk * sizeof(float));
  r->previous = calloc(n * chunk, sizeof(float));
  r->guidance = calloc(n, sizeof *r->guidance);
  if (!r->previous || !r->guidance || !r->images || !r->tokens || !r->token_mask || !r->state || !r->noise || !r->actions)
    return vlb_fail(err, VLB_FAILED, "out of memory for a policy of %d observations", r->batch);
  r->in = (vlb_batch){.images = r->images, .tokens = r->tokens, .token_mask = r->token_mask, .state = r->state, .noise = r->noise};
  return VLB_OK;
}

vlb_code vlb_runner_create_for(const vlb_pretrained *trained, int batch, const vlb_inference_options *options, vlb_runner **runner, vlb_error *err) {
  *runner = NULL;
  if (vlb_tokenizer_vocab(trained->tokenizer) > trained->model->config.vocab_size)
    return vlb_fail(err, VLB_USAGE, "the tokenizer has %d words, more than model.vocab_size = %lld", vlb_tokenizer_vocab(trained->tokenizer),
                    (long long)trained->model->config.vocab_size);
  if (batch < 1 || batch > MAX_BATCH) return vlb_fail(err, VLB_FAILED, "a policy of %d observations at once; from 1 to %d are possible", batch, MAX_BATCH);
  vlb_runner *r = calloc(1, sizeof *r);
  if (!r) return vlb_fail(err, VLB_FAILED, "out of memory");
  r->trained = trained;
  r->large = options != NULL;
  r->batch = batch;
  vlb_code code = allocate(r, err);
  if (!code) code = vlb_policy_create_for(trained->model, 1, options, &r->policies[0], err);
  if (code)
    vlb_runner_free(r);
  else
    *runner = r;
  return code;
}

vlb_code vlb_runner_create(const vlb_pretrained *trained, int batch, vlb_runner **runner, vlb_error *err) {
  return vlb_runner_create_for(trained, batch, NULL, runner, err);
}

void vlb_runner_free(vlb_runner *r) {
  if (!r) return;
  for (int i = 0; i < MAX_BATCH; i++) vlb_policy_free(r->policies[i]);
  free(r->images), free(r->tokens), free(r->token_mask), free(r->state), free(r->noise), free(r->actions), free(r->previous), free(r->guidance), free(r);
}

static void fill_images(vlb_runner *r, int n, const vlb_sight *sights) {
  const vlb_model_config *c = &r->trained->model->config;
  size_t view = 3 * (size_t)c->image_size * (size_t)c->image_size;
  for (int v = 0; v < c->cameras; v++)
    for (int i = 0; i < n; i++) {
      const vlb_picture *p = &sights[i].pictures[v];
      vlb_image_prepare_u8(p->rgb, p->height, p->width, r->images + (size_t)(v * n + i) * view, (int)c->image_size);
    }
}

/* prompt, state and noise of observation i */
static vlb_code fill_rest(vlb_runner *r, int i, const vlb_sight *sight, vlb_error *err) {
  const vlb_model_config *c = &r->trained->model->config;
  size_t at = (size_t)i, words = (size_t)c->tokenizer_max_length, width = (size_t)c->max_state_dim;
  size_t chunk = (size_t)(c->chunk_size * c->max_action_dim);
  VLB_TRY(vlb_tokenizer_prompt(r->trained->tokenizer, sight->instruction, (int)words, r->tokens + at * words, r->token_mask + at * words, err));
  memset(r->state + at * width, 0, width * sizeof(float));
  vlb_normalize(&r->trained->state, sight->state, r->state + at * width);
  if (sight->noise) memcpy(r->noise + at * chunk, sight->noise, chunk * sizeof(float));
  return VLB_OK;
}

void vlb_runner_guide(vlb_runner *r, int i, const vlb_guidance *guide) {
  const vlb_model_config *c = &r->trained->model->config;
  size_t chunk = (size_t)(c->chunk_size * c->max_action_dim);
  float *previous = r->previous + (size_t)i * chunk;
  memset(previous, 0, chunk * sizeof *previous);
  r->guidance[i] = *guide;
  r->guidance[i].previous = previous;
  if (guide->n > c->chunk_size) r->guidance[i].n = (int)c->chunk_size;
  for (int k = 0; k < r->guidance[i].n; k++)
    vlb_normalize(&r->trained->action, guide->previous + k * c->action_dim, previous + k * c->max_action_dim);
  r->in.guidance = r->guidance;
}

static vlb_code plan(vlb_runner *r, int n, vlb_error *err) {
  return r->policies[n - 1] ? VLB_OK : vlb_policy_create(r->trained->model, n, &r->policies[n - 1], err);
}

/* sights[n] -> r->actions from place `at` on */
static vlb_code run(vlb_runner *r, int at, int n, const vlb_sight *sights, vlb_error *err) {
  const vlb_model_config *c = &r->trained->model->config;
  VLB_TRY(plan(r, n, err));
  fill_images(r, n, sights);
  for (int i = 0; i < n; i++) VLB_TRY(fill_rest(r, i, &sights[i], err));
  vlb_batch in = r->in;
  if (in.guidance) in.guidance += at;
  return vlb_policy_run(r->policies[n - 1], n, &in, r->actions + at * c->chunk_size * c->max_action_dim, err);
}

vlb_code vlb_runner_run(vlb_runner *r, int n, const vlb_sight *sights, float *actions, vlb_error *err) {
  const vlb_model_config *c = &r->trained->model->config;
  if (n < 1 || n > r->batch) return vlb_fail(err, VLB_FAILED, "a policy of %d observations at once was given %d", r->batch, n);
  int at_once = r->large ? 1 : n;
  vlb_code code = VLB_OK;
  for (int at = 0; !code && at < n; at += at_once) code = run(r, at, at_once, sights + at, err);
  memset(r->guidance, 0, (size_t)r->batch * sizeof *r->guidance);
  r->in.guidance = NULL;
  VLB_TRY(code);
  for (int64_t k = 0; k < n * c->chunk_size; k++)
    vlb_unnormalize(&r->trained->action, r->actions + k * c->max_action_dim, actions + k * c->action_dim);
  return VLB_OK;
}

const float *vlb_runner_normalised(const vlb_runner *r) { return r->actions; }
const vlb_batch *vlb_runner_batch(const vlb_runner *r) { return &r->in; }
vlb_policy *vlb_runner_policy(vlb_runner *r) { return r->policies[0]; }
