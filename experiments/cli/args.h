/* Parsing of one command's arguments (see cli.h for how commands read them). */
#ifndef VLB_CLI_ARGS_H
#define VLB_CLI_ARGS_H

#include "experiments/cli/cli.h"

enum { VLB_MAX_ARGS = 256 };

struct vlb_args {
  const char *positional[VLB_MAX_ARGS];
  int positional_count;
  const char *option[VLB_MAX_ARGS], *value[VLB_MAX_ARGS]; /* long names; value NULL for switches */
  int option_count;
};

/* Options of every command: -j, -q, -h. */
extern const vlb_option vlb_common_options[];

/* Errors (VLB_USAGE): unknown option with did-you-mean, missing or unwanted value, too few or too many arguments.
 * After --help nothing more is checked. */
vlb_code vlb_args_parse(const vlb_command *command, int argc, char **argv, vlb_args *args, vlb_error *err);

#endif
