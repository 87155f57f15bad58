#include "experiments/cli/study.h"

#include <stdlib.h>

vlb_code vlb_study_open(const vlb_args *args, vlb_study *study, vlb_error *err) {
  *study = (vlb_study){.root = vlb_arg_text(args, "store", "results")};
  VLB_TRY(vlb_ablation_read(vlb_arg_at(args, 0), vlb_arg_on(args, "quick"), &study->ablation, err));
  vlb_code code = vlb_plan_make(study->ablation, &study->plan, err);
  if (code) free(study->ablation);
  return code;
}

void vlb_study_close(vlb_study *study) {
  vlb_plan_free(&study->plan);
  free(study->ablation);
}
