#include "experiments/report/report.h"

#include <stdlib.h>

#include "core/base/file.h"
#include "experiments/report/plot.h"
#include "experiments/report/table.h"

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
  VLB_TRY(write_table(e, folder, "contrasts.csv", vlb_contrasts_csv, err));
  return write_table(e, folder, "tasks.csv", vlb_tasks_csv, err);
}

static void print_json(const vlb_evidence *e, const char *folder, bool plots) {
  json_t *root = vlb_table_json(e);
  json_object_set_new(root, "folder", json_string(folder));
  json_object_set_new(root, "plots", json_boolean(plots));
  json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
  putchar('\n');
  json_decref(root);
}

static vlb_code report(const vlb_evidence *e, const vlb_plan *plan, const char *root, bool json, const vlb_context *ctx, vlb_error *err) {
  char folder[1024];
  bool loss = false;
  VLB_TRY(vlb_path(folder, sizeof folder, err, "%s/%s%s", root, e->ablation->name, vlb_preset_suffix(e->ablation)));
  VLB_TRY(vlb_folder_make(folder, err));
  vlb_folder_clean(folder);
  VLB_TRY(write_tables(e, folder, err));
  vlb_code plot = vlb_plot_success(e, folder, err);
  if (!plot) plot = vlb_plot_loss(e->ablation, plan, root, folder, &loss, err);
  if (plot && plot != VLB_INCOMPLETE) return plot;
  if (json)
    print_json(e, folder, !plot);
  else
    vlb_table_markdown(e, stdout);
  if (e->mixed) vlb_warn(ctx->log, "the cells were made under different %s (%s)", e->mixed->name, e->mixed->doc);
  vlb_info(ctx->log, "table  %s/table.md  (.csv, .tex; per task: tasks.csv)", folder);
  if (!plot) vlb_info(ctx->log, "plot   %s/success.svg  (.png)%s%s%s", folder, loss ? "; " : "", loss ? folder : "", loss ? "/loss.svg" : "");
  return plot;
}

vlb_code vlb_report(const vlb_ablation *ablation, const vlb_plan *plan, const char *root, bool json, const vlb_context *ctx, vlb_error *err) {
  vlb_evidence *e = malloc(sizeof *e);
  if (!e) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = vlb_evidence_gather(ablation, plan, root, e, err);
  if (!code) {
    int missing = e->missing;
    /* what was written from other cells is worth more than an empty table */
    if (missing == ablation->arm_count)
      code = vlb_fail(err, VLB_INCOMPLETE, "%s: no arm of %s has a result there; 'vlabench run' makes them", root, ablation->name);
    else
      code = report(e, plan, root, json, ctx, err);
    if (!code && missing)
      code = vlb_fail(err, VLB_INCOMPLETE, "%d of %d arms have no result; 'vlabench run' makes what is missing", missing, ablation->arm_count);
    vlb_evidence_free(e);
  }
  free(e);
  return code;
}
