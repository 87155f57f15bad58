#include "ws.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int ws_dial(int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct timeval limit = {10, 0};
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  assert_true(fd >= 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
  return fd;
}

bool ws_send_raw(int fd, const void *bytes, size_t size) {
  const char *at = bytes;
  while (size) {
    ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
    if (n <= 0) return false;
    at += n;
    size -= (size_t)n;
  }
  return true;
}

static bool read_all(int fd, void *bytes, size_t size) {
  char *at = bytes;
  while (size) {
    ssize_t n = recv(fd, at, size, 0);
    if (n <= 0) return false;
    at += n;
    size -= (size_t)n;
  }
  return true;
}

int ws_handshake(int fd, const char *headers) {
  char text[2048], line[4096] = "";
  int status = -1;
  snprintf(text, sizeof text,
           "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
           headers);
  if (!ws_send_raw(fd, text, strlen(text))) return -1;
  for (size_t n = 0; n + 1 < sizeof line && !strstr(line, "\r\n\r\n"); n++)
    if (!read_all(fd, line + n, 1)) break;
  sscanf(line, "HTTP/1.1 %d", &status);
  return status;
}

int ws_open(int port) {
  uint8_t metadata[4096];
  size_t size;
  int fd = ws_dial(port);
  assert_int_equal(ws_handshake(fd, ""), 101);
  assert_int_equal(ws_receive(fd, metadata, sizeof metadata, &size), WS_BINARY);
  return fd;
}

bool ws_send(int fd, int opcode, bool last, const void *bytes, size_t size) {
  static const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78};
  uint8_t *frame = malloc(size + 14);
  size_t n = 2;
  assert_non_null(frame);
  frame[0] = (uint8_t)((last ? 0x80 : 0) | opcode);
  int width = size < 126 ? 0 : size < 65536 ? 2 : 8;
  frame[1] = (uint8_t)(0x80 | (width == 0 ? (int)size : width == 2 ? 126 : 127));
  for (int i = width - 1; i >= 0; i--) frame[n++] = (uint8_t)(size >> 8 * i);
  memcpy(frame + n, mask, 4);
  n += 4;
  for (size_t i = 0; i < size; i++) frame[n + i] = ((const uint8_t *)bytes)[i] ^ mask[i & 3];
  bool good = ws_send_raw(fd, frame, n + size);
  free(frame);
  return good;
}

int ws_receive(int fd, uint8_t *bytes, size_t room, size_t *size) {
  uint8_t head[10], drop;
  if (!read_all(fd, head, 2)) return -1;
  size_t n = head[1] & 0x7f, width = n == 126 ? 2 : n == 127 ? 8 : 0;
  if (width) {
    if (!read_all(fd, head + 2, width)) return -1;
    n = 0;
    for (size_t i = 0; i < width; i++) n = n << 8 | head[2 + i];
  }
  for (size_t i = 0; i < n; i++)
    if (!read_all(fd, i < room ? bytes + i : &drop, 1)) return -1;
  *size = n;
  return head[0] & 0x0f;
}

int ws_close_code(int fd) {
  uint8_t bytes[256];
  size_t size;
  for (int opcode; (opcode = ws_receive(fd, bytes, sizeof bytes, &size)) >= 0;)
    if (opcode == WS_CLOSE) return size >= 2 ? bytes[0] << 8 | bytes[1] : 0;
  return -1;
}
