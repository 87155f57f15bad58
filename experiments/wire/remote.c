#include "experiments/wire/remote.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/timing.h"
#include "experiments/wire/histogram.h"
#include "experiments/wire/protocol.h"

#define ROW(kind, name, ...) VLB_FIELD_ROW(vlb_remote_config, kind, name, __VA_ARGS__)
const vlb_field vlb_remote_fields[] = {VLB_REMOTE_FIELDS(ROW){0}};

/* One worker's connection. */
typedef struct {
  vlb_remote *remote;
  vlb_client *client;  /* NULL: not connected */
  vlb_packer *request;
  bool given_up;       /* the server was away for retry_seconds: from now on one try per call */
  int64_t calls, connections;
  vlb_histogram latency;
} line;

struct vlb_remote {
  vlb_address address;
  char key[512];
  const vlb_remote_config *config;
  const vlb_embodiment *robot;
  const vlb_context *ctx;
  uint64_t seed;
  bool ours; /* a server of ours takes the key of the noise */
  int rows;  /* n_action_steps */
  json_t *metadata;
  int workers;
  line lines[];
};

/* ---- a call ---- */

static void pause_for(double seconds) {
  struct timespec t = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
  nanosleep(&t, NULL);
}

static vlb_call_end attempt(line *l, const vlb_item **reply, vlb_error *err) {
  const vlb_remote *r = l->remote;
  vlb_call_end end = VLB_CALL_DONE;
  if (!l->client) {
    end = vlb_client_open(&r->address, r->key, r->config->connect_seconds, r->ctx, &l->client, err);
    if (end) return end;
    if (l->connections++) vlb_info(r->ctx->log, "ws://%s:%d: connected again", r->address.host, r->address.port);
  }
  end = vlb_client_call(l->client, l->request, r->config->reply_seconds, reply, err);
  if (end) {
    vlb_client_close(l->client);
    l->client = NULL;
  }
  return end;
}

/* A broken connection is tried again with growing pauses. The request names its place in the episode, so a server of ours gives the same answer
 * whichever try reaches it. */
static vlb_call_end call(line *l, const vlb_item **reply, vlb_error *err) {
  const vlb_remote *r = l->remote;
  double until = vlb_seconds() + (l->given_up ? 0 : r->config->retry_seconds), pause = 0.1;
  for (;;) {
    vlb_call_end end = attempt(l, reply, err);
    if (end != VLB_CALL_LOST) {
      l->given_up &= end != VLB_CALL_DONE;
      return end;
    }
    if (vlb_seconds() + pause > until) {
      l->given_up = true;
      return end;
    }
    pause_for(pause);
    pause = fmin(2 * pause, 2);
  }
}

static vlb_code infer_one(line *l, const vlb_observation *o, float *actions, vlb_error *err) {
  const vlb_remote *r = l->remote;
  const vlb_item *reply;
  double thought, began = vlb_seconds();
  vlb_wire_write_observation(l->request, o, r->seed, r->ours);
  vlb_call_end end = call(l, &reply, err);
  if (end) return err->code;
  l->calls++;
  vlb_histogram_add(&l->latency, vlb_seconds() - began);
  return vlb_wire_read_actions(reply, r->rows, r->robot->action_dim, actions, &thought, err);
}

static vlb_code infer(void *self, int n, const vlb_observation *observations, float *actions, vlb_error *err) {
  line *l = self;
  size_t chunk = (size_t)(l->remote->rows * l->remote->robot->action_dim);
  for (int i = 0; i < n; i++) VLB_TRY(infer_one(l, &observations[i], actions + (size_t)i * chunk, err));
  return VLB_OK;
}

/* ---- what the server is ---- */

static vlb_code check_width(const vlb_remote *r, const vlb_item *told, const char *key, int wanted, vlb_error *err) {
  int64_t value;
  if (!vlb_item_int(vlb_item_get(told, key), &value) || value == wanted) return VLB_OK;
  return vlb_fail(err, VLB_USAGE, "ws://%s:%d: the server's policy has %s %lld, the robot %s has %d", r->address.host, r->address.port, key,
                  (long long)value, r->robot->name, wanted);
}

