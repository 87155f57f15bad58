/* The ablations that a store can speak about. */
#ifndef VLB_REPORT_SURVEY_H
#define VLB_REPORT_SURVEY_H

#include "core/base/context.h"
#include "experiments/report/evidence.h"

typedef struct {
  const char *const *files; /* [count] ablation files; count 0: every embedded one */
  int count;
  const char *root;
  vlb_rate_method method;
} vlb_survey;

/* Calls each(self, evidence, plan, err) for every file in its default and its quick preset of which some arm has a result in the store. An embedded
 * ablation that cannot be planned here (Meta-World without its models) is left out and said through the log; a file of the list is an error. */
vlb_code vlb_survey_each(const vlb_survey *survey, vlb_code (*each)(void *self, const vlb_evidence *e, const vlb_plan *plan, vlb_error *err), void *self,
                         const vlb_context *ctx, vlb_error *err);

#endif
