/* Success against cost: for arms whose predictions were timed (latency cells). */
#ifndef VLB_REPORT_PARETO_H
#define VLB_REPORT_PARETO_H

#include "experiments/plan/latency.h"
#include "experiments/report/evidence.h"

typedef struct {
  const vlb_arm_evidence *arm;
  vlb_prediction_cost cost;
  double gflop, ms; /* per executed action: a prediction serves all actions until the next */
  bool front[2];    /* no other arm succeeds at least as often with at most as many operations, or as much time, and is better in one of both */
} vlb_arm_cost;

/* Of the arms that have both episodes and a latency cell, in their order. costs: [VLB_MAX_ARMS]. Returns how many. */
int vlb_arm_costs(const vlb_evidence *e, const vlb_plan *plan, const char *root, vlb_arm_cost *costs);

/* The same for people; nothing when no arm was timed. */
void vlb_pareto_markdown(const vlb_evidence *e, const vlb_plan *plan, const char *root, FILE *out);

/* folder/pareto.csv, .svg, .png, .gp, .dat. VLB_INCOMPLETE without gnuplot. */
vlb_code vlb_plot_pareto(const vlb_evidence *e, const vlb_plan *plan, const char *root, const char *folder, bool *drawn, vlb_error *err);

#endif
