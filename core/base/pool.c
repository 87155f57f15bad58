#include "core/base/pool.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct {
  vlb_job job;
  void *self;
  int n;
  atomic_int next;
  atomic_int failed;
  pthread_mutex_t lock;
  int first_failed;
  vlb_error error;
} shared_state;

typedef struct {
  shared_state *shared;
  int worker;
} worker_state;

static void *work(void *arg) {
  worker_state *w = arg;
  shared_state *s = w->shared;
  while (!atomic_load(&s->failed)) {
    int i = atomic_fetch_add(&s->next, 1);
    if (i >= s->n) break;
    vlb_error err = {VLB_OK, ""};
    if (s->job(s->self, i, w->worker, &err) == VLB_OK) continue;
    pthread_mutex_lock(&s->lock);
    if (s->first_failed < 0 || i < s->first_failed) {
      s->first_failed = i;
      s->error = err;
    }
    pthread_mutex_unlock(&s->lock);
    atomic_store(&s->failed, 1);
  }
  return NULL;
}

vlb_code vlb_parallel(int threads, int n, vlb_job job, void *self, vlb_error *err) {
  enum { MAX_THREADS = 256 };
  shared_state s = {.job = job, .self = self, .n = n, .first_failed = -1, .error = {VLB_OK, ""}};
  pthread_mutex_init(&s.lock, NULL);
  int count = threads < n ? threads : n;
  if (count > MAX_THREADS) count = MAX_THREADS;
  pthread_t id[MAX_THREADS];
  worker_state w[MAX_THREADS];
  int started = 1;
  w[0] = (worker_state){&s, 0};
  /* the caller is worker 0; a thread that cannot be had only makes the rest do more */
  for (int i = 1; i < count; i++) {
    w[started] = (worker_state){&s, started};
    if (pthread_create(&id[started], NULL, work, &w[started]) == 0) started++;
  }
  work(&w[0]);
  for (int i = 1; i < started; i++) pthread_join(id[i], NULL);
  pthread_mutex_destroy(&s.lock);
  if (s.first_failed < 0) return VLB_OK;
  if (err) *err = s.error;
  return s.error.code;
}
