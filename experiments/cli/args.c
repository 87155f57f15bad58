#include "experiments/cli/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fields.h"

const vlb_option vlb_common_options[] = {
    {'j', "jobs", "N", "threads (default: all processors); never changes a result"},
    {0, "metaworld-assets", "DIR", "Meta-World's models (default: environment VLABENCH_METAWORLD_ASSETS)"},
    {'q', "quiet", NULL, "no progress and no messages, only warnings and errors"},
    {'h', "help", NULL, "this text"},
    {0, NULL, NULL, NULL}};

/* per-task and per_task are one name: settings are written with _ in files, options with either. */
static bool same_name(const char *option, const char *word, size_t length) {
  if (strlen(option) != length) return false;
  for (size_t i = 0; i < length; i++)
    if (option[i] != word[i] && !(strchr("-_", option[i]) && strchr("-_", word[i]))) return false;
  return true;
}

static const vlb_option *in_table(const vlb_option *table, char letter, const char *name, size_t length) {
  for (const vlb_option *o = table; o && o->name; o++) {
    if (letter && o->letter == letter) return o;
    if (!letter && same_name(o->name, name, length)) return o;
  }
  return NULL;
}

static const vlb_option *find(const vlb_command *command, char letter, const char *name, size_t length) {
  const vlb_option *o = in_table(command->options, letter, name, length);
  return o ? o : in_table(vlb_common_options, letter, name, length);
}

static vlb_code unknown(const vlb_command *command, const char *word, vlb_error *err) {
  const char *names[VLB_MAX_ARGS];
  int n = 0;
  for (const vlb_option *o = command->options; o && o->name && n < VLB_MAX_ARGS; o++) names[n++] = o->name;
  for (const vlb_option *o = vlb_common_options; o->name && n < VLB_MAX_ARGS; o++) names[n++] = o->name;
  char bare[128];
  snprintf(bare, sizeof bare, "%.*s", (int)strcspn(word + 1 + (word[1] == '-'), "="), word + 1 + (word[1] == '-'));
  const char *near = strlen(bare) > 1 ? vlb_suggest(bare, names, n) : NULL;
  if (near) return vlb_fail(err, VLB_USAGE, "%s: unknown option '%s'; did you mean --%s?", command->name, word, near);
  return vlb_fail(err, VLB_USAGE, "%s: unknown option '%s'; 'vlabench %s --help' lists them", command->name, word, command->name);
}

/* An empty value is a shell variable that was never set; as a folder it would mean the root of the disk. */
static vlb_code add(vlb_args *args, const vlb_option *o, const char *value, vlb_error *err) {
  if (value && !*value) return vlb_fail(err, VLB_USAGE, "--%s: its value is empty (%s)", o->name, o->value);
  if (args->option_count == VLB_MAX_ARGS) return vlb_fail(err, VLB_USAGE, "more than %d options", VLB_MAX_ARGS);
  args->option[args->option_count] = o->name;
  args->value[args->option_count++] = value;
  return VLB_OK;
}

/* --name, --name=value, --name value */
static vlb_code parse_long(const vlb_command *command, int argc, char **argv, int *i, vlb_args *args, vlb_error *err) {
  const char *word = argv[*i], *name = word + 2, *equals = strchr(name, '=');
  size_t length = equals ? (size_t)(equals - name) : strlen(name);
  const vlb_option *o = find(command, 0, name, length);
  if (!o) return unknown(command, word, err);
  if (!o->value) {
    if (equals) return vlb_fail(err, VLB_USAGE, "%s: --%s takes no value", command->name, o->name);
    return add(args, o, NULL, err);
  }
  if (equals) return add(args, o, equals + 1, err);
  if (*i + 1 >= argc) return vlb_fail(err, VLB_USAGE, "%s: --%s needs a value (%s)", command->name, o->name, o->value);
  return add(args, o, argv[++*i], err);
}

