#include "experiments/cli/bench_sim.h"

#include "core/base/timing.h"
#include "sim/render/render.h"
#include "sim/rollout/bench.h"
#include "sim/rollout/random.h"
#include "sim/rollout/suites.h"
#include "sim/world/version.h"

typedef struct {
  vlb_suite *suite;
  vlb_scene **scenes;
  const vlb_context *ctx;
  double seconds; /* of one line */
  json_t *rows;   /* NULL: print */
} sim_bench;

static vlb_code bench_steps(const sim_bench *b, vlb_error *err) {
  if (!b->rows)
    printf("%-5s %9s %9s %8s %8s %9s  %s\n", "task", "control/s", "physics/s", "ms/step", "bare ms", "overhead", "one thread");
  double sum = 0;
  for (int t = 0; t < b->suite->task_count; t++) {
    vlb_bench_steps s;
    VLB_TRY(vlb_check_stop(b->ctx, err));
    VLB_TRY(vlb_bench_steps_of(b->suite, b->scenes[t], t, b->seconds, &s, err));
    if (b->rows)
      json_array_append_new(b->rows, json_pack("{s:s,s:i,s:f,s:f,s:f,s:f,s:f}", "bench", "step", "task", t, "control_steps_per_second", 1 / s.ours,
                                               "physics_steps_per_second", s.substeps / s.ours, "step_ms", 1e3 * s.ours, "bare_ms", 1e3 * s.bare,
                                               "overhead", s.overhead));
    else
      printf("%-5d %9.0f %9.0f %8.3f %8.3f %8.1f%%  %s\n", t, 1 / s.ours, s.substeps / s.ours, 1e3 * s.ours, 1e3 * s.bare, 100 * s.overhead,
             b->suite->tasks[t].instruction);
    fflush(stdout);
    sum += s.overhead;
  }
  if (!b->rows) printf("%-5s %9s %9s %8s %8s %8.1f%%\n", "mean", "", "", "", "", 100 * sum / b->suite->task_count);
  return VLB_OK;
}

static vlb_code bench_frames(const sim_bench *b, vlb_error *err) {
  static const int sizes[] = {64, 128, 256};
  const vlb_embodiment *e = b->suite->embodiment;
  int task = b->suite->task_count / 2;
  if (!b->rows) printf("\n%-12s %6s %8s %9s %9s %9s %8s  task %d, one thread\n", "camera", "pixels", "shadows", "ms/frame", "cpu ms", "frames/s", "open ms", task);
  for (int shadows = 0; shadows < 2; shadows++)
    for (int i = 0; i < 3; i++)
      for (int c = 0; c < e->cameras; c++) {
        vlb_bench_frames f;
        VLB_TRY(vlb_check_stop(b->ctx, err));
        VLB_TRY(vlb_bench_frames_of(b->suite, b->scenes[task], task, c, sizes[i], shadows, b->seconds, &f, err));
        if (b->rows)
          json_array_append_new(b->rows, json_pack("{s:s,s:s,s:i,s:b,s:f,s:f,s:f,s:f}", "bench", "frame", "camera", e->camera[c], "pixels", sizes[i],
                                                   "shadows", shadows, "frame_ms", 1e3 * f.frame, "frame_cpu_ms", 1e3 * f.cpu, "frames_per_second", 1 / f.cpu, "open_ms",
                                                   1e3 * f.open));
        else
          printf("%-12s %6d %8s %9.3f %9.3f %9.0f %8.2f\n", e->camera[c], sizes[i], shadows ? "yes" : "no", 1e3 * f.frame, 1e3 * f.cpu, 1 / f.cpu, 1e3 * f.open);
        fflush(stdout);
      }
  return VLB_OK;
}

