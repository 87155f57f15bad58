#include "core/train/pretrain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/pool.h"
#include "core/base/timing.h"
#include "core/data/safetensors.h"
#include "core/train/caption_data.h"
#include "core/train/trainer.h"

#define ROW(kind, name, ...) VLB_FIELD_ROW(vlb_pretrain_config, kind, name, __VA_ARGS__)
const vlb_field vlb_pretrain_fields[] = {VLB_PRETRAIN_FIELDS(ROW){.name = NULL}};
#undef ROW

static vlb_captioner_spec spec_of(const vlb_pretrain_config *c) {
  return (vlb_captioner_spec){(int)c->answers, (int)c->depth_every, c->depth_weight};
}

/* ---- the run: captions in the place of demonstrations ---- */

typedef struct {
  vlb_captioner *captioner;
  vlb_caption_samples samples;
} worker;

typedef struct {
  const vlb_pretrain_config *config;
  const vlb_caption_data *data;
  worker *workers;
} run;

static vlb_code job_open(vlb_trainer *t, vlb_error *err) {
  run *r = t->own;
  int samples = (int)(t->config->batch_size / t->config->shards);
  vlb_captioner_spec spec = spec_of(r->config);
  VLB_TRY(vlb_sampler_over(&t->sampler, vlb_caption_data_frames(r->data, false), t->config, err));
  r->workers = calloc((size_t)t->workers, sizeof *r->workers);
  if (!r->workers) return vlb_fail(err, VLB_FAILED, "not enough memory for %d training threads", t->workers);
  for (int i = 0; i < t->workers; i++) {
    VLB_TRY(vlb_captioner_create(t->model, &spec, samples, true, &r->workers[i].captioner, err));
    VLB_TRY(vlb_caption_samples_open(&r->workers[i].samples, &t->model->config, r->config, samples, err));
  }
  return VLB_OK;
}

static void job_close(vlb_trainer *t) {
  run *r = t->own;
  for (int i = 0; r->workers && i < t->workers; i++) {
    vlb_captioner_free(r->workers[i].captioner);
    vlb_caption_samples_close(&r->workers[i].samples);
  }
  free(r->workers);
}

/* the loss is a mean over the tokens of the whole batch, whatever the shards */
static void job_draw(vlb_trainer *t) {
  run *r = t->own;
  int64_t count = 0;
  vlb_sampler_step(&t->sampler, t->step, t->frames);
  for (int64_t i = 0; i < t->config->batch_size; i++) {
    t->frames[i] = r->data->order[t->frames[i]];
    count += vlb_caption_count(r->data, r->config, t->frames[i], (uint64_t)t->config->seed, t->step, i);
  }
  t->scale = 1.0 / (double)(count > 0 ? count : 1);
}

static vlb_code job_shard(vlb_trainer *t, int shard, int index, vlb_error *err) {
  (void)err;
  run *r = t->own;
  worker *w = &r->workers[index];
  for (int i = 0; i < w->samples.n; i++) {
    int64_t place = (int64_t)shard * w->samples.n + i;
    vlb_caption_samples_fill(&w->samples, i, r->data, t->frames[place], (uint64_t)t->config->seed, t->step, place, false);
  }
  vlb_caption_batch batch = vlb_caption_samples_batch(&w->samples);
  vlb_captioner_run(w->captioner, &batch, t->scale, &t->losses[shard], vlb_trainer_gradient(t, shard));
  return VLB_OK;
}

static void job_identify(const vlb_trainer *t, FILE *out) {
  const run *r = t->own;
  const vlb_caption_data *d = r->data;
  char hash[VLB_HASH_SIZE];
  vlb_fields_write(vlb_pretrain_fields, r->config, out);
  vlb_hash(d->tokens, (size_t)d->token_of[d->line_of[d->frames]] * sizeof *d->tokens, hash);
  fprintf(out, "frames %lld held %lld captions %s\n", (long long)d->frames, (long long)d->held, hash);
  vlb_hash(d->pixels, (size_t)(d->frames * d->cameras * d->size) * (size_t)d->size * 3, hash);
  fprintf(out, "pixels %s\n", hash);
}

static vlb_code job_publish(const vlb_trainer *t, vlb_error *err) {
  char path[1024];
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/model.safetensors", t->folder));
  return vlb_model_save(t->model, path, err);
}

static const vlb_train_job caption_job = {job_open, job_close, job_draw, job_shard, job_identify, job_publish};

vlb_code vlb_pretrain(vlb_model *vlm, const vlb_pretrain_config *config, const vlb_train_config *train, const vlb_caption_data *data,
                      const char *label, const char *folder, const vlb_context *ctx, vlb_error *err) {
  vlb_trainer t;
  run r = {.config = config, .data = data};
  vlb_code code = vlb_trainer_open_job(&t, &caption_job, &r, vlm, train, folder, ctx, err);
  if (!code) code = vlb_trainer_run(&t, label, err);
  vlb_trainer_close(&t);
  return code ? vlb_fail_at(err, "%s", label) : VLB_OK;
}

/* ---- growing and publishing ---- */

void vlb_pretrain_grow(const vlb_model *from, vlb_model *to, uint64_t seed) {
  vlb_model_init(to, seed);
  for (int i = 0; i < to->param_count; i++) {
    const vlb_param *p = &to->params[i];
    int known = vlb_model_find(from, p->name);
    if (known >= 0 && from->params[known].size == p->size)
      memcpy(to->weights + p->offset, from->params[known].data, p->size * sizeof(float));
    else if (strstr(p->name, "text_model.layers.") && (strstr(p->name, "o_proj") || strstr(p->name, "down_proj")))
      memset(to->weights + p->offset, 0, p->size * sizeof(float));
  }
}

/* nearest, halves to even */
static uint16_t to_bf16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

vlb_code vlb_pretrain_publish(vlb_model *m, const char *path, vlb_error *err) {
  vlb_st_entry *entries = calloc((size_t)m->param_count, sizeof *entries);
  uint16_t *rounded = calloc(m->weight_count, sizeof *rounded);
  vlb_code code = entries && rounded ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory writing %s", path);
  for (size_t i = 0; !code && i < m->weight_count; i++) {
    rounded[i] = to_bf16(m->weights[i]);
    uint32_t bits = (uint32_t)rounded[i] << 16;
    memcpy(&m->weights[i], &bits, sizeof bits);
  }
  for (int i = 0; !code && i < m->param_count; i++) {
    vlb_param *p = &m->params[i];
    entries[i] = (vlb_st_entry){.name = p->name, .dtype = VLB_BF16, .ndim = p->ndim, .count = p->size, .data = rounded + p->offset};
    memcpy(entries[i].dims, p->dims, sizeof p->dims);
  }
  if (!code) code = vlb_safetensors_write(path, entries, m->param_count, err);
  free(entries);
  free(rounded);
  return code;
}
