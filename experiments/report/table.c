#include "experiments/report/table.h"

#include <math.h>
#include <stdlib.h>

#include "experiments/report/compare.h"
#include "experiments/report/grid.h"
#include "experiments/report/html.h"
#include "experiments/report/notes.h"

/* "87.0 (86)": ours, and the paper's number beside it. */
static void put_percent(vlb_grid *g, int row, int column, double ours, double paper) {
  if (isnan(ours) && isnan(paper)) return;
  if (isnan(paper))
    vlb_grid_set(g, row, column, "%.1f", 100 * ours);
  else if (isnan(ours))
    vlb_grid_set(g, row, column, "(%g)", paper);
  else
    vlb_grid_set(g, row, column, "%.1f (%g)", 100 * ours, paper);
}

/* A column of the results table: heading, alignment, and what it says of an arm. Columns that would be empty are left out. */
typedef struct {
  const vlb_evidence *e;
  vlb_grid *g;
  int row;
  const vlb_arm_evidence *arm; /* NULL: the header */
  int column;                  /* next */
} cursor;

static int next(cursor *c, char align) {
  if (!c->arm) c->g->align[c->column] = align;
  return c->column++;
}

static bool has_paper(const vlb_evidence *e, int column) {
  for (int i = 0; i < e->ablation->arm_count; i++)
    if (!isnan(column < 0 ? e->arms[i].paper_mean : e->arms[i].paper[column])) return true;
  return false;
}

static void put_header(cursor *c, char align, const char *name, bool paper) {
  int at = next(c, align);
  vlb_grid_set(c->g, 0, at, "%s%s", name, paper ? " (paper)" : "");
}

static void put_columns(cursor *c) {
  const vlb_evidence *e = c->e;
  if (e->columns.count < 2) return;
  for (int i = 0; i < e->columns.count; i++) {
    if (!c->arm) {
      put_header(c, 'r', e->columns.name[i], has_paper(e, i));
      continue;
    }
    double ours = c->arm->known && c->arm->column[i].n ? (double)c->arm->column[i].k / (double)c->arm->column[i].n : NAN;
    put_percent(c->g, c->row, next(c, 'r'), ours, c->arm->paper[i]);
  }
}

static void put_mean(cursor *c) {
  if (!c->arm) {
    put_header(c, 'r', c->e->columns.count < 2 ? "success %" : "Avg", has_paper(c->e, -1));
    put_header(c, 'r', "95 % interval", false);
    put_header(c, 'r', "k/n", false);
    return;
  }
  int at = next(c, 'r'), interval = next(c, 'r'), counts = next(c, 'r');
  if (!c->arm->known) {
    put_percent(c->g, c->row, at, NAN, c->arm->paper_mean);
    vlb_grid_set(c->g, c->row, interval, "%s", c->arm->why);
    return;
  }
  put_percent(c->g, c->row, at, c->arm->mean.estimate, c->arm->paper_mean);
  vlb_grid_set(c->g, c->row, interval, "%.1f to %.1f", 100 * c->arm->mean.interval.lo, 100 * c->arm->mean.interval.hi);
  vlb_grid_set(c->g, c->row, counts, "%d/%d", c->arm->successes, c->arm->n);
}

static void put_more(cursor *c) {
  const vlb_evidence *e = c->e;
  if (vlb_unequal_weights(e)) {
    if (!c->arm) put_header(c, 'r', "over tasks", false);
    else if (c->arm->known) vlb_grid_set(c->g, c->row, c->column, "%.1f", 100 * c->arm->over_tasks.estimate);
    if (c->arm) c->column++;
  }
  if (e->columns.credit) {
    if (!c->arm) put_header(c, 'r', "score %", false);
    else if (c->arm->known) vlb_grid_set(c->g, c->row, c->column, "%.1f", 100 * c->arm->score);
    if (c->arm) c->column++;
  }
  if (vlb_trainings_estimated(e)) {
    if (!c->arm) put_header(c, 'r', "sd of trainings", false);
    else if (c->arm->training.estimated) vlb_grid_set(c->g, c->row, c->column, "%.1f", 100 * c->arm->training.seeds_sd);
    if (c->arm) c->column++;
  }
  if (e->letters) {
    if (!c->arm) put_header(c, 'l', "group", false);
    else vlb_grid_set(c->g, c->row, c->column++, "%s", c->arm->letters);
  }
}

static void put_row(const vlb_evidence *e, vlb_grid *g, int row, const vlb_arm_evidence *arm) {
  cursor c = {e, g, row, arm, 0};
  if (!arm)
    put_header(&c, 'l', "arm", false);
  else
    vlb_grid_set(g, row, next(&c, 'l'), "%s", arm->label);
  put_columns(&c);
  put_mean(&c);
  put_more(&c);
}

