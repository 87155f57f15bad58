/* vlabench serve: a trained policy on a WebSocket, as openpi's clients expect it. */
#include <jansson.h>
#include <string.h>

#include "core/base/file.h"
#include "experiments/cli/commands.h"
#include "experiments/plan/ablation.h"
#include "experiments/plan/model_folder.h"
#include "experiments/wire/key.h"
#include "experiments/wire/model_policy.h"
#include "experiments/wire/server.h"
#include "sim/rollout/suites.h"

/* What is served. */
typedef struct {
  const char *folder;
  vlb_model_config config;
  const vlb_embodiment *robot; /* NULL: a checkpoint, and nobody said */
  vlb_policy_source source;
  char weights[VLB_HASH_SIZE];
} model;

/* The robot of --robot, else that of the suite which the folder was trained for. */
static vlb_code find_robot(const vlb_args *args, model *m, vlb_error *err) {
  const char *name = vlb_arg_text(args, "robot", NULL);
  char path[1024];
  vlb_settings s;
  if (name) return vlb_embodiment_find(name, &m->robot, err);
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/settings.toml", m->folder));
  if (vlb_model_folder_is_checkpoint(m->folder)) return VLB_OK;
  if (!vlb_file_exists(path)) return vlb_fail(err, VLB_USAGE, "%s does not say for which robot it was trained; --robot NAME does", m->folder);
  VLB_TRY(vlb_settings_read(path, NULL, false, &s, err));
  s.eval.suite.s[strcspn(s.eval.suite.s, ",")] = 0; /* several suites are of one robot */
  if (!vlb_suite_robot(s.eval.suite.s, &m->robot, err)) return VLB_OK;
  vlb_fail_at(err, "%s, eval.suite", path);
  return vlb_fail_at(err, "--robot NAME is needed");
}

/* Only what does not change a tensor makes sense here, as in eval. */
static vlb_code read_config(const vlb_args *args, model *m, vlb_serve_config *limits, vlb_error *err) {
  VLB_TRY(vlb_model_folder_config(m->folder, &m->config, err));
  vlb_fields_default(vlb_serve_fields, limits);
  const char *assignment;
  for (int i = 0; (assignment = vlb_arg_each(args, "set", i)); i++) {
    const char *equals = strchr(assignment, '='), *dot = strchr(assignment, '.');
    char key[64];
    if (!equals || equals - assignment >= (long)sizeof key) return vlb_fail(err, VLB_USAGE, "--set %s: not of the form KEY=VALUE", assignment);
    bool of_model = dot && dot < equals && !strncmp(assignment, "model.", 6);
    const char *from = of_model ? dot + 1 : assignment;
    snprintf(key, sizeof key, "%.*s", (int)(equals - from), from);
    if (vlb_fields_set(of_model ? vlb_model_fields : vlb_serve_fields, of_model ? (void *)&m->config : limits, key, equals + 1, err))
      return vlb_fail_at(err, "--set %s", assignment);
  }
  vlb_model_shape shape;
  return vlb_model_shape_of(&m->config, &shape, err);
}

static vlb_code load(const vlb_args *args, model *m, const vlb_context *ctx, vlb_error *err) {
  char path[1024];
  VLB_TRY(find_robot(args, m, err));
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/model.safetensors", m->folder));
  VLB_TRY(vlb_model_folder_load(m->folder, &m->config, NULL, m->robot, ctx->log, &m->source.trained, err));
  m->source.embodiment = m->robot;
  if (m->robot) VLB_TRY(vlb_policy_source_check(&m->source, err));
  return vlb_file_exists(path) ? vlb_hash_file(path, m->weights, err) : VLB_OK; /* weights in several files are named by the folder alone */
}

/* The address of the server is said once it can be reached: whoever started it waits for that line. */
static void announce(const vlb_server *s, const vlb_server_config *c, const model *m, const vlb_context *ctx) {
  const char *robot = m->robot ? m->robot->name : "";
  int port = vlb_server_port(s);
  if (c->json) {
    json_t *o = json_pack("{s:s,s:s,s:i,s:s,s:i,s:O}", "event", "serving", "host", c->host, "port", port, "robot", robot, "threads", ctx->threads, "metadata", c->metadata);
    json_dumpf(o, stderr, JSON_COMPACT);
    fputc('\n', stderr);
    json_decref(o);
    return;
  }
  fprintf(stderr, "serving %s on ws://%s:%d (%d thinking threads%s)\n", m->folder, c->host, port, ctx->threads, c->key ? ", with a key" : "");
  if (strcmp(c->host, "127.0.0.1") && strcmp(c->host, "::1") && !c->key)
    vlb_warn(ctx->log, "anyone who reaches %s may use the policy: there is no key (--key-file)", c->host);
}

