#include "experiments/cli/bench_infer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/rng.h"
#include "core/base/timing.h"
#include "core/data/image.h"
#include "core/model/inference.h"
#include "core/tensor/backend.h"
#include "experiments/cli/saved.h"

enum { SIDE = 256, MAX_STAGES = 8, MAX_RUNS = 1000, MAX_SHAPES = 256, MAX_STEPS = 64 };

/* Times of one stage over the runs. */
typedef struct {
  const char *name;
  int times;                     /* how often it runs in a chunk */
  double flops;                  /* of one time */
  double raw;                    /* seconds that oneDNN's plain products of its shapes take, one time */
  double wall[MAX_RUNS], cpu[MAX_RUNS];
} stage;

typedef struct {
  vlb_checkpoint_folder folder;
  vlb_pretrained trained;
  vlb_precision precision;
  vlb_ranges ranges;
  int threads;
  vlb_runner *runner;
  uint8_t *pixels;
  vlb_picture pictures[VLB_LEROBOT_CAMERAS];
  float *state, *noise, *actions;
  stage *stages;
  int stage_count, runs;
  double first; /* seconds from opening the checkpoint to the first actions */
  double peak, resident; /* megabytes */
  double total[MAX_RUNS], total_cpu[MAX_RUNS], step[MAX_STEPS][MAX_RUNS];
  float *exact;           /* normalised actions in float32, beside less */
  double largest, rms;    /* of the deviation */
} bench;

/* ---- set-up ---- */

static vlb_code make_runner(bench *b, vlb_precision precision, vlb_error *err) {
  const vlb_inference_options how = {.threads = b->threads, .precision = precision, .ranges = b->ranges.top, .range_count = b->ranges.count};
  return vlb_runner_create_for(&b->trained, 1, &how, &b->runner, err);
}

static vlb_code open_checkpoint(bench *b, const char *dir, const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  const char *names[2] = {NULL, NULL};
  int index[2];
  VLB_TRY(vlb_checkpoint_folder_open(dir, ctx->log, &b->folder, err));
  int n = b->folder.config.camera_count < 2 ? b->folder.config.camera_count : 2;
  char copies[2][VLB_LEROBOT_NAME];
  for (int i = 0; i < n; i++) names[i] = strcpy(copies[i], b->folder.config.cameras[i]);
  VLB_TRY(vlb_checkpoint_folder_cameras(&b->folder, names, n, index, err));
  VLB_TRY(vlb_pretrained_load(&b->folder, dir, vlb_arg_text(args, "tokenizer", NULL), ctx->log, &b->trained, err));
  VLB_TRY(vlb_ranges_prepare(&b->trained, b->precision, vlb_arg_text(args, "calibration", NULL), b->threads, NULL, 0, ctx->log, &b->ranges, err));
  return make_runner(b, b->precision, err);
}

static vlb_code make_observation(bench *b, vlb_error *err) {
  const vlb_model_config *c = &b->trained.model->config;
  size_t chunk = (size_t)(c->chunk_size * c->max_action_dim);
  b->pixels = malloc(SIDE * SIDE * 3);
  b->state = calloc((size_t)b->trained.state.dim, sizeof *b->state);
  b->noise = calloc(chunk, sizeof *b->noise);
  b->actions = calloc(chunk, sizeof *b->actions);
  b->stages = calloc(MAX_STAGES, sizeof *b->stages);
  if (!b->pixels || !b->state || !b->noise || !b->actions || !b->stages) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_rng rng = vlb_rng_make(1, VLB_RNG_TEST, 0, 0);
  for (int i = 0; i < SIDE * SIDE * 3; i++) b->pixels[i] = (uint8_t)vlb_rng_below(&rng, 256);
  vlb_rng_normals(&rng, b->noise, chunk);
  for (int v = 0; v < c->cameras; v++) b->pictures[v] = (vlb_picture){b->pixels, SIDE, SIDE};
  return VLB_OK;
}

/* ---- runs ---- */

static void add_stages(bench *b, vlb_graph *g, int times) {
  vlb_stage_row rows[MAX_STAGES];
  int n = vlb_graph_stage_rows(g, rows, MAX_STAGES);
  for (int i = 0; i < n; i++) {
    int j = 0;
    while (j < b->stage_count && strcmp(b->stages[j].name, rows[i].stage)) j++;
    if (j == MAX_STAGES) continue;
    if (j == b->stage_count) b->stage_count++;
    stage *s = &b->stages[j];
    s->name = rows[i].stage;
    s->times = times;
    s->flops = rows[i].flops;
    s->wall[b->runs] = rows[i].seconds / times;
    s->cpu[b->runs] = rows[i].cpu / times;
  }
}

