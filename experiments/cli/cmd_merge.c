#include <jansson.h>

#include "experiments/cli/commands.h"
#include "experiments/store/store.h"

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  const char *root = vlb_arg_text(args, "store", "results");
  bool json = vlb_arg_on(args, "json");
  for (int i = 0; i < vlb_arg_count(args); i++) {
    int copied, skipped;
    VLB_TRY(vlb_store_merge(root, vlb_arg_at(args, i), ctx, &copied, &skipped, err));
    if (json)
      printf("{\"from\": \"%s\", \"copied\": %d, \"skipped\": %d}\n", vlb_arg_at(args, i), copied, skipped);
    else
      printf("%s: %d cell%s copied, %d skipped\n", vlb_arg_at(args, i), copied, copied == 1 ? "" : "s", skipped);
  }
  return VLB_OK;
}

static const vlb_option options[] = {VLB_OPTION_STORE, VLB_OPTION_JSON, {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_merge = {"merge", "cells of other stores into this one, every byte checked", "DIR...",
                                   "  vlabench merge /mnt/other/results                what another machine has finished\n"
                                   "  vlabench merge one two --store all               into a third\n"
                                   "A cell is named by everything that can change its outcome, so equal names are equal work, wherever it was done.\n",
                                   options, 1, 64, run, NULL};
