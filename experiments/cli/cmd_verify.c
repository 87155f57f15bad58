/* vlabench verify: recompute a reference case and compare every tensor. */
#include <jansson.h>
#include <math.h>

#include "core/train/verify.h"
#include "experiments/cli/commands.h"

typedef struct {
  bool json;
  json_t *rows;
  int compared;
} report;

static void add_json(report *r, const vlb_verify_row *row) {
  json_array_append_new(r->rows, json_pack("{s:s, s:I, s:f, s:f, s:f, s:I, s:b}", "tensor", row->name, "count", (json_int_t)row->count,
                                           "largest", row->largest, "max_abs", isfinite(row->absolute) ? row->absolute : -1.0,
                                           "max_rel", isfinite(row->relative) ? row->relative : -1.0, "undetermined",
                                           (json_int_t)row->undetermined, "passed", row->passed));
}

static void add_row(void *self, const vlb_verify_row *row) {
  report *r = self;
  if (!r->json && !r->compared) printf("%-86s %9s  %8s  %8s\n", "tensor", "elements", "max abs", "max rel");
  r->compared++;
  if (r->json)
    add_json(r, row);
  else if (row->undetermined)
    printf("%-86s %9zu  %.2e  %.2e  ok but for %zu undetermined\n", row->name, row->count, row->absolute, row->relative, row->undetermined);
  else if (row->count)
    printf("%-86s %9zu  %.2e  %.2e  %s\n", row->name, row->count, row->absolute, row->relative, row->passed ? "ok" : "OUT");
  else
    printf("%-86s %9s  %8s  %8s  %s\n", row->name, "-", "-", "-", "OUT: not recomputed, or of another size");
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  double tolerance = 1e-4;
  VLB_TRY(vlb_arg_real(args, "tolerance", 0, 1, &tolerance, err));
  report r = {vlb_arg_on(args, "json"), json_array(), 0};
  int failures = 0;
  vlb_code code = vlb_verify(vlb_arg_at(args, 0), tolerance, add_row, &r, &failures, err);
  if (r.json && !code) {
    json_t *out = json_pack("{s:f, s:i, s:i, s:O}", "tolerance", tolerance, "compared", r.compared, "failed", failures, "tensors", r.rows);
    json_dumpf(out, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(out);
  }
  json_decref(r.rows);
  if (code) return code;
  if (failures)
    return vlb_fail(err, VLB_FELL_SHORT, "%d of %d tensors differ by more than %g of their largest magnitude", failures, r.compared, tolerance);
  vlb_info(ctx->log, "%d tensors agree within %g of their largest magnitude", r.compared, tolerance);
  return VLB_OK;
}

static const vlb_option options[] = {
    {0, "tolerance", "X", "allowed difference in units of a tensor's largest magnitude (default 1e-4)"}, VLB_OPTION_JSON, {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_verify = {
    .name = "verify",
    .summary = "recompute a reference case and compare every tensor",
    .usage = "PREFIX|DIR",
    .examples = "  vlabench verify tests/data/golden/interleave          # PREFIX.json, .weights.safetensors, .io.safetensors\n"
                "  vlabench verify cases/mine --tolerance 1e-5 --json\n"
                "  vlabench verify lerobot-0.45B                         # a checkpoint with LeRobot's own results in reference.safetensors\n",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run};
