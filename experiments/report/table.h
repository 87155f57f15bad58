/* The evidence as tables, for people (Markdown, LaTeX, HTML) and for programs (CSV, JSON). The same bytes for the same evidence. */
#ifndef VLB_REPORT_TABLE_H
#define VLB_REPORT_TABLE_H

#include <jansson.h>

#include "experiments/report/evidence.h"

void vlb_table_markdown(const vlb_evidence *e, FILE *out);
void vlb_table_latex(const vlb_evidence *e, FILE *out);
void vlb_table_html(const vlb_evidence *e, FILE *out);    /* tables and notes, without a title */

void vlb_table_csv(const vlb_evidence *e, FILE *out);     /* one row per arm */
void vlb_columns_csv(const vlb_evidence *e, FILE *out);   /* one row per arm and column */
void vlb_contrasts_csv(const vlb_evidence *e, FILE *out); /* one row per contrast */
void vlb_tasks_csv(const vlb_evidence *e, FILE *out);     /* one row per arm and task */
json_t *vlb_table_json(const vlb_evidence *e);            /* new reference */

#endif
