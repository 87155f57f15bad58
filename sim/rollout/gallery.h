/* What a gallery shows of a task: how it begins, how the scripted expert leaves it, and how often the expert succeeds. */
#ifndef VLB_SIM_GALLERY_H
#define VLB_SIM_GALLERY_H

#include "sim/task/task.h"

typedef struct {
  int episodes, size; /* of the expert; pixels of one picture */
  uint64_t seed;
} vlb_gallery_settings;

typedef struct {
  uint8_t *rgb;         /* [2,size,size,3], upright: start and last frame of the first episode that succeeded, else of the last one */
  int tried, succeeded; /* episodes; tried 0: no expert knows this task */
  int steps;            /* control steps of the episode shown */
  char why[512];        /* what the expert or the simulator complained of last; empty: nothing */
} vlb_exhibit;

/* Plays episodes 0.. of the expert; pictures are the first camera's. Errors (VLB_FAILED): scene, renderer, memory. Caller:
 * vlb_exhibit_free. */
vlb_code vlb_exhibit_make(const vlb_suite *suite, int task, const vlb_gallery_settings *s, vlb_exhibit *out, vlb_error *err);
void vlb_exhibit_free(vlb_exhibit *e); /* zeroed is fine */

#endif
