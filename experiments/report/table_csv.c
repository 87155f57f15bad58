/* The tables for programs. */
#include <math.h>
#include <stdlib.h>

#include "experiments/report/compare.h"
#include "experiments/report/grid.h"
#include "experiments/report/table.h"

static void put_rate(vlb_grid *g, int row, int column, double rate, vlb_interval interval) {
  vlb_grid_set(g, row, column, "%.6f", rate);
  vlb_grid_set(g, row, column + 1, "%.6f", interval.lo);
  vlb_grid_set(g, row, column + 2, "%.6f", interval.hi);
}

void vlb_table_csv(const vlb_evidence *e, FILE *out) {
  static const char *const names[] = {"arm",   "label",           "state",         "successes",    "episodes",     "errors", "rate",  "lo95", "hi95",
                                      "score", "rate_over_tasks", "paper_percent", "trainings",    "trainings_sd", "between_trainings_variance", NULL};
  vlb_grid *g = vlb_grid_new("");
  if (!g) return;
  vlb_grid_header(g, names);
  for (int i = 0; i < vlb_evidence_rows(e); i++) {
    const vlb_arm_evidence *arm = vlb_evidence_row(e, i);
    vlb_grid_set(g, i + 1, 0, "%s", arm->name);
    vlb_grid_set(g, i + 1, 1, "%s", arm->label);
    vlb_grid_set(g, i + 1, 2, "%s", arm->why);
    if (!isnan(arm->paper_mean)) vlb_grid_set(g, i + 1, 11, "%g", arm->paper_mean);
    if (!arm->known) continue;
    const int counts[] = {arm->successes, arm->n, arm->errors};
    for (int k = 0; k < 3; k++) vlb_grid_set(g, i + 1, 3 + k, "%d", counts[k]);
    put_rate(g, i + 1, 6, arm->mean.estimate, arm->mean.interval);
    vlb_grid_set(g, i + 1, 9, "%.6f", arm->score);
    vlb_grid_set(g, i + 1, 10, "%.6f", arm->over_tasks.estimate);
    vlb_grid_set(g, i + 1, 12, "%d", arm->seeds);
    if (!arm->training.estimated) continue; /* empty: not estimated */
    vlb_grid_set(g, i + 1, 13, "%.6f", arm->training.seeds_sd);
    vlb_grid_set(g, i + 1, 14, "%.8f", arm->training.between_trainings);
  }
  vlb_grid_write(g, vlb_grid_csv, out);
}

void vlb_columns_csv(const vlb_evidence *e, FILE *out) {
  fputs("arm,column,successes,episodes,rate,lo95,hi95,score,paper_percent\n", out);
  for (int i = 0; i < vlb_evidence_rows(e); i++) {
    const vlb_arm_evidence *arm = vlb_evidence_row(e, i);
    for (int c = 0; c < e->columns.count; c++) {
      const vlb_stratum *s = &arm->column[c];
      if (!s->n && isnan(arm->paper[c])) continue;
      fprintf(out, "%s,%s,", arm->name, e->columns.name[c]);
      if (s->n)
        fprintf(out, "%lld,%lld,%.6f,%.6f,%.6f,%.6f,", (long long)s->k, (long long)s->n, (double)s->k / (double)s->n, arm->column_interval[c].lo,
                arm->column_interval[c].hi, arm->column_score[c]);
      else
        fputs(",,,,,,", out);
      if (!isnan(arm->paper[c])) fprintf(out, "%g", arm->paper[c]);
      fputc('\n', out);
    }
  }
}

void vlb_contrasts_csv(const vlb_evidence *e, FILE *out) {
  static const char *const names[] = {"a",    "b",    "episodes_are", "both",   "only_a",  "only_b",         "neither",        "difference",
                                      "lo95", "hi95", "p",            "p_holm", "verdict", "trainings_lo95", "trainings_hi95", NULL};
  vlb_grid *g = vlb_grid_new("");
  if (!g) return;
  char verdict[128];
  vlb_grid_header(g, names);
  for (int i = 0; i < e->ablation->contrast_count; i++) {
    const vlb_contrast_evidence *c = &e->contrasts[i];
    vlb_grid_set(g, i + 1, 0, "%s", c->a->name);
    vlb_grid_set(g, i + 1, 1, "%s", c->b->name);
    vlb_grid_set(g, i + 1, 12, "%s", vlb_verdict(c, verdict, sizeof verdict));
    if (!c->known) continue;
    vlb_grid_set(g, i + 1, 2, "%s", c->paired ? "shared" : "independent");
    const int64_t counts[] = {c->pairs.both, c->pairs.only_a, c->pairs.only_b, c->pairs.neither};
    const double numbers[] = {c->difference.estimate, c->difference.interval.lo, c->difference.interval.hi, c->p, c->p_holm};
    for (int k = 0; k < 4 && c->paired; k++) vlb_grid_set(g, i + 1, 3 + k, "%lld", (long long)counts[k]);
    for (int k = 0; k < 5; k++) vlb_grid_set(g, i + 1, 7 + k, "%.6g", numbers[k]);
    if (c->trainings.n < VLB_LEAST_SEEDS) continue; /* empty: not estimated */
    vlb_grid_set(g, i + 1, 13, "%.6f", c->trainings.mean.interval.lo);
    vlb_grid_set(g, i + 1, 14, "%.6f", c->trainings.mean.interval.hi);
  }
  vlb_grid_write(g, vlb_grid_csv, out);
}

