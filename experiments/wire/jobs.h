/* Requests on their way through the workers of a server: one waiting line, first come first served. A client has at most one request in it, so
 * none can push another back by more than one turn. The network's thread submits and collects; workers think. */
#ifndef VLB_WIRE_JOBS_H
#define VLB_WIRE_JOBS_H

#include "experiments/wire/protocol.h"

/* A policy of one worker. Turns n observations into actions [n,chunk,action_dim]. */
typedef struct {
  void *self;
  int batch; /* observations per call at most */
  vlb_code (*infer)(void *self, int n, const vlb_wire_observation *observations, float *actions, vlb_error *err);
} vlb_wire_policy;

typedef struct vlb_job {
  struct vlb_job *next;
  void *owner;           /* of the network's thread: whom the reply is for; NULL: gone */
  uint8_t *bytes;        /* the request; owned */
  size_t size, capacity;
  vlb_noise_key key;     /* for an observation without one */
  double previous_ms;    /* what the reply says about the one before; < 0: nothing */
  double arrived, begun, done; /* seconds, vlb_seconds */
  vlb_packer *reply;     /* owned, with the headroom given to vlb_jobs_open */
  vlb_error error;       /* code VLB_OK: reply holds the answer; VLB_USAGE: the client's fault */
} vlb_job;

void vlb_job_free(vlb_job *job);

typedef struct vlb_jobs vlb_jobs;

/* Starts a thread per policy. wake(self) is called from them whenever something can be collected, until vlb_jobs_stop, which waits for what
 * runs. Caller: vlb_jobs_close. */
vlb_code vlb_jobs_open(const vlb_wire_shape *shape, const vlb_wire_policy *policies, int workers, void (*wake)(void *self), void *self,
                       vlb_jobs **jobs, vlb_error *err);
void vlb_jobs_stop(vlb_jobs *jobs);
void vlb_jobs_close(vlb_jobs *jobs);

void vlb_jobs_submit(vlb_jobs *jobs, vlb_job *job);   /* takes the job over until it is collected */
vlb_job *vlb_jobs_collect(vlb_jobs *jobs);            /* one that is done, NULL: none */
bool vlb_jobs_withdraw(vlb_jobs *jobs, vlb_job *job); /* takes a job back that no worker has begun; false: it has */

#endif
