#include "core/train/verify.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/data/image.h"
#include "core/data/safetensors.h"
#include "core/model/lerobot.h"
#include "core/model/named.h"
#include "core/train/train.h"

typedef struct {
  char config_path[1024], io_path[1024], weights[1024]; /* weights: a file, or the folder of a checkpoint */
  bool folder;
  vlb_error *err;
  vlb_code code; /* the first failure ends the case */
  vlb_lerobot_config config;
  vlb_safetensors *io;
  vlb_model *model;
  int batch;
  vlb_batch in;
  double scale; /* 1 / valid numbers */
  vlb_named results;
  void *owned[32];
  int owned_count;
} reference;

static void fail(reference *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(reference *r, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (!r->code) r->code = vlb_fail(r->err, VLB_FAILED, "%s: %s", r->io_path, text);
}

/* zeroed memory that lives as long as the case */
static void *own(reference *r, size_t count, size_t size) {
  void *p = r->owned_count < 32 ? calloc(count ? count : 1, size) : NULL;
  if (p)
    r->owned[r->owned_count++] = p;
  else
    fail(r, "out of memory");
  return p;
}

/* a new result of `count` zeros, NULL after a failure */
static float *add_result(reference *r, size_t count, const char *name) {
  if (r->code) return NULL;
  float *data = vlb_named_add(&r->results, 1, (int64_t[]){(int64_t)count}, "%s", name);
  if (!data) fail(r, "out of memory");
  return data;
}

static void add_copy(reference *r, const char *name, const float *data, size_t count) {
  float *to = add_result(r, count, name);
  if (to) memcpy(to, data, count * sizeof *to);
}

/* ---- inputs ---- */

/* an input of a given shape (below 0: any size but 0); NULL when it is absent and optional, or after a failure */
static const vlb_st_entry *input(reference *r, const char *name, bool optional, int ndim, const int64_t *dims) {
  const vlb_st_entry *e = vlb_safetensors_find(r->io, name);
  if (!e && !optional) fail(r, "tensor %s is missing", name);
  if (!e) return NULL;
  bool fits = e->ndim == ndim;
  for (int i = 0; fits && i < ndim; i++) fits = dims[i] < 0 ? e->dims[i] > 0 : e->dims[i] == dims[i];
  if (!fits) fail(r, "tensor %s does not have the shape that the configuration asks for", name);
  return r->code ? NULL : e;
}

static uint8_t *bytes_of(reference *r, const vlb_st_entry *e) {
  float *f = e ? calloc(e->count + 1, sizeof *f) : NULL;
  uint8_t *out = f ? own(r, e->count, 1) : NULL;
  if (f) vlb_st_to_float(e, f);
  for (size_t i = 0; out && i < e->count; i++) out[i] = f[i] != 0;
  free(f);
  return out;
}

/* [B,(T,)width] zero padded to [B,(T,)room] */
static float *padded_of(reference *r, const vlb_st_entry *e, int64_t room) {
  if (!e) return NULL;
  int64_t width = e->dims[e->ndim - 1], rows = (int64_t)e->count / width;
  float *raw = calloc(e->count, sizeof *raw), *out = own(r, (size_t)(rows * room), sizeof *out);
  if (raw && out && width <= room) {
    vlb_st_to_float(e, raw);
    for (int64_t i = 0; i < rows; i++) memcpy(out + i * room, raw + i * width, (size_t)width * sizeof *out);
  } else
    fail(r, "tensor %s is wider than the model", e->name);
  free(raw);
  return out;
}

/* cameras whose pictures are there, in order; the rest are empty ones or absent (section 7) */
static void find_cameras(reference *r) {
  vlb_model_config *c = &r->config.model;
  int present = 0;
  char name[192];
  for (int i = 0; i < r->config.camera_count; i++) {
    snprintf(name, sizeof name, "in.%s", r->config.cameras[i]);
    if (!vlb_safetensors_find(r->io, name)) continue;
    if (present != i) memcpy(r->config.cameras[present], r->config.cameras[i], sizeof r->config.cameras[i]);
    present++;
  }
  int missing = r->config.camera_count - present;
  if (!present) fail(r, "none of the cameras of image_features is there");
  c->cameras = present;
  if (c->empty_cameras > missing) c->empty_cameras = missing;
}

static void read_images(reference *r) {
  const vlb_model_config *c = &r->config.model;
  size_t floats = 3 * (size_t)(c->image_size * c->image_size);
  float *images = own(r, (size_t)(c->cameras * r->batch) * floats, sizeof *images);
  uint8_t *mask = own(r, (size_t)(c->cameras * r->batch), 1);
  char name[192];
  for (int v = 0; v < c->cameras && !r->code; v++) {
    snprintf(name, sizeof name, "in.%s", r->config.cameras[v]);
    const vlb_st_entry *e = input(r, name, false, 4, (int64_t[]){r->batch, 3, -1, -1});
    float *raw = e ? malloc(e->count * sizeof *raw) : NULL;
    if (e && !raw) fail(r, "out of memory");
    if (!raw) break;
    vlb_st_to_float(e, raw);
    for (int i = 0; i < r->batch; i++)
      vlb_image_prepare(raw + (size_t)i * e->count / (size_t)r->batch, (int)e->dims[2], (int)e->dims[3],
                        images + (size_t)(v * r->batch + i) * floats, (int)c->image_size);
    free(raw);
    memset(mask + v * r->batch, 1, (size_t)r->batch);
    snprintf(name, sizeof name, "in.%s_padding_mask", r->config.cameras[v]);
    const vlb_st_entry *m = input(r, name, true, 1, (int64_t[]){r->batch});
    uint8_t *given = bytes_of(r, m);
    if (given) memcpy(mask + v * r->batch, given, (size_t)r->batch);
  }
  r->in.images = images;
  r->in.image_mask = mask;
}

static void read_tokens(reference *r) {
  const vlb_model_config *c = &r->config.model;
  const vlb_st_entry *e = input(r, "in.observation.language.tokens", false, 2, (int64_t[]){r->batch, c->tokenizer_max_length});
  int64_t *wide = e ? calloc(e->count, sizeof *wide) : NULL;
  int32_t *tokens = e ? own(r, e->count, sizeof *tokens) : NULL;
  if (wide && tokens) vlb_st_to_int(e, wide);
  for (size_t i = 0; wide && tokens && i < e->count; i++) {
    if (wide[i] < 0 || wide[i] >= c->vocab_size) fail(r, "token id %lld is outside of the vocabulary", (long long)wide[i]);
    tokens[i] = r->code ? 0 : (int32_t)wide[i];
  }
  free(wide);
  r->in.tokens = tokens;
  r->in.token_mask = bytes_of(r, input(r, "in.observation.language.attention_mask", false, 2, (int64_t[]){r->batch, c->tokenizer_max_length}));
}

static void read_inputs(reference *r) {
  const vlb_model_config *c = &r->config.model;
  read_images(r);
  read_tokens(r);
  if (r->code) return;
  r->in.state = padded_of(r, input(r, "in.observation.state", false, 2, (int64_t[]){r->batch, -1}), c->max_state_dim);
  r->in.actions = padded_of(r, input(r, "in.action", false, 3, (int64_t[]){r->batch, c->chunk_size, -1}), c->max_action_dim);
  r->in.noise = padded_of(r, input(r, "in.noise", false, 3, (int64_t[]){r->batch, c->chunk_size, c->max_action_dim}), c->max_action_dim);
  r->in.time = padded_of(r, input(r, "in.time", false, 1, (int64_t[]){r->batch}), r->batch);
  const vlb_st_entry *pad = input(r, "in.action_is_pad", true, 2, (int64_t[]){r->batch, c->chunk_size});
  r->in.action_pad = pad ? bytes_of(r, pad) : own(r, (size_t)(r->batch * c->chunk_size), 1);
  int valid = 0;
  for (int64_t i = 0; !r->code && i < r->batch * c->chunk_size; i++) valid += !r->in.action_pad[i];
  r->scale = 1.0 / ((valid ? valid : 1) * (double)c->action_dim);
}

/* what the JSON does not say: batch, tokens, the suffix's blocks */
static void read_shapes(reference *r) {
  vlb_model_config *c = &r->config.model;
  const vlb_st_entry *tokens = input(r, "in.observation.language.tokens", false, 2, (int64_t[]){-1, -1});
  if (!tokens) return;
  r->batch = (int)tokens->dims[0];
  c->tokenizer_max_length = tokens->dims[1];
  const vlb_st_entry *att = vlb_safetensors_find(r->io, "out.suffix_att");
  if (!att || !att->count) return;
  int64_t rows = (int64_t)att->count / r->batch;
  float *flags = calloc(att->count, sizeof *flags);
  if (!flags) fail(r, "out of memory");
  if (flags) vlb_st_to_float(att, flags);
  if (flags && rows > c->chunk_size) c->state = VLB_STATE_SUFFIX;
  if (flags && rows > 1) c->action_mask = flags[rows - 1] != 0 ? VLB_MASK_CAUSAL : VLB_MASK_BIDIRECTIONAL;
  free(flags);
}

/* ---- forward, as the reference does it ---- */

static float *noisy_actions(reference *r) {
  const vlb_model_config *c = &r->config.model;
  int64_t per = c->chunk_size * c->max_action_dim;
  float *x = own(r, (size_t)(r->batch * per), sizeof *x);
  for (int64_t i = 0; x && i < r->batch * per; i++) {
    float t = r->in.time[i / per];
    x[i] = t * r->in.noise[i] + (1.0f - t) * r->in.actions[i];
  }
  return x;
}

static void add_forward(reference *r, const vlb_build *b, const vlb_inputs *in) {
  char name[64];
  vlb_named *list = &r->results;
  vlb_named_images(list, b, &r->in);
  vlb_named_layout(list, &in->layout);
  vlb_named_stream(list, b, b->stream[0], "out.prefix_embs");
  vlb_named_copy(list, b->g, b->suffix, "out.suffix_embs");
  for (int i = 1; i <= r->model->shape.vlm_layers; i++) {
    snprintf(name, sizeof name, "out.layer%d.prefix", i);
    vlb_named_stream(list, b, b->stream[i], name);
    snprintf(name, sizeof name, "out.layer%d.suffix", i);
    vlb_named_copy(list, b->g, b->expert[i], name);
  }
  vlb_named_stream(list, b, b->final_prefix, "out.final_prefix");
  vlb_named_copy(list, b->g, b->final_suffix, "out.final_suffix");
  vlb_named_copy(list, b->g, b->velocity, "out.v_t");
  if (list->failed) fail(r, "out of memory");
}

/* squared error of all dims and steps, before any mask */
static void add_loss_elements(reference *r, const vlb_build *b) {
  size_t n = vlb_graph_count(b->g, b->velocity);
  const float *v = vlb_graph_data(b->g, b->velocity);
  float *e = add_result(r, n, "out.loss_elements");
  for (size_t i = 0; e && i < n; i++) {
    float d = r->in.noise[i] - r->in.actions[i] - v[i];
    e[i] = d * d;
  }
}

static void run_forward(reference *r) {
  vlb_build b;
  vlb_inputs in = {0};
  if (r->code) return;
  int e = r->model->shape.expert_hidden;
  float *x = noisy_actions(r), *times = add_result(r, (size_t)(r->batch * e), "out.time_emb");
  if (r->code || (r->code = vlb_build_begin(&b, r->model, r->batch, true, r->err))) return;
  for (int i = 0; i < r->batch; i++) vlb_time_embedding(&r->config.model, e, r->in.time[i], times + i * e);
  vlb_build_literal(&b);
  vlb_named_keep(&b);
  r->code = vlb_graph_plan(b.g, r->err);
  if (!r->code) r->code = vlb_inputs_create(&in, &b, r->err);
  if (!r->code) {
    vlb_inputs_fill(&in, &b, &r->in);
    vlb_graph_bind(b.g, b.noisy, x);
    vlb_graph_bind(b.g, b.time, times);
    vlb_graph_run(b.g, NULL, 0);
    add_forward(r, &b, &in);
    add_loss_elements(r, &b);
  }
  vlb_inputs_free(&in);
  vlb_graph_free(b.g);
  vlb_build_end(&b);
}

/* ---- sampling, gradients, training: the product's own paths ---- */

typedef struct {
  float *x, *v;
  size_t count;
} flow_record;

static void record_flow(void *self, int step, const float *x, const float *v) {
  flow_record *f = self;
  memcpy(f->x + (size_t)step * f->count, x, f->count * sizeof *x);
  memcpy(f->v + (size_t)step * f->count, v, f->count * sizeof *v);
}

static void run_sample(reference *r) {
  const vlb_model_config *c = &r->config.model;
  flow_record f = {.count = (size_t)(r->batch * c->chunk_size * c->max_action_dim)};
  f.x = add_result(r, (size_t)c->num_steps * f.count, "out.sample.x");
  f.v = add_result(r, (size_t)c->num_steps * f.count, "out.sample.v");
  float *actions = add_result(r, f.count, "out.sample.actions_padded");
  vlb_policy *policy;
  if (r->code || (r->code = vlb_policy_create_for(r->model, r->batch, &(vlb_inference_options){.threads = 1}, &policy, r->err))) return;
  vlb_policy_watch(policy, record_flow, &f);
  r->code = vlb_policy_run(policy, r->batch, &r->in, actions, r->err);
  vlb_policy_free(policy);
}

static void add_params(reference *r, const float *values, const char *prefix) {
  for (int i = 0; i < r->model->param_count; i++) {
    const vlb_param *p = &r->model->params[i];
    char name[192];
    snprintf(name, sizeof name, "%s%s", prefix, p->name);
    if (p->trainable) add_copy(r, name, values + p->offset, p->size);
  }
}

static vlb_train_config probe(const reference *r) {
  vlb_train_config t;
  vlb_fields_default(vlb_train_fields, &t);
  /* as many steps as the decay: the schedule is not squeezed */
  t.steps = t.decay_steps = r->config.decay;
  t.warmup_steps = r->config.warmup;
  t.lr = r->config.peak_lr;
  t.decay_lr = r->config.peak_lr * r->config.alpha;
  t.grad_clip = r->config.clip;
  return t;
}

static void train_steps(reference *r, vlb_objective *objective, float *gradient, float *m, float *v) {
  vlb_train_config t = probe(r);
  size_t n = r->model->gradient_count;
  float *log = add_result(r, 3 * (size_t)r->config.steps, "out.train_log");
  for (int64_t s = 0; !r->code && s < r->config.steps; s++) {
    double loss, lr = vlb_learning_rate(&t, s);
    r->code = vlb_objective_run(objective, &r->in, r->scale, &loss, gradient, r->err);
    double norm = vlb_adamw(&t, lr, s + 1, n, r->model->weights, gradient, m, v);
    log[3 * s] = (float)loss, log[3 * s + 1] = (float)norm, log[3 * s + 2] = (float)lr;
  }
  add_params(r, r->model->weights, "trained.");
}

static double norm_of(const float *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
  return sqrt(sum);
}

/* loss and gradient where training starts; no steps of the optimiser where the case has none */
static void run_training(reference *r) {
  vlb_objective *objective;
  if (r->code || (r->code = vlb_objective_create(r->model, r->batch, &objective, r->err))) return;
  size_t n = r->model->gradient_count;
  double loss = 0;
  float *gradient = own(r, n, sizeof *gradient), *loss_out = add_result(r, 1, "out.loss"), *norm_out = add_result(r, 1, "out.grad_norm");
  if (!r->code) r->code = vlb_objective_run(objective, &r->in, r->scale, &loss, gradient, r->err);
  if (!r->code) *loss_out = (float)loss, *norm_out = (float)norm_of(gradient, n);
  if (!r->code) add_params(r, gradient, "grad.");
  if (!r->code && r->config.steps) {
    float *m = own(r, n, sizeof *m), *v = own(r, n, sizeof *v);
    if (!r->code) train_steps(r, objective, gradient, m, v);
  }
  vlb_objective_free(objective);
}

/* ---- comparison ---- */

static bool begins(const char *s, const char *prefix) { return !strncmp(s, prefix, strlen(prefix)); }

static double largest_of(const vlb_st_entry *e) {
  float *x = malloc((e->count + 1) * sizeof *x);
  double top = 0;
  if (!x) return 0;
  vlb_st_to_float(e, x);
  for (size_t i = 0; i < e->count; i++) top = fmax(top, fabs((double)x[i]));
  free(x);
  return top;
}

static double largest_gradient(const reference *r) {
  double top = 0;
  for (int i = 0; i < vlb_safetensors_count(r->io); i++) {
    const vlb_st_entry *e = vlb_safetensors_at(r->io, i);
    if (begins(e->name, "grad.")) top = fmax(top, largest_of(e));
  }
  return top;
}

enum { NOISE_SHARE = 1000000 };

/* twice the way AdamW can go in the probe */
static double reach_of(const reference *r) {
  vlb_train_config t = probe(r);
  double sum = 0;
  for (int64_t s = 0; s < r->config.steps; s++) sum += vlb_learning_rate(&t, s);
  return 2.0 * sum;
}

/* how many of the differences beyond the bound belong to elements whose reference gradient is rounding noise; their count as
 * an answer only when that explains all of them, else 0 */
static size_t undetermined(const reference *r, const vlb_st_entry *e, const float *theirs, const float *ours, double bound, double top) {
  char name[192];
  snprintf(name, sizeof name, "grad.%s", e->name + strlen("trained."));
  const vlb_st_entry *gradient = vlb_safetensors_find(r->io, name);
  float *g = gradient && gradient->count == e->count ? malloc((e->count + 1) * sizeof *g) : NULL;
  if (!g) return 0;
  vlb_st_to_float(gradient, g);
  double largest = largest_of(gradient), noise = largest < top / NOISE_SHARE ? INFINITY : largest * 0x1p-23, reach = reach_of(r);
  size_t count = 0;
  for (size_t i = 0; i < e->count; i++) {
    double d = fabs((double)theirs[i] - (double)ours[i]);
    if (d <= bound) continue;
    if (!(fabs((double)g[i]) < noise && d <= reach)) {
      count = 0;
      break;
    }
    count++;
  }
  free(g);
  return count;
}

static void measure(vlb_verify_row *row, const float *theirs, const float *ours) {
  row->absolute = 0;
  for (size_t i = 0; i < row->count; i++) {
    double d = fabs((double)theirs[i] - (double)ours[i]);
    if (isnan(d) || d > row->absolute) row->absolute = d;
    if (isnan(d)) break; /* on either side: nothing agrees with it */
    row->largest = fmax(row->largest, fabs((double)theirs[i]));
  }
  row->relative = row->absolute > 0 || isnan(row->absolute) ? row->absolute / row->largest : 0;
}

static vlb_verify_row compare(const reference *r, const vlb_st_entry *e, double tolerance, double top) {
  vlb_verify_row row = {.name = e->name, .relative = INFINITY, .absolute = INFINITY};
  const vlb_named_tensor *ours = vlb_named_find(&r->results, e->name);
  float *theirs = ours && ours->count == e->count ? malloc((e->count + 1) * sizeof *theirs) : NULL;
  if (!theirs) return row;
  vlb_st_to_float(e, theirs);
  row.count = e->count;
  measure(&row, theirs, ours->data);
  row.bound = tolerance * row.largest;
  if (begins(e->name, "grad.") && row.largest < top / NOISE_SHARE) row.bound = top / NOISE_SHARE;
  row.passed = row.absolute <= row.bound;
  if (!row.passed && begins(e->name, "trained.")) {
    row.undetermined = undetermined(r, e, theirs, ours->data, row.bound, top);
    row.passed = row.undetermined > 0;
  }
  free(theirs);
  return row;
}

/* PREFIX.json and the two beside it, or a checkpoint directory with the reference's tensors in it */
static vlb_code find_files(reference *r, const char *prefix) {
  char inside[1024];
  VLB_TRY(vlb_path(inside, sizeof inside, r->err, "%s/reference.safetensors", prefix));
  r->folder = vlb_file_exists(inside);
  VLB_TRY(vlb_path(r->config_path, sizeof r->config_path, r->err, r->folder ? "%s/config.json" : "%s.json", prefix));
  VLB_TRY(vlb_path(r->io_path, sizeof r->io_path, r->err, r->folder ? "%s/reference.safetensors" : "%s.io.safetensors", prefix));
  return vlb_path(r->weights, sizeof r->weights, r->err, r->folder ? "%s" : "%s.weights.safetensors", prefix);
}

static vlb_code read_config(reference *r) {
  VLB_TRY(vlb_lerobot_config_read(r->config_path, &r->config, r->err));
  if (!r->config.steps) return VLB_OK; /* no training probe */
  vlb_train_config t = probe(r);
  bool real = r->config.steps > 0 && r->config.steps <= t.steps;
  vlb_code code = real ? vlb_fields_check(vlb_train_fields, &t, r->err) : vlb_fail(r->err, VLB_USAGE, "steps must be from 1 to decay");
  return code ? vlb_fail_at(r->err, "%s: train_probe", r->config_path) : VLB_OK;
}

static vlb_code read_weights(reference *r) {
  vlb_shards *shards;
  if (!r->folder) return vlb_model_load(r->model, r->weights, r->err);
  vlb_model_config c = r->model->config;
  vlb_model_free(r->model);
  r->model = NULL;
  VLB_TRY(vlb_shards_open(r->weights, &shards, r->err));
  return vlb_model_map(&c, shards, r->weights, NULL, &r->model, r->err);
}

static vlb_code read_tensors(reference *r) {
  VLB_TRY(vlb_safetensors_open(r->io_path, &r->io, r->err));
  read_shapes(r);
  if (!r->code) find_cameras(r);
  if (r->code) return r->code;
  vlb_code code = vlb_fields_check(vlb_model_fields, &r->config.model, r->err);
  if (!code) code = vlb_model_create(&r->config.model, &r->model, r->err);
  if (code) return vlb_fail_at(r->err, "%s", r->config_path);
  VLB_TRY(read_weights(r));
  read_inputs(r);
  return r->code;
}

static void close_case(reference *r) {
  for (int i = 0; i < r->owned_count; i++) free(r->owned[i]);
  vlb_named_free(&r->results);
  vlb_model_free(r->model);
  vlb_safetensors_close(r->io);
}

vlb_code vlb_verify(const char *prefix, double tolerance, vlb_verify_report report, void *self, int *failures, vlb_error *err) {
  reference r = {.err = err};
  r.code = find_files(&r, prefix);
  if (!r.code) r.code = read_config(&r);
  if (!r.code) r.code = read_tensors(&r);
  run_forward(&r);
  run_sample(&r);
  run_training(&r);
  *failures = 0;
  double top = r.code ? 0 : largest_gradient(&r);
  for (int i = 0; !r.code && i < vlb_safetensors_count(r.io); i++) {
    const vlb_st_entry *e = vlb_safetensors_at(r.io, i);
    if (begins(e->name, "in.")) continue;
    vlb_verify_row row = compare(&r, e, tolerance, top);
    *failures += !row.passed;
    report(self, &row);
  }
  close_case(&r);
  return r.code;
}
