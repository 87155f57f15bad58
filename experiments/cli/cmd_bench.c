#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/tensor/backend.h"
#include "core/tensor/bench.h"
#include "core/train/bench.h"
#include "core/train/cache_file.h"
#include "experiments/cli/bench_infer.h"
#include "experiments/cli/bench_sim.h"
#include "experiments/cli/commands.h"
#include "experiments/plan/ablation.h"

static double ratio(double a, double b) { return b > 0 ? a / b : 0; }

/* --- bench train --- */

static void print_train(const char *arm, double batch, const vlb_train_bench *b) {
  double total = b->profile_seconds, shown = 0;
  printf("%-14s %8.0f samples/s  step %.1f ms  useful %.1f GFLOP/s  raw oneDNN %.1f GFLOP/s  ratio %.1f%%\n", arm, b->samples_per_second,
         1e3 * b->step_seconds, b->useful, b->raw, 100 * ratio(b->useful, b->raw));
  for (int i = 0; i < b->form_count; i++) {
    const vlb_train_form *f = &b->forms[i], *none = &b->forms[b->form_count - 1];
    printf("  prefix cache %-9s %8.2f samples/s  x %.2f (by processor time x %.2f)  %.3f GB per 1000 frames\n", f->name, batch / f->step_seconds,
           none->step_seconds / f->step_seconds, none->cpu_seconds / f->cpu_seconds, f->gb);
  }
  printf("  %-22s %7s %9s %7s %9s\n", "op", "calls", "ms", "share", "GFLOP/s");
  for (int i = 0; i < b->row_count; i++) {
    const vlb_profile_row *r = &b->rows[i];
    if (r->seconds < 0.005 * total) continue;
    printf("  %-22s %7d %9.2f %6.1f%%", r->op, r->runs, 1e3 * r->seconds, 100 * ratio(r->seconds, total));
    if (r->flops > 0) printf(" %9.1f", 1e-9 * r->flops / r->seconds);
    putchar('\n');
    shown += r->seconds;
  }
  printf("  %-22s %7s %9.2f %6.1f%%\n\n", "the rest", "", 1e3 * (total - shown), 100 * ratio(total - shown, total));
}

static json_t *forms_json(const vlb_train_bench *b) {
  json_t *forms = json_array();
  for (int i = 0; i < b->form_count; i++)
    json_array_append_new(forms, json_pack("{s:s,s:f,s:f,s:f}", "prefix_cache", b->forms[i].name, "step_seconds", b->forms[i].step_seconds, "cpu_seconds",
                                           b->forms[i].cpu_seconds, "gb_per_1000_frames", b->forms[i].gb));
  return forms;
}

static json_t *train_json(const char *arm, const vlb_train_bench *b) {
  json_t *ops = json_array();
  for (int i = 0; i < b->row_count; i++)
    json_array_append_new(ops, json_pack("{s:s,s:i,s:f,s:f}", "op", b->rows[i].op, "calls", b->rows[i].runs, "thread_seconds",
                                         b->rows[i].seconds, "gflop", 1e-9 * b->rows[i].flops));
  return json_pack("{s:s,s:i,s:I,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:o,s:o}", "arm", arm, "threads", b->threads, "trainable", (json_int_t)b->parameters,
                   "samples_per_second", b->samples_per_second, "step_seconds", b->step_seconds, "gflop_per_step", 1e-9 * b->flops,
                   "useful_gflops", b->useful, "raw_gflops", b->raw, "ratio", ratio(b->useful, b->raw), "share", b->share, "forms", forms_json(b), "ops", ops);
}

static vlb_code bench_arm(const vlb_arm *arm, double seconds, const vlb_context *ctx, json_t *rows, vlb_error *err) {
  vlb_train_bench b;
  char cache[] = "/tmp/vlabench-bench-XXXXXX";
  if (!mkdtemp(cache)) return vlb_fail(err, VLB_FAILED, "no folder for the prefix cache can be made in /tmp");
  vlb_code code = vlb_bench_train(&arm->settings.model, &arm->settings.train, seconds, cache, ctx, &b, err);
  vlb_cache_folder_remove(cache);
  VLB_TRY(code);
  if (b.share < 0.9)
    vlb_warn(ctx->log, "training got only %.0f%% of %d processors because other programs are running; by the time it got, the ratio is %.1f%%",
             100 * b.share, b.threads, 100 * ratio(b.useful, b.raw * b.share));
  if (rows) json_array_append_new(rows, train_json(arm->name, &b));
  else print_train(arm->name, (double)arm->settings.train.batch_size, &b);
  fflush(stdout);
  return VLB_OK;
}

