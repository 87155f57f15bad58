/* What `run` and `report` share: an ablation file, its plan, and the store. */
#ifndef VLB_CLI_STUDY_H
#define VLB_CLI_STUDY_H

#include "experiments/cli/cli.h"
#include "experiments/plan/cells.h"

#define VLB_OPTION_QUICK {0, "quick", NULL, "the file's quick preset: minutes instead of hours, wide intervals"}

#define VLB_OPTION_PRESET {0, "preset", "NAME", "quick (as --quick) or test: seconds, only to see that everything runs"}

/* --quick and --preset; both are of VLB_OPTION_QUICK and VLB_OPTION_PRESET. VLB_USAGE with did-you-mean. */
vlb_code vlb_arg_preset(const vlb_args *args, vlb_preset *preset, vlb_error *err);

typedef struct {
  const char *root; /* of the store; borrowed from args */
  vlb_ablation *ablation;
  vlb_plan plan;
} vlb_study;

/* From the first argument, --quick, --preset and --store. */
vlb_code vlb_study_open(const vlb_args *args, vlb_study *study, vlb_error *err);
void vlb_study_close(vlb_study *study);

#endif
