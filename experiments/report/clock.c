#include "experiments/report/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "experiments/report/published.h"
#include "experiments/store/clock_csv.h"
#include "experiments/store/store.h"

static const double LEVEL = 0.95;

double vlb_clock_seconds(const vlb_clock_arm *arm, const vlb_episode_result *row) { return arm->clocked ? row->clock.seconds - row->clock.robot.waited * arm->dt : row->steps * arm->dt; }

static bool solved(const vlb_episode_result *row) { return row->outcome == VLB_EPISODE_SUCCESS; }

static vlb_spread spread_of(const double *x, int n) {
  vlb_t_result t = n ? vlb_student(x, n, LEVEL) : (vlb_t_result){.n = 0};
  vlb_spread s = {.n = n, .mean = n ? t.mean.estimate : NAN, .sd = NAN, .interval = t.mean.interval};
  double squares = 0;
  for (int i = 0; i < n; i++) {
    s.total += x[i];
    squares += (x[i] - s.mean) * (x[i] - s.mean);
  }
  if (n > 1) s.sd = sqrt(squares / (n - 1));
  return s;
}

/* --- reading --- */

/* The clocks of a part: its file numbers the tasks of its own suite. */
static vlb_code read_part(const vlb_clocks *c, const vlb_arm_eval *eval, const vlb_part_evidence *part, vlb_clock_arm *arm, vlb_error *err) {
  char folder[1024];
  bool known;
  vlb_episode_result *rows = arm->rows + part->first;
  VLB_TRY(vlb_store_folder(c->root, c->plan->cells[eval->cell].name, folder, err));
  for (int i = 0; i < part->n; i++) rows[i].task -= part->first_task;
  vlb_code code = vlb_clock_csv_read(folder, rows, part->n, &known, err);
  for (int i = 0; i < part->n; i++) rows[i].task += part->first_task;
  arm->clocked &= known;
  return code;
}

static vlb_code read_arm(const vlb_clocks *c, int index, vlb_clock_arm *arm, vlb_error *err) {
  const vlb_settings *s = &c->plan->cells[c->plan->arms[index].eval[0].cell].settings;
  const vlb_embodiment *robot;
  VLB_TRY(vlb_suite_robot(s->eval.suite.s, &robot, err));
  int every = s->eval.control.control_every > 1 ? (int)s->eval.control.control_every : 1;
  *arm = (vlb_clock_arm){.arm = &c->e->arms[index], .control = &s->eval.control, .n = c->e->arms[index].n, .chunk = (int)s->model.n_action_steps,
                         .dt = (double)every / robot->rate, .limit = (double)s->eval.max_steps / robot->rate, .clocked = true};
  arm->paper_time = arm->paper_time_sd = arm->paper_cubes = arm->paper_cubes_sd = NAN;
  arm->known = arm->arm->known;
  if (!arm->known) return VLB_OK;
  arm->rows = malloc((size_t)arm->n * sizeof *arm->rows);
  if (!arm->rows) return vlb_fail(err, VLB_FAILED, "out of memory");
  memcpy(arm->rows, arm->arm->rows, (size_t)arm->n * sizeof *arm->rows);
  for (int i = 0; i < arm->arm->part_count; i++) VLB_TRY(read_part(c, &c->plan->arms[index].eval[i], &arm->arm->parts[i], arm, err));
  return VLB_OK;
}

/* --- one arm --- */

static void sum_up(vlb_clock_arm *arm) {
  double idle = 0, ticks = 0, age = 0, executed = 0, busy = 0, seconds = 0, looks = 0, sent = 0, inferences = 0, starvations = 0;
  for (int i = 0; i < arm->n; i++) {
    const vlb_timeline_record *r = &arm->rows[i].clock;
    idle += r->robot.idle, ticks += r->robot.ticks - r->robot.waited, age += (double)r->robot.age_sum, executed += r->robot.executed;
    busy += r->busy, seconds += r->seconds, looks += r->robot.looks, sent += r->robot.sent, inferences += r->inferences;
    starvations += r->robot.starvations;
    arm->age_max = fmax(arm->age_max, r->robot.age_max * arm->dt);
  }
  arm->idle = idle * arm->dt / arm->n;
  arm->idle_share = idle / ticks;
  arm->starvations = starvations / arm->n;
  arm->age_mean = arm->dt * age / executed;
  arm->load = busy / seconds;
  arm->looks = looks / seconds, arm->sent = sent / seconds, arm->inferences = inferences / seconds;
}

