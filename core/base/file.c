#include "core/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- whole reads --- */

/* Far more than any text of ours. A wrong name (a video, /dev/zero) must not fill the memory. */
static const size_t MAX_WHOLE = (size_t)1 << 30;

/* Reads to the end: the size of a pipe or of /proc files is not known before. */
static vlb_code read_all(FILE *in, const char *path, char **data, size_t *size, vlb_error *err) {
  size_t capacity = 1 << 14, used = 0;
  struct stat st;
  if (fstat(fileno(in), &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) capacity = (size_t)st.st_size + 1;
  char *buf = NULL;
  for (;;) {
    if (capacity > MAX_WHOLE) {
      free(buf);
      return vlb_fail(err, VLB_FAILED, "%s: larger than %zu MB; is it the right file?", path, MAX_WHOLE >> 20);
    }
    char *grown = realloc(buf, capacity + 1);
    if (!grown) {
      free(buf);
      return vlb_fail(err, VLB_FAILED, "%s: out of memory for %zu bytes", path, capacity);
    }
    buf = grown;
    used += fread(buf + used, 1, capacity - used, in);
    if (used < capacity) break;
    capacity *= 2;
  }
  if (ferror(in)) {
    free(buf);
    return vlb_fail(err, VLB_FAILED, "%s: cannot read: %s", path, strerror(errno));
  }
  buf[used] = 0;
  *data = buf;
  *size = used;
  return VLB_OK;
}

vlb_code vlb_file_read(const char *path, char **data, size_t *size, vlb_error *err) {
  FILE *in = fopen(path, "rb");
  if (!in) return vlb_fail(err, VLB_FAILED, "%s: cannot open: %s", path, strerror(errno));
  vlb_code code = read_all(in, path, data, size, err);
  fclose(in);
  return code;
}

bool vlb_file_exists(const char *path) {
  struct stat st;
  return stat(path, &st) == 0;
}

bool vlb_is_folder(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* --- atomic writes --- */

void vlb_temp_name(const char *path, char *temp, size_t size) { snprintf(temp, size, "%s.tmp.%ld", path, (long)getpid()); }

/* Without this the new name may be lost by a power cut although the bytes are safe. */
static void sync_parent(const char *path) {
  char folder[1100];
  snprintf(folder, sizeof folder, "%s", path);
  char *slash = strrchr(folder, '/');
  if (slash == folder) slash++;
  if (slash) *slash = 0;
  int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

static vlb_code write_failed(const char *path, int why, vlb_error *err) {
  const char *remedy = why == ENOSPC || why == EDQUOT ? "; free some space and run the same command again" : "";
  return vlb_fail(err, VLB_FAILED, "%s: cannot write: %s%s", path, strerror(why ? why : EIO), remedy);
}

static vlb_code rename_synced(const char *temp, const char *path, vlb_error *err) {
  if (rename(temp, path)) {
    int why = errno;
    unlink(temp);
    return write_failed(path, why, err);
  }
  sync_parent(path);
  return VLB_OK;
}

vlb_code vlb_publish(const char *temp, const char *path, vlb_error *err) {
  int fd = open(temp, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fsync(fd)) {
    int why = errno;
    if (fd >= 0) close(fd);
    unlink(temp);
    return write_failed(path, why, err);
  }
  close(fd);
  return rename_synced(temp, path, err);
}

vlb_code vlb_writer_open(vlb_writer *w, const char *path, vlb_error *err) {
  w->out = NULL;
  VLB_TRY(vlb_path(w->path, sizeof w->path, err, "%s", path));
  vlb_temp_name(path, w->temp, sizeof w->temp);
  w->out = fopen(w->temp, "wb");
  if (!w->out) return write_failed(path, errno, err);
  return VLB_OK;
}

/* Why an earlier write to a stream failed: the stream only remembers that it did, so the file is asked again. */
static int ask_again(FILE *out) {
  static const char page[4096];
  ssize_t n;
  errno = 0;
  /* the last block may still take a part of the first page */
  for (int i = 0; i < 2; i++) n = write(fileno(out), page, sizeof page);
  return n < 0 ? errno : 0;
}

vlb_code vlb_writer_commit(vlb_writer *w, vlb_error *err) {
  errno = 0;
  bool good = fflush(w->out) == 0 && !ferror(w->out) && fsync(fileno(w->out)) == 0;
  int why = errno;
  if (!good && !why) why = ask_again(w->out);
  if (fclose(w->out) && good) {
    good = false;
    why = errno;
  }
  w->out = NULL;
  if (good) return rename_synced(w->temp, w->path, err);
  unlink(w->temp);
  return write_failed(w->path, why, err);
}

void vlb_writer_abort(vlb_writer *w) {
  if (!w->out) return;
  fclose(w->out);
  w->out = NULL;
  unlink(w->temp);
}

vlb_code vlb_file_write(const char *path, const void *data, size_t size, vlb_error *err) {
  vlb_writer w;
  VLB_TRY(vlb_writer_open(&w, path, err));
  if (size && fwrite(data, 1, size, w.out) != size) {
    int why = errno;
    vlb_writer_abort(&w);
    return write_failed(path, why, err);
  }
  return vlb_writer_commit(&w, err);
}

vlb_code vlb_file_copy(const char *from, const char *to, vlb_error *err) {
  static const size_t block = 1 << 16;
  vlb_writer w;
  FILE *in = fopen(from, "rb");
  if (!in) return vlb_fail(err, VLB_FAILED, "%s: cannot open: %s", from, strerror(errno));
  char *buf = malloc(block);
  vlb_code code = buf ? vlb_writer_open(&w, to, err) : vlb_fail(err, VLB_FAILED, "%s: out of memory", to);
  for (size_t n = 1; !code && n;) {
    n = fread(buf, 1, block, in);
    fwrite(buf, 1, n, w.out);
  }
  if (!code && ferror(in)) {
    code = vlb_fail(err, VLB_FAILED, "%s: cannot read: %s", from, strerror(errno));
    vlb_writer_abort(&w);
  } else if (!code) {
    code = vlb_writer_commit(&w, err);
  }
  free(buf);
  fclose(in);
  return code;
}

/* --- folders --- */

vlb_code vlb_folder_make(const char *path, vlb_error *err) {
  char part[1100];
  VLB_TRY(vlb_path(part, sizeof part, err, "%s", path));
  for (char *p = part + 1;; p++) {
    if (*p && *p != '/') continue;
    char kept = *p;
    *p = 0;
    if (mkdir(part, 0777) && errno != EEXIST)
      return vlb_fail(err, VLB_FAILED, "%s: cannot make the folder: %s", part, strerror(errno));
    *p = kept;
    if (!kept) break;
  }
  struct stat st;
  if (stat(path, &st) || !S_ISDIR(st.st_mode)) return vlb_fail(err, VLB_FAILED, "%s: is a file, a folder is needed here", path);
  return VLB_OK;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at) {
  (void)st, (void)kind, (void)at;
  return remove(path);
}

vlb_code vlb_folder_remove(const char *path, vlb_error *err) {
  enum { OPEN_FOLDERS = 16 };
  if (!nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) || errno == ENOENT) return VLB_OK;
  return vlb_fail(err, VLB_FAILED, "%s: cannot be removed: %s", path, strerror(errno));
}

bool vlb_folder_empty(const char *path) {
  DIR *folder = opendir(path);
  bool empty = folder || errno == ENOENT;
  for (struct dirent *entry; folder && empty && (entry = readdir(folder)) != NULL;)
    empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
  if (folder) closedir(folder);
  return empty;
}

/* Process number of a leftover "NAME.tmp.PID", 0 for any other name. */
static long writer_of(const char *name) {
  const char *mark = NULL;
  for (const char *p = name; (p = strstr(p, ".tmp.")) != NULL; p++) mark = p;
  if (!mark) return 0;
  char *end;
  long pid = strtol(mark + 5, &end, 10);
  return *end || end == mark + 5 || pid <= 0 ? 0 : pid;
}

static bool left_over(const char *name) {
  long pid = writer_of(name);
  return pid && kill((pid_t)pid, 0) && errno == ESRCH;
}

void vlb_folder_clean(const char *path) {
  DIR *folder = opendir(path);
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
    if (left_over(entry->d_name)) unlinkat(dirfd(folder), entry->d_name, 0);
  closedir(folder);
}

/* The neighbours of PATH are not ours: only names that continue its own with a process number are looked at. */
void vlb_temp_clean(const char *path) {
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
  int parent = (int)(base - path);
  char full[1300];
  if (vlb_path(full, sizeof full, NULL, "%.*s", parent, path)) return;
  DIR *folder = opendir(slash ? full : ".");
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    if (strncmp(entry->d_name, base, strlen(base))) continue;
    const char *rest = entry->d_name + strlen(base);
    if (strncmp(rest, ".tmp.", 5) || strstr(rest + 5, ".tmp.")) continue;
    if (!left_over(entry->d_name) || vlb_path(full, sizeof full, NULL, "%.*s%s", parent, path, entry->d_name)) continue;
    if (vlb_is_folder(full))
      vlb_folder_remove(full, NULL);
    else
      unlinkat(dirfd(folder), entry->d_name, 0);
  }
  closedir(folder);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static vlb_code add_path(vlb_file_list *list, const char *folder, const char *name, vlb_error *err) {
  size_t size = strlen(folder) + strlen(name) + 2;
  char **grown = realloc((void *)list->path, (size_t)(list->count + 1) * sizeof *grown), *path = malloc(size);
  if (grown) list->path = grown;
  if (!grown || !path) {
    free(path);
    return vlb_fail(err, VLB_FAILED, "%s: out of memory", folder);
  }
  snprintf(path, size, "%s/%s", folder, name);
  list->path[list->count++] = path;
  return VLB_OK;
}

vlb_code vlb_folder_list(const char *folder, const char *suffix, vlb_file_list *list, vlb_error *err) {
  *list = (vlb_file_list){NULL, 0};
  DIR *dir = opendir(folder);
  if (!dir) return vlb_fail(err, VLB_USAGE, "%s: cannot be listed: %s", folder, strerror(errno));
  vlb_code code = VLB_OK;
  for (struct dirent *entry; !code && (entry = readdir(dir)) != NULL;) {
    size_t n = strlen(entry->d_name), end = strlen(suffix);
    if (entry->d_name[0] == '.' || n < end || strcmp(entry->d_name + n - end, suffix)) continue;
    code = add_path(list, folder, entry->d_name, err);
  }
  closedir(dir);
  if (list->count) qsort((void *)list->path, (size_t)list->count, sizeof *list->path, by_name);
  if (code) vlb_list_free(list);
  return code;
}

void vlb_list_free(vlb_file_list *list) {
  for (int i = 0; i < list->count; i++) free(list->path[i]);
  free((void *)list->path);
  *list = (vlb_file_list){NULL, 0};
}

vlb_code vlb_path(char *buf, size_t size, vlb_error *err, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(buf, size, format, args);
  va_end(args);
  if (n >= 0 && (size_t)n < size) return VLB_OK;
  return vlb_fail(err, VLB_FAILED, "%.200s...: path is longer than %zu bytes", buf, size - 1);
}
