#include "experiments/report/pareto.h"

#include <stdlib.h>

#include "core/base/file.h"
#include "experiments/report/grid.h"
#include "experiments/report/plot.h"
#include "experiments/store/store.h"

static bool read_cost(const vlb_plan *plan, int cell, const char *root, vlb_prediction_cost *cost) {
  char folder[1024];
  return cell >= 0 && vlb_store_state(root, plan->cells[cell].name, true, NULL) == VLB_STORED_DONE &&
         !vlb_store_folder(root, plan->cells[cell].name, folder, NULL) && !vlb_cost_read(folder, cost, NULL);
}

static double cost_of(const vlb_arm_cost *c, int kind) { return kind ? c->ms : c->gflop; }

/* Point estimates: with few episodes the front is as uncertain as they are. */
static void mark_front(vlb_arm_cost *costs, int n, int kind) {
  for (int i = 0; i < n; i++) {
    bool beaten = false;
    double rate = costs[i].arm->mean.estimate, cost = cost_of(&costs[i], kind);
    for (int k = 0; k < n; k++) {
      double other = costs[k].arm->mean.estimate, price = cost_of(&costs[k], kind);
      beaten |= other >= rate && price <= cost && (other > rate || price < cost);
    }
    costs[i].front[kind] = !beaten;
  }
}

int vlb_arm_costs(const vlb_evidence *e, const vlb_plan *plan, const char *root, vlb_arm_cost *costs) {
  int n = 0;
  for (int i = 0; i < e->ablation->arm_count; i++) {
    vlb_arm_cost *c = &costs[n];
    if (!e->arms[i].known || !read_cost(plan, plan->arms[i].latency, root, &c->cost)) continue;
    double actions = (double)e->ablation->arms[i].settings.model.n_action_steps;
    c->arm = &e->arms[i];
    c->gflop = c->cost.gflop / actions;
    c->ms = c->cost.ms / actions;
    n++;
  }
  for (int kind = 0; kind < 2; kind++) mark_front(costs, n, kind);
  return n;
}

static vlb_grid *grid_of(const vlb_arm_cost *costs, int n) {
  static const char *const names[] = {"arm", "success %", "95 % interval", "GFLOP per prediction", "GFLOP per action", "ms per prediction", "quartiles",
                                      "ms per action", "front", NULL};
  static const char *const fronts[] = {"", "operations", "time", "both"};
  vlb_grid *g = vlb_grid_new("lrrrrrrrl");
  if (!g) return NULL;
  vlb_grid_header(g, names);
  for (int i = 0; i < n; i++) {
    const vlb_arm_cost *c = &costs[i];
    vlb_grid_set(g, i + 1, 0, "%s", c->arm->label);
    vlb_grid_set(g, i + 1, 1, "%.1f", 100 * c->arm->mean.estimate);
    vlb_grid_set(g, i + 1, 2, "%.1f to %.1f", 100 * c->arm->mean.interval.lo, 100 * c->arm->mean.interval.hi);
    vlb_grid_set(g, i + 1, 3, "%.4f", c->cost.gflop);
    vlb_grid_set(g, i + 1, 4, "%.4f", c->gflop);
    vlb_grid_set(g, i + 1, 5, "%.2f", c->cost.ms);
    vlb_grid_set(g, i + 1, 6, "%.2f to %.2f", c->cost.ms_lo, c->cost.ms_hi);
    vlb_grid_set(g, i + 1, 7, "%.3f", c->ms);
    vlb_grid_set(g, i + 1, 8, "%s", fronts[c->front[0] + 2 * c->front[1]]);
  }
  return g;
}

void vlb_pareto_markdown(const vlb_evidence *e, const vlb_plan *plan, const char *root, FILE *out) {
  vlb_arm_cost *costs = calloc(VLB_MAX_ARMS, sizeof *costs);
  int n = costs ? vlb_arm_costs(e, plan, root, costs) : 0;
  vlb_grid *g = n ? grid_of(costs, n) : NULL;
  if (g) {
    fputs("\n## Success against cost\n\n", out);
    vlb_grid_markdown(g, out);
    fputs("\n* Operations are counted, times measured: processor time of one thread, one observation. Per action: divided by the actions executed before the next "
          "prediction.\n* Front: no other arm succeeds at least as often at no higher cost; by point estimates, so as uncertain as they are.\n",
          out);
  }
  free(g);
  free(costs);
}

