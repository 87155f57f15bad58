/* A policy behind a server, as the simulator calls it: the same actions, errors in words, servers that die and come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/timing.h"
#include "experiments/wire/remote.h"
#include "serving.h"

static serving s;
static vlb_remote_config config;
static const vlb_embodiment robot = {.name = "r", .state_dim = 8, .action_dim = 7, .cameras = 1, .camera = {"top"}};
static uint8_t picture[16 * 16 * 3];
static volatile sig_atomic_t stop_client;
static vlb_context ctx;

static int prepare(void **state) {
  (void)state;
  stop_client = 0;
  serving_prepare(&s);
  vlb_fields_default(vlb_remote_fields, &config);
  config.retry_seconds = 5;
  config.connect_seconds = 5;
  ctx = (vlb_context){vlb_log_open(stderr, true), 2, &stop_client};
  return 0;
}

static int finish(void **state) {
  (void)state;
  serving_stop(&s);
  vlb_log_close(ctx.log);
  return 0;
}

static const char *url(void) {
  static char text[64];
  snprintf(text, sizeof text, "ws://127.0.0.1:%d", serving_port(&s));
  return text;
}

static vlb_remote *reach(int workers) {
  vlb_remote *r;
  vlb_error err = {VLB_OK, ""};
  if (vlb_remote_open(url(), NULL, &config, &robot, 11, workers, &ctx, &r, &err)) fail_msg("%s", err.message);
  return r;
}

static vlb_code ask(vlb_remote *r, int worker, const char *prompt, int task, int replan, float *actions, vlb_error *err) {
  vlb_policy_callback p = vlb_remote_policy(r, worker);
  vlb_observation o = {.embodiment = &robot, .image = {picture}, .size = 16, .state = {2}, .instruction = prompt, .task = task, .replan = replan};
  *err = (vlb_error){VLB_OK, ""};
  return p.infer(p.self, 1, &o, actions, err);
}

static void acts_as_the_server_says(void **state) {
  (void)state;
  float actions[35];
  vlb_error err;
  s.workers = 2;
  serving_start(&s);
  vlb_remote *r = reach(2);
  vlb_policy_callback p = vlb_remote_policy(r, 0);
  assert_true(p.chunk == 5 && p.n_action_steps == 5 && p.batch == 1);
  for (int worker = 0; worker < 2; worker++) {
    assert_int_equal(ask(r, worker, "go", 3, 4, actions, &err), VLB_OK);
    assert_true(actions[0] == 3006 && actions[34] == 3004.5F); /* the noise is keyed by the place in the episode, not by the connection */
  }
  vlb_remote_figures f = vlb_remote_measured(r);
  assert_true(f.calls == 2 && f.reconnections == 0 && f.mean_ms > 0 && f.max_ms >= f.p50_ms);
  assert_string_equal(json_string_value(json_object_get(vlb_remote_metadata(r), "server")), "vlabench");
  vlb_remote_free(r);
}

static void an_error_is_no_reason_to_try_again(void **state) {
  (void)state;
  float actions[35];
  vlb_error err;
  serving_start(&s);
  vlb_remote *r = reach(1);
  double began = vlb_seconds();
  assert_int_equal(ask(r, 0, "fail", 0, 0, actions, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "the server says: the policy was told to fail"));
  assert_true(vlb_seconds() - began < 2);
  assert_int_equal(ask(r, 0, "go", 0, 1, actions, &err), VLB_OK); /* on a new connection */
  assert_true(actions[7] == 3.125F);
  assert_int_equal(vlb_remote_measured(r).reconnections, 1);
  vlb_remote_free(r);
}

/* starts the server again at the port that it had, a little later */
static void *come_back(void *self) {
  int port = *(int *)self;
  usleep(700000);
  serving_prepare(&s);
  s.config.port = port;
  serving_start(&s);
  return NULL;
}

