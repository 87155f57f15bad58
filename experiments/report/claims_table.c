#include "experiments/report/claims_table.h"

#include <math.h>
#include <string.h>

#include "core/base/file.h"
#include "experiments/report/grid.h"
#include "experiments/report/html.h"

static int decimals(const vlb_claim *c) { return strcmp(c->unit, "points") ? 2 : 1; }

/* "+6.5 (+1.0 to +11.9)" */
static void put_effect(vlb_grid *g, int row, int column, const vlb_claim *c, const vlb_claim_side *s) {
  int d = decimals(c);
  const char *unit = strcmp(c->unit, "points") ? c->unit : "", *space = unit[0] ? " " : "";
  if (isnan(s->effect.estimate)) return;
  if (isnan(s->effect.interval.lo))
    vlb_grid_set(g, row, column, "%+.*f%s%s", d, s->effect.estimate, space, unit);
  else
    vlb_grid_set(g, row, column, "%+.*f%s%s (%+.*f to %+.*f)", d, s->effect.estimate, space, unit, d, s->effect.interval.lo, d, s->effect.interval.hi);
}

static void put_side(vlb_grid *g, int row, int column, const vlb_claim *c, const vlb_claim_side *s) {
  put_effect(g, row, column, c, s);
  if (s->method[0]) vlb_grid_p(g, row, column + 1, s->p_holm);
  vlb_grid_set(g, row, column + 2, "%s", vlb_claim_verdict_name(c, s));
}

static vlb_grid *grid(const vlb_claims *claims) {
  static const char *const names[] = {"claim", "paper", "p Holm", "by its own numbers", "ours", "p Holm", "verdict", "results", NULL};
  vlb_grid *g = vlb_grid_new("prrlrrll");
  if (!g) return NULL;
  vlb_grid_header(g, names);
  for (int i = 0; i < claims->count; i++) {
    const vlb_claim *c = &claims->claim[i];
    if (c->kind == VLB_CLAIM_NO_WORSE)
      vlb_grid_set(g, i + 1, 0, "%s (margin %g)", c->text, c->margin);
    else
      vlb_grid_set(g, i + 1, 0, "%s", c->text);
    put_side(g, i + 1, 1, c, &c->paper);
    put_side(g, i + 1, 4, c, &c->ours);
    vlb_grid_set(g, i + 1, 7, "%s", c->ours.from);
  }
  return g;
}

static const char *const notes[] = {
    "Effects are differences a - b in points of success (mean of the suites) with 95 % intervals, not adjusted; p values are two-sided, of no difference, "
    "and adjusted (Holm) over the claims of the same table of the paper, each side by itself.",
    "reproduced (of the paper's own numbers: supported): p below 0.05 in the claim's direction; contradicted: p below 0.05 against it; not separable: neither. 'No worse' is reproduced when "
    "the interval stays above minus the margin, which is ours: the paper names none.",
    "The paper's own numbers are counts out of 100 episodes per suite (400 on LIBERO, 500 on Meta-World). Which episodes the arms share is not known, so "
    "they are compared as independent samples (Newcombe's interval, Boschloo's exact test); its means of times by Welch's test. Its training variance is "
    "unknown: one training per row, as far as can be told.",
    "Tables of partial credit do not say how many trials they rest on: 'cannot be told'.",
    "Ours: arms that share episodes are compared pair by pair (Tango's interval, exact McNemar test), stratified over the suites. Micro scale: what it says "
    "about the published scale is an open question.",
    NULL};

void vlb_claims_markdown(const vlb_claims *claims, FILE *out) {
  fputs("# What the paper claims\n\n", out);
  vlb_grid_write(grid(claims), vlb_grid_markdown, out);
  fputc('\n', out);
  for (int i = 0; notes[i]; i++) fprintf(out, "* %s\n", notes[i]);
  for (int i = 0; i < claims->count; i++)
    if (claims->claim[i].note[0]) fprintf(out, "* %s: %s.\n", claims->claim[i].text, claims->claim[i].note);
}

void vlb_claims_latex(const vlb_claims *claims, FILE *out) {
  for (int i = 0; notes[i]; i++) fprintf(out, "%% %s\n", notes[i]);
  vlb_grid_write(grid(claims), vlb_grid_latex, out);
}

