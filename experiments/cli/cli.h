/* The command line: a table of commands, one option parser for all of them, and the context they run in.
 *
 * A new command is one file cmd_<name>.c that defines `const vlb_command vlb_cmd_<name>`, and one line in commands.c:
 *
 *   static const vlb_option options[] = {
 *     {'o', "out", "PATH", "where the picture goes (default ./episode.png)"},
 *     VLB_OPTION_JSON,
 *     {0}};
 *   static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) { ... }
 *   const vlb_command vlb_cmd_render = {
 *     "render", "picture of an episode", "[TASK]", "  vlabench render spatial/1 -o episode.png\n", options, 0, 1, run};
 *
 * Results go to stdout, everything else through ctx->log to stderr. run returns the exit code (core/base/status.h); the
 * message in err is printed by the caller. -j, -q, -h and --help are understood by every command. */
#ifndef VLB_CLI_H
#define VLB_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/context.h"

/* A row of a command's options; the table ends with a row whose name is NULL. */
typedef struct {
  char letter;       /* short form, 0: none */
  const char *name;  /* long form without the dashes */
  const char *value; /* what its value is called in --help; NULL: a switch */
  const char *doc;   /* one line */
} vlb_option;

#define VLB_OPTION_JSON {0, "json", NULL, "machine-readable result on stdout"}
#define VLB_OPTION_DRY {'n', "dry-run", NULL, "say what would be done, do nothing"}
#define VLB_OPTION_STORE {0, "store", "DIR", "folder of cells and results (default ./results)"}

/* A parsed command line; owned by the caller of run. */
typedef struct vlb_args vlb_args;
int vlb_arg_count(const vlb_args *args);                     /* positional arguments */
const char *vlb_arg_at(const vlb_args *args, int index);     /* NULL: out of range */
bool vlb_arg_on(const vlb_args *args, const char *option);   /* was the option given (long name) */
/* The value given last, or `fallback`. */
const char *vlb_arg_text(const vlb_args *args, const char *option, const char *fallback);
/* The index-th value of an option that may be repeated, NULL at the end. */
const char *vlb_arg_each(const vlb_args *args, const char *option, int index);
/* A whole number in [lo, hi] into *out (left alone when absent). VLB_USAGE names the option and the range. */
vlb_code vlb_arg_int(const vlb_args *args, const char *option, int64_t lo, int64_t hi, int64_t *out, vlb_error *err);
vlb_code vlb_arg_real(const vlb_args *args, const char *option, double lo, double hi, double *out, vlb_error *err);

typedef struct {
  const char *name, *summary; /* "run", one line without a full stop */
  const char *usage;          /* what follows the name: "FILE [options]" without "[options]" */
  const char *examples;       /* lines that can be typed, each with its comment; shown first by --help */
  const vlb_option *options;
  int min_args, max_args;
  vlb_code (*run)(const vlb_args *args, const vlb_context *ctx, vlb_error *err);
  void (*more_help)(FILE *out); /* what follows the options in --help; may be NULL */
} vlb_command;

extern const vlb_command *const vlb_commands[]; /* closed by NULL; in the order of --help */

/* The whole program but the signal handler. stop: set by SIGINT or SIGTERM. Returns the exit code. */
int vlb_cli(int argc, char **argv, const volatile sig_atomic_t *stop);

#endif
