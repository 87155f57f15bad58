#include "experiments/report/table.h"

#include <math.h>
#include <stdlib.h>

#include "experiments/report/grid.h"
#include "experiments/report/notes.h"

/* The program runs on small machines, but a grid is too large for a stack. */
static vlb_grid *grid(const char *align) {
  vlb_grid *g = calloc(1, sizeof *g);
  if (g) g->align = align;
  return g;
}

static void p_text(vlb_grid *g, int row, int column, double p) {
  if (p < 0.001)
    vlb_grid_set(g, row, column, "<0.001");
  else
    vlb_grid_set(g, row, column, "%.3f", p);
}

static int rows_of(const vlb_evidence *e) { return e->ablation->arm_count + e->has_floor; }

static const vlb_arm_evidence *row_of(const vlb_evidence *e, int i) { return i < e->ablation->arm_count ? &e->arms[i] : &e->floor; }

static void set_header(vlb_grid *g, const char *const *names) {
  for (int c = 0; names[c]; c++) vlb_grid_set(g, 0, c, "%s", names[c]);
}

static vlb_grid *results_grid(const vlb_evidence *e) {
  static const char *const names[] = {"arm", "success %", "k/n", "95 % interval", NULL};
  vlb_grid *g = grid(e->letters ? "lrrrlr" : "lrrrr");
  if (!g) return NULL;
  set_header(g, names);
  int paper = e->letters ? 5 : 4;
  if (e->letters) vlb_grid_set(g, 0, 4, "group");
  if (e->ablation->paper_table[0]) vlb_grid_set(g, 0, paper, "paper %%, %s", e->ablation->paper_column);
  for (int i = 0; i < rows_of(e); i++) {
    const vlb_arm_evidence *arm = row_of(e, i);
    vlb_grid_set(g, i + 1, 0, "%s", arm->label);
    if (!arm->known) {
      vlb_grid_set(g, i + 1, 1, "%s", arm->why);
    } else {
      vlb_grid_set(g, i + 1, 1, "%.1f", vlb_rate_percent(arm));
      vlb_grid_set(g, i + 1, 2, "%d/%d", arm->successes, arm->n);
      vlb_grid_set(g, i + 1, 3, "%.1f to %.1f", 100 * arm->interval.lo, 100 * arm->interval.hi);
    }
    if (e->letters) vlb_grid_set(g, i + 1, 4, "%s", arm->letters);
    if (!isnan(arm->paper)) vlb_grid_set(g, i + 1, paper, "%g", arm->paper);
  }
  return g;
}

static vlb_grid *contrasts_grid(const vlb_evidence *e) {
  static const char *const names[] = {"contrast", "points", "95 % interval", "only first", "only second", "p", "p Holm", "verdict", NULL};
  vlb_grid *g = grid("lrrrrrrlr");
  if (!g) return NULL;
  char verdict[128];
  set_header(g, names);
  if (e->ablation->paper_table[0]) vlb_grid_set(g, 0, 8, "paper, points");
  for (int i = 0; i < e->ablation->contrast_count; i++) {
    const vlb_contrast_evidence *c = &e->contrasts[i];
    vlb_grid_set(g, i + 1, 0, "%s - %s", c->a->label, c->b->label);
    vlb_grid_set(g, i + 1, 7, "%s", vlb_verdict(c, verdict, sizeof verdict));
    double paper = c->a->paper - c->b->paper;
    if (!isnan(paper)) vlb_grid_set(g, i + 1, 8, "%+g", paper);
    if (!c->known) continue;
    vlb_grid_set(g, i + 1, 1, "%+.1f", 100 * c->difference);
    vlb_grid_set(g, i + 1, 2, "%+.1f to %+.1f", 100 * c->interval.lo, 100 * c->interval.hi);
    vlb_grid_set(g, i + 1, 3, "%lld", (long long)c->pairs.only_a);
    vlb_grid_set(g, i + 1, 4, "%lld", (long long)c->pairs.only_b);
    p_text(g, i + 1, 5, c->p);
    p_text(g, i + 1, 6, c->p_holm);
  }
  return g;
}

static void note_markdown(void *self, const char *text) { fprintf(self, "* %s\n", text); }

static void note_latex(void *self, const char *text) {
  fputs("% ", self);
  fprintf(self, "%s\n", text);
}

static void write_grid(vlb_grid *g, void (*write)(const vlb_grid *g, FILE *out), FILE *out) {
  if (g) write(g, out);
  free(g);
}

void vlb_table_markdown(const vlb_evidence *e, FILE *out) {
  char scale[96];
  fprintf(out, "# %s\n\n%s%s\n\n", e->ablation->title, vlb_scale_text(e->ablation, scale, sizeof scale), e->ablation->quick ? ", quick preset" : "");
  write_grid(results_grid(e), vlb_grid_markdown, out);
  if (e->ablation->contrast_count) {
    fputc('\n', out);
    write_grid(contrasts_grid(e), vlb_grid_markdown, out);
  }
  fputc('\n', out);
  vlb_notes(e, note_markdown, out);
}

void vlb_table_latex(const vlb_evidence *e, FILE *out) {
  fprintf(out, "%% %s\n", e->ablation->title);
  vlb_notes(e, note_latex, out);
  write_grid(results_grid(e), vlb_grid_latex, out);
  if (!e->ablation->contrast_count) return;
  fputs("\n\\medskip\n", out);
  write_grid(contrasts_grid(e), vlb_grid_latex, out);
}

