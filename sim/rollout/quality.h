/* quality.csv: how well the expert did, one row per recorded task. */
#ifndef VLB_SIM_QUALITY_H
#define VLB_SIM_QUALITY_H

#include "core/data/episodes.h"
#include "sim/task/task.h"

typedef struct {
  int tried;      /* attempts; 0: no row */
  char text[640]; /* what stands in the row after tried */
} vlb_quality;

/* episodes [n]: what was stored. starts [n,width]: where the scene's bodies were in the first frame (m). The columns:
 *   succeeded, length_min, length_median, length_max  frames; the lower median
 *   action_low, action_high                           of each number of the actions, over all frames
 *   start_numbers                                     coordinates of bodies that differ by more than 2 mm between the starts
 *   start_coverage                                    of ten equal parts of such a coordinate's range, the share that some start
 *                                                     falls into; mean over them */
vlb_code vlb_quality_measure(const vlb_episode *episodes, int n, const double *starts, int width, int tried, vlb_quality *out, vlb_error *err);

/* folder/quality.csv with the rows of all tasks that have one, in task order. Atomic. */
vlb_code vlb_quality_write(const char *folder, const vlb_suite *suite, const vlb_quality *rows, vlb_error *err);

/* Rows by task name; a missing file or a row that does not parse leaves tried at 0. */
vlb_code vlb_quality_read(const char *folder, const vlb_suite *suite, vlb_quality *rows, vlb_error *err);

#endif
