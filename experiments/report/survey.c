#include "experiments/report/survey.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/embed.h"

extern const vlb_embedded vlb_embedded_experiment_assets[];

typedef struct {
  const vlb_survey *survey;
  vlb_code (*each)(void *self, const vlb_evidence *e, const vlb_plan *plan, vlb_error *err);
  void *self;
  const vlb_context *ctx;
} visit;

static vlb_code visit_plan(const visit *v, const vlb_ablation *a, const vlb_plan *plan, vlb_error *err) {
  vlb_evidence *e = malloc(sizeof *e);
  if (!e) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = vlb_evidence_gather(a, plan, v->survey->root, v->survey->method, e, err);
  if (!code) {
    if (e->missing < a->arm_count) code = v->each(v->self, e, plan, err);
    vlb_evidence_free(e);
  }
  free(e);
  return code;
}

static vlb_code visit_preset(const visit *v, const char *file, vlb_preset preset, bool ours, vlb_error *err) {
  vlb_ablation *a;
  vlb_plan plan;
  vlb_error why = {VLB_OK, ""};
  VLB_TRY(vlb_ablation_read(file, preset, &a, err));
  vlb_code code = vlb_plan_make(a, &plan, &why);
  if (code && ours) {
    if (preset == VLB_PRESET_DEFAULT) vlb_info(v->ctx->log, "left out: %s: %s", a->name, why.message);
    free(a);
    return VLB_OK;
  }
  if (code && err) *err = why;
  if (!code) {
    code = visit_plan(v, a, &plan, err);
    vlb_plan_free(&plan);
  }
  free(a);
  return code;
}

/* Base files have no arms. */
static bool is_ablation(const char *path) {
  vlb_ablation *a;
  if (strncmp(path, "ablations/", 10) || vlb_ablation_read(path, VLB_PRESET_DEFAULT, &a, NULL)) return false;
  free(a);
  return true;
}

static vlb_code visit_file(const visit *v, const char *file, bool ours, vlb_error *err) {
  VLB_TRY(visit_preset(v, file, VLB_PRESET_DEFAULT, ours, err));
  return visit_preset(v, file, VLB_PRESET_QUICK, ours, err);
}

vlb_code vlb_survey_each(const vlb_survey *s, vlb_code (*each)(void *self, const vlb_evidence *e, const vlb_plan *plan, vlb_error *err), void *self,
                         const vlb_context *ctx, vlb_error *err) {
  const visit v = {s, each, self, ctx};
  for (int i = 0; i < s->count; i++) VLB_TRY(visit_file(&v, s->files[i], false, err));
  if (s->count) return VLB_OK;
  for (const vlb_embedded *e = vlb_embedded_experiment_assets; e->path; e++)
    if (is_ablation(e->path)) VLB_TRY(visit_file(&v, e->path, true, err));
  return VLB_OK;
}
