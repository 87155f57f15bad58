/* clock.csv beside episodes.csv: what virtual time cost each episode; queue.csv: the traces that were asked for. Cells of evaluations without a clock
 * have neither. */
#ifndef VLB_STORE_CLOCK_CSV_H
#define VLB_STORE_CLOCK_CSV_H

#include "sim/rollout/rollout.h"

/* folder/clock.csv, and folder/queue.csv when some row has a trace. Atomic each. */
vlb_code vlb_clock_csv_write(const char *folder, const vlb_episode_result *rows, int n, vlb_error *err);

/* Fills rows[i].clock and completions of the n rows of the same cell. *known: whether the cell has a clock; rows are untouched when not. Errors: VLB_FAILED
 * with path and line. */
vlb_code vlb_clock_csv_read(const char *folder, vlb_episode_result *rows, int n, bool *known, vlb_error *err);

/* The trace of the episode (task, episode) of folder/queue.csv; *n = 0: there is none. Caller frees. */
vlb_code vlb_queue_csv_read(const char *folder, int task, int episode, vlb_timeline_tick **ticks, int *n, vlb_error *err);

#endif
