/* Virtual time as pictures: completion times per arm, the queue over time, waiting and load against g or the latency. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/report/clock.h"
#include "experiments/report/plot.h"
#include "experiments/store/clock_csv.h"
#include "experiments/store/store.h"

static void value(double x, FILE *out) {
  if (isnan(x) || isinf(x))
    fputs(" nan", out);
  else
    fprintf(out, " %.6g", x);
}

/* --- time per arm --- */

static void time_data(const void *self, FILE *out) {
  const vlb_clocks *c = self;
  fputs("# arm, mean, lo95, hi95, paper; nan: no data\n", out);
  for (int i = 0; i < c->e->ablation->arm_count; i++) {
    const vlb_clock_arm *arm = &c->arms[i];
    const vlb_spread *s = c->fixed_time ? &arm->cubes : &arm->time;
    fprintf(out, "%d", i + 1);
    value(arm->known ? s->mean : NAN, out);
    value(arm->known ? s->interval.lo : NAN, out);
    value(arm->known ? s->interval.hi : NAN, out);
    value(c->fixed_time ? arm->paper_cubes : arm->paper_time, out);
    fputc('\n', out);
  }
}

static bool any_paper(const vlb_clocks *c) {
  for (int i = 0; i < c->e->ablation->arm_count; i++)
    if (!isnan(c->arms[i].paper_time)) return true;
  return false;
}

static void time_script(const void *self, FILE *out) {
  const vlb_clocks *c = self;
  int n = c->e->ablation->arm_count;
  vlb_plot_heading(c->e, c->fixed_time ? ": cubes per episode" : ": completion time", "; virtual time; means with 95 % intervals", out);
  fprintf(out, "set border 1\nset tmargin 5\nset bmargin 5\nset grid xtics lc rgb '#ececec' lt 1\nset xrange [0:*]\nset xlabel '%s'\nset yrange [%g:0.4]\nset ytics scale 0 (",
          c->fixed_time ? "cubes in the fixed time" : "seconds from the first action to success", n + 0.6);
  for (int i = 0; i < n; i++) {
    fputs(i ? ", '" : "'", out);
    vlb_plot_text(c->arms[i].arm->label, out);
    fprintf(out, "' %d", i + 1);
  }
  fputs(")\nset key at screen 0.98, screen 0 bottom right horizontal samplen 1\nset bars 0.7\n"
        "plot 'time.dat' using 2:1:3:4 with xerrorbars lc rgb '#1b6ca8' lw 2.4 pt 7 ps 1.2 title 'this program', \\\n"
        "  '' using 2:1:(sprintf('%.2f', $2)) with labels offset 0,0.9 tc rgb '#1b6ca8' notitle",
        out);
  if (any_paper(c)) fputs(", \\\n  '' using 5:($1+0.15) with points lc rgb '#d1495b' lw 2 pt 12 ps 1.2 title 'paper (real arm)'", out);
  fputc('\n', out);
}

vlb_code vlb_plot_time(const vlb_clocks *c, const char *folder, bool *drawn, vlb_error *err) {
  *drawn = true;
  return vlb_plot_draw(&(vlb_plot){"time", folder, 860, 170 + 40 * c->e->ablation->arm_count, time_data, time_script, c}, err);
}

/* --- the queue over time --- */

enum { MAX_TRACES = 8 };

typedef struct {
  const vlb_clocks *c;
  int arm[MAX_TRACES], count; /* arms drawn: without the filter first */
  int plain;                  /* how many of them are without */
  vlb_timeline_tick *ticks[MAX_TRACES];
  int size[MAX_TRACES];
} traces;

/* The first episode of the first task, where the cell holds its trace. */
static vlb_code read_trace(const vlb_clocks *c, int arm, vlb_timeline_tick **ticks, int *n, vlb_error *err) {
  char folder[1024];
  *ticks = NULL;
  *n = 0;
  if (!c->arms[arm].known || !c->arms[arm].control->trace_episodes) return VLB_OK;
  VLB_TRY(vlb_store_folder(c->root, c->plan->cells[c->plan->arms[arm].eval[0].cell].name, folder, err));
  return vlb_queue_csv_read(folder, 0, 0, ticks, n, err);
}

/* Three thresholds are what the paper draws; more lines than that hide each other. */
static bool shown(const vlb_clocks *c, int arm, bool crowded) {
  double g = c->arms[arm].control->threshold;
  return !crowded || c->arms[arm].control->control == VLB_CONTROL_SYNC || g <= 0 || g >= 1 || fabs(g - 0.7) < 1e-9;
}

