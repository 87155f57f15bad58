#include <jansson.h>
#include <stdlib.h>

#include "experiments/cli/commands.h"
#include "experiments/cli/study.h"
#include "experiments/plan/estimate.h"
#include "experiments/plan/runner.h"
#include "experiments/report/notes.h"
#include "experiments/report/report.h"

static const char *arm_name(const vlb_ablation *a, int i) { return a->arms[i].name; }

/* The plan for people: cells with state and work, contrasts, total. */
static void print_plan(const vlb_ablation *a, const vlb_plan *plan, const vlb_cell_outlook *outlook, double total) {
  char about[48], scale[96];
  int done = 0;
  printf("%s%s: %s\n", a->name, a->quick ? " --quick" : a->preset ? " --preset test" : "", a->title);
  printf("%s\n\n", vlb_scale_text(a, scale, sizeof scale));
  printf("%-18s  %-28s %-8s %22s  %s\n", "cell", "what", "state", "work", "about");
  for (int i = 0; i < plan->count; i++) {
    const vlb_cell *c = &plan->cells[i];
    char work[48];
    snprintf(work, sizeof work, "%lld %s", (long long)c->work, vlb_work_unit(c->kind));
    printf("%-18s  %-28s %-8s %22s  %s\n", c->name, c->label, vlb_stored_name(outlook[i].state), work,
           vlb_about(outlook[i].seconds, about, sizeof about));
    done += !outlook[i].todo;
  }
  printf("\n%d cells, %d done; to do: %s on this machine\n", plan->count, done, vlb_about(total, about, sizeof about));
  for (int i = 0; i < a->contrast_count; i++)
    printf("%s%s - %s", i ? ", " : "contrasts: ", arm_name(a, a->contrasts[i].a), arm_name(a, a->contrasts[i].b));
  if (a->contrast_count) putchar('\n');
}

static void print_plan_json(const vlb_ablation *a, const vlb_plan *plan, const vlb_cell_outlook *outlook, double total) {
  json_t *cells = json_array(), *contrasts = json_array();
  for (int i = 0; i < plan->count; i++) {
    const vlb_cell *c = &plan->cells[i];
    json_array_append_new(cells, json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:f}", "cell", c->name, "sha256", c->hash, "what", c->label, "state",
                                           vlb_stored_name(outlook[i].state), "work", (json_int_t)c->work, "unit", vlb_work_unit(c->kind),
                                           "seconds", outlook[i].seconds));
  }
  for (int i = 0; i < a->contrast_count; i++)
    json_array_append_new(contrasts, json_pack("[s,s]", arm_name(a, a->contrasts[i].a), arm_name(a, a->contrasts[i].b)));
  json_t *root = json_pack("{s:s,s:b,s:s,s:s,s:o,s:o,s:f}", "ablation", a->name, "quick", a->quick, "title", a->title, "scale", a->scale,
                           "cells", cells, "contrasts", contrasts, "seconds", total);
  json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
  putchar('\n');
  json_decref(root);
}

static vlb_code show_plan(const vlb_args *args, const vlb_study *s, vlb_error *err) {
  vlb_cell_outlook *outlook = calloc((size_t)s->plan.count, sizeof *outlook);
  if (!outlook) return vlb_fail(err, VLB_FAILED, "out of memory");
  double total = vlb_plan_outlook(&s->plan, s->root, outlook);
  (vlb_arg_on(args, "json") ? print_plan_json : print_plan)(s->ablation, &s->plan, outlook, total);
  free(outlook);
  return VLB_OK;
}

/* Runs what is missing and reports what there is: a failed arm does not hide the others. */
static vlb_code make(const vlb_args *args, const vlb_study *s, const vlb_context *ctx, vlb_error *err) {
  int failed;
  VLB_TRY(vlb_plan_run(&s->plan, s->root, ctx, &failed, err));
  vlb_code code = vlb_report(s->ablation, &s->plan, s->root, &(vlb_report_options){.json = vlb_arg_on(args, "json")}, ctx, err);
  if (code && code != VLB_INCOMPLETE) return code;
  if (failed) return vlb_fail(err, VLB_INCOMPLETE, "%d of %d cells failed or were skipped; the same command tries them again", failed, s->plan.count);
  return code;
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  vlb_study study;
  VLB_TRY(vlb_study_open(args, &study, err));
  vlb_code code = vlb_arg_on(args, "dry-run") ? show_plan(args, &study, err) : make(args, &study, ctx, err);
  vlb_study_close(&study);
  return code;
}

static const vlb_option options[] = {VLB_OPTION_QUICK, VLB_OPTION_PRESET, VLB_OPTION_DRY, VLB_OPTION_STORE, VLB_OPTION_JSON, {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_run = {
    "run", "an ablation from start to finish: train, roll out, table and plot", "FILE",
    "  vlabench run ablations/attention.toml --quick   a first answer in minutes\n"
    "  vlabench run ablations/attention.toml -n        cells, what exists, how long the rest takes\n"
    "  vlabench run my.toml --store /data/results -j8  elsewhere, on eight threads\n"
    "Finished cells are kept: the same command continues after an interruption and does only what is missing.\n",
    options, 1, 1, run, NULL};
