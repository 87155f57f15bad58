/* Messages and progress on stderr; stdout is for data. Colour only on a terminal without NO_COLOR.
 * Safe to call from several threads. */
#ifndef VLB_BASE_LOG_H
#define VLB_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct vlb_log vlb_log;

/* A log on `out` (stderr in the program). quiet drops info and progress, never warnings. NULL on no memory. */
vlb_log *vlb_log_open(FILE *out, bool quiet);
void vlb_log_close(vlb_log *log);

/* Also appends every message and every finished progress line to `path` (a cell's log.txt); NULL ends it.
 * Returns false when the file cannot be opened. */
bool vlb_log_tee(vlb_log *log, const char *path);

void vlb_info(vlb_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vlb_warn(vlb_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Progress of one long task: "train interleaved  1200/4000  30% 12.3 steps/s, 3m48s left  loss 0.12".
 * On a terminal the line is redrawn at most ten times a second, else one line is printed every ten seconds
 * and at the end. At most one progress is open per log; `unit` is a plural noun. */
void vlb_progress_begin(vlb_log *log, const char *label, int64_t done, int64_t total, const char *unit);
void vlb_progress_set(vlb_log *log, int64_t done, const char *note_format, ...) __attribute__((format(printf, 3, 4)));
void vlb_progress_end(vlb_log *log);

#endif
