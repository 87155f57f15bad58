/* A client of a policy server: one connection, one request at a time, waiting for its reply. Speaks to vlabench serve and to openpi's server. */
#ifndef VLB_WIRE_CLIENT_H
#define VLB_WIRE_CLIENT_H

#include "core/base/context.h"
#include "experiments/wire/message.h"

/* ws://host:port/path, taken apart. Errors (VLB_USAGE): another scheme, no host, a port that is none; wss:// is said not to be done here. */
typedef struct {
  char host[256], path[256];
  int port;
} vlb_address;
vlb_code vlb_address_parse(const char *url, vlb_address *out, vlb_error *err);

/* How a call ended, for who must decide whether to try again. */
typedef enum {
  VLB_CALL_DONE,
  VLB_CALL_LOST,    /* no connection, or it broke, or no reply in time: another try may help */
  VLB_CALL_REFUSED, /* the server said no: wrong key, or its error about this request */
  VLB_CALL_STOPPED  /* ctx->stop was set while waiting */
} vlb_call_end;

typedef struct vlb_client vlb_client;

/* Connects and receives the server's metadata, within `seconds`. key: NULL or "": none. Not done: *client is NULL and err says why, with the
 * address. Caller: vlb_client_close. */
vlb_call_end vlb_client_open(const vlb_address *address, const char *key, double seconds, const vlb_context *ctx, vlb_client **client, vlb_error *err);
void vlb_client_close(vlb_client *client);
const vlb_item *vlb_client_metadata(const vlb_client *client); /* what the server said first; a map, perhaps empty */

/* Sends what the packer holds (it keeps it) and waits for the reply, `seconds` at most. *reply lives until the next call or close. After any other end than DONE
 * the connection is useless: close it. */
vlb_call_end vlb_client_call(vlb_client *client, vlb_packer *request, double seconds, const vlb_item **reply, vlb_error *err);

#endif
