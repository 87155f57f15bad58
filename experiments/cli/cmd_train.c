#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/train/cache_file.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/study.h"
#include "experiments/plan/fine_tune.h"
#include "experiments/plan/run_cell.h"

/* settings.toml says how the folder came to be; `eval` takes its evaluation settings from it. */
static vlb_code write_settings(const vlb_settings *s, const char *folder, vlb_error *err) {
  char path[1024];
  vlb_writer w;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/settings.toml", folder));
  VLB_TRY(vlb_writer_open(&w, path, err));
  vlb_settings_write(s, w.out);
  return vlb_writer_commit(&w, err);
}

/* What a failed training leaves is of use only to go on from a checkpoint; without one the folder must not look like a model's. */
static void leave_folder(const char *folder) {
  static const char *const files[] = {"model.toml", "loss.csv", "statistics.safetensors", "settings.toml"};
  char path[1024];
  if (vlb_path(path, sizeof path, NULL, "%s/checkpoint.safetensors", folder) || vlb_file_exists(path)) return;
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    if (!vlb_path(path, sizeof path, NULL, "%s/%s", folder, files[i])) (void)unlink(path);
  (void)rmdir(folder); /* only when nothing else is in it */
}

static vlb_code read_changes(const vlb_args *args, vlb_settings *settings, vlb_error *err) {
  const char *assignment;
  for (int i = 0; (assignment = vlb_arg_each(args, "set", i)); i++) VLB_TRY(vlb_settings_set(settings, assignment, err));
  return vlb_settings_check(settings, err);
}

static vlb_code read_demos(const vlb_args *args, const char *demos[VLB_MAX_PARENTS + 1], int *count, vlb_error *err) {
  for (*count = 0; *count <= VLB_MAX_PARENTS && (demos[*count] = vlb_arg_each(args, "demos", *count));) ++*count;
  return *count ? VLB_OK : vlb_fail(err, VLB_USAGE, "train: --demos FOLDER is missing; 'vlabench demos' records demonstrations");
}

/* --- from a checkpoint directory --- */

static vlb_code check_options(const vlb_args *args, vlb_error *err) {
  static const char *const others[] = {"arm", "init", "quick"};
  if (vlb_arg_at(args, 0)) return vlb_fail(err, VLB_USAGE, "train: the model is that of --checkpoint; %s cannot say another (use --set)", vlb_arg_at(args, 0));
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (vlb_arg_on(args, others[i])) return vlb_fail(err, VLB_USAGE, "train: --%s does not go with --checkpoint", others[i]);
  return VLB_OK;
}

static vlb_code fine_tune_to(vlb_fine_tune *t, const vlb_args *args, const char *out, vlb_dtype dtype, const vlb_context *ctx, vlb_error *err) {
  vlb_settings settings;
  vlb_settings_default(&settings);
  settings.model = *vlb_fine_tune_model(t);
  VLB_TRY(read_changes(args, &settings, err));
  if (*settings.train.vlm.s) return vlb_fail(err, VLB_USAGE, "train.vlm = \"%s\": the VLM is that of --checkpoint", settings.train.vlm.s);
  *vlb_fine_tune_model(t) = settings.model;
  return vlb_fine_tune_run(t, &settings.train, out, vlb_arg_text(args, "cache", NULL), dtype, ctx, err);
}

static vlb_code fine_tune(const vlb_args *args, const char *out, const vlb_context *ctx, vlb_error *err) {
  const char *demos[VLB_MAX_PARENTS + 1], *dtype = vlb_arg_text(args, "dtype", "float32");
  int demo_count;
  vlb_fine_tune *t;
  bool half = !strcmp(dtype, "bfloat16");
  VLB_TRY(check_options(args, err));
  if (!half && strcmp(dtype, "float32")) return vlb_fail(err, VLB_USAGE, "--dtype %s: float32 or bfloat16", dtype);
  VLB_TRY(read_demos(args, demos, &demo_count, err));
  VLB_TRY(vlb_fine_tune_open(vlb_arg_text(args, "checkpoint", NULL), vlb_arg_text(args, "tokenizer", NULL), demos, demo_count, ctx->log, &t, err));
  vlb_code code = fine_tune_to(t, args, out, half ? VLB_BF16 : VLB_F32, ctx, err);
  vlb_fine_tune_close(t);
  if (!code) printf("%s\n", out);
  return code;
}

