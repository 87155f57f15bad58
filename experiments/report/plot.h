/* Plots through a gnuplot pipe, as SVG and PNG. Script and data stay beside them: `gnuplot success.gp` in that folder draws them again. */
#ifndef VLB_REPORT_PLOT_H
#define VLB_REPORT_PLOT_H

#include "core/base/context.h"
#include "experiments/report/evidence.h"

/* One picture: folder/<name>.dat is written by data, folder/<name>.gp by script (once for each of SVG and PNG), then gnuplot draws. */
typedef struct {
  const char *name, *folder;
  int width, height; /* of the SVG, in pixels; the PNG has twice as many */
  void (*data)(const void *self, FILE *out);
  void (*script)(const void *self, FILE *out);
  const void *self;
} vlb_plot;

/* VLB_INCOMPLETE, after writing data and script, when gnuplot is not installed. */
vlb_code vlb_plot_draw(const vlb_plot *plot, vlb_error *err);

/* Everything that the evidence can show. drawn: names of the plots, in the order of a page, closed by NULL. Errors as of vlb_plot_draw. */
enum { VLB_MAX_PLOTS = 12 };
vlb_code vlb_plots(const vlb_evidence *e, const vlb_plan *plan, const char *root, const char *folder, const char *drawn[VLB_MAX_PLOTS], vlb_error *err);
const char *vlb_plot_title(const char *name); /* "Success per arm", for the name of a plot */

/* One file each; *drawn tells whether there was anything to show. */
vlb_code vlb_plot_success(const vlb_evidence *e, const char *folder, bool *drawn, vlb_error *err);
vlb_code vlb_plot_forest(const vlb_evidence *e, const char *folder, bool *drawn, vlb_error *err);
vlb_code vlb_plot_curve(const vlb_evidence *e, const vlb_plan *plan, const char *root, const char *folder, bool *drawn, vlb_error *err);
vlb_code vlb_plot_tasks(const vlb_evidence *e, const char *folder, bool *drawn, vlb_error *err);
vlb_code vlb_plot_loss(const vlb_evidence *e, const vlb_plan *plan, const char *root, const char *folder, bool *drawn, vlb_error *err);

/* For scripts. */
void vlb_plot_text(const char *text, FILE *out);       /* for the inside of a single-quoted string */
void vlb_plot_heading(const vlb_evidence *e, const char *what, const char *more, FILE *out); /* title and a grey line below it */
extern const char *const vlb_plot_colours[8];          /* that stay apart for colour-blind readers (Okabe and Ito) */

#endif
