/* Success against cost: for arms whose predictions were timed (latency cells). */
#ifndef VLB_REPORT_PARETO_H
#define VLB_REPORT_PARETO_H

#include "experiments/plan/latency.h"
#include "experiments/report/evidence.h"

typedef struct {
  const vlb_arm_evidence *arm;
  vlb_latency latency;
  double gflop_per_action, ms_per_action; /* a prediction is shared by the actions executed before the next */
  bool front[2]; /* no other arm succeeds as often with fewer operations; with less time */
} vlb_cost;

/* Of the arms that have both episodes and a latency cell, in their order. costs: [VLB_MAX_ARMS]. Returns how many. */
int vlb_costs_gather(const vlb_evidence *e, const vlb_plan *plan, const char *root, vlb_cost *costs);

void vlb_costs_markdown(const vlb_evidence *e, const vlb_cost *costs, int n, FILE *out);
void vlb_costs_csv(const vlb_cost *costs, int n, FILE *out);

/* folder/pareto.svg and .png with data and script: success against operations and against time. VLB_INCOMPLETE without gnuplot. */
vlb_code vlb_plot_pareto(const vlb_evidence *e, const vlb_cost *costs, int n, const char *folder, vlb_error *err);

/* All of it into folder: pareto.md, pareto.csv, the plot. *written: whether any arm has a latency. */
vlb_code vlb_pareto(const vlb_evidence *e, const vlb_plan *plan, const char *root, const char *folder, bool *written, vlb_error *err);

#endif
