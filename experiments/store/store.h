/* Content-addressed results on disk: ROOT/cells/<kind>-<12 hex>/ holds
 *
 *   cell.toml      what was asked (its SHA-256 is the cell's name)
 *   *              what came out: demonstrations, weights, episodes.csv, ...
 *   manifest.json  digests of the above, parents, reproducibility class
 *   done           digest of manifest.json, written last: without it the cell does not exist
 *   log.txt, timing.json, failed   how it went; not part of the result, never digested
 *
 * A process may be killed at any moment: what has no `done` is work to continue. Files are the same bytes on every run. */
#ifndef VLB_STORE_STORE_H
#define VLB_STORE_STORE_H

#include "core/base/context.h"
#include "experiments/store/class.h"

typedef enum {
  VLB_STORED_ABSENT,
  VLB_STORED_PARTIAL, /* begun, neither done nor failed */
  VLB_STORED_FAILED,  /* ran into an error: log.txt and failed say which; runs again on the next call */
  VLB_STORED_CORRUPT, /* done, but a file is missing or has another size or digest */
  VLB_STORED_STRIPPED, /* done, but its demonstrations or weights were left behind (they are large and made again bit for bit): its other
                        * files are still facts, and it is made again only when a cell needs what is missing */
  VLB_STORED_DONE
} vlb_stored;
const char *vlb_stored_name(vlb_stored state);

/* Folder of a cell into path[1024]. */
vlb_code vlb_store_folder(const char *root, const char *name, char path[1024], vlb_error *err);

/* State of a cell. deep: read every byte and compare digests, otherwise names and sizes. why (may be NULL): for CORRUPT the file
 * and what is wrong, for FAILED the message of the failure. */
vlb_stored vlb_store_state(const char *root, const char *name, bool deep, vlb_error *why);

/* A cell being made, locked against other processes. */
typedef struct {
  char folder[1024];
  int lock;
  double started, cpu; /* seconds: by the clock, processor time of this program until then */
  vlb_log *log;
} vlb_store_cell;

/* What goes into the manifest besides the files. */
typedef struct {
  const char *name, *hash, *kind;
  const char *const *parents; /* [parent_count] names of the cells it was made from */
  int parent_count;
  const vlb_class *class;
  int64_t work; /* units done */
  double expected_cpu, expected_bytes; /* what the cell was thought to take (experiments/plan/estimate.h), for later estimates */
  int estimate;                        /* version of that thought: figures of different ones are not summed */
  int threads;
} vlb_store_facts;

/* Makes the folder, waits for the lock, writes cell.toml, appends further messages to log.txt. When another process finished the
 * cell meanwhile, *done is true and nothing is open. Corrupt leftovers are removed, partial ones kept. */
vlb_code vlb_store_begin(vlb_store_cell *cell, const char *root, const char *name, const char *text, const vlb_context *ctx,
                         bool *done, vlb_error *err);
/* Publishes everything in the folder: manifest.json, then done. Closes the cell whatever happens. */
vlb_code vlb_store_finish(vlb_store_cell *cell, const vlb_store_facts *facts, vlb_error *err);
/* Closes the cell without a result. why: the failure to keep in `failed`; an interruption keeps nothing. */
void vlb_store_abandon(vlb_store_cell *cell, const vlb_error *why);

/* Brings what another store has finished: cells that this one has not, and what its stripped ones lack. Every byte is checked on the way. A cell
 * that both have is left as it is. copied, skipped: numbers of cells; skipped are those that are not done there, or damaged, each told through
 * the log. Errors: VLB_USAGE when `from` is no store, VLB_FAILED when this one cannot be written. */
vlb_code vlb_store_merge(const char *root, const char *from, const vlb_context *ctx, int *copied, int *skipped, vlb_error *err);

/* Is another process making this cell now? */
bool vlb_store_busy(const char *root, const char *name);

/* The reproducibility class that a finished cell was made in. */
vlb_code vlb_store_class(const char *root, const char *name, vlb_class *class, vlb_error *err);

/* Of the finished cells of a kind ("train") in this store, summed: what they took and what had been expected by that version of the estimate. */
typedef struct {
  int cells;
  double cpu, expected_cpu;     /* seconds of processor time */
  double bytes, expected_bytes;
} vlb_store_sums;
vlb_store_sums vlb_store_sum(const char *root, const char *kind, int estimate);

/* What a finished cell took: processor seconds and bytes; false: not known. */
bool vlb_store_took(const char *root, const char *name, double *cpu, double *bytes);

/* Calls each(self, name) for the cells in name order. */
vlb_code vlb_store_each(const char *root, void (*each)(void *self, const char *name), void *self, vlb_error *err);
int vlb_store_count(const char *root); /* cells in whatever state; 0 when there is no store */

#endif
