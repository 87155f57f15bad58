#include "experiments/wire/client.h"

#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/timing.h"

enum { READ_CHUNK = 1 << 16, MOST_REPLY = 64 << 20, TICK_US = 50000 };

struct vlb_client {
  vlb_address address;
  char authorization[512];
  const vlb_context *ctx;
  struct lws_context *lws;
  struct lws *wsi;             /* NULL: no connection */
  lws_sorted_usec_list_t timer; /* wakes the loop to look at the clock */
  uint8_t *frame;              /* the request, behind LWS_PRE free bytes: libwebsockets masks it in place, so it is a copy */
  size_t frame_size, frame_room;
  bool asked;                  /* frame is to be sent */
  uint8_t *bytes;              /* reply, or metadata, as it comes */
  size_t size, capacity;
  bool text, whole, ended;     /* a text frame; complete; the connection is over */
  char why[400];               /* why it is */
  vlb_message *metadata, *reply;
  uint8_t *metadata_bytes;
};

vlb_code vlb_address_parse(const char *url, vlb_address *out, vlb_error *err) {
  static const char scheme[] = "ws://";
  memset(out, 0, sizeof *out);
  if (!strncmp(url, "wss://", 6))
    return vlb_fail(err, VLB_USAGE, "%s: TLS is not done here; reach the server through a tunnel and say ws://127.0.0.1:PORT", url);
  if (strncmp(url, scheme, sizeof scheme - 1)) return vlb_fail(err, VLB_USAGE, "%s: a policy server's address is ws://HOST:PORT", url);
  const char *host = url + sizeof scheme - 1, *end = host + strcspn(host, "/"), *colon = end;
  while (colon > host && *colon != ':') colon--;
  if (colon == host || (size_t)(colon - host) >= sizeof out->host || strlen(end) >= sizeof out->path)
    return vlb_fail(err, VLB_USAGE, "%s: a policy server's address is ws://HOST:PORT", url);
  char *rest;
  long port = strtol(colon + 1, &rest, 10);
  if (rest != end || rest == colon + 1 || port < 1 || port > 65535) return vlb_fail(err, VLB_USAGE, "%s: the port is a number from 1 to 65535", url);
  snprintf(out->host, sizeof out->host, "%.*s", (int)(colon - host), host);
  snprintf(out->path, sizeof out->path, "%s", *end ? end : "/");
  out->port = (int)port;
  return VLB_OK;
}

/* ---- what libwebsockets tells ---- */

static void end_with(vlb_client *c, const char *why, size_t size) {
  if (!c->ended && !c->why[0]) snprintf(c->why, sizeof c->why, "%.*s", size < 300 ? (int)size : 300, why);
  c->ended = true;
}

static void no_connection(vlb_client *c, const char *why, size_t size) {
  char text[300];
  int n = snprintf(text, sizeof text, "no policy server answers there (%.*s)", size < 200 ? (int)size : 200, why ? why : "");
  end_with(c, text, (size_t)n);
}

static int take(vlb_client *c, struct lws *wsi, const void *bytes, size_t size) {
  if (c->whole) return end_with(c, "the server speaks unasked", 25), -1;
  if (size > MOST_REPLY - c->size) return end_with(c, "the reply is larger than 64 MB", 30), -1;
  if (c->size + size > c->capacity) {
    size_t room = 2 * (c->size + size) + 4096;
    uint8_t *grown = realloc(c->bytes, room);
    if (!grown) return end_with(c, "out of memory", 13), -1;
    c->bytes = grown;
    c->capacity = room;
  }
  if (size) memcpy(c->bytes + c->size, bytes, size); /* an empty frame has no bytes at all */
  c->size += size;
  c->text = !lws_frame_is_binary(wsi);
  c->whole = !lws_remaining_packet_payload(wsi) && lws_is_final_fragment(wsi);
  return 0;
}

