#include "experiments/plan/demo_files.h"

#include <stdlib.h>
#include <string.h>

void vlb_demo_files_forget(vlb_demo_files *f) {
  for (int i = 0; i < f->folders; i++) vlb_list_free(&f->list[i]);
  free(f->path);
  memset(f, 0, sizeof *f);
}

vlb_code vlb_demo_files_find(const char *const *demos, int n, vlb_demo_files *f, vlb_error *err) {
  memset(f, 0, sizeof *f);
  if (n > VLB_MAX_PARENTS) return vlb_fail(err, VLB_USAGE, "more than %d folders of demonstrations", VLB_MAX_PARENTS);
  for (int i = 0; i < n; i++, f->folders++) {
    VLB_TRY(vlb_folder_list(demos[i], ".hdf5", &f->list[i], err));
    if (!f->list[i].count)
      return vlb_fail(err, VLB_USAGE, "%s: no demonstrations (*.hdf5) in that folder; 'vlabench demos' records some", demos[i]);
    f->count += f->list[i].count;
  }
  f->path = malloc((size_t)f->count * sizeof *f->path);
  if (!f->path) return vlb_fail(err, VLB_FAILED, "out of memory");
  for (int i = 0, at = 0; i < n; i++)
    for (int k = 0; k < f->list[i].count; k++) f->path[at++] = f->list[i].path[k];
  return VLB_OK;
}