static vlb_code collect(traces *t, bool filtered, vlb_error *err) {
  int n = 0;
  for (int i = 0; i < t->c->e->ablation->arm_count; i++) n += (t->c->arms[i].control->similarity > 0) == filtered;
  for (int i = 0; i < t->c->e->ablation->arm_count && t->count < MAX_TRACES; i++) {
    if ((t->c->arms[i].control->similarity > 0) != filtered || !shown(t->c, i, n > 4)) continue;
    VLB_TRY(read_trace(t->c, i, &t->ticks[t->count], &t->size[t->count], err));
    if (!t->size[t->count]) {
      free(t->ticks[t->count]);
      continue;
    }
    t->arm[t->count++] = i;
    t->plain += !filtered;
  }
  return VLB_OK;
}

static void queue_data(const void *self, FILE *out) {
  const traces *t = self;
  for (int i = 0; i < t->count; i++) {
    const vlb_clock_arm *arm = &t->c->arms[t->arm[i]];
    fprintf(out, "%s# %s: seconds, actions waiting, of them by the chunk; 1 where an empty queue forced a look\n", i ? "\n\n" : "", arm->arm->label);
    for (int k = 0; k < t->size[i]; k++)
      fprintf(out, "%.4f %d %.3f %d\n", t->ticks[i][k].tick * arm->dt, t->ticks[i][k].queue, (double)t->ticks[i][k].queue / arm->chunk, t->ticks[i][k].must_go);
  }
}

static void queue_panel(const traces *t, int first, int last, double top, double bottom, const char *title, FILE *out) {
  fprintf(out, "set tmargin at screen %g\nset bmargin at screen %g\nset label 3 '%s' at graph 0, graph 1.06 left\n", top, bottom, title);
  fputs("plot ", out);
  for (int i = first; i < last; i++) {
    fprintf(out, "%s'queue.dat' index %d using 1:2 with steps lw 2 lc rgb '%s' title '", i > first ? ", \\\n  " : "", i, vlb_plot_colours[(i - first) % 8]);
    vlb_plot_text(t->c->arms[t->arm[i]].arm->label, out);
    fprintf(out, "', '' index %d using ($4 == 1 ? $1 : 1/0):(-2.5) with points pt 9 ps 0.9 lc rgb '%s' notitle", i, vlb_plot_colours[(i - first) % 8]);
  }
  fputs("\nunset label 1\nunset label 2\n", out);
}

static void queue_script(const void *self, FILE *out) {
  const traces *t = self;
  bool two = t->plain > 0 && t->plain < t->count;
  fputs("set multiplot\n", out);
  vlb_plot_heading(t->c->e, ": actions in the queue", "; first episode; triangles: an empty queue forces a look", out);
  fprintf(out, "set lmargin 9\nset rmargin 40\nset grid ytics lc rgb '#ececec' lt 1\nset yrange [-6:%g]\nset ylabel 'actions waiting'\nset xlabel 'virtual seconds'\n"
               "set key at graph 1.03, graph 1 left top Left reverse samplen 2 spacing 1.2\nset xrange [0:%.2f]\n",
          1.08 * t->c->arms[t->arm[0]].chunk, 5 * t->c->arms[t->arm[0]].chunk * t->c->arms[t->arm[0]].dt);
  if (t->plain) queue_panel(t, 0, t->plain, two ? 0.84 : 0.82, two ? 0.54 : 0.15, two ? "without the similarity filter" : "", out);
  if (two || !t->plain) queue_panel(t, t->plain, t->count, two ? 0.40 : 0.82, two ? 0.10 : 0.15, "with the similarity filter", out);
  fputs("unset multiplot\n", out);
}

vlb_code vlb_plot_queue(const vlb_clocks *c, const char *folder, bool *drawn, vlb_error *err) {
  traces t = {.c = c};
  vlb_code code = collect(&t, false, err);
  if (!code) code = collect(&t, true, err);
  *drawn = !code && t.count > 0;
  bool two = t.plain > 0 && t.plain < t.count;
  if (*drawn) code = vlb_plot_draw(&(vlb_plot){"queue", folder, 940, two ? 700 : 420, queue_data, queue_script, &t}, err);
  for (int i = 0; i < t.count; i++) free(t.ticks[i]);
  return code;
}
