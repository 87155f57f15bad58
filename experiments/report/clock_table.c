/* Virtual time as tables. */
#include <math.h>
#include <stdlib.h>

#include "experiments/report/clock.h"
#include "experiments/report/grid.h"
#include "experiments/report/notes.h"

static void number(vlb_grid *g, int row, int column, const char *format, double x) {
  if (isnan(x)) return;
  char text[32];
  snprintf(text, sizeof text, format, x);
  vlb_grid_set(g, row, column, "%s", text);
}

static void mean_sd(vlb_grid *g, int row, int column, double mean, double sd) {
  if (!isnan(mean)) vlb_grid_set(g, row, column, isnan(sd) ? "%.2f" : "%.2f +- %.2f", mean, sd);
}

static bool any_paper(const vlb_clocks *c) {
  for (int i = 0; i < c->e->ablation->arm_count; i++)
    if (!isnan(c->arms[i].paper_time)) return true;
  return false;
}

/* --- arms --- */

static vlb_grid *arms_grid(const vlb_clocks *c) {
  static const char *const times[] = {"arm", "solved", "time, s", "idle, s", "idle, %", "dry", "age, s", "oldest, s", "load, %", "looks/s", "sent/s", "chunks/s", NULL};
  static const char *const cubes[] = {"arm", "episodes", "cubes", "idle, s", "idle, %", "dry", "age, s", "oldest, s", "load, %", "looks/s", "sent/s", "chunks/s", NULL};
  vlb_grid *g = vlb_grid_new("lrrrrrrrrrrrr");
  if (!g) return NULL;
  vlb_grid_header(g, c->fixed_time ? cubes : times);
  if (any_paper(c)) vlb_grid_set(g, 0, 12, c->fixed_time ? "paper, cubes" : "paper, s (PickPlace)");
  for (int i = 0; i < c->e->ablation->arm_count; i++) {
    const vlb_clock_arm *arm = &c->arms[i];
    const vlb_spread *s = c->fixed_time ? &arm->cubes : &arm->time;
    vlb_grid_set(g, i + 1, 0, "%s", arm->arm->label);
    if (!arm->known) vlb_grid_set(g, i + 1, 1, "%s", arm->arm->why);
    if (!arm->known) continue;
    vlb_grid_set(g, i + 1, 1, "%d", s->n);
    mean_sd(g, i + 1, 2, s->mean, s->sd);
    mean_sd(g, i + 1, 12, c->fixed_time ? arm->paper_cubes : arm->paper_time, c->fixed_time ? arm->paper_cubes_sd : arm->paper_time_sd);
    if (!arm->clocked) continue;
    const double x[] = {arm->idle, 100 * arm->idle_share, arm->starvations, arm->age_mean, arm->age_max, 100 * arm->load, arm->looks, arm->sent, arm->inferences};
    static const char *const formats[] = {"%.2f", "%.1f", "%.1f", "%.2f", "%.2f", "%.0f", "%.2f", "%.2f", "%.2f"};
    for (int k = 0; k < 9; k++) number(g, i + 1, 3 + k, formats[k], x[k]);
  }
  return g;
}

/* Mean time of the solved episodes of every task. */
static vlb_grid *tasks_grid(const vlb_clocks *c) {
  int tasks = 0;
  for (int i = 0; i < c->e->ablation->arm_count; i++)
    if (c->arms[i].known && c->arms[i].arm->tasks > tasks) tasks = c->arms[i].arm->tasks;
  vlb_grid *g = tasks > 1 && tasks <= 8 && !c->fixed_time ? vlb_grid_new("lrrrrrrrr") : NULL;
  if (!g) return NULL;
  vlb_grid_set(g, 0, 0, "time of solved episodes, s");
  for (int i = 0; i < c->e->ablation->arm_count; i++) {
    const vlb_clock_arm *arm = &c->arms[i];
    vlb_grid_set(g, i + 1, 0, "%s", arm->arm->label);
    for (int t = 0; arm->known && t < tasks; t++) {
      const char *suite;
      double sum = 0;
      int n = 0;
      for (int k = 0; k < arm->n; k++)
        if (arm->rows[k].task == t && arm->rows[k].outcome == VLB_EPISODE_SUCCESS) sum += vlb_clock_seconds(arm, &arm->rows[k]), n++;
      const char *name = vlb_task_name(c->e, arm->arm, t, &suite);
      vlb_grid_set(g, 0, t + 1, "%.60s", c->e->columns.count == tasks ? c->e->columns.name[t] : name);
      if (n) vlb_grid_set(g, i + 1, t + 1, "%.2f (%d)", sum / n, n);
    }
  }
  return g;
}

/* --- contrasts --- */

