/* Files on disk: whole reads, atomic writes (temp + fsync + rename), folders. */
#ifndef VLB_BASE_FILE_H
#define VLB_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/base/status.h"

/* Whole file, of at most 1 GB, into malloc'd memory with a closing zero (not counted). Caller frees. */
vlb_code vlb_file_read(const char *path, char **data, size_t *size, vlb_error *err);

/* A file being written beside its final place as PATH.tmp.PID. Write to `out`, then commit (flush, fsync, rename, fsync of
 * the folder) or abort (removes it). A killed process leaves at most a *.tmp.* file, which vlb_folder_clean removes. */
typedef struct {
  FILE *out;
  char path[1024], temp[1100];
} vlb_writer;
vlb_code vlb_writer_open(vlb_writer *w, const char *path, vlb_error *err);
vlb_code vlb_writer_commit(vlb_writer *w, vlb_error *err); /* aborts on failure; "no space left" names the path */
void vlb_writer_abort(vlb_writer *w);
/* The two halves for libraries that write a path themselves (HDF5): temp name first, then publish it. */
void vlb_temp_name(const char *path, char *temp, size_t size);
vlb_code vlb_publish(const char *temp, const char *path, vlb_error *err);

vlb_code vlb_file_write(const char *path, const void *data, size_t size, vlb_error *err); /* whole file, atomic */
vlb_code vlb_file_copy(const char *from, const char *to, vlb_error *err);                  /* whole file, atomic; of any size */
vlb_code vlb_folder_make(const char *path, vlb_error *err);                               /* with its parents */
vlb_code vlb_folder_remove(const char *path, vlb_error *err);                             /* with all that is in it; absent is fine */

/* Paths FOLDER/NAME of what a folder holds whose name ends in `suffix`, by name, without hidden ones. None is no error.
 * Errors: VLB_USAGE when it is no folder that can be listed. Caller: vlb_list_free. */
typedef struct {
  char **path;
  int count;
} vlb_file_list;
vlb_code vlb_folder_list(const char *folder, const char *suffix, vlb_file_list *list, vlb_error *err);
void vlb_list_free(vlb_file_list *list);

void vlb_folder_clean(const char *path); /* removes leftover *.tmp.* files of dead processes in this folder */
void vlb_temp_clean(const char *path);   /* removes what dead processes left of PATH alone: files and folders PATH.tmp.PID */
bool vlb_file_exists(const char *path);
bool vlb_is_folder(const char *path);
bool vlb_folder_empty(const char *path); /* or absent */

/* snprintf into a fixed path buffer; VLB_FAILED when it does not fit. */
vlb_code vlb_path(char *buf, size_t size, vlb_error *err, const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
