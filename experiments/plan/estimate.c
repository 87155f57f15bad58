#include "experiments/plan/estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/model/model.h"
#include "experiments/plan/latency.h"

/* Processor seconds on one core of a Xeon (Sapphire Rapids), Debian 12: where vlb_pace is 1. Rates of products are those that small matrices reach in a
 * whole step, everything around them included. */
static const double TRAIN_FLOPS = 85e9, PREFIX_FLOPS = 70e9, ACT_FLOPS = 95e9;
static const double PICTURE = 0.0009, PIXEL = 60e-9; /* of a camera's picture, and of each of its pixels */
static const double STEP[] = {0.0024, 0.0012};       /* a control step of the arms on tables; Meta-World's */
static const double RENDERER = 0.4;                  /* compiling a task's scene, opening its renderer */
/* share of the suite's step limit that an episode lasts: the expert's, a policy's that sometimes succeeds */
static const double EXPERT_LENGTH = 0.38, POLICY_LENGTH = 0.65;

const char *vlb_work_unit(vlb_cell_kind kind) {
  static const char *const units[] = {[VLB_CELL_DEMOS] = "demonstrations", [VLB_CELL_TRAIN] = "samples", [VLB_CELL_EVAL] = "episodes",
                                       [VLB_CELL_LATENCY] = "predictions"};
  return units[kind];
}

/* ---- operations ---- */

/* A decoder layer for `rows` rows: products with the weights. kv: rows and inner size of what keys and values are made from. */
static double layer_products(double rows, double hidden, double mlp, double q, double kv, double kv_rows, double kv_in) {
  return 2 * rows * (2 * hidden * q + 3 * hidden * mlp) + 2 * kv_rows * 2 * kv_in * kv;
}

typedef struct {
  double vision, prefix, prefix_state, cross, step; /* forward, one observation: towers, prefix of all rows, of one row, cross keys, one flow step */
} parts;

static parts count_parts(const vlb_model_config *c, const vlb_model_shape *s) {
  parts p = {0};
  double patches = s->patches, h = (double)c->vision_hidden, views = s->views, d = (double)c->text_hidden, q = s->q_width, kv = s->kv_width;
  double rows = views * s->tokens_per_view + (double)c->tokenizer_max_length + (c->state == VLB_STATE_PREFIX), e = s->expert_hidden;
  double suffix = (double)c->chunk_size + (c->state != VLB_STATE_PREFIX), n = s->vlm_layers, shuffled = h * (double)(c->scale_factor * c->scale_factor);
  p.vision = views * (2 * patches * 3 * (double)(c->patch_size * c->patch_size) * h +
                      (double)c->vision_layers * (2 * patches * (4 * h * h + 2 * h * (double)c->vision_mlp) + 4 * patches * patches * h) +
                      2 * s->tokens_per_view * shuffled * d);
  p.prefix_state = n * (layer_products(1, d, (double)c->text_mlp, q, kv, 1, d) + 4 * rows * q);
  p.prefix = rows * p.prefix_state;
  for (int j = 0; j < s->expert_layers; j++) {
    bool self = c->attention == VLB_ATTENTION_SELF || (c->attention == VLB_ATTENTION_INTERLEAVED && j % c->self_attn_every == 0);
    p.step += layer_products(suffix, e, s->expert_mlp, q, kv, self ? suffix : 0, e) + 4 * suffix * (rows + (self ? suffix : 0)) * q;
    if (!self) p.cross += 4 * rows * kv * kv;
  }
  p.step += 2 * suffix * (2 * e * (double)c->max_action_dim + 3 * e * e);
  return p;
}

static double passes(const vlb_model_config *c) { return c->objective == VLB_OBJECTIVE_FLOW ? (double)c->num_steps : 1; }

double vlb_act_flops(const vlb_model_config *c, const vlb_model_shape *s) {
  parts p = count_parts(c, s);
  return p.vision + p.prefix + p.cross + passes(c) * p.step;
}

