/* What a sweep of g or of the latency does: success, time, waiting with its closed form and bound, age of actions, load of the policy. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/report/clock.h"
#include "experiments/report/plot.h"

enum { MAX_SERIES = 6 };

/* Arms that differ in x alone, by rising x. */
typedef struct {
  const vlb_clock_arm *first;
  const vlb_clock_arm *arm[VLB_MAX_ARMS];
  int count;
} series;

typedef struct {
  const vlb_clocks *c;
  bool by_latency; /* x is the latency, else g */
  series line[MAX_SERIES];
  int count;
  double chunk; /* seconds, n dt */
} sweep;

static double x_of(const sweep *s, const vlb_clock_arm *a) { return s->by_latency ? vlb_clock_latency(a) : a->control->threshold; }

static bool alike(const sweep *s, const vlb_clock_arm *a, const vlb_clock_arm *b) {
  const vlb_control_config *p = a->control, *q = b->control;
  if (p->control != q->control || p->align != q->align || p->aggregate != q->aggregate || p->latency_model != q->latency_model) return false;
  if ((p->similarity > 0) != (q->similarity > 0)) return false;
  if (s->by_latency) return p->control == VLB_CONTROL_SYNC || fabs(p->threshold - q->threshold) < 1e-12;
  return p->control != VLB_CONTROL_SYNC && fabs(vlb_clock_latency(a) - vlb_clock_latency(b)) < 1e-12;
}

static void put(const sweep *s, series *line, const vlb_clock_arm *a) {
  int at = line->count++;
  for (; at > 0 && x_of(s, line->arm[at - 1]) > x_of(s, a); at--) line->arm[at] = line->arm[at - 1];
  line->arm[at] = a;
}

/* The series of three values and more. */
static void collect(const vlb_clocks *c, bool by_latency, sweep *s) {
  *s = (sweep){.c = c, .by_latency = by_latency};
  for (int i = 0; i < c->e->ablation->arm_count; i++) {
    const vlb_clock_arm *a = &c->arms[i];
    bool known = !a->known || !a->clocked;
    for (int k = 0; k < i && !known; k++) known = c->arms[k].clocked && alike(s, &c->arms[k], a);
    if (known || s->count == MAX_SERIES || (!by_latency && a->control->control == VLB_CONTROL_SYNC)) continue;
    series *line = &s->line[s->count];
    *line = (series){.first = a};
    for (int k = i; k < c->e->ablation->arm_count; k++)
      if (c->arms[k].known && c->arms[k].clocked && alike(s, a, &c->arms[k])) put(s, line, &c->arms[k]);
    s->count += line->count >= 3;
  }
  if (s->count) s->chunk = s->line[0].first->chunk * s->line[0].first->dt;
}

static void number(double x, FILE *out) {
  if (isnan(x) || isinf(x))
    fputs(" nan", out);
  else
    fprintf(out, " %.6g", x);
}

static void closed_form(const sweep *s, const vlb_clock_arm *a, FILE *out) {
  fputs("\n\n# closed form: x, idle %\n", out);
  for (int i = 0; i <= 200; i++) {
    double x = s->by_latency ? i * 1.05 * s->chunk / 200 : i / 200.0;
    fprintf(out, "%g", x);
    number(100 * vlb_clock_idle_share(a->control, s->by_latency ? a->control->threshold : x, s->by_latency ? x : vlb_clock_latency(a), s->chunk), out);
    fputc('\n', out);
  }
}

static void data(const void *self, FILE *out) {
  const sweep *s = self;
  for (int i = 0; i < s->count; i++) {
    fprintf(out, "%s# %s: x, success %%, lo95, hi95, time s, lo95, hi95, idle %%, age s, load %%, observations sent per second\n", i ? "\n\n" : "", s->line[i].first->arm->label);
    for (int k = 0; k < s->line[i].count; k++) {
      const vlb_clock_arm *a = s->line[i].arm[k];
      const vlb_estimate *m = &a->arm->mean;
      const double row[] = {100 * m->estimate, 100 * m->interval.lo, 100 * m->interval.hi, a->time.mean, a->time.interval.lo, a->time.interval.hi, 100 * a->idle_share, a->age_mean,
                            100 * a->load, a->sent};
      fprintf(out, "%g", x_of(s, a));
      for (int r = 0; r < 10; r++) number(row[r], out);
      fputc('\n', out);
    }
    closed_form(s, s->line[i].first, out);
  }
}

static void label(const sweep *s, int i, FILE *out) {
  static const char *const names[] = {"waiting", "Algorithm 1", "LeRobot", "real-time chunking"};
  const vlb_control_config *c = s->line[i].first->control;
  fprintf(out, "%s%s%s", names[c->control], c->similarity > 0 ? ", filter" : "", c->align == VLB_ALIGN_ARRIVAL && c->control == VLB_CONTROL_PAPER ? ", from arrival" : "");
}

