#include "experiments/plan/cells.h"

#include <stdlib.h>
#include <string.h>

#include "core/train/vlm.h"
#include "experiments/plan/inputs.h"
#include "experiments/plan/latency.h"
#include "sim/rollout/suites.h"

/* Raised by hand when a change of the code changes the outcome of that kind of cell. A refactoring keeps the number, so stored
 * results stay valid; hashing the program instead would throw them away with every build.
 *
 * The reproducibility class (instruction set, oneDNN, MuJoCo, renderer) is not hashed either: a plan must be nameable before it runs
 * and on any machine, and a result made elsewhere is still a result. The class is written to the manifest and compared when results
 * meet in one table (store/class.h). */
static const int versions[] = {[VLB_CELL_DEMOS] = 2, [VLB_CELL_TRAIN] = 1, [VLB_CELL_EVAL] = 2, [VLB_CELL_LATENCY] = 1};

static const char *const kinds[] = {[VLB_CELL_DEMOS] = "demos", [VLB_CELL_TRAIN] = "train", [VLB_CELL_EVAL] = "eval", [VLB_CELL_LATENCY] = "latency"};

const char *vlb_cell_kind_name(vlb_cell_kind kind) { return kinds[kind]; }

static void set_default(const vlb_field *table, void *obj, const char *key) {
  (void)vlb_fields_set(table, obj, key, vlb_field_named(table, key)->fallback, NULL);
}

/* Settings as they enter a name: two ways to write the same run must give the same text. Defaults that mean "all" are resolved,
 * what never changes a result goes back to its default. */
static vlb_code resolve(vlb_settings *s, vlb_error *err) {
  vlb_model_shape shape;
  VLB_TRY(vlb_model_shape_of(&s->model, &shape, err));
  s->model.num_vlm_layers = shape.vlm_layers;
  s->model.num_expert_layers = shape.expert_layers;
  return VLB_OK;
}

/* Training does not see how actions are sampled or executed: arms that differ only in that share their weights. */
static void forget_inference(vlb_model_config *m) {
  m->n_action_steps = m->chunk_size;
  set_default(vlb_model_fields, m, "num_steps");
}

static bool is_default(const vlb_field *f, const void *obj) {
  char value[VLB_TEXT_SIZE];
  return !strcmp(vlb_field_text(f, obj, value, sizeof value), f->fallback);
}

static void write_head(FILE *out, vlb_cell_kind kind) {
  fprintf(out, "# everything that can change this cell's outcome; its name is the SHA-256 of this file\nkind = \"%s\"\nversion = %d\n",
          kinds[kind], versions[kind]);
}

static void write_section(FILE *out, const char *name, const vlb_field *fields, const void *obj) {
  fprintf(out, "\n[%s]\n", name);
  vlb_fields_write(fields, obj, out);
}

/* A suite is known by its digest; the path that leads to it is the user's business. */
static vlb_code write_suite(FILE *out, const char *suite, vlb_error *err) {
  char digest[VLB_HASH_SIZE];
  VLB_TRY(vlb_digest_suite(suite, digest, err));
  fprintf(out, "\n[inputs]\nsuite = \"%s\"\n", digest);
  return VLB_OK;
}

static vlb_code write_demos(FILE *out, const vlb_cell *cell, vlb_error *err) {
  vlb_demo_config demos = cell->settings.demos;
  VLB_TRY(write_suite(out, demos.suite.s, err));
  set_default(vlb_demo_fields, &demos, "suite");
  fputs("\n[demos]\n", out);
  vlb_demo_settings_write(&demos, out);
  return VLB_OK;
}

/* Rows of [train] that enter a name. A VLM is known by its digest among the inputs, which suites a policy is of
 * by its demonstrations; what is kept of it on disk changes nothing; and a key that came
 * after stored results must not rename them while it has its default. */
static void write_train_keys(FILE *out, const vlb_train_config *config) {
  static const char *const elsewhere[] = {"vlm", "per_suite", "prefix_cache", "prefix_cache_gb", "prefix_cache_memory_gb"},
                    *const later[] = {"prefix_precision", "loss", "chunk_rows", "time_sampling"};
  vlb_field rows[64];
  int n = 0;
  for (const vlb_field *f = vlb_train_fields; f->name; f++) {
    bool skip = false;
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) skip |= !strcmp(f->name, later[i]) && is_default(f, config);
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) skip |= !strcmp(f->name, elsewhere[i]);
    if (!skip) rows[n++] = *f;
  }
  rows[n] = (vlb_field){.name = NULL};
  write_section(out, "train", rows, config);
}

