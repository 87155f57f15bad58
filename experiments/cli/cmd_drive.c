/* vlabench drive: a simulated robot in real time whose policy is behind a WebSocket. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/timing.h"
#include "experiments/cli/commands.h"
#include "experiments/wire/drive.h"
#include "experiments/wire/key.h"
#include "experiments/wire/remote_eval.h"
#include "sim/rollout/suites.h"

/* Everything that one invocation needs. */
typedef struct {
  vlb_settings settings;
  vlb_remote_config remote;
  char key[VLB_KEY_SIZE];
  vlb_suite *suite;
  int task;
  int64_t first, episodes;
} trip;

static vlb_code read_options(const vlb_args *args, trip *t, vlb_error *err) {
  const char *assignment;
  vlb_settings_default(&t->settings);
  vlb_fields_default(vlb_remote_fields, &t->remote);
  t->episodes = 1;
  VLB_TRY(vlb_key_read(vlb_arg_text(args, "key-file", NULL), t->key, err));
  VLB_TRY(vlb_arg_int(args, "episode", 0, 65535, &t->first, err));
  VLB_TRY(vlb_arg_int(args, "episodes", 1, 1000, &t->episodes, err));
  VLB_TRY(vlb_arg_int(args, "seed", 0, 9000000000000000, &t->settings.eval.seed, err));
  for (int i = 0; (assignment = vlb_arg_each(args, "set", i)); i++) VLB_TRY(vlb_remote_set(&t->settings, &t->remote, assignment, err));
  return VLB_OK;
}

/* ---- results ---- */

static double mean_age(const vlb_control_counts *c) { return c->executed ? (double)c->age_sum / c->executed : 0; }

/* seconds: sorted by vlb_median */
static double quantile(const double *sorted, int n, double q) { return n ? sorted[(int)(q * (n - 1) + 0.5)] : 0; }

static json_t *match_json(const vlb_drive_match *m, int ticks) {
  return json_pack("{s:i,s:i,s:i}", "equal_ticks", m->equal, "ticks", ticks, "largest_difference", m->largest);
}

static json_t *episode_json(const vlb_drive_result *r, const double *sorted) {
  const vlb_control_counts *c = &r->robot;
  json_t *latencies = json_array();
  for (int i = 0; i < r->latencies; i++) json_array_append_new(latencies, json_real(r->latency[i]));
  json_t *o = json_pack("{s:i,s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:f,s:i,s:f}", "episode", r->episode, "outcome", vlb_outcome_name(r->outcome), "steps",
                        r->steps, "ticks", r->tick_count, "executed", c->executed, "waited", c->waited, "idle", c->idle, "starvations", c->starvations,
                        "chunks", c->chunks, "late_actions", c->late, "mean_age_ticks", mean_age(c), "overruns", r->overruns, "overrun_seconds",
                        r->overrun_seconds);
  json_object_set_new(o, "sent", json_integer(c->sent));
  json_object_set_new(o, "filtered", json_integer(c->filtered + r->server.predicted + r->server.similar));
  json_object_set_new(o, "latency_ms", json_pack("{s:f,s:f,s:f}", "p50", 1e3 * quantile(sorted, r->latencies, 0.5), "p95",
                                                 1e3 * quantile(sorted, r->latencies, 0.95), "max", 1e3 * quantile(sorted, r->latencies, 1)));
  json_object_set_new(o, "chunk_seconds", latencies); /* what eval.latency_file reads */
  json_object_set_new(o, "virtual_each_latency", match_json(&r->replayed, r->tick_count));
  json_object_set_new(o, "virtual_mean_latency", match_json(&r->at_mean, r->tick_count));
  if (r->why[0]) json_object_set_new(o, "why", json_string(r->why));
  return o;
}

static void print_head(void) {
  puts("episode  outcome       seconds  ticks  idle  chunks    age  latency ms: median    95%    max  overruns  queue as on the virtual clock: each  mean");
}

