/* Everything of an ablation that is derived from stored cells: ROOT/<name>[-quick]/. */
#ifndef VLB_REPORT_REPORT_H
#define VLB_REPORT_REPORT_H

#include "core/base/context.h"
#include "experiments/report/evidence.h"
#include "experiments/report/plot.h"

typedef struct {
  bool json;              /* on stdout instead of Markdown */
  bool silent;            /* nothing on stdout */
  vlb_rate_method method; /* of the intervals of rates */
} vlb_report_options;

/* Writes table.md, table.tex, table.csv, columns.csv, contrasts.csv, tasks.csv and the plots, prints the table (Markdown, or JSON with the paths) on
 * stdout and the paths through the log. The same cells give the same bytes. Errors: VLB_FAILED; VLB_INCOMPLETE (after writing everything
 * else) when an arm has no result or gnuplot is missing. */
vlb_code vlb_report(const vlb_ablation *ablation, const vlb_plan *plan, const char *root, const vlb_report_options *options, const vlb_context *ctx,
                    vlb_error *err);

/* Writes the files alone. folder: where; plots: their names, closed by NULL. VLB_INCOMPLETE (plots empty) when gnuplot is missing. */
vlb_code vlb_report_files(const vlb_evidence *e, const vlb_plan *plan, const char *root, char folder[1024], const char *plots[VLB_MAX_PLOTS], vlb_error *err);

/* ROOT/<name>[-quick] into path[1024]. */
vlb_code vlb_report_folder(const vlb_ablation *ablation, const char *root, char path[1024], vlb_error *err);

#endif