static vlb_code write_train(FILE *out, const vlb_cell *cell, const vlb_cell *cells, vlb_error *err) {
  char tokenizer[VLB_HASH_SIZE], vlm[VLB_HASH_SIZE];
  vlb_settings s = cell->settings;
  VLB_TRY(vlb_digest_tokenizer(tokenizer, err));
  VLB_TRY(vlb_vlm_digest(s.train.vlm.s, vlm, err));
  fputs("\n[inputs]\ndemos = [", out);
  int demos = cell->parent_count - cell->initialised;
  for (int i = 0; i < demos; i++) fprintf(out, "%s\"%s\"", i ? ", " : "", cells[cell->parents[i]].hash);
  fprintf(out, "]\ntokenizer = \"%s\"\n", tokenizer);
  if (cell->initialised) fprintf(out, "init = \"%s\"\n", cells[cell->parents[demos]].hash);
  if (*vlm) fprintf(out, "vlm = \"%s\"\n", vlm);
  set_default(vlb_train_fields, &s.train, "checkpoint_every");
  set_default(vlb_train_fields, &s.train, "seeds");
  if (s.model.freeze != VLB_FREEZE_VLM) set_default(vlb_train_fields, &s.train, "prefix_precision"); /* there is no such prefix */
  write_train_keys(out, &s.train);
  write_section(out, "model", vlb_model_fields, &s.model);
  return VLB_OK;
}

/* A key that came later is written where it says something, so that the cells before it keep their names. */
static void fields_of(const vlb_control_config *c, vlb_field *table) {
  for (const vlb_field *f = vlb_control_fields; f->name; f++)
    if (strcmp(f->name, "put_back") || c->put_back > 0) *table++ = *f;
  *table = (vlb_field){0};
}

/* Only what is not as without a clock: cells of an evaluation that waits for a policy that takes no time keep the names that they had before there was one. */
static vlb_code write_control(FILE *out, const vlb_control_config *config, vlb_error *err) {
  vlb_control_config c = *config;
  vlb_field table[VLB_CONTROL_FIELD_COUNT + 1];
  char digest[VLB_HASH_SIZE];
  if (vlb_control_is_plain(&c)) return VLB_OK;
  vlb_control_resolve(&c);
  VLB_TRY(vlb_latency_digest(&c, digest, err));
  set_default(vlb_control_fields, &c, "latency_file");
  fields_of(&c, table);
  write_section(out, "control", table, &c);
  if (digest[0]) fprintf(out, "latencies = \"%s\"\n", digest);
  return VLB_OK;
}

static vlb_code write_eval(FILE *out, const vlb_cell *cell, const vlb_cell *train, vlb_error *err) {
  vlb_rollout_config eval = cell->settings.eval;
  VLB_TRY(write_suite(out, eval.suite.s, err));
  fprintf(out, "train = \"%s\"\nweights = \"%s\"\n", train->hash, cell->untrained ? "initial" : "trained");
  set_default(vlb_rollout_fields, &eval, "suite");
  set_default(vlb_rollout_fields, &eval, "lanes");
  write_section(out, "eval", vlb_episode_fields, &eval);
  fprintf(out, "n_action_steps = %lld\nnum_steps = %lld\n", (long long)cell->settings.model.n_action_steps,
          (long long)cell->settings.model.num_steps);
  char precision[32];
  const vlb_field *field = vlb_field_named(vlb_rollout_fields, "precision");
  if (eval.precision) fprintf(out, "precision = \"%s\"\n", vlb_field_text(field, &eval, precision, sizeof precision));
  return write_control(out, &eval.control, err);
}

/* What a prediction costs follows from the model's shape alone. */
static vlb_code write_latency(FILE *out, const vlb_cell *cell) {
  vlb_model_config m = cell->settings.model;
  m.n_action_steps = m.chunk_size;
  set_default(vlb_model_fields, &m, "freeze");
  set_default(vlb_model_fields, &m, "train_state_proj");
  fprintf(out, "\n[latency]\nruns = %d\n", VLB_LATENCY_RUNS);
  write_section(out, "model", vlb_model_fields, &m);
  return VLB_OK;
}

static vlb_code name_cell(vlb_cell *cell, const vlb_cell *cells, vlb_error *err) {
  size_t size;
  FILE *out = open_memstream(&cell->text, &size);
  if (!out) return vlb_fail(err, VLB_FAILED, "out of memory");
  write_head(out, cell->kind);
  vlb_code code = cell->kind == VLB_CELL_DEMOS     ? write_demos(out, cell, err)
                  : cell->kind == VLB_CELL_TRAIN   ? write_train(out, cell, cells, err)
                  : cell->kind == VLB_CELL_LATENCY ? write_latency(out, cell)
                                                   : write_eval(out, cell, &cells[cell->parents[0]], err);
  fclose(out);
  vlb_hash(cell->text, size, cell->hash);
  snprintf(cell->name, sizeof cell->name, "%s-%.12s", kinds[cell->kind], cell->hash);
  return code;
}

