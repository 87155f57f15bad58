#include <stddef.h>
#include <string.h>

#include "core/base/fields.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/study.h"
#include "experiments/report/report.h"
#include "experiments/report/results.h"

enum { MAX_FILES = 64 };

static vlb_code read_method(const vlb_args *args, vlb_rate_method *method, vlb_error *err) {
  const char *word = vlb_arg_text(args, "interval", vlb_rate_method_words[VLB_WILSON]);
  for (int m = 0; m < VLB_RATE_METHOD_COUNT; m++)
    if (!strcmp(word, vlb_rate_method_words[m])) {
      *method = (vlb_rate_method)m;
      return VLB_OK;
    }
  const char *near = vlb_suggest(word, vlb_rate_method_words, VLB_RATE_METHOD_COUNT);
  return vlb_fail(err, VLB_USAGE, "--interval %s: there are wilson, clopper-pearson, jeffreys, agresti-coull%s%s%s", word, near ? "; did you mean " : "",
                  near ? near : "", near ? "?" : "");
}

/* No file: every embedded ablation that has a result; several: these. */
static vlb_code report_all(const vlb_args *args, const vlb_report_options *options, const vlb_context *ctx, vlb_error *err) {
  const char *files[MAX_FILES];
  for (int i = 0; i < vlb_arg_count(args); i++) files[i] = vlb_arg_at(args, i);
  const vlb_survey survey = {.files = files, .count = vlb_arg_count(args), .root = vlb_arg_text(args, "store", "results"), .method = options->method};
  return vlb_results(&survey, options->json, ctx, err);
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  vlb_report_options options = {.json = vlb_arg_on(args, "json")};
  vlb_study study;
  VLB_TRY(read_method(args, &options.method, err));
  if (vlb_arg_count(args) != 1) return report_all(args, &options, ctx, err);
  VLB_TRY(vlb_study_open(args, &study, err));
  vlb_code code = vlb_report(study.ablation, &study.plan, study.root, &options, ctx, err);
  vlb_study_close(&study);
  return code;
}

static const vlb_option options[] = {VLB_OPTION_QUICK,
                                     VLB_OPTION_PRESET,
                                     VLB_OPTION_STORE,
                                     {0, "interval", "NAME", "of rates: wilson (default), clopper-pearson, jeffreys, agresti-coull"},
                                     VLB_OPTION_JSON,
                                     {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_report = {
    "report", "tables and plots again from stored cells, of one ablation or of all; claims, a page", "[FILE ...]",
    "  vlabench report                                   everything in ./results: tables, plots, claims, results/index.html\n"
    "  vlabench report ablations/attention.toml          table on stdout, files in results/attention/\n"
    "  vlabench report ablations/attention.toml --json   the numbers for a program\n"
    "  vlabench report --interval clopper-pearson        intervals that never cover less than 95 %\n",
    options, 0, MAX_FILES, run, NULL};
