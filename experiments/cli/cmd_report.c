#include <stddef.h>

#include "experiments/cli/commands.h"
#include "experiments/cli/study.h"
#include "experiments/report/report.h"

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  vlb_study study;
  VLB_TRY(vlb_study_open(args, &study, err));
  vlb_code code = vlb_report(study.ablation, &study.plan, study.root, &(vlb_report_options){.json = vlb_arg_on(args, "json")}, ctx, err);
  vlb_study_close(&study);
  return code;
}

static const vlb_option options[] = {VLB_OPTION_QUICK, VLB_OPTION_PRESET, VLB_OPTION_STORE, VLB_OPTION_JSON, {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_report = {
    "report", "table and plot of an ablation again, from stored cells alone", "FILE",
    "  vlabench report ablations/attention.toml          table on stdout, files in results/attention/\n"
    "  vlabench report ablations/attention.toml --json   the numbers for a program\n",
    options, 1, 1, run, NULL};
