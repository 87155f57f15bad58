/* What long-running work is handed: where to log, how many threads, whether to stop. */
#ifndef VLB_BASE_CONTEXT_H
#define VLB_BASE_CONTEXT_H

#include <signal.h>

#include "core/base/log.h"
#include "core/base/status.h"

typedef struct {
  vlb_log *log;                       /* never NULL */
  int threads;                        /* >= 1; never changes a result */
  const volatile sig_atomic_t *stop; /* set by SIGINT/SIGTERM; may be NULL */
} vlb_context;

/* VLB_INTERRUPTED once a stop was asked for; call between units of work. */
vlb_code vlb_check_stop(const vlb_context *ctx, vlb_error *err);

#endif
