/* The server against good, slow, greedy and broken clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/timing.h"
#include "serving.h"
#include "ws.h"

static serving s;

static int prepare(void **state) {
  (void)state;
  serving_prepare(&s);
  return 0;
}

static int stop(void **state) {
  (void)state;
  serving_stop(&s);
  return 0;
}

static bool send_request(int fd, vlb_packer *p) { return ws_send(fd, WS_BINARY, true, vlb_packer_data(p), vlb_packer_size(p)); }

/* The answer to what was sent. */
static float answer(int fd) {
  uint8_t bytes[4096];
  size_t size;
  assert_int_equal(ws_receive(fd, bytes, sizeof bytes, &size), WS_BINARY);
  return serving_first(bytes, size);
}

static float ask(int fd, const char *prompt, int side) {
  vlb_packer *p = serving_request(prompt, side);
  assert_true(send_request(fd, p));
  vlb_packer_free(p);
  return answer(fd);
}

/* The text before the connection ends, and the code it ends with. */
static void assert_dismissed(int fd, int code, const char *text) {
  uint8_t bytes[1024];
  size_t size;
  assert_int_equal(ws_receive(fd, bytes, sizeof bytes, &size), WS_TEXT);
  bytes[size < sizeof bytes ? size : sizeof bytes - 1] = 0;
  if (!strstr((char *)bytes, text)) fail_msg("'%s' where '%s' was expected", (char *)bytes, text);
  assert_int_equal(ws_close_code(fd), code);
  close(fd);
}

static void answers_and_counts(void **state) {
  (void)state;
  serving_start(&s);
  int a = ws_open(serving_port(&s)), b = ws_open(serving_port(&s));
  for (int i = 0; i < 3; i++) assert_true(ask(a, "go", 8) == (float)i); /* the noise of a client that names no key is counted from its first request */
  assert_true(ask(b, "go", 300) == 0);                                  /* 270 kB */
  close(a), close(b);
}

/* fragments, and a ping between them */
static void fragments_make_one_message(void **state) {
  (void)state;
  serving_start(&s);
  int fd = ws_open(serving_port(&s));
  vlb_packer *p = serving_request("go", 40);
  const uint8_t *bytes = vlb_packer_data(p);
  size_t size = vlb_packer_size(p), size_back;
  uint8_t back[64];
  assert_true(ws_send(fd, WS_BINARY, false, bytes, 100));
  assert_true(ws_send(fd, 0, false, bytes + 100, 0));
  assert_true(ws_send(fd, WS_PING, true, "hey", 3));
  assert_int_equal(ws_receive(fd, back, sizeof back, &size_back), WS_PONG);
  assert_memory_equal(back, "hey", 3);
  assert_true(ws_send(fd, 0, true, bytes + 100, size - 100));
  assert_true(answer(fd) == 0);
  vlb_packer_free(p);
  close(fd);
}

/* a client that sends everything before it reads anything gets everything, in order */
static void many_requests_ahead(void **state) {
  (void)state;
  s.pause = 0.001;
  serving_start(&s);
  int fd = ws_open(serving_port(&s));
  vlb_packer *p = serving_request("go", 64);
  for (int i = 0; i < 60; i++) assert_true(send_request(fd, p));
  for (int i = 0; i < 60; i++) assert_true(answer(fd) == (float)i);
  vlb_packer_free(p);
  close(fd);
}

static void errors_are_told_and_end_the_connection(void **state) {
  (void)state;
  serving_start(&s);
  int port = serving_port(&s), fd = ws_open(port);
  vlb_packer *fail = serving_request("fail", 8), *bad = serving_request("bad", 8);
  assert_true(send_request(fd, fail));
  assert_dismissed(fd, 1011, "the policy was told to fail");
  fd = ws_open(port);
  assert_true(send_request(fd, bad));
  assert_dismissed(fd, 1008, "the instruction is bad");
  fd = ws_open(port);
  assert_true(ws_send(fd, WS_BINARY, true, "\x81\xa1", 2));
  assert_dismissed(fd, 1008, "cut off");
  fd = ws_open(port);
  assert_true(ws_send(fd, WS_BINARY, true, "", 0));
  assert_dismissed(fd, 1008, "cut off at byte 0");
  fd = ws_open(port);
  assert_true(ws_send(fd, WS_TEXT, true, "{}", 2));
  assert_dismissed(fd, 1003, "binary frame");
  fd = ws_open(port);
  assert_true(ask(fd, "go", 8) == 0);
  close(fd);
  vlb_packer_free(fail), vlb_packer_free(bad);
}

