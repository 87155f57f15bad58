/* Heat map of tasks by arms: which tasks an arm cannot do. */
#include <string.h>

#include "experiments/report/plot.h"

enum { ROW = 19, CELL = 64 };

static const vlb_arm_evidence *first_known(const vlb_evidence *e) {
  for (int i = 0; i < e->ablation->arm_count; i++)
    if (e->arms[i].known) return &e->arms[i];
  return NULL;
}

/* Arms that hold the same tasks as the first known one; the floor is left out, it is zero nearly everywhere. */
static bool comparable(const vlb_evidence *e, const vlb_arm_evidence *arm) {
  const vlb_arm_evidence *first = first_known(e);
  return first && arm->known && arm->tasks == first->tasks && arm->suites == first->suites;
}

static int count(const vlb_evidence *e) {
  int n = 0;
  for (int i = 0; i < e->ablation->arm_count; i++) n += comparable(e, &e->arms[i]);
  return n;
}

static void data(const void *self, FILE *out) {
  const vlb_evidence *e = self;
  fputs("# column of an arm, row of a task, percent\n", out);
  for (int i = 0, column = 0; i < e->ablation->arm_count; i++) {
    if (!comparable(e, &e->arms[i])) continue;
    for (int t = 0; t < e->arms[i].tasks; t++) {
      int n, k = vlb_task_successes(&e->arms[i], t, &n);
      fprintf(out, "%d %d %.2f\n", column + 1, t + 1, n ? 100.0 * k / n : 0);
    }
    column++;
  }
}

/* "spatial/3": as `vlabench list spatial` numbers them. */
static void write_tics(const vlb_evidence *e, FILE *out) {
  const vlb_arm_evidence *first = first_known(e);
  int in_suite = 0;
  const char *before = "";
  fputs("set ytics scale 0 (", out);
  for (int t = 0; t < first->tasks; t++) {
    const char *suite;
    vlb_task_name(e, first, t, &suite);
    if (strcmp(suite, before)) in_suite = 0;
    before = suite;
    fputs(t ? ", '" : "'", out);
    vlb_plot_text(strrchr(suite, '/') ? strrchr(suite, '/') + 1 : suite, out);
    fprintf(out, "/%d' %d", in_suite++, t + 1);
  }
  fputs(") font ',11'\nset x2tics scale 0 (", out);
  for (int i = 0, column = 0; i < e->ablation->arm_count; i++) {
    if (!comparable(e, &e->arms[i])) continue;
    fputs(column ? ", '" : "'", out);
    vlb_plot_text(e->arms[i].label, out);
    fprintf(out, "' %d", ++column);
  }
  fputs(") rotate by 40 left offset -0.5,0\nunset xtics\n", out);
}

static size_t longest_label(const vlb_evidence *e) {
  size_t most = 0;
  for (int i = 0; i < e->ablation->arm_count; i++)
    if (strlen(e->arms[i].label) > most) most = strlen(e->arms[i].label);
  return most;
}

static void script(const void *self, FILE *out) {
  const vlb_evidence *e = self;
  vlb_plot_heading(e, ": tasks", "; success of each task, %", out);
  fprintf(out,
          "set palette defined (0 '#f7f4ee', 25 '#cfe1ec', 50 '#8bbcd9', 75 '#3b85b8', 100 '#0b3c6f')\nset cbrange [0:100]\nunset colorbox\nunset key\n"
          "set border 0\nset xrange [0.5:%d.5]\nset x2range [0.5:%d.5]\nset yrange [%d.5:0.5]\nset tmargin %g\nset rmargin %g\nset bmargin 1\n",
          count(e), count(e), first_known(e)->tasks, 4.6 + 0.42 * (double)longest_label(e), 3 + 0.6 * (double)longest_label(e));
  write_tics(e, out);
  fputs("plot 'tasks.dat' using 1:2:3 with image pixels axes x2y1, \\\n"
        "  '' using 1:2:(sprintf('%.0f', $3)):($3 > 60 ? 0xffffff : 0x333333) axes x2y1 with labels font ',11' tc rgb variable\n",
        out);
}

vlb_code vlb_plot_tasks(const vlb_evidence *e, const char *folder, bool *drawn, vlb_error *err) {
  const vlb_arm_evidence *first = first_known(e);
  *drawn = first && first->tasks > 1;
  if (!*drawn) return VLB_OK;
  int wide = 150 + CELL * count(e) + 8 * (int)longest_label(e), high = 80 + ROW * first->tasks + 8 * (int)longest_label(e);
  return vlb_plot_draw(&(vlb_plot){"tasks", folder, wide < 680 ? 680 : wide, high, data, script, e}, err);
}
