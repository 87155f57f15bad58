#include "experiments/cli/study.h"

#include <stdlib.h>
#include <string.h>

vlb_code vlb_arg_preset(const vlb_args *args, vlb_preset *preset, vlb_error *err) {
  const char *name = vlb_arg_text(args, "preset", vlb_arg_on(args, "quick") ? "quick" : "default");
  int n = 0;
  for (; vlb_preset_names[n]; n++) {
    if (strcmp(vlb_preset_names[n], name)) continue;
    *preset = (vlb_preset)n;
    return VLB_OK;
  }
  const char *near = vlb_suggest(name, vlb_preset_names, n);
  if (near) return vlb_fail(err, VLB_USAGE, "--preset %s: no such preset; did you mean %s?", name, near);
  return vlb_fail(err, VLB_USAGE, "--preset %s: no such preset; there are default, quick and test", name);
}

vlb_code vlb_study_open(const vlb_args *args, vlb_study *study, vlb_error *err) {
  *study = (vlb_study){.root = vlb_arg_text(args, "store", "results")};
  vlb_preset preset;
  VLB_TRY(vlb_arg_preset(args, &preset, err));
  VLB_TRY(vlb_ablation_read(vlb_arg_at(args, 0), preset, &study->ablation, err));
  vlb_code code = vlb_plan_make(study->ablation, &study->plan, err);
  if (code) free(study->ablation);
  return code;
}

void vlb_study_close(vlb_study *study) {
  vlb_plan_free(&study->plan);
  free(study->ablation);
}
