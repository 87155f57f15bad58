/* The units of work of an ablation, in the order they can run. A cell's name is a hash of everything that can change its outcome,
 * so equal work has equal names: arms share demonstrations, and arms that differ only in evaluation share the training. */
#ifndef VLB_PLAN_CELLS_H
#define VLB_PLAN_CELLS_H

#include "core/base/hash.h"
#include "experiments/plan/ablation.h"
#include "sim/rollout/suites.h"

typedef enum { VLB_CELL_DEMOS, VLB_CELL_TRAIN, VLB_CELL_EVAL, VLB_CELL_LATENCY } vlb_cell_kind;
const char *vlb_cell_kind_name(vlb_cell_kind kind);

/* demonstrations of every suite, and the training that this one starts from */
enum { VLB_MAX_PARENTS = VLB_MAX_SUITE_SET + 1, VLB_MAX_ARM_EVALS = VLB_MAX_SUITE_SET * 10 };

typedef struct {
  vlb_cell_kind kind;
  char name[32];            /* "train-0123456789ab": folder in the store */
  char hash[VLB_HASH_SIZE]; /* SHA-256 of text */
  char *text;               /* cell.toml: kind, version, digests of inputs, resolved settings */
  char label[192];          /* "train interleaved" */
  vlb_settings settings;    /* resolved; a demos or eval cell has one suite, a train cell the list that the user wrote */
  bool untrained;           /* eval of the initial weights */
  int parents[VLB_MAX_PARENTS], parent_count; /* train: its demos, one cell per suite in the order written, then, if `initialised`, a train; eval: its train */
  bool initialised;         /* train: from the last parent's weights */
  int64_t work;             /* demonstrations, samples (steps x batch), episodes, predictions */
} vlb_cell;

/* One rollout cell of an arm: one suite, one training seed. */
typedef struct {
  int cell;      /* index into the plan's cells */
  int suite;     /* 0, 1, ... in the order of eval.suite */
  int seed;      /* 0, 1, ...: training seed train.seed + seed */
  char name[VLB_TEXT_SIZE]; /* of the suite */
} vlb_arm_eval;

/* All rollouts of an arm, training seed by training seed, each suite by suite. */
typedef struct {
  vlb_arm_eval eval[VLB_MAX_ARM_EVALS];
  int count;
  int latency; /* its latency cell, -1: none */
} vlb_arm_evals;

typedef struct {
  vlb_cell *cells;
  int count;
  vlb_arm_evals arms[VLB_MAX_ARMS];
  vlb_arm_evals floor; /* of untrained weights, first seed; count 0: none */
} vlb_plan;

/* Errors (VLB_USAGE): a suite that does not exist or does not parse; suites trained together that share an instruction. Caller frees with vlb_plan_free. */
vlb_code vlb_plan_make(const vlb_ablation *ablation, vlb_plan *plan, vlb_error *err);
void vlb_plan_free(vlb_plan *plan);

#endif
