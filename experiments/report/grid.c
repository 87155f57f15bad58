#include "experiments/report/grid.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/report/html.h"
#include "experiments/report/latex.h"

vlb_grid *vlb_grid_new(const char *align) {
  vlb_grid *g = calloc(1, sizeof *g);
  if (g) snprintf(g->align, sizeof g->align, "%s", align);
  return g;
}

void vlb_grid_set(vlb_grid *g, int row, int column, const char *format, ...) {
  if (row >= VLB_GRID_ROWS || column >= VLB_GRID_COLUMNS) return;
  va_list args;
  va_start(args, format);
  vsnprintf(g->text[row][column], VLB_GRID_TEXT, format, args);
  va_end(args);
  if (row >= g->rows) g->rows = row + 1;
  if (column >= g->columns) g->columns = column + 1;
}

void vlb_grid_header(vlb_grid *g, const char *const *names) {
  for (int c = 0; names[c]; c++) vlb_grid_set(g, 0, c, "%s", names[c]);
}

void vlb_grid_p(vlb_grid *g, int row, int column, double p) {
  if (p < 0.001)
    vlb_grid_set(g, row, column, "<0.001");
  else
    vlb_grid_set(g, row, column, "%.3f", p);
}

void vlb_grid_write(vlb_grid *g, void (*write)(const vlb_grid *g, FILE *out), FILE *out) {
  if (g) write(g, out);
  free(g);
}

static bool right(const vlb_grid *g, int column) { return g->align[column] == 'r'; }

static int width(const vlb_grid *g, int column) {
  int most = 3;
  for (int r = 0; r < g->rows; r++) {
    int n = (int)strlen(g->text[r][column]);
    if (n > most) most = n;
  }
  return most;
}

static void markdown_rule(const vlb_grid *g, FILE *out) {
  for (int c = 0; c < g->columns; c++) {
    fputs("|-", out);
    for (int i = 0; i < width(g, c); i++) fputc('-', out);
    fputc(right(g, c) ? ':' : '-', out);
  }
  fputs("|\n", out);
}

/* A bar in a text would end its cell. */
static void markdown_cell(const char *text, int room, bool to_right, FILE *out) {
  int pad = room - (int)strlen(text);
  if (to_right) fprintf(out, "%*s", pad, "");
  for (; *text; text++) fputs(*text == '|' ? "\\|" : (char[]){*text, 0}, out);
  if (!to_right) fprintf(out, "%*s", pad, "");
}

void vlb_grid_markdown(const vlb_grid *g, FILE *out) {
  for (int r = 0; r < g->rows; r++) {
    for (int c = 0; c < g->columns; c++) {
      fputs(c ? " | " : "| ", out);
      markdown_cell(g->text[r][c], width(g, c), right(g, c), out);
    }
    fputs(" |\n", out);
    if (r == 0) markdown_rule(g, out);
  }
}

static void csv_text(const char *text, FILE *out) {
  if (!strpbrk(text, ",\"\n")) {
    fputs(text, out);
    return;
  }
  fputc('"', out);
  for (; *text; text++) {
    if (*text == '"') fputc('"', out);
    fputc(*text, out);
  }
  fputc('"', out);
}

void vlb_grid_csv(const vlb_grid *g, FILE *out) {
  for (int r = 0; r < g->rows; r++) {
    for (int c = 0; c < g->columns; c++) {
      if (c) fputc(',', out);
      csv_text(g->text[r][c], out);
    }
    fputc('\n', out);
  }
}

void vlb_grid_latex(const vlb_grid *g, FILE *out) {
  vlb_latex_fit(out);
  fputs("\\vlbfit{\\begin{tabular}{@{}", out);
  for (int c = 0; c < g->columns; c++) fputs(g->align[c] == 'p' ? "p{0.36\\linewidth}" : right(g, c) ? "r" : "l", out);
  fputs("@{}}\n\\toprule\n", out);
  for (int r = 0; r < g->rows; r++) {
    for (int c = 0; c < g->columns; c++) {
      if (c) fputs(" & ", out);
      vlb_latex_text(g->text[r][c], out);
    }
    fputs(" \\\\\n", out);
    if (r == 0) fputs("\\midrule\n", out);
  }
  fputs("\\bottomrule\n\\end{tabular}}\n", out);
}

void vlb_grid_html(const vlb_grid *g, FILE *out) {
  fputs("<div class=\"scroll\"><table>\n", out);
  for (int r = 0; r < g->rows; r++) {
    fputs(r == 0 ? "<thead><tr>" : "<tr>", out);
    for (int c = 0; c < g->columns; c++) {
      const char *tag = r == 0 || c == 0 ? "th" : "td";
      fprintf(out, "<%s%s%s>", tag, r && c == 0 ? " scope=\"row\"" : "", right(g, c) ? " class=\"r\"" : "");
      vlb_html_text(g->text[r][c], out);
      fprintf(out, "</%s>", tag);
    }
    fputs(r == 0 ? "</tr></thead>\n<tbody>\n" : "</tr>\n", out);
  }
  fputs("</tbody></table></div>\n", out);
}
