#include "experiments/store/manifest.h"

#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/file.h"
#include "core/base/hash.h"

bool vlb_is_result_file(const char *name) {
  static const char *const others[] = {"log.txt", "timing.json", "manifest.json", "done", "failed", "checkpoint.safetensors", NULL};
  for (int i = 0; others[i]; i++)
    if (!strcmp(name, others[i])) return false;
  return name[0] != '.' && !strstr(name, ".tmp.");
}

bool vlb_is_bulk_file(const char *name) {
  size_t n = strlen(name);
  return !strcmp(name, "model.safetensors") || (n > 5 && !strcmp(name + n - 5, ".hdf5"));
}

static int result_entry(const struct dirent *e) { return vlb_is_result_file(e->d_name); }

static vlb_code add_file(json_t *files, const char *folder, const char *name, vlb_error *err) {
  char path[1024], hash[VLB_HASH_SIZE];
  struct stat info;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/%s", folder, name));
  if (stat(path, &info)) return vlb_fail(err, VLB_FAILED, "%s: vanished while it was being recorded", path);
  VLB_TRY(vlb_hash_file(path, hash, err));
  json_array_append_new(files, json_pack("{s:s,s:I,s:s}", "name", name, "size", (json_int_t)info.st_size, "sha256", hash));
  return VLB_OK;
}

static vlb_code add_files(json_t *files, const char *folder, vlb_error *err) {
  struct dirent **entry;
  int n = scandir(folder, &entry, result_entry, alphasort);
  if (n < 0) return vlb_fail(err, VLB_FAILED, "%s: cannot be listed", folder);
  vlb_code code = VLB_OK;
  for (int i = 0; i < n; i++) {
    if (!code) code = add_file(files, folder, entry[i]->d_name, err);
    free(entry[i]);
  }
  free(entry);
  return code;
}

static json_t *class_json(const vlb_class *class) {
  json_t *out = json_object();
  for (const vlb_class_field *f = vlb_class_fields; f->name; f++) json_object_set_new(out, f->name, json_string(vlb_class_text(f, class)));
  return out;
}

static json_t *parents_json(const vlb_store_facts *facts) {
  json_t *out = json_array();
  for (int i = 0; i < facts->parent_count; i++) json_array_append_new(out, json_string(facts->parents[i]));
  return out;
}

vlb_code vlb_manifest_write(const char *folder, const vlb_store_facts *facts, vlb_error *err) {
  char path[1024], hash[VLB_HASH_SIZE + 1];
  json_t *files = json_array();
  json_t *root = json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "cell", facts->name, "kind", facts->kind, "sha256", facts->hash, "vlabench",
                           VLB_VERSION, "parents", parents_json(facts), "class", class_json(facts->class), "files", files);
  vlb_code code = root ? add_files(files, folder, err) : vlb_fail(err, VLB_FAILED, "out of memory");
  char *text = code ? NULL : json_dumps(root, JSON_INDENT(2));
  if (!code) code = vlb_path(path, sizeof path, err, "%s/manifest.json", folder);
  if (!code) code = vlb_file_write(path, text, strlen(text), err);
  if (!code) code = vlb_path(path, sizeof path, err, "%s/done", folder);
  if (!code) {
    vlb_hash(text, strlen(text), hash);
    strcat(hash, "\n");
    code = vlb_file_write(path, hash, strlen(hash), err);
  }
  free(text);
  json_decref(root);
  return code;
}

/* The manifest, after checking it against done. */
static vlb_code load(const char *folder, json_t **root, vlb_error *err) {
  char path[1024], hash[VLB_HASH_SIZE], *data, *done;
  size_t size;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/done", folder));
  VLB_TRY(vlb_file_read(path, &done, &size, err));
  bool fits = size == VLB_HASH_SIZE;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/manifest.json", folder));
  vlb_code code = vlb_file_read(path, &data, &size, err);
  if (code) {
    free(done);
    return code;
  }
  vlb_hash(data, size, hash);
  fits = fits && !strncmp(done, hash, VLB_HASH_SIZE - 1);
  json_error_t why;
  *root = fits ? json_loadb(data, size, 0, &why) : NULL;
  free(data);
  free(done);
  if (!fits) return vlb_fail(err, VLB_FAILED, "%s: differs from the digest in done", path);
  return *root ? VLB_OK : vlb_fail(err, VLB_FAILED, "%s:%d: %s", path, why.line, why.text);
}

static vlb_code check_file(const char *folder, json_t *entry, bool deep, bool *stripped, vlb_error *err) {
  const char *name, *want;
  json_int_t size;
  char path[1024], hash[VLB_HASH_SIZE];
  struct stat info;
  if (json_unpack(entry, "{s:s,s:I,s:s}", "name", &name, "size", &size, "sha256", &want))
    return vlb_fail(err, VLB_FAILED, "%s/manifest.json: a file entry is incomplete", folder);
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/%s", folder, name));
  if (stat(path, &info)) {
    if (!vlb_is_bulk_file(name)) return vlb_fail(err, VLB_FAILED, "%s: missing", path);
    *stripped = true;
    return VLB_OK;
  }
  if (info.st_size != size)
    return vlb_fail(err, VLB_FAILED, "%s: %lld bytes, the manifest says %lld", path, (long long)info.st_size, (long long)size);
  if (!deep) return VLB_OK;
  VLB_TRY(vlb_hash_file(path, hash, err));
  return strcmp(hash, want) ? vlb_fail(err, VLB_FAILED, "%s: content differs from the manifest's digest", path) : VLB_OK;
}

vlb_code vlb_manifest_check(const char *folder, bool deep, bool *stripped, vlb_error *err) {
  json_t *root, *entry;
  size_t i;
  VLB_TRY(load(folder, &root, err));
  vlb_code code = VLB_OK;
  *stripped = false;
  json_array_foreach(json_object_get(root, "files"), i, entry) if (!code) code = check_file(folder, entry, deep, stripped, err);
  json_decref(root);
  return code;
}

vlb_code vlb_manifest_class(const char *folder, vlb_class *class, vlb_error *err) {
  json_t *root;
  VLB_TRY(load(folder, &root, err));
  memset(class, 0, sizeof *class);
  for (const vlb_class_field *f = vlb_class_fields; f->name; f++) {
    const char *text = json_string_value(json_object_get(json_object_get(root, "class"), f->name));
    snprintf(vlb_class_text(f, class), VLB_CLASS_SIZE, "%s", text ? text : "");
  }
  json_decref(root);
  return VLB_OK;
}
