/* vlabench plan: before a run, what its contrasts can detect and what it takes, cell by cell. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/cli/commands.h"
#include "experiments/cli/study.h"
#include "experiments/report/notes.h"
#include "experiments/report/published.h"
#include "experiments/stats/power.h"

static const double ALPHA = 0.05, POWER = 0.8;
/* shares of the shared episodes that one arm solves and the other does not; 4 to 30 % were seen in runs of ours */
static const double discordance[] = {0.1, 0.2, 0.3};
enum { SHARES = sizeof discordance / sizeof *discordance };

/* What a contrast can see. */
typedef struct {
  const vlb_arm *a, *b;
  int episodes;                           /* shared by both arms, over suites and training seeds */
  double alone[SHARES], strictest[SHARES]; /* points, at 0.05 and at 0.05 over the number of contrasts */
  double paper;                           /* the paper's difference; NAN: none */
} sight;

static int episodes_of(const vlb_study *s, int arm) {
  int n = 0;
  for (int i = 0; i < s->plan.arms[arm].count; i++) n += (int)s->plan.cells[s->plan.arms[arm].eval[i].cell].work;
  return n;
}

static double paper_value(const vlb_ablation *a, const vlb_arm *arm) {
  vlb_published *p;
  double value = NAN;
  if (!a->paper_table[0] || !arm->paper_row[0] || vlb_published_open(&p, NULL)) return NAN;
  if (vlb_published_value(p, a->paper_table, arm->paper_row, a->paper_column, &value, NULL)) value = NAN;
  vlb_published_close(p);
  return value;
}

static sight see(const vlb_study *s, const vlb_contrast *c) {
  const vlb_ablation *a = s->ablation;
  sight out = {.a = &a->arms[c->a], .b = &a->arms[c->b], .episodes = episodes_of(s, c->a)};
  for (int i = 0; i < SHARES; i++) {
    out.alone[i] = 100 * vlb_mcnemar_detectable(out.episodes, discordance[i], ALPHA, POWER);
    out.strictest[i] = 100 * vlb_mcnemar_detectable(out.episodes, discordance[i], ALPHA / a->contrast_count, POWER);
  }
  out.paper = paper_value(a, out.a) - paper_value(a, out.b);
  return out;
}

static void print_points(const double *points) {
  for (int i = 0; i < SHARES; i++) {
    if (isnan(points[i]))
      printf("  %6s", "-");
    else
      printf("  %6.1f", points[i]);
  }
}

static void print_contrasts(const vlb_study *s) {
  const vlb_ablation *a = s->ablation;
  int width = 24;
  for (int i = 0; i < a->contrast_count; i++) {
    int n = snprintf(NULL, 0, "%s - %s", a->arms[a->contrasts[i].a].label, a->arms[a->contrasts[i].b].label);
    if (n > width) width = n;
  }
  if (!a->contrast_count) {
    puts("\nNo contrast is declared: nothing is tested, whatever comes out.");
    return;
  }
  printf("\nSmallest difference, in points, that is found with 80 %% chance (exact McNemar test on shared episodes), if so many pairs differ:\n\n");
  bool several = a->contrast_count > 1; /* with one there is nothing to adjust */
  printf("%-*s  %8s  %22s", width, "", "", "alone");
  if (several) printf("  %22s", "with Holm, at worst");
  printf("  %s\n%-*s  %8s", "paper", width, "contrast", "episodes");
  for (int k = 0; k <= several; k++)
    for (int i = 0; i < SHARES; i++) printf("  %4.0f %%", 100 * discordance[i]);
  printf("  points\n");
  for (int i = 0; i < a->contrast_count; i++) {
    sight c = see(s, &a->contrasts[i]);
    char name[224];
    snprintf(name, sizeof name, "%s - %s", c.a->label, c.b->label);
    printf("%-*s  %8d", width, name, c.episodes);
    print_points(c.alone);
    if (several) print_points(c.strictest);
    if (!isnan(c.paper)) printf("  %+6.1f", c.paper);
    putchar('\n');
  }
  puts("-: not found even if all differing pairs fall to one side");
  if (a->arms[0].settings.train.seeds < 3)
    puts("Fewer than three trainings per arm: the chance of the training itself is not estimated and not in these numbers.");
}

static void print_cells(const vlb_study *s, const vlb_outlook *o) {
  char time[48], disk[32];
  int width = 28;
  for (int i = 0; i < s->plan.count; i++) {
    int n = snprintf(NULL, 0, "%s", s->plan.cells[i].label);
    if (n > width) width = n;
  }
  printf("%-20s  %-*s %-8s %10s  %s\n", "cell", width, "what", "state", "disk", "about");
  for (int i = 0; i < s->plan.count; i++)
    printf("%-20s  %-*s %-8s %10s  %s\n", s->plan.cells[i].name, width, s->plan.cells[i].label, vlb_stored_name(o->cells[i].state),
           vlb_about_bytes(o->cells[i].bytes, disk, sizeof disk), vlb_about(o->cells[i].seconds, time, sizeof time));
}

