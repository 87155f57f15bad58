#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/data/safetensors.h"
#include "core/train/trainer.h"

static vlb_code checkpoint_path(const vlb_trainer *t, char path[1024], vlb_error *err) {
  return vlb_path(path, 1024, err, "%s/checkpoint.safetensors", t->folder);
}

/* frozen tensors that are used where they are mapped */
static void write_mapped(FILE *out, const vlb_model *m) {
  char hash[VLB_HASH_SIZE];
  for (int i = 0; i < m->param_count; i++) {
    const vlb_param *p = &m->params[i];
    if (p->data == m->weights + p->offset) continue;
    vlb_hash(p->data, p->size * sizeof *p->data, hash);
    fprintf(out, "%s %s\n", p->name, hash);
  }
}

/* Settings, data (by size and statistics) and initial weights. How often checkpoints are written decides nothing, nor where the VLM came from. */
vlb_code vlb_checkpoint_identify(vlb_trainer *t, vlb_error *err) {
  char *text = NULL, weights[VLB_HASH_SIZE];
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  if (!out) return vlb_fail(err, VLB_FAILED, "not enough memory to name the training run");
  vlb_train_config config = *t->config;
  config.checkpoint_every = 1;
  config.vlm.s[0] = 0;
  config.prefix_cache = VLB_CACHE_NONE;
  config.prefix_cache_gb = config.prefix_cache_memory_gb = 0;
  vlb_fields_write(vlb_model_fields, &t->model->config, out);
  vlb_fields_write(vlb_train_fields, &config, out);
  t->job->identify(t, out);
  vlb_hash(t->model->weights, t->model->weight_count * sizeof *t->model->weights, weights);
  fprintf(out, "weights %s\n", weights);
  write_mapped(out, t->model);
  int failed = fclose(out);
  if (!failed) vlb_hash(text, size, t->run);
  free(text);
  return failed ? vlb_fail(err, VLB_FAILED, "not enough memory to name the training run") : VLB_OK;
}

static vlb_st_entry entry(const char *name, vlb_dtype dtype, size_t rows, size_t columns, const void *data) {
  return (vlb_st_entry){.name = (char *)(uintptr_t)name,
                        .dtype = dtype,
                        .ndim = columns > 1 ? 2 : 1,
                        .dims = {(int64_t)rows, (int64_t)columns},
                        .count = rows * columns,
                        .data = data};
}

vlb_code vlb_checkpoint_write(const vlb_trainer *t, vlb_error *err) {
  char path[1024];
  VLB_TRY(checkpoint_path(t, path, err));
  const vlb_st_entry entries[] = {
      entry("curve", VLB_F64, (size_t)t->step, 2, t->curve), entry("m", VLB_F32, t->n, 1, t->m),
      entry("run", VLB_U8, VLB_HASH_SIZE - 1, 1, t->run),    entry("step", VLB_I64, 1, 1, &t->step),
      entry("v", VLB_F32, t->n, 1, t->v),                    entry("weights", VLB_F32, t->n, 1, t->model->weights),
  };
  return vlb_safetensors_write(path, entries, (int)(sizeof entries / sizeof *entries), err);
}

/* Copies a tensor of exactly the expected kind and size. */
static vlb_code take(const vlb_safetensors *file, const char *name, vlb_dtype dtype, size_t count, void *out, vlb_error *err) {
  const vlb_st_entry *e = vlb_safetensors_find(file, name);
  if (!e || e->dtype != dtype || e->count != count)
    return vlb_fail(err, VLB_FAILED, "tensor %s is %s; delete the file to train from the start", name, e ? "of another size or type" : "missing");
  memcpy(out, e->data, count * vlb_dtype_size(dtype));
  return VLB_OK;
}

static vlb_code take_all(vlb_trainer *t, const vlb_safetensors *file, vlb_error *err) {
  char run[VLB_HASH_SIZE] = "";
  int64_t step;
  VLB_TRY(take(file, "run", VLB_U8, VLB_HASH_SIZE - 1, run, err));
  if (strcmp(run, t->run))
    return vlb_fail(err, VLB_FAILED, "it belongs to a run with other settings, data or initial weights; delete it or train in another folder");
  VLB_TRY(take(file, "step", VLB_I64, 1, &step, err));
  if (step < 0 || step > t->config->steps)
    return vlb_fail(err, VLB_FAILED, "step %lld of %lld; delete the file to train from the start", (long long)step, (long long)t->config->steps);
  VLB_TRY(take(file, "curve", VLB_F64, 2 * (size_t)step, t->curve, err));
  VLB_TRY(take(file, "m", VLB_F32, t->n, t->m, err));
  VLB_TRY(take(file, "v", VLB_F32, t->n, t->v, err));
  VLB_TRY(take(file, "weights", VLB_F32, t->n, t->model->weights, err));
  t->step = step;
  return VLB_OK;
}

vlb_code vlb_checkpoint_read(vlb_trainer *t, vlb_error *err) {
  char path[1024];
  VLB_TRY(checkpoint_path(t, path, err));
  if (!vlb_file_exists(path)) return VLB_OK;
  vlb_safetensors *file;
  VLB_TRY(vlb_safetensors_open(path, &file, err));
  vlb_code code = take_all(t, file, err);
  vlb_safetensors_close(file);
  return code ? vlb_fail_at(err, "%s", path) : VLB_OK;
}

vlb_code vlb_checkpoint_remove(const vlb_trainer *t, vlb_error *err) {
  char path[1024];
  VLB_TRY(checkpoint_path(t, path, err));
  if (unlink(path) == 0 || errno == ENOENT) return VLB_OK;
  return vlb_fail(err, VLB_FAILED, "%s: cannot be removed: %s", path, strerror(errno));
}
