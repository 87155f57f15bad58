#include "experiments/store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/file.h"
#include "experiments/store/manifest.h"

static const char *const states[] = {"absent", "partial", "failed", "corrupt", "stripped", "done"};

const char *vlb_stored_name(vlb_stored state) { return states[state]; }

static double now_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* of all threads, and of programs that ended */
static double cpu_seconds(void) {
  double sum = 0;
  for (int i = 0; i < 2; i++) {
    struct rusage u;
    if (getrusage(i ? RUSAGE_CHILDREN : RUSAGE_SELF, &u)) continue;
    sum += (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec + 1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
  }
  return sum;
}

static bool has(const char *folder, const char *name) {
  char path[1024];
  return !vlb_path(path, sizeof path, NULL, "%s/%s", folder, name) && vlb_file_exists(path);
}

static void remove_in(const char *folder, const char *name) {
  char path[1024];
  if (!vlb_path(path, sizeof path, NULL, "%s/%s", folder, name)) (void)unlink(path);
}

vlb_code vlb_store_folder(const char *root, const char *name, char path[1024], vlb_error *err) {
  return vlb_path(path, 1024, err, "%s/cells/%s", root, name);
}

/* First line of `failed` into why. */
static void read_failure(const char *folder, vlb_error *why) {
  char path[1024], *text;
  size_t size;
  if (!why || vlb_path(path, sizeof path, why, "%s/failed", folder) || vlb_file_read(path, &text, &size, why)) return;
  vlb_fail(why, VLB_FAILED, "%.*s", (int)strcspn(text, "\n"), text);
  free(text);
}

vlb_stored vlb_store_state(const char *root, const char *name, bool deep, vlb_error *why) {
  char folder[1024];
  if (vlb_store_folder(root, name, folder, why) || !vlb_file_exists(folder)) return VLB_STORED_ABSENT;
  if (has(folder, "done")) {
    bool stripped = false;
    if (vlb_manifest_check(folder, deep, &stripped, why)) return VLB_STORED_CORRUPT;
    return stripped ? VLB_STORED_STRIPPED : VLB_STORED_DONE;
  }
  if (!has(folder, "failed")) return VLB_STORED_PARTIAL;
  read_failure(folder, why);
  return VLB_STORED_FAILED;
}

vlb_code vlb_store_class(const char *root, const char *name, vlb_class *class, vlb_error *err) {
  char folder[1024];
  VLB_TRY(vlb_store_folder(root, name, folder, err));
  return vlb_manifest_class(folder, class, err);
}

/* Removes everything but the log: nothing of a corrupt cell can be trusted, not even what looks complete. */
static void clear_folder(const char *folder) {
  DIR *dir = opendir(folder);
  if (!dir) return;
  for (struct dirent *e; (e = readdir(dir));)
    if (e->d_name[0] != '.' && strcmp(e->d_name, "log.txt")) remove_in(folder, e->d_name);
  closedir(dir);
}

/* Locks the folder itself (no lock files to leave behind); the system lets go when the process dies. */
static vlb_code lock_folder(vlb_store_cell *cell, const vlb_context *ctx, vlb_error *err) {
  cell->lock = open(cell->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (cell->lock < 0) return vlb_fail(err, VLB_FAILED, "%s: %s", cell->folder, strerror(errno));
  bool told = false;
  while (flock(cell->lock, LOCK_EX | LOCK_NB)) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      vlb_warn(ctx->log, "%s: this file system has no locks; do not run the same cell twice at once", cell->folder);
      return VLB_OK;
    }
    if (!told) vlb_info(ctx->log, "%s: another process is making this cell; waiting", cell->folder);
    told = true;
    vlb_code code = vlb_check_stop(ctx, err);
    if (code) {
      close(cell->lock);
      return code;
    }
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
  }
  return VLB_OK;
}

bool vlb_store_busy(const char *root, const char *name) {
  char folder[1024];
  if (vlb_store_folder(root, name, folder, NULL)) return false;
  int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock < 0) return false;
  bool busy = flock(lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
  if (!busy) (void)flock(lock, LOCK_UN);
  close(lock);
  return busy;
}

static vlb_code prepare(vlb_store_cell *cell, const char *text, vlb_error *err) {
  char path[1024];
  vlb_folder_clean(cell->folder);
  remove_in(cell->folder, "failed");
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/cell.toml", cell->folder));
  VLB_TRY(vlb_file_write(path, text, strlen(text), err));
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/log.txt", cell->folder));
  return vlb_log_tee(cell->log, path) ? VLB_OK : vlb_fail(err, VLB_FAILED, "%s: cannot be written", path);
}

static void unlock(vlb_store_cell *cell) {
  /* closing alone would leave the lock with a child process that inherited the file */
  (void)flock(cell->lock, LOCK_UN);
  close(cell->lock);
}

static void close_cell(vlb_store_cell *cell) {
  vlb_log_tee(cell->log, NULL);
  unlock(cell);
}

vlb_code vlb_store_begin(vlb_store_cell *cell, const char *root, const char *name, const char *text, const vlb_context *ctx,
                         bool *done, vlb_error *err) {
  *cell = (vlb_store_cell){.lock = -1, .started = now_seconds(), .cpu = cpu_seconds(), .log = ctx->log};
  *done = false;
  VLB_TRY(vlb_store_folder(root, name, cell->folder, err));
  VLB_TRY(vlb_folder_make(cell->folder, err));
  VLB_TRY(lock_folder(cell, ctx, err));
  vlb_error why = {VLB_OK, ""};
  vlb_stored state = vlb_store_state(root, name, true, &why);
  if (state == VLB_STORED_DONE) {
    *done = true;
    unlock(cell);
    return VLB_OK;
  }
  if (state == VLB_STORED_CORRUPT) vlb_warn(ctx->log, "%s; making the cell again", why.message);
  if (state == VLB_STORED_CORRUPT || state == VLB_STORED_STRIPPED) clear_folder(cell->folder);
  vlb_code code = prepare(cell, text, err);
  if (code) close_cell(cell);
  return code;
}

