/* Success with intervals: a row per arm, a panel per column of the table and one for their mean. Rows leave room for labels of any length. */
#include <math.h>

#include "experiments/report/plot.h"

enum { PANEL = 132, ROW = 40, COUNTS = 190 }; /* a panel of 100 % and its gap; pixels of a row, of the numbers to the right */

static int panels(const vlb_evidence *e) { return e->columns.count > 1 ? e->columns.count + 1 : 1; }
static int width(const vlb_evidence *e) { return panels(e) == 1 ? 460 : 165; } /* pixels of a panel */
static bool is_mean(const vlb_evidence *e, int panel) { return panel == panels(e) - 1; }

static void number(double x, FILE *out) {
  if (isnan(x))
    fputs(" nan", out);
  else
    fprintf(out, " %.3f", x);
}

/* One line per arm and panel: row, x and interval of ours, x of the paper's. */
static void write_panel(const vlb_evidence *e, int panel, FILE *out) {
  for (int i = 0; i < vlb_evidence_rows(e); i++) {
    const vlb_arm_evidence *arm = vlb_evidence_row(e, i);
    bool mean = is_mean(e, panel), known = arm->known && (mean || arm->column[panel].n);
    double rate = NAN, lo = NAN, hi = NAN, shift = PANEL * panel, paper = mean ? arm->paper_mean : arm->paper[panel];
    if (known) {
      rate = mean ? arm->mean.estimate : (double)arm->column[panel].k / (double)arm->column[panel].n;
      lo = mean ? arm->mean.interval.lo : arm->column_interval[panel].lo;
      hi = mean ? arm->mean.interval.hi : arm->column_interval[panel].hi;
    }
    fprintf(out, "%d", i + 1);
    number(shift + 100 * rate, out);
    number(shift + 100 * lo, out);
    number(shift + 100 * hi, out);
    number(shift + paper, out);
    fputc('\n', out);
  }
}

/* A dot per task in the panel of the mean; dots of equal height lie one above the other. */
static void write_tasks(const vlb_evidence *e, FILE *out) {
  for (int i = 0; i < vlb_evidence_rows(e); i++) {
    const vlb_arm_evidence *arm = vlb_evidence_row(e, i);
    int at[101] = {0};
    for (int t = 0; arm->known && t < arm->tasks; t++) {
      int n, k = vlb_task_successes(arm, t, &n);
      int percent = n ? (int)(100.0 * k / n + 0.5) : 0;
      fprintf(out, "%.3f %.3f\n", i + 1 - 0.16 - 0.035 * (at[percent]++ % 9), PANEL * (panels(e) - 1) + (n ? 100.0 * k / n : 0));
    }
  }
  fputs("nan nan\n", out);
}

static void data(const void *self, FILE *out) {
  const vlb_evidence *e = self;
  fputs("# row, percent, lo95, hi95, paper's percent; each panel is 132 to the right of the one before; nan: no data\n", out);
  for (int p = 0; p < panels(e); p++) write_panel(e, p, out);
  fputs("\n\n# row, percent of one task\n", out);
  write_tasks(e, out);
}

static void write_axes(const vlb_evidence *e, FILE *out) {
  fprintf(out, "set yrange [%g:0.4]\nset ytics scale 0 (", vlb_evidence_rows(e) + 0.6);
  for (int i = 0; i < vlb_evidence_rows(e); i++) {
    fputs(i ? ", '" : "'", out);
    vlb_plot_text(vlb_evidence_row(e, i)->label, out);
    fprintf(out, "' %d", i + 1);
  }
  fprintf(out, ")\nset xrange [-4:%d]\nset xtics (", PANEL * panels(e) - 28 + COUNTS * PANEL / width(e));
  for (int p = 0; p < panels(e); p++) fprintf(out, "%s'0' %d, '50' %d, '100' %d", p ? ", " : "", PANEL * p, PANEL * p + 50, PANEL * p + 100);
  fputs(")\nset border 1\nset xlabel 'episodes that succeed, %'\n", out);
  for (int p = 0; p < panels(e); p++)
    for (int x = 0; x <= 100; x += 25)
      fprintf(out, "set arrow from %d, graph 0 to %d, graph 1 nohead back lc rgb '%s'\n", PANEL * p + x, PANEL * p + x, x % 100 ? "#ececec" : "#c8c8c8");
  for (int p = 0; p < panels(e) && panels(e) > 1; p++)
    fprintf(out, "set label '%s' at %d, graph 1 offset 0,0.6 center\n", is_mean(e, p) ? "Avg" : e->columns.name[p], PANEL * p + 50);
}

static void write_counts(const vlb_evidence *e, FILE *out) {
  for (int i = 0; i < vlb_evidence_rows(e); i++) {
    const vlb_arm_evidence *arm = vlb_evidence_row(e, i);
    fprintf(out, "set label '");
    if (arm->known)
      fprintf(out, "%.1f %%  %d/%d", 100 * arm->mean.estimate, arm->successes, arm->n);
    else
      vlb_plot_text(arm->why, out);
    fprintf(out, "' at %d, %d left tc rgb '#1b6ca8'\n", PANEL * panels(e) - 26 + 12 * PANEL / width(e), i + 1);
  }
}

static bool any_paper(const vlb_evidence *e) {
  for (int i = 0; i < e->ablation->arm_count; i++)
    if (!isnan(e->arms[i].paper_mean)) return true;
  return false;
}

static void script(const void *self, FILE *out) {
  const vlb_evidence *e = self;
  char more[128];
  snprintf(more, sizeof more, "; 95 %% %s intervals%s", vlb_rate_method_name(e->method), any_paper(e) ? "; paper: published scale" : "");
  vlb_plot_heading(e, "", more, out);
  fputs("set style line 1 lc rgb '#1b6ca8' lw 2.4 pt 7 ps 1.1\nset style line 2 lc rgb '#d1495b' lw 2 pt 12 ps 0.9\n"
        "set style line 3 lc rgb '#9db4c0' pt 7 ps 0.4\n"
        "set key at screen 0.98, screen 0 bottom right horizontal samplen 1\nset bmargin 5\nset bars 0.7\n",
        out);
  fprintf(out, "set tmargin %g\n", panels(e) > 1 ? 6.2 : 4.6);
  write_axes(e, out);
  write_counts(e, out);
  fputs("plot 'success.dat' index 1 using 2:1 with points ls 3 title 'one task', \\\n"
        "  '' index 0 using 2:1:3:4 with xerrorbars ls 1 title 'this program'",
        out);
  if (any_paper(e)) fputs(", \\\n  '' index 0 using 5:($1+0.2) with points ls 2 title 'paper'", out);
  fputc('\n', out);
}

vlb_code vlb_plot_success(const vlb_evidence *e, const char *folder, bool *drawn, vlb_error *err) {
  *drawn = true;
  return vlb_plot_draw(&(vlb_plot){"success", folder, 150 + COUNTS + width(e) * panels(e), 170 + ROW * vlb_evidence_rows(e), data, script, e}, err);
}