static vlb_grid *results_grid(const vlb_evidence *e) {
  vlb_grid *g = vlb_grid_new("");
  if (!g) return NULL;
  put_row(e, g, 0, NULL);
  for (int i = 0; i < vlb_evidence_rows(e); i++) put_row(e, g, i + 1, vlb_evidence_row(e, i));
  return g;
}

static bool any_unpaired(const vlb_evidence *e) {
  for (int i = 0; i < e->ablation->contrast_count; i++)
    if (e->contrasts[i].known && !e->contrasts[i].paired) return true;
  return false;
}

static void put_contrast(vlb_grid *g, int row, const vlb_contrast_evidence *c) {
  char verdict[128];
  vlb_grid_set(g, row, 0, "%s - %s", c->a->label, c->b->label);
  vlb_grid_set(g, row, 7, "%s", vlb_verdict(c, verdict, sizeof verdict));
  double paper = c->a->paper_mean - c->b->paper_mean;
  if (!isnan(paper)) vlb_grid_set(g, row, 8, "%+.4g", paper);
  if (!c->known) return;
  vlb_grid_set(g, row, 1, "%+.1f", 100 * c->difference.estimate);
  vlb_grid_set(g, row, 2, "%+.1f to %+.1f", 100 * c->difference.interval.lo, 100 * c->difference.interval.hi);
  if (c->paired) {
    vlb_grid_set(g, row, 3, "%lld", (long long)c->pairs.only_a);
    vlb_grid_set(g, row, 4, "%lld", (long long)c->pairs.only_b);
  }
  vlb_grid_p(g, row, 5, c->p);
  vlb_grid_p(g, row, 6, c->p_holm);
}

static vlb_grid *contrasts_grid(const vlb_evidence *e) {
  static const char *const names[] = {"contrast", "points", "95 % interval", "only first", "only second", "p", "p Holm", "verdict", NULL};
  vlb_grid *g = vlb_grid_new("lrrrrrrlrrl");
  if (!g) return NULL;
  vlb_grid_header(g, names);
  int last = 8;
  if (e->ablation->paper_table[0]) vlb_grid_set(g, 0, last++, "paper, points");
  int trainings = vlb_trainings_estimated(e) ? last++ : 0, samples = any_unpaired(e) ? last++ : 0;
  if (trainings) vlb_grid_set(g, 0, trainings, "over trainings");
  if (samples) vlb_grid_set(g, 0, samples, "episodes");
  for (int i = 0; i < e->ablation->contrast_count; i++) {
    const vlb_contrast_evidence *c = &e->contrasts[i];
    put_contrast(g, i + 1, c);
    if (trainings && c->trainings.n >= VLB_LEAST_SEEDS)
      vlb_grid_set(g, i + 1, trainings, "%+.1f to %+.1f", 100 * c->trainings.mean.interval.lo, 100 * c->trainings.mean.interval.hi);
    if (samples && c->known) vlb_grid_set(g, i + 1, samples, "%s", c->paired ? "shared" : "independent");
  }
  return g;
}

static void note_markdown(void *self, const char *text) { fprintf(self, "* %s\n", text); }

static void note_latex(void *self, const char *text) { fprintf(self, "%% %s\n", text); }

static void note_html(void *self, const char *text) {
  fputs("<li>", self);
  vlb_html_text(text, self);
  fputs("</li>\n", self);
}

void vlb_table_markdown(const vlb_evidence *e, FILE *out) {
  char scale[96];
  fprintf(out, "# %s\n\n%s%s\n\n", e->ablation->title, vlb_scale_text(e->ablation, scale, sizeof scale), vlb_preset_text(e->ablation));
  vlb_grid_write(results_grid(e), vlb_grid_markdown, out);
  if (e->ablation->contrast_count) {
    fputc('\n', out);
    vlb_grid_write(contrasts_grid(e), vlb_grid_markdown, out);
  }
  fputc('\n', out);
  vlb_notes(e, note_markdown, out);
}

void vlb_table_latex(const vlb_evidence *e, FILE *out) {
  fprintf(out, "%% %s\n", e->ablation->title);
  vlb_notes(e, note_latex, out);
  vlb_grid_write(results_grid(e), vlb_grid_latex, out);
  if (!e->ablation->contrast_count) return;
  fputs("\n\\medskip\n", out);
  vlb_grid_write(contrasts_grid(e), vlb_grid_latex, out);
}

void vlb_table_html(const vlb_evidence *e, FILE *out) {
  vlb_grid_write(results_grid(e), vlb_grid_html, out);
  if (e->ablation->contrast_count) vlb_grid_write(contrasts_grid(e), vlb_grid_html, out);
  fputs("<details><summary>What these numbers are</summary>\n<ul>\n", out);
  vlb_notes(e, note_html, out);
  fputs("</ul>\n</details>\n", out);
}
