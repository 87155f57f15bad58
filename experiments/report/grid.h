/* A small table of texts, written as aligned Markdown, CSV or LaTeX booktabs. */
#ifndef VLB_REPORT_GRID_H
#define VLB_REPORT_GRID_H

#include <stdio.h>

enum { VLB_GRID_ROWS = 72, VLB_GRID_COLUMNS = 16, VLB_GRID_TEXT = 160 };

typedef struct {
  int rows, columns; /* row 0 is the header */
  const char *align; /* one of 'l' 'r' per column */
  char text[VLB_GRID_ROWS][VLB_GRID_COLUMNS][VLB_GRID_TEXT];
} vlb_grid;

/* Sets the text of a cell and lets the grid grow to hold it. */
void vlb_grid_set(vlb_grid *g, int row, int column, const char *format, ...) __attribute__((format(printf, 4, 5)));

void vlb_grid_markdown(const vlb_grid *g, FILE *out);
void vlb_grid_csv(const vlb_grid *g, FILE *out); /* RFC 4180 quoting, LF lines */
void vlb_grid_latex(const vlb_grid *g, FILE *out); /* a tabular environment; texts are escaped */

/* One text with LaTeX's special characters escaped. */
void vlb_latex_text(const char *text, FILE *out);

#endif
