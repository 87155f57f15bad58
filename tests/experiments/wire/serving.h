/* A server in this process, on a free port of 127.0.0.1, with a policy that needs no model. */
#ifndef VLB_TEST_SERVING_H
#define VLB_TEST_SERVING_H

#include <pthread.h>

#include "experiments/wire/server.h"

enum { SERVING_WORKERS = 4 };

/* The policy: each action [t][k] is key.replan + 1000 * key.task + t / 8 + state[k]; it takes `pause` seconds; a prompt "fail" is an error, "sleep" takes half a
 * second. */
typedef struct {
  vlb_server_config config;
  vlb_wire_policy policies[SERVING_WORKERS];
  double pause;
  int workers;
  volatile sig_atomic_t stop;
  vlb_context ctx;
  vlb_server *server;
  pthread_t thread;
  json_t *metadata;
  bool running;
} serving;

/* Defaults: one worker, panda's shape (8 numbers of state, 7 of action), one camera, chunks of 5. Change what you want, then start. */
void serving_prepare(serving *s);
void serving_start(serving *s);
int serving_port(const serving *s);
void serving_ask_stop(serving *s);
void serving_stop(serving *s); /* asks, and waits */

/* An observation for it, in a packer to be freed. */
vlb_packer *serving_request(const char *prompt, int picture_side);
/* The chunk of a reply; fails the test when it is none. Returns actions[0][0]. */
float serving_first(const void *bytes, size_t size);

#endif
