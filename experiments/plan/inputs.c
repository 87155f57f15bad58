#include "experiments/plan/inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/embed.h"
#include "core/base/file.h"

extern const vlb_embedded vlb_embedded_sim_assets[];
extern const vlb_embedded vlb_embedded_data_assets[];

/* A digest over several files: "name sha256\n" for each, hashed. */
typedef struct {
  FILE *out;
  char *text;
  size_t size;
  int files;
} digest;

static vlb_code begin(digest *d, vlb_error *err) {
  *d = (digest){0};
  d->out = open_memstream(&d->text, &d->size);
  return d->out ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory");
}

static void add(digest *d, const char *name, const void *data, size_t size) {
  char hash[VLB_HASH_SIZE];
  vlb_hash(data, size, hash);
  fprintf(d->out, "%s %s\n", name, hash);
  d->files++;
}

static void end(digest *d, char out[VLB_HASH_SIZE]) {
  fclose(d->out);
  vlb_hash(d->text, d->size, out);
  free(d->text);
}

/* Embedded files below a folder (they are sorted by path at build time). Names are relative to it, so that a folder with the
 * same files has the same digest. */
static vlb_code digest_embedded(const vlb_embedded *table, const char *folder, char out[VLB_HASH_SIZE], int *files, vlb_error *err) {
  digest d;
  VLB_TRY(begin(&d, err));
  for (const vlb_embedded *e = table; e->path; e++)
    if (!strncmp(e->path, folder, strlen(folder))) add(&d, e->path + strlen(folder), e->data, e->size);
  *files = d.files;
  end(&d, out);
  return VLB_OK;
}

static vlb_code add_files(digest *d, const vlb_file_list *list, vlb_error *err) {
  for (int i = 0; i < list->count; i++) {
    char *data;
    size_t size;
    VLB_TRY(vlb_file_read(list->path[i], &data, &size, err));
    add(d, strrchr(list->path[i], '/') + 1, data, size);
    free(data);
  }
  return VLB_OK;
}

static vlb_code digest_folder(const char *folder, char out[VLB_HASH_SIZE], vlb_error *err) {
  vlb_file_list list;
  digest d;
  VLB_TRY(vlb_folder_list(folder, ".toml", &list, err));
  vlb_code code = begin(&d, err);
  if (!code) {
    code = add_files(&d, &list, err);
    end(&d, out);
  }
  vlb_list_free(&list);
  return code;
}

vlb_code vlb_digest_world(char out[VLB_HASH_SIZE], vlb_error *err) {
  int files;
  return digest_embedded(vlb_embedded_sim_assets, "sim/world/", out, &files, err);
}

vlb_code vlb_digest_suite(const char *name_or_folder, char out[VLB_HASH_SIZE], vlb_error *err) {
  char folder[1024];
  int files;
  VLB_TRY(vlb_path(folder, sizeof folder, err, "sim/task/suites/%s/", name_or_folder));
  VLB_TRY(digest_embedded(vlb_embedded_sim_assets, folder, out, &files, err));
  return files ? VLB_OK : digest_folder(name_or_folder, out, err);
}

vlb_code vlb_digest_tokenizer(char out[VLB_HASH_SIZE], vlb_error *err) {
  int files;
  return digest_embedded(vlb_embedded_data_assets, "core/data/", out, &files, err);
}
