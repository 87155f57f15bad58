#include "experiments/plan/runner.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/file.h"
#include "experiments/plan/estimate.h"
#include "experiments/plan/run_cell.h"

typedef struct {
  const vlb_plan *plan;
  const char *root;
  const vlb_context *ctx;
  vlb_cell_outlook *outlook; /* [plan->count] */
  vlb_pace pace;
  vlb_class class;
  bool class_known;
} runner;

static bool is_parent(const vlb_cell *cell, int i) {
  for (int k = 0; k < cell->parent_count; k++)
    if (cell->parents[k] == i) return true;
  return false;
}

static bool has_unfinished_child(const runner *r, int i) {
  for (int k = 0; k < r->plan->count; k++)
    if (r->outlook[k].todo && is_parent(&r->plan->cells[k], i)) return true;
  return false;
}

/* Every byte of what is about to be used is checked; demonstrations nobody needs any more are large, so only their names and sizes. */
static bool is_done(runner *r, int i) {
  const vlb_cell *cell = &r->plan->cells[i];
  bool needed = has_unfinished_child(r, i);
  vlb_stored state = vlb_store_state(r->root, cell->name, cell->kind != VLB_CELL_DEMOS || needed, NULL);
  return state == VLB_STORED_DONE || (state == VLB_STORED_STRIPPED && !needed);
}

/* "cell 3/8 train cross (then 22 min)" */
static void progress_label(const runner *r, int i, char *label, size_t size) {
  char about[48];
  double rest = 0;
  for (int k = i + 1; k < r->plan->count; k++) rest += r->outlook[k].seconds;
  int n = snprintf(label, size, "cell %d/%d %s", i + 1, r->plan->count, r->plan->cells[i].label);
  if (rest > 0 && n > 0 && (size_t)n < size) snprintf(label + n, size - (size_t)n, " (then %s)", vlb_about(rest, about, sizeof about));
}

/* Tells why a cell has no result; an interruption is told once, by the command. */
static vlb_code tell(const runner *r, int i, const vlb_error *why) {
  const vlb_cell *cell = &r->plan->cells[i];
  if (why->code != VLB_INTERRUPTED)
    vlb_warn(r->ctx->log, "cell %d/%d %s failed: %s (log: %s/cells/%s/log.txt)", i + 1, r->plan->count, cell->label, why->message, r->root,
             cell->name);
  return why->code;
}

/* The work may put its progress label before the message; tell says the same better. */
static void drop_label(vlb_error *err, const char *label) {
  size_t n = strlen(label);
  if (!strncmp(err->message, label, n) && !strncmp(err->message + n, ": ", 2)) memmove(err->message, err->message + n + 2, strlen(err->message + n + 2) + 1);
}

/* What a cell is made from. */
typedef struct {
  char folder[VLB_MAX_PARENTS][1024];
  const char *folders[VLB_MAX_PARENTS], *names[VLB_MAX_PARENTS];
} origins;

static vlb_code find_origins(const runner *r, const vlb_cell *cell, origins *o, vlb_error *err) {
  for (int k = 0; k < cell->parent_count; k++) {
    o->names[k] = r->plan->cells[cell->parents[k]].name;
    VLB_TRY(vlb_store_folder(r->root, o->names[k], o->folder[k], err));
    o->folders[k] = o->folder[k];
  }
  return VLB_OK;
}

