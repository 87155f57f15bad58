/* What `run`, `sweep`, `plan` and `report` share: an ablation, its plan, and the store. */
#ifndef VLB_CLI_STUDY_H
#define VLB_CLI_STUDY_H

#include <jansson.h>

#include "experiments/cli/cli.h"
#include "experiments/plan/cells.h"
#include "experiments/plan/estimate.h"

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
/* The plan of an ablation that is read already, which the study owns from now on, also after an error. */
vlb_code vlb_study_of(vlb_ablation *ablation, const char *root, vlb_study *study, vlb_error *err);
void vlb_study_close(vlb_study *study);

/* What is to do and what it takes. Caller frees cells. */
typedef struct {
  vlb_pace pace;
  vlb_cell_outlook *cells; /* [plan.count] */
  double seconds, bytes;
  double prefix_bytes; /* of the prefix caches together, for a while */
} vlb_outlook;
vlb_code vlb_study_outlook(const vlb_study *study, const vlb_context *ctx, vlb_outlook *outlook, vlb_error *err);
/* a line on stdout about the disk that prefix caches take meanwhile, if there are any */
void vlb_study_print_prefix(const char *root, double prefix_bytes);
json_t *vlb_study_json(const vlb_study *study, const vlb_outlook *outlook);

/* On stdout, as text or with --json. */
vlb_code vlb_study_show(const vlb_args *args, const vlb_study *study, const vlb_context *ctx, vlb_error *err);

/* With -n shows what would be done; else runs what is missing and reports what there is: a failed arm does not hide the others. */
vlb_code vlb_study_do(const vlb_args *args, const vlb_study *study, const vlb_context *ctx, vlb_error *err);

#endif
