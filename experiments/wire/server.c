#include "experiments/wire/server.h"

#include <libwebsockets.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/timing.h"
#include "experiments/wire/server_clients.h"

#define ROW(kind, name, ...) VLB_FIELD_ROW(vlb_serve_config, kind, name, __VA_ARGS__)
const vlb_field vlb_serve_fields[] = {VLB_SERVE_FIELDS(ROW){0}};

enum { READ_CHUNK = 1 << 16, TICK_US = 100000, SPARE_SOCKETS = 16, HANDSHAKE_SECONDS = 10 };

/* WebSocket's close codes (RFC 6455, 7.4.1; 1013 is registered with IANA) */
enum { GOING_AWAY = 1001, NOT_TAKEN = 1003, POLICY_VIOLATION = 1008, TOO_BIG = 1009, SERVER_ERROR = 1011, TRY_LATER = 1013 };

/* Who answers nothing for ten minutes, not even a ping, is gone. Long, as a client may be busy with its simulator. */
static const lws_retry_bo_t keep_alive = {.secs_since_valid_ping = 120, .secs_since_valid_hangup = 600};

typedef struct client {
  struct client *next, **link;
  vlb_server *server;
  struct lws *wsi;
  vlb_client_record *record;
  int number;
  vlb_job *incoming;  /* message being received; NULL: none */
  bool whole;         /* incoming is complete and waits for `job` */
  double began;       /* of incoming */
  vlb_job *job;       /* request in work, until its reply is sent */
  bool held;          /* job waits for its turn by the rate */
  lws_sorted_usec_list_t timer;
  vlb_bucket bucket;
  uint32_t requests;
  vlb_packer *out;    /* to be sent: the metadata, once; replies lie in their job */
  bool reply_ready, sending;
  double send_began, previous_ms;
  int close_code;     /* 0: stays */
  char reason[1024];  /* text of the last frame; "": none is sent */
} client;

/* What libwebsockets keeps per connection. */
typedef struct {
  client *client;
} session;

struct vlb_server {
  const vlb_server_config *config;
  const vlb_context *ctx;
  struct lws_context *lws;
  struct lws_vhost *vhost;
  vlb_jobs *jobs;
  vlb_client_records records;
  client *clients;
  int count;          /* connected */
  size_t held;        /* bytes of messages */
  char key_hash[VLB_HASH_SIZE];
  lws_sorted_usec_list_t timer;
  bool stopping;
  double stop_at;
};

/* ---- telling ---- */

static void event(vlb_server *s, const char *name, const client *c, const char *text) {
  if (!s->config->json) {
    if (c)
      vlb_info(s->ctx->log, "client %d (%s) %s%s%s", c->number, c->record->peer, name, *text ? ": " : "", text);
    else
      vlb_info(s->ctx->log, "%s%s%s", name, *text ? ": " : "", text);
    return;
  }
  json_t *o = json_pack("{s:s}", "event", name);
  if (c) json_object_set_new(o, "client", json_integer(c->number)), json_object_set_new(o, "peer", json_string(c->record->peer));
  if (*text) json_object_set_new(o, "text", json_string(text));
  char *line = json_dumps(o, JSON_COMPACT);
  if (line) fprintf(stderr, "%s\n", line);
  free(line);
  json_decref(o);
}

/* ---- memory of messages ---- */

static void drop_job(vlb_server *s, vlb_job *job) {
  if (!job) return;
  s->held -= job->capacity;
  vlb_job_free(job);
}

static vlb_job *new_job(client *c) {
  vlb_job *job = calloc(1, sizeof *job);
  if (job) job->reply = vlb_packer_open(LWS_PRE);
  if (job && job->reply) {
    job->owner = c;
    return job;
  }
  vlb_job_free(job);
  return NULL;
}

/* Asks for the connection to be closed once what is on its way is sent. */
static void dismiss(client *c, int code, const char *reason) {
  if (c->close_code) return;
  c->close_code = code;
  snprintf(c->reason, sizeof c->reason, "%s", reason);
  for (char *p = c->reason; *p; p++) /* it may quote the client; text frames are UTF-8 */
    if ((unsigned char)*p < ' ' || (unsigned char)*p > '~') *p = '?';
  if (code != GOING_AWAY) {
    c->record->errors++;
    event(c->server, "dismissed", c, c->reason);
  }
  lws_callback_on_writable(c->wsi);
}