void vlb_tasks_csv(const vlb_evidence *e, FILE *out) {
  fputs("arm,suite,task,name,successes,episodes\n", out);
  for (int i = 0; i < vlb_evidence_rows(e); i++) {
    const vlb_arm_evidence *arm = vlb_evidence_row(e, i);
    for (int t = 0; t < arm->tasks; t++) {
      const char *suite, *name = vlb_task_name(e, arm, t, &suite);
      int n, k = vlb_task_successes(arm, t, &n);
      fprintf(out, "%s,%s,%d,%s,%d,%d\n", arm->name, suite, t, name, k, n);
    }
  }
}

static json_t *columns_json(const vlb_evidence *e, const vlb_arm_evidence *arm) {
  json_t *columns = json_object();
  for (int c = 0; c < e->columns.count; c++)
    if (arm->column[c].n)
      json_object_set_new(columns, e->columns.name[c],
                          json_pack("{s:I,s:I,s:[f,f]}", "successes", (json_int_t)arm->column[c].k, "episodes", (json_int_t)arm->column[c].n,
                                    "interval95", arm->column_interval[c].lo, arm->column_interval[c].hi));
  return columns;
}

static json_t *arm_json(const vlb_evidence *e, const vlb_arm_evidence *arm) {
  json_t *out = json_pack("{s:s,s:s,s:s}", "arm", arm->name, "label", arm->label, "state", arm->why);
  if (arm->known)
    json_object_update_new(out, json_pack("{s:i,s:i,s:i,s:f,s:[f,f],s:f,s:f,s:i,s:o}", "successes", arm->successes, "episodes", arm->n, "errors",
                                          arm->errors, "rate", arm->mean.estimate, "interval95", arm->mean.interval.lo, arm->mean.interval.hi,
                                          "rate_over_tasks", arm->over_tasks.estimate, "score", arm->score, "trainings", arm->seeds, "columns",
                                          columns_json(e, arm)));
  if (arm->known)
    json_object_set_new(out, "training_variance",
                        arm->training.estimated ? json_pack("{s:f,s:f,s:f,s:f}", "between_trainings", arm->training.between_trainings,
                                                            "between_episodes", arm->training.between_episodes, "rest", arm->training.rest,
                                                            "sd_of_rates", arm->training.seeds_sd)
                                                : json_string("not estimated"));
  if (!isnan(arm->paper_mean)) json_object_set_new(out, "paper_percent", json_real(arm->paper_mean));
  return out;
}

static json_t *contrast_json(const vlb_contrast_evidence *c) {
  char verdict[128];
  json_t *out = json_pack("{s:s,s:s,s:s}", "a", c->a->name, "b", c->b->name, "verdict", vlb_verdict(c, verdict, sizeof verdict));
  if (!c->known) return out;
  json_object_update_new(out, json_pack("{s:s,s:f,s:[f,f],s:f,s:f}", "episodes_are", c->paired ? "shared" : "independent", "difference",
                                        c->difference.estimate, "interval95", c->difference.interval.lo, c->difference.interval.hi, "p", c->p,
                                        "p_holm", c->p_holm));
  if (c->paired)
    json_object_update_new(out, json_pack("{s:I,s:I}", "only_a", (json_int_t)c->pairs.only_a, "only_b", (json_int_t)c->pairs.only_b));
  if (c->trainings.n >= VLB_LEAST_SEEDS)
    json_object_set_new(out, "trainings95", json_pack("[f,f]", c->trainings.mean.interval.lo, c->trainings.mean.interval.hi));
  return out;
}

json_t *vlb_table_json(const vlb_evidence *e) {
  json_t *arms = json_array(), *contrasts = json_array();
  for (int i = 0; i < vlb_evidence_rows(e); i++) json_array_append_new(arms, arm_json(e, vlb_evidence_row(e, i)));
  for (int i = 0; i < e->ablation->contrast_count; i++) json_array_append_new(contrasts, contrast_json(&e->contrasts[i]));
  return json_pack("{s:s,s:b,s:s,s:s,s:s,s:o,s:o}", "ablation", e->ablation->name, "quick", e->ablation->quick, "title", e->ablation->title,
                   "scale", e->ablation->scale, "intervals", vlb_rate_method_name(e->method), "arms", arms, "contrasts", contrasts);
}