/* What the plot is drawn from. */
typedef struct {
  const vlb_evidence *e;
  vlb_arm_cost cost[VLB_MAX_ARMS];
  int order[2][VLB_MAX_ARMS]; /* by rising cost: the front is a staircase */
  int count;
} picture;

static void sort(picture *p, int kind) {
  for (int i = 0; i < p->count; i++) {
    int at = i;
    for (; at > 0 && cost_of(&p->cost[p->order[kind][at - 1]], kind) > cost_of(&p->cost[i], kind); at--) p->order[kind][at] = p->order[kind][at - 1];
    p->order[kind][at] = i;
  }
}

/* Four blocks: all arms and the front, against operations and then against time. */
static void data(const void *self, FILE *out) {
  const picture *p = self;
  for (int kind = 0; kind < 2; kind++)
    for (int front = 0; front < 2; front++) {
      fprintf(out, "%s# %s per action, percent, lo95, hi95, label: %s\n", kind || front ? "\n\n" : "", kind ? "milliseconds" : "GFLOP",
              front ? "the front" : "all arms");
      for (int i = 0; i < p->count; i++) {
        const vlb_arm_cost *c = &p->cost[p->order[kind][i]];
        if (front && !c->front[kind]) continue;
        fprintf(out, "%.6g %.3f %.3f %.3f \"", cost_of(c, kind), 100 * c->arm->mean.estimate, 100 * c->arm->mean.interval.lo, 100 * c->arm->mean.interval.hi);
        for (const char *t = c->arm->label; *t; t++)
          if (*t != '"') fputc(*t, out);
        fputs("\"\n", out);
      }
    }
}

static void script(const void *self, FILE *out) {
  const picture *p = self;
  static const char *const axis[] = {"GFLOP per executed action", "milliseconds of processor time per executed action"};
  fputs("set multiplot\n", out);
  vlb_plot_heading(p->e, "", "; 95 % intervals; steps: the Pareto front of the point estimates", out);
  fputs("set grid lc rgb '#ececec' lt 1\nset tmargin at screen 0.84\nset bmargin at screen 0.14\nset yrange [-3:103]\nset ytics 20\nset bars 0.6\n"
        "set ylabel 'episodes that succeed, %'\nset offsets graph 0.06, graph 0.1, 0, 0\nunset key\n",
        out);
  for (int kind = 0; kind < 2; kind++) {
    fprintf(out, "set lmargin at screen %g\nset rmargin at screen %g\nset xlabel '%s'\n", kind ? 0.56 : 0.07, kind ? 0.98 : 0.49, axis[kind]);
    if (cost_of(&p->cost[p->order[kind][p->count - 1]], kind) > 8 * cost_of(&p->cost[p->order[kind][0]], kind))
      fputs("set logscale x\n", out);
    else
      fputs("unset logscale x\n", out);
    fprintf(out, "plot 'pareto.dat' index %d using 1:2 with fsteps lw 2 lc rgb '#d1495b', '' index %d using 1:2:3:4 with yerrorbars lw 1.4 pt 7 ps 0.9 lc rgb "
                 "'#1b6ca8', '' index %d using 1:2:5 with labels offset 0.6,0.7 left font ',10' tc rgb '#555555'\n",
            2 * kind + 1, 2 * kind, 2 * kind);
    if (!kind) fputs("unset label 1\nunset label 2\nunset ylabel\n", out);
  }
  fputs("unset multiplot\n", out);
}

static vlb_code write_csv(const picture *p, const char *folder, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/pareto.csv", folder));
  vlb_grid *g = grid_of(p->cost, p->count);
  if (!g) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = vlb_writer_open(&w, path, err);
  if (!code) vlb_grid_csv(g, w.out);
  free(g);
  return code ? code : vlb_writer_commit(&w, err);
}

vlb_code vlb_plot_pareto(const vlb_evidence *e, const vlb_plan *plan, const char *root, const char *folder, bool *drawn, vlb_error *err) {
  picture *p = calloc(1, sizeof *p);
  if (!p) return vlb_fail(err, VLB_FAILED, "out of memory");
  p->e = e;
  p->count = vlb_arm_costs(e, plan, root, p->cost);
  *drawn = p->count > 0;
  vlb_code code = VLB_OK;
  if (p->count) {
    sort(p, 0);
    sort(p, 1);
    code = write_csv(p, folder, err);
    if (!code) code = vlb_plot_draw(&(vlb_plot){"pareto", folder, 1080, 500, data, script, p}, err);
  }
  free(p);
  return code;
}