/* 0, or the code to close with */
static int append(client *c, const void *bytes, size_t size) {
  vlb_server *s = c->server;
  vlb_job *job = c->incoming;
  const size_t most = (size_t)(s->config->limits.max_message_mb * 1e6), all = (size_t)(s->config->limits.max_memory_mb * 1e6);
  if (size > most - job->size) return TOO_BIG;
  if (job->size + size > job->capacity) {
    size_t room = job->capacity ? job->capacity : 4096;
    while (room < job->size + size) room *= 2;
    if (room > most) room = most;
    if (s->held - job->capacity + room > all) return TRY_LATER;
    uint8_t *grown = realloc(job->bytes, room);
    if (!grown) return TRY_LATER;
    s->held += room - job->capacity;
    job->bytes = grown;
    job->capacity = room;
  }
  if (size) memcpy(job->bytes + job->size, bytes, size); /* an empty frame has no bytes at all */
  job->size += size;
  return 0;
}

/* ---- requests ---- */

static void submit(client *c) {
  c->held = false;
  c->job->arrived = vlb_seconds();
  vlb_jobs_submit(c->server->jobs, c->job);
}

static void turn_has_come(lws_sorted_usec_list_t *timer) { submit(lws_container_of(timer, client, timer)); }

/* The complete message becomes a request; over its rate, a client waits. */
static void begin_job(client *c) {
  c->job = c->incoming;
  c->incoming = NULL;
  c->whole = false;
  c->record->requests++;
  c->job->previous_ms = c->previous_ms;
  c->job->key = (vlb_noise_key){.seed = c->server->config->seed, .replan = c->requests++};
  double wait = vlb_bucket_take(&c->bucket, vlb_seconds());
  if (wait <= 0) {
    submit(c);
    return;
  }
  c->held = true;
  lws_sul_schedule(c->server->lws, 0, &c->timer, turn_has_come, (lws_usec_t)(wait * 1e6) + 1);
}

static void received(client *c, const void *bytes, size_t size) {
  static const char big[] = "message larger than max_message_mb", full[] = "the server holds max_memory_mb of messages; try again later";
  if (c->close_code || c->server->stopping) return;
  if (!lws_frame_is_binary(c->wsi)) {
    dismiss(c, NOT_TAKEN, "a request is a binary frame with a MessagePack map");
    return;
  }
  if (c->whole) {
    dismiss(c, POLICY_VIOLATION, "more than two requests on their way");
    return;
  }
  if (!c->incoming) {
    c->incoming = new_job(c);
    c->began = vlb_seconds();
  }
  int code = c->incoming ? append(c, bytes, size) : TRY_LATER;
  if (code) {
    dismiss(c, code, code == TOO_BIG ? big : full);
    return;
  }
  if (lws_remaining_packet_payload(c->wsi) || !lws_is_final_fragment(c->wsi)) return;
  if (!c->job) {
    begin_job(c);
    return;
  }
  /* one request may wait behind the one in work; then the socket does, and pings with it */
  c->whole = true;
  lws_rx_flow_control(c->wsi, 0);
}

/* ---- replies ---- */

/* The reply has left: figures, and the next request. */
static void sent(client *c) {
  vlb_server *s = c->server;
  vlb_job *job = c->job;
  c->sending = false;
  if (c->out) {
    vlb_packer_free(c->out);
    c->out = NULL;
    return;
  }
  double now = vlb_seconds();
  vlb_histogram_add(&c->record->total, now - job->arrived);
  vlb_histogram_add(&c->record->waiting, job->begun - job->arrived);
  vlb_histogram_add(&c->record->thinking, job->done - job->begun);
  c->previous_ms = 1e3 * (now - job->arrived);
  c->reply_ready = false;
  c->job = NULL;
  drop_job(s, job);
  if (s->stopping) {
    dismiss(c, GOING_AWAY, "");
  } else if (c->whole) {
    begin_job(c);
    lws_rx_flow_control(c->wsi, 1);
  }
}