static vlb_code learn(vlb_remote *r, const vlb_item *told, vlb_error *err) {
  const char *name;
  size_t size;
  int64_t steps = r->config->n_action_steps;
  r->metadata = vlb_item_json(told);
  r->ours = vlb_item_text(vlb_item_get(told, "server"), &name, &size) && size == 8 && !memcmp(name, "vlabench", 8);
  if (r->ours) VLB_TRY(check_width(r, told, "state_dim", r->robot->state_dim, err));
  if (r->ours) VLB_TRY(check_width(r, told, "action_dim", r->robot->action_dim, err));
  if (!steps && (!vlb_item_int(vlb_item_get(told, "n_action_steps"), &steps) || steps < 1 || steps > 1024))
    return vlb_fail(err, VLB_USAGE, "ws://%s:%d: the server does not say how many actions of a chunk to execute; --set remote.n_action_steps=N does",
                    r->address.host, r->address.port);
  r->rows = (int)steps;
  return VLB_OK;
}

/* The first worker keeps this connection. */
static vlb_code first_contact(vlb_remote *r, vlb_error *err) {
  line *l = &r->lines[0];
  if (vlb_client_open(&r->address, r->key, r->config->connect_seconds, r->ctx, &l->client, err)) return err->code;
  l->connections = 1;
  return learn(r, vlb_client_metadata(l->client), err);
}

vlb_code vlb_remote_open(const char *url, const char *key, const vlb_remote_config *config, const vlb_embodiment *robot, uint64_t seed, int workers,
                         const vlb_context *ctx, vlb_remote **remote, vlb_error *err) {
  *remote = NULL;
  vlb_remote *r = calloc(1, sizeof *r + (size_t)workers * sizeof r->lines[0]);
  if (!r) return vlb_fail(err, VLB_FAILED, "out of memory");
  r->config = config;
  r->robot = robot;
  r->ctx = ctx;
  r->seed = seed;
  r->workers = workers;
  snprintf(r->key, sizeof r->key, "%s", key ? key : "");
  vlb_code code = vlb_address_parse(url, &r->address, err);
  for (int i = 0; i < workers && !code; i++) {
    r->lines[i].remote = r;
    r->lines[i].request = vlb_packer_open(0);
    if (!r->lines[i].request) code = vlb_fail(err, VLB_FAILED, "out of memory");
  }
  if (!code) code = first_contact(r, err);
  if (code)
    vlb_remote_free(r);
  else
    *remote = r;
  return code;
}

void vlb_remote_free(vlb_remote *r) {
  if (!r) return;
  for (int i = 0; i < r->workers; i++) {
    vlb_client_close(r->lines[i].client);
    vlb_packer_free(r->lines[i].request);
  }
  json_decref(r->metadata);
  free(r);
}

vlb_policy_callback vlb_remote_policy(vlb_remote *r, int worker) {
  return (vlb_policy_callback){.self = &r->lines[worker], .batch = 1, .chunk = r->rows, .n_action_steps = r->rows, .infer = infer};
}

const json_t *vlb_remote_metadata(const vlb_remote *r) { return r->metadata; }

vlb_remote_figures vlb_remote_measured(const vlb_remote *r) {
  vlb_remote_figures f = {0};
  vlb_histogram all = {0};
  for (int i = 0; i < r->workers; i++) {
    f.calls += r->lines[i].calls;
    f.reconnections += r->lines[i].connections > 1 ? r->lines[i].connections - 1 : 0;
    vlb_histogram_merge(&all, &r->lines[i].latency);
  }
  f.mean_ms = 1e3 * vlb_histogram_mean(&all);
  f.p50_ms = 1e3 * vlb_histogram_quantile(&all, 0.5);
  f.p95_ms = 1e3 * vlb_histogram_quantile(&all, 0.95);
  f.max_ms = 1e3 * all.worst;
  return f;
}
