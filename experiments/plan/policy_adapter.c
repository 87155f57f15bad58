#include "experiments/plan/policy_adapter.h"

#include <stdlib.h>

#include "core/base/rng.h"

struct vlb_policy_adapter {
  const vlb_policy_source *source;
  vlb_runner *runner;
  int batch;
  vlb_picture *pictures; /* [batch,cameras] */
  vlb_sight *sights;     /* [batch] */
  float *noise;          /* [batch,T,max_action_dim] */
};

vlb_code vlb_policy_source_check(const vlb_policy_source *s, vlb_error *err) {
  const vlb_embodiment *robot = s->embodiment;
  const vlb_stats *state = &s->trained.state, *action = &s->trained.action;
  if (state->dim != robot->state_dim || action->dim != robot->action_dim)
    return vlb_fail(err, VLB_USAGE, "the model was trained on %d state and %d action numbers, the robot %s has %d and %d; evaluate it on the robot it was trained on",
                    state->dim, action->dim, robot->name, robot->state_dim, robot->action_dim);
  return vlb_model_fits(&s->trained.model->config, robot, err);
}

vlb_code vlb_policy_adapter_create(const vlb_policy_source *source, int batch, vlb_policy_adapter **adapter, vlb_error *err) {
  *adapter = NULL;
  VLB_TRY(vlb_policy_source_check(source, err));
  const vlb_model_config *c = &source->trained.model->config;
  vlb_policy_adapter *a = calloc(1, sizeof *a);
  if (!a) return vlb_fail(err, VLB_FAILED, "out of memory");
  size_t n = (size_t)batch;
  a->source = source;
  a->batch = batch;
  a->pictures = calloc(n * (size_t)c->cameras, sizeof *a->pictures);
  a->sights = calloc(n, sizeof *a->sights);
  a->noise = calloc(n * (size_t)(c->chunk_size * c->max_action_dim), sizeof *a->noise);
  vlb_code code = a->pictures && a->sights && a->noise ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory for a policy of %d observations", batch);
  if (!code) code = vlb_runner_create_for(&source->trained, batch, source->inference, &a->runner, err);
  if (code)
    vlb_policy_adapter_free(a);
  else
    *adapter = a;
  return code;
}

void vlb_policy_adapter_free(vlb_policy_adapter *a) {
  if (!a) return;
  vlb_runner_free(a->runner);
  free(a->pictures);
  free(a->sights);
  free(a->noise);
  free(a);
}

void vlb_policy_noise(uint64_t seed, uint32_t task, uint32_t episode, uint32_t replan, const vlb_model_config *c, float *noise) {
  vlb_rng rng = vlb_rng_make(seed, VLB_RNG_SAMPLE, task << 16 | episode, replan);
  vlb_rng_normals(&rng, noise, (size_t)(c->chunk_size * c->max_action_dim));
}

static vlb_sight sight_of(vlb_policy_adapter *a, int i, const vlb_observation *o) {
  const vlb_model_config *c = &a->source->trained.model->config;
  size_t chunk = (size_t)(c->chunk_size * c->max_action_dim);
  vlb_picture *pictures = a->pictures + i * c->cameras;
  float *noise = a->noise + (size_t)i * chunk;
  for (int v = 0; v < c->cameras; v++) pictures[v] = (vlb_picture){o->image[v], o->size, o->size};
  /* the noise belongs to (task, episode, replan) and not to the arm: arms that are compared start every denoising from the same point */
  vlb_policy_noise(a->source->seed, (uint32_t)o->task, (uint32_t)o->episode, (uint32_t)o->replan, c, noise);
  return (vlb_sight){pictures, o->state, o->instruction, noise};
}

/* the simulator's word for it and the model's are the same numbers */
static void guide(vlb_policy_adapter *a, int i, const vlb_guide *g) {
  const vlb_guidance guidance = {.previous = g->previous, .n = g->n, .delay = g->delay, .horizon = g->horizon, .schedule = g->schedule, .most = g->weight};
  vlb_runner_guide(a->runner, i, &guidance);
}

static vlb_code infer(void *self, int n, const vlb_observation *observations, float *actions, vlb_error *err) {
  vlb_policy_adapter *a = self;
  for (int i = 0; i < n; i++) {
    a->sights[i] = sight_of(a, i, &observations[i]);
    if (observations[i].guide) guide(a, i, observations[i].guide);
  }
  return vlb_runner_run(a->runner, n, a->sights, actions, err);
}

vlb_policy_callback vlb_policy_adapter_callback(vlb_policy_adapter *a) {
  const vlb_model_config *c = &a->source->trained.model->config;
  return (vlb_policy_callback){.self = a, .batch = a->batch, .chunk = (int)c->chunk_size, .n_action_steps = (int)c->n_action_steps, .infer = infer};
}