/* What trains is run three times: forward, and back to its inputs and to its weights. */
static double trained_flops(const vlb_model_config *c, const parts *p) {
  double vision = c->freeze == VLB_FREEZE_NOTHING ? 3 : 0, prefix = c->freeze == VLB_FREEZE_VLM ? 0 : 3;
  double state = c->freeze == VLB_FREEZE_VLM && c->state == VLB_STATE_PREFIX ? 3 * p->prefix_state : 0;
  return vision * p->vision + prefix * p->prefix + state + 3 * (p->cross + p->step);
}

/* What does not train is run once. */
static double frozen_flops(const vlb_model_config *c, const parts *p) {
  double state = c->state == VLB_STATE_PREFIX ? p->prefix_state : 0;
  return (c->freeze == VLB_FREEZE_NOTHING ? 0 : p->vision) + (c->freeze == VLB_FREEZE_VLM ? p->prefix - state : 0);
}

double vlb_sample_flops(const vlb_model_config *c, const vlb_model_shape *s) {
  parts p = count_parts(c, s);
  return trained_flops(c, &p) + frozen_flops(c, &p);
}

/* ---- costs ---- */

static double control_step(const vlb_embodiment *robot, int64_t size) {
  return STEP[robot == &vlb_sawyer] + robot->cameras * (PICTURE + PIXEL * (double)(size * size));
}

/* What a suite says about the length of an episode. */
typedef struct {
  const vlb_embodiment *robot;
  double max_steps, tasks;
} stage;

static stage stage_of(const char *name) {
  vlb_suite *suite;
  if (vlb_suite_open(name, &suite, NULL)) return (stage){&vlb_panda, 300, 10};
  stage s = {suite->embodiment, suite->max_steps, suite->task_count};
  vlb_suite_free(suite);
  return s;
}

/* of n demonstrations of a suite */
static double frames_of(const stage *s, double n) { return n * EXPERT_LENGTH * s->max_steps; }

static vlb_cell_cost demos_cost(const vlb_cell *cell) {
  stage s = stage_of(cell->settings.demos.suite.s);
  double frames = frames_of(&s, (double)cell->work), size = (double)cell->settings.demos.render_size;
  /* zipped pictures, and numbers that are not */
  double picture = 400 + 0.2 * 3 * size * size;
  return (vlb_cell_cost){s.tasks * RENDERER + frames * control_step(s.robot, cell->settings.demos.render_size),
                         s.tasks * 30e3 + (double)cell->work * 20e3 + frames * (s.robot->cameras * picture + 1100)};
}

static bool keeps_prefix(const vlb_settings *s) {
  return s->model.freeze == VLB_FREEZE_VLM && s->train.prefix_cache != VLB_CACHE_NONE && s->train.prefix_cache_gb > 0;
}

/* Frames that a training visits: all of its demonstrations, or as many as it has samples. */
static double visited_frames(const vlb_cell *cell) {
  vlb_suite_set set;
  double frames = 0;
  if (vlb_suite_set_read(cell->settings.demos.suite.s, &set, NULL)) return (double)cell->work;
  for (int i = 0; i < set.count; i++) {
    stage s = stage_of(set.name[i]);
    frames += frames_of(&s, s.tasks * (double)cell->settings.demos.per_task);
  }
  return fmin(frames, (double)cell->work);
}

/* Keys and values of all layers of a shipped VLM, else of the model's own. */
static vlb_cell_cost prefix_cost(const vlb_cell *cell) {
  const vlb_settings *s = &cell->settings;
  vlb_model_shape shape;
  if (cell->kind != VLB_CELL_TRAIN || !keeps_prefix(s) || vlb_model_shape_of(&s->model, &shape, NULL)) return (vlb_cell_cost){0, 0};
  parts p = count_parts(&s->model, &shape);
  double layers = *s->train.vlm.s && !s->model.skip_every_second ? (double)s->model.text_layers : shape.vlm_layers, frames = visited_frames(cell);
  double rows = shape.views * shape.tokens_per_view + 0.5 * (double)s->model.tokenizer_max_length; /* of the words about half */
  double bytes = 2 * layers * rows * shape.kv_width * (s->train.prefix_precision == VLB_PRECISION_BFLOAT16 ? 2 : 4);
  return (vlb_cell_cost){frames * (p.vision + p.prefix * layers / shape.vlm_layers) / PREFIX_FLOPS, fmin(frames * bytes, 1e9 * s->train.prefix_cache_gb)};
}

