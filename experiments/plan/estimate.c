#include "experiments/plan/estimate.h"

/* seconds per unit at micro scale, measured on two cores of a Xeon (Sapphire Rapids); only used before this machine's own first cell */
static const double typical[] = {[VLB_CELL_DEMOS] = 1.2, [VLB_CELL_TRAIN] = 0.0031, [VLB_CELL_EVAL] = 1.2, [VLB_CELL_LATENCY] = 0.03};

const char *vlb_work_unit(vlb_cell_kind kind) {
  static const char *const units[] = {[VLB_CELL_DEMOS] = "demonstrations", [VLB_CELL_TRAIN] = "samples", [VLB_CELL_EVAL] = "episodes",
                                       [VLB_CELL_LATENCY] = "predictions"};
  return units[kind];
}

double vlb_cell_seconds(const vlb_cell *cell, const char *root) {
  return vlb_store_rate(root, vlb_cell_kind_name(cell->kind), typical[cell->kind]) * (double)cell->work;
}

double vlb_plan_outlook(const vlb_plan *plan, const char *root, vlb_cell_outlook *outlook) {
  double total = 0;
  for (int i = 0; i < plan->count; i++) {
    outlook[i].state = vlb_store_state(root, plan->cells[i].name, false, NULL);
    outlook[i].todo = outlook[i].state < VLB_STORED_STRIPPED;
  }
  /* children come after their parents */
  for (int i = plan->count - 1; i >= 0; i--) {
    const vlb_cell *cell = &plan->cells[i];
    for (int k = 0; outlook[i].todo && k < cell->parent_count; k++) outlook[cell->parents[k]].todo |= outlook[cell->parents[k]].state != VLB_STORED_DONE;
    outlook[i].seconds = outlook[i].todo ? vlb_cell_seconds(cell, root) : 0;
    total += outlook[i].seconds;
  }
  return total;
}

const char *vlb_about(double seconds, char *buf, size_t size) {
  int minutes = (int)(seconds / 60 + 0.5);
  if (minutes < 1)
    snprintf(buf, size, seconds > 0 ? "less than a minute" : "nothing");
  else if (minutes < 60)
    snprintf(buf, size, "%d min", minutes);
  else
    snprintf(buf, size, "%d h %02d min", minutes / 60, minutes % 60);
  return buf;
}