/* the pictures' preparation is part of a run and measured again by itself */
static vlb_code time_images(bench *b, vlb_error *err) {
  const vlb_model_config *c = &b->trained.model->config;
  float *out = malloc(3 * (size_t)(c->image_size * c->image_size) * sizeof *out);
  if (!out) return vlb_fail(err, VLB_FAILED, "out of memory");
  double wall = vlb_seconds(), cpu = vlb_thread_seconds();
  for (int v = 0; v < c->cameras; v++) vlb_image_prepare_u8(b->pictures[v].rgb, SIDE, SIDE, out, (int)c->image_size);
  b->stages[0].name = "image";
  b->stages[0].times = 1;
  b->stages[0].wall[b->runs] = vlb_seconds() - wall;
  b->stages[0].cpu[b->runs] = vlb_thread_seconds() - cpu;
  if (!b->stage_count) b->stage_count = 1;
  free(out);
  return VLB_OK;
}

static vlb_sight sight_of(const bench *b) {
  return (vlb_sight){b->pictures, b->state, "pick up the black bowl between the plate and the ramekin and place it on the plate", b->noise};
}

static vlb_code run_once(bench *b, vlb_error *err) {
  const vlb_model_config *c = &b->trained.model->config;
  vlb_policy *p = vlb_runner_policy(b->runner);
  const vlb_sight sight = sight_of(b);
  VLB_TRY(time_images(b, err));
  vlb_graph_profile(vlb_policy_prefix_graph(p), true);
  vlb_graph_profile(vlb_policy_step_graph(p), true);
  double wall = vlb_seconds(), cpu = vlb_cpu_seconds();
  VLB_TRY(vlb_runner_run(b->runner, 1, &sight, b->actions, err));
  b->total[b->runs] = vlb_seconds() - wall;
  b->total_cpu[b->runs] = vlb_cpu_seconds() - cpu;
  for (int64_t i = 0; i < c->num_steps && i < MAX_STEPS; i++) b->step[i][b->runs] = vlb_policy_step_seconds(p)[i];
  add_stages(b, vlb_policy_prefix_graph(p), 1);
  add_stages(b, vlb_policy_step_graph(p), c->objective == VLB_OBJECTIVE_L1 ? 1 : (int)c->num_steps);
  return VLB_OK;
}

/* runs > 0: so many; else at least 5, and for about `seconds` */
static vlb_code run_all(bench *b, double seconds, int64_t runs, const vlb_context *ctx, vlb_error *err) {
  VLB_TRY(run_once(b, err)); /* warm-up, overwritten */
  for (double start = vlb_seconds(); b->runs < MAX_RUNS && (runs ? b->runs < runs : b->runs < 5 || vlb_seconds() - start < seconds);) {
    VLB_TRY(vlb_check_stop(ctx, err));
    VLB_TRY(run_once(b, err));
    b->runs++;
  }
  return VLB_OK;
}

/* what the products of a stage would take alone, measured now */
static void time_raw(bench *b) {
  vlb_policy *p = vlb_runner_policy(b->runner);
  vlb_product_row rows[MAX_SHAPES];
  for (int i = 0; i < b->stage_count; i++) {
    stage *s = &b->stages[i];
    vlb_graph *graphs[] = {vlb_policy_prefix_graph(p), vlb_policy_step_graph(p)};
    for (int g = 0; g < 2; g++) {
      int n = vlb_graph_products(graphs[g], s->name, rows, MAX_SHAPES);
      for (int k = 0; k < n; k++) s->raw += (double)rows[k].count * vlb_backend_matmul_cpu_seconds(rows[k].m, rows[k].n, rows[k].k, 0.1);
    }
  }
}

