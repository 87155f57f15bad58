#include "experiments/cli/study.h"

#include <stdlib.h>
#include <string.h>

#include "experiments/plan/runner.h"
#include "experiments/report/report.h"

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

vlb_code vlb_study_of(vlb_ablation *ablation, const char *root, vlb_study *study, vlb_error *err) {
  *study = (vlb_study){.root = root, .ablation = ablation};
  vlb_code code = vlb_plan_make(ablation, &study->plan, err);
  if (code) free(ablation);
  return code;
}

vlb_code vlb_study_open(const vlb_args *args, vlb_study *study, vlb_error *err) {
  vlb_preset preset = VLB_PRESET_DEFAULT;
  vlb_ablation *ablation;
  VLB_TRY(vlb_arg_preset(args, &preset, err));
  VLB_TRY(vlb_ablation_read(vlb_arg_at(args, 0), preset, &ablation, err));
  return vlb_study_of(ablation, vlb_arg_text(args, "store", "results"), study, err);
}

void vlb_study_close(vlb_study *study) {
  vlb_plan_free(&study->plan);
  free(study->ablation);
}

vlb_code vlb_study_do(const vlb_args *args, const vlb_study *s, const vlb_context *ctx, vlb_error *err) {
  int failed;
  if (vlb_arg_on(args, "dry-run")) return vlb_study_show(args, s, ctx, err);
  VLB_TRY(vlb_plan_run(&s->plan, s->root, ctx, &failed, err));
  vlb_code code = vlb_report(s->ablation, &s->plan, s->root, &(vlb_report_options){.json = vlb_arg_on(args, "json")}, ctx, err);
  if (code && code != VLB_INCOMPLETE) return code;
  if (failed) return vlb_fail(err, VLB_INCOMPLETE, "%d of %d cells failed or were skipped; the same command tries them again", failed, s->plan.count);
  return code;
}