static vlb_code serve(const vlb_args *args, const model *m, vlb_server_config *c, const vlb_context *ctx, vlb_error *err) {
  vlb_model_policies *policies = NULL;
  vlb_server *server = NULL;
  c->shape = vlb_wire_shape_of(&m->source.trained);
  json_t *metadata = vlb_wire_describe(&m->source.trained, m->robot, m->folder, m->weights);
  c->metadata = metadata;
  /* as in eval: a small policy thinks once per thread, a large one has all the threads and one copy of its packed weights */
  const bool large = vlb_model_folder_is_checkpoint(m->folder);
  const vlb_inference_options all = {.threads = ctx->threads};
  const int workers = large ? 1 : ctx->threads;
  vlb_code code = vlb_model_policies_create(&m->source.trained, workers, (int)c->limits.batch, large ? &all : NULL, &policies, err);
  if (!code) code = vlb_server_open(c, vlb_model_policies_all(policies), workers, ctx, &server, err);
  if (!code) {
    announce(server, c, m, ctx);
    code = vlb_server_run(server, err);
    vlb_server_report(server, vlb_arg_on(args, "json"), stdout);
  }
  vlb_server_free(server);
  vlb_model_policies_free(policies);
  json_decref(metadata);
  return code;
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  model m = {.folder = vlb_arg_at(args, 0)};
  char key[VLB_KEY_SIZE];
  int64_t port = 8000, seed = 90000;
  vlb_server_config c = {.host = vlb_arg_text(args, "host", "127.0.0.1"), .json = vlb_arg_on(args, "json")};
  VLB_TRY(vlb_arg_int(args, "port", 0, 65535, &port, err));
  VLB_TRY(vlb_arg_int(args, "seed", 0, 9000000000000000, &seed, err));
  VLB_TRY(vlb_key_read(vlb_arg_text(args, "key-file", NULL), key, err));
  VLB_TRY(read_config(args, &m, &c.limits, err));
  c.port = (int)port;
  c.seed = (uint64_t)seed;
  c.key = *key ? key : NULL;
  vlb_code code = load(args, &m, ctx, err);
  if (!code) code = serve(args, &m, &c, ctx, err);
  vlb_pretrained_free(&m.source.trained);
  return code;
}

static void more_help(FILE *out) {
  fputs("\nA request is a MessagePack map: observation/image, observation/wrist_image, observation/state, prompt, or LeRobot's names; the reply holds\n"
        "\"actions\" (experiments/wire/README.md). SIGINT or SIGTERM: running requests end, connections close, latencies per client are printed; exit 0.\n"
        "\nKeys for --set KEY=VALUE; of the model, --set model.num_steps=N can be set too\n",
        out);
  vlb_fields_help(vlb_serve_fields, out);
}

static const vlb_option options[] = {{0, "host", "ADDRESS", "where to listen (default 127.0.0.1: this machine only)"},
                                     {0, "port", "N", "port (default 8000); 0: a free one, which is printed"},
                                     {0, "key-file", "FILE", "file with a key that clients must send (Authorization: Api-Key KEY)"},
                                     {0, "robot", "NAME", "robot whose observations come (default: that of the training)"},
                                     {0, "seed", "N", "seed of the noise for clients that send none (default 90000)"},
                                     {0, "set", "KEY=V", "change one limit; may be repeated"},
                                     {0, "json", NULL, "events as JSON lines on stderr, latencies as JSON on stdout"},
                                     {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_serve = {
    "serve", "a trained policy on a WebSocket, for openpi's clients and for drive and eval", "FOLDER",
    "  vlabench serve model                                   on ws://127.0.0.1:8000, for programs on this machine\n"
    "  vlabench serve smolvla_libero --port 9000              a checkpoint directory of LeRobot\n"
    "  vlabench serve model --host 0.0.0.0 --key-file key     for others too, who must send the key\n"
    "  vlabench serve model --set rate=10 --set batch=8       limits\n"
    "  vlabench serve model --json 2>events.jsonl             a line per event; latencies per client at the end\n",
    options, 1, 1, run, more_help};
