/* The units of work of an ablation, in the order they can run. A cell's name is a hash of everything that can change its outcome,
 * so equal work has equal names: arms share demonstrations, and arms that differ only in evaluation share the training. */
#ifndef VLB_PLAN_CELLS_H
#define VLB_PLAN_CELLS_H

#include "core/base/hash.h"
#include "experiments/plan/ablation.h"

typedef enum { VLB_CELL_DEMOS, VLB_CELL_TRAIN, VLB_CELL_EVAL } vlb_cell_kind;
const char *vlb_cell_kind_name(vlb_cell_kind kind);

typedef struct {
  vlb_cell_kind kind;
  char name[32];            /* "train-0123456789ab": folder in the store */
  char hash[VLB_HASH_SIZE]; /* SHA-256 of text */
  char *text;               /* cell.toml: kind, version, digests of inputs, resolved settings */
  char label[112];          /* "train interleaved" */
  vlb_settings settings;    /* resolved; suites as the user wrote them */
  bool untrained;           /* eval of the initial weights */
  int parent;               /* train: its demos; eval: its train; else -1 */
  int64_t work;             /* demonstrations, samples (steps x batch), episodes */
} vlb_cell;

typedef struct {
  vlb_cell *cells;
  int count;
  int eval_of_arm[VLB_MAX_ARMS]; /* index into cells */
  int floor;                     /* eval of untrained weights, -1: none */
} vlb_plan;

/* Errors (VLB_USAGE): a suite that does not exist or does not parse. Caller frees with vlb_plan_free. */
vlb_code vlb_plan_make(const vlb_ablation *ablation, vlb_plan *plan, vlb_error *err);
void vlb_plan_free(vlb_plan *plan);

#endif
