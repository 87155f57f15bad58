#include "experiments/wire/model_policy.h"

#include <stdlib.h>
#include <string.h>

#include "experiments/plan/policy_adapter.h"

vlb_wire_shape vlb_wire_shape_of(const vlb_pretrained *model) {
  const vlb_model_config *c = &model->model->config;
  vlb_wire_shape s = {.cameras = (int)c->cameras, .state_dim = model->state.dim, .chunk = (int)c->chunk_size, .action_dim = (int)c->action_dim};
  memcpy(s.camera, model->cameras, sizeof s.camera);
  return s;
}

json_t *vlb_wire_describe(const vlb_pretrained *model, const vlb_embodiment *robot, const char *folder, const char *weights) {
  const vlb_model_config *c = &model->model->config;
  json_t *cameras = json_array();
  for (int v = 0; v < c->cameras; v++) json_array_append_new(cameras, json_string(model->cameras[v]));
  json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:i,s:o}", "server", "vlabench", "version", VLB_VERSION, "policy", folder, "weights", weights,
                        "chunk_size", (json_int_t)c->chunk_size, "n_action_steps", (json_int_t)c->n_action_steps, "action_dim",
                        (json_int_t)c->action_dim, "state_dim", model->state.dim, "cameras", cameras);
  if (robot) json_object_set_new(o, "robot", json_string(robot->name));
  return o;
}

typedef struct {
  const vlb_pretrained *model;
  vlb_runner *runner;
  vlb_sight *sights; /* [batch] */
  float *noise;      /* [batch,T,max_action_dim] */
} thinker;

struct vlb_model_policies {
  int workers;
  thinker *thinkers;         /* [workers] */
  vlb_wire_policy *policies; /* [workers] */
};

static vlb_code infer(void *self, int n, const vlb_wire_observation *observations, float *actions, vlb_error *err) {
  thinker *t = self;
  const vlb_model_config *c = &t->model->model->config;
  size_t chunk = (size_t)(c->chunk_size * c->max_action_dim);
  for (int i = 0; i < n; i++) {
    const vlb_wire_observation *o = &observations[i];
    float *noise = t->noise + (size_t)i * chunk;
    vlb_policy_noise(o->key.seed, o->key.task, o->key.episode, o->key.replan, c, noise);
    t->sights[i] = (vlb_sight){o->pictures, o->state, o->prompt, noise};
  }
  return vlb_runner_run(t->runner, n, t->sights, actions, err);
}

static vlb_code open_thinker(thinker *t, const vlb_pretrained *model, int batch, const vlb_inference_options *options, vlb_error *err) {
  const vlb_model_config *c = &model->model->config;
  t->model = model;
  t->sights = calloc((size_t)batch, sizeof *t->sights);
  t->noise = calloc((size_t)(batch * c->chunk_size * c->max_action_dim), sizeof *t->noise);
  if (!t->sights || !t->noise) return vlb_fail(err, VLB_FAILED, "out of memory for a policy of %d observations", batch);
  return vlb_runner_create_for(model, batch, options, &t->runner, err);
}

vlb_code vlb_model_policies_create(const vlb_pretrained *model, int workers, int batch, const vlb_inference_options *options,
                                   vlb_model_policies **policies, vlb_error *err) {
  *policies = NULL;
  vlb_model_policies *p = calloc(1, sizeof *p);
  if (!p) return vlb_fail(err, VLB_FAILED, "out of memory");
  p->workers = workers;
  p->thinkers = calloc((size_t)workers, sizeof *p->thinkers);
  p->policies = calloc((size_t)workers, sizeof *p->policies);
  vlb_code code = p->thinkers && p->policies ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory");
  for (int i = 0; !code && i < workers; i++) {
    code = open_thinker(&p->thinkers[i], model, batch, options, err);
    p->policies[i] = (vlb_wire_policy){&p->thinkers[i], batch, infer};
  }
  if (code)
    vlb_model_policies_free(p);
  else
    *policies = p;
  return code;
}

void vlb_model_policies_free(vlb_model_policies *p) {
  if (!p) return;
  for (int i = 0; p->thinkers && i < p->workers; i++) {
    vlb_runner_free(p->thinkers[i].runner);
    free(p->thinkers[i].sights);
    free(p->thinkers[i].noise);
  }
  free(p->thinkers);
  free(p->policies);
  free(p);
}

const vlb_wire_policy *vlb_model_policies_all(const vlb_model_policies *p) { return p->policies; }
