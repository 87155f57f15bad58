#include "experiments/plan/inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/embed.h"
#include "sim/rollout/suites.h"

extern const vlb_embedded vlb_embedded_data_assets[];

vlb_code vlb_digest_suite(const char *name_or_folder, char out[VLB_HASH_SIZE], vlb_error *err) {
  vlb_suite *suite;
  VLB_TRY(vlb_suite_open(name_or_folder, &suite, err));
  vlb_code code = suite->family->digest(suite, out, err);
  vlb_suite_free(suite);
  return code;
}

/* "name sha256\n" for each embedded file of core/data, hashed. */
vlb_code vlb_digest_tokenizer(char out[VLB_HASH_SIZE], vlb_error *err) {
  static const char folder[] = "core/data/";
  char *text = NULL, hash[VLB_HASH_SIZE];
  size_t size;
  FILE *list = open_memstream(&text, &size);
  if (!list) return vlb_fail(err, VLB_FAILED, "out of memory");
  for (const vlb_embedded *e = vlb_embedded_data_assets; e->path; e++) {
    if (strncmp(e->path, folder, strlen(folder))) continue;
    vlb_hash(e->data, e->size, hash);
    fprintf(list, "%s %s\n", e->path + strlen(folder), hash);
  }
  fclose(list);
  vlb_hash(text, size, out);
  free(text);
  return VLB_OK;
}
