#include <stddef.h>

#include "experiments/cli/commands.h"
#include "experiments/cli/study.h"

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  vlb_study study;
  VLB_TRY(vlb_study_open(args, &study, err));
  vlb_code code = vlb_study_do(args, &study, ctx, err);
  vlb_study_close(&study);
  return code;
}

static const vlb_option options[] = {VLB_OPTION_QUICK, VLB_OPTION_PRESET, VLB_OPTION_DRY, VLB_OPTION_STORE, VLB_OPTION_JSON, {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_run = {
    "run", "an ablation from start to finish: train, roll out, table and plot", "FILE",
    "  vlabench run ablations/attention.toml --quick   a first answer in minutes\n"
    "  vlabench run ablations/attention.toml -n        cells, what exists, how long the rest takes\n"
    "  vlabench run my.toml --store /data/results -j8  elsewhere, on eight threads\n"
    "Finished cells are kept: the same command continues after an interruption and does only what is missing. The same command in a second\n"
    "terminal, or on another machine that sees the store, takes the cells that nobody is making.\n",
    options, 1, 1, run, NULL};