/* A growing plan. */
typedef struct {
  vlb_plan *plan;
  int capacity;
} builder;

/* Adds a cell unless the plan has it; *index is where it is. */
static vlb_code add(builder *b, vlb_cell cell, int *index, vlb_error *err) {
  vlb_plan *plan = b->plan;
  vlb_code code = name_cell(&cell, plan->cells, err);
  for (int i = 0; !code && i < plan->count; i++) {
    if (strcmp(plan->cells[i].hash, cell.hash)) continue;
    free(cell.text);
    *index = i;
    return VLB_OK;
  }
  if (!code && plan->count == b->capacity) {
    int capacity = 2 * b->capacity + 16;
    vlb_cell *cells = realloc(plan->cells, (size_t)capacity * sizeof *cells);
    if (cells) plan->cells = cells, b->capacity = capacity;
    else code = vlb_fail(err, VLB_FAILED, "out of memory");
  }
  if (code) {
    free(cell.text);
    return code;
  }
  *index = plan->count;
  plan->cells[plan->count++] = cell;
  return VLB_OK;
}

static vlb_code suite_size(const char *name, int *tasks, int *max_steps, vlb_error *err) {
  vlb_suite *suite;
  VLB_TRY(vlb_suite_open(name, &suite, err));
  *tasks = suite->task_count;
  *max_steps = suite->max_steps;
  vlb_suite_free(suite);
  return VLB_OK;
}

static vlb_code add_demos(builder *b, const vlb_settings *s, const char *suite, int *index, vlb_error *err) {
  int tasks, max_steps;
  VLB_TRY(suite_size(suite, &tasks, &max_steps, err));
  vlb_cell cell = {.kind = VLB_CELL_DEMOS, .settings = *s, .work = tasks * s->demos.per_task};
  snprintf(cell.settings.demos.suite.s, VLB_TEXT_SIZE, "%s", suite);
  snprintf(cell.label, sizeof cell.label, "demos %s", suite);
  return add(b, cell, index, err);
}

/* Two tasks with one instruction would be one task to a policy that learns both; inside a suite that is the suite's business. */
static vlb_code instructions_differ(vlb_suite *const *suite, int n, vlb_error *err) {
  for (int a = 0; a < n; a++)
    for (int b = 0; b < a; b++)
      for (int i = 0; i < suite[a]->task_count; i++)
        for (int k = 0; k < suite[b]->task_count; k++)
          if (!strcmp(suite[a]->tasks[i].instruction, suite[b]->tasks[k].instruction))
            return vlb_fail(err, VLB_USAGE, "demos.suite: \"%s\" is a task of %s and of %s; one policy cannot tell them apart",
                            suite[a]->tasks[i].instruction, suite[b]->name, suite[a]->name);
  return VLB_OK;
}

static vlb_code check_instructions(const vlb_suite_set *set, vlb_error *err) {
  vlb_suite *suite[VLB_MAX_SUITE_SET];
  int n = 0;
  vlb_code code = VLB_OK;
  while (!code && n < set->count) {
    code = vlb_suite_open(set->name[n], &suite[n], err);
    if (!code) n++;
  }
  if (!code) code = instructions_differ(suite, n, err);
  while (n) vlb_suite_free(suite[--n]);
  return code;
}

/* One policy for all suites of demos.suite; init: the train cell that it starts from, -1: none. */
static vlb_code add_train(builder *b, const vlb_settings *s, int init, const char *name, int seed, int *index, vlb_error *err) {
  vlb_suite_set suites;
  VLB_TRY(vlb_suite_set_read(s->demos.suite.s, &suites, err));
  if (suites.count > 1) VLB_TRY(check_instructions(&suites, err));
  vlb_cell cell = {.kind = VLB_CELL_TRAIN, .settings = *s, .work = s->train.steps * s->train.batch_size, .parent_count = suites.count};
  for (int i = 0; i < suites.count; i++) VLB_TRY(add_demos(b, s, suites.name[i], &cell.parents[i], err));
  if (init >= 0) {
    cell.parents[cell.parent_count++] = init;
    cell.initialised = true;
  }
  cell.settings.train.seed += seed;
  forget_inference(&cell.settings.model);
  snprintf(cell.label, sizeof cell.label, "train %s", name);
  return add(b, cell, index, err);
}