/* the same observation in float32: how far the actions are apart, in normalised units of the real dimensions */
static vlb_code compare_actions(bench *b, vlb_error *err) {
  const vlb_model_config *c = &b->trained.model->config;
  size_t count = (size_t)(c->chunk_size * c->max_action_dim);
  double sum = 0;
  b->exact = malloc(count * sizeof *b->exact);
  if (!b->exact) return vlb_fail(err, VLB_FAILED, "out of memory");
  memcpy(b->exact, vlb_runner_normalised(b->runner), count * sizeof *b->exact);
  vlb_runner_free(b->runner);
  b->runner = NULL;
  VLB_TRY(make_runner(b, VLB_FLOAT32, err));
  const vlb_sight sight = sight_of(b);
  VLB_TRY(vlb_runner_run(b->runner, 1, &sight, b->actions, err));
  for (int64_t t = 0; t < c->chunk_size; t++)
    for (int64_t k = 0; k < c->action_dim; k++) {
      double d = fabs((double)b->exact[t * c->max_action_dim + k] - (double)vlb_runner_normalised(b->runner)[t * c->max_action_dim + k]);
      b->largest = d > b->largest ? d : b->largest;
      sum += d * d;
    }
  b->rms = sqrt(sum / (double)(c->chunk_size * c->action_dim));
  return VLB_OK;
}

/* ---- report ---- */

static double quantile(const double *x, int n, double q) {
  double copy[MAX_RUNS];
  memcpy(copy, x, (size_t)n * sizeof *copy);
  vlb_median(copy, n); /* sorts */
  int i = (int)(q * (n - 1) + 0.5);
  return copy[i];
}

typedef struct {
  const char *name;
  int times;
  double median, p95, cpu, flops, raw;
} line;

static void print_line(const line *l) {
  printf("%-10s %5d %9.2f %9.2f %9.2f", l->name, l->times, 1e3 * l->median, 1e3 * l->p95, 1e3 * l->cpu);
  if (l->flops > 0 && !(l->raw > 0))
    printf(" %9.2f %8.1f\n", 1e-9 * l->flops, 1e-9 * l->flops / l->cpu);
  else if (l->flops > 0)
    printf(" %9.2f %8.1f %8.1f %7.1f%%\n", 1e-9 * l->flops, 1e-9 * l->flops / l->cpu, 1e-9 * l->flops / l->raw, 100 * l->raw / l->cpu);
  else
    putchar('\n');
}

static void add_line(json_t *rows, const line *l) {
  json_array_append_new(rows, json_pack("{s:s,s:s,s:i,s:f,s:f,s:f,s:f,s:f}", "bench", "infer", "stage", l->name, "times", l->times, "median_ms",
                                        1e3 * l->median, "p95_ms", 1e3 * l->p95, "cpu_ms", 1e3 * l->cpu, "gflop", 1e-9 * l->flops, "raw_ms", 1e3 * l->raw));
}

static void report_line(const line *l, json_t *rows) {
  if (rows)
    add_line(rows, l);
  else
    print_line(l);
}

static double peak_megabytes(void) {
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  return (double)use.ru_maxrss / 1024;
}

