/* How long cells take: from the timings of finished cells of the same kind in the store, before that from typical ones. */
#ifndef VLB_PLAN_ESTIMATE_H
#define VLB_PLAN_ESTIMATE_H

#include "experiments/plan/cells.h"
#include "experiments/store/store.h"

/* Unit of a cell's work: "demonstrations", "samples", "episodes". */
const char *vlb_work_unit(vlb_cell_kind kind);

/* State of every cell of a plan and the seconds its work is expected to take (0 when nothing is to do). */
typedef struct {
  vlb_stored state;
  bool todo; /* not done; a stripped cell only when a cell that is to do needs it */
  double seconds;
} vlb_cell_outlook;

/* Seconds that making a cell is expected to take. */
double vlb_cell_seconds(const vlb_cell *cell, const char *root);

/* outlook: [plan->count]. Returns the total seconds. */
double vlb_plan_outlook(const vlb_plan *plan, const char *root, vlb_cell_outlook *outlook);

/* "3 min", "1 h 20 min", "less than a minute" into buf. Returns buf. */
const char *vlb_about(double seconds, char *buf, size_t size);

#endif
