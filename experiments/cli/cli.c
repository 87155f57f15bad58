#include "experiments/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fields.h"
#include "experiments/cli/args.h"

enum { VLB_MAX_COMMANDS = 64 };

static void print_help(FILE *out) {
  fputs("vlabench trains, rolls out and compares variants of the SmolVLA robot policy on an ordinary CPU.\n"
        "\n"
        "Examples\n"
        "  vlabench run ablations/attention.toml --quick   the paper's attention table at micro scale, in minutes\n"
        "  vlabench run ablations/attention.toml -n        what that would do: cells, what exists, how much work\n"
        "  vlabench report ablations/attention.toml        table and plot again, from stored results alone\n"
        "  vlabench list                                   ablations, suites, and the cells in ./results\n"
        "  vlabench doctor                                 what this machine would make different\n"
        "\n"
        "Usage: vlabench COMMAND [options]; 'vlabench COMMAND --help' shows examples of each\n"
        "\n"
        "Commands\n",
        out);
  for (const vlb_command *const *c = vlb_commands; *c; c++) fprintf(out, "  %-9s %s\n", (*c)->name, (*c)->summary);
  fputs("\n"
        "Every command understands -j N (threads), -q (quiet) and -h. Results go to stdout, the rest to stderr.\n"
        "Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 a check fell short, 4 incomplete, 130 interrupted.\n",
        out);
}

static void print_options(const vlb_option *table, FILE *out) {
  for (const vlb_option *o = table; o && o->name; o++) {
    char left[64];
    int n = o->letter ? snprintf(left, sizeof left, "-%c, --%s", o->letter, o->name)
                      : snprintf(left, sizeof left, "    --%s", o->name);
    if (o->value && n > 0 && (size_t)n < sizeof left) snprintf(left + n, sizeof left - (size_t)n, " %s", o->value);
    fprintf(out, "  %-22s %s\n", left, o->doc);
  }
}

static void print_command_help(const vlb_command *c, FILE *out) {
  fprintf(out, "vlabench %s: %s\n\nExamples\n%s\nUsage: vlabench %s %s%s[options]\n\nOptions\n", c->name, c->summary, c->examples,
          c->name, c->usage, c->usage[0] ? " " : "");
  print_options(c->options, out);
  print_options(vlb_common_options, out);
  if (c->more_help) c->more_help(out);
}

static const vlb_command *find_command(const char *word, vlb_error *err) {
  const char *names[VLB_MAX_COMMANDS];
  int n = 0;
  for (const vlb_command *const *c = vlb_commands; *c && n < VLB_MAX_COMMANDS; c++) {
    if (!strcmp((*c)->name, word)) return *c;
    names[n++] = (*c)->name;
  }
  const char *near = vlb_suggest(word, names, n);
  if (near)
    vlb_fail(err, VLB_USAGE, "unknown command '%s'; did you mean '%s'?", word, near);
  else
    vlb_fail(err, VLB_USAGE, "unknown command '%s'; 'vlabench --help' lists them", word);
  return NULL;
}

/* vlabench help COMMAND */
static vlb_code help_on(const char *word, vlb_error *err) {
  const vlb_command *command = find_command(word, err);
  if (!command) return VLB_USAGE;
  print_command_help(command, stdout);
  return VLB_OK;
}

/* Opens the context for one command, runs it, closes it. */
static vlb_code run_command(const vlb_command *command, const vlb_args *args, const volatile sig_atomic_t *stop, vlb_error *err) {
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  int64_t threads = online > 0 ? online : 1;
  const char *models = vlb_arg_text(args, "metaworld-assets", NULL);
  VLB_TRY(vlb_arg_int(args, "jobs", 1, 1024, &threads, err));
  if (models) setenv("VLABENCH_METAWORLD_ASSETS", models, 1); /* before any thread; suites are opened by name in many places */
  vlb_context ctx = {vlb_log_open(stderr, vlb_arg_on(args, "quiet")), (int)threads, stop};
  if (!ctx.log) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = command->run(args, &ctx, err);
  vlb_log_close(ctx.log);
  return code;
}

static vlb_code dispatch(int argc, char **argv, const volatile sig_atomic_t *stop, vlb_error *err) {
  if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
    if (argc > 2) return help_on(argv[2], err);
    print_help(stdout);
    return VLB_OK;
  }
  if (!strcmp(argv[1], "--version")) {
    puts("vlabench " VLB_VERSION);
    return VLB_OK;
  }
  if (argv[1][0] == '-')
    return vlb_fail(err, VLB_USAGE, "'%s' before a command; usage: vlabench COMMAND [options]", argv[1]);
  const vlb_command *command = find_command(argv[1], err);
  if (!command) return VLB_USAGE;
  vlb_args args;
  VLB_TRY(vlb_args_parse(command, argc - 2, argv + 2, &args, err));
  if (vlb_arg_on(&args, "help")) {
    print_command_help(command, stdout);
    return VLB_OK;
  }
  return run_command(command, &args, stop, err);
}

int vlb_cli(int argc, char **argv, const volatile sig_atomic_t *stop) {
  vlb_error err = {VLB_OK, ""};
  vlb_code code = dispatch(argc, argv, stop, &err);
  /* a result that did not reach the disk must not look like a success */
  if (fflush(stdout) != 0 || ferror(stdout)) {
    if (code == VLB_OK) code = vlb_fail(&err, VLB_FAILED, "standard output: %s", "write error (disk full or reader gone)");
  }
  if (code != VLB_OK && err.message[0]) fprintf(stderr, "vlabench: %s\n", err.message);
  return (int)code;
}
