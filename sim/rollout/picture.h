/* Pictures for people: upright, as an onlooker sees the scene (a policy's pictures are mirrored, see policy.h). */
#ifndef VLB_SIM_PICTURE_H
#define VLB_SIM_PICTURE_H

#include "sim/task/task.h"

typedef struct {
  int episode, size, shadows; /* size: pixels of one square picture */
  uint64_t seed;
} vlb_picture_settings;

/* The start of one task, one camera (0 agentview, 1 wrist; -1 both, side by side), as PNG. */
vlb_code vlb_picture_start(const vlb_suite *suite, int task, int camera, const vlb_picture_settings *s, const char *path, vlb_error *err);

/* The starts of all tasks: five to a row, the wrist's view below the agentview. */
vlb_code vlb_picture_suite(const vlb_suite *suite, const vlb_picture_settings *s, const char *path, vlb_error *err);

/* The expert's episode as a contact sheet of `rows` moments, agentview and wrist side by side, time downwards.
 * *succeeded (may be NULL): whether the expert reached the goal. */
vlb_code vlb_picture_sheet(const vlb_suite *suite, int task, int rows, const vlb_picture_settings *s, const char *path, int *succeeded, vlb_error *err);

/* The same as a film (MP4, both cameras side by side, real time) through an ffmpeg process. Errors (VLB_FAILED): ffmpeg is not
 * installed, or what it said. */
vlb_code vlb_picture_film(const vlb_suite *suite, int task, const vlb_picture_settings *s, const char *path, int *succeeded, vlb_error *err);

#endif