static int write_request(vlb_client *c, struct lws *wsi) {
  if (!c->asked) return 0;
  c->asked = false;
  if (lws_write(wsi, c->frame + LWS_PRE, c->frame_size, LWS_WRITE_BINARY) >= (int)c->frame_size) return 0;
  return end_with(c, "the connection broke while sending", 34), -1;
}

/* code in two bytes, then the reason */
static void note_close(vlb_client *c, const uint8_t *bytes, size_t size) {
  if (size < 2 || c->why[0]) return;
  int code = bytes[0] << 8 | bytes[1];
  snprintf(c->why, sizeof c->why, "the server closed the connection (%d%s%.*s)", code, size > 2 ? ": " : "", (int)(size - 2 < 125 ? size - 2 : 125),
           (const char *)bytes + 2);
}

static int add_key(const vlb_client *c, unsigned char **at, unsigned char *end) {
  const unsigned char name[] = "authorization:";
  return c->authorization[0] && lws_add_http_header_by_name(lws_get_network_wsi(c->wsi), name, (const unsigned char *)c->authorization,
                                                            (int)strlen(c->authorization), at, end);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size) {
  vlb_client *c = lws_context_user(lws_get_context(wsi));
  (void)user;
  switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER: return add_key(c, in, *(unsigned char **)in + size) ? -1 : 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR: no_connection(c, in, in ? size : 0); return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE: return take(c, wsi, in, size);
    case LWS_CALLBACK_CLIENT_WRITEABLE: return write_request(c, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: note_close(c, in, size); return 0;
    case LWS_CALLBACK_CLIENT_CLOSED: end_with(c, "the connection broke", 20); return 0;
    default: return 0;
  }
}

static const struct lws_protocols protocols[] = {{.name = "vlabench", .callback = on_event, .rx_buffer_size = READ_CHUNK}, {.name = NULL}};

static void tick(lws_sorted_usec_list_t *timer) {
  vlb_client *c = lws_container_of(timer, vlb_client, timer);
  lws_sul_schedule(c->lws, 0, &c->timer, tick, TICK_US);
}

/* ---- waiting ---- */

static vlb_call_end wait_whole(vlb_client *c, double seconds, vlb_error *err) {
  const vlb_address *a = &c->address;
  double end = vlb_seconds() + seconds;
  while (!c->whole && !c->ended) {
    if (c->ctx->stop && *c->ctx->stop) return vlb_fail(err, VLB_INTERRUPTED, "interrupted"), VLB_CALL_STOPPED;
    if (vlb_seconds() > end) return vlb_fail(err, VLB_FAILED, "ws://%s:%d: no reply within %g s", a->host, a->port, seconds), VLB_CALL_LOST;
    if (lws_service(c->lws, 0) < 0) end_with(c, "the network loop failed", 23);
  }
  if (c->whole) return VLB_CALL_DONE;
  bool unauthorized = strstr(c->why, "unauthorized") != NULL; /* libwebsockets' word for 401 */
  vlb_fail(err, VLB_FAILED, "ws://%s:%d: %s", a->host, a->port, unauthorized ? "the server wants a key, or another one (--key-file)" : c->why);
  return unauthorized ? VLB_CALL_REFUSED : VLB_CALL_LOST;
}

/* The last line of a text: what counts in a traceback. */
static vlb_call_end refused(const vlb_client *c, vlb_error *err) {
  const char *text = (const char *)c->bytes;
  size_t end = c->size;
  while (end && (text[end - 1] == '\n' || text[end - 1] == '\r' || text[end - 1] == ' ')) end--;
  size_t start = end;
  while (start && text[start - 1] != '\n') start--;
  if (end - start > 600) end = start + 600;
  vlb_fail(err, VLB_FAILED, "ws://%s:%d: the server says: %.*s", c->address.host, c->address.port, (int)(end - start), text + start);
  return VLB_CALL_REFUSED;
}

