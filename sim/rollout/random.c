#include "sim/rollout/random.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/rng.h"

enum { CHUNK = 16, REPLANS = 1 << 12 }; /* REPLANS: of an episode, fewer than this */

typedef struct {
  uint64_t seed;
} random_policy;

static vlb_code check_state(const vlb_observation *o, vlb_error *err) {
  for (int i = 0; i < o->embodiment->state_dim; i++)
    if (!isfinite(o->state[i])) return vlb_fail(err, VLB_FAILED, "state %d is not a finite number, and nothing was reported", i);
  return VLB_OK;
}

static void draw_chunk(const random_policy *p, const vlb_observation *o, float *actions) {
  const int n = o->embodiment->action_dim;
  const double pi = 3.14159265358979323846, reach = o->episode % 2 ? pi : 1;
  vlb_rng rng = vlb_rng_make(p->seed, VLB_RNG_TEST, (uint32_t)o->task, (uint32_t)(o->episode * REPLANS + o->replan % REPLANS));
  const int hold = 1 << 2 * vlb_rng_below(&rng, 3);
  for (int k = 0; k < CHUNK; k++)
    for (int i = 0; i < n; i++) actions[k * n + i] = k % hold ? actions[(k - 1) * n + i] : (float)vlb_rng_range(&rng, -reach, reach);
}

static vlb_code infer(void *self, int n, const vlb_observation *o, float *actions, vlb_error *err) {
  for (int i = 0; i < n; i++) {
    VLB_TRY(check_state(&o[i], err));
    draw_chunk(self, &o[i], actions + i * CHUNK * o[i].embodiment->action_dim);
  }
  return VLB_OK;
}

static void count(const vlb_episode_result *results, int n, vlb_random_report *out) {
  *out = (vlb_random_report){.steps = 0};
  for (int i = 0; i < n; i++) {
    out->outcomes[results[i].outcome]++;
    out->steps += results[i].steps;
  }
  out->slipped = out->outcomes[VLB_EPISODE_POLICY_ERROR];
}

vlb_code vlb_random_run(const vlb_suite *suite, int per_task, uint64_t seed, const vlb_context *ctx, vlb_random_report *out, vlb_error *err) {
  int n = suite->task_count * per_task;
  vlb_rollout_config config;
  random_policy policy = {seed};
  vlb_fields_default(vlb_rollout_fields, &config);
  config.episodes_per_task = per_task;
  config.seed = (int64_t)seed;
  config.render_size = 0;
  vlb_episode_result *results = calloc((size_t)n, sizeof *results);
  vlb_policy_callback *policies = calloc((size_t)ctx->threads, sizeof *policies);
  vlb_code code = VLB_OK;
  if (!results || !policies) code = vlb_fail(err, VLB_FAILED, "no memory for %d episodes", n);
  /* batch 1: what one observation shows must not end another's episode */
  for (int i = 0; !code && i < ctx->threads; i++)
    policies[i] = (vlb_policy_callback){.self = &policy, .batch = 1, .chunk = CHUNK, .n_action_steps = CHUNK, .infer = infer};
  if (!code) code = vlb_rollouts_run(&config, suite, policies, ctx, "random actions", results, err);
  if (!code) count(results, n, out);
  free(policies);
  free(results);
  return code;
}
