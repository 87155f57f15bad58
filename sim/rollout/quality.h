/* quality.csv: how well the expert did, one row per recorded task. */
#ifndef VLB_SIM_QUALITY_H
#define VLB_SIM_QUALITY_H

#include "core/data/episodes.h"
#include "sim/task/task.h"

typedef struct {
  int tried, succeeded;                         /* attempts; tried 0: no row */
  int length_min, length_median, length_max;    /* frames of the stored demonstrations; the lower median */
} vlb_quality;

vlb_code vlb_quality_measure(const vlb_episode *episodes, int n, int tried, vlb_quality *out, vlb_error *err);

/* folder/quality.csv with the rows of all tasks that have one, in task order. Atomic. */
vlb_code vlb_quality_write(const char *folder, const vlb_suite *suite, const vlb_quality *rows, vlb_error *err);

/* Rows by task name; a missing file or a row that does not parse leaves tried at 0. */
vlb_code vlb_quality_read(const char *folder, const vlb_suite *suite, vlb_quality *rows, vlb_error *err);

#endif
