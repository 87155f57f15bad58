#include "serving.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static vlb_code infer(void *self, int n, const vlb_wire_observation *o, float *actions, vlb_error *err) {
  const serving *s = self;
  const vlb_wire_shape *shape = &s->config.shape;
  for (int i = 0; i < n; i++) {
    if (!strcmp(o[i].prompt, "fail")) return vlb_fail(err, VLB_FAILED, "the policy was told to fail");
    if (!strcmp(o[i].prompt, "bad")) return vlb_fail(err, VLB_USAGE, "the instruction is bad");
    if (!strcmp(o[i].prompt, "sleep")) usleep(500000);
    for (int t = 0; t < shape->chunk; t++)
      for (int k = 0; k < shape->action_dim; k++)
        actions[(i * shape->chunk + t) * shape->action_dim + k] = (float)o[i].key.replan + 1000 * (float)o[i].key.task + (float)t / 8 + o[i].state[k];
  }
  if (s->pause > 0) usleep((useconds_t)(s->pause * 1e6));
  return VLB_OK;
}

void serving_prepare(serving *s) {
  memset(s, 0, sizeof *s);
  s->config = (vlb_server_config){.host = "127.0.0.1", .seed = 5, .shape = {.cameras = 1, .camera = {"top"}, .state_dim = 8, .chunk = 5, .action_dim = 7}};
  vlb_fields_default(vlb_serve_fields, &s->config.limits);
  s->config.limits.grace_seconds = 5;
  s->workers = 1;
  s->metadata = json_pack("{s:s,s:i,s:i,s:i}", "server", "vlabench", "n_action_steps", 5, "state_dim", 8, "action_dim", 7);
  s->config.metadata = s->metadata;
  s->ctx = (vlb_context){vlb_log_open(stderr, true), 1, &s->stop};
}

/* The flag is set as in the program: by a signal that the server's thread takes. */
static serving *current;
static void take_stop(int signal_number) {
  (void)signal_number;
  current->stop = 1;
}

static void *run(void *self) {
  serving *s = self;
  vlb_error err = {VLB_OK, ""};
  if (vlb_server_run(s->server, &err)) fprintf(stderr, "server: %s\n", err.message);
  return NULL;
}

void serving_start(serving *s) {
  vlb_error err = {VLB_OK, ""};
  for (int i = 0; i < s->workers; i++) s->policies[i] = (vlb_wire_policy){s, (int)s->config.limits.batch, infer};
  if (vlb_server_open(&s->config, s->policies, s->workers, &s->ctx, &s->server, &err)) fail_msg("%s", err.message);
  current = s;
  struct sigaction action = {.sa_handler = take_stop, .sa_flags = (int)SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
  s->running = true;
}

int serving_port(const serving *s) { return vlb_server_port(s->server); }

void serving_ask_stop(serving *s) { pthread_kill(s->thread, SIGUSR1); }

void serving_stop(serving *s) {
  if (s->running) serving_ask_stop(s), pthread_join(s->thread, NULL);
  s->running = false;
  vlb_server_free(s->server);
  vlb_log_close(s->ctx.log);
  json_decref(s->metadata);
}

vlb_packer *serving_request(const char *prompt, int side) {
  const int64_t width = 8;
  const float state[8] = {0.5F};
  uint8_t *picture = calloc((size_t)(side * side), 3);
  vlb_packer *p = vlb_packer_open(0);
  assert_true(p && picture);
  vlb_pack_map(p, 3);
  vlb_pack_text(p, "observation/image");
  vlb_pack_pixels(p, side, side, picture);
  vlb_pack_text(p, "observation/state");
  vlb_pack_floats(p, 1, &width, state);
  vlb_pack_text(p, "prompt");
  vlb_pack_text(p, prompt);
  free(picture);
  return p;
}

float serving_first(const void *bytes, size_t size) {
  vlb_message *m;
  vlb_error err = {VLB_OK, ""};
  float actions[35];
  double ms;
  if (vlb_message_open(bytes, size, &m, &err)) fail_msg("%s", err.message);
  if (vlb_wire_read_actions(vlb_message_root(m), 5, 7, actions, &ms, &err)) fail_msg("%s", err.message);
  vlb_message_free(m);
  assert_true(actions[7] - actions[0] == 0.125F);
  return actions[0] - 0.5F;
}