static const char *const kinds[] = {"demonstrations", "training", "rollouts", "latency"};

/* Sums by kind, and where the estimates come from. */
static void print_sums(const vlb_study *s, const vlb_outlook *o, int threads) {
  char time[48], disk[32];
  putchar('\n');
  for (int kind = 0; kind <= VLB_CELL_LATENCY; kind++) {
    double seconds = 0, bytes = 0;
    int n = 0;
    for (int i = 0; i < s->plan.count; i++) {
      if ((int)s->plan.cells[i].kind != kind || !o->cells[i].todo) continue;
      seconds += o->cells[i].seconds, bytes += o->cells[i].bytes, n++;
    }
    if (!n) continue;
    printf("%-15s %3d to do  %18s  %10s   ", kinds[kind], n, vlb_about(seconds, time, sizeof time), vlb_about_bytes(bytes, disk, sizeof disk));
    if (o->pace.of[kind].cells)
      printf("learnt from %d finished cell%s here\n", o->pace.of[kind].cells, o->pace.of[kind].cells > 1 ? "s" : "");
    else
      puts(kind == VLB_CELL_TRAIN ? "counted operations, timed on one shard of a step" : kind == VLB_CELL_EVAL ? "counted operations, timed on a few predictions; assumed simulator" : "assumed");
  }
  printf("%-15s            %18s  %10s   on %d thread%s of an otherwise idle machine\n", "all", vlb_about(o->seconds, time, sizeof time),
         vlb_about_bytes(o->bytes, disk, sizeof disk), threads, threads > 1 ? "s" : "");
  vlb_study_print_prefix(s->root, o->prefix_bytes);
}

static json_t *points_json(const double *points) {
  json_t *out = json_object();
  for (int i = 0; i < SHARES; i++) {
    char key[16];
    snprintf(key, sizeof key, "%g", discordance[i]);
    json_object_set_new(out, key, isnan(points[i]) ? json_null() : json_real(points[i]));
  }
  return out;
}

static void print_json(const vlb_study *s, const vlb_outlook *o) {
  json_t *root = vlb_study_json(s, o), *contrasts = json_array();
  for (int i = 0; i < s->ablation->contrast_count; i++) {
    sight c = see(s, &s->ablation->contrasts[i]);
    json_t *row = json_pack("{s:s,s:s,s:i,s:o,s:o}", "a", c.a->name, "b", c.b->name, "episodes", c.episodes, "detectable_points", points_json(c.alone),
                            "detectable_points_holm", points_json(c.strictest));
    if (!isnan(c.paper)) json_object_set_new(row, "paper_points", json_real(c.paper));
    json_array_append_new(contrasts, row);
  }
  json_object_set_new(root, "contrasts", contrasts);
  json_object_set_new(root, "power", json_real(POWER));
  json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
  putchar('\n');
  json_decref(root);
}

/* ---- several files: what each adds to those before it ---- */

/* Names of the cells seen so far. */
typedef struct {
  char (*name)[32];
  int count, capacity;
} seen;

/* Whether it is new; -1 without memory. */
static int see_cell(seen *s, const char *name) {
  for (int i = 0; i < s->count; i++)
    if (!strcmp(s->name[i], name)) return 0;
  if (s->count == s->capacity) {
    int capacity = 2 * s->capacity + 64;
    char (*more)[32] = realloc(s->name, (size_t)capacity * sizeof *more);
    if (!more) return -1;
    s->name = more, s->capacity = capacity;
  }
  snprintf(s->name[s->count++], sizeof *s->name, "%s", name);
  return 1;
}

typedef struct {
  int cells, todo;
  double seconds, bytes, prefix_bytes; /* of the one prefix cache: what the hungriest file wants */
} sum;

static vlb_code add_up(const vlb_study *s, const vlb_outlook *o, seen *cells, sum *out, vlb_error *err) {
  for (int i = 0; i < s->plan.count; i++) {
    int fresh = see_cell(cells, s->plan.cells[i].name);
    if (fresh < 0) return vlb_fail(err, VLB_FAILED, "out of memory");
    if (!fresh) continue;
    out->cells++;
    out->todo += o->cells[i].todo;
    out->seconds += o->cells[i].seconds;
    out->bytes += o->cells[i].bytes;
  }
  return VLB_OK;
}