static int send_frame(client *c, vlb_packer *p) {
  size_t size = vlb_packer_size(p);
  c->sending = true;
  c->send_began = vlb_seconds();
  if (lws_write(c->wsi, vlb_packer_data(p), size, LWS_WRITE_BINARY) < (int)size) return -1;
  lws_callback_on_writable(c->wsi); /* called again when all of it is gone */
  return 0;
}

/* openpi's server sends the text of an error before it closes, and openpi's client shows it */
static int say_goodbye(client *c) {
  unsigned char frame[LWS_PRE + sizeof c->reason];
  size_t size = strlen(c->reason);
  memcpy(frame + LWS_PRE, c->reason, size);
  if (size && lws_write(c->wsi, frame + LWS_PRE, size, LWS_WRITE_TEXT) < (int)size) return -1;
  if (size > 120) size = 120; /* of a close frame */
  lws_close_reason(c->wsi, (enum lws_close_status)c->close_code, frame + LWS_PRE, size);
  return -1;
}

static int writable(client *c) {
  if (c->sending) sent(c);
  if (c->out) return send_frame(c, c->out);
  if (c->reply_ready) return send_frame(c, c->job->reply);
  return c->close_code ? say_goodbye(c) : 0;
}

static void collect(vlb_server *s) {
  for (vlb_job *job; (job = vlb_jobs_collect(s->jobs));) {
    client *c = job->owner;
    if (!c) {
      drop_job(s, job);
    } else if (job->error.code) {
      c->job = NULL;
      dismiss(c, job->error.code == VLB_USAGE ? POLICY_VIOLATION : SERVER_ERROR, job->error.message);
      drop_job(s, job);
    } else {
      c->reply_ready = true;
      lws_callback_on_writable(c->wsi);
    }
  }
}

/* ---- connections ---- */

static bool key_fits(const vlb_server *s, struct lws *wsi) {
  char header[512], hash[VLB_HASH_SIZE];
  if (!s->config->key) return true;
  int n = lws_hdr_copy(wsi, header, sizeof header, WSI_TOKEN_HTTP_AUTHORIZATION);
  if (n < 8 || strncmp(header, "Api-Key ", 8)) return false;
  /* digests are compared, in constant time: neither length nor content of the key shows in how long it takes */
  vlb_hash(header + 8, strlen(header + 8), hash);
  return !CRYPTO_memcmp(hash, s->key_hash, VLB_HASH_SIZE - 1);
}

/* A whole HTTP answer, after which the connection ends. (lws_return_http_status would say HTTP/1.0 here, which Python's websockets do not read.) */
static int refuse(vlb_server *s, struct lws *wsi, const char *status, const char *why) {
  unsigned char buf[LWS_PRE + 512];
  int n = snprintf((char *)buf + LWS_PRE, sizeof buf - LWS_PRE, "HTTP/1.1 %s\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: %zu\r\n\r\n%s\n",
                   status, strlen(why) + 1, why);
  event(s, "refused", NULL, why);
  lws_write(wsi, buf + LWS_PRE, (size_t)n, LWS_WRITE_HTTP_HEADERS);
  return -1;
}

/* nonzero: the handshake is refused */
static int handshake(vlb_server *s, struct lws *wsi) {
  if (!key_fits(s, wsi)) return refuse(s, wsi, "401 Unauthorized", "a client without the right key");
  if (s->stopping) return refuse(s, wsi, "503 Service Unavailable", "a client while the server stops");
  if (s->count >= s->config->limits.max_clients) return refuse(s, wsi, "503 Service Unavailable", "a client above max_clients");
  return 0;
}