static vlb_code measure_arm(vlb_clock_arm *arm, vlb_error *err) {
  double *x = malloc((size_t)(arm->n + 1) * sizeof *x);
  if (!x) return vlb_fail(err, VLB_FAILED, "out of memory");
  int n = 0;
  for (int i = 0; i < arm->n; i++)
    if (solved(&arm->rows[i])) x[n++] = vlb_clock_seconds(arm, &arm->rows[i]);
  arm->time = spread_of(x, n);
  for (int i = 0; i < arm->n; i++) x[i] = arm->rows[i].completions;
  arm->cubes = spread_of(x, arm->n);
  free(x);
  if (arm->clocked) sum_up(arm);
  return VLB_OK;
}

/* Figures 5b and 5c have the rows of 5a, Sync and Async. */
static vlb_code read_paper(vlb_clocks *c, vlb_error *err) {
  const vlb_ablation *a = c->e->ablation;
  vlb_published *p;
  if (strncmp(a->paper_table, "fig5", 4)) return VLB_OK;
  VLB_TRY(vlb_published_open(&p, err));
  for (int i = 0; i < a->arm_count; i++) {
    vlb_clock_arm *arm = &c->arms[i];
    const char *row = a->arms[i].paper_row;
    if (!row[0]) continue;
    if (vlb_published_value(p, "fig5b_async_time", row, "avg_s", &arm->paper_time, NULL)) arm->paper_time = NAN;
    if (vlb_published_value(p, "fig5b_async_time", row, "std_s", &arm->paper_time_sd, NULL)) arm->paper_time_sd = NAN;
    if (vlb_published_value(p, "fig5c_async_fixed_time", row, "avg", &arm->paper_cubes, NULL)) arm->paper_cubes = NAN;
    if (vlb_published_value(p, "fig5c_async_fixed_time", row, "std", &arm->paper_cubes_sd, NULL)) arm->paper_cubes_sd = NAN;
  }
  vlb_published_close(p);
  return VLB_OK;
}

/* --- pairs --- */

static void compare_times(vlb_clock_contrast *k, double *x, const double *y, int n) {
  const vlb_t_result none = {.mean = {NAN, {NAN, NAN}}, .p = NAN};
  k->time = n ? vlb_paired_times(x, y, n, LEVEL) : none;
  k->ratio = n ? vlb_paired_ratio(x, y, n, LEVEL) : none;
  for (int i = 0; i < n; i++) x[i] -= y[i];
  k->signed_rank = n ? vlb_signed_rank(x, n) : 1;
}

/* The same episodes in the same order were checked when the evidence was gathered. */
static void compare(const vlb_clocks *c, vlb_clock_contrast *k, double *x, double *y) {
  const vlb_clock_arm *a = k->a, *b = k->b;
  int n = 0;
  for (int i = 0; i < a->n; i++) {
    if (!solved(&a->rows[i]) || !solved(&b->rows[i])) continue;
    x[n] = vlb_clock_seconds(a, &a->rows[i]), y[n] = vlb_clock_seconds(b, &b->rows[i]);
    n++;
  }
  compare_times(k, x, y, n);
  for (int i = 0; i < a->n; i++) {
    x[i] = solved(&a->rows[i]) ? vlb_clock_seconds(a, &a->rows[i]) : a->limit;
    y[i] = solved(&b->rows[i]) ? vlb_clock_seconds(b, &b->rows[i]) : b->limit;
  }
  k->all = vlb_paired_times(x, y, a->n, LEVEL);
  if (!c->fixed_time) return;
  for (int i = 0; i < a->n; i++) x[i] = a->rows[i].completions, y[i] = b->rows[i].completions;
  k->cubes = vlb_paired_times(x, y, a->n, LEVEL);
  for (int i = 0; i < a->n; i++) x[i] -= y[i];
  k->cubes_rank = vlb_signed_rank(x, a->n);
}

