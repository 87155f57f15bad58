#include "core/data/shards.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/json.h"

enum { MAX_FILES = 256 };

struct vlb_shards {
  vlb_safetensors *file[MAX_FILES];
  char *name[MAX_FILES];
  int count;
};

static vlb_code add_file(vlb_shards *s, const char *folder, const char *name, vlb_error *err) {
  char path[1024];
  for (int i = 0; i < s->count; i++)
    if (!strcmp(s->name[i], name)) return VLB_OK;
  if (s->count == MAX_FILES || strchr(name, '/'))
    return vlb_fail(err, VLB_FAILED, "%s/model.safetensors.index.json: \"%.200s\" is one file too many, or not in this folder", folder, name);
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/%s", folder, name));
  VLB_TRY(vlb_safetensors_open(path, &s->file[s->count], err));
  s->name[s->count] = strdup(name);
  s->count++;
  return s->name[s->count - 1] ? VLB_OK : vlb_fail(err, VLB_FAILED, "%s: out of memory", path);
}

static vlb_code read_index(vlb_shards *s, const char *folder, const char *path, vlb_error *err) {
  json_t *root, *value;
  const char *name;
  VLB_TRY(vlb_json_open(path, &root, err));
  json_t *map = json_object_get(root, "weight_map");
  vlb_code code = json_object_size(map) ? VLB_OK : vlb_fail(err, VLB_FAILED, "%s: no weight_map", path);
  json_object_foreach(map, name, value) {
    if (!code && !json_is_string(value)) code = vlb_fail(err, VLB_FAILED, "%s: weight_map of \"%.200s\" is no file name", path, name);
    if (!code) code = add_file(s, folder, json_string_value(value), err);
  }
  json_decref(root);
  return code;
}

/* the first file would win in silence */
static vlb_code check_names(const vlb_shards *s, const char *folder, vlb_error *err) {
  for (int i = 1; i < s->count; i++)
    for (int k = 0; k < vlb_safetensors_count(s->file[i]); k++) {
      const char *name = vlb_safetensors_at(s->file[i], k)->name;
      for (int j = 0; j < i; j++)
        if (vlb_safetensors_find(s->file[j], name))
          return vlb_fail(err, VLB_FAILED, "%s: tensor \"%.200s\" is in %s and in %s", folder, name, s->name[j], s->name[i]);
    }
  return VLB_OK;
}

vlb_code vlb_shards_open(const char *folder, vlb_shards **shards, vlb_error *err) {
  char single[1024], index[1024];
  *shards = NULL;
  VLB_TRY(vlb_path(single, sizeof single, err, "%s/model.safetensors", folder));
  VLB_TRY(vlb_path(index, sizeof index, err, "%s/model.safetensors.index.json", folder));
  vlb_shards *s = calloc(1, sizeof *s);
  if (!s) return vlb_fail(err, VLB_FAILED, "%s: out of memory", folder);
  vlb_code code;
  if (!vlb_file_exists(single) && vlb_file_exists(index))
    code = read_index(s, folder, index, err);
  else
    code = add_file(s, folder, "model.safetensors", err);
  if (!code) code = check_names(s, folder, err);
  if (code)
    vlb_shards_close(s);
  else
    *shards = s;
  return code;
}

vlb_code vlb_shards_of(vlb_safetensors *file, vlb_shards **shards, vlb_error *err) {
  vlb_shards *s = *shards = calloc(1, sizeof *s);
  if (!s) {
    vlb_safetensors_close(file);
    return vlb_fail(err, VLB_FAILED, "out of memory");
  }
  s->file[0] = file;
  s->count = 1;
  return VLB_OK;
}

void vlb_shards_close(vlb_shards *s) {
  if (!s) return;
  for (int i = 0; i < s->count; i++) {
    vlb_safetensors_close(s->file[i]);
    free(s->name[i]);
  }
  free(s);
}

const vlb_st_entry *vlb_shards_find(const vlb_shards *s, const char *name) {
  const vlb_st_entry *e = NULL;
  for (int i = 0; i < s->count && !e; i++) e = vlb_safetensors_find(s->file[i], name);
  return e;
}

int vlb_shards_count(const vlb_shards *s) {
  int n = 0;
  for (int i = 0; i < s->count; i++) n += vlb_safetensors_count(s->file[i]);
  return n;
}

const vlb_st_entry *vlb_shards_at(const vlb_shards *s, int i) {
  int k = 0;
  while (i >= vlb_safetensors_count(s->file[k])) i -= vlb_safetensors_count(s->file[k++]);
  return vlb_safetensors_at(s->file[k], i);
}