/* column: of the values; lo: of the interval's ends, 0: none. */
static void panel(const sweep *s, int column, int lo, bool form, FILE *out) {
  fputs("plot ", out);
  for (int i = 0; i < s->count; i++) {
    const char *colour = vlb_plot_colours[i % 8];
    fprintf(out, "%s'sweep.dat' index %d using 1:%d with %s lw 2 lc rgb '%s' title '", i ? ", \\\n  " : "", 2 * i, column, lo ? "lines" : "linespoints pt 7 ps 0.8", colour);
    label(s, i, out);
    fputc('\'', out);
    if (lo) fprintf(out, ", '' index %d using 1:%d:%d:%d with yerrorbars lw 1.2 pt 7 ps 0.8 lc rgb '%s' notitle", 2 * i, column, lo, lo + 1, colour);
    if (form) fprintf(out, ", '' index %d using 1:2 with lines lw 1.2 dt 2 lc rgb '%s' notitle", 2 * i + 1, colour);
  }
  fputc('\n', out);
}

/* Where the queue begins to run dry: the paper's bound, and that of actions which keep their ticks. */
static void bound(const sweep *s, double most, FILE *out) {
  const vlb_clock_arm *a = NULL;
  for (int i = 0; i < s->count && !a; i++)
    if (s->line[i].first->control->control != VLB_CONTROL_SYNC) a = s->line[i].first;
  if (!a) return;
  double g = a->control->threshold, l = vlb_clock_latency(a);
  double at = s->by_latency ? g * s->chunk : l / s->chunk;
  fprintf(out, "set arrow 1 from %g, graph 0 to %g, graph 1 nohead back lc rgb '#777777' dt 3\n", at, at);
  if (s->by_latency) fprintf(out, "set arrow 2 from %g, graph 0 to %g, graph 1 nohead back lc rgb '#bbbbbb' dt 3\n", s->chunk / 2, s->chunk / 2);
  fprintf(out, "set label 4 'bound g n dt = latency' at %g, graph 1.04 %s font ',10' tc rgb '#777777'\n", at, at > most / 2 ? "right" : "left");
}

static void place(double left, double right, double top, double bottom, FILE *out) {
  fprintf(out, "set lmargin at screen %g\nset rmargin at screen %g\nset tmargin at screen %g\nset bmargin at screen %g\n", left, right, top, bottom);
}

static void script(const void *self, FILE *out) {
  const sweep *s = self;
  double most = s->by_latency ? 0 : 1;
  for (int i = 0; i < s->count; i++) most = fmax(most, x_of(s, s->line[i].arm[s->line[i].count - 1]));
  fputs("set multiplot\n", out);
  vlb_plot_heading(s->c->e, "", "; 95 % intervals; dashed: closed form", out);
  fprintf(out, "set grid ytics lc rgb '#ececec' lt 1\nset bars 0.6\nset xrange [%g:%g]\nset key off\n", -0.03 * most, 1.03 * most);
  bound(s, most, out);
  place(0.09, 0.46, 0.84, 0.55, out);
  fputs("set yrange [-2:102]\nset ylabel 'episodes that succeed, %'\n", out);
  panel(s, 2, 3, false, out);
  fputs("unset label 1\nunset label 2\n", out);
  place(0.58, 0.96, 0.84, 0.55, out);
  fputs("set yrange [0:*]\nset ylabel 'completion time, s'\n", out);
  panel(s, 5, 6, false, out);
  fprintf(out, "set xlabel '%s'\n", s->by_latency ? "latency, s" : "threshold g");
  place(0.09, 0.46, 0.45, 0.19, out);
  fputs("set yrange [-1:*]\nset ylabel 'ticks without an action, %'\n", out);
  panel(s, 8, 0, true, out);
  place(0.58, 0.96, 0.45, 0.19, out);
  fputs("set yrange [0:*]\nset ylabel 'load of the policy, %'\nset key at screen 0.5, screen 0.005 center bottom horizontal samplen 2\n", out);
  panel(s, 10, 0, false, out);
  fputs("unset multiplot\n", out);
}

vlb_code vlb_plot_sweep(const vlb_clocks *c, const char *folder, bool *drawn, vlb_error *err) {
  sweep s;
  collect(c, false, &s);
  if (!s.count) collect(c, true, &s);
  *drawn = s.count > 0;
  return *drawn ? vlb_plot_draw(&(vlb_plot){"sweep", folder, 980, 720, data, script, &s}, err) : VLB_OK;
}
