#include "core/base/file.h"
#include "experiments/cli/commands.h"
#include "sim/rollout/demos.h"
#include "sim/rollout/suites.h"

static vlb_code read_settings(const vlb_args *args, vlb_demo_config *c, vlb_error *err) {
  vlb_fields_default(vlb_demo_fields, c);
  VLB_TRY(vlb_fields_set(vlb_demo_fields, c, "suite", vlb_arg_at(args, 0), err));
  for (const vlb_field *f = vlb_demo_fields; f->name; f++) {
    const char *value = vlb_arg_text(args, f->name, NULL);
    if (value) VLB_TRY(vlb_fields_set(vlb_demo_fields, c, f->name, value, err));
  }
  return VLB_OK;
}

/* demos/NAME unless -o says otherwise. */
static vlb_code choose_folder(const vlb_args *args, const vlb_suite *suite, char *out, size_t size, vlb_error *err) {
  const char *given = vlb_arg_text(args, "out", NULL);
  return given ? vlb_path(out, size, err, "%s", given) : vlb_path(out, size, err, "demos/%s", suite->name);
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  vlb_demo_config config;
  vlb_suite *suite;
  char folder[1024];
  VLB_TRY(read_settings(args, &config, err));
  VLB_TRY(vlb_suite_open(config.suite.s, &suite, err));
  int tasks = suite->task_count;
  vlb_code code = choose_folder(args, suite, folder, sizeof folder, err);
  vlb_suite_free(suite);
  if (code) return code;
  if (vlb_arg_on(args, "dry-run")) {
    printf("%d tasks of suite %s, %lld demonstrations each, into %s\n", tasks, config.suite.s, (long long)config.per_task, folder);
    return VLB_OK;
  }
  VLB_TRY(vlb_demos_record(&config, folder, ctx, err));
  printf("%s\n", folder);
  return VLB_OK;
}

static void more_help(FILE *out) {
  fputs("\nsettings:\n", out);
  vlb_fields_help(vlb_demo_fields, out);
  fputs("\nThe folder gets one HDF5 file per task in LIBERO's layout, quality.csv (how often the expert succeeded, lengths, ranges) and demos.toml.\n"
        "Run again after an interruption: complete tasks are kept.\n", out);
}

static const vlb_option options[] = {{'o', "out", "FOLDER", "where they go (default demos/SUITE)"},
                                     {0, "per_task", "N", "successful demonstrations per task (default 50)"},
                                     {0, "seed", "N", "seed of the initial states and of the expert (default 1000)"},
                                     {0, "render_size", "N", "pixels of the square camera pictures (default 128)"},
                                     {0, "shadows", "BOOL", "render shadows (default false)"},
                                     {0, "noise", "X", "unsteady hand: standard deviation of noise on every action (default 0)"},
                                     {0, "variety", "X", "1: cameras and lamps differ from episode to episode (default 0)"},
                                     {0, "actions", "WHICH", "recorded: applied (what the robot was given, default) or wanted (by the expert)"},
                                     {0, "pushes", "X", "chance per step that the hand is pushed off its way (default 0)"},
                                     VLB_OPTION_DRY,
                                     {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_demos = {
    "demos", "record the scripted expert, in LIBERO's HDF5 layout", "SUITE",
    "  vlabench demos spatial                                          ten tasks, 50 demonstrations each, 128 pixels\n"
    "  vlabench demos goal --per-task 5 --render-size 64 -o small -j2  a small set on two threads\n",
    options, 1, 1, run, more_help};