void vlb_table_csv(const vlb_evidence *e, FILE *out) {
  static const char *const names[] = {"arm", "label", "state", "successes", "episodes", "errors", "rate", "lo95", "hi95", "paper_percent", NULL};
  vlb_grid *g = grid(NULL);
  if (!g) return;
  set_header(g, names);
  for (int i = 0; i < rows_of(e); i++) {
    const vlb_arm_evidence *arm = row_of(e, i);
    vlb_grid_set(g, i + 1, 0, "%s", arm->name);
    vlb_grid_set(g, i + 1, 1, "%s", arm->label);
    vlb_grid_set(g, i + 1, 2, "%s", arm->why);
    if (!isnan(arm->paper)) vlb_grid_set(g, i + 1, 9, "%g", arm->paper);
    if (!arm->known) continue;
    vlb_grid_set(g, i + 1, 3, "%d", arm->successes);
    vlb_grid_set(g, i + 1, 4, "%d", arm->n);
    vlb_grid_set(g, i + 1, 5, "%d", arm->errors);
    vlb_grid_set(g, i + 1, 6, "%.6f", vlb_rate_percent(arm) / 100);
    vlb_grid_set(g, i + 1, 7, "%.6f", arm->interval.lo);
    vlb_grid_set(g, i + 1, 8, "%.6f", arm->interval.hi);
  }
  write_grid(g, vlb_grid_csv, out);
}

void vlb_contrasts_csv(const vlb_evidence *e, FILE *out) {
  static const char *const names[] = {"a", "b", "both", "only_a", "only_b", "neither", "difference", "lo95", "hi95", "p", "p_holm", "verdict", NULL};
  vlb_grid *g = grid(NULL);
  if (!g) return;
  char verdict[128];
  set_header(g, names);
  for (int i = 0; i < e->ablation->contrast_count; i++) {
    const vlb_contrast_evidence *c = &e->contrasts[i];
    vlb_grid_set(g, i + 1, 0, "%s", c->a->name);
    vlb_grid_set(g, i + 1, 1, "%s", c->b->name);
    vlb_grid_set(g, i + 1, 11, "%s", vlb_verdict(c, verdict, sizeof verdict));
    if (!c->known) continue;
    const int64_t counts[] = {c->pairs.both, c->pairs.only_a, c->pairs.only_b, c->pairs.neither};
    const double numbers[] = {c->difference, c->interval.lo, c->interval.hi, c->p, c->p_holm};
    for (int k = 0; k < 4; k++) vlb_grid_set(g, i + 1, 2 + k, "%lld", (long long)counts[k]);
    for (int k = 0; k < 5; k++) vlb_grid_set(g, i + 1, 6 + k, "%.6g", numbers[k]);
  }
  write_grid(g, vlb_grid_csv, out);
}

void vlb_tasks_csv(const vlb_evidence *e, FILE *out) {
  fputs("arm,task,successes,episodes\n", out);
  for (int i = 0; i < rows_of(e); i++) {
    const vlb_arm_evidence *arm = row_of(e, i);
    for (int t = 0; t < arm->tasks; t++) {
      int n, k = vlb_task_successes(arm, t, &n);
      fprintf(out, "%s,%d,%d,%d\n", arm->name, t, k, n);
    }
  }
}

static json_t *arm_json(const vlb_arm_evidence *arm) {
  json_t *out = json_pack("{s:s,s:s,s:s}", "arm", arm->name, "label", arm->label, "state", arm->why);
  if (arm->known)
    json_object_update_new(out, json_pack("{s:i,s:i,s:i,s:f,s:[f,f]}", "successes", arm->successes, "episodes", arm->n, "errors", arm->errors,
                                          "rate", vlb_rate_percent(arm) / 100, "interval95", arm->interval.lo, arm->interval.hi));
  if (!isnan(arm->paper)) json_object_set_new(out, "paper_percent", json_real(arm->paper));
  return out;
}

static json_t *contrast_json(const vlb_contrast_evidence *c) {
  char verdict[128];
  json_t *out = json_pack("{s:s,s:s,s:s}", "a", c->a->name, "b", c->b->name, "verdict", vlb_verdict(c, verdict, sizeof verdict));
  if (c->known)
    json_object_update_new(out, json_pack("{s:I,s:I,s:f,s:[f,f],s:f,s:f}", "only_a", (json_int_t)c->pairs.only_a, "only_b",
                                          (json_int_t)c->pairs.only_b, "difference", c->difference, "interval95", c->interval.lo,
                                          c->interval.hi, "p", c->p, "p_holm", c->p_holm));
  return out;
}

json_t *vlb_table_json(const vlb_evidence *e) {
  json_t *arms = json_array(), *contrasts = json_array();
  for (int i = 0; i < rows_of(e); i++) json_array_append_new(arms, arm_json(row_of(e, i)));
  for (int i = 0; i < e->ablation->contrast_count; i++) json_array_append_new(contrasts, contrast_json(&e->contrasts[i]));
  return json_pack("{s:s,s:b,s:s,s:s,s:o,s:o}", "ablation", e->ablation->name, "quick", e->ablation->quick, "title", e->ablation->title,
                   "scale", e->ablation->scale, "arms", arms, "contrasts", contrasts);
}
