/* A policy somewhere else as a policy of the simulator: ws://HOST:PORT of vlabench serve or of openpi's server. */
#ifndef VLB_WIRE_REMOTE_H
#define VLB_WIRE_REMOTE_H

#include <jansson.h>

#include "core/base/context.h"
#include "core/base/fields.h"
#include "experiments/wire/client.h"
#include "sim/rollout/policy.h"

#define VLB_REMOTE_FIELDS(X)                                                                                                      \
  X(REAL, connect_seconds, "10", 0.1, 3600, NULL, "wait for a connection and for the server's metadata")                         \
  X(REAL, reply_seconds, "120", 0.01, 86400, NULL, "wait for a chunk; then the connection counts as lost")                       \
  X(REAL, retry_seconds, "10", 0, 86400, NULL, "after a lost connection, try again this long (from 0.1 s, doubling, to 2 s apart)") \
  X(INT, n_action_steps, "0", 0, 1024, NULL, "actions executed before a new prediction; 0: as the server's metadata say")
typedef struct {
  VLB_REMOTE_FIELDS(VLB_FIELD_MEMBER)
} vlb_remote_config;
extern const vlb_field vlb_remote_fields[];

typedef struct vlb_remote vlb_remote;

/* Connects once, to learn what the server is; `workers` policies of their own connections come from it. key: NULL or "": none. seed: of the
 * sampling noise, sent to servers of ours. Errors: VLB_FAILED, no server; VLB_USAGE, wrong address, a server for another robot, or
 * n_action_steps unknown. Caller frees. */
vlb_code vlb_remote_open(const char *url, const char *key, const vlb_remote_config *config, const vlb_embodiment *robot, uint64_t seed, int workers,
                         const vlb_context *ctx, vlb_remote **remote, vlb_error *err);
void vlb_remote_free(vlb_remote *remote);
vlb_policy_callback vlb_remote_policy(vlb_remote *remote, int worker);
const json_t *vlb_remote_metadata(const vlb_remote *remote); /* as the server said it; borrowed */

/* How the calls went so far, over all workers. */
typedef struct {
  int64_t calls, reconnections;
  double mean_ms, p50_ms, p95_ms, max_ms; /* of answered calls, as the client sees them */
} vlb_remote_figures;
vlb_remote_figures vlb_remote_measured(const vlb_remote *remote);

#endif
