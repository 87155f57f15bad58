#include "core/train/vlm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/embed.h"
#include "core/base/file.h"

extern const vlb_embedded vlb_embedded_vlms[];

static const char folder[] = "core/train/vlm/", file_name[] = "/model.safetensors";

/* the name of a shipped VLM into name[64] */
static const char *shipped_name(const vlb_embedded *e, char *name) {
  snprintf(name, 64, "%.*s", (int)(strlen(e->path) - strlen(folder) - strlen(file_name)), e->path + strlen(folder));
  return name;
}

static const vlb_embedded *find_shipped(const char *name) {
  char shipped[64];
  for (const vlb_embedded *e = vlb_embedded_vlms; e->path; e++)
    if (!strcmp(shipped_name(e, shipped), name)) return e;
  return NULL;
}

static vlb_code unknown(const char *name, vlb_error *err) {
  enum { MOST = 16 };
  char names[MOST][64], list[MOST * 66] = "";
  const char *words[MOST];
  int n = 0;
  for (const vlb_embedded *e = vlb_embedded_vlms; e->path && n < MOST; e++, n++) {
    size_t used = strlen(list);
    words[n] = shipped_name(e, names[n]);
    snprintf(list + used, sizeof list - used, "%s%s", n ? ", " : "", words[n]);
  }
  const char *near = vlb_suggest(name, words, n);
  return vlb_fail(err, VLB_USAGE, "train.vlm = \"%s\": neither a shipped VLM (%s) nor a folder with model.safetensors%s%s%s", name, n ? list : "there is none",
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

vlb_code vlb_vlm_open(const char *name, vlb_shards **shards, vlb_error *err) {
  char single[1024], index[1024];
  *shards = NULL;
  if (!*name) return VLB_OK;
  const vlb_embedded *e = find_shipped(name);
  if (e) {
    vlb_safetensors *file;
    VLB_TRY(vlb_safetensors_in(e->path, e->data, e->size, &file, err));
    return vlb_shards_of(file, shards, err);
  }
  VLB_TRY(vlb_path(single, sizeof single, err, "%s/model.safetensors", name));
  VLB_TRY(vlb_path(index, sizeof index, err, "%s/model.safetensors.index.json", name));
  return vlb_file_exists(single) || vlb_file_exists(index) ? vlb_shards_open(name, shards, err) : unknown(name, err);
}

static int by_name(const void *a, const void *b) {
  const vlb_st_entry *const *x = a, *const *y = b;
  return strcmp((*x)->name, (*y)->name);
}

/* "name dtype dims sha256\n" of every tensor, by name, hashed */
static vlb_code digest_tensors(const vlb_shards *s, char out[VLB_HASH_SIZE], vlb_error *err) {
  int n = vlb_shards_count(s);
  char *text = NULL, hash[VLB_HASH_SIZE];
  size_t size;
  const vlb_st_entry **sorted = malloc(((size_t)n + 1) * sizeof *sorted);
  FILE *list = open_memstream(&text, &size);
  if (!sorted || !list) {
    free(sorted);
    if (list) fclose(list), free(text);
    return vlb_fail(err, VLB_FAILED, "out of memory");
  }
  for (int i = 0; i < n; i++) sorted[i] = vlb_shards_at(s, i);
  if (n) qsort(sorted, (size_t)n, sizeof *sorted, by_name);
  for (int i = 0; i < n; i++) {
    const vlb_st_entry *e = sorted[i];
    vlb_hash(e->data, e->count * vlb_dtype_size(e->dtype), hash);
    fprintf(list, "%s %s", e->name, vlb_dtype_name(e->dtype));
    for (int d = 0; d < e->ndim; d++) fprintf(list, " %lld", (long long)e->dims[d]);
    fprintf(list, " %s\n", hash);
    vlb_st_release(e);
  }
  fclose(list);
  vlb_hash(text, size, out);
  free(text), free(sorted);
  return VLB_OK;
}

vlb_code vlb_vlm_digest(const char *name, char out[VLB_HASH_SIZE], vlb_error *err) {
  vlb_shards *shards;
  *out = 0;
  VLB_TRY(vlb_vlm_open(name, &shards, err));
  if (!shards) return VLB_OK;
  vlb_code code = digest_tensors(shards, out, err);
  vlb_shards_close(shards);
  return code;
}

vlb_code vlb_train_begin(const vlb_model_config *model, const vlb_train_config *config, vlb_model **out, vlb_error *err) {
  vlb_shards *shards;
  *out = NULL;
  VLB_TRY(vlb_vlm_open(config->vlm.s, &shards, err));
  return vlb_model_begin(model, (uint64_t)config->seed, shards, true, config->vlm.s, out, err);
}