/* one bad observation in a batch does not spoil the others */
static void a_batch_has_one_culprit(void **state) {
  (void)state;
  serving_start(&s);
  int fd[4], sleeper = ws_open(serving_port(&s));
  vlb_packer *good = serving_request("go", 8), *bad = serving_request("fail", 8), *sleep = serving_request("sleep", 8);
  for (int i = 0; i < 4; i++) fd[i] = ws_open(serving_port(&s));
  assert_true(send_request(sleeper, sleep));
  usleep(100000);
  for (int i = 0; i < 4; i++) assert_true(send_request(fd[i], i == 2 ? bad : good));
  for (int i = 0; i < 4; i++) {
    if (i == 2) assert_dismissed(fd[i], 1011, "told to fail");
    else assert_true(answer(fd[i]) == 0), close(fd[i]);
  }
  vlb_packer_free(good), vlb_packer_free(bad), vlb_packer_free(sleep);
  close(sleeper);
}

static void too_big_is_refused(void **state) {
  (void)state;
  s.config.limits.max_message_mb = 0.1;
  serving_start(&s);
  int fd = ws_open(serving_port(&s));
  vlb_packer *p = serving_request("go", 200); /* 120 kB */
  send_request(fd, p); /* may break while sending */
  assert_dismissed(fd, 1009, "max_message_mb");
  /* and so is a frame that says it will be, without waiting for it */
  fd = ws_open(serving_port(&s));
  static const uint8_t head[14] = {0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  uint8_t *junk = calloc(1, 300000);
  ws_send_raw(fd, head, sizeof head);
  ws_send_raw(fd, junk, 300000);
  assert_int_not_equal(ws_close_code(fd), 0);
  close(fd);
  free(junk);
  fd = ws_open(serving_port(&s));
  assert_true(ask(fd, "go", 100) == 0);
  close(fd);
  vlb_packer_free(p);
}

static void memory_of_all_is_limited(void **state) {
  (void)state;
  s.config.limits.max_memory_mb = 0.3;
  serving_start(&s);
  int first = ws_open(serving_port(&s)), second = ws_open(serving_port(&s));
  uint8_t *half = calloc(1, 200000);
  assert_true(ws_send(first, WS_BINARY, false, half, 200000)); /* holds 256 kB */
  usleep(100000);
  ws_send(second, WS_BINARY, false, half, 200000);
  assert_dismissed(second, 1013, "max_memory_mb");
  close(first);
  usleep(100000);
  second = ws_open(serving_port(&s));
  assert_true(ask(second, "go", 250) == 0); /* 187 kB: the memory was given back */
  close(second);
  free(half);
}

static void a_message_must_end(void **state) {
  (void)state;
  s.config.limits.message_seconds = 0.2;
  serving_start(&s);
  int fd = ws_open(serving_port(&s)), idle = ws_open(serving_port(&s));
  assert_true(ws_send(fd, WS_BINARY, false, "\x83", 1));
  assert_dismissed(fd, 1008, "message_seconds");
  assert_true(ask(idle, "go", 8) == 0); /* silence between messages is allowed */
  close(idle);
}

/* a client that never reads: its replies pile up in the kernel, then it is dropped; others do not notice */
static void who_does_not_read_is_dropped(void **state) {
  (void)state;
  s.config.limits.send_seconds = 0.3;
  s.config.shape.chunk = 20000; /* replies of 560 kB */
  serving_start(&s);
  int slow = ws_dial(serving_port(&s)), small = 4096, other;
  uint8_t head[16];
  size_t size;
  setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  assert_int_equal(ws_handshake(slow, ""), 101);
  assert_int_equal(ws_receive(slow, head, sizeof head, &size), WS_BINARY);
  vlb_packer *p = serving_request("go", 8);
  for (int i = 0; i < 30 && send_request(slow, p); i++) usleep(1000);
  double began = vlb_seconds();
  other = ws_open(serving_port(&s));
  for (int i = 0; i < 5; i++) {
    assert_true(send_request(other, p));
    assert_int_equal(ws_receive(other, head, sizeof head, &size), WS_BINARY);
  }
  assert_true(vlb_seconds() - began < 5);
  usleep(800000);
  bool gone = false;
  for (int i = 0; i < 200 && !gone; i++) gone = !send_request(slow, p); /* the server reset it */
  assert_true(gone);
  vlb_packer_free(p);
  close(slow), close(other);
}

/* while one request sleeps in the only worker, the line moves on in the order of arrival, one request per client */
static void the_line_is_fair(void **state) {
  (void)state;
  s.config.limits.batch = 1;
  s.pause = 0.01;
  serving_start(&s);
  int greedy = ws_open(serving_port(&s)), modest = ws_open(serving_port(&s));
  vlb_packer *p = serving_request("go", 8);
  for (int i = 0; i < 20; i++) assert_true(send_request(greedy, p));
  usleep(5000);
  double began = vlb_seconds();
  assert_true(send_request(modest, p));
  assert_true(answer(modest) == 0);
  double waited = vlb_seconds() - began;
  for (int i = 0; i < 20; i++) assert_true(answer(greedy) == (float)i);
  double all = vlb_seconds() - began;
  assert_true(waited < all / 2); /* 2 or 3 turns of 20, whatever a turn takes here */
  vlb_packer_free(p);
  close(greedy), close(modest);
}

static void the_rate_is_limited(void **state) {
  (void)state;
  s.config.limits.rate = 20;
  serving_start(&s);
  int fd = ws_open(serving_port(&s));
  vlb_packer *p = serving_request("go", 8);
  double began = vlb_seconds();
  for (int i = 0; i < 30; i++) assert_true(send_request(fd, p));
  for (int i = 0; i < 30; i++) assert_true(answer(fd) == (float)i);
  double took = vlb_seconds() - began; /* a second's worth of 20 at once, ten at 50 ms */
  assert_true(took > 0.4);
  vlb_packer_free(p);
  close(fd);
}

static void only_with_the_key(void **state) {
  (void)state;
  s.config.key = "open-sesame";
  serving_start(&s);
  static const char *const wrong[] = {"", "Authorization: Api-Key open-sesam\r\n", "Authorization: Api-Key open-sesame2\r\n", "Authorization: Api-Key \r\n",
                                      "Authorization: Bearer open-sesame\r\n"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    int fd = ws_dial(serving_port(&s));
    assert_int_equal(ws_handshake(fd, wrong[i]), 401);
    close(fd);
  }
  int fd = ws_dial(serving_port(&s));
  assert_int_equal(ws_handshake(fd, "Authorization: Api-Key open-sesame\r\n"), 101);
  uint8_t metadata[512];
  size_t size;
  assert_int_equal(ws_receive(fd, metadata, sizeof metadata, &size), WS_BINARY);
  assert_true(ask(fd, "go", 8) == 0);
  close(fd);
}

static void only_so_many_clients(void **state) {
  (void)state;
  s.config.limits.max_clients = 3;
  serving_start(&s);
  int fd[3], more = 0;
  for (int i = 0; i < 3; i++) fd[i] = ws_open(serving_port(&s));
  more = ws_dial(serving_port(&s));
  assert_int_equal(ws_handshake(more, ""), 503);
  close(more), close(fd[0]);
  usleep(100000);
  fd[0] = ws_open(serving_port(&s));
  for (int i = 0; i < 3; i++) assert_true(ask(fd[i], "go", 8) == 0), close(fd[i]);
}

static void is_healthy(void **state) {
  (void)state;
  serving_start(&s);
  static const char *const paths[] = {"/healthz", "/"}, *const replies[] = {"HTTP/1.1 200", "HTTP/1.1 426"};
  for (int i = 0; i < 2; i++) {
    char text[128], reply[1024] = "";
    int fd = ws_dial(serving_port(&s));
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", paths[i]);
    assert_true(ws_send_raw(fd, text, strlen(text)));
    for (size_t n = 0; n + 1 < sizeof reply;) {
      ssize_t got = recv(fd, reply + n, sizeof reply - 1 - n, 0);
      if (got <= 0) break;
      n += (size_t)got;
    }
    assert_memory_equal(reply, replies[i], strlen(replies[i]));
    if (i == 0) assert_non_null(strstr(reply, "\r\n\r\nOK\n"));
    close(fd);
  }
}

/* what runs ends, what waits does not begin, and everybody is told */
static void stops_gracefully(void **state) {
  (void)state;
  s.config.limits.batch = 1;
  serving_start(&s);
  int port = serving_port(&s), busy = ws_open(port), waiting = ws_open(port), idle = ws_open(port);
  vlb_packer *p = serving_request("sleep", 8);
  assert_true(send_request(busy, p));
  usleep(150000);
  assert_true(send_request(waiting, p));
  usleep(50000);
  serving_ask_stop(&s);
  assert_int_equal(ws_close_code(idle), 1001);
  assert_int_equal(ws_close_code(waiting), 1001);
  assert_true(answer(busy) == 0);
  assert_int_equal(ws_close_code(busy), 1001);
  vlb_packer_free(p);
  close(busy), close(waiting), close(idle);
}

/* a client that leaves takes its request with it, wherever that is */
static void clients_leave(void **state) {
  (void)state;
  s.config.limits.batch = 1;
  s.config.limits.rate = 1;
  serving_start(&s);
  vlb_packer *sleep = serving_request("sleep", 8), *go = serving_request("go", 8);
  int running = ws_open(serving_port(&s)), waiting = ws_open(serving_port(&s)), partial = ws_open(serving_port(&s)), held = ws_open(serving_port(&s));
  assert_true(send_request(running, sleep));
  usleep(100000);
  assert_true(send_request(waiting, go));
  assert_true(ws_send(partial, WS_BINARY, false, "\x83", 1));
  assert_true(send_request(held, go));
  assert_true(send_request(held, go)); /* above its rate once the first is done */
  usleep(50000);
  close(running), close(waiting), close(partial);
  assert_true(answer(held) == 0);
  close(held);
  usleep(50000);
  int fd = ws_open(serving_port(&s));
  assert_true(ask(fd, "go", 8) == 0);
  close(fd);
  vlb_packer_free(sleep), vlb_packer_free(go);
}

static void reports_latencies(void **state) {
  (void)state;
  char *text = NULL;
  size_t size;
  s.pause = 0.02;
  serving_start(&s);
  int fd = ws_open(serving_port(&s));
  for (int i = 0; i < 4; i++) ask(fd, "go", 8);
  close(fd);
  usleep(150000);
  serving_ask_stop(&s);
  pthread_join(s.thread, NULL);
  s.running = false;
  FILE *out = open_memstream(&text, &size);
  vlb_server_report(s.server, true, out);
  fclose(out);
  json_t *root = json_loads(text, 0, NULL);
  assert_non_null(root);
  const json_t *each = json_array_get(json_object_get(root, "each"), 0);
  assert_int_equal(json_integer_value(json_object_get(each, "requests")), 4);
  double total = json_real_value(json_object_get(json_object_get(each, "total"), "p50_ms"));
  double thinking = json_real_value(json_object_get(json_object_get(each, "thinking"), "p50_ms"));
  assert_true(thinking > 19 && total >= thinking * 0.96);
  json_decref(root);
  free(text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, prepare, stop)
int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(answers_and_counts), CASE(fragments_make_one_message), CASE(many_requests_ahead), CASE(errors_are_told_and_end_the_connection),
      CASE(a_batch_has_one_culprit), CASE(too_big_is_refused), CASE(memory_of_all_is_limited), CASE(a_message_must_end),
      CASE(who_does_not_read_is_dropped), CASE(the_line_is_fair), CASE(the_rate_is_limited), CASE(only_with_the_key), CASE(only_so_many_clients),
      CASE(is_healthy), CASE(stops_gracefully), CASE(clients_leave), CASE(reports_latencies),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