static void print_sum(const char *name, int arms, const sum *s) {
  char time[48], disk[32], count[16] = "";
  if (arms) snprintf(count, sizeof count, "%d", arms);
  printf("%-32s %5s %6d %6d  %18s  %10s\n", name, count, s->cells, s->todo, vlb_about(s->seconds, time, sizeof time),
         vlb_about_bytes(s->bytes, disk, sizeof disk));
}

static vlb_code plan_file(const vlb_args *args, int i, vlb_preset preset, const vlb_context *ctx, seen *cells, sum *total, json_t *rows, vlb_error *err) {
  vlb_ablation *ablation;
  vlb_study s;
  vlb_outlook o;
  sum one = {0};
  VLB_TRY(vlb_ablation_read(vlb_arg_at(args, i), preset, &ablation, err));
  VLB_TRY(vlb_study_of(ablation, vlb_arg_text(args, "store", "results"), &s, err));
  vlb_code code = vlb_study_outlook(&s, ctx, &o, err);
  if (!code) code = add_up(&s, &o, cells, &one, err);
  if (!code && !rows) print_sum(s.ablation->name, s.ablation->arm_count, &one);
  if (!code && rows)
    json_array_append_new(rows, json_pack("{s:s,s:i,s:i,s:i,s:f,s:f}", "ablation", s.ablation->name, "arms", s.ablation->arm_count, "cells", one.cells,
                                          "to_do", one.todo, "seconds", one.seconds, "bytes", one.bytes));
  if (!code) one.prefix_bytes = o.prefix_bytes;
  *total = (sum){total->cells + one.cells, total->todo + one.todo, total->seconds + one.seconds, total->bytes + one.bytes,
                 fmax(total->prefix_bytes, one.prefix_bytes)};
  if (!code) free(o.cells);
  vlb_study_close(&s);
  return code;
}

static vlb_code plan_files(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  vlb_preset preset = VLB_PRESET_DEFAULT;
  seen cells = {.name = NULL};
  sum total = {0};
  VLB_TRY(vlb_arg_preset(args, &preset, err));
  json_t *rows = vlb_arg_on(args, "json") ? json_array() : NULL;
  if (!rows) printf("%-32s %5s %6s %6s  %18s  %10s\n", "cells that no file before has", "arms", "cells", "to do", "about", "disk");
  vlb_code code = VLB_OK;
  for (int i = 0; !code && i < vlb_arg_count(args); i++) code = plan_file(args, i, preset, ctx, &cells, &total, rows, err);
  free(cells.name);
  if (!code && !rows) {
    print_sum("all", 0, &total);
    printf("times on %d thread%s of an otherwise idle machine\n", ctx->threads, ctx->threads > 1 ? "s" : "");
    vlb_study_print_prefix(vlb_arg_text(args, "store", "results"), total.prefix_bytes);
  }
  if (!code && rows) {
    json_t *root = json_pack("{s:O,s:i,s:i,s:f,s:f,s:f}", "files", rows, "cells", total.cells, "to_do", total.todo, "seconds", total.seconds, "bytes", total.bytes,
                             "prefix_cache_bytes", total.prefix_bytes);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
  }
  json_decref(rows);
  return code;
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  vlb_study s;
  vlb_outlook o;
  char scale[96];
  if (vlb_arg_count(args) > 1) return plan_files(args, ctx, err);
  VLB_TRY(vlb_study_open(args, &s, err));
  vlb_code code = vlb_study_outlook(&s, ctx, &o, err);
  if (!code && vlb_arg_on(args, "json")) {
    print_json(&s, &o);
  } else if (!code) {
    printf("%s%s: %s\n%s\n\n", s.ablation->name, vlb_preset_suffix(s.ablation), s.ablation->title, vlb_scale_text(s.ablation, scale, sizeof scale));
    print_cells(&s, &o);
    print_sums(&s, &o, ctx->threads);
    print_contrasts(&s);
  }
  if (!code) free(o.cells);
  vlb_study_close(&s);
  return code;
}

static const vlb_option options[] = {VLB_OPTION_QUICK, VLB_OPTION_PRESET, VLB_OPTION_STORE, VLB_OPTION_JSON, {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_plan = {
    "plan", "before a run: what each contrast can detect, hours and disk, cell by cell", "FILE...",
    "  vlabench plan ablations/layers.toml            what 400 episodes can tell apart, how long it takes\n"
    "  vlabench plan ablations/layers.toml --quick    the same of the quick preset\n"
    "  vlabench plan my.toml --json                   for a program\n"
    "  vlabench plan ablations/*.toml                 several: what each adds to those before it, and all of them\n"
    "Times and disk are learnt from the finished cells of the store; without any, operations are counted and a step is timed.\n",
    options, 1, 64, run, NULL};
