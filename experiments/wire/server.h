/* A policy server on WebSockets (experiments/wire/README.md). One thread for the network, one per policy for thinking. */
#ifndef VLB_WIRE_SERVER_H
#define VLB_WIRE_SERVER_H

#include <jansson.h>

#include "core/base/context.h"
#include "core/base/fields.h"
#include "experiments/wire/jobs.h"

#define VLB_SERVE_FIELDS(X)                                                                                                   \
  X(INT, max_clients, "64", 1, 4096, NULL, "connections at once; more are refused")                                           \
  X(REAL, max_message_mb, "16", 0.001, 1024, NULL, "largest message of a client, MB; a larger one ends the connection (1009)") \
  X(REAL, max_memory_mb, "256", 0.001, 65536, NULL, "messages held for all clients together, MB; whose message is too much is sent away (1013)") \
  X(REAL, rate, "0", 0, 1e6, NULL, "requests a second per client; more of them wait; 0: no limit")                            \
  X(REAL, message_seconds, "30", 0.01, 3600, NULL, "a message must be complete this long after it began")                     \
  X(REAL, send_seconds, "30", 0.01, 3600, NULL, "a client must take a reply within this time")                                \
  X(REAL, grace_seconds, "10", 0, 3600, NULL, "after SIGINT or SIGTERM, how long running requests may still take")            \
  X(INT, batch, "4", 1, 64, NULL, "waiting requests predicted in one call at most; never changes a result")
typedef struct {
  VLB_SERVE_FIELDS(VLB_FIELD_MEMBER)
} vlb_serve_config;
extern const vlb_field vlb_serve_fields[];

typedef struct {
  const char *host; /* an address of this machine; "127.0.0.1": only programs on this machine */
  int port;         /* 0: a free one */
  const char *key;  /* "Authorization: Api-Key KEY" is asked for; NULL: nothing is */
  vlb_serve_config limits;
  vlb_wire_shape shape;
  const json_t *metadata; /* what a client is told first; borrowed */
  uint64_t seed;          /* of the noise of clients that name none */
  bool json;              /* events as JSON lines */
} vlb_server_config;

typedef struct vlb_server vlb_server;

/* Listens, and starts a worker per policy; config, policies and ctx must outlive the server. Errors (VLB_FAILED): the address cannot be had.
 * Caller frees. */
vlb_code vlb_server_open(const vlb_server_config *config, const vlb_wire_policy *policies, int workers, const vlb_context *ctx, vlb_server **server,
                         vlb_error *err);
int vlb_server_port(const vlb_server *server);

/* Serves until ctx->stop is set, then lets running requests end, closes every connection with 1001 and returns. */
vlb_code vlb_server_run(vlb_server *server, vlb_error *err);

/* Latencies per client since the start: a table, or JSON. */
void vlb_server_report(const vlb_server *server, bool json, FILE *out);
void vlb_server_free(vlb_server *server);

#endif