/* --- from settings --- */

static vlb_code train(const vlb_args *args, const char *out, const vlb_context *ctx, vlb_error *err) {
  vlb_settings settings;
  char own_cache[1024];
  int demo_count;
  const char *file = vlb_arg_at(args, 0), *demos[VLB_MAX_PARENTS + 1], *cache = vlb_arg_text(args, "cache", NULL);
  VLB_TRY(vlb_settings_read(file ? file : "base_micro", vlb_arg_text(args, "arm", NULL), vlb_arg_on(args, "quick"), &settings, err));
  VLB_TRY(read_changes(args, &settings, err));
  VLB_TRY(read_demos(args, demos, &demo_count, err));
  VLB_TRY(vlb_path(own_cache, sizeof own_cache, err, "%s/prefix_cache", out));
  VLB_TRY(vlb_folder_make(out, err));
  vlb_folder_clean(out);
  /* first, so that a model is never without them */
  vlb_code code = write_settings(&settings, out, err);
  if (!code) code = vlb_train_in(&settings, demos, demo_count, vlb_arg_text(args, "init", NULL), out, cache ? cache : own_cache, "train", ctx, err);
  if (!code && !cache) vlb_cache_folder_remove(own_cache);
  if (code)
    leave_folder(out);
  else
    printf("%s\n", out);
  return code;
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  char weights[1024];
  const char *out = vlb_arg_text(args, "out", "model");
  VLB_TRY(vlb_path(weights, sizeof weights, err, "%s/model.safetensors", out));
  if (vlb_file_exists(weights)) return vlb_fail(err, VLB_USAGE, "%s: there is a trained model already; choose another folder with -o", out);
  return vlb_arg_on(args, "checkpoint") ? fine_tune(args, out, ctx, err) : train(args, out, ctx, err);
}

static void more_help(FILE *out) {
  for (const vlb_section *s = vlb_sections; s->name; s++) {
    if (s->fields != vlb_train_fields && s->fields != vlb_model_fields) continue;
    fprintf(out, "\nKeys of [%s], for the file and for --set %s.KEY=VALUE\n", s->name, s->name);
    vlb_fields_help(s->fields, out);
  }
}

static const vlb_option options[] = {{0, "demos", "DIR", "folder of demonstrations (*.hdf5); repeated: one policy for all"},
                                     {'o', "out", "DIR", "where the model goes (default ./model); an unfinished one there is continued"},
                                     {0, "init", "DIR", "start from the weights of this trained model"},
                                     {0, "checkpoint", "DIR", "fine-tune this checkpoint directory of LeRobot, or a VLM alone with a fresh expert; -o becomes another one"},
                                     {0, "tokenizer", "FILE", "with --checkpoint: tokenizer.json where it has none"},
                                     {0, "dtype", "TYPE", "with --checkpoint: float32 (default) or bfloat16, of what is written"},
                                     {0, "arm", "NAME", "take the settings of this arm of FILE"},
                                     {0, "cache", "DIR", "prefix cache to share with other runs; else one in the model's folder, while it trains"},
                                     {0, "set", "S.KEY=V", "change one setting; may be repeated"},
                                     VLB_OPTION_QUICK,
                                     {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_train = {
    "train", "one model from a folder of demonstrations", "[FILE]",
    "  vlabench train --demos demos -o model                                            micro scale, default settings\n"
    "  vlabench train ablations/attention.toml --arm cross --demos demos -o cross       one arm of an ablation\n"
    "  vlabench train --demos demos --set train.steps=500 --set model.chunk_size=10     other settings\n"
    "  vlabench train --checkpoint smolvla_base --demos demos -o tuned --set train.shards=2 --set train.batch_size=16   published scale, VLM frozen\n",
    options, 0, 1, run, more_help};
