#include "experiments/report/latex.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "experiments/report/notes.h"

struct vlb_latex {
  FILE *sections;
  char *text;
  size_t size;
  int ablations, arms, contrasts, separable, episodes, quick;
};

vlb_code vlb_latex_open(vlb_latex **latex, vlb_error *err) {
  *latex = calloc(1, sizeof **latex);
  if (*latex) (*latex)->sections = open_memstream(&(*latex)->text, &(*latex)->size);
  if (*latex && (*latex)->sections) return VLB_OK;
  free(*latex);
  *latex = NULL;
  return vlb_fail(err, VLB_FAILED, "out of memory");
}

void vlb_latex_close(vlb_latex *l) {
  if (!l) return;
  fclose(l->sections);
  free(l->text);
  free(l);
}

void vlb_latex_text(const char *text, FILE *out) {
  for (; *text; text++) {
    if (strchr("&%$#_{}", *text))
      fprintf(out, "\\%c", *text);
    else if (strchr("<>", *text))
      fprintf(out, "$%c$", *text);
    else if (*text == '\\')
      fputs("\\textbackslash{}", out);
    else if (*text == '~' || *text == '^')
      fprintf(out, "\\%c{}", *text);
    else
      fputc(*text, out);
  }
}

void vlb_latex_fit(FILE *out) {
  fputs("\\providecommand{\\vlbfit}[1]{\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{#1}}\n", out);
}

static void note(void *self, const char *text) {
  fputs("\\item ", self);
  vlb_latex_text(text, self);
  fputc('\n', self);
}

/* Loss curves and heat maps are on the page; the paper has the plots that carry the argument. */
static bool in_paper(const char *plot) { return !strcmp(plot, "success") || !strcmp(plot, "forest") || !strcmp(plot, "curve") || !strcmp(plot, "time") || !strcmp(plot, "sweep"); }

void vlb_latex_add(vlb_latex *l, const vlb_evidence *e, const char *const *plots) {
  const vlb_ablation *a = e->ablation;
  FILE *out = l->sections;
  char name[96];
  snprintf(name, sizeof name, "%s%s", a->name, vlb_preset_suffix(a));
  l->ablations++;
  l->quick += a->preset != VLB_PRESET_DEFAULT;
  l->arms += a->arm_count;
  l->contrasts += a->contrast_count;
  for (int i = 0; i < a->contrast_count; i++) l->separable += e->contrasts[i].separable;
  for (int i = 0; i < a->arm_count; i++) l->episodes += e->arms[i].known ? e->arms[i].n : 0;
  fputs("\\subsection{", out);
  vlb_latex_text(a->title, out);
  fprintf(out, "%s}\n\\begin{center}\\small\n\\input{\\resultsdir/%s/table.tex}\n\\end{center}\n", a->preset == VLB_PRESET_DEFAULT ? "" : " (quick preset)", name);
  for (int i = 0; plots[i]; i++)
    if (in_paper(plots[i])) fprintf(out, "\\begin{center}\\includegraphics[width=0.94\\linewidth,height=0.38\\textheight,keepaspectratio]{\\resultsdir/%s/%s.png}\\end{center}\n", name, plots[i]);
  fputs("{\\footnotesize\\begin{itemize}\\setlength{\\itemsep}{0pt}\n", out);
  vlb_notes(e, note, out);
  fputs("\\end{itemize}}\n\\clearpage\n\n", out);
}

static void put_number(const char *name, int n, FILE *out) { fprintf(out, "\\newcommand{\\%s}{%d}\n", name, n); }

static int count(const vlb_claims *claims, bool ours, vlb_claim_verdict verdict) {
  int n = 0;
  for (int i = 0; i < claims->count; i++) n += (ours ? claims->claim[i].ours.verdict : claims->claim[i].paper.verdict) == verdict;
  return n;
}

static void put_claims(const vlb_claims *claims, FILE *out) {
  static const struct {
    const char *name;
    vlb_claim_verdict verdict;
  } counts[] = {{"Held", VLB_CLAIM_REPRODUCED}, {"Contradicted", VLB_CLAIM_CONTRADICTED}, {"Open", VLB_CLAIM_NOT_SEPARABLE}, {"Untold", VLB_CLAIM_UNKNOWN}, {"NotRun", VLB_CLAIM_NOT_RUN}};
  put_number("claimsAll", claims->count, out);
  for (int ours = 0; ours < 2; ours++)
    for (int k = 0; k < 5; k++) {
      char name[48];
      snprintf(name, sizeof name, "%s%s", ours ? "claimsOurs" : "claimsPaper", counts[k].name);
      put_number(name, count(claims, ours, counts[k].verdict), out);
    }
}

vlb_code vlb_latex_write(vlb_latex *l, const vlb_claims *claims, const char *path, vlb_error *err) {
  vlb_writer w;
  if (fflush(l->sections)) return vlb_fail(err, VLB_FAILED, "%s: out of memory", path);
  VLB_TRY(vlb_writer_open(&w, path, err));
  fputs("% written by 'vlabench report' from stored cells; \\resultsdir is the folder that holds this file\n", w.out);
  put_number("ablationCount", l->ablations, w.out);
  put_number("quickCount", l->quick, w.out);
  put_number("armCount", l->arms, w.out);
  put_number("contrastCount", l->contrasts, w.out);
  put_number("separableCount", l->separable, w.out);
  put_number("episodeCount", l->episodes, w.out);
  put_claims(claims, w.out);
  fprintf(w.out, "\\newcommand{\\programVersion}{" VLB_VERSION "}\n\\newcommand{\\allResults}{%%\n%s}\n", l->text);
  return vlb_writer_commit(&w, err);
}
