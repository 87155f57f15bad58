#include "core/train/cache_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/hash.h"

static vlb_code fail_here(const vlb_cache_file *f, const char *what, vlb_error *err) {
  return vlb_fail(err, VLB_FAILED, "%s: %s: %s%s", f->path, what, strerror(errno),
                  errno == ENOSPC ? "; lower train.prefix_cache_gb or free some space" : "");
}

static size_t record_bytes(const vlb_cache_file *f) { return f->parts * f->part_bytes; }
static size_t mark_bytes(const vlb_cache_file *f) { return (size_t)f->frames * f->parts * sizeof(uint64_t); }

/* ---- open and close ---- */

/* Opens both files and locks them, so that vlb_cache_folder_shrink leaves them alone; again when they were removed before the lock was there. */
static vlb_code open_locked(vlb_cache_file *f, vlb_error *err) {
  char data[1100], marks[1100];
  struct stat st;
  VLB_TRY(vlb_path(data, sizeof data, err, "%s.data", f->path));
  VLB_TRY(vlb_path(marks, sizeof marks, err, "%s.marks", f->path));
  for (int attempt = 0; attempt < 100; attempt++) {
    f->marks = open(marks, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (f->marks < 0 || flock(f->marks, LOCK_SH)) return fail_here(f, "cannot open the marks", err);
    f->data = open(data, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (f->data < 0) return fail_here(f, "cannot open the data", err);
    if (!fstat(f->marks, &st) && st.st_nlink) return VLB_OK;
    close(f->marks), close(f->data);
    f->marks = f->data = -1;
  }
  return vlb_fail(err, VLB_FAILED, "%s: removed again and again by another program", f->path);
}

static vlb_code read_marks(vlb_cache_file *f, vlb_error *err) {
  size_t size = mark_bytes(f);
  struct stat st;
  f->mark = calloc(size / sizeof *f->mark + 1, sizeof *f->mark);
  if (!f->mark) return vlb_fail(err, VLB_FAILED, "%s: out of memory", f->path);
  if (fstat(f->marks, &st)) return fail_here(f, "cannot read the marks", err);
  if (st.st_size != (off_t)size) return ftruncate(f->marks, (off_t)size) ? fail_here(f, "cannot size the marks", err) : VLB_OK;
  for (size_t at = 0; at < size;) {
    ssize_t n = pread(f->marks, (char *)f->mark + at, size - at, (off_t)at);
    if (n <= 0) return fail_here(f, "cannot read the marks", err);
    at += (size_t)n;
  }
  return VLB_OK;
}

static vlb_code map_data(vlb_cache_file *f, vlb_error *err) {
  size_t size = (size_t)f->frames * record_bytes(f);
  struct stat st;
  if (fstat(f->data, &st)) return fail_here(f, "cannot read", err);
  if (st.st_size != (off_t)size && ftruncate(f->data, (off_t)size)) return fail_here(f, "cannot size", err);
  void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, f->data, 0);
  if (map == MAP_FAILED) return fail_here(f, "cannot map", err);
  f->map = map;
  return VLB_OK;
}

vlb_code vlb_cache_file_open(vlb_cache_file *f, const char *path, int64_t frames, size_t parts, size_t part_bytes, vlb_error *err) {
  *f = (vlb_cache_file){.data = -1, .marks = -1, .frames = frames, .parts = parts, .part_bytes = part_bytes};
  VLB_TRY(vlb_path(f->path, sizeof f->path, err, "%s", path));
  vlb_code code = open_locked(f, err);
  if (!code) code = read_marks(f, err);
  if (!code) code = map_data(f, err);
  if (code) {
    vlb_cache_file_close(f);
    return code;
  }
  (void)futimens(f->marks, NULL); /* the time of use decides what is removed first */
  return VLB_OK;
}

void vlb_cache_file_close(vlb_cache_file *f) {
  if (f->map) munmap((void *)(uintptr_t)f->map, (size_t)f->frames * record_bytes(f));
  if (f->data >= 0) close(f->data);
  if (f->marks >= 0) close(f->marks);
  free(f->mark);
  *f = (vlb_cache_file){.data = -1, .marks = -1};
}

/* ---- records ---- */

const void *vlb_cache_file_at(const vlb_cache_file *f, int64_t frame) { return f->map + (size_t)frame * record_bytes(f); }

static uint64_t mark_of(const void *part, size_t bytes) {
  char hex[VLB_HASH_SIZE];
  vlb_hash(part, bytes, hex);
  hex[16] = 0;
  uint64_t mark = strtoull(hex, NULL, 16);
  return mark ? mark : 1;
}

/* whole pages of a stretch of the map; its neighbours' pages are only read again */
static void drop(const char *from, size_t bytes) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)from / page * page;
  madvise((void *)begin, (uintptr_t)from + bytes - begin, MADV_DONTNEED);
}