/* Whether two trainings read the same prefixes. */
static bool share_prefix(const vlb_cell *a, const vlb_cell *b) {
  const vlb_settings *x = &a->settings, *y = &b->settings;
  bool random = !*x->train.vlm.s && (x->train.seed != y->train.seed || x->model.num_vlm_layers != y->model.num_vlm_layers);
  return b->kind == VLB_CELL_TRAIN && keeps_prefix(y) && !strcmp(x->train.vlm.s, y->train.vlm.s) && x->model.skip_every_second == y->model.skip_every_second &&
         !random && !strcmp(x->demos.suite.s, y->demos.suite.s) && x->demos.per_task == y->demos.per_task && x->demos.render_size == y->demos.render_size;
}

/* Whether this training is the first of the plan that needs its prefixes. */
static bool makes_prefix(const vlb_plan *plan, int i) {
  const vlb_cell *cell = &plan->cells[i];
  if (cell->kind != VLB_CELL_TRAIN || !keeps_prefix(&cell->settings)) return false;
  for (int k = 0; k < i; k++)
    if (share_prefix(cell, &plan->cells[k])) return false;
  return true;
}

vlb_cell_cost vlb_plan_expected(const vlb_plan *plan, int i) {
  vlb_cell_cost cost = vlb_cell_expected(&plan->cells[i]);
  if (makes_prefix(plan, i)) cost.cpu += prefix_cost(&plan->cells[i]).cpu;
  return cost;
}

/* The model as the cell's training steps see it. */
static vlb_model_config training_model(const vlb_cell *cell) {
  vlb_model_config c = cell->settings.model;
  if (vlb_train_seen_model(&cell->settings.train, &cell->settings.model, &c, NULL)) c = cell->settings.model;
  return c;
}

static vlb_cell_cost train_cost(const vlb_cell *cell) {
  const vlb_model_config seen = training_model(cell), *c = &seen;
  vlb_model_shape shape;
  if (vlb_model_shape_of(c, &shape, NULL)) return (vlb_cell_cost){0, 0};
  double d = (double)c->text_hidden, h = (double)c->vision_hidden, e = shape.expert_hidden, q = shape.q_width, kv = shape.kv_width;
  double weights = shape.vlm_layers * (2 * d * q + 2 * d * kv + 3 * d * (double)c->text_mlp) +
                   shape.expert_layers * (2 * e * q + 2 * kv * kv + 3 * e * shape.expert_mlp) +
                   (double)c->vision_layers * (4 * h * h + 2 * h * (double)c->vision_mlp) + (double)(c->vocab_size + shape.patches) * d + 4 * e * e;
  parts p = count_parts(c, &shape);
  double flops = trained_flops(c, &p) + (keeps_prefix(&cell->settings) ? 0 : frozen_flops(c, &p));
  return (vlb_cell_cost){2 + (double)cell->work * flops / TRAIN_FLOPS, 4 * weights + 45.0 * (double)cell->settings.train.steps + 60e3};
}

/* The model as the cell's rollouts run it. */
static vlb_model_config acting_model(const vlb_cell *cell) {
  vlb_model_config c = cell->settings.model;
  if (cell->kind == VLB_CELL_EVAL && vlb_control_is_plain(&cell->settings.eval.control) && !cell->settings.eval.precision) vlb_model_leave_out_unexecuted(&c);
  return c;
}

/* Seconds of a prediction, where vlb_pace is 1. */
static double act_cost(const vlb_model_config *c) {
  vlb_model_shape shape;
  return vlb_model_shape_of(c, &shape, NULL) ? 0 : vlb_act_flops(c, &shape) / ACT_FLOPS;
}