static vlb_code compare_all(vlb_clocks *c, vlb_error *err) {
  const vlb_ablation *a = c->e->ablation;
  double p[VLB_MAX_CONTRASTS], adjusted[VLB_MAX_CONTRASTS];
  for (int i = 0; i < a->contrast_count; i++) {
    vlb_clock_contrast *k = &c->contrasts[i];
    *k = (vlb_clock_contrast){.a = &c->arms[a->contrasts[i].a], .b = &c->arms[a->contrasts[i].b]};
    k->known = k->a->known && k->b->known && c->e->contrasts[i].paired && k->a->n == k->b->n;
    p[i] = 1;
    if (!k->known) continue;
    double *x = malloc(2 * (size_t)k->a->n * sizeof *x);
    if (!x) return vlb_fail(err, VLB_FAILED, "out of memory");
    compare(c, k, x, x + k->a->n);
    free(x);
    double here = c->fixed_time ? k->cubes.p : k->time.p;
    p[i] = isnan(here) ? 1 : here;
  }
  vlb_holm(p, a->contrast_count, adjusted);
  for (int i = 0; i < a->contrast_count; i++) c->contrasts[i].p_holm = adjusted[i];
  return VLB_OK;
}

static vlb_code gather(vlb_clocks *c, vlb_error *err) {
  for (int i = 0; i < c->e->ablation->arm_count; i++) {
    vlb_clock_arm *arm = &c->arms[i];
    VLB_TRY(read_arm(c, i, arm, err));
    if (!arm->known) continue;
    VLB_TRY(measure_arm(arm, err));
    c->any |= arm->clocked;
    c->fixed_time |= arm->control->fixed_time > 0;
  }
  VLB_TRY(read_paper(c, err));
  return compare_all(c, err);
}

vlb_code vlb_clocks_gather(const vlb_evidence *e, const vlb_plan *plan, const char *root, vlb_clocks *c, vlb_error *err) {
  memset(c, 0, sizeof *c);
  c->e = e, c->plan = plan, c->root = root;
  vlb_code code = gather(c, err);
  if (code) vlb_clocks_free(c);
  return code;
}

void vlb_clocks_free(vlb_clocks *c) {
  for (int i = 0; i < VLB_MAX_ARMS; i++) free(c->arms[i].rows);
  memset(c, 0, sizeof *c);
}

/* --- closed forms --- */

double vlb_clock_latency(const vlb_clock_arm *arm) { return arm->control->latency + arm->control->uplink + arm->control->downlink; }

double vlb_clock_idle_share(const vlb_control_config *control, double g, double l, double chunk) {
  bool aligned = control->align == VLB_ALIGN_OBSERVED;
  if (control->control == VLB_CONTROL_SYNC) return l / (chunk + l);
  if (control->control != VLB_CONTROL_PAPER) return NAN;
  double G = aligned ? fmin(g, 0.5) : g;
  if (l <= G * chunk) return 0;
  return aligned ? (l - G * chunk) / (l + (1 - 2 * G) * chunk) : (l - G * chunk) / ((1 - G) * chunk + l);
}

/* --- all of it --- */

static vlb_code write_file(const vlb_clocks *c, const char *folder, const char *name, void (*write)(const vlb_clocks *c, FILE *out), vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/%s", folder, name));
  VLB_TRY(vlb_writer_open(&w, path, err));
  write(c, w.out);
  return vlb_writer_commit(&w, err);
}

static vlb_code report(const vlb_clocks *c, const char *folder, const char *plots[VLB_MAX_PLOTS], vlb_error *err) {
  static const struct {
    const char *name;
    vlb_code (*draw)(const vlb_clocks *c, const char *folder, bool *drawn, vlb_error *err);
  } pictures[] = {{"time", vlb_plot_time}, {"queue", vlb_plot_queue}, {"sweep", vlb_plot_sweep}};
  int n = 0;
  VLB_TRY(write_file(c, folder, "clock.md", vlb_clock_markdown, err));
  VLB_TRY(write_file(c, folder, "clock.csv", vlb_clock_csv, err));
  VLB_TRY(write_file(c, folder, "clock_contrasts.csv", vlb_clock_contrasts_csv, err));
  while (plots[n]) n++;
  for (int i = 0; i < 3; i++) {
    bool drawn = false;
    VLB_TRY(pictures[i].draw(c, folder, &drawn, err));
    if (drawn && n < VLB_MAX_PLOTS - 1) plots[n++] = pictures[i].name;
  }
  plots[n] = NULL;
  return VLB_OK;
}

vlb_code vlb_clock_report(const vlb_evidence *e, const vlb_plan *plan, const char *root, const char *folder, const char *plots[VLB_MAX_PLOTS], vlb_error *err) {
  vlb_clocks *c = malloc(sizeof *c);
  if (!c) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = vlb_clocks_gather(e, plan, root, c, err);
  if (!code) {
    if (c->any) code = report(c, folder, plots, err);
    vlb_clocks_free(c);
  }
  free(c);
  return code;
}
