#include <jansson.h>

#include "experiments/cli/commands.h"
#include "experiments/report/claims_table.h"
#include "experiments/report/survey.h"

typedef struct {
  const char *root;
  vlb_claims claims;
} gathering;

static vlb_code add(void *self, const vlb_evidence *e, const vlb_plan *plan, vlb_error *err) {
  gathering *g = self;
  return vlb_claims_add(&g->claims, e, plan, g->root, err);
}

enum { MAX_FILES = 64 };

static void print_markdown(const vlb_claims *claims) { vlb_claims_markdown(claims, stdout); }

static void print_json(const vlb_claims *claims) {
  json_t *root = vlb_claims_json(claims);
  json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
  putchar('\n');
  json_decref(root);
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  const char *files[MAX_FILES];
  gathering g = {.root = vlb_arg_text(args, "store", "results")};
  VLB_TRY(vlb_claims_open(&g.claims, err));
  for (int i = 0; i < vlb_arg_count(args); i++) files[i] = vlb_arg_at(args, i);
  const vlb_survey survey = {.files = files, .count = vlb_arg_count(args), .root = g.root};
  VLB_TRY(vlb_survey_each(&survey, add, &g, ctx, err));
  vlb_claims_judge(&g.claims);
  (vlb_arg_on(args, "json") ? print_json : print_markdown)(&g.claims);
  return VLB_OK;
}

static const vlb_option options[] = {VLB_OPTION_STORE, VLB_OPTION_JSON, {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_claims = {
    "claims", "each claim of the paper: its effect there, ours, and a verdict on both", "[FILE ...]",
    "  vlabench claims                             from whatever results there are, and by the paper's own numbers\n"
    "  vlabench claims ablations/attention.toml    from these ablations alone\n"
    "  vlabench claims --store /data/results --json\n",
    options, 0, MAX_FILES, run, NULL};
