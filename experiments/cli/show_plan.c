/* What a run would do, for people and for programs. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/cli/study.h"
#include "experiments/plan/estimate.h"
#include "experiments/report/notes.h"

static const char *arm_name(const vlb_ablation *a, int i) { return a->arms[i].name; }

static int widest_label(const vlb_plan *plan) {
  int widest = 28;
  for (int i = 0; i < plan->count; i++)
    if ((int)strlen(plan->cells[i].label) > widest) widest = (int)strlen(plan->cells[i].label);
  return widest;
}

void vlb_study_print_prefix(const char *root, double prefix_bytes) {
  char bytes[32];
  if (prefix_bytes > 0)
    printf("prefix cache: up to %s more while it trains; %s/prefix_cache may be deleted at any time\n", vlb_about_bytes(prefix_bytes, bytes, sizeof bytes), root);
}

static void print_cells(const vlb_study *s, const vlb_outlook *o) {
  char about[48];
  int width = widest_label(&s->plan), done = 0;
  printf("%-20s  %-*s %-8s %22s  %s\n", "cell", width, "what", "state", "work", "about");
  for (int i = 0; i < s->plan.count; i++) {
    const vlb_cell *c = &s->plan.cells[i];
    char work[48];
    snprintf(work, sizeof work, "%lld %s", (long long)c->work, vlb_work_unit(c->kind));
    printf("%-20s  %-*s %-8s %22s  %s\n", c->name, width, c->label, vlb_stored_name(o->cells[i].state), work,
           vlb_about(o->cells[i].seconds, about, sizeof about));
    done += !o->cells[i].todo;
  }
  char bytes[32];
  printf("\n%d cells, %d done; to do: %s on this machine, %s of disk\n", s->plan.count, done, vlb_about(o->seconds, about, sizeof about),
         vlb_about_bytes(o->bytes, bytes, sizeof bytes));
  vlb_study_print_prefix(s->root, o->prefix_bytes);
}

static void print_plan(const vlb_study *s, const vlb_outlook *o) {
  const vlb_ablation *a = s->ablation;
  char scale[96];
  printf("%s%s: %s\n", a->name, a->quick ? " --quick" : a->preset ? " --preset test" : "", a->title);
  printf("%s\n\n", vlb_scale_text(a, scale, sizeof scale));
  print_cells(s, o);
  for (int i = 0; i < a->contrast_count; i++)
    printf("%s%s - %s", i ? ", " : "contrasts: ", arm_name(a, a->contrasts[i].a), arm_name(a, a->contrasts[i].b));
  if (a->contrast_count) putchar('\n');
}

json_t *vlb_study_json(const vlb_study *s, const vlb_outlook *o) {
  const vlb_ablation *a = s->ablation;
  json_t *cells = json_array(), *contrasts = json_array();
  for (int i = 0; i < s->plan.count; i++) {
    const vlb_cell *c = &s->plan.cells[i];
    json_array_append_new(cells, json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:f,s:f,s:f}", "cell", c->name, "sha256", c->hash, "what", c->label, "state",
                                           vlb_stored_name(o->cells[i].state), "work", (json_int_t)c->work, "unit", vlb_work_unit(c->kind), "seconds",
                                           o->cells[i].seconds, "cpu_seconds", o->cells[i].cpu, "bytes", o->cells[i].bytes));
  }
  for (int i = 0; i < a->contrast_count; i++)
    json_array_append_new(contrasts, json_pack("[s,s]", arm_name(a, a->contrasts[i].a), arm_name(a, a->contrasts[i].b)));
  return json_pack("{s:s,s:b,s:s,s:s,s:o,s:o,s:f,s:f,s:f}", "ablation", a->name, "quick", a->quick, "title", a->title, "scale", a->scale, "cells", cells,
                   "contrasts", contrasts, "seconds", o->seconds, "bytes", o->bytes, "prefix_cache_bytes", o->prefix_bytes);
}

vlb_code vlb_study_outlook(const vlb_study *s, const vlb_context *ctx, vlb_outlook *o, vlb_error *err) {
  *o = (vlb_outlook){.cells = calloc((size_t)s->plan.count, sizeof *o->cells)};
  if (!o->cells) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_pace_learn(&s->plan, s->root, true, &o->pace);
  o->seconds = vlb_plan_outlook(&s->plan, s->root, &o->pace, ctx->threads, o->cells);
  for (int i = 0; i < s->plan.count; i++) o->bytes += o->cells[i].bytes, o->prefix_bytes += o->cells[i].prefix_bytes;
  for (int i = 0; i < s->plan.count; i++) /* files of other runs make room */
    if (o->cells[i].prefix_bytes > 0) o->prefix_bytes = fmin(o->prefix_bytes, 1e9 * s->plan.cells[i].settings.train.prefix_cache_gb);
  return VLB_OK;
}

vlb_code vlb_study_show(const vlb_args *args, const vlb_study *s, const vlb_context *ctx, vlb_error *err) {
  vlb_outlook o;
  VLB_TRY(vlb_study_outlook(s, ctx, &o, err));
  if (vlb_arg_on(args, "json")) {
    json_t *root = vlb_study_json(s, &o);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
  } else {
    print_plan(s, &o);
  }
  free(o.cells);
  return VLB_OK;
}