static const char *verdict(const vlb_clocks *c, const vlb_clock_contrast *k, char *buf, size_t size) {
  const vlb_t_result *t = c->fixed_time ? &k->cubes : &k->time;
  if (!k->known)
    snprintf(buf, size, "no data");
  else if (!(k->p_holm < 0.05))
    snprintf(buf, size, "not separable");
  else
    snprintf(buf, size, "%s %s", ((t->mean.estimate < 0) != c->fixed_time ? k->a : k->b)->arm->label, c->fixed_time ? "moves more" : "is faster");
  return buf;
}

static double paper_ratio(const vlb_clocks *c, const vlb_clock_contrast *k) {
  return c->fixed_time ? k->a->paper_cubes - k->b->paper_cubes : 100 * (k->a->paper_time / k->b->paper_time - 1);
}

static void contrast_row(const vlb_clocks *c, const vlb_clock_contrast *k, vlb_grid *g, int row) {
  char text[128];
  const vlb_t_result *t = c->fixed_time ? &k->cubes : &k->time;
  vlb_grid_set(g, row, 0, "%s - %s", k->a->arm->label, k->b->arm->label);
  vlb_grid_set(g, row, 8, "%s", verdict(c, k, text, sizeof text));
  double paper = paper_ratio(c, k);
  if (!isnan(paper)) vlb_grid_set(g, row, 9, c->fixed_time ? "%+.1f" : "%+.0f %%", paper);
  if (!k->known) return;
  vlb_grid_set(g, row, 1, "%d", t->n);
  vlb_grid_set(g, row, 2, "%+.2f", t->mean.estimate);
  vlb_grid_set(g, row, 3, "%+.2f to %+.2f", t->mean.interval.lo, t->mean.interval.hi);
  if (!c->fixed_time) vlb_grid_set(g, row, 4, "%+.0f %% (%+.0f to %+.0f)", 100 * (k->ratio.mean.estimate - 1), 100 * (k->ratio.mean.interval.lo - 1), 100 * (k->ratio.mean.interval.hi - 1));
  if (!isnan(t->p)) vlb_grid_p(g, row, 5, t->p);
  vlb_grid_p(g, row, 6, c->fixed_time ? k->cubes_rank : k->signed_rank);
  vlb_grid_p(g, row, 7, k->p_holm);
}

static vlb_grid *contrasts_grid(const vlb_clocks *c) {
  static const char *const times[] = {"contrast", "pairs", "seconds", "95 % interval", "relative", "p", "p signed rank", "p Holm", "verdict", NULL};
  static const char *const cubes[] = {"contrast", "pairs", "cubes", "95 % interval", "", "p", "p signed rank", "p Holm", "verdict", NULL};
  vlb_grid *g = vlb_grid_new("lrrrrrrrlr");
  if (!g) return NULL;
  vlb_grid_header(g, c->fixed_time ? cubes : times);
  if (any_paper(c)) vlb_grid_set(g, 0, 9, "paper");
  for (int i = 0; i < c->e->ablation->contrast_count; i++) contrast_row(c, &c->contrasts[i], g, i + 1);
  return g;
}

/* The same with timeouts: what a comparison of solved episodes alone leaves out. */
static vlb_grid *all_grid(const vlb_clocks *c) {
  static const char *const names[] = {"contrast, episodes not solved at the limit", "pairs", "seconds", "95 % interval", "p", NULL};
  vlb_grid *g = c->fixed_time ? NULL : vlb_grid_new("lrrrr");
  if (!g) return NULL;
  vlb_grid_header(g, names);
  for (int i = 0; i < c->e->ablation->contrast_count; i++) {
    const vlb_clock_contrast *k = &c->contrasts[i];
    vlb_grid_set(g, i + 1, 0, "%s - %s", k->a->arm->label, k->b->arm->label);
    if (!k->known) continue;
    vlb_grid_set(g, i + 1, 1, "%d", k->all.n);
    vlb_grid_set(g, i + 1, 2, "%+.2f", k->all.mean.estimate);
    vlb_grid_set(g, i + 1, 3, "%+.2f to %+.2f", k->all.mean.interval.lo, k->all.mean.interval.hi);
    if (!isnan(k->all.p)) vlb_grid_p(g, i + 1, 4, k->all.p);
  }
  return g;
}

/* --- files --- */

