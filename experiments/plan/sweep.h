/* Sweeps: arms that are all combinations of some settings' values. In a file
 *
 *   [sweep]
 *   layers = "8..24"                   # 8, 9, ... 24
 *   width = [0.25, 0.5]
 *   "train.lr" = "1e-3,3e-4"           # any key of any section
 */
#ifndef VLB_PLAN_SWEEP_H
#define VLB_PLAN_SWEEP_H

#include "experiments/plan/ablation.h"

enum { VLB_MAX_AXES = 6, VLB_MAX_AXIS_VALUES = VLB_MAX_ARMS };

/* Short names of the switches that are swept most: X(name, section, key, doc) */
#define VLB_AXES(X)                                                                     \
  X("layers", "model", "num_vlm_layers", "VLM layers kept, 8..32:8")                     \
  X("width", "model", "expert_width", "width of the expert relative to the VLM's, 0.25,0.5") \
  X("attention", "model", "attention", "cross,self,interleaved")                        \
  X("mask", "model", "action_mask", "causal,bidirectional")                             \
  X("state", "model", "state", "prefix,suffix,suffix_seen")                             \
  X("objective", "model", "objective", "flow,l1")                                       \
  X("chunk", "model", "chunk_size", "actions predicted at once, 1,10,30,50")            \
  X("action-steps", "model", "n_action_steps", "actions executed before a new prediction; trains once") \
  X("flow-steps", "model", "num_steps", "Euler steps of the flow; trains once")         \
  X("freeze", "model", "freeze", "vlm,vision,nothing")

typedef struct {
  char name[48]; /* as written: "layers", "train.lr" */
  char section[16], key[48];
  char values[VLB_MAX_AXIS_VALUES][24];
  int count;
} vlb_axis;

/* name: a short one or "section.key" (- and _ are one). values: "8..24", "8..32:8", "0.25,0.5", "8,12,16..32:8". Every value must be one that
 * the key can have. VLB_USAGE: did-you-mean, ranges that never end or of words, values twice, too many. */
vlb_code vlb_axis_read(const char *name, const char *values, vlb_axis *axis, vlb_error *err);

/* All combinations of the axes' values on top of `base`, the last axis fastest, into ablation->arms; checked one by one.
 * VLB_USAGE: too many, or the first combination that cannot run. */
vlb_code vlb_sweep_arms(const vlb_axis *axes, int count, const vlb_settings *base, vlb_ablation *ablation, vlb_error *err);

#endif