static void print_episode(const vlb_drive_result *r, const double *sorted, double period) {
  const vlb_control_counts *c = &r->robot;
  printf("%7d  %-12s  %7.2f  %5d  %4d  %6d  %5.1f  %18.1f  %5.1f  %5.1f  %8d  %22d/%d (%d)  %d/%d (%d)\n", r->episode, vlb_outcome_name(r->outcome),
         r->tick_count * period + r->overrun_seconds, r->tick_count, c->idle, c->chunks, mean_age(c), 1e3 * quantile(sorted, r->latencies, 0.5),
         1e3 * quantile(sorted, r->latencies, 0.95), 1e3 * quantile(sorted, r->latencies, 1), r->overruns, r->replayed.equal, r->tick_count,
         r->replayed.largest, r->at_mean.equal, r->tick_count, r->at_mean.largest);
}

static void write_ticks(FILE *out, const vlb_drive_result *r, double period) {
  for (int k = 0; k < r->tick_count; k++) {
    const vlb_drive_tick *t = &r->ticks[k];
    fprintf(out, "%d,%d,%.4f,%d,%d,%d,%d,%d,%d\n", r->episode, k, k * period, t->queue, t->acted, t->sent, t->arrived, t->replayed, t->at_mean);
  }
}

/* One episode's share of the output. */
static void show(const vlb_drive_result *r, double period, json_t *list, FILE *trace) {
  double *sorted = malloc(((size_t)r->latencies + 1) * sizeof *sorted);
  if (!sorted) return;
  for (int i = 0; i < r->latencies; i++) sorted[i] = r->latency[i];
  if (r->latencies) vlb_median(sorted, r->latencies);
  if (list)
    json_array_append_new(list, episode_json(r, sorted));
  else
    print_episode(r, sorted, period);
  if (trace) write_ticks(trace, r, period);
  free(sorted);
}

/* ---- the run ---- */

static vlb_code drive_all(const trip *t, vlb_drive *d, json_t *list, FILE *trace, const vlb_context *ctx, vlb_error *err) {
  const double period = (double)t->settings.eval.control.control_every / t->suite->embodiment->rate;
  vlb_code code = VLB_OK;
  int failed = 0, succeeded = 0;
  char why[512] = "";
  if (!list) print_head();
  vlb_progress_begin(ctx->log, "drive", 0, t->episodes, "episodes");
  for (int64_t i = 0; !code && i < t->episodes; i++) {
    vlb_drive_result r;
    code = vlb_drive_episode(d, (int)(t->first + i), &r, err);
    if (!code) show(&r, period, list, trace);
    failed += r.outcome == VLB_EPISODE_POLICY_ERROR || r.outcome == VLB_EPISODE_SIM_ERROR;
    succeeded += r.outcome == VLB_EPISODE_SUCCESS;
    if (r.why[0]) snprintf(why, sizeof why, "%s", r.why);
    vlb_drive_result_clear(&r);
    fflush(stdout);
    vlb_progress_set(ctx->log, i + 1, "%d succeeded", succeeded);
  }
  vlb_progress_end(ctx->log);
  if (!code && failed) return vlb_fail(err, VLB_INCOMPLETE, "%d of %lld episodes ended in an error: %s", failed, (long long)t->episodes, why);
  return code;
}

static vlb_code with_output(const vlb_args *args, const trip *t, const vlb_remote *remote, vlb_drive *d, const vlb_context *ctx, vlb_error *err) {
  const char *path = vlb_arg_text(args, "trace", NULL);
  json_t *list = vlb_arg_on(args, "json") ? json_array() : NULL;
  vlb_writer w = {.out = NULL};
  if (path) VLB_TRY(vlb_writer_open(&w, path, err));
  if (path) fputs("episode,tick,seconds,queue,acted,sent,arrived,virtual_each,virtual_mean\n", w.out);
  vlb_code code = drive_all(t, d, list, w.out, ctx, err);
  if (path && (!code || code == VLB_INCOMPLETE)) {
    if (vlb_writer_commit(&w, err)) code = VLB_FAILED;
  } else if (path) {
    vlb_writer_abort(&w);
  }
  if (list) {
    vlb_remote_figures f = vlb_remote_measured(remote);
    json_t *metadata = json_deep_copy(vlb_remote_metadata(remote));
    json_t *root = json_pack("{s:s,s:i,s:I,s:o,s:I,s:o}", "suite", t->suite->name, "task", t->task, "seed", (json_int_t)t->settings.eval.seed, "metadata",
                             metadata, "reconnections", (json_int_t)f.reconnections, "episodes", list);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(root);
  }
  return code;
}

