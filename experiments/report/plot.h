/* Plots through a gnuplot pipe, as SVG and PNG. Script and data stay beside them: `gnuplot success.gp` in that folder draws them again. */
#ifndef VLB_REPORT_PLOT_H
#define VLB_REPORT_PLOT_H

#include "core/base/context.h"
#include "experiments/report/evidence.h"

/* success.{svg,png,gp,dat} and tasks.dat: rate and interval per arm, its tasks as small dots, the paper's number beside it. */
vlb_code vlb_plot_success(const vlb_evidence *e, const char *folder, vlb_error *err);

/* loss.{svg,png,gp,dat}: mean over equal bins of steps, one curve per arm; arms without a stored loss.csv are left out. drawn: false when there is none. */
vlb_code vlb_plot_loss(const vlb_ablation *a, const vlb_plan *plan, const char *root, const char *folder, bool *drawn, vlb_error *err);

/* The head of a script, then of each of its two pictures (png = 0, 1); width and height of the SVG, in pixels. */
void vlb_plot_text(const char *text, FILE *out); /* for the inside of a single-quoted string */
void vlb_plot_begin(const char *name, const char *data, FILE *out);
void vlb_plot_terminal(const char *name, int png, int width, int height, FILE *out);

/* Runs folder/<name>.gp through gnuplot, which leaves folder/<name>.svg and .png. VLB_INCOMPLETE when gnuplot is not installed. */
vlb_code vlb_gnuplot(const char *folder, const char *name, vlb_error *err);

#endif
