/* Broken, truncated, oversized and damaged traffic on the socket of a server, at random, beside a client that must not notice. VLB_STORM_SECONDS makes it
 * longer than the test of every day. */
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

#include "core/base/rng.h"
#include "core/base/timing.h"
#include "serving.h"
#include "ws.h"

static serving s;

/* AddressSanitizer keeps 256 MB of freed memory by itself, which would look like a leak. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "quarantine_size_mb=4"; }

static long resident_kb(void) {
  long pages = 0;
  FILE *in = fopen("/proc/self/statm", "r");
  if (!in || fscanf(in, "%*d %ld", &pages) != 1) pages = 0;
  if (in) fclose(in);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* one to eight changed places */
static void damage(vlb_rng *rng, uint8_t *bytes, size_t size) {
  for (uint32_t k = 0, n = 1 + vlb_rng_below(rng, 8); k < n; k++) bytes[vlb_rng_below(rng, (uint32_t)size)] = (uint8_t)vlb_rng_u32(rng);
}

static void send_frames(vlb_rng *rng, int fd, uint8_t *bytes, size_t size) {
  switch (vlb_rng_below(rng, 8)) {
    case 0: ws_send(fd, WS_BINARY, true, bytes, size); break;
    case 1: damage(rng, bytes, size < 200 ? size : 200), ws_send(fd, WS_BINARY, true, bytes, size); break; /* heads and keys */
    case 2: damage(rng, bytes, size), ws_send(fd, WS_BINARY, true, bytes, size); break;
    case 3: ws_send(fd, WS_BINARY, true, bytes, vlb_rng_below(rng, (uint32_t)size)); break; /* truncated, and said to be whole */
    case 4: ws_send(fd, WS_BINARY, false, bytes, vlb_rng_below(rng, (uint32_t)size)); break; /* and not */
    case 5: ws_send(fd, (int)vlb_rng_below(rng, 16), vlb_rng_below(rng, 2), bytes, vlb_rng_below(rng, 200)); break; /* any opcode */
    case 6: ws_send_raw(fd, bytes, size); break; /* no frames at all */
    default: {
      uint8_t head[14] = {0x82, 0xff};
      for (int i = 2; i < 14; i++) head[i] = (uint8_t)vlb_rng_u32(rng);
      head[2] &= 0x7f;
      ws_send_raw(fd, head, 2 + vlb_rng_below(rng, 13)); /* a length without end */
      ws_send_raw(fd, bytes, size);
    }
  }
}

/* A connection that does a few odd things and goes, politely or not. */
static void odd_client(uint32_t round, const uint8_t *good, size_t size) {
  vlb_rng rng = vlb_rng_make(3, VLB_RNG_TEST, round & 0xffffff, 0);
  uint8_t *bytes = malloc(size), back[2048];
  size_t got;
  struct timeval short_limit = {0, 20000};
  int fd = ws_dial(serving_port(&s));
  assert_non_null(bytes);
  memcpy(bytes, good, size);
  if (vlb_rng_below(&rng, 8)) {
    ws_handshake(fd, "");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &short_limit, sizeof short_limit);
    for (uint32_t k = 0, n = 1 + vlb_rng_below(&rng, 4); k < n; k++) {
      memcpy(bytes, good, size);
      send_frames(&rng, fd, bytes, size);
      if (vlb_rng_below(&rng, 2)) ws_receive(fd, back, sizeof back, &got);
    }
  } else {
    damage(&rng, bytes, size);
    ws_send_raw(fd, bytes, vlb_rng_below(&rng, (uint32_t)size)); /* no handshake */
  }
  if (vlb_rng_below(&rng, 2)) {
    const struct linger reset = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  close(fd);
  free(bytes);
}

/* The next frame that is no ping; pings are answered, as a good client does. */
static int receive_answer(int fd, uint8_t *bytes, size_t room, size_t *size) {
  int opcode;
  while ((opcode = ws_receive(fd, bytes, room, size)) == WS_PING) ws_send(fd, WS_PONG, true, bytes, *size);
  return opcode;
}

static void survives(void **state) {
  (void)state;
  const char *asked = getenv("VLB_STORM_SECONDS");
  double seconds = asked ? atof(asked) : 2, end, told = 0;
  long settled = 0, now = 0;
  uint32_t rounds = 0, good = 0;
  serving_prepare(&s);
  s.config.limits.max_message_mb = 0.05;
  s.config.limits.message_seconds = 1;
  s.workers = 2;
  serving_start(&s);
  int fd = ws_open(serving_port(&s));
  vlb_packer *p = serving_request("go", 40);
  const uint8_t *bytes = vlb_packer_data(p);
  size_t size = vlb_packer_size(p), got;
  uint8_t reply[2048];
  for (end = vlb_seconds() + seconds; vlb_seconds() < end; rounds++) {
    odd_client(rounds, bytes, size);
    if (rounds % 8) continue;
    assert_true(ws_send(fd, WS_BINARY, true, bytes, size));
    assert_int_equal(receive_answer(fd, reply, sizeof reply, &got), WS_BINARY);
    assert_true(serving_first(reply, got) == (float)good++);
    now = resident_kb();
    if (vlb_seconds() > end - seconds * 0.8 && !settled) settled = now;
    if (vlb_seconds() > told + 60) printf("%u odd clients, %u good requests, %ld kB resident\n", rounds, good, now), fflush(stdout), told = vlb_seconds();
  }
  printf("%u odd clients, %u good requests, %ld kB resident, %ld kB after a fifth of the time\n", rounds, good, now, settled);
  assert_true(good > 0 && now < settled + settled / 4 + 20000);
  close(fd);
  vlb_packer_free(p);
  serving_stop(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(survives)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
