/* results.tex: what the paper puts in. Sections of tables, plots and notes as \input and \includegraphics, and every number that its text needs as a
 * command, so that none is typed by hand. */
#ifndef VLB_REPORT_LATEX_H
#define VLB_REPORT_LATEX_H

#include "experiments/report/claims.h"

typedef struct vlb_latex vlb_latex;
vlb_code vlb_latex_open(vlb_latex **latex, vlb_error *err);
void vlb_latex_close(vlb_latex *latex);

void vlb_latex_add(vlb_latex *latex, const vlb_evidence *e, const char *const *plots);
vlb_code vlb_latex_write(vlb_latex *latex, const vlb_claims *claims, const char *path, vlb_error *err);

/* One text with the special characters escaped. */
void vlb_latex_text(const char *text, FILE *out);
/* Defines \vlbfit{...}: as wide as it is, or shrunk to the line. Tables are written inside it. */
void vlb_latex_fit(FILE *out);

#endif
