#include "experiments/wire/jobs.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/timing.h"

typedef struct {
  vlb_job *first, **end;
} line;

/* One thread and what it thinks with. */
typedef struct {
  vlb_jobs *jobs;
  const vlb_wire_policy *policy;
  pthread_t thread;
  vlb_job **taken;                    /* [batch] */
  vlb_message **messages;             /* [batch] */
  vlb_wire_observation *observations; /* [batch] */
  float *actions;                     /* [batch,chunk,action_dim] */
} worker;

struct vlb_jobs {
  const vlb_wire_shape *shape;
  void (*wake)(void *self);
  void *self;
  pthread_mutex_t lock;
  pthread_cond_t arrived;
  line waiting, finished;
  bool closing;
  int waiting_count, idle; /* jobs without and workers without */
  int started, count;
  worker workers[];
};

void vlb_job_free(vlb_job *job) {
  if (!job) return;
  vlb_packer_free(job->reply);
  free(job->bytes);
  free(job);
}

/* ---- lines; under the lock ---- */

static void push(line *l, vlb_job *job) {
  job->next = NULL;
  *l->end = job;
  l->end = &job->next;
}

static vlb_job *pop(line *l) {
  vlb_job *job = l->first;
  if (!job) return NULL;
  l->first = job->next;
  if (!l->first) l->end = &l->first;
  job->next = NULL;
  return job;
}

static bool unlink_job(line *l, const vlb_job *job) {
  for (vlb_job **at = &l->first; *at; at = &(*at)->next) {
    if (*at != job) continue;
    *at = job->next;
    if (!*at) l->end = at;
    return true;
  }
  return false;
}

/* ---- a worker ---- */

/* Waits for work and takes what fits into one call. 0: the end. */
static int take(worker *w) {
  vlb_jobs *j = w->jobs;
  int n = 0;
  pthread_mutex_lock(&j->lock);
  j->idle++;
  while (!j->waiting.first && !j->closing) pthread_cond_wait(&j->arrived, &j->lock);
  int share = (j->waiting_count + j->idle - 1) / j->idle; /* the other idle workers get theirs */
  j->idle--;
  while (!j->closing && n < w->policy->batch && n < share && j->waiting.first) {
    vlb_job *job = pop(&j->waiting);
    j->waiting_count--;
    job->begun = vlb_seconds();
    w->taken[n++] = job;
  }
  pthread_mutex_unlock(&j->lock);
  return n;
}

static vlb_code read_job(worker *w, int i) {
  vlb_job *job = w->taken[i];
  if (vlb_message_open(job->bytes, job->size, &w->messages[i], &job->error)) return job->error.code = VLB_USAGE; /* the client's fault */
  return vlb_wire_read_observation(w->jobs->shape, vlb_message_root(w->messages[i]), &job->key, &w->observations[i], &job->error);
}

/* One call for n observations; where it fails, each alone, so that only the culprit hears of it. */
static void think(worker *w, int n) {
  size_t chunk = (size_t)(w->jobs->shape->chunk * w->jobs->shape->action_dim);
  vlb_error err = {VLB_OK, ""};
  if (n && !w->policy->infer(w->policy->self, n, w->observations, w->actions, &err)) return;
  if (n == 1) w->taken[0]->error = err;
  for (int i = 0; n > 1 && i < n; i++)
    w->policy->infer(w->policy->self, 1, &w->observations[i], w->actions + (size_t)i * chunk, &w->taken[i]->error);
}

static void answer(worker *w, int i) {
  const vlb_wire_shape *s = w->jobs->shape;
  vlb_job *job = w->taken[i];
  vlb_wire_write_actions(job->reply, s, w->actions + (size_t)i * (size_t)(s->chunk * s->action_dim), 1e3 * (vlb_seconds() - job->begun),
                         job->previous_ms);
  if (!vlb_packer_ok(job->reply)) vlb_fail(&job->error, VLB_FAILED, "out of memory for a reply");
}

static void finish(worker *w, vlb_job *job) {
  vlb_jobs *j = w->jobs;
  job->done = vlb_seconds();
  pthread_mutex_lock(&j->lock);
  push(&j->finished, job);
  pthread_mutex_unlock(&j->lock);
}