static vlb_cell_cost eval_cost(const vlb_cell *cell) {
  const vlb_settings *s = &cell->settings;
  stage where = stage_of(s->eval.suite.s);
  vlb_model_config c = acting_model(cell);
  double steps = (double)cell->work * (double)s->eval.max_steps * (cell->untrained ? 1 : POLICY_LENGTH), act = act_cost(&c) / (double)c.n_action_steps;
  return (vlb_cell_cost){where.tasks * RENDERER + steps * (act + control_step(where.robot, s->eval.render_size)), 3000 + 120 * (double)cell->work};
}

vlb_cell_cost vlb_cell_expected(const vlb_cell *cell) {
  switch (cell->kind) {
    case VLB_CELL_DEMOS: return demos_cost(cell);
    case VLB_CELL_TRAIN: return train_cost(cell);
    case VLB_CELL_EVAL: return eval_cost(cell);
    default: break;
  }
  return (vlb_cell_cost){0.2 + (double)(cell->work + 2) * act_cost(&cell->settings.model), 2500};
}

/* ---- this machine ---- */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of one shard of a training step, over what was expected; 0: it could not be measured. */
static double measure_training(const vlb_cell *cell) {
  const vlb_settings *s = &cell->settings;
  const vlb_model_config seen = training_model(cell), *c = &seen;
  vlb_model *model;
  vlb_objective *objective = NULL;
  int n = (int)(s->train.batch_size / s->train.shards);
  double ratio = 0;
  if (vlb_model_create(c, &model, NULL)) return 0;
  vlb_model_init(model, 1);
  size_t b = (size_t)n, pixels = b * (size_t)model->shape.views * 3 * (size_t)(c->image_size * c->image_size), chunk = b * (size_t)(c->chunk_size * c->max_action_dim);
  size_t language = b * (size_t)c->tokenizer_max_length, state = b * (size_t)c->max_state_dim;
  float *floats = calloc(pixels + 2 * chunk + state + b, sizeof *floats), *gradient = calloc(model->gradient_count, sizeof *gradient);
  int32_t *tokens = calloc(language, sizeof *tokens);
  uint8_t *ones = malloc(language), *pad = calloc(b * (size_t)c->chunk_size, 1);
  if (floats && gradient && tokens && ones && pad && !vlb_objective_create(model, n, &objective, NULL)) {
    for (size_t i = 0; i < language; i++) ones[i] = 1;
    for (size_t i = 0; i < b; i++) floats[pixels + 2 * chunk + state + i] = 0.5f;
    vlb_batch batch = {.images = floats, .tokens = tokens, .token_mask = ones, .actions = floats + pixels, .noise = floats + pixels + chunk,
                       .state = floats + pixels + 2 * chunk, .time = floats + pixels + 2 * chunk + state, .action_pad = pad};
    double loss, start = 0;
    for (int i = 0; i < 3; i++) { /* the first run touches the memory */
      if (i == 1) start = now();
      if (vlb_objective_run(objective, &batch, 1e-3, &loss, gradient, NULL)) start = INFINITY;
    }
    double expected = 2 * n * vlb_sample_flops(c, &model->shape) / TRAIN_FLOPS;
    if (isfinite(start)) ratio = (now() - start) / expected;
  }
  vlb_objective_free(objective);
  free(floats), free(gradient), free(tokens), free(ones), free(pad);
  vlb_model_free(model);
  return ratio;
}

static double measure_acting(const vlb_cell *cell) {
  vlb_model_config c = acting_model(cell);
  vlb_prediction_cost cost;
  vlb_context ctx = {.threads = 1};
  return vlb_cost_measure(&c, &cost, &ctx, NULL) ? 0 : 1e-3 * cost.ms / act_cost(&c);
}

/* The most expensive cell of a kind. */
static const vlb_cell *largest(const vlb_plan *plan, vlb_cell_kind kind) {
  const vlb_cell *best = NULL;
  for (int i = 0; i < plan->count; i++)
    if (plan->cells[i].kind == kind && (!best || vlb_cell_expected(&plan->cells[i]).cpu > vlb_cell_expected(best).cpu)) best = &plan->cells[i];
  return best;
}

