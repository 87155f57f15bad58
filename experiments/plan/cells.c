#include "experiments/plan/cells.h"

#include <stdlib.h>
#include <string.h>

#include "experiments/plan/inputs.h"
#include "sim/rollout/suites.h"

/* Raised by hand when a change of the code changes the outcome of that kind of cell. A refactoring keeps the number, so stored
 * results stay valid; hashing the program instead would throw them away with every build.
 *
 * The reproducibility class (instruction set, oneDNN, MuJoCo, renderer) is not hashed either: a plan must be nameable before it runs
 * and on any machine, and a result made elsewhere is still a result. The class is written to the manifest and compared when results
 * meet in one table (store/class.h). */
static const int versions[] = {[VLB_CELL_DEMOS] = 2, [VLB_CELL_TRAIN] = 1, [VLB_CELL_EVAL] = 2};

static const char *const kinds[] = {[VLB_CELL_DEMOS] = "demos", [VLB_CELL_TRAIN] = "train", [VLB_CELL_EVAL] = "eval"};

const char *vlb_cell_kind_name(vlb_cell_kind kind) { return kinds[kind]; }

static void set_default(const vlb_field *table, void *obj, const char *key) {
  (void)vlb_fields_set(table, obj, key, vlb_field_named(table, key)->fallback, NULL);
}

/* Settings as they enter a name: two ways to write the same run must give the same text. Defaults that mean "all" are resolved,
 * what never changes a result goes back to its default. */
static vlb_code resolve(vlb_settings *s, int max_steps, vlb_error *err) {
  vlb_model_shape shape;
  VLB_TRY(vlb_model_shape_of(&s->model, &shape, err));
  s->model.num_vlm_layers = shape.vlm_layers;
  s->model.num_expert_layers = shape.expert_layers;
  if (!s->eval.max_steps) s->eval.max_steps = max_steps;
  return VLB_OK;
}

/* Training does not see how actions are sampled or executed: arms that differ only in that share their weights. */
static void forget_inference(vlb_model_config *m) {
  m->n_action_steps = m->chunk_size;
  set_default(vlb_model_fields, m, "num_steps");
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
  write_section(out, "demos", vlb_demo_fields, &demos);
  return VLB_OK;
}

static vlb_code write_train(FILE *out, const vlb_cell *cell, const vlb_cell *demos, vlb_error *err) {
  char tokenizer[VLB_HASH_SIZE];
  vlb_settings s = cell->settings;
  VLB_TRY(vlb_digest_tokenizer(tokenizer, err));
  fprintf(out, "\n[inputs]\ndemos = \"%s\"\ntokenizer = \"%s\"\n", demos->hash, tokenizer);
  set_default(vlb_train_fields, &s.train, "checkpoint_every");
  write_section(out, "train", vlb_train_fields, &s.train);
  write_section(out, "model", vlb_model_fields, &s.model);
  return VLB_OK;
}

static vlb_code write_eval(FILE *out, const vlb_cell *cell, const vlb_cell *train, vlb_error *err) {
  vlb_rollout_config eval = cell->settings.eval;
  VLB_TRY(write_suite(out, eval.suite.s, err));
  fprintf(out, "train = \"%s\"\nweights = \"%s\"\n", train->hash, cell->untrained ? "initial" : "trained");
  set_default(vlb_rollout_fields, &eval, "suite");
  set_default(vlb_rollout_fields, &eval, "lanes");
  write_section(out, "eval", vlb_rollout_fields, &eval);
  fprintf(out, "n_action_steps = %lld\nnum_steps = %lld\n", (long long)cell->settings.model.n_action_steps,
          (long long)cell->settings.model.num_steps);
  return VLB_OK;
}

static vlb_code name_cell(vlb_cell *cell, const vlb_cell *parent, vlb_error *err) {
  size_t size;
  FILE *out = open_memstream(&cell->text, &size);
  if (!out) return vlb_fail(err, VLB_FAILED, "out of memory");
  write_head(out, cell->kind);
  vlb_code code = cell->kind == VLB_CELL_DEMOS   ? write_demos(out, cell, err)
                  : cell->kind == VLB_CELL_TRAIN ? write_train(out, cell, parent, err)
                                                 : write_eval(out, cell, parent, err);
  fclose(out);
  vlb_hash(cell->text, size, cell->hash);
  snprintf(cell->name, sizeof cell->name, "%s-%.12s", kinds[cell->kind], cell->hash);
  return code;
}

/* Adds a cell unless the plan has it; *index is where it is. */
static vlb_code add(vlb_plan *plan, vlb_cell cell, int *index, vlb_error *err) {
  vlb_code code = name_cell(&cell, cell.parent >= 0 ? &plan->cells[cell.parent] : NULL, err);
  for (int i = 0; !code && i < plan->count; i++) {
    if (strcmp(plan->cells[i].hash, cell.hash)) continue;
    free(cell.text);
    *index = i;
    return VLB_OK;
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

static vlb_code add_arm(vlb_plan *plan, const vlb_arm *arm, bool floor, int *eval, vlb_error *err) {
  int demo_tasks, eval_tasks, max_steps, demos, train;
  VLB_TRY(suite_size(arm->settings.demos.suite.s, &demo_tasks, &max_steps, err));
  VLB_TRY(suite_size(arm->settings.eval.suite.s, &eval_tasks, &max_steps, err));
  vlb_settings s = arm->settings;
  VLB_TRY(resolve(&s, max_steps, err));

  vlb_cell cell = {.kind = VLB_CELL_DEMOS, .settings = s, .parent = -1, .work = demo_tasks * s.demos.per_task};
  snprintf(cell.label, sizeof cell.label, "demos %.60s", s.demos.suite.s);
  VLB_TRY(add(plan, cell, &demos, err));

  cell = (vlb_cell){.kind = VLB_CELL_TRAIN, .settings = s, .parent = demos, .work = s.train.steps * s.train.batch_size};
  forget_inference(&cell.settings.model);
  snprintf(cell.label, sizeof cell.label, "train %s", arm->name);
  VLB_TRY(add(plan, cell, &train, err));

  cell = (vlb_cell){.kind = VLB_CELL_EVAL, .settings = s, .parent = train, .work = eval_tasks * s.eval.episodes_per_task, .untrained = floor};
  snprintf(cell.label, sizeof cell.label, "eval %s%s", arm->name, floor ? " untrained" : "");
  return add(plan, cell, eval, err);
}

vlb_code vlb_plan_make(const vlb_ablation *a, vlb_plan *plan, vlb_error *err) {
  *plan = (vlb_plan){.cells = calloc((size_t)(a->arm_count + 1) * 3, sizeof(vlb_cell)), .floor = -1};
  if (!plan->cells) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = VLB_OK;
  for (int i = 0; !code && i < a->arm_count; i++) {
    code = add_arm(plan, &a->arms[i], false, &plan->eval_of_arm[i], err);
    if (code) vlb_fail_at(err, "%s: arm '%s'", a->name, a->arms[i].name);
  }
  if (!code && a->floor >= 0) code = add_arm(plan, &a->arms[a->floor], true, &plan->floor, err);
  if (code) vlb_plan_free(plan);
  return code;
}

void vlb_plan_free(vlb_plan *plan) {
  for (int i = 0; i < plan->count; i++) free(plan->cells[i].text);
  free(plan->cells);
  *plan = (vlb_plan){0};
}