/* -q, -j4, -j 4, -qn */
static vlb_code parse_short(const vlb_command *command, int argc, char **argv, int *i, vlb_args *args, vlb_error *err) {
  const char *word = argv[*i];
  for (const char *c = word + 1; *c; c++) {
    const vlb_option *o = find(command, *c, NULL, 0);
    if (!o) return unknown(command, word, err);
    if (!o->value) {
      VLB_TRY(add(args, o, NULL, err));
      continue;
    }
    if (c[1]) return add(args, o, c + 1, err);
    if (*i + 1 >= argc) return vlb_fail(err, VLB_USAGE, "%s: -%c needs a value (%s)", command->name, *c, o->value);
    return add(args, o, argv[++*i], err);
  }
  return VLB_OK;
}

vlb_code vlb_args_parse(const vlb_command *command, int argc, char **argv, vlb_args *args, vlb_error *err) {
  memset(args, 0, sizeof *args);
  bool options_end = false;
  for (int i = 0; i < argc; i++) {
    const char *word = argv[i];
    if (!options_end && !strcmp(word, "--")) {
      options_end = true;
    } else if (!options_end && !strncmp(word, "--", 2)) {
      VLB_TRY(parse_long(command, argc, argv, &i, args, err));
    } else if (!options_end && word[0] == '-' && word[1]) {
      VLB_TRY(parse_short(command, argc, argv, &i, args, err));
    } else if (!*word) {
      return vlb_fail(err, VLB_USAGE, "%s: an argument is empty; usage: vlabench %s %s", command->name, command->name, command->usage);
    } else if (args->positional_count == VLB_MAX_ARGS) {
      return vlb_fail(err, VLB_USAGE, "%s: more than %d arguments", command->name, VLB_MAX_ARGS);
    } else {
      args->positional[args->positional_count++] = word;
    }
  }
  if (vlb_arg_on(args, "help")) return VLB_OK;
  if (args->positional_count < command->min_args)
    return vlb_fail(err, VLB_USAGE, "%s: missing argument; usage: vlabench %s %s", command->name, command->name, command->usage);
  if (args->positional_count > command->max_args)
    return vlb_fail(err, VLB_USAGE, "%s: unexpected argument '%s'; usage: vlabench %s %s", command->name,
                    args->positional[command->max_args], command->name, command->usage);
  return VLB_OK;
}

int vlb_arg_count(const vlb_args *args) { return args->positional_count; }

const char *vlb_arg_at(const vlb_args *args, int index) {
  return index >= 0 && index < args->positional_count ? args->positional[index] : NULL;
}

bool vlb_arg_on(const vlb_args *args, const char *option) {
  for (int i = 0; i < args->option_count; i++)
    if (!strcmp(args->option[i], option)) return true;
  return false;
}

const char *vlb_arg_each(const vlb_args *args, const char *option, int index) {
  for (int i = 0; i < args->option_count; i++)
    if (!strcmp(args->option[i], option) && index-- == 0) return args->value[i];
  return NULL;
}

const char *vlb_arg_text(const vlb_args *args, const char *option, const char *fallback) {
  for (int i = args->option_count - 1; i >= 0; i--)
    if (!strcmp(args->option[i], option)) return args->value[i];
  return fallback;
}

vlb_code vlb_arg_int(const vlb_args *args, const char *option, int64_t lo, int64_t hi, int64_t *out, vlb_error *err) {
  const char *text = vlb_arg_text(args, option, NULL);
  if (!text) return VLB_OK;
  char *end;
  errno = 0;
  long long v = strtoll(text, &end, 10);
  if (end == text || *end || errno || v < lo || v > hi)
    return vlb_fail(err, VLB_USAGE, "--%s: '%s' is not a whole number from %lld to %lld", option, text, (long long)lo, (long long)hi);
  *out = v;
  return VLB_OK;
}

vlb_code vlb_arg_real(const vlb_args *args, const char *option, double lo, double hi, double *out, vlb_error *err) {
  const char *text = vlb_arg_text(args, option, NULL);
  if (!text) return VLB_OK;
  char *end;
  double v = strtod(text, &end);
  if (end == text || *end || !(v >= lo && v <= hi))
    return vlb_fail(err, VLB_USAGE, "--%s: '%s' is not a number from %g to %g", option, text, lo, hi);
  *out = v;
  return VLB_OK;
}
