/* vlabench sweep: an ablation whose arms are the combinations of some switches' values, from the command line. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/study.h"
#include "experiments/plan/sweep.h"
#include "experiments/report/report.h"

/* Options of the short names, then --axis. */
static const char *const shorts[] = {
#define ROW(name, section, key, doc) name,
    VLB_AXES(ROW)
#undef ROW
        NULL};

typedef struct {
  const char *name, *values;
} request;

static vlb_code read_axis_option(const char *text, char *name, size_t size, request *r, vlb_error *err) {
  const char *equals = strchr(text, '=');
  if (!equals || equals == text || (size_t)(equals - text) >= size)
    return vlb_fail(err, VLB_USAGE, "--axis %.80s: expected NAME=VALUES, for example --axis train.lr=1e-3,3e-4", text);
  snprintf(name, size, "%.*s", (int)(equals - text), text);
  *r = (request){name, equals + 1};
  return VLB_OK;
}

/* Everything that was asked for, in the order of the table of short names, then the --axis ones. */
static vlb_code gather(const vlb_args *args, request *requests, char names[][64], int *count, vlb_error *err) {
  const char *text;
  for (int i = 0; shorts[i]; i++) {
    if (!(text = vlb_arg_text(args, shorts[i], NULL))) continue;
    if (*count == VLB_MAX_AXES) return vlb_fail(err, VLB_USAGE, "more than %d axes", VLB_MAX_AXES);
    requests[(*count)++] = (request){shorts[i], text};
  }
  for (int i = 0; (text = vlb_arg_each(args, "axis", i)); i++) {
    if (*count == VLB_MAX_AXES) return vlb_fail(err, VLB_USAGE, "more than %d axes", VLB_MAX_AXES);
    VLB_TRY(read_axis_option(text, names[*count], 64, &requests[*count], err));
    ++*count;
  }
  return VLB_OK;
}

static void quoted(FILE *out, const char *text) {
  fputc('"', out);
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') fputc('\\', out);
    fputc(*text, out);
  }
  fputc('"', out);
}

/* --set S.KEY=V as a section of the file: words in quotes, numbers as they are. */
static vlb_code write_set(FILE *out, const char *assignment, vlb_error *err) {
  vlb_settings scratch;
  char section[32];
  vlb_settings_default(&scratch);
  VLB_TRY(vlb_settings_set(&scratch, assignment, err));
  const char *dot = strchr(assignment, '.'), *equals = strchr(assignment, '=');
  snprintf(section, sizeof section, "%.*s", (int)(dot - assignment), assignment);
  char key[64];
  snprintf(key, sizeof key, "%.*s", (int)(equals - dot - 1), dot + 1);
  const vlb_field *f = vlb_field_named(vlb_section_find(section)->fields, key);
  fprintf(out, "%s.%s = ", section, f->name);
  if (f->kind == VLB_FIELD_TEXT || f->kind == VLB_FIELD_ENUM)
    quoted(out, equals + 1);
  else
    fputs(equals + 1, out);
  fputc('\n', out);
  return VLB_OK;
}

static vlb_code write_base(FILE *out, const char *base, vlb_error *err) {
  char *full = vlb_file_exists(base) ? realpath(base, NULL) : NULL;
  (void)err;
  fputs("extends = ", out);
  quoted(out, full ? full : base);
  fputc('\n', out);
  free(full);
  return VLB_OK;
}

/* The sweep as a file that `run`, `plan` and `report` take. */
static vlb_code write_text(const vlb_args *args, const request *requests, int count, FILE *out, vlb_error *err) {
  const char *base = vlb_arg_at(args, 0), *assignment;
  fputs("# made by vlabench sweep\n", out);
  VLB_TRY(write_base(out, base ? base : "ablations/base_ablation.toml", err));
  fputs("title = \"Sweep of ", out);
  for (int i = 0; i < count; i++) fprintf(out, "%s%s", i ? " and " : "", requests[i].name);
  fputs("\"\n", out);
  for (int i = 0; (assignment = vlb_arg_each(args, "set", i)); i++) VLB_TRY(write_set(out, assignment, err));
  fputs("\n[sweep]\n", out);
  for (int i = 0; i < count; i++) {
    quoted(out, requests[i].name);
    fputs(" = ", out);
    quoted(out, requests[i].values);
    fputc('\n', out);
  }
  return VLB_OK;
}

