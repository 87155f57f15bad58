/* The claims as a table. The same bytes for the same evidence. */
#ifndef VLB_REPORT_CLAIMS_TABLE_H
#define VLB_REPORT_CLAIMS_TABLE_H

#include <jansson.h>
#include <stdio.h>

#include "experiments/report/claims.h"

void vlb_claims_markdown(const vlb_claims *c, FILE *out);
void vlb_claims_latex(const vlb_claims *c, FILE *out);
void vlb_claims_html(const vlb_claims *c, FILE *out); /* without a title */
void vlb_claims_csv(const vlb_claims *c, FILE *out);
json_t *vlb_claims_json(const vlb_claims *c); /* new reference */

/* claims.md, claims.tex, claims.csv into a folder. */
vlb_code vlb_claims_write(const vlb_claims *c, const char *folder, vlb_error *err);

#endif