static void *work(void *self) {
  worker *w = self;
  for (int n; (n = take(w)) > 0;) {
    int good = 0;
    for (int i = 0; i < n; i++) {
      w->messages[good] = NULL;
      w->taken[good] = w->taken[i];
      if (read_job(w, good)) {
        vlb_message_free(w->messages[good]);
        finish(w, w->taken[good]);
      } else {
        good++;
      }
    }
    think(w, good);
    for (int i = 0; i < good; i++) {
      if (!w->taken[i]->error.code) answer(w, i);
      vlb_message_free(w->messages[i]);
      finish(w, w->taken[i]);
    }
    w->jobs->wake(w->jobs->self);
  }
  return NULL;
}

/* ---- the network's side ---- */

static vlb_code start_worker(vlb_jobs *j, int i, const vlb_wire_policy *policy, vlb_error *err) {
  worker *w = &j->workers[i];
  size_t n = (size_t)policy->batch;
  w->jobs = j;
  w->policy = policy;
  w->taken = calloc(n, sizeof *w->taken);
  w->messages = calloc(n, sizeof *w->messages);
  w->observations = calloc(n, sizeof *w->observations);
  w->actions = calloc(n * (size_t)(j->shape->chunk * j->shape->action_dim), sizeof *w->actions);
  j->count = i + 1;
  if (!w->taken || !w->messages || !w->observations || !w->actions) return vlb_fail(err, VLB_FAILED, "out of memory for a worker");
  if (pthread_create(&w->thread, NULL, work, w)) return vlb_fail(err, VLB_FAILED, "cannot start thread %d of the policy", i);
  j->started = i + 1;
  return VLB_OK;
}

vlb_code vlb_jobs_open(const vlb_wire_shape *shape, const vlb_wire_policy *policies, int workers, void (*wake)(void *self), void *self,
                       vlb_jobs **jobs, vlb_error *err) {
  *jobs = NULL;
  vlb_jobs *j = calloc(1, sizeof *j + (size_t)workers * sizeof j->workers[0]);
  if (!j) return vlb_fail(err, VLB_FAILED, "out of memory");
  j->shape = shape;
  j->wake = wake;
  j->self = self;
  j->waiting.end = &j->waiting.first;
  j->finished.end = &j->finished.first;
  pthread_mutex_init(&j->lock, NULL);
  pthread_cond_init(&j->arrived, NULL);
  vlb_code code = VLB_OK;
  for (int i = 0; !code && i < workers; i++) code = start_worker(j, i, &policies[i], err);
  if (code)
    vlb_jobs_close(j);
  else
    *jobs = j;
  return code;
}

void vlb_jobs_stop(vlb_jobs *j) {
  if (!j) return;
  pthread_mutex_lock(&j->lock);
  j->closing = true;
  pthread_cond_broadcast(&j->arrived);
  pthread_mutex_unlock(&j->lock);
  for (int i = 0; i < j->started; i++) pthread_join(j->workers[i].thread, NULL);
  j->started = 0;
}

void vlb_jobs_close(vlb_jobs *j) {
  if (!j) return;
  vlb_jobs_stop(j);
  for (vlb_job *job; (job = pop(&j->waiting)) || (job = pop(&j->finished));) vlb_job_free(job);
  for (int i = 0; i < j->count; i++) {
    worker *w = &j->workers[i];
    free((void *)w->taken), free((void *)w->messages), free(w->observations), free(w->actions);
  }
  pthread_cond_destroy(&j->arrived);
  pthread_mutex_destroy(&j->lock);
  free(j);
}

void vlb_jobs_submit(vlb_jobs *j, vlb_job *job) {
  pthread_mutex_lock(&j->lock);
  push(&j->waiting, job);
  j->waiting_count++;
  pthread_cond_signal(&j->arrived);
  pthread_mutex_unlock(&j->lock);
}

vlb_job *vlb_jobs_collect(vlb_jobs *j) {
  pthread_mutex_lock(&j->lock);
  vlb_job *job = pop(&j->finished);
  pthread_mutex_unlock(&j->lock);
  return job;
}

bool vlb_jobs_withdraw(vlb_jobs *j, vlb_job *job) {
  pthread_mutex_lock(&j->lock);
  bool found = unlink_job(&j->waiting, job);
  j->waiting_count -= found;
  pthread_mutex_unlock(&j->lock);
  return found;
}
