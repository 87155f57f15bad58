/* One store out of several, as when machines have shared the work. */
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "experiments/store/manifest.h"
#include "experiments/store/store.h"

typedef struct {
  const char *root, *from;
  const vlb_context *ctx;
  int copied, skipped;
  vlb_code code;
  vlb_error *err;
} merge;

static vlb_code copy_file(const char *from, const char *to, const char *name, vlb_error *err) {
  char source[1400], target[1400];
  VLB_TRY(vlb_path(source, sizeof source, err, "%s/%s", from, name));
  VLB_TRY(vlb_path(target, sizeof target, err, "%s/%s", to, name));
  return vlb_file_copy(source, target, err);
}

/* Everything but `done`, which makes the cell exist and comes last. */
static vlb_code copy_folder(const char *from, const char *to, vlb_error *err) {
  char done[1400];
  VLB_TRY(vlb_path(done, sizeof done, err, "%s/done", to));
  (void)unlink(done); /* of what is about to be replaced */
  DIR *dir = opendir(from);
  if (!dir) return vlb_fail(err, VLB_FAILED, "%s: cannot be listed", from);
  vlb_code code = VLB_OK;
  for (struct dirent *e; !code && (e = readdir(dir));)
    if (e->d_name[0] != '.' && strcmp(e->d_name, "done") && !strstr(e->d_name, ".tmp.")) code = copy_file(from, to, e->d_name, err);
  closedir(dir);
  return code ? code : copy_file(from, to, "done", err);
}

/* Takes a cell unless ours is as good. A cell that is being made here is left to its maker. */
static vlb_code take(merge *m, const char *name, vlb_stored theirs, vlb_error *err) {
  char source[1024], target[1024];
  vlb_stored ours = vlb_store_state(m->root, name, false, NULL);
  if (ours >= theirs || vlb_store_busy(m->root, name)) return VLB_OK;
  VLB_TRY(vlb_store_folder(m->from, name, source, err));
  VLB_TRY(vlb_store_folder(m->root, name, target, err));
  VLB_TRY(vlb_folder_make(target, err));
  VLB_TRY(copy_folder(source, target, err));
  vlb_error why = {VLB_OK, ""};
  if (vlb_store_state(m->root, name, true, &why) != theirs) return vlb_fail(err, VLB_FAILED, "%s: damaged while it was copied: %s", target, why.message);
  m->copied++;
  return VLB_OK;
}

static void visit(void *self, const char *name) {
  merge *m = self;
  vlb_error why = {VLB_OK, ""};
  if (m->code || (m->code = vlb_check_stop(m->ctx, m->err))) return;
  vlb_stored theirs = vlb_store_state(m->from, name, true, &why);
  if (theirs >= VLB_STORED_STRIPPED) {
    m->code = take(m, name, theirs, m->err);
    return;
  }
  m->skipped++;
  vlb_warn(m->ctx->log, "%s: %s%s%s; not taken", name, vlb_stored_name(theirs), why.message[0] ? ": " : "", why.message);
}

vlb_code vlb_store_merge(const char *root, const char *from, const vlb_context *ctx, int *copied, int *skipped, vlb_error *err) {
  char cells[1024];
  VLB_TRY(vlb_path(cells, sizeof cells, err, "%s/cells", from));
  if (!vlb_file_exists(cells)) return vlb_fail(err, VLB_USAGE, "%s: not a store (no folder cells in it)", from);
  merge m = {.root = root, .from = from, .ctx = ctx, .err = err};
  vlb_code code = vlb_store_each(from, visit, &m, err);
  *copied = m.copied;
  *skipped = m.skipped;
  return code ? code : m.code;
}