static void a_server_that_comes_back_goes_on(void **state) {
  (void)state;
  float actions[35];
  vlb_error err;
  pthread_t thread;
  serving_start(&s);
  int port = serving_port(&s);
  vlb_remote *r = reach(1);
  assert_int_equal(ask(r, 0, "go", 1, 0, actions, &err), VLB_OK);
  serving_stop(&s);
  assert_int_equal(pthread_create(&thread, NULL, come_back, &port), 0);
  if (ask(r, 0, "go", 1, 1, actions, &err)) fail_msg("%s", err.message);
  assert_true(actions[0] == 1003);
  pthread_join(thread, NULL);
  assert_int_equal(vlb_remote_measured(r).reconnections, 1);
  vlb_remote_free(r);
}

static void a_server_that_stays_away_is_given_up(void **state) {
  (void)state;
  float actions[35];
  vlb_error err;
  config.retry_seconds = 0.5;
  serving_start(&s);
  vlb_remote *r = reach(1);
  serving_stop(&s);
  double began = vlb_seconds();
  assert_int_equal(ask(r, 0, "go", 0, 0, actions, &err), VLB_FAILED);
  double first = vlb_seconds() - began;
  assert_true(first > 0.2 && first < 4);
  assert_memory_equal(err.message, "ws://127.0.0.1:", 15);
  began = vlb_seconds();
  assert_int_equal(ask(r, 0, "go", 0, 0, actions, &err), VLB_FAILED); /* each later episode costs one try, not the whole wait */
  assert_true(vlb_seconds() - began < first);
  vlb_remote_free(r);
  serving_prepare(&s); /* for the teardown */
  serving_start(&s);
}

static void a_reply_must_come_in_time(void **state) {
  (void)state;
  float actions[35];
  vlb_error err;
  config.retry_seconds = 0;
  config.reply_seconds = 0.15;
  serving_start(&s);
  vlb_remote *r = reach(1);
  assert_int_equal(ask(r, 0, "sleep", 0, 0, actions, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "no reply within 0.15 s"));
  vlb_remote_free(r);
}

static void stops_while_waiting(void **state) {
  (void)state;
  float actions[35];
  vlb_error err;
  serving_start(&s);
  vlb_remote *r = reach(1);
  stop_client = 1;
  assert_int_equal(ask(r, 0, "sleep", 0, 0, actions, &err), VLB_INTERRUPTED);
  vlb_remote_free(r);
}

static void refused(const char *address, const char *key, vlb_code code, const char *why) {
  vlb_remote *r;
  vlb_error err = {VLB_OK, ""};
  assert_int_equal(vlb_remote_open(address, key, &config, &robot, 0, 1, &ctx, &r, &err), code);
  assert_null(r);
  if (!strstr(err.message, why)) fail_msg("'%s' where '%s' was expected", err.message, why);
}

static void says_why_it_cannot_begin(void **state) {
  (void)state;
  s.config.key = "right";
  config.connect_seconds = 2;
  serving_start(&s);
  refused(url(), NULL, VLB_FAILED, "wants a key");
  refused(url(), "wrong", VLB_FAILED, "wants a key");
  refused("http://x:1", NULL, VLB_USAGE, "ws://HOST:PORT");
  refused("wss://x:1", NULL, VLB_USAGE, "TLS is not done here");
  refused("ws://x", NULL, VLB_USAGE, "ws://HOST:PORT");
  refused("ws://x:0", NULL, VLB_USAGE, "1 to 65535");
  refused("ws://x:99999/", NULL, VLB_USAGE, "1 to 65535");
  json_object_set_new(s.metadata, "state_dim", json_integer(9));
  refused(url(), "right", VLB_USAGE, "the server's policy has state_dim 9, the robot r has 8");
  json_object_clear(s.metadata); /* openpi's servers often say nothing */
  refused(url(), "right", VLB_USAGE, "--set remote.n_action_steps=N");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, prepare, finish)
int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(acts_as_the_server_says),
      CASE(an_error_is_no_reason_to_try_again),
      CASE(a_server_that_comes_back_goes_on),
      CASE(a_server_that_stays_away_is_given_up),
      CASE(a_reply_must_come_in_time),
      CASE(stops_while_waiting),
      CASE(says_why_it_cannot_begin),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
