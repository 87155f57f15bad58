/* Everything that a store can say: the report of each of its ablations, and of all together ROOT/index.html, claims.{md,tex,csv}, results.tex (what
 * paper/paper.tex puts in) and manifest.json. */
#ifndef VLB_REPORT_RESULTS_H
#define VLB_REPORT_RESULTS_H

#include "experiments/report/report.h"
#include "experiments/report/survey.h"

/* Prints one line per ablation, or JSON. The same cells give the same bytes. Errors: VLB_INCOMPLETE when no ablation has a result, when arms are
 * missing or gnuplot is, after writing what can be written. */
vlb_code vlb_results(const vlb_survey *survey, bool json, const vlb_context *ctx, vlb_error *err);

#endif