static void write_notes(const vlb_clocks *c, FILE *out) {
  char scale[96];
  const vlb_clock_arm *first = &c->arms[0];
  fprintf(out, "\n* Scale: %s. Times are virtual: they follow from the latency model, on any machine.\n", vlb_scale_text(c->e->ablation, scale, sizeof scale));
  fprintf(out, "* Control tick %.1f ms, %d actions of a chunk used: n dt = %.2f s. Latency of the first arm: %g s.\n", 1000 * first->dt, first->chunk, first->chunk * first->dt,
          vlb_clock_latency(first));
  fputs("* time: from the first action to success, mean +- standard deviation of the episodes that succeeded. idle: the robot held its last target for want of "
        "another, after its first action. dry: times the queue ran dry, per episode. age: from look to execution of an action. load: time in which the policy "
        "computed. looks: times a look was due; what the similarity filter dropped at the robot was not sent.\n",
        out);
  fputs(c->fixed_time ? "* Contrasts: cubes of the same episode number under both arms, paired t interval, 95 %; Wilcoxon's signed-rank test beside it, exact; Holm over the "
                        "declared contrasts.\n"
                      : "* Contrasts: the same episodes solved by both arms, pair by pair. The mean difference with its paired t interval, because a difference of means is what the "
                        "paper states, times are bounded by the limit and the pairs are many; Wilcoxon's signed-rank test, exact, in case the differences are skewed; Holm over the "
                        "declared contrasts. Relative: ratio of geometric means, minus 1.\n",
        out);
  if (any_paper(c))
    fprintf(out, "* Paper (arXiv 2506.01844): %s; a real arm, 0.45B parameters, latency and g not stated.\n",
            c->fixed_time ? "Figure 5c, Pick-Place, 5 runs of 60 s" : "Figure 5b, Pick-Place, 10 trials; relative: of its totals");
}

void vlb_clock_markdown(const vlb_clocks *c, FILE *out) {
  fprintf(out, "# %s: virtual time\n\n", c->e->ablation->title);
  vlb_grid_write(arms_grid(c), vlb_grid_markdown, out);
  vlb_grid *tasks = tasks_grid(c);
  if (tasks) fputc('\n', out);
  vlb_grid_write(tasks, vlb_grid_markdown, out);
  if (c->e->ablation->contrast_count) {
    fputc('\n', out);
    vlb_grid_write(contrasts_grid(c), vlb_grid_markdown, out);
    vlb_grid *all = all_grid(c);
    if (all) fputc('\n', out);
    vlb_grid_write(all, vlb_grid_markdown, out);
  }
  write_notes(c, out);
}

void vlb_clock_html(const vlb_clocks *c, FILE *out) {
  fputs("<h3>Virtual time</h3>\n", out);
  vlb_grid_write(arms_grid(c), vlb_grid_html, out);
  vlb_grid_write(tasks_grid(c), vlb_grid_html, out);
  if (!c->e->ablation->contrast_count) return;
  vlb_grid_write(contrasts_grid(c), vlb_grid_html, out);
  vlb_grid_write(all_grid(c), vlb_grid_html, out);
}

void vlb_clock_csv(const vlb_clocks *c, FILE *out) {
  fputs("arm,label,state,episodes,solved,time_s,time_sd,time_lo95,time_hi95,cubes,cubes_sd,idle_s,idle_share,starvations,age_s,age_max_s,load,looks_per_s,sent_per_s,"
        "inferences_per_s,latency_s,threshold,idle_share_closed_form\n",
        out);
  for (int i = 0; i < c->e->ablation->arm_count; i++) {
    const vlb_clock_arm *a = &c->arms[i];
    fprintf(out, "%s,\"%s\",%s", a->arm->name, a->arm->label, a->arm->why);
    if (!a->known) {
      fputs(",,,,,,,,,,,,,,,,,,,,\n", out);
      continue;
    }
    fprintf(out, ",%d,%d,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g", a->n, a->time.n, a->time.mean, a->time.sd, a->time.interval.lo, a->time.interval.hi, a->cubes.mean, a->cubes.sd);
    fprintf(out, ",%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g\n", a->idle, a->idle_share, a->starvations, a->age_mean, a->age_max, a->load, a->looks, a->sent,
            a->inferences, vlb_clock_latency(a), a->control->threshold, vlb_clock_idle_share(a->control, a->control->threshold, vlb_clock_latency(a), a->chunk * a->dt));
  }
}

void vlb_clock_contrasts_csv(const vlb_clocks *c, FILE *out) {
  fputs("a,b,pairs,seconds,lo95,hi95,ratio,ratio_lo95,ratio_hi95,p,p_signed_rank,p_holm,all_seconds,all_lo95,all_hi95,cubes,cubes_lo95,cubes_hi95\n", out);
  for (int i = 0; i < c->e->ablation->contrast_count; i++) {
    const vlb_clock_contrast *k = &c->contrasts[i];
    fprintf(out, "%s,%s", k->a->arm->name, k->b->arm->name);
    if (!k->known) {
      fputs(",,,,,,,,,,,,,,,,\n", out);
      continue;
    }
    fprintf(out, ",%d,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g", k->time.n, k->time.mean.estimate, k->time.mean.interval.lo, k->time.mean.interval.hi, k->ratio.mean.estimate,
            k->ratio.mean.interval.lo, k->ratio.mean.interval.hi, c->fixed_time ? k->cubes.p : k->time.p, c->fixed_time ? k->cubes_rank : k->signed_rank, k->p_holm);
    fprintf(out, ",%.6g,%.6g,%.6g,%.6g,%.6g,%.6g\n", k->all.mean.estimate, k->all.mean.interval.lo, k->all.mean.interval.hi, k->cubes.mean.estimate, k->cubes.mean.interval.lo,
            k->cubes.mean.interval.hi);
  }
}
