#include "experiments/wire/remote_eval.h"

#include <stdlib.h>
#include <string.h>

vlb_code vlb_remote_set(vlb_settings *settings, vlb_remote_config *remote, const char *assignment, vlb_error *err) {
  const char *equals = strchr(assignment, '=');
  char key[64];
  if (strncmp(assignment, "remote.", 7) || !equals) return vlb_settings_set(settings, assignment, err);
  snprintf(key, sizeof key, "%.*s", (int)(equals - assignment) - 7, assignment + 7);
  return vlb_fields_set(vlb_remote_fields, remote, key, equals + 1, err) ? vlb_fail_at(err, "--set %s", assignment) : VLB_OK;
}

static json_t *describe(const char *url, const vlb_remote *remote, int n_action_steps) {
  vlb_remote_figures f = vlb_remote_measured(remote);
  json_t *metadata = json_deep_copy(vlb_remote_metadata(remote));
  return json_pack("{s:s,s:i,s:o,s:I,s:I,s:{s:f,s:f,s:f,s:f}}", "url", url, "n_action_steps", n_action_steps, "metadata", metadata, "calls",
                   (json_int_t)f.calls, "reconnections", (json_int_t)f.reconnections, "latency_ms", "mean", f.mean_ms, "p50", f.p50_ms, "p95", f.p95_ms,
                   "max", f.max_ms);
}

vlb_code vlb_remote_eval(const char *url, const char *key, const vlb_remote_config *config, const vlb_rollout_config *eval, const vlb_suite *suite,
                         vlb_episode_result *results, json_t **policy, const vlb_context *ctx, vlb_error *err) {
  vlb_remote *remote;
  *policy = NULL;
  VLB_TRY(vlb_remote_open(url, key, config, suite->embodiment, (uint64_t)eval->seed, ctx->threads, ctx, &remote, err));
  vlb_policy_callback *policies = calloc((size_t)ctx->threads, sizeof *policies);
  vlb_code code = policies ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory");
  for (int i = 0; !code && i < ctx->threads; i++) policies[i] = vlb_remote_policy(remote, i);
  if (!code) {
    vlb_info(ctx->log, "%s of %s, %d actions executed before a new prediction", suite->name, url, policies[0].n_action_steps);
    code = vlb_rollouts_run(eval, suite, policies, ctx, "eval", results, err);
  }
  if (!code) *policy = describe(url, remote, policies[0].n_action_steps);
  free(policies);
  vlb_remote_free(remote);
  return code;
}
