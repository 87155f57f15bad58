/* A WebSocket peer made of bare sockets, that can do everything a good one does not. On 127.0.0.1 only. */
#ifndef VLB_TEST_WS_H
#define VLB_TEST_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

int ws_dial(int port); /* a TCP connection with a time limit of 10 s for each read and write; fails the test when there is none */

/* The handshake with further header lines ("Name: value\r\n..."). Returns the HTTP status. */
int ws_handshake(int fd, const char *headers);
int ws_open(int port); /* dials, shakes hands, takes the metadata */

bool ws_send_raw(int fd, const void *bytes, size_t size);
bool ws_send(int fd, int opcode, bool last, const void *bytes, size_t size); /* one masked frame */

/* The next frame: its opcode, or -1 when the connection ended or nothing came in time. At most `room` bytes are kept. */
int ws_receive(int fd, uint8_t *bytes, size_t room, size_t *size);
int ws_close_code(int fd); /* skips frames up to the close frame; its code, -1: the connection ended without */

#endif
