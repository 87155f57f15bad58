/* Forest plot of the declared contrasts: difference in points with its interval, filled where separable, the paper's difference beside it. */
#include <math.h>
#include <string.h>

#include "experiments/report/plot.h"

enum { ROW = 34 };

static void data(const void *self, FILE *out) {
  const vlb_evidence *e = self;
  fputs("# row, points, lo95, hi95, separable, paper's points; nan: no data\n", out);
  for (int i = 0; i < e->ablation->contrast_count; i++) {
    const vlb_contrast_evidence *c = &e->contrasts[i];
    double paper = c->a->paper_mean - c->b->paper_mean;
    if (c->known)
      fprintf(out, "%d %.3f %.3f %.3f %d", i + 1, 100 * c->difference.estimate, 100 * c->difference.interval.lo, 100 * c->difference.interval.hi,
              c->separable);
    else
      fprintf(out, "%d nan nan nan 0", i + 1);
    if (isnan(paper))
      fputs(" nan\n", out);
    else
      fprintf(out, " %.3f\n", paper);
  }
  fputs("nan nan nan nan 1 nan\n", out);
}

/* Half the width of the axis: the farthest end, in steps of ten points. */
static double reach(const vlb_evidence *e) {
  double most = 10;
  for (int i = 0; i < e->ablation->contrast_count; i++) {
    const vlb_contrast_evidence *c = &e->contrasts[i];
    double paper = c->a->paper_mean - c->b->paper_mean;
    if (c->known) most = fmax(most, 100 * fmax(-c->difference.interval.lo, c->difference.interval.hi));
    if (!isnan(paper)) most = fmax(most, fabs(paper));
  }
  return 10 * ceil((most + 1) / 10);
}

static void write_rows(const vlb_evidence *e, double most, FILE *out) {
  fprintf(out, "set yrange [%g:0.4]\nset ytics scale 0 (", e->ablation->contrast_count + 0.6);
  for (int i = 0; i < e->ablation->contrast_count; i++) {
    const vlb_contrast_evidence *c = &e->contrasts[i];
    fputs(i ? ", '" : "'", out);
    vlb_plot_text(c->a->label, out);
    fputs(" - ", out);
    vlb_plot_text(c->b->label, out);
    fprintf(out, "' %d", i + 1);
  }
  fputs(")\n", out);
  for (int i = 0; i < e->ablation->contrast_count; i++) {
    const vlb_contrast_evidence *c = &e->contrasts[i];
    fputs("set label '", out);
    if (!c->known)
      fputs("no data", out);
    else if (c->p_holm < 0.001)
      fprintf(out, "%+.1f   p < 0.001", 100 * c->difference.estimate);
    else
      fprintf(out, "%+.1f   p %.3f", 100 * c->difference.estimate, c->p_holm);
    fprintf(out, "' at %g, %d left tc rgb '#1b6ca8'\n", 1.06 * most, i + 1);
  }
}

static void script(const void *self, FILE *out) {
  const vlb_evidence *e = self;
  double most = reach(e);
  vlb_plot_heading(e, ": differences", "; 95 % intervals; p adjusted (Holm); full: separable", out);
  fprintf(out, "set style line 1 lc rgb '#1b6ca8' lw 2.4 pt 6 ps 1.2\nset style line 2 lc rgb '#d1495b' lw 2 pt 12 ps 0.9\n"
               "set style line 3 lc rgb '#1b6ca8' lw 2.4 pt 7 ps 1.2\n"
               "set border 1\nset grid xtics lc rgb '#ececec' lt 1\nset xrange [%g:%g]\nset xtics -%g, %g, %g\n"
               "set xlabel 'points of success; right: the first arm is better'\n"
               "set arrow from 0, graph 0 to 0, graph 1 nohead back lc rgb '#777777' dt 2\n"
               "set key at screen 0.98, screen 0 bottom right horizontal samplen 1\nset tmargin 5\nset bmargin 5\nset bars 0.7\n",
          -most, 1.7 * most, most, most > 40 ? 20.0 : most > 20 ? 10.0 : 5.0, most);
  write_rows(e, most, out);
  fputs("plot 'forest.dat' using 2:($5 == 1 ? 1/0 : $1):3:4 with xerrorbars ls 1 title 'not separable', \\\n"
        "  '' using 2:($5 == 1 ? $1 : 1/0):3:4 with xerrorbars ls 3 title 'separable'",
        out);
  if (e->ablation->paper_table[0]) fputs(", \\\n  '' using 6:($1+0.2) with points ls 2 title 'paper'", out);
  fputc('\n', out);
}

static int longest_label(const vlb_evidence *e) {
  size_t most = 24;
  for (int i = 0; i < e->ablation->contrast_count; i++) {
    size_t n = strlen(e->contrasts[i].a->label) + strlen(e->contrasts[i].b->label) + 3;
    if (n > most) most = n;
  }
  return (int)most;
}

vlb_code vlb_plot_forest(const vlb_evidence *e, const char *folder, bool *drawn, vlb_error *err) {
  bool any = false;
  for (int i = 0; i < e->ablation->contrast_count; i++) any |= e->contrasts[i].known;
  *drawn = any;
  if (!any) return VLB_OK;
  return vlb_plot_draw(&(vlb_plot){"forest", folder, 600 + 8 * longest_label(e), 180 + ROW * e->ablation->contrast_count, data, script, e}, err);
}