/* of everything that is digested */
static double folder_bytes(const char *folder) {
  double sum = 0;
  DIR *dir = opendir(folder);
  for (struct dirent *e; dir && (e = readdir(dir));) {
    char path[1400];
    struct stat info;
    if (!vlb_is_result_file(e->d_name) || vlb_path(path, sizeof path, NULL, "%s/%s", folder, e->d_name)) continue;
    if (!stat(path, &info)) sum += (double)info.st_size;
  }
  if (dir) closedir(dir);
  return sum;
}

static vlb_code write_timing(const vlb_store_cell *cell, const vlb_store_facts *facts, vlb_error *err) {
  char path[1024], text[512], when[32];
  time_t t = time(NULL);
  strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
  snprintf(text, sizeof text,
           "{\"kind\": \"%s\", \"seconds\": %.3f, \"cpu\": %.3f, \"expected_cpu\": %.4g, \"bytes\": %.0f, \"expected_bytes\": %.4g, \"estimate\": %d, \"work\": %lld, "
           "\"threads\": %d, \"finished\": \"%s\"}\n",
           facts->kind, now_seconds() - cell->started, cpu_seconds() - cell->cpu, facts->expected_cpu, folder_bytes(cell->folder), facts->expected_bytes,
           facts->estimate, (long long)facts->work, facts->threads, when);
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/timing.json", cell->folder));
  return vlb_file_write(path, text, strlen(text), err);
}

vlb_code vlb_store_finish(vlb_store_cell *cell, const vlb_store_facts *facts, vlb_error *err) {
  vlb_code code = write_timing(cell, facts, err);
  if (!code) code = vlb_manifest_write(cell->folder, facts, err);
  if (code) {
    vlb_store_abandon(cell, err);
    return code;
  }
  /* only of use while the cell is unfinished, and as large as three models */
  remove_in(cell->folder, "checkpoint.safetensors");
  close_cell(cell);
  return VLB_OK;
}

void vlb_store_abandon(vlb_store_cell *cell, const vlb_error *why) {
  if (why && why->code != VLB_INTERRUPTED) {
    char path[1024], line[1100];
    int n = snprintf(line, sizeof line, "%s\n", why->message);
    /* best effort: the disk may be what failed, and without the marker the cell is partial, which runs again just the same */
    if (n > 0 && !vlb_path(path, sizeof path, NULL, "%s/failed", cell->folder)) (void)vlb_file_write(path, line, (size_t)n, NULL);
  }
  close_cell(cell);
}

static int not_hidden(const struct dirent *e) { return e->d_name[0] != '.'; }

vlb_code vlb_store_each(const char *root, void (*each)(void *self, const char *name), void *self, vlb_error *err) {
  char folder[1024];
  VLB_TRY(vlb_store_folder(root, "", folder, err));
  struct dirent **entry;
  int n = scandir(folder, &entry, not_hidden, alphasort);
  if (n < 0 && errno == ENOENT) return VLB_OK; /* no store yet: no cells */
  if (n < 0) return vlb_fail(err, VLB_FAILED, "%s: cannot be listed: %s", folder, strerror(errno));
  for (int i = 0; i < n; i++) {
    each(self, entry[i]->d_name);
    free(entry[i]);
  }
  free(entry);
  return VLB_OK;
}

static void count_cell(void *self, const char *name) {
  (void)name;
  ++*(int *)self;
}

int vlb_store_count(const char *root) {
  int n = 0;
  (void)vlb_store_each(root, count_cell, &n, NULL);
  return n;
}

/* Numbers of a timing.json; cells of older programs do not say what was expected, or by which estimate. */
static bool read_timing(const char *root, const char *name, vlb_store_sums *one, int *estimate) {
  *estimate = 0;
  char path[1024];
  if (vlb_path(path, sizeof path, NULL, "%s/cells/%s/timing.json", root, name)) return false;
  json_t *json = json_load_file(path, 0, NULL);
  bool good = json && !json_unpack(json, "{s:F,s:F,s:F,s:F,s?i}", "cpu", &one->cpu, "expected_cpu", &one->expected_cpu, "bytes", &one->bytes,
                                   "expected_bytes", &one->expected_bytes, "estimate", estimate);
  json_decref(json);
  return good;
}

typedef struct {
  const char *root, *kind;
  int estimate;
  vlb_store_sums sums;
} summing;

static void add_timing(void *self, const char *name) {
  summing *s = self;
  vlb_store_sums one;
  int estimate;
  if (strncmp(name, s->kind, strlen(s->kind)) || !read_timing(s->root, name, &one, &estimate)) return;
  if (estimate != s->estimate || !(one.expected_cpu > 0) || !(one.expected_bytes > 0)) return;
  s->sums.cells++;
  s->sums.cpu += one.cpu;
  s->sums.expected_cpu += one.expected_cpu;
  s->sums.bytes += one.bytes;
  s->sums.expected_bytes += one.expected_bytes;
}

vlb_store_sums vlb_store_sum(const char *root, const char *kind, int estimate) {
  summing s = {.root = root, .kind = kind, .estimate = estimate};
  (void)vlb_store_each(root, add_timing, &s, NULL);
  return s.sums;
}

bool vlb_store_took(const char *root, const char *name, double *cpu, double *bytes) {
  vlb_store_sums one;
  int estimate;
  if (!read_timing(root, name, &one, &estimate)) return false;
  *cpu = one.cpu;
  *bytes = one.bytes;
  return true;
}