static vlb_call_end receive(vlb_client *c, double seconds, vlb_message **message, vlb_error *err) {
  vlb_call_end end = wait_whole(c, seconds, err);
  if (end) return end;
  if (c->text) return refused(c, err);
  if (!vlb_message_open(c->bytes, c->size, message, err)) return VLB_CALL_DONE;
  vlb_fail_at(err, "ws://%s:%d", c->address.host, c->address.port);
  return VLB_CALL_REFUSED;
}

/* ---- the whole ---- */

static vlb_code connect_to(vlb_client *c, double seconds, vlb_error *err) {
  struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols, .user = c, .fd_limit_per_thread = 16,
                                           .pt_serv_buf_size = READ_CHUNK, .http_proxy_address = "", .timeout_secs = (unsigned)seconds + 1,
                                           .connect_timeout_secs = (unsigned)seconds + 1};
  lws_set_log_level(0, NULL);
  c->lws = lws_create_context(&info);
  if (!c->lws) return vlb_fail(err, VLB_FAILED, "libwebsockets does not start (out of memory or of files)");
  struct lws_client_connect_info to = {.context = c->lws, .address = c->address.host, .port = c->address.port, .path = c->address.path,
                                       .host = c->address.host, .origin = c->address.host, .pwsi = &c->wsi};
  lws_sul_schedule(c->lws, 0, &c->timer, tick, TICK_US);
  if (!lws_client_connect_via_info(&to) && !c->ended) no_connection(c, "it does not begin", 17);
  return VLB_OK;
}

vlb_call_end vlb_client_open(const vlb_address *address, const char *key, double seconds, const vlb_context *ctx, vlb_client **client, vlb_error *err) {
  *client = NULL;
  vlb_client *c = calloc(1, sizeof *c);
  if (!c) return vlb_fail(err, VLB_FAILED, "out of memory"), VLB_CALL_REFUSED;
  c->address = *address;
  c->ctx = ctx;
  if (key && *key) snprintf(c->authorization, sizeof c->authorization, "Api-Key %s", key);
  vlb_call_end end = connect_to(c, seconds, err) ? VLB_CALL_REFUSED : receive(c, seconds, &c->metadata, err);
  if (end) {
    vlb_client_close(c);
    return end;
  }
  c->metadata_bytes = c->bytes; /* the metadata point into it */
  c->bytes = NULL;
  c->capacity = 0;
  *client = c;
  return VLB_CALL_DONE;
}

void vlb_client_close(vlb_client *c) {
  if (!c) return;
  if (c->lws) lws_context_destroy(c->lws);
  vlb_message_free(c->metadata);
  vlb_message_free(c->reply);
  free(c->metadata_bytes);
  free(c->bytes);
  free(c->frame);
  free(c);
}

const vlb_item *vlb_client_metadata(const vlb_client *c) { return vlb_message_root(c->metadata); }

static bool copy_request(vlb_client *c, vlb_packer *request) {
  size_t size = vlb_packer_size(request);
  if (LWS_PRE + size > c->frame_room) {
    uint8_t *grown = realloc(c->frame, LWS_PRE + size);
    if (!grown) return false;
    c->frame = grown;
    c->frame_room = LWS_PRE + size;
  }
  memcpy(c->frame + LWS_PRE, vlb_packer_data(request), size);
  c->frame_size = size;
  return true;
}

vlb_call_end vlb_client_call(vlb_client *c, vlb_packer *request, double seconds, const vlb_item **reply, vlb_error *err) {
  if (!vlb_packer_ok(request) || !copy_request(c, request)) return vlb_fail(err, VLB_FAILED, "out of memory for a request"), VLB_CALL_REFUSED;
  vlb_message_free(c->reply);
  c->reply = NULL;
  c->size = 0;
  c->whole = false;
  c->asked = true;
  if (!c->ended) lws_callback_on_writable(c->wsi);
  vlb_call_end end = receive(c, seconds, &c->reply, err);
  c->asked = false;
  if (!end) *reply = vlb_message_root(c->reply);
  return end;
}
