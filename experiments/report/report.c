#include "experiments/report/report.h"

#include <stdlib.h>

#include "core/base/file.h"
#include "experiments/report/clock.h"
#include "experiments/report/pareto.h"
#include "experiments/report/plot.h"
#include "experiments/report/table.h"
#include "experiments/store/store.h"

static vlb_code write_table(const vlb_evidence *e, const char *folder, const char *name, void (*write)(const vlb_evidence *e, FILE *out),
                            vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/%s", folder, name));
  VLB_TRY(vlb_writer_open(&w, path, err));
  write(e, w.out);
  return vlb_writer_commit(&w, err);
}

static vlb_code write_tables(const vlb_evidence *e, const char *folder, vlb_error *err) {
  VLB_TRY(write_table(e, folder, "table.md", vlb_table_markdown, err));
  VLB_TRY(write_table(e, folder, "table.tex", vlb_table_latex, err));
  VLB_TRY(write_table(e, folder, "table.csv", vlb_table_csv, err));
  VLB_TRY(write_table(e, folder, "columns.csv", vlb_columns_csv, err));
  VLB_TRY(write_table(e, folder, "contrasts.csv", vlb_contrasts_csv, err));
  return write_table(e, folder, "tasks.csv", vlb_tasks_csv, err);
}

static void print_json(const vlb_evidence *e, const char *folder, const char *const *plots) {
  json_t *root = vlb_table_json(e), *names = json_array();
  for (int i = 0; plots[i]; i++) json_array_append_new(names, json_string(plots[i]));
  json_object_set_new(root, "folder", json_string(folder));
  json_object_set_new(root, "plots", names);
  json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
  putchar('\n');
  json_decref(root);
}

static void tell_paths(const char *folder, const char *const *plots, const vlb_context *ctx) {
  char names[256] = "";
  for (int i = 0, n = 0; plots[i] && n < (int)sizeof names; i++) n += snprintf(names + n, sizeof names - (size_t)n, "%s%s", i ? ", " : "", plots[i]);
  vlb_info(ctx->log, "table  %s/table.md  (.csv, .tex; columns, contrasts, tasks .csv)", folder);
  if (plots[0]) vlb_info(ctx->log, "plots  %s/: %s  (.svg, .png)", folder, names);
}

vlb_code vlb_report_folder(const vlb_ablation *a, const char *root, char path[1024], vlb_error *err) {
  return vlb_path(path, 1024, err, "%s/%s%s", root, a->name, vlb_preset_suffix(a));
}

vlb_code vlb_report_files(const vlb_evidence *e, const vlb_plan *plan, const char *root, char folder[1024], const char *plots[VLB_MAX_PLOTS], vlb_error *err) {
  plots[0] = NULL;
  VLB_TRY(vlb_report_folder(e->ablation, root, folder, err));
  VLB_TRY(vlb_folder_make(folder, err));
  vlb_folder_clean(folder);
  VLB_TRY(write_tables(e, folder, err));
  vlb_code drawn = vlb_plots(e, plan, root, folder, plots, err);
  if (drawn && drawn != VLB_INCOMPLETE) return drawn;
  vlb_code clock = vlb_clock_report(e, plan, root, folder, plots, err);
  if (!drawn) drawn = clock;
  if (drawn) plots[0] = NULL;
  return drawn;
}

static vlb_code report(const vlb_evidence *e, const vlb_plan *plan, const char *root, const vlb_report_options *options, const vlb_context *ctx,
                       vlb_error *err) {
  char folder[1024];
  const char *plots[VLB_MAX_PLOTS];
  vlb_code drawn = vlb_report_files(e, plan, root, folder, plots, err);
  if (drawn && drawn != VLB_INCOMPLETE) return drawn;
  if (options->json)
    print_json(e, folder, plots);
  else if (!options->silent)
    vlb_table_markdown(e, stdout), vlb_pareto_markdown(e, plan, root, stdout);
  if (e->mixed) vlb_warn(ctx->log, "the cells were made under different %s (%s)", e->mixed->name, e->mixed->doc);
  tell_paths(folder, plots, ctx);
  return drawn;
}

/* A store of another program, or of other settings, looks full and yet holds nothing of this ablation: said, not left to be guessed. */
static vlb_code nothing_there(const vlb_ablation *a, const vlb_plan *plan, const char *root, vlb_error *err) {
  int cells = vlb_store_count(root);
  for (int i = 0; i < plan->count; i++)
    if (vlb_store_state(root, plan->cells[i].name, false, NULL) != VLB_STORED_ABSENT) cells = 0;
  if (!cells) return vlb_fail(err, VLB_INCOMPLETE, "%s: no arm of %s has a result there; 'vlabench run' makes them", root, a->name);
  return vlb_fail(err, VLB_INCOMPLETE, "%s: none of the %d cells there is a result of %s%s as today's program plans it: another program, other settings or "
                                       "another preset made them; 'vlabench run' makes new ones",
                  root, cells, a->name, vlb_preset_suffix(a));
}

vlb_code vlb_report(const vlb_ablation *ablation, const vlb_plan *plan, const char *root, const vlb_report_options *options, const vlb_context *ctx,
                    vlb_error *err) {
  vlb_evidence *e = malloc(sizeof *e);
  if (!e) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = vlb_evidence_gather(ablation, plan, root, options->method, e, err);
  if (!code) {
    int missing = e->missing;
    /* what was written from other cells is worth more than an empty table */
    if (missing == ablation->arm_count)
      code = nothing_there(ablation, plan, root, err);
    else
      code = report(e, plan, root, options, ctx, err);
    if (!code && missing)
      code = vlb_fail(err, VLB_INCOMPLETE, "%d of %d arms have no result; 'vlabench run' makes what is missing", missing, ablation->arm_count);
    vlb_evidence_free(e);
  }
  free(e);
  return code;
}