static double resident_megabytes(void) {
  FILE *in = fopen("/proc/self/statm", "r");
  unsigned long long all, resident = 0;
  if (in && fscanf(in, "%llu %llu", &all, &resident) != 2) resident = 0;
  if (in) fclose(in);
  return (double)resident * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static double weight_megabytes(const bench *b) {
  double bytes = 0;
  for (int i = 0; i < b->trained.model->param_count; i++) bytes += vlb_stored_bytes(&b->trained.model->params[i], b->precision);
  return bytes / (1 << 20);
}

/* every chunk's time, for who wants the distribution: a virtual clock draws from it */
static json_t *seconds_of(const double *x, int n) {
  json_t *list = json_array();
  for (int i = 0; i < n; i++) json_array_append_new(list, json_real(x[i]));
  return list;
}

static json_t *step_medians(const bench *b) {
  json_t *list = json_array();
  for (int64_t i = 0; i < b->trained.model->config.num_steps && i < MAX_STEPS; i++) json_array_append_new(list, json_real(1e3 * quantile(b->step[i], b->runs, 0.5)));
  return list;
}

static void add_summary(const bench *b, const line *total, json_t *rows) {
  json_t *out = json_pack("{s:s,s:s,s:i,s:i,s:f,s:f,s:f,s:f,s:f,s:f,s:o,s:o}", "bench", "infer", "precision", vlb_precision_name(b->precision), "threads", b->threads,
                          "runs", b->runs, "first_actions_s", b->first, "peak_mb", b->peak, "resident_mb", b->resident, "weights_mb", weight_megabytes(b), "gflop",
                          1e-9 * total->flops, "gflop_naive", 1e-9 * (total->flops + vlb_saved_operations(b->trained.model)), "flow_step_ms", step_medians(b),
                          "chunk_seconds", seconds_of(b->total, b->runs));
  if (b->exact) json_object_set_new(out, "deviation_max", json_real(b->largest)), json_object_set_new(out, "deviation_rms", json_real(b->rms));
  json_array_append_new(rows, out);
}

static void print_summary(const bench *b, const line *total) {
  printf("\n%d runs, %s, %d thread%s, oneDNN %s on %s; rates by processor time\n", b->runs, vlb_precision_name(b->precision), b->threads, b->threads > 1 ? "s" : "",
         vlb_backend_version(), vlb_backend_isa());
  printf("operations %.2f GFLOP of %.2f that the definition names\n", 1e-9 * total->flops, 1e-9 * (total->flops + vlb_saved_operations(b->trained.model)));
  printf("first actions %.2f s after opening the checkpoint; peak memory %.0f MB, resident %.0f MB, %.2f of the weights' %.0f MB\n", b->first, b->peak, b->resident,
         b->resident / weight_megabytes(b), weight_megabytes(b));
  if (b->exact) printf("actions deviate from float32 by %.3g at most, %.3g RMS (normalised units)\n", b->largest, b->rms);
}

static void report(const bench *b, json_t *rows) {
  line total = {.name = "chunk", .times = 1, .median = quantile(b->total, b->runs, 0.5), .p95 = quantile(b->total, b->runs, 0.95),
                .cpu = quantile(b->total_cpu, b->runs, 0.5)};
  if (!rows)
    printf("%-10s %5s %9s %9s %9s %9s %8s %8s %8s\n", "stage", "times", "median ms", "p95 ms", "cpu ms", "GFLOP", "GFLOP/s", "raw", "of raw");
  for (int i = 0; i < b->stage_count; i++) {
    const stage *s = &b->stages[i];
    line l = {s->name, s->times, quantile(s->wall, b->runs, 0.5), quantile(s->wall, b->runs, 0.95), quantile(s->cpu, b->runs, 0.5), s->flops, s->raw};
    total.flops += s->times * s->flops;
    total.raw += s->times * s->raw;
    report_line(&l, rows);
  }
  report_line(&total, rows);
  if (rows)
    add_summary(b, &total, rows);
  else
    print_summary(b, &total);
}

static vlb_code measure(bench *b, const char *dir, double seconds, const vlb_args *args, const vlb_context *ctx, json_t *rows, vlb_error *err) {
  double start = vlb_seconds();
  int64_t runs = 0;
  VLB_TRY(vlb_arg_int(args, "runs", 1, MAX_RUNS, &runs, err));
  b->threads = ctx->threads;
  VLB_TRY(vlb_precision_named(vlb_arg_text(args, "precision", "float32"), &b->precision, err));
  VLB_TRY(open_checkpoint(b, dir, args, ctx, err));
  VLB_TRY(make_observation(b, err));
  VLB_TRY(run_once(b, err));
  b->first = vlb_seconds() - start;
  VLB_TRY(run_all(b, seconds, runs, ctx, err));
  b->peak = peak_megabytes(); /* before the raw products take memory of their own */
  b->resident = resident_megabytes();
  if (!vlb_arg_on(args, "bare")) {
    time_raw(b);
    if (b->precision != VLB_FLOAT32) VLB_TRY(compare_actions(b, err));
  }
  report(b, rows);
  return VLB_OK;
}

vlb_code vlb_bench_infer(const vlb_args *args, double seconds, const vlb_context *ctx, json_t *rows, vlb_error *err) {
  const char *dir = vlb_arg_at(args, 1);
  if (!dir) return vlb_fail(err, VLB_USAGE, "bench infer needs a checkpoint directory");
  bench *b = calloc(1, sizeof *b);
  if (!b) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = measure(b, dir, seconds, args, ctx, rows, err);
  vlb_runner_free(b->runner);
  vlb_ranges_free(&b->ranges);
  vlb_pretrained_free(&b->trained);
  vlb_checkpoint_folder_close(&b->folder);
  free(b->pixels), free(b->state), free(b->noise), free(b->actions), free(b->exact), free(b->stages), free(b);
  return code;
}