static void measure(const vlb_plan *plan, vlb_pace *pace) {
  const vlb_cell *train = largest(plan, VLB_CELL_TRAIN), *eval = largest(plan, VLB_CELL_EVAL);
  double training = train && !pace->of[VLB_CELL_TRAIN].cells ? measure_training(train) : 0;
  double acting = eval && !pace->of[VLB_CELL_EVAL].cells ? measure_acting(eval) : 0;
  if (training > 0) pace->of[VLB_CELL_TRAIN].cpu = training;
  if (!(acting > 0)) return;
  /* the part of a rollout that is the policy's; the simulator's is taken as it is elsewhere */
  const vlb_settings *s = &eval->settings;
  vlb_model_config c = acting_model(eval);
  double act = act_cost(&c) / (double)c.n_action_steps, step = control_step(stage_of(s->eval.suite.s).robot, s->eval.render_size);
  pace->of[VLB_CELL_EVAL].cpu = (acting * act + step) / (act + step);
  if (!pace->of[VLB_CELL_LATENCY].cells) pace->of[VLB_CELL_LATENCY].cpu = acting;
}

void vlb_pace_learn(const vlb_plan *plan, const char *root, bool calibrate, vlb_pace *pace) {
  for (int kind = 0; kind <= VLB_CELL_LATENCY; kind++) {
    vlb_store_sums sums = vlb_store_sum(root, vlb_cell_kind_name((vlb_cell_kind)kind), VLB_ESTIMATE_VERSION);
    bool known = sums.cells && sums.cpu > 0;
    pace->of[kind].cells = sums.cells;
    pace->of[kind].cpu = known ? sums.cpu / sums.expected_cpu : 1;
    pace->of[kind].bytes = known ? sums.bytes / sums.expected_bytes : 1;
  }
  if (calibrate) measure(plan, pace);
}

double vlb_plan_outlook(const vlb_plan *plan, const char *root, const vlb_pace *pace, int threads, vlb_cell_outlook *outlook) {
  double total = 0;
  for (int i = 0; i < plan->count; i++) {
    outlook[i].state = vlb_store_state(root, plan->cells[i].name, false, NULL);
    outlook[i].todo = outlook[i].state < VLB_STORED_STRIPPED;
  }
  /* children come after their parents */
  for (int i = plan->count - 1; i >= 0; i--) {
    const vlb_cell *cell = &plan->cells[i];
    for (int k = 0; outlook[i].todo && k < cell->parent_count; k++) outlook[cell->parents[k]].todo |= outlook[cell->parents[k]].state != VLB_STORED_DONE;
    vlb_cell_cost cost = outlook[i].todo ? vlb_plan_expected(plan, i) : (vlb_cell_cost){0, 0};
    outlook[i].prefix_bytes = outlook[i].todo && makes_prefix(plan, i) ? prefix_cost(cell).bytes : 0;
    outlook[i].cpu = cost.cpu * pace->of[cell->kind].cpu;
    outlook[i].bytes = cost.bytes * pace->of[cell->kind].bytes;
    outlook[i].seconds = outlook[i].cpu / (cell->kind == VLB_CELL_LATENCY ? 1 : threads);
    total += outlook[i].seconds;
  }
  return total;
}

const char *vlb_about(double seconds, char *buf, size_t size) {
  int minutes = (int)(seconds / 60 + 0.5);
  if (minutes < 1)
    snprintf(buf, size, seconds > 0 ? "less than a minute" : "nothing");
  else if (minutes < 60)
    snprintf(buf, size, "%d min", minutes);
  else
    snprintf(buf, size, "%d h %02d min", minutes / 60, minutes % 60);
  return buf;
}

const char *vlb_about_bytes(double bytes, char *buf, size_t size) {
  if (bytes < 0.5)
    snprintf(buf, size, "nothing");
  else if (bytes < 1e6)
    snprintf(buf, size, "%.0f kB", ceil(bytes / 1e3));
  else if (bytes < 1e9)
    snprintf(buf, size, "%.0f MB", bytes / 1e6);
  else
    snprintf(buf, size, "%.1f GB", bytes / 1e9);
  return buf;
}
