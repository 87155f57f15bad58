/* One self-contained page about a store: claims, and per ablation its tables, plots, cells and reproducibility class. Tables and pictures are inside, so
 * the file can be sent and archived; nothing is fetched. The same bytes for the same evidence. */
#ifndef VLB_REPORT_PAGE_H
#define VLB_REPORT_PAGE_H

#include "experiments/report/claims.h"
#include "experiments/report/plot.h"

typedef struct vlb_page vlb_page;
vlb_code vlb_page_open(vlb_page **page, vlb_error *err);
void vlb_page_close(vlb_page *page);

/* Appends an ablation; its plots are read from its folder in the store. */
vlb_code vlb_page_add(vlb_page *page, const vlb_evidence *e, const vlb_plan *plan, const char *root, const char *const *plots, vlb_error *err);

vlb_code vlb_page_write(const vlb_page *page, const vlb_claims *claims, const char *path, vlb_error *err);

#endif