static vlb_code add_eval(builder *b, const vlb_settings *s, int train, const char *suite, const char *label, bool untrained, int *index, vlb_error *err) {
  int tasks, max_steps;
  VLB_TRY(suite_size(suite, &tasks, &max_steps, err));
  vlb_cell cell = {.kind = VLB_CELL_EVAL, .settings = *s, .parents = {train}, .parent_count = 1, .work = tasks * s->eval.episodes_per_task,
                   .untrained = untrained};
  snprintf(cell.settings.eval.suite.s, VLB_TEXT_SIZE, "%s", suite);
  cell.settings.train.seed = b->plan->cells[train].settings.train.seed;
  if (!cell.settings.eval.max_steps) cell.settings.eval.max_steps = max_steps;
  snprintf(cell.label, sizeof cell.label, "eval %s", label);
  return add(b, cell, index, err);
}

/* "cross", "cross seed 1001", "cross on goal", "cross untrained": what is said only where there are several of it */
static const char *cell_label(const vlb_arm *arm, int seed, const char *suite, bool untrained, char *buf, size_t size) {
  char which[32] = "";
  if (arm->settings.train.seeds > 1) snprintf(which, sizeof which, " seed %lld", (long long)arm->settings.train.seed + seed);
  snprintf(buf, size, "%s%s%s%s%s", arm->name, which, suite ? " on " : "", suite ? suite : "", untrained ? " untrained" : "");
  return buf;
}

/* The training of a source. */
static vlb_code add_source(builder *b, const vlb_arm *source, int *index, vlb_error *err) {
  vlb_settings s = source->settings;
  VLB_TRY(resolve(&s, err));
  return add_train(b, &s, -1, source->name, 0, index, err);
}

/* The training that is rolled out on a suite. */
static vlb_code train_for(builder *b, const vlb_arm *arm, const vlb_settings *s, int init, int seed, const char *suite, int *train, vlb_error *err) {
  char label[176];
  if (!s->train.per_suite) return add_train(b, s, init, cell_label(arm, seed, NULL, false, label, sizeof label), seed, train, err);
  vlb_settings own = *s;
  snprintf(own.demos.suite.s, VLB_TEXT_SIZE, "%s", suite);
  return add_train(b, &own, init, cell_label(arm, seed, suite, false, label, sizeof label), seed, train, err);
}

static vlb_code add_arm(builder *b, const vlb_ablation *a, const vlb_arm *arm, bool floor, vlb_arm_evals *evals, vlb_error *err) {
  vlb_suite_set suites;
  vlb_settings s = arm->settings;
  char label[176];
  int init = -1;
  VLB_TRY(resolve(&s, err));
  evals->latency = -1;
  if (a->latency && !floor) {
    vlb_cell cell = {.kind = VLB_CELL_LATENCY, .settings = s, .work = VLB_LATENCY_RUNS};
    snprintf(cell.label, sizeof cell.label, "latency %s", arm->name);
    VLB_TRY(add(b, cell, &evals->latency, err));
  }
  if (arm->init >= 0) VLB_TRY(add_source(b, &a->sources[arm->init], &init, err));
  VLB_TRY(vlb_suite_set_read(s.eval.suite.s, &suites, err));
  for (int seed = 0; seed < (floor ? 1 : s.train.seeds); seed++) {
    for (int i = 0; i < suites.count; i++) {
      int train;
      VLB_TRY(train_for(b, arm, &s, init, seed, suites.name[i], &train, err));
      vlb_arm_eval *e = &evals->eval[evals->count];
      *e = (vlb_arm_eval){.suite = i, .seed = seed};
      memcpy(e->name, suites.name[i], sizeof e->name);
      cell_label(arm, seed, suites.count > 1 ? e->name : NULL, floor, label, sizeof label);
      VLB_TRY(add_eval(b, &s, train, e->name, label, floor, &e->cell, err));
      evals->count++;
    }
  }
  return VLB_OK;
}

vlb_code vlb_plan_make(const vlb_ablation *a, vlb_plan *plan, vlb_error *err) {
  memset(plan, 0, sizeof *plan);
  builder b = {.plan = plan};
  vlb_code code = VLB_OK;
  for (int i = 0; !code && i < a->arm_count; i++) {
    code = add_arm(&b, a, &a->arms[i], false, &plan->arms[i], err);
    if (code) vlb_fail_at(err, "%s: arm '%s'", a->name, a->arms[i].name);
  }
  if (!code && a->floor >= 0) code = add_arm(&b, a, &a->arms[a->floor], true, &plan->floor, err);
  if (code) vlb_plan_free(plan);
  return code;
}

void vlb_plan_free(vlb_plan *plan) {
  for (int i = 0; i < plan->count; i++) free(plan->cells[i].text);
  free(plan->cells);
  memset(plan, 0, sizeof *plan);
}
