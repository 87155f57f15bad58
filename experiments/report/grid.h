/* A small table of texts, written as aligned Markdown, CSV, LaTeX booktabs or HTML. */
#ifndef VLB_REPORT_GRID_H
#define VLB_REPORT_GRID_H

#include <stdio.h>

enum { VLB_GRID_ROWS = 72, VLB_GRID_COLUMNS = 24, VLB_GRID_TEXT = 160 };

typedef struct {
  int rows, columns; /* row 0 is the header */
  char align[VLB_GRID_COLUMNS + 1]; /* per column 'l', 'r', or 'p': left, and wrapped in LaTeX; left where it ends */
  char text[VLB_GRID_ROWS][VLB_GRID_COLUMNS][VLB_GRID_TEXT];
} vlb_grid;

/* An empty one; too large for a stack, so from the heap: vlb_grid_write or free() gives it back. NULL without memory. */
vlb_grid *vlb_grid_new(const char *align);

/* Sets the text of a cell and lets the grid grow to hold it. */
void vlb_grid_set(vlb_grid *g, int row, int column, const char *format, ...) __attribute__((format(printf, 4, 5)));

void vlb_grid_header(vlb_grid *g, const char *const *names); /* row 0, closed by NULL */
void vlb_grid_p(vlb_grid *g, int row, int column, double p);  /* "0.035", "<0.001" */

/* Writes with one of the four below and frees; NULL writes nothing. */
void vlb_grid_write(vlb_grid *g, void (*write)(const vlb_grid *g, FILE *out), FILE *out);
void vlb_grid_markdown(const vlb_grid *g, FILE *out);
void vlb_grid_csv(const vlb_grid *g, FILE *out); /* RFC 4180 quoting, LF lines */
void vlb_grid_latex(const vlb_grid *g, FILE *out); /* a tabular environment; texts are escaped */

void vlb_grid_html(const vlb_grid *g, FILE *out);  /* <table> in a box that scrolls sideways */

#endif