bool vlb_cache_file_holds(vlb_cache_file *f, int64_t frame, size_t parts) {
  const uint64_t *mark = f->mark + (size_t)frame * f->parts;
  const char *record = vlb_cache_file_at(f, frame);
  bool good = true;
  for (size_t i = 0; good && i < parts; i++) good = mark[i];
  if (!good) return false;
  for (size_t i = 0; good && i < parts; i++) good = mark[i] == mark_of(record + i * f->part_bytes, f->part_bytes);
  drop(record, parts * f->part_bytes);
  return good;
}

static vlb_code write_at(vlb_cache_file *f, int fd, const void *from, size_t bytes, off_t at, vlb_error *err) {
  for (size_t done = 0; done < bytes;) {
    ssize_t n = pwrite(fd, (const char *)from + done, bytes - done, at + (off_t)done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_here(f, "cannot write", err);
    done += (size_t)n;
  }
  return VLB_OK;
}

vlb_code vlb_cache_file_write(vlb_cache_file *f, int64_t frame, const void *record, vlb_error *err) {
  for (size_t i = 0; i < f->parts; i++)
    f->mark[(size_t)frame * f->parts + i] = mark_of((const char *)record + i * f->part_bytes, f->part_bytes);
  return write_at(f, f->data, record, record_bytes(f), (off_t)((size_t)frame * record_bytes(f)), err);
}

vlb_code vlb_cache_file_commit(vlb_cache_file *f, const int64_t *frames, int n, vlb_error *err) {
  size_t bytes = f->parts * sizeof *f->mark;
  if (fdatasync(f->data)) return fail_here(f, "cannot write", err);
  for (int i = 0; i < n; i++)
    VLB_TRY(write_at(f, f->marks, f->mark + (size_t)frames[i] * f->parts, bytes, (off_t)((size_t)frames[i] * bytes), err));
  return VLB_OK;
}

void vlb_cache_file_drop(const vlb_cache_file *f) { drop(f->map, (size_t)f->frames * record_bytes(f)); }

static int64_t disk_of(int fd) {
  struct stat st;
  return fstat(fd, &st) ? 0 : (int64_t)st.st_blocks * 512;
}

int64_t vlb_cache_file_disk(const vlb_cache_file *f) { return disk_of(f->data) + disk_of(f->marks); }

/* ---- the folder ---- */

static int64_t disk_at(const char *path) {
  struct stat st;
  return stat(path, &st) ? 0 : (int64_t)st.st_blocks * 512;
}

int64_t vlb_cache_folder_disk(const char *folder) {
  static const char *const suffixes[] = {".data", ".marks"};
  int64_t sum = 0;
  for (int k = 0; k < 2; k++) {
    vlb_file_list list;
    if (vlb_folder_list(folder, suffixes[k], &list, NULL)) continue;
    for (int i = 0; i < list.count; i++) sum += disk_at(list.path[i]);
    vlb_list_free(&list);
  }
  return sum;
}

/* when a file was used last, in nanoseconds; INT64_MAX when it is not there */
static int64_t used_at(const char *path) {
  struct stat st;
  return stat(path, &st) ? INT64_MAX : (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

/* removes marks and data unless somebody has them open: marks first, so that data without marks is all that a kill can leave */
static void remove_unused(const char *marks) {
  char data[1100];
  int fd = open(marks, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  if (!flock(fd, LOCK_EX | LOCK_NB)) {
    snprintf(data, sizeof data, "%.*s.data", (int)(strlen(marks) - strlen(".marks")), marks);
    (void)unlink(marks);
    (void)unlink(data);
  }
  close(fd);
}

/* what a kill between two removals leaves */
static void remove_orphans(const char *folder) {
  vlb_file_list list;
  char marks[1100];
  if (vlb_folder_list(folder, ".data", &list, NULL)) return;
  for (int i = 0; i < list.count; i++) {
    snprintf(marks, sizeof marks, "%.*s.marks", (int)(strlen(list.path[i]) - strlen(".data")), list.path[i]);
    if (!vlb_file_exists(marks)) (void)unlink(list.path[i]);
  }
  vlb_list_free(&list);
}

int64_t vlb_cache_folder_shrink(const char *folder, int64_t bytes) {
  vlb_file_list list;
  remove_orphans(folder);
  int64_t now = vlb_cache_folder_disk(folder);
  if (now <= bytes || vlb_folder_list(folder, ".marks", &list, NULL)) return now;
  for (int round = 0; round < list.count && now > bytes; round++) {
    int oldest = 0;
    for (int i = 1; i < list.count; i++)
      if (used_at(list.path[i]) < used_at(list.path[oldest])) oldest = i;
    remove_unused(list.path[oldest]);
    *list.path[oldest] = 0; /* not again, whether it went or was in use */
    now = vlb_cache_folder_disk(folder);
  }
  vlb_list_free(&list);
  return now;
}

void vlb_cache_folder_remove(const char *folder) {
  (void)vlb_cache_folder_shrink(folder, -1);
  (void)rmdir(folder);
}
