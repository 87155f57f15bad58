#include "core/base/context.h"

vlb_code vlb_check_stop(const vlb_context *ctx, vlb_error *err) {
  if (!ctx->stop || !*ctx->stop) return VLB_OK;
  return vlb_fail(err, VLB_INTERRUPTED, "interrupted; what is finished is kept, the same command continues");
}
