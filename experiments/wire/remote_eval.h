/* Rollouts with a policy somewhere else. */
#ifndef VLB_WIRE_REMOTE_EVAL_H
#define VLB_WIRE_REMOTE_EVAL_H

#include "experiments/plan/settings.h"
#include "experiments/wire/remote.h"

/* --set SECTION.KEY=VALUE, with the section remote beside those of the settings. */
vlb_code vlb_remote_set(vlb_settings *settings, vlb_remote_config *remote, const char *assignment, vlb_error *err);

/* All episodes of the suite, ctx->threads of them at once, each over a connection of its own. results as in vlb_rollouts_run. *policy: what is
 * worth keeping with the result (url, the server's metadata, latencies); caller: json_decref, NULL after a failure. Errors: those of
 * vlb_remote_open and vlb_rollouts_run; an episode during which the server fails is a policy error, not a failure of the call. */
vlb_code vlb_remote_eval(const char *url, const char *key, const vlb_remote_config *config, const vlb_rollout_config *eval, const vlb_suite *suite,
                         vlb_episode_result *results, json_t **policy, const vlb_context *ctx, vlb_error *err);

#endif
