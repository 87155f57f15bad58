/* A look at the suites: one HTML page that needs nothing else, with every task's beginning and end. */
#ifndef VLB_REPORT_GALLERY_H
#define VLB_REPORT_GALLERY_H

#include "core/base/context.h"
#include "sim/rollout/gallery.h"

/* Writes the page: pictures inside as PNG, no scripts, light and dark. Plays the expert at every task of the suites, on
 * ctx->threads threads; the same bytes at any number of them. Atomic. Errors: VLB_FAILED with the task. */
vlb_code vlb_gallery_write(const char *path, vlb_suite *const *suites, int n, const vlb_gallery_settings *s, const vlb_context *ctx,
                           vlb_error *err);

#endif