static int connected(vlb_server *s, struct lws *wsi, session *own) {
  char peer[48] = "";
  client *c = calloc(1, sizeof *c);
  if (!c) return -1;
  lws_get_peer_simple(wsi, peer, sizeof peer);
  *c = (client){.server = s, .wsi = wsi, .previous_ms = -1, .next = s->clients, .link = &s->clients};
  c->record = vlb_records_add(&s->records, peer);
  c->number = s->records.clients;
  c->bucket = vlb_bucket_make(s->config->limits.rate, vlb_seconds());
  c->out = vlb_packer_open(LWS_PRE);
  if (c->out) vlb_pack_json(c->out, s->config->metadata);
  if (s->clients) s->clients->link = &c->next;
  s->clients = own->client = c;
  s->count++;
  event(s, "connected", c, "");
  if (!c->out || !vlb_packer_ok(c->out)) return -1;
  lws_callback_on_writable(wsi);
  return 0;
}

static void disconnected(vlb_server *s, session *own) {
  client *c = own->client;
  if (!c) return;
  own->client = NULL;
  lws_sul_schedule(s->lws, 0, &c->timer, NULL, LWS_SET_TIMER_USEC_CANCEL);
  if (c->job && (c->held || c->reply_ready || vlb_jobs_withdraw(s->jobs, c->job)))
    drop_job(s, c->job);
  else if (c->job)
    c->job->owner = NULL; /* a worker has it */
  drop_job(s, c->incoming);
  vlb_packer_free(c->out);
  *c->link = c->next;
  if (c->next) c->next->link = c->link;
  s->count--;
  char text[64];
  snprintf(text, sizeof text, "%lld requests, %lld errors", (long long)c->record->requests, (long long)c->record->errors);
  event(s, "disconnected", c, text);
  free(c);
}

/* GET /healthz, as openpi's server has it; anything else is for WebSockets */
static int answer_http(vlb_server *s, struct lws *wsi, const char *path) {
  static const char ok[] = "OK\n";
  unsigned char buf[LWS_PRE + 512], *start = buf + LWS_PRE, *p = start, *end = buf + sizeof buf - 1;
  if (strcmp(path, "/healthz")) return refuse(s, wsi, "426 Upgrade Required", "a plain request: this is a policy server for WebSocket clients");
  if (lws_add_http_common_headers(wsi, HTTP_STATUS_OK, "text/plain", sizeof ok - 1, &p, end) ||
      lws_finalize_write_http_header(wsi, start, &p, end))
    return -1;
  memcpy(start, ok, sizeof ok - 1);
  if (lws_write(wsi, start, sizeof ok - 1, LWS_WRITE_HTTP_FINAL) < (int)sizeof ok - 1) return -1;
  return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size) {
  session *own = user;
  vlb_server *s = lws_context_user(lws_get_context(wsi));
  switch (reason) {
    case LWS_CALLBACK_HTTP: return answer_http(s, wsi, in);
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION: return s->stopping;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return handshake(s, wsi);
    case LWS_CALLBACK_ESTABLISHED: return connected(s, wsi, own);
    case LWS_CALLBACK_RECEIVE:
      if (own->client) received(own->client, in, size);
      return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE: return own->client ? writable(own->client) : 0;
    case LWS_CALLBACK_CLOSED: disconnected(s, own); return 0;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
      if (s && s->jobs) collect(s);
      return 0;
    default: return 0;
  }
}

static const struct lws_protocols protocols[] = {{.name = "vlabench", .callback = on_event, .per_session_data_size = sizeof(session), .rx_buffer_size = READ_CHUNK},
                                                 {.name = NULL}};

/* ---- time ---- */

static void begin_stop(vlb_server *s) {
  s->stopping = true;
  s->stop_at = vlb_seconds() + s->config->limits.grace_seconds;
  event(s, "stopping", NULL, "running requests end, connections close");
  for (client *c = s->clients; c; c = c->next) {
    bool unbegun = c->job && (c->held || vlb_jobs_withdraw(s->jobs, c->job));
    if (unbegun) {
      lws_sul_schedule(s->lws, 0, &c->timer, NULL, LWS_SET_TIMER_USEC_CANCEL);
      drop_job(s, c->job);
      c->job = NULL;
    }
    if (!c->job) dismiss(c, GOING_AWAY, "");
  }
}

