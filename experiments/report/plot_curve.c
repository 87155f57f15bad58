/* Success against the number that an ablation varies (layers, width, chunk, executed steps), and what a prediction costs: operations, and time
 * where it was measured. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/plan/latency.h"
#include "experiments/report/pareto.h"
#include "experiments/report/plot.h"

/* The arms that differ in one number alone, by rising number. */
typedef struct {
  const vlb_evidence *e;
  const vlb_field *field;
  const char *section;
  struct {
    const vlb_arm_evidence *arm;
    double value, flops, ms; /* NAN: not known */
  } point[VLB_MAX_ARMS];
  int count;
} curve;

static bool is_number(const vlb_field *f) { return f->kind == VLB_FIELD_INT || f->kind == VLB_FIELD_REAL; }

static double value_of(const vlb_section *s, const vlb_field *f, const vlb_settings *settings) {
  char text[VLB_TEXT_SIZE];
  return strtod(vlb_field_text(f, (const char *)settings + s->offset, text, sizeof text), NULL);
}

static bool same_value(const vlb_section *s, const vlb_field *f, const vlb_settings *a, const vlb_settings *b) {
  char x[VLB_TEXT_SIZE], y[VLB_TEXT_SIZE];
  return !strcmp(vlb_field_text(f, (const char *)a + s->offset, x, sizeof x), vlb_field_text(f, (const char *)b + s->offset, y, sizeof y));
}

/* Equal in everything but this field. Executed actions follow a chunk that is shorter than they are, so they may differ, too, when the chunk does. */
static bool differ_only_in(const vlb_field *field, const vlb_settings *a, const vlb_settings *b) {
  for (const vlb_section *s = vlb_sections; s->name; s++)
    for (const vlb_field *f = s->fields; f->name; f++) {
      bool follows = !strcmp(field->name, "chunk_size") && !strcmp(f->name, "n_action_steps");
      if (f != field && !follows && !same_value(s, f, a, b)) return false;
    }
  return true;
}

/* Resolved, so that "all layers" is a number; what the user wrote tells which arms belong together. */
static const vlb_settings *settings_of(const vlb_plan *plan, int arm) { return &plan->cells[plan->arms[arm].eval[0].cell].settings; }

/* The arms like `first` but for this field. */
static void collect(const vlb_evidence *e, const vlb_plan *plan, const vlb_section *s, const vlb_field *f, int first, curve *c) {
  *c = (curve){.e = e, .field = f, .section = s->name};
  for (int i = 0; i < e->ablation->arm_count; i++) {
    if (e->ablation->arms[i].init != e->ablation->arms[first].init) continue;
    if (!differ_only_in(f, &e->ablation->arms[first].settings, &e->ablation->arms[i].settings)) continue;
    double value = value_of(s, f, settings_of(plan, i));
    int at = c->count++;
    for (; at > 0 && c->point[at - 1].value > value; at--) c->point[at] = c->point[at - 1];
    c->point[at].arm = &e->arms[i];
    c->point[at].value = value;
    c->point[at].flops = c->point[at].ms = NAN;
  }
  /* two arms with one number differ in nothing: no curve */
  for (int i = 1; i < c->count; i++)
    if (c->point[i].value == c->point[i - 1].value) c->count = 0;
}

/* The longest series of the ablation; count 0 when no number takes three values. */
static void find(const vlb_evidence *e, const vlb_plan *plan, curve *best) {
  static const int LEAST = 3;
  *best = (curve){.e = e};
  for (const vlb_section *s = vlb_sections; s->name; s++)
    for (const vlb_field *f = s->fields; f->name; f++) {
      if (!is_number(f)) continue;
      for (int first = 0; first < e->ablation->arm_count; first++) {
        curve c;
        collect(e, plan, s, f, first, &c);
        if (c.count >= LEAST && c.count > best->count) *best = c;
      }
    }
}

static void count_operations(const vlb_plan *plan, curve *c) {
  for (int i = 0; i < c->count; i++) {
    const vlb_model_config *config = &settings_of(plan, (int)(c->point[i].arm - c->e->arms))->model;
    if (vlb_prediction_flops(config, &c->point[i].flops, NULL)) c->point[i].flops = NAN;
  }
}

static void add_times(const vlb_plan *plan, const char *root, curve *c) {
  vlb_arm_cost *costs = calloc(VLB_MAX_ARMS, sizeof *costs);
  int n = costs ? vlb_arm_costs(c->e, plan, root, costs) : 0;
  for (int i = 0; i < c->count; i++)
    for (int k = 0; k < n; k++)
      if (costs[k].arm == c->point[i].arm) c->point[i].ms = costs[k].cost.ms;
  free(costs);
}

