/* The paper's own numbers (paper/published.toml, embedded). */
#ifndef VLB_REPORT_PUBLISHED_H
#define VLB_REPORT_PUBLISHED_H

#include "core/base/status.h"

typedef struct vlb_published vlb_published;
vlb_code vlb_published_open(vlb_published **p, vlb_error *err);
void vlb_published_close(vlb_published *p);

/* VLB_USAGE with did-you-mean when there is no such table or column. */
vlb_code vlb_published_check(const vlb_published *p, const char *table, const char *column, vlb_error *err);
/* The number in a row and column. A row is named by the texts it begins with ("CA", "Suffix, SA") or by its first number ("10").
 * VLB_USAGE with did-you-mean when there is no such row. */
vlb_code vlb_published_value(const vlb_published *p, const char *table, const char *row, const char *column, double *value, vlb_error *err);
const char *vlb_published_title(const vlb_published *p, const char *table);      /* "Table 6, ..." */
const char *vlb_published_confidence(const vlb_published *p, const char *table); /* how well the numbers are known */

#endif