/* Who neither finishes a message nor takes its reply loses the connection: it holds memory and a place. */
static void check_deadlines(vlb_server *s, double now) {
  const vlb_serve_config *l = &s->config->limits;
  for (client *c = s->clients, *next; c; c = next) {
    next = c->next;
    if (c->incoming && !c->whole && now - c->began > l->message_seconds) dismiss(c, POLICY_VIOLATION, "the message was not complete within message_seconds");
    if (c->sending && now - c->send_began > l->send_seconds) {
      event(s, "dismissed", c, "it did not take the reply within send_seconds");
      c->record->errors++;
      c->send_began = now + 1e9; /* said once */
      lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
  }
}

static void tick(lws_sorted_usec_list_t *timer) {
  vlb_server *s = lws_container_of(timer, vlb_server, timer);
  if (!s->stopping && s->ctx->stop && *s->ctx->stop) begin_stop(s);
  check_deadlines(s, vlb_seconds());
  lws_sul_schedule(s->lws, 0, &s->timer, tick, TICK_US);
}

/* ---- the whole ---- */

static void wake(void *self) { lws_cancel_service(((vlb_server *)self)->lws); }

static vlb_code listen_on(vlb_server *s, vlb_error *err) {
  const vlb_server_config *c = s->config;
  const bool everywhere = !strcmp(c->host, "0.0.0.0") || !strcmp(c->host, "::");
  struct lws_context_creation_info info = {
      .port = c->port, .iface = everywhere ? NULL : c->host, .protocols = protocols, .user = s,
      .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | (strchr(c->host, ':') ? 0 : LWS_SERVER_OPTION_DISABLE_IPV6),
      .fd_limit_per_thread = (unsigned)(c->limits.max_clients + SPARE_SOCKETS), .pt_serv_buf_size = READ_CHUNK, .timeout_secs = HANDSHAKE_SECONDS,
      .max_http_header_pool = 64, .keepalive_timeout = HANDSHAKE_SECONDS, .retry_and_idle_policy = &keep_alive};
  lws_set_log_level(0, NULL);
  s->lws = lws_create_context(&info);
  if (!s->lws) return vlb_fail(err, VLB_FAILED, "libwebsockets does not start (out of memory or of files)");
  s->vhost = lws_create_vhost(s->lws, &info);
  if (!s->vhost) return vlb_fail(err, VLB_FAILED, "cannot listen on %s, port %d: in use, or no address of this machine; --port 0 takes a free one", c->host, c->port);
  lws_sul_schedule(s->lws, 0, &s->timer, tick, TICK_US);
  return VLB_OK;
}

vlb_code vlb_server_open(const vlb_server_config *config, const vlb_wire_policy *policies, int workers, const vlb_context *ctx, vlb_server **server,
                         vlb_error *err) {
  *server = NULL;
  vlb_server *s = calloc(1, sizeof *s);
  if (!s || !vlb_records_open(&s->records)) {
    free(s);
    return vlb_fail(err, VLB_FAILED, "out of memory");
  }
  s->config = config;
  s->ctx = ctx;
  if (config->key) vlb_hash(config->key, strlen(config->key), s->key_hash);
  vlb_code code = listen_on(s, err);
  if (!code) code = vlb_jobs_open(&config->shape, policies, workers, wake, s, &s->jobs, err);
  if (code)
    vlb_server_free(s);
  else
    *server = s;
  return code;
}

int vlb_server_port(const vlb_server *s) { return lws_get_vhost_listen_port(s->vhost); }

vlb_code vlb_server_run(vlb_server *s, vlb_error *err) {
  while (!s->stopping || (s->count && vlb_seconds() < s->stop_at))
    if (lws_service(s->lws, 0) < 0) return vlb_fail(err, VLB_FAILED, "the network loop failed");
  return VLB_OK;
}

void vlb_server_report(const vlb_server *s, bool json, FILE *out) { vlb_records_print(&s->records, json, out); }

void vlb_server_free(vlb_server *s) {
  if (!s) return;
  vlb_jobs_stop(s->jobs); /* workers wake the loop, so they go first */
  if (s->lws) lws_context_destroy(s->lws);
  vlb_jobs_close(s->jobs);
  vlb_records_close(&s->records);
  free(s);
}
