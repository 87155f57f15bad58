/* Training losses: mean over equal bins of steps, one curve per arm; of several trainings the first. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "experiments/report/plot.h"
#include "experiments/store/store.h"

enum { BINS = 200 };

typedef struct {
  double sum[BINS], last_step[BINS];
  int count[BINS];
} curve;

typedef struct {
  const vlb_evidence *e;
  curve *curves;                  /* [count] */
  const char *label[VLB_MAX_ARMS];
  int count;
  double lo, hi; /* of the losses */
} losses;

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

/* loss.csv of the training behind an arm, when its cell is done. */
static bool curve_of(const vlb_plan *plan, int arm, const char *root, curve *c) {
  int train = plan->cells[plan->arms[arm].eval[0].cell].parents[0];
  const vlb_cell *cell = &plan->cells[train];
  char folder[1024], path[1024];
  memset(c, 0, sizeof *c);
  return vlb_store_state(root, cell->name, false, NULL) >= VLB_STORED_STRIPPED && !vlb_store_folder(root, cell->name, folder, NULL) &&
         !vlb_path(path, sizeof path, NULL, "%s/loss.csv", folder) && !read_curve(path, cell->settings.train.steps, c, NULL);
}

/* Arms that share a training share a curve: the first of them names it. */
static bool trained_before(const vlb_plan *plan, int arm) {
  for (int i = 0; i < arm; i++)
    if (plan->cells[plan->arms[i].eval[0].cell].parents[0] == plan->cells[plan->arms[arm].eval[0].cell].parents[0]) return true;
  return false;
}

static void collect(const vlb_evidence *e, const vlb_plan *plan, const char *root, losses *l) {
  l->lo = HUGE_VAL;
  for (int i = 0; i < e->ablation->arm_count; i++) {
    curve *c = &l->curves[l->count];
    if (trained_before(plan, i) || !curve_of(plan, i, root, c)) continue;
    l->label[l->count++] = e->arms[i].label;
    for (int b = 0; b < BINS; b++) {
      if (!c->count[b]) continue;
      l->lo = fmin(l->lo, c->sum[b] / c->count[b]);
      l->hi = fmax(l->hi, c->sum[b] / c->count[b]);
    }
  }
}

static void data(const void *self, FILE *out) {
  const losses *l = self;
  for (int i = 0; i < l->count; i++) {
    const curve *c = &l->curves[i];
    fprintf(out, "%s# %s: step, mean loss of the steps since the row before\n", i ? "\n\n" : "", l->label[i]);
    for (int b = 0; b < BINS; b++)
      if (c->count[b]) fprintf(out, "%g %.6g\n", c->last_step[b], c->sum[b] / c->count[b]);
  }
}

static void script(const void *self, FILE *out) {
  const losses *l = self;
  vlb_plot_heading(l->e, ": training loss", "", out);
  fprintf(out,
          "set grid ytics lc rgb '#e4e4e4' lt 1\nset yrange [%g:%g]\nset logscale y\n"
          "set ytics (10, 5, 3, 2, 1.5, 1, 0.7, 0.5, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.003, 0.002, 0.001)\n"
          "set tmargin 5\nset xlabel 'optimiser step'\nset ylabel 'training loss'\nset key outside right top Left reverse samplen 2\n",
          l->lo / 1.1, l->hi * 1.1);
  for (int i = 0; i < l->count; i++) {
    fprintf(out, "%s'loss.dat' index %d with lines lw 1.8 dt %d lc rgb '%s' title '", i ? ", \\\n  " : "plot ", i, 1 + i / 8, vlb_plot_colours[i % 8]);
    vlb_plot_text(l->label[i], out);
    fputc('\'', out);
  }
  fputc('\n', out);
}

vlb_code vlb_plot_loss(const vlb_evidence *e, const vlb_plan *plan, const char *root, const char *folder, bool *drawn, vlb_error *err) {
  losses l = {.e = e, .curves = calloc((size_t)e->ablation->arm_count, sizeof(curve))};
  if (!l.curves) return vlb_fail(err, VLB_FAILED, "out of memory");
  collect(e, plan, root, &l);
  *drawn = l.count > 0 && l.hi > 0;
  vlb_code code = *drawn ? vlb_plot_draw(&(vlb_plot){"loss", folder, 900, 480, data, script, &l}, err) : VLB_OK;
  free(l.curves);
  return code;
}