static void data(const void *self, FILE *out) {
  const curve *c = self;
  fprintf(out, "# %s.%s, percent, lo95, hi95, paper's percent, million operations per chunk, ms per chunk, then percent of each column; nan: no data\n", c->section,
          c->field->name);
  for (int i = 0; i < c->count; i++) {
    const vlb_arm_evidence *arm = c->point[i].arm;
    if (arm->known)
      fprintf(out, "%g %.3f %.3f %.3f", c->point[i].value, 100 * arm->mean.estimate, 100 * arm->mean.interval.lo, 100 * arm->mean.interval.hi);
    else
      fprintf(out, "%g nan nan nan", c->point[i].value);
    if (isnan(arm->paper_mean))
      fputs(" nan", out);
    else
      fprintf(out, " %g", arm->paper_mean);
    fprintf(out, " %.4f", 1e-6 * c->point[i].flops);
    if (isnan(c->point[i].ms))
      fputs(" nan", out);
    else
      fprintf(out, " %.3f", c->point[i].ms);
    for (int k = 0; k < c->e->columns.count; k++) {
      if (arm->known && arm->column[k].n)
        fprintf(out, " %.3f", 100.0 * (double)arm->column[k].k / (double)arm->column[k].n);
      else
        fputs(" nan", out);
    }
    fputc('\n', out);
  }
}

/* A factor of four and more between the ends reads better in equal ratios. */
static bool logarithmic(const curve *c) { return c->point[0].value > 0 && c->point[c->count - 1].value >= 8 * c->point[0].value; }

static bool any_paper(const curve *c) {
  for (int i = 0; i < c->count; i++)
    if (!isnan(c->point[i].arm->paper_mean)) return true;
  return false;
}

static bool any_time(const curve *c) {
  for (int i = 0; i < c->count; i++)
    if (!isnan(c->point[i].ms)) return true;
  return false;
}

static void write_axis(const curve *c, FILE *out) {
  double lo = c->point[0].value, hi = c->point[c->count - 1].value, room = 0.06 * (hi - lo);
  if (logarithmic(c))
    fprintf(out, "set logscale x\nset xrange [%g:%g]\n", lo / 1.15, hi * 1.15);
  else
    fprintf(out, "set xrange [%g:%g]\n", lo - room, hi + room);
  if (c->count > 12) return; /* gnuplot's own tics */
  fputs("set xtics (", out);
  for (int i = 0; i < c->count; i++) fprintf(out, "%s%g", i ? ", " : "", c->point[i].value);
  fputs(")\n", out);
}

/* Two panels with one horizontal axis: success above, operations below. */
static void script(const void *self, FILE *out) {
  const curve *c = self;
  const vlb_columns *columns = &c->e->columns;
  fputs("set multiplot\n", out);
  vlb_plot_heading(c->e, "", "; 95 % intervals", out);
  fputs("set style line 1 lc rgb '#1b6ca8' lw 2.6 pt 7 ps 1.1\nset style line 2 lc rgb '#d1495b' lw 1.6 dt 3 pt 12 ps 0.9\n"
        "set grid ytics lc rgb '#ececec' lt 1\nset lmargin 13\nset rmargin 24\nset tmargin at screen 0.86\nset bmargin at screen 0.42\n"
        "set yrange [-2:102]\nset ytics 20\nset ylabel 'episodes that succeed, %'\nset format x ''\n"
        "set key at graph 1.03, graph 1 left top samplen 2 spacing 1.2\nset bars 0.8\n",
        out);
  write_axis(c, out);
  fputs("plot ", out);
  for (int k = 0; k < columns->count && columns->count > 1; k++)
    fprintf(out, "'curve.dat' using 1:%d with linespoints lw 1.3 pt 7 ps 0.5 lc rgb '%s' title '%s', \\\n  ", 8 + k, vlb_plot_colours[(k + 1) % 8],
            columns->name[k]);
  fprintf(out, "'curve.dat' using 1:2 with lines ls 1 notitle, '' using 1:2:3:4 with yerrorbars ls 1 title '%s'", columns->count > 1 ? "Avg" : "this program");
  if (any_paper(c)) fputs(", \\\n  '' using 1:5 with linespoints ls 2 title 'paper'", out);
  fprintf(out, "\nunset label 1\nunset label 2\nset tmargin at screen 0.38\nset bmargin at screen 0.13\nset yrange [0:*]\nset ytics auto\n"
               "set ylabel \"million operations\\nper chunk\"\nset xlabel '%s.%s'\nset format x '%%g'\n",
          c->section, c->field->name);
  write_axis(c, out);
  bool timed = any_time(c);
  if (timed) fputs("set ytics nomirror\nset y2range [0:*]\nset y2tics\nset y2label 'ms of one thread per chunk' tc rgb '#b07d2b'\n", out);
  fputs("plot 'curve.dat' using 1:6 with linespoints lw 2 pt 7 ps 0.9 lc rgb '#555555' notitle", out);
  if (timed) fputs(", \\\n  '' using 1:7 axes x1y2 with linespoints lw 2 pt 5 ps 0.9 lc rgb '#b07d2b' notitle", out);
  fputs("\nunset multiplot\n", out);
}

vlb_code vlb_plot_curve(const vlb_evidence *e, const vlb_plan *plan, const char *root, const char *folder, bool *drawn, vlb_error *err) {
  curve c;
  find(e, plan, &c);
  *drawn = c.count > 0;
  if (!c.count) return VLB_OK;
  count_operations(plan, &c);
  add_times(plan, root, &c);
  return vlb_plot_draw(&(vlb_plot){"curve", folder, 860, 620, data, script, &c}, err);
}