void vlb_claims_html(const vlb_claims *claims, FILE *out) {
  vlb_grid_write(grid(claims), vlb_grid_html, out);
  fputs("<details><summary>What these verdicts are</summary>\n<ul>\n", out);
  for (int i = 0; notes[i]; i++) {
    fputs("<li>", out);
    vlb_html_text(notes[i], out);
    fputs("</li>\n", out);
  }
  fputs("</ul>\n</details>\n", out);
}

static void put_numbers(vlb_grid *g, int row, int column, const vlb_claim *c, const vlb_claim_side *s) {
  const double numbers[] = {s->effect.estimate, s->effect.interval.lo, s->effect.interval.hi, s->p, s->p_holm};
  for (int k = 0; k < 5; k++)
    if (!isnan(numbers[k]) && (k < 3 || s->method[0])) vlb_grid_set(g, row, column + k, "%.6g", numbers[k]);
  vlb_grid_set(g, row, column + 5, "%s", s->method);
  vlb_grid_set(g, row, column + 6, "%s", vlb_claim_verdict_name(c, s));
  vlb_grid_set(g, row, column + 7, "%s", s->from);
}

void vlb_claims_csv(const vlb_claims *claims, FILE *out) {
  static const char *const names[] = {"claim", "text", "table", "a", "b", "unit", "paper_effect", "paper_lo95", "paper_hi95", "paper_p", "paper_p_holm",
                                      "paper_method", "paper_verdict", "paper_from", "effect", "lo95", "hi95", "p", "p_holm", "method", "verdict", "from", NULL};
  vlb_grid *g = vlb_grid_new("");
  if (!g) return;
  vlb_grid_header(g, names);
  for (int i = 0; i < claims->count; i++) {
    const vlb_claim *c = &claims->claim[i];
    const char *const texts[] = {c->id, c->text, c->table, c->a, c->b, c->unit};
    for (int k = 0; k < 6; k++) vlb_grid_set(g, i + 1, k, "%s", texts[k]);
    put_numbers(g, i + 1, 6, c, &c->paper);
    put_numbers(g, i + 1, 14, c, &c->ours);
  }
  vlb_grid_write(g, vlb_grid_csv, out);
}

static json_t *number(double x) { return isfinite(x) ? json_real(x) : json_null(); }

static json_t *side_json(const vlb_claim *c, const vlb_claim_side *s) {
  json_t *out = json_pack("{s:s,s:s}", "verdict", vlb_claim_verdict_name(c, s), "from", s->from);
  if (isnan(s->effect.estimate)) return out;
  json_object_set_new(out, "effect", number(s->effect.estimate));
  json_object_set_new(out, "interval95", json_pack("[o,o]", number(s->effect.interval.lo), number(s->effect.interval.hi)));
  if (s->method[0]) json_object_update_new(out, json_pack("{s:s,s:f,s:f}", "method", s->method, "p", s->p, "p_holm", s->p_holm));
  return out;
}

json_t *vlb_claims_json(const vlb_claims *claims) {
  json_t *list = json_array();
  for (int i = 0; i < claims->count; i++) {
    const vlb_claim *c = &claims->claim[i];
    json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o}", "claim", c->id, "text", c->text, "table", c->table, "a", c->a, "b", c->b,
                                          "unit", c->unit, "paper", side_json(c, &c->paper), "ours", side_json(c, &c->ours)));
  }
  return list;
}

static vlb_code write_one(const vlb_claims *c, const char *folder, const char *name, void (*write)(const vlb_claims *c, FILE *out), vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/%s", folder, name));
  VLB_TRY(vlb_writer_open(&w, path, err));
  write(c, w.out);
  return vlb_writer_commit(&w, err);
}

vlb_code vlb_claims_write(const vlb_claims *c, const char *folder, vlb_error *err) {
  VLB_TRY(vlb_folder_make(folder, err));
  VLB_TRY(write_one(c, folder, "claims.md", vlb_claims_markdown, err));
  VLB_TRY(write_one(c, folder, "claims.tex", vlb_claims_latex, err));
  return write_one(c, folder, "claims.csv", vlb_claims_csv, err);
}
