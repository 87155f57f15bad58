/* A fixed set of worker threads for independent jobs. Which thread runs a job never matters for its result. */
#ifndef VLB_BASE_POOL_H
#define VLB_BASE_POOL_H

#include "core/base/status.h"

/* Runs job(self, i, worker, err) for i = 0..n-1 on up to `threads` threads and waits. `worker` is 0..threads-1 and
 * is never shared by two jobs at the same time (index of per-thread scratch). After a failure no new job starts;
 * the error of the lowest failed index that ran is returned. */
typedef vlb_code (*vlb_job)(void *self, int index, int worker, vlb_error *err);
vlb_code vlb_parallel(int threads, int n, vlb_job job, void *self, vlb_error *err);

#endif
