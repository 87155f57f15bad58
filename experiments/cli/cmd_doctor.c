#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/version.h"
#include "experiments/cli/commands.h"
#include "experiments/store/class.h"
#include "sim/rollout/probe.h"
#include "sim/rollout/suites.h"
#include "sim/world/version.h"

enum { LINES = 32, WIDE = 34 };

/* One fact: what it is, its value, and why it matters. */
typedef struct {
  const char *name, *doc;
  char value[192];
  bool bad;
} fact;

typedef struct {
  fact facts[LINES];
  int count, same; /* the first `same` facts make results differ */
} examination;

static fact *add(examination *x, const char *name, const char *value, const char *doc) {
  fact *f = &x->facts[x->count++];
  *f = (fact){.name = name, .doc = doc};
  snprintf(f->value, sizeof f->value, "%s", value);
  return f;
}

static void first_line_of(const char *command, char *buf, int size) {
  FILE *pipe = popen(command, "r");
  buf[0] = 0;
  if (pipe && !fgets(buf, size, pipe)) buf[0] = 0;
  if (pipe) pclose(pipe);
  buf[strcspn(buf, "\n")] = 0;
}

static void add_class(examination *x) {
  vlb_class here;
  vlb_class_here(&here);
  for (const vlb_class_field *f = vlb_class_fields; f->name; f++) {
    fact *added = add(x, f->name, vlb_class_text(f, &here), f->doc);
    added->bad = !strncmp(added->value, "none:", 5);
  }
}

static void add_probe(examination *x) {
  char hash[17];
  vlb_error err = {VLB_OK, ""};
  if (vlb_physics_probe(hash, &err))
    add(x, "physics", err.message, "one simulated second failed")->bad = true;
  else
    add(x, "physics", hash, "hash of the state after one simulated second; equal hashes simulate alike");
}

/* The installation that the metaworld suites read, and whether numbers recorded with upstream's code can be met here. */
static void add_metaworld(examination *x) {
  char hash[VLB_HASH_SIZE] = "none";
  vlb_suite *suite = NULL;
  vlb_error err = {VLB_OK, ""};
  bool there = getenv("VLABENCH_METAWORLD_ASSETS") != NULL;
  if (there && (vlb_suite_open("metaworld", &suite, &err) || suite->family->digest(suite, hash, &err))) {
    add(x, "metaworld", err.message, "Meta-World's models")->bad = true;
  } else {
    hash[16] = 0;
    add(x, "metaworld", hash, there ? "digest of Meta-World's models" : "metaworld_style needs no models; the others: VLABENCH_METAWORLD_ASSETS");
  }
  if (suite) vlb_suite_free(suite);
  bool recorded = !strcmp(vlb_mujoco_version(), "2.2.2");
  add(x, "recordings", recorded ? "hold" : "do not hold",
      recorded ? "verify-metaworld's numbers are MuJoCo 2.2.2's" : "they are MuJoCo 2.2.2's; in others Meta-World's hand rests a centimetre elsewhere");
}

static void add_tools(examination *x, const vlb_context *ctx) {
  char text[160];
  add(x, "hdf5", vlb_hdf5_version(text, sizeof text), "HDF5 as loaded: demonstrations");
  first_line_of("gnuplot --version 2>/dev/null", text, sizeof text);
  add(x, "gnuplot", text[0] ? text : "none", text[0] ? "plots" : "no plots without it (Debian: gnuplot-nox)");
  first_line_of("ffmpeg -version 2>/dev/null", text, sizeof text);
  text[strcspn(text, "C")] = 0; /* up to "Copyright" */
  add(x, "ffmpeg", text[0] ? text : "none", text[0] ? "videos" : "no videos without it; nothing else needs it");
  snprintf(text, sizeof text, "%d", ctx->threads);
  add(x, "threads", text, "never changes a result");
}

static void print_facts(const examination *x) {
  puts("What makes results differ between machines");
  for (int i = 0; i < x->count; i++) {
    if (i == x->same) puts("\nWhat does not");
    const fact *f = &x->facts[i];
    bool wide = strlen(f->value) > WIDE;
    printf("  %-13s %-*s%s%*s %s%s\n", f->name, WIDE, f->value, wide ? "\n" : "", wide ? WIDE + 16 : 0, "", f->bad ? "PROBLEM: " : "", f->doc);
  }
}

static void print_json(const examination *x) {
  json_t *root = json_object(), *class = json_object(), *other = json_object();
  for (int i = 0; i < x->count; i++) json_object_set_new(i < x->same ? class : other, x->facts[i].name, json_string(x->facts[i].value));
  json_object_set_new(root, "vlabench", json_string(VLB_VERSION));
  json_object_set_new(root, "class", class);
  json_object_set_new(root, "other", other);
  json_dumpf(root, stdout, JSON_INDENT(2));
  putchar('\n');
  json_decref(root);
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  examination x = {.count = 0};
  add_class(&x);
  add_probe(&x);
  add_metaworld(&x);
  x.same = x.count;
  add_tools(&x, ctx);
  (vlb_arg_on(args, "json") ? print_json : print_facts)(&x);
  for (int i = 0; i < x.count; i++)
    if (x.facts[i].bad) return vlb_fail(err, VLB_FELL_SHORT, "%s: %s", x.facts[i].name, x.facts[i].value);
  return VLB_OK;
}

static const vlb_option options[] = {VLB_OPTION_JSON, {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_doctor = {"doctor", "what this machine is, and what would make results differ", "",
                                    "  vlabench doctor          libraries as loaded, instruction set, renderer, physics probe\n"
                                    "  vlabench doctor --json   the same for a program, to be compared between machines\n",
                                    options, 0, 0, run, NULL};