static vlb_code bench_expert(const sim_bench *b, vlb_error *err) {
  static const int sizes[] = {0, 128};
  if (!b->rows) printf("\n%-22s %8s %9s %10s  %d threads\n", "expert", "episodes", "succeeded", "episodes/s", b->ctx->threads);
  for (int i = 0; i < 2; i++) {
    vlb_bench_episodes x;
    VLB_TRY(vlb_bench_expert(b->suite, b->scenes, 1, sizes[i], b->ctx, &x, err));
    if (b->rows)
      json_array_append_new(b->rows, json_pack("{s:s,s:i,s:i,s:i,s:i,s:f}", "bench", "expert", "pixels", sizes[i], "threads", b->ctx->threads,
                                               "episodes", x.episodes, "succeeded", x.succeeded, "episodes_per_second", x.rate));
    else
      printf("%-22s %8d %9d %10.2f\n", sizes[i] ? "looking, 128 pixels" : "without pictures", x.episodes, x.succeeded, x.rate);
    fflush(stdout);
  }
  return VLB_OK;
}

static vlb_code bench_all(sim_bench *b, vlb_error *err) {
  char renderer[256];
  VLB_TRY(vlb_renderer_name(renderer, sizeof renderer, err));
  if (!b->rows) printf("%s: %d tasks, MuJoCo %s, %s\n\n", b->suite->name, b->suite->task_count, vlb_mujoco_version(), renderer);
  VLB_TRY(bench_steps(b, err));
  VLB_TRY(bench_frames(b, err));
  return bench_expert(b, err);
}

/* --- random actions --- */

static void print_random(const char *suite, const vlb_random_report *r, double rate) {
  printf("%-20s", suite);
  for (int i = 0; i < VLB_EPISODE_NOT_RUN; i++) printf(" %s %d,", vlb_outcome_name((vlb_outcome)i), r->outcomes[i]);
  printf(" %lld control steps, %.0f per second\n", (long long)r->steps, rate);
}

static json_t *random_json(const char *suite, const vlb_random_report *r, double rate) {
  json_t *o = json_pack("{s:s,s:s,s:I,s:f}", "bench", "random", "suite", suite, "control_steps", (json_int_t)r->steps,
                        "control_steps_per_second", rate);
  for (int i = 0; i < VLB_EPISODE_NOT_RUN; i++) json_object_set_new(o, vlb_outcome_name((vlb_outcome)i), json_integer(r->outcomes[i]));
  return o;
}

static vlb_code bench_random(const vlb_suite *suite, int episodes, const vlb_context *ctx, json_t *rows, vlb_error *err) {
  enum { SEED = 7 };
  vlb_random_report r;
  double from = vlb_seconds();
  VLB_TRY(vlb_random_run(suite, (episodes + suite->task_count - 1) / suite->task_count, SEED, ctx, &r, err));
  double rate = (double)r.steps / (vlb_seconds() - from);
  if (rows) json_array_append_new(rows, random_json(suite->name, &r, rate));
  else print_random(suite->name, &r, rate);
  fflush(stdout);
  if (r.slipped) return vlb_fail(err, VLB_FELL_SHORT, "%s: %d episodes had numbers that are not finite, and nothing reported it", suite->name, r.slipped);
  return VLB_OK;
}

vlb_code vlb_bench_sim(const vlb_args *args, const vlb_context *ctx, json_t *rows, vlb_error *err) {
  const char *name = vlb_arg_at(args, 1);
  int64_t random = 0;
  sim_bench b = {.ctx = ctx, .seconds = 0.5, .rows = rows};
  VLB_TRY(vlb_arg_real(args, "seconds", 0.01, 3600, &b.seconds, err));
  VLB_TRY(vlb_arg_int(args, "random", 1, 1000000, &random, err));
  VLB_TRY(vlb_suite_open(name ? name : "spatial", &b.suite, err));
  vlb_code code = random ? bench_random(b.suite, (int)random, ctx, rows, err) : vlb_scenes_compile(b.suite, &b.scenes, err);
  if (!code && !random) code = bench_all(&b, err);
  vlb_scenes_free(b.scenes, b.suite->task_count);
  vlb_suite_free(b.suite);
  return code;
}
