#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/embed.h"
#include "experiments/cli/commands.h"
#include "experiments/plan/ablation.h"
#include "experiments/store/store.h"
#include "sim/rollout/suites.h"

extern const vlb_embedded vlb_embedded_experiment_assets[];

/* Lines of the list, gathered as JSON and printed either way. */
typedef struct {
  const char *root;
  json_t *ablations, *suites, *cells;
} listing;

static void add_ablations(listing *l) {
  for (const vlb_embedded *e = vlb_embedded_experiment_assets; e->path; e++) {
    vlb_ablation *a;
    /* base files are no ablations */
    if (strncmp(e->path, "ablations/", 10) || vlb_ablation_read(e->path, false, &a, NULL)) continue;
    json_array_append_new(l->ablations, json_pack("{s:s,s:s,s:i}", "name", e->path, "title", a->title, "arms", a->arm_count));
    free(a);
  }
}

static json_t *describe_suite(const char *name, const vlb_suite *suite) {
  return json_pack("{s:s,s:s,s:i,s:i,s:i}", "name", name, "robot", suite->embodiment->name, "tasks", suite->task_count, "max_steps",
                   suite->max_steps, "rate", suite->embodiment->rate);
}

static void add_suites(listing *l) {
  const char *names[VLB_MAX_SUITES];
  for (int i = 0, n = vlb_suite_list(names); i < n; i++) {
    vlb_suite *suite;
    vlb_error why = {VLB_OK, ""};
    if (vlb_suite_open(names[i], &suite, &why)) {
      if (vlb_suite_is_part(names[i])) continue; /* the whole says what is missing */
      json_array_append_new(l->suites, json_pack("{s:s,s:s}", "name", names[i], "missing", why.message));
      continue;
    }
    json_array_append_new(l->suites, describe_suite(names[i], suite));
    vlb_suite_free(suite);
  }
}

static void add_cell(void *self, const char *name) {
  listing *l = self;
  vlb_error why = {VLB_OK, ""};
  vlb_stored state = vlb_store_state(l->root, name, false, &why);
  json_t *cell = json_pack("{s:s,s:s}", "name", name, "state", vlb_stored_name(state));
  if (why.message[0]) json_object_set_new(cell, "why", json_string(why.message));
  json_array_append_new(l->cells, cell);
}

static const char *text(const json_t *o, const char *key) {
  const char *s = json_string_value(json_object_get(o, key));
  return s ? s : "";
}

static int number(const json_t *o, const char *key) { return (int)json_integer_value(json_object_get(o, key)); }

static void print_listing(const listing *l) {
  size_t i;
  json_t *o;
  puts("Ablations");
  json_array_foreach(l->ablations, i, o) printf("  %-28s %2d arms  %s\n", text(o, "name"), number(o, "arms"), text(o, "title"));
  puts("\nSuites");
  json_array_foreach(l->suites, i, o) {
    printf("  %-20s ", text(o, "name"));
    if (json_object_get(o, "missing"))
      puts(text(o, "missing"));
    else
      printf("%2d tasks, %s, %d control steps at %d per second\n", number(o, "tasks"), text(o, "robot"), number(o, "max_steps"), number(o, "rate"));
  }
  printf("\nCells in %s\n", l->root);
  json_array_foreach(l->cells, i, o) printf("  %-28s %s%s%s\n", text(o, "name"), text(o, "state"), *text(o, "why") ? ": " : "", text(o, "why"));
  if (!json_array_size(l->cells)) puts("  none");
}

static void print_json(json_t *root) {
  json_dumpf(root, stdout, JSON_INDENT(2));
  putchar('\n');
}

/* The tasks of one suite. */
static vlb_code list_tasks(const char *name, bool json, vlb_error *err) {
  vlb_suite *suite;
  VLB_TRY(vlb_suite_open(name, &suite, err));
  json_t *root = describe_suite(suite->name, suite), *tasks = json_array();
  for (int t = 0; t < suite->task_count; t++) {
    const vlb_task *task = &suite->tasks[t];
    json_array_append_new(tasks, json_pack("{s:i,s:s,s:s}", "task", t, "instruction", task->instruction, "group", task->group));
    if (!json) printf("%s/%-3d %s%s%s%s\n", suite->name, t, task->instruction, *task->group ? " (" : "", task->group, *task->group ? ")" : "");
  }
  json_object_set_new(root, "tasks", tasks);
  if (json) print_json(root);
  json_decref(root);
  vlb_suite_free(suite);
  return VLB_OK;
}

static vlb_code list_everything(const char *store, bool json, vlb_error *err) {
  listing l = {store, json_array(), json_array(), json_array()};
  add_ablations(&l);
  add_suites(&l);
  vlb_code code = vlb_store_each(l.root, add_cell, &l, err);
  json_t *root = json_pack("{s:o,s:o,s:s,s:o}", "ablations", l.ablations, "suites", l.suites, "store", l.root, "cells", l.cells);
  if (!code && json) print_json(root);
  if (!code && !json) print_listing(&l);
  json_decref(root);
  return code;
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  const char *suite = vlb_arg_at(args, 0);
  bool json = vlb_arg_on(args, "json");
  (void)ctx;
  return suite ? list_tasks(suite, json, err) : list_everything(vlb_arg_text(args, "store", "results"), json, err);
}

static const vlb_option options[] = {VLB_OPTION_STORE, VLB_OPTION_JSON, {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_list = {"list", "ablations, suites and their tasks, and the cells of a store with their state", "[SUITE]",
                                  "  vlabench list                       what can be run, what is there\n"
                                  "  vlabench list goal                  the tasks of a suite\n"
                                  "  vlabench list --store /data/results --json\n",
                                  options, 0, 1, run, NULL};