/* Begins, works, publishes. The error is the cell's own and has been told. */
static vlb_code make_cell(runner *r, int i, vlb_error *err) {
  const vlb_cell *cell = &r->plan->cells[i];
  vlb_store_cell open;
  origins from;
  char label[288], about[48], cache[1024];
  bool done;
  VLB_TRY(vlb_path(cache, sizeof cache, err, "%s/prefix_cache", r->root));
  VLB_TRY(find_origins(r, cell, &from, err));
  if (vlb_store_begin(&open, r->root, cell->name, cell->text, r->ctx, &done, err)) return tell(r, i, err);
  if (done) return VLB_OK;
  if (!r->class_known) vlb_class_here(&r->class);
  r->class_known = true;
  vlb_info(r->ctx->log, "cell %d/%d %s: %s", i + 1, r->plan->count, cell->label, vlb_about(r->outlook[i].seconds, about, sizeof about));
  progress_label(r, i, label, sizeof label);
  vlb_code code = vlb_cell_work(cell, open.folder, from.folders, cache, label, r->ctx, err);
  vlb_progress_end(r->ctx->log);
  if (code) {
    drop_label(err, label);
    tell(r, i, err);
    vlb_store_abandon(&open, err);
    return code;
  }
  vlb_cell_cost expected = vlb_plan_expected(r->plan, i);
  vlb_store_facts facts = {.name = cell->name, .hash = cell->hash, .kind = vlb_cell_kind_name(cell->kind), .parents = from.names,
                           .parent_count = cell->parent_count, .class = &r->class, .work = cell->work, .threads = r->ctx->threads, .expected_cpu = expected.cpu, .expected_bytes = expected.bytes,
                           .estimate = VLB_ESTIMATE_VERSION};
  return vlb_store_finish(&open, &facts, err) ? tell(r, i, err) : VLB_OK;
}

/* What became of a cell in this run. */
typedef enum { OPEN, FINISHED, FAILED } fate;

/* Whether a cell can be made now. *fates says what became of it where that is decided. */
static bool is_ready(runner *r, int i, fate *fates, int *failed) {
  const vlb_cell *cell = &r->plan->cells[i];
  for (int k = 0; k < cell->parent_count; k++) {
    if (fates[cell->parents[k]] == FAILED) {
      vlb_warn(r->ctx->log, "cell %d/%d %s: skipped, it needs %s", i + 1, r->plan->count, cell->label, r->plan->cells[cell->parents[k]].label);
      fates[i] = FAILED;
      ++*failed;
    }
    if (fates[cell->parents[k]] != FINISHED) return false;
  }
  return !vlb_store_busy(r->root, cell->name);
}

static vlb_code run_one(runner *r, int i, fate *fates, int *failed, vlb_error *err) {
  VLB_TRY(vlb_check_stop(r->ctx, err));
  /* estimates are read again before every cell: the first one of a kind corrects the rest */
  vlb_pace_learn(r->plan, r->root, false, &r->pace);
  vlb_plan_outlook(r->plan, r->root, &r->pace, r->ctx->threads, r->outlook);
  if (is_done(r, i)) fates[i] = FINISHED;
  if (fates[i] != OPEN || !is_ready(r, i, fates, failed)) return VLB_OK;
  vlb_error why = {VLB_OK, ""};
  vlb_code code = make_cell(r, i, &why);
  if (code == VLB_INTERRUPTED) {
    *err = why;
    return code;
  }
  fates[i] = code ? FAILED : FINISHED;
  *failed += code != VLB_OK;
  return VLB_OK;
}

/* In order, without waiting for cells that other processes are making: those come again in the next round. */
static vlb_code run_rounds(runner *r, fate *fates, int *failed, vlb_error *err) {
  bool told = false;
  for (;;) {
    int open = 0, decided = 0;
    for (int i = 0; i < r->plan->count; i++) {
      if (fates[i] != OPEN) continue;
      VLB_TRY(run_one(r, i, fates, failed, err));
      open += fates[i] == OPEN;
      decided += fates[i] != OPEN;
    }
    if (!open) return VLB_OK;
    if (decided) continue;
    if (!told) vlb_info(r->ctx->log, "%d cells wait for another process that is at work in this store", open);
    told = true;
    VLB_TRY(vlb_check_stop(r->ctx, err));
    nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
  }
}

vlb_code vlb_plan_run(const vlb_plan *plan, const char *root, const vlb_context *ctx, int *failed, vlb_error *err) {
  runner r = {.plan = plan, .root = root, .ctx = ctx, .outlook = calloc((size_t)plan->count, sizeof(vlb_cell_outlook))};
  fate *fates = calloc((size_t)plan->count, sizeof *fates);
  char cells[1024];
  vlb_code code = r.outlook && fates ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory");
  *failed = 0;
  if (!code) code = vlb_store_folder(root, "", cells, err);
  if (!code) code = vlb_folder_make(cells, err);
  if (!code) code = run_rounds(&r, fates, failed, err);
  free(r.outlook);
  free(fates);
  return code;
}
