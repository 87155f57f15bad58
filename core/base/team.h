/* Threads that stay: for work of many short pieces, one after the other, as an inference is (thousands of products of some 20 microseconds).
 * core/base/pool.h starts threads for every call, which costs as much as such a piece. */
#ifndef VLB_BASE_TEAM_H
#define VLB_BASE_TEAM_H

#include "core/base/status.h"

typedef struct vlb_team vlb_team;

/* `threads` >= 1 including the caller's own; fewer when the system gives no more. Errors: VLB_FAILED. Caller frees. */
vlb_code vlb_team_create(int threads, vlb_team **team, vlb_error *err);
void vlb_team_free(vlb_team *team);
int vlb_team_size(const vlb_team *team); /* 1 for NULL */

/* Runs part(self, i, worker) for i = 0..n-1, each once, and returns when all are done. Which worker (0 .. size-1) runs a part is chance, so
 * a part's result must not depend on it; `worker` is for scratch memory. One caller at a time. team NULL: the caller does it all. */
typedef void (*vlb_part)(void *self, int index, int worker);
void vlb_team_run(vlb_team *team, int n, vlb_part part, void *self);

#endif
