#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "experiments/report/plot.h"
#include "experiments/store/store.h"

enum { BINS = 200 };

/* Mean loss of an arm in equal bins of steps. */
typedef struct {
  double sum[BINS], last_step[BINS];
  int count[BINS];
} curve;

static vlb_code read_curve(const char *path, int64_t steps, curve *c, vlb_error *err) {
  char *text;
  size_t size;
  VLB_TRY(vlb_file_read(path, &text, &size, err));
  for (char *line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
    double step, loss;
    if (sscanf(line + 1, "%lf,%lf", &step, &loss) != 2 || step < 0) continue;
    int bin = (int)(step * BINS / (double)(steps + 1));
    if (bin >= BINS) continue;
    c->sum[bin] += loss;
    c->count[bin]++;
    c->last_step[bin] = step;
  }
  free(text);
  return VLB_OK;
}

/* loss.csv of the training behind an arm (its first, of several), when its cell is done. */
static bool curve_of(const vlb_plan *plan, int arm, const char *root, curve *c) {
  int train = plan->cells[plan->arms[arm].eval[0].cell].parents[0];
  const vlb_cell *cell = &plan->cells[train];
  char folder[1024], path[1024];
  memset(c, 0, sizeof *c);
  return vlb_store_state(root, cell->name, false, NULL) >= VLB_STORED_STRIPPED && !vlb_store_folder(root, cell->name, folder, NULL) &&
         !vlb_path(path, sizeof path, NULL, "%s/loss.csv", folder) && !read_curve(path, cell->settings.train.steps, c, NULL);
}

static vlb_code write_data(const vlb_ablation *a, const vlb_plan *plan, const char *root, const char *folder, int *curves, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  curve *c = calloc(1, sizeof *c);
  if (!c) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = vlb_path(path, sizeof path, err, "%s/loss.dat", folder);
  if (!code) code = vlb_writer_open(&w, path, err);
  *curves = 0;
  for (int i = 0; !code && i < a->arm_count; i++) {
    if (!curve_of(plan, i, root, c)) continue;
    fprintf(w.out, "%s# %s: step, mean loss of the steps since the row before\n", *curves ? "\n\n" : "", a->arms[i].label);
    for (int b = 0; b < BINS; b++)
      if (c->count[b]) fprintf(w.out, "%g %.6g\n", c->last_step[b], c->sum[b] / c->count[b]);
    ++*curves;
  }
  free(c);
  return code ? code : vlb_writer_commit(&w, err);
}

static const char body[] =
    "set border 3 lc rgb '#555555'\n"
    "set tics nomirror out scale 0.6\n"
    "set grid ytics lc rgb '#e4e4e4' lt 1\n"
    "stats 'loss.dat' using 2 nooutput\n"
    "set yrange [STATS_min / 1.1:STATS_max * 1.1]\n"
    "set logscale y\n"
    "set ytics (10, 5, 3, 2, 1.5, 1, 0.7, 0.5, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.003, 0.002, 0.001)\n"
    "set tmargin 3\n"
    "set xlabel 'optimiser step'\n"
    "set ylabel 'training loss' offset 0.5,0\n"
    "set key top right samplen 2\n";

static vlb_code write_script(const vlb_ablation *a, const vlb_plan *plan, const char *root, const char *folder, vlb_error *err) {
  /* colours that stay apart for colour-blind readers (Okabe and Ito) */
  static const char *const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"};
  char path[1024];
  vlb_writer w;
  curve *c = calloc(1, sizeof *c);
  if (!c) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = vlb_path(path, sizeof path, err, "%s/loss.gp", folder);
  if (!code) code = vlb_writer_open(&w, path, err);
  if (!code) vlb_plot_begin("loss", "loss.dat", w.out);
  for (int png = 0; !code && png < 2; png++) {
    vlb_plot_terminal("loss", png, 760, 480, w.out);
    fputs("set label 1 '", w.out);
    vlb_plot_text(a->title, w.out);
    fputs(": training loss' at graph 0, screen 0.955 left font ',15'\n", w.out);
    fputs(body, w.out);
    int curves = 0;
    for (int i = 0; i < a->arm_count; i++) {
      if (!curve_of(plan, i, root, c)) continue;
      fprintf(w.out, "%s'loss.dat' index %d with lines lw 1.8 lc rgb '%s' title '", curves ? ", \\\n  " : "plot ", curves,
              colours[curves % 8]);
      vlb_plot_text(a->arms[i].label, w.out);
      fputc('\'', w.out);
      curves++;
    }
    fputc('\n', w.out);
  }
  free(c);
  if (code) return code;
  fputs("unset output\n", w.out);
  return vlb_writer_commit(&w, err);
}

vlb_code vlb_plot_loss(const vlb_ablation *a, const vlb_plan *plan, const char *root, const char *folder, bool *drawn, vlb_error *err) {
  int curves;
  VLB_TRY(write_data(a, plan, root, folder, &curves, err));
  *drawn = curves > 0;
  if (!curves) return VLB_OK;
  VLB_TRY(write_script(a, plan, root, folder, err));
  return vlb_gnuplot(folder, "loss", err);
}
