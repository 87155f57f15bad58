/* vlabench verify: recompute a reference case and compare every tensor. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/timing.h"
#include "core/data/tokenizer.h"
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

/* ---- a tokenizer ---- */

/* whether a string gets the ids that are noted beside it; a case without them is an error */
static vlb_code check_string(const vlb_tokenizer *tok, const char *path, size_t i, const json_t *c, bool *same, int *total, vlb_error *err) {
  const json_t *text = json_object_get(c, "text"), *expected = json_object_get(c, "ids");
  int32_t *ids = NULL;
  int n = 0;
  if (!json_is_string(text) || !json_is_array(expected)) return vlb_fail(err, VLB_FAILED, "%s: entry %zu has no text with ids", path, i);
  if (vlb_tokenizer_encode(tok, json_string_value(text), json_string_length(text), &ids, &n, err)) return vlb_fail_at(err, "%s: entry %zu", path, i);
  *same = (size_t)n == json_array_size(expected);
  for (int k = 0; *same && k < n; k++) *same = ids[k] == json_integer_value(json_array_get(expected, (size_t)k));
  *total += n;
  free(ids);
  return VLB_OK;
}

static vlb_code check_strings(const vlb_tokenizer *tok, const char *path, const json_t *cases, vlb_log *log, vlb_error *err) {
  int differ = 0, total = 0;
  if (!json_is_array(cases)) return vlb_fail(err, VLB_FAILED, "%s: not a list of texts with their ids, as scripts/reference/make_strings.py makes one", path);
  for (size_t i = 0; i < json_array_size(cases); i++) {
    bool same;
    VLB_TRY(check_string(tok, path, i, json_array_get(cases, i), &same, &total, err));
    if (!same && differ++ < 5) vlb_warn(log, "entry %zu has other ids: %.100s", i, json_string_value(json_object_get(json_array_get(cases, i), "text")));
  }
  printf("%zu strings, %d ids, %d strings differ\n", json_array_size(cases), total, differ);
  return differ ? vlb_fail(err, VLB_FELL_SHORT, "%d of %zu strings get other ids", differ, json_array_size(cases)) : VLB_OK;
}

static vlb_code verify_tokenizer(const char *path, const char *strings, vlb_log *log, vlb_error *err) {
  vlb_tokenizer *tok;
  json_error_t why;
  double start = vlb_seconds();
  VLB_TRY(vlb_tokenizer_open(path, &tok, err));
  vlb_info(log, "%s: loaded in %.3f s", path, vlb_seconds() - start);
  json_t *cases = json_load_file(strings, JSON_ALLOW_NUL, &why);
  vlb_code code = cases ? check_strings(tok, strings, cases, log, err) : vlb_fail(err, VLB_FAILED, "%s: %s", strings, why.text);
  json_decref(cases);
  vlb_tokenizer_free(tok);
  return code;
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  double tolerance = 1e-4;
  VLB_TRY(vlb_arg_real(args, "tolerance", 0, 1, &tolerance, err));
  if (vlb_arg_on(args, "strings")) return verify_tokenizer(vlb_arg_at(args, 0), vlb_arg_text(args, "strings", NULL), ctx->log, err);
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
    {0, "tolerance", "X", "allowed difference in units of a tensor's largest magnitude (default 1e-4)"},
    {0, "strings", "FILE", "compare a tokenizer.json with ids that transformers gave (scripts/reference/make_strings.py)"},
    VLB_OPTION_JSON, {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_verify = {
    .name = "verify",
    .summary = "recompute a reference case and compare every tensor",
    .usage = "PREFIX|DIR|TOKENIZER",
    .examples = "  vlabench verify tests/data/golden/interleave          # PREFIX.json, .weights.safetensors, .io.safetensors\n"
                "  vlabench verify cases/mine --tolerance 1e-5 --json\n"
                "  vlabench verify lerobot-0.45B                         # a checkpoint with LeRobot's own results in reference.safetensors\n"
                "  vlabench verify vlm/tokenizer.json --strings ids.json # a tokenizer against ids that transformers gave\n",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .run = run};