/* "sweep_layers_8-24": what is swept names the results */
static void name_sweep(const request *requests, int count, char *name, size_t size) {
  int n = snprintf(name, size, "sweep");
  for (int i = 0; i < count; i++) {
    const char *const parts[] = {requests[i].name, requests[i].values};
    for (int k = 0; k < 2; k++) {
      if (n < (int)size - 6) name[n++] = '_';
      for (const char *t = parts[k]; *t && n < (int)size - 6; t++) {
        if (!strncmp(t, "..", 2)) t++;
        name[n++] = isalnum((unsigned char)*t) ? *t : *t == ',' ? '_' : '-';
      }
    }
  }
  snprintf(name + n, size - (size_t)n, ".toml");
}

static vlb_code compose(const vlb_args *args, char **text, char *name, size_t size, vlb_error *err) {
  request requests[VLB_MAX_AXES];
  char names[VLB_MAX_AXES][64];
  int count = 0;
  size_t length;
  VLB_TRY(gather(args, requests, names, &count, err));
  if (!count) return vlb_fail(err, VLB_USAGE, "sweep: nothing to sweep; for example --layers 8..32:8 ('vlabench sweep --help' lists the switches)");
  /* mistakes are told in the words of the command line, not of the file that is made of it */
  vlb_axis *axis = malloc(sizeof *axis);
  vlb_code code = axis ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory");
  for (int i = 0; !code && i < count; i++) code = vlb_axis_read(requests[i].name, requests[i].values, axis, err);
  free(axis);
  if (code) return vlb_fail_at(err, "sweep");
  FILE *out = open_memstream(text, &length);
  if (!out) return vlb_fail(err, VLB_FAILED, "out of memory");
  code = write_text(args, requests, count, out, err);
  fclose(out);
  if (code) free(*text);
  else name_sweep(requests, count, name, size);
  return code;
}

/* Beside the results, so that the sweep can be reported and run again as a file. */
static vlb_code keep_text(const vlb_study *s, const char *text, const char *name, vlb_error *err) {
  char folder[1024], path[1024];
  VLB_TRY(vlb_report_folder(s->ablation, s->root, folder, err));
  VLB_TRY(vlb_folder_make(folder, err));
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/%s", folder, name));
  return vlb_file_write(path, text, strlen(text), err);
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  vlb_preset preset = VLB_PRESET_DEFAULT;
  vlb_ablation *ablation;
  vlb_study study;
  char *text, name[60];
  VLB_TRY(vlb_arg_preset(args, &preset, err));
  VLB_TRY(compose(args, &text, name, sizeof name, err));
  vlb_code code = vlb_ablation_parse(text, name, preset, &ablation, err);
  if (!code) code = vlb_study_of(ablation, vlb_arg_text(args, "store", "results"), &study, err);
  if (!code) {
    if (!vlb_arg_on(args, "dry-run")) code = keep_text(&study, text, name, err);
    if (!code) code = vlb_study_do(args, &study, ctx, err);
    vlb_study_close(&study);
  }
  free(text);
  return code;
}

static const vlb_option options[] = {
#define ROW(name, section, key, doc) {0, name, "VALUES", doc},
    VLB_AXES(ROW)
#undef ROW
        {0, "axis", "KEY=VALUES", "any other key, as train.lr=1e-3,3e-4; may be repeated"},
    {0, "set", "S.KEY=V", "change a setting of every arm; may be repeated"},
    VLB_OPTION_QUICK,
    VLB_OPTION_PRESET,
    VLB_OPTION_DRY,
    VLB_OPTION_STORE,
    VLB_OPTION_JSON,
    {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_sweep = {
    "sweep", "any switch over a range: table, plot, and success against operations and latency", "[FILE]",
    "  vlabench sweep --layers 8..24 --quick               every number of VLM layers from 8 to 24\n"
    "  vlabench sweep --layers 8..32:8 --width 0.25,0.5    all eight combinations\n"
    "  vlabench sweep --action-steps 1,5,10,50 -n          what it would take; one training serves all\n"
    "  vlabench sweep my.toml --axis train.lr=1e-3,3e-4    any key, on top of a file (default ablations/base_ablation.toml)\n"
    "Cells are those of 'run': what an ablation has trained is not trained again. In a file: [sweep] with layers = \"8..24\" in place of [[arm]].\n",
    options, 0, 1, run, NULL};
