#include "core/model/dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/named.h"

struct vlb_dump {
  vlb_runner *runner;
  vlb_named list;
};

/* room for step `at` of out.sample.NAME, made at the first one; dims of one step behind the steps */
static float *place(vlb_dump *d, int64_t steps, int at, int64_t rows, int64_t width, const char *name) {
  char full[128];
  snprintf(full, sizeof full, "out.sample.%s", name);
  const vlb_named_tensor *known = vlb_named_find(&d->list, full);
  float *all = known ? known->data : vlb_named_add(&d->list, rows ? 3 : 1, (int64_t[]){steps, rows, width}, "%s", full);
  return all ? all + (rows ? at * rows * width : at) : NULL;
}

static void add_step(vlb_dump *d, const vlb_build *b, int at, vlb_t t, const char *name) {
  if (t < 0) return;
  int64_t rows = vlb_graph_dim(b->g, t, 1), width = vlb_graph_dim(b->g, t, 2);
  float *to = place(d, b->model->config.num_steps, at, rows, width, name);
  if (to) memcpy(to, vlb_graph_data(b->g, t), (size_t)(rows * width) * sizeof *to);
}

static void add_time(vlb_dump *d, const vlb_build *b, int at) {
  const vlb_model_config *c = &b->model->config;
  float t = (float)(1.0 + at * (-1.0 / (double)c->num_steps));
  float *time = place(d, c->num_steps, at, 0, 0, "time"), *emb = place(d, c->num_steps, at, 1, b->model->shape.expert_hidden, "time_emb");
  if (time) *time = t;
  if (emb) vlb_time_embedding(c, b->model->shape.expert_hidden, t, emb);
}

static void on_step(void *self, int at, const float *x, const float *v) {
  vlb_dump *d = self;
  const vlb_build *b = vlb_policy_step_build(vlb_runner_policy(d->runner));
  const vlb_model_config *c = &b->model->config;
  size_t chunk = (size_t)(c->chunk_size * c->max_action_dim);
  char name[64];
  add_time(d, b, at);
  float *to = place(d, c->num_steps, at, c->chunk_size, c->max_action_dim, "x");
  if (to) memcpy(to, x, chunk * sizeof *to);
  to = place(d, c->num_steps, at, c->chunk_size, c->max_action_dim, "v");
  if (to) memcpy(to, v, chunk * sizeof *to);
  add_step(d, b, at, b->suffix, "suffix_embs");
  for (int i = 1; i <= b->model->shape.vlm_layers; i++) {
    snprintf(name, sizeof name, "layer%d.suffix", i);
    add_step(d, b, at, b->expert[i], name);
  }
  add_step(d, b, at, b->final_suffix, "final_suffix");
}

vlb_code vlb_dump_begin(vlb_runner *r, vlb_dump **dump, vlb_error *err) {
  *dump = NULL;
  vlb_dump *d = calloc(1, sizeof *d);
  if (!d) return vlb_fail(err, VLB_FAILED, "out of memory");
  d->runner = r;
  vlb_policy_watch(vlb_runner_policy(r), on_step, d);
  *dump = d;
  return VLB_OK;
}

void vlb_dump_free(vlb_dump *d) {
  if (!d) return;
  vlb_named_free(&d->list);
  free(d);
}

static void add_prefix(vlb_dump *d, const vlb_batch *in) {
  const vlb_policy *p = vlb_runner_policy(d->runner);
  const vlb_build *b = vlb_policy_prefix_build(p);
  char name[64];
  vlb_named_images(&d->list, b, in);
  vlb_named_layout(&d->list, vlb_policy_layout(p));
  vlb_named_stream(&d->list, b, b->stream[0], "out.prefix_embs");
  for (int i = 0; i < b->model->shape.vlm_layers; i++) {
    snprintf(name, sizeof name, "out.layer%d.prefix", i);
    if (i) vlb_named_stream(&d->list, b, b->stream[i], name);
    snprintf(name, sizeof name, "out.layer%d.keys", i);
    vlb_named_stream(&d->list, b, b->kv[i].k, name);
    snprintf(name, sizeof name, "out.layer%d.values", i);
    vlb_named_stream(&d->list, b, b->kv[i].v, name);
  }
}

static void add_actions(vlb_dump *d, const vlb_model_config *c, const float *actions) {
  size_t all = (size_t)(c->chunk_size * c->max_action_dim), own = (size_t)(c->chunk_size * c->action_dim);
  float *to = vlb_named_add(&d->list, 3, (int64_t[]){1, c->chunk_size, c->max_action_dim}, "out.sample.actions_padded");
  if (to) memcpy(to, vlb_runner_normalised(d->runner), all * sizeof *to);
  to = vlb_named_add(&d->list, 2, (int64_t[]){c->chunk_size, c->action_dim}, "out.actions");
  if (to) memcpy(to, actions, own * sizeof *to);
}

enum { INPUTS = 4 };

static void list_inputs(const vlb_model_config *c, const vlb_batch *in, vlb_st_entry *out) {
  static char tokens[] = "in.observation.language.tokens", mask[] = "in.observation.language.attention_mask", state[] = "in.observation.state",
              noise[] = "in.noise";
  const vlb_st_entry inputs[INPUTS] = {
      {.name = tokens, .dtype = VLB_I32, .ndim = 2, .dims = {1, c->tokenizer_max_length}, .data = in->tokens},
      {.name = mask, .dtype = VLB_U8, .ndim = 2, .dims = {1, c->tokenizer_max_length}, .data = in->token_mask},
      {.name = state, .dtype = VLB_F32, .ndim = 2, .dims = {1, c->max_state_dim}, .data = in->state},
      {.name = noise, .dtype = VLB_F32, .ndim = 3, .dims = {1, c->chunk_size, c->max_action_dim}, .data = in->noise},
  };
  memcpy(out, inputs, sizeof inputs);
}

vlb_code vlb_dump_write(vlb_dump *d, const float *actions, const char *path, vlb_error *err) {
  const vlb_batch *in = vlb_runner_batch(d->runner);
  const vlb_model_config *c = &vlb_policy_prefix_build(vlb_runner_policy(d->runner))->model->config;
  add_prefix(d, in);
  add_actions(d, c, actions);
  int n = d->list.count;
  vlb_st_entry *entries = d->list.failed ? NULL : calloc((size_t)n + INPUTS, sizeof *entries);
  if (!entries) return vlb_fail(err, VLB_FAILED, "%s: out of memory", path);
  list_inputs(c, in, entries);
  for (int i = 0; i < n; i++) {
    vlb_named_tensor *t = &d->list.tensors[i];
    entries[INPUTS + i] = (vlb_st_entry){.name = t->name, .dtype = VLB_F32, .ndim = t->ndim, .data = t->data};
    memcpy(entries[INPUTS + i].dims, t->dims, sizeof t->dims);
  }
  vlb_code code = vlb_safetensors_write(path, entries, n + INPUTS, err);
  free(entries);
  return code;
}
