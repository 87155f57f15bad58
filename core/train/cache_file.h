/* A file of equal records, one per frame of a task, written in any order and by any number of threads and processes: the bytes of a record are
 * a function of its place, so two that write the same one do no harm. A record is a row of parts (layers); each part has a mark, the first
 * 8 bytes of its SHA-256, in a second file. Marks are written after their data has reached the disk: what is marked survives SIGKILL and a
 * power cut, what is damaged does not fit its mark. Reading is by memory map. While a file is open it is locked against removal. */
#ifndef VLB_TRAIN_CACHE_FILE_H
#define VLB_TRAIN_CACHE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

typedef struct {
  char path[1024]; /* PATH.data and PATH.marks */
  int data, marks; /* descriptors */
  int64_t frames;
  size_t parts, part_bytes;
  const char *map;  /* [frames, parts, part_bytes] */
  uint64_t *mark;   /* [frames, parts] as read and written here; 0: none */
} vlb_cache_file;

/* Opens or makes PATH.*. A file of another size is cut or grown, which its marks will tell. Errors: VLB_FAILED. */
vlb_code vlb_cache_file_open(vlb_cache_file *f, const char *path, int64_t frames, size_t parts, size_t part_bytes, vlb_error *err);
void vlb_cache_file_close(vlb_cache_file *f);

/* Whether the first `parts` parts of a frame are there and fit their marks. Reads them; drops their pages again. */
bool vlb_cache_file_holds(vlb_cache_file *f, int64_t frame, size_t parts);
/* Writes all parts of a frame, without its marks. Errors: no space left. */
vlb_code vlb_cache_file_write(vlb_cache_file *f, int64_t frame, const void *record, vlb_error *err);
/* Data to the disk, then the marks of n frames that were written. */
vlb_code vlb_cache_file_commit(vlb_cache_file *f, const int64_t *frames, int n, vlb_error *err);

const void *vlb_cache_file_at(const vlb_cache_file *f, int64_t frame); /* its parts, mapped */
void vlb_cache_file_drop(const vlb_cache_file *f);                      /* the map's pages leave this process's memory until they are used again */
int64_t vlb_cache_file_disk(const vlb_cache_file *f);                   /* bytes that it takes now */

/* ---- the folder of all such files ---- */

/* Bytes that the files of a folder take. */
int64_t vlb_cache_folder_disk(const char *folder);
/* Removes files that nobody has open, those first that were not used for longest, until the folder takes at most `bytes`; returns what it takes then. */
int64_t vlb_cache_folder_shrink(const char *folder, int64_t bytes);
/* Removes the files that nobody has open, and the folder when it is empty then. */
void vlb_cache_folder_remove(const char *folder);

#endif
