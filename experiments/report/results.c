#include "experiments/report/results.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "experiments/report/claims_table.h"
#include "experiments/report/latex.h"
#include "experiments/report/page.h"
#include "experiments/report/table.h"
#include "experiments/store/store.h"

typedef struct {
  const vlb_survey *survey;
  const vlb_context *ctx;
  vlb_claims claims;
  vlb_page *page;
  vlb_latex *latex;
  json_t *manifest, *summary;
  bool json;
  int ablations, incomplete;
  vlb_error plots; /* why there are none */
} results;

/* Digest of a cell's manifest, as its `done` holds it: it covers every byte of the cell. */
static json_t *cell_json(const char *root, const vlb_cell *cell) {
  char folder[1024], path[1100], *text;
  size_t size;
  json_t *out = json_pack("{s:s,s:s,s:s}", "cell", cell->name, "what", cell->label, "sha256", cell->hash);
  if (vlb_store_folder(root, cell->name, folder, NULL) || vlb_path(path, sizeof path, NULL, "%s/done", folder) || !vlb_file_exists(path) ||
      vlb_file_read(path, &text, &size, NULL))
    return out;
  json_object_set_new(out, "manifest_sha256", json_stringn(text, strcspn(text, "\n")));
  free(text);
  return out;
}

static void add_manifest(results *r, const vlb_evidence *e, const vlb_plan *plan) {
  json_t *cells = json_array();
  for (int i = 0; i < plan->count; i++) json_array_append_new(cells, cell_json(r->survey->root, &plan->cells[i]));
  json_array_append_new(r->manifest, json_pack("{s:s,s:s,s:b,s:o}", "ablation", e->ablation->name, "preset", vlb_preset_names[e->ablation->preset],
                                               "one_class", !e->mixed, "cells", cells));
}

/* "attention-quick   3 arms, 3 contrasts, 1 separable" */
static void tell(results *r, const vlb_evidence *e) {
  const vlb_ablation *a = e->ablation;
  int separable = 0;
  char name[96];
  for (int i = 0; i < a->contrast_count; i++) separable += e->contrasts[i].separable;
  snprintf(name, sizeof name, "%s%s", a->name, vlb_preset_suffix(a));
  if (r->json)
    json_array_append_new(r->summary, vlb_table_json(e));
  else
    printf("%-28s %2d arms%s, %2d contrasts, %2d separable\n", name, a->arm_count, e->missing ? " (incomplete)" : "", a->contrast_count, separable);
}

static vlb_code add(void *self, const vlb_evidence *e, const vlb_plan *plan, vlb_error *err) {
  results *r = self;
  char folder[1024];
  const char *plots[VLB_MAX_PLOTS];
  vlb_code code = vlb_report_files(e, plan, r->survey->root, folder, plots, err);
  if (code == VLB_INCOMPLETE && err) r->plots = *err;
  if (code && code != VLB_INCOMPLETE) return code;
  r->ablations++;
  r->incomplete += e->missing > 0;
  VLB_TRY(vlb_claims_add(&r->claims, e, plan, r->survey->root, err));
  add_manifest(r, e, plan);
  tell(r, e);
  vlb_latex_add(r->latex, e, plots);
  return vlb_page_add(r->page, e, plan, r->survey->root, plots, err);
}

static vlb_code write_manifest(const results *r, vlb_error *err) {
  char path[1024];
  json_t *root = json_pack("{s:s,s:O}", "vlabench", VLB_VERSION, "ablations", r->manifest);
  char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
  json_decref(root);
  vlb_code code = text ? vlb_path(path, sizeof path, err, "%s/manifest.json", r->survey->root) : vlb_fail(err, VLB_FAILED, "out of memory");
  if (!code) code = vlb_file_write(path, text, strlen(text), err);
  free(text);
  return code;
}

static vlb_code write_all(results *r, vlb_error *err) {
  char path[1024];
  vlb_claims_judge(&r->claims);
  VLB_TRY(vlb_claims_write(&r->claims, r->survey->root, err));
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/index.html", r->survey->root));
  VLB_TRY(vlb_page_write(r->page, &r->claims, path, err));
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/results.tex", r->survey->root));
  VLB_TRY(vlb_latex_write(r->latex, &r->claims, path, err));
  return write_manifest(r, err);
}

static void print_json(const results *r) {
  json_t *root = json_pack("{s:O,s:o}", "ablations", r->summary, "claims", vlb_claims_json(&r->claims));
  json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
  putchar('\n');
  json_decref(root);
}

/* What is said once all is written. */
static vlb_code close_up(const results *r, vlb_error *err) {
  if (r->json) print_json(r);
  vlb_info(r->ctx->log, "page   %s/index.html  (claims.md, .csv, .tex; results.tex; manifest.json)", r->survey->root);
  if (r->plots.code) return vlb_fail(err, VLB_INCOMPLETE, "%s", r->plots.message);
  if (r->incomplete)
    return vlb_fail(err, VLB_INCOMPLETE, "%d of %d ablations miss results of some arms; 'vlabench run' makes them", r->incomplete, r->ablations);
  return VLB_OK;
}

static vlb_code run(results *r, vlb_error *err) {
  VLB_TRY(vlb_claims_open(&r->claims, err));
  VLB_TRY(vlb_page_open(&r->page, err));
  VLB_TRY(vlb_latex_open(&r->latex, err));
  VLB_TRY(vlb_survey_each(r->survey, add, r, r->ctx, err));
  int cells = vlb_store_count(r->survey->root);
  if (!r->ablations && cells)
    return vlb_fail(err, VLB_INCOMPLETE, "%s: none of the %d cells there belongs to these ablations as today's program plans them: another program or other "
                                         "settings made them; 'vlabench run' makes new ones",
                    r->survey->root, cells);
  if (!r->ablations) return vlb_fail(err, VLB_INCOMPLETE, "%s: no ablation has a result there; 'vlabench run' makes them", r->survey->root);
  VLB_TRY(write_all(r, err));
  return close_up(r, err);
}

vlb_code vlb_results(const vlb_survey *survey, bool json, const vlb_context *ctx, vlb_error *err) {
  results *r = calloc(1, sizeof *r);
  if (!r) return vlb_fail(err, VLB_FAILED, "out of memory");
  *r = (results){.survey = survey, .ctx = ctx, .json = json, .manifest = json_array(), .summary = json_array()};
  vlb_code code = run(r, err);
  vlb_page_close(r->page);
  vlb_latex_close(r->latex);
  json_decref(r->manifest);
  json_decref(r->summary);
  free(r);
  return code;
}
