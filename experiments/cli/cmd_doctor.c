#include "experiments/cli/commands.h"

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  (void)args;
  (void)err;
  printf("threads      %d\n", ctx->threads);
  return VLB_OK;
}

static const vlb_option options[] = {VLB_OPTION_JSON, {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_doctor = {
    "doctor", "what this machine is, and what would make results differ", "",
    "  vlabench doctor          libraries as loaded, instruction set, renderer, physics probe\n"
    "  vlabench doctor --json   the same for a program\n",
    options, 0, 0, run, NULL};