static vlb_code drive(const vlb_args *args, trip *t, const vlb_context *ctx, vlb_error *err) {
  const vlb_rollout_config *eval = &t->settings.eval;
  vlb_remote *remote;
  vlb_drive *d;
  VLB_TRY(vlb_remote_open(vlb_arg_text(args, "server", NULL), t->key, &t->remote, t->suite->embodiment, (uint64_t)eval->seed, 1, ctx, &remote, err));
  const vlb_policy_callback policy = vlb_remote_policy(remote, 0);
  vlb_code code = vlb_drive_open(eval, t->suite, t->task, &policy, ctx, &d, err);
  if (!code) {
    vlb_info(ctx->log, "%s task %d: %s; %d actions of a chunk, a tick every %g ms", t->suite->name, t->task, t->suite->tasks[t->task].instruction,
             policy.n_action_steps, 1e3 * (double)eval->control.control_every / t->suite->embodiment->rate);
    code = with_output(args, t, remote, d, ctx, err);
    vlb_drive_free(d);
  }
  vlb_remote_free(remote);
  return code;
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  trip t = {.task = 0};
  if (!vlb_arg_on(args, "server")) return vlb_fail(err, VLB_USAGE, "--server ws://HOST:PORT is needed; 'vlabench serve' makes one");
  VLB_TRY(read_options(args, &t, err));
  VLB_TRY(vlb_suite_open_task(vlb_arg_at(args, 0), &t.suite, &t.task, err));
  vlb_code code = t.task < 0 ? vlb_fail(err, VLB_USAGE, "one robot does one task: say which, as in %s/0", vlb_arg_at(args, 0)) : drive(args, &t, ctx, err);
  vlb_suite_free(t.suite);
  return code;
}

static void more_help(FILE *out) {
  fputs("\nThe simulator steps by the clock. While the policy thinks the robot does what its controller (eval.control) says; starved, it holds its last target.\n"
        "Each episode is then played again on the virtual clock with the measured latencies: in how many ticks the queue was the same, and in brackets the\n"
        "largest difference; 'each' takes every latency in turn, 'mean' their mean for all. Exit code 4: an episode ended in an error.\n"
        "\nKeys for --set eval.KEY=VALUE (control, threshold, aggregate, similarity, control_every, render_size, max_steps): see eval --help\n"
        "\nKeys for --set remote.KEY=VALUE\n",
        out);
  vlb_fields_help(vlb_remote_fields, out);
}

static const vlb_option options[] = {{0, "server", "URL", "the policy: ws://HOST:PORT"},
                                     {0, "key-file", "FILE", "file with the server's key"},
                                     {0, "episode", "N", "first episode (default 0)"},
                                     {0, "episodes", "N", "how many, one after the other (default 1)"},
                                     {0, "seed", "N", "seed of initial states and sampling noise (default 90000)"},
                                     {0, "set", "S.KEY=V", "change one setting; may be repeated"},
                                     {0, "trace", "FILE", "queue tick by tick, real and virtual, as CSV"},
                                     VLB_OPTION_JSON,
                                     {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_drive = {
    "drive", "a simulated robot in real time, its policy behind a WebSocket", "SUITE/TASK --server URL",
    "  vlabench drive spatial/2 --server ws://127.0.0.1:8000                          the robot waits for every chunk\n"
    "  vlabench drive spatial/2 --server ws://127.0.0.1:8000 --set eval.control=paper --set eval.threshold=0.7\n"
    "  vlabench drive so100/0 --server ws://127.0.0.1:8000 --set eval.control=lerobot --episodes 5 --trace queue.csv\n",
    options, 1, 1, run, more_help};
