#include "core/base/team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* How long an idle worker watches for the next piece before it sleeps, and how long a waiting one watches before it lets others run. */
enum { WATCH = 20000, YIELD = 256 };

typedef struct {
  vlb_team *team;
  int index;
} worker;

struct vlb_team {
  int size; /* with the caller */
  pthread_t *threads;
  worker *workers;
  vlb_part part;
  void *self;
  int count;
  atomic_int next;       /* the next part to be taken */
  atomic_int busy;       /* workers that have not finished this piece */
  atomic_uint piece;     /* number of the piece of work; it changes when there is a new one */
  atomic_bool quit;
  pthread_mutex_t lock;  /* for those asleep */
  pthread_cond_t wake;
};

static void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

static void take_parts(vlb_team *t, int index) {
  for (int i; (i = atomic_fetch_add_explicit(&t->next, 1, memory_order_relaxed)) < t->count;) t->part(t->self, i, index);
}

/* until the piece is another one than `seen`; returns it */
static unsigned wait_for_piece(vlb_team *t, unsigned seen) {
  for (int i = 0; i < WATCH; i++) {
    unsigned now = atomic_load_explicit(&t->piece, memory_order_acquire);
    if (now != seen) return now;
    pause_briefly();
    if (i % YIELD == YIELD - 1) sched_yield();
  }
  pthread_mutex_lock(&t->lock);
  while (atomic_load_explicit(&t->piece, memory_order_acquire) == seen) pthread_cond_wait(&t->wake, &t->lock);
  pthread_mutex_unlock(&t->lock);
  return atomic_load_explicit(&t->piece, memory_order_acquire);
}

static void *work(void *self) {
  worker *w = self;
  vlb_team *t = w->team;
  for (unsigned seen = 0;;) {
    seen = wait_for_piece(t, seen);
    if (atomic_load(&t->quit)) return NULL;
    take_parts(t, w->index);
    atomic_fetch_sub_explicit(&t->busy, 1, memory_order_release);
  }
}

/* the lock makes sure that nobody falls asleep between looking and being woken */
static void announce(vlb_team *t) {
  pthread_mutex_lock(&t->lock);
  atomic_fetch_add_explicit(&t->piece, 1, memory_order_release);
  pthread_cond_broadcast(&t->wake);
  pthread_mutex_unlock(&t->lock);
}

vlb_code vlb_team_create(int threads, vlb_team **out, vlb_error *err) {
  vlb_team *t = calloc(1, sizeof *t);
  *out = NULL;
  if (threads < 1) threads = 1;
  if (t) t->threads = calloc((size_t)threads, sizeof *t->threads);
  if (t) t->workers = calloc((size_t)threads, sizeof *t->workers);
  if (!t || !t->threads || !t->workers) {
    if (t) free(t->threads), free(t->workers);
    free(t);
    return vlb_fail(err, VLB_FAILED, "out of memory for %d threads", threads);
  }
  pthread_mutex_init(&t->lock, NULL);
  pthread_cond_init(&t->wake, NULL);
  t->size = 1;
  for (int i = 1; i < threads; i++) {
    t->workers[t->size] = (worker){t, t->size};
    if (pthread_create(&t->threads[t->size], NULL, work, &t->workers[t->size])) break;
    t->size++;
  }
  *out = t;
  return VLB_OK;
}

void vlb_team_free(vlb_team *t) {
  if (!t) return;
  atomic_store(&t->quit, true);
  announce(t);
  for (int i = 1; i < t->size; i++) pthread_join(t->threads[i], NULL);
  pthread_mutex_destroy(&t->lock);
  pthread_cond_destroy(&t->wake);
  free(t->threads), free(t->workers), free(t);
}

int vlb_team_size(const vlb_team *t) { return t ? t->size : 1; }

void vlb_team_run(vlb_team *t, int n, vlb_part part, void *self) {
  if (!t || t->size == 1 || n < 2) {
    for (int i = 0; i < n; i++) part(self, i, 0);
    return;
  }
  t->part = part;
  t->self = self;
  t->count = n;
  atomic_store_explicit(&t->next, 0, memory_order_relaxed);
  atomic_store_explicit(&t->busy, t->size - 1, memory_order_relaxed);
  announce(t);
  take_parts(t, 0);
  for (int i = 1; atomic_load_explicit(&t->busy, memory_order_acquire); i++) {
    pause_briefly();
    if (i % YIELD == 0) sched_yield();
  }
}