static vlb_code check_arm(const vlb_ablation *a, const char *only, vlb_error *err) {
  const char *names[VLB_MAX_ARMS];
  for (int i = 0; i < a->arm_count; i++) {
    names[i] = a->arms[i].name;
    if (!only || !strcmp(only, names[i])) return VLB_OK;
  }
  const char *near = vlb_suggest(only, names, a->arm_count);
  return vlb_fail(err, VLB_USAGE, "%s has no arm '%s'%s%s%s", a->name, only, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static vlb_code bench_train(const vlb_ablation *a, const vlb_args *args, double seconds, const vlb_context *ctx, json_t *rows, vlb_error *err) {
  const char *only = vlb_arg_text(args, "arm", NULL);
  VLB_TRY(check_arm(a, only, err));
  if (!rows)
    printf("%s: batch %lld in %lld shards, %d threads, oneDNN %s on %s\n\n", a->name, (long long)a->arms[0].settings.train.batch_size,
           (long long)a->arms[0].settings.train.shards, ctx->threads, vlb_backend_version(), vlb_backend_isa());
  for (int i = 0; i < a->arm_count; i++)
    if (!only || !strcmp(only, a->arms[i].name)) VLB_TRY(bench_arm(&a->arms[i], seconds, ctx, rows, err));
  return VLB_OK;
}

/* --- bench ops --- */

typedef struct {
  const char *model;
  double seconds;
  json_t *rows; /* NULL: print */
  const vlb_context *ctx;
} op_bench;

static void print_op(const op_bench *o, const char *name, const char *shape, const vlb_bench_rate *f, const vlb_bench_rate *b) {
  printf("%-8s %-22s %-24s %8.1f %8.1f %5.0f%% %8.1f %8.1f %5.0f%%\n", o->model, name, shape, f->op, f->raw, 100 * ratio(f->op, f->raw), b->op,
         b->raw, 100 * ratio(b->op, b->raw));
  fflush(stdout);
}

static vlb_code bench_op(op_bench *o, const char *name, const vlb_bench_shape *s, const char *shape, vlb_error *err) {
  vlb_bench_rate f, b;
  VLB_TRY(vlb_check_stop(o->ctx, err));
  VLB_TRY(vlb_bench_op(s, o->seconds, &f, &b, err));
  if (!o->rows) print_op(o, name, shape, &f, &b);
  else
    json_array_append_new(o->rows, json_pack("{s:s,s:s,s:s,s:f,s:f,s:f,s:f}", "model", o->model, "op", name, "shape", shape, "forward_gflops",
                                             f.op, "forward_raw_gflops", f.raw, "backward_gflops", b.op, "backward_raw_gflops", b.raw));
  return VLB_OK;
}

static vlb_code bench_linear(op_bench *o, const char *name, int64_t rows, int64_t in, int64_t out, vlb_error *err) {
  char shape[64];
  snprintf(shape, sizeof shape, "[%lld,%lld] -> %lld", (long long)rows, (long long)in, (long long)out);
  return bench_op(o, name, &(vlb_bench_shape){.rows = rows, .in = in, .out = out}, shape, err);
}

static vlb_code bench_attention(op_bench *o, const char *name, const vlb_bench_shape *s, vlb_error *err) {
  char shape[64];
  snprintf(shape, sizeof shape, "%lldx %lldx%lld %lld/%lld h%lld", (long long)s->batch, (long long)s->queries, (long long)s->keys,
           (long long)s->heads, (long long)s->kv_heads, (long long)s->head_dim);
  return bench_op(o, name, s, shape, err);
}

static vlb_code bench_vision(op_bench *o, const vlb_model_config *c, const vlb_model_shape *s, int64_t batch, vlb_error *err) {
  int64_t rows = batch * s->views * s->patches, h = c->vision_hidden, tokens = batch * s->views * s->tokens_per_view;
  VLB_TRY(bench_linear(o, "vision patches", rows, 3 * c->patch_size * c->patch_size, h, err));
  VLB_TRY(bench_linear(o, "vision q, k, v, out", rows, h, h, err));
  VLB_TRY(bench_linear(o, "vision fc1", rows, h, c->vision_mlp, err));
  VLB_TRY(bench_linear(o, "vision fc2", rows, c->vision_mlp, h, err));
  VLB_TRY(bench_linear(o, "connector", tokens, h * c->scale_factor * c->scale_factor, c->text_hidden, err));
  return bench_attention(o, "vision attention",
                         &(vlb_bench_shape){.batch = batch * s->views, .queries = s->patches, .keys = s->patches, .heads = c->vision_heads,
                                            .kv_heads = c->vision_heads, .head_dim = h / c->vision_heads},
                         err);
}

/* A decoder stream of `rows` tokens in all. */
static vlb_code bench_decoder(op_bench *o, const char *const names[5], int64_t rows, int64_t hidden, int64_t mlp, const vlb_model_shape *s, vlb_error *err) {
  VLB_TRY(bench_linear(o, names[0], rows, hidden, s->q_width, err));
  VLB_TRY(bench_linear(o, names[1], rows, hidden, s->kv_width, err));
  VLB_TRY(bench_linear(o, names[2], rows, s->q_width, hidden, err));
  VLB_TRY(bench_linear(o, names[3], rows, hidden, mlp, err));
  return bench_linear(o, names[4], rows, mlp, hidden, err);
}

static vlb_code bench_model(op_bench *o, const vlb_model_config *c, int64_t batch, vlb_error *err) {
  static const char *const text[] = {"text q", "text k, v", "text o", "text gate, up", "text down"},
                           *const expert[] = {"expert q", "expert k, v (self)", "expert o", "expert gate, up", "expert down"};
  vlb_model_shape s;
  VLB_TRY(vlb_model_shape_of(c, &s, err));
  int64_t prefix = s.views * s.tokens_per_view + c->tokenizer_max_length + 1, chunk = c->chunk_size;
  VLB_TRY(bench_vision(o, c, &s, batch, err));
  VLB_TRY(bench_decoder(o, text, batch * prefix, c->text_hidden, c->text_mlp, &s, err));
  VLB_TRY(bench_decoder(o, expert, batch * chunk, s.expert_hidden, s.expert_mlp, &s, err));
  VLB_TRY(bench_linear(o, "expert k, v (cross)", batch * prefix, s.kv_width, s.kv_width, err));
  vlb_bench_shape a = {.batch = batch, .heads = c->text_heads, .kv_heads = c->text_kv_heads, .head_dim = c->head_dim};
  a.queries = a.keys = prefix;
  VLB_TRY(bench_attention(o, "prefix attention", &a, err));
  a.queries = chunk;
  VLB_TRY(bench_attention(o, "cross attention", &a, err));
  a.keys = prefix + chunk;
  return bench_attention(o, "self attention", &a, err);
}

/* SmolVLA with the 500M VLM (specification sections 2 and 3), two cameras. */
static vlb_model_config published_model(void) {
  vlb_model_config c;
  vlb_fields_default(vlb_model_fields, &c);
  c.num_vlm_layers = 16;
  c.text_hidden = 960, c.text_mlp = 2560, c.text_heads = 15, c.text_kv_heads = 5, c.head_dim = 64, c.vocab_size = 49280;
  c.vision_hidden = 768, c.vision_mlp = 3072, c.vision_layers = 12, c.vision_heads = 12;
  c.image_size = 512, c.patch_size = 16, c.scale_factor = 4;
  return c;
}

static vlb_code bench_ops(const vlb_ablation *a, double seconds, const vlb_context *ctx, json_t *rows, vlb_error *err) {
  const vlb_settings *s = &a->arms[0].settings;
  op_bench micro = {.model = a->scale, .seconds = seconds, .rows = rows, .ctx = ctx}, published = micro;
  published.model = "0.45B";
  vlb_model_config large = published_model();
  if (!rows) {
    printf("one thread, oneDNN %s on %s; GFLOP/s of the op, of oneDNN's plain product of the same shape, and their ratio\n\n",
           vlb_backend_version(), vlb_backend_isa());
    printf("%-8s %-22s %-24s %8s %8s %6s %8s %8s %6s\n", "model", "op", "shape", "forward", "plain", "", "backward", "plain", "");
  }
  VLB_TRY(bench_model(&micro, &s->model, s->train.batch_size / s->train.shards, err));
  return bench_model(&published, &large, 1, err);
}

/* --- the command --- */

/* the 0.45B shape with random weights, as fine-tuning trains it: frozen VLM, small batches */
static vlb_code published_arm(vlb_ablation **out, vlb_error *err) {
  vlb_ablation *a = *out = calloc(1, sizeof *a);
  if (!a) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_settings *s = &a->arms[0].settings;
  vlb_settings_default(s);
  s->model = published_model();
  s->train.batch_size = 4;
  s->train.shards = 2;
  snprintf(a->name, sizeof a->name, "0.45B");
  snprintf(a->arms[0].name, sizeof a->arms[0].name, "0.45B");
  a->arm_count = 1;
  return VLB_OK;
}

static vlb_code bench_models(bool train, const vlb_args *args, const vlb_context *ctx, json_t *rows, vlb_error *err) {
  vlb_ablation *a;
  const char *file = vlb_arg_at(args, 1);
  double seconds = train ? 10 : 0.3;
  VLB_TRY(vlb_arg_real(args, "seconds", 0.01, 3600, &seconds, err));
  if (train && file && !strcmp(file, "0.45B"))
    VLB_TRY(published_arm(&a, err));
  else
    VLB_TRY(vlb_ablation_read(file ? file : "ablations/attention.toml", false, &a, err));
  vlb_code code = train ? bench_train(a, args, seconds, ctx, rows, err) : bench_ops(a, seconds, ctx, rows, err);
  free(a);
  return code;
}

static vlb_code bench_infer(const vlb_args *args, const vlb_context *ctx, json_t *rows, vlb_error *err) {
  double seconds = 10;
  VLB_TRY(vlb_arg_real(args, "seconds", 0.01, 3600, &seconds, err));
  return vlb_bench_infer(args, seconds, ctx, rows, err);
}

static vlb_code run_on(const vlb_args *args, const vlb_context *ctx, json_t *rows, vlb_error *err) {
  static const char *const benches[] = {"train", "ops", "sim", "infer"};
  const char *what = vlb_arg_at(args, 0), *near = vlb_suggest(what, benches, 4);
  if (!strcmp(what, "infer")) return bench_infer(args, ctx, rows, err);
  if (!strcmp(what, "sim")) return vlb_bench_sim(args, ctx, rows, err);
  if (!strcmp(what, "train") || !strcmp(what, "ops")) return bench_models(*what == 't', args, ctx, rows, err);
  return vlb_fail(err, VLB_USAGE, "no benchmark '%s'; %s%s", what, near ? "did you mean " : "there are train, ops, sim and infer", near ? near : "");
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  json_t *rows = vlb_arg_on(args, "json") ? json_array() : NULL;
  vlb_code code = run_on(args, ctx, rows, err);
  if (rows && (!code || code == VLB_FELL_SHORT)) {
    json_dumpf(rows, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
  }
  json_decref(rows);
  return code;
}

static const vlb_option options[] = {{0, "arm", "NAME", "train: measure this arm only"},
                                     {0, "seconds", "S", "about how long to measure each arm or chunk (default 10), op (0.3) or line of sim (0.5)"},
                                     {0, "runs", "N", "infer: so many chunks instead of by seconds"},
                                     {0, "bare", NULL, "infer: no comparison with plain products or float32"},
                                     {0, "precision", "NAME", "infer: float32 (default), bfloat16 or int8, whose actions are compared with float32's"},
                                     {0, "calibration", "FILE", "infer, int8: ranges of layers' inputs; found on synthetic observations and written when it does not exist"},
                                     {0, "tokenizer", "FILE", "infer: tokenizer.json where the checkpoint has none"},
                                     {0, "random", "N", "sim: instead, N episodes of random actions; 3 when something goes wrong unreported"},
                                     VLB_OPTION_JSON,
                                     {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_bench = {
    "bench", "speed of training, inference, single ops beside oneDNN's raw rate, simulator", "train|ops [FILE], infer DIR or sim [SUITE]",
    "  vlabench bench train                     samples/s and useful GFLOP/s of every arm of ablations/attention.toml\n"
    "  vlabench bench train my.toml --arm wide  one arm of another file, with the time of each kind of op\n"
    "  vlabench bench train 0.45B               the published shape, random weights: with prefix cache, image tokens alone, and without\n"
    "  vlabench bench ops --json                shapes of the micro and the 0.45B model, forward and backward\n"
    "  vlabench bench infer smolvla_base        a chunk of actions, stage by stage, beside the raw rate of the same products\n"
    "  vlabench bench infer smolvla_base --precision int8 -j 4 --json\n"
    "  vlabench bench sim                       steps beside bare MuJoCo, pictures, the expert's episodes\n"
    "  vlabench bench sim goal --random 1000    how that suite stands random actions\n",
    options, 1, 2, run, NULL};
