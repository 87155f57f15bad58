/* What cells take: processor time and disk. Operations are counted from the settings; how fast this machine does them is learnt from the finished cells
 * of the store, and before there are any from a training step and a rollout's parts that are measured in a moment. */
#ifndef VLB_PLAN_ESTIMATE_H
#define VLB_PLAN_ESTIMATE_H

#include "experiments/plan/cells.h"
#include "experiments/store/store.h"

/* Unit of a cell's work: "demonstrations", "samples", "episodes", "predictions". */
const char *vlb_work_unit(vlb_cell_kind kind);

/* Operations of the products for one training sample and for one prediction, from the shapes alone (within a tenth of the graphs' own count). */
double vlb_sample_flops(const vlb_model_config *config, const vlb_model_shape *shape);
double vlb_act_flops(const vlb_model_config *config, const vlb_model_shape *shape);

/* Raised when expectations change, so that a pace is not learnt from cells that were compared with others. */
enum { VLB_ESTIMATE_VERSION = 3 };

/* On the machine that the constants were measured on. */
typedef struct {
  double cpu;   /* seconds of processor time */
  double bytes; /* that stay */
} vlb_cell_cost;
vlb_cell_cost vlb_cell_expected(const vlb_cell *cell);
/* of cell i, with the prefix cache in the time of the first training that needs it */
vlb_cell_cost vlb_plan_expected(const vlb_plan *plan, int i);

/* How this machine compares: by what its cells' expected costs are to be multiplied. */
typedef struct {
  struct {
    int cells;  /* finished ones that it was learnt from; 0: measured in a moment, or assumed */
    double cpu, bytes;
  } of[VLB_CELL_LATENCY + 1];
} vlb_pace;

/* calibrate: measure where there are no finished cells (a second or two); otherwise they are assumed to be 1. */
void vlb_pace_learn(const vlb_plan *plan, const char *root, bool calibrate, vlb_pace *pace);

/* State of every cell of a plan, and what its work is expected to take (0 when nothing is to do). */
typedef struct {
  vlb_stored state;
  bool todo;      /* not done; a stripped cell only when a cell that is to do needs it */
  double seconds; /* by the clock, on ctx's threads and an otherwise idle machine */
  double cpu, bytes;
  double prefix_bytes; /* of the prefix cache, for the first training that needs it: for a while, in a folder that may be deleted */
} vlb_cell_outlook;

/* outlook: [plan->count]. Returns the total seconds. */
double vlb_plan_outlook(const vlb_plan *plan, const char *root, const vlb_pace *pace, int threads, vlb_cell_outlook *outlook);

/* "3 min", "1 h 20 min", "less than a minute" into buf. Returns buf. */
const char *vlb_about(double seconds, char *buf, size_t size);
/* "12 MB" */
const char *vlb_about_bytes(double bytes, char *buf, size_t size);

#endif
