/* An episode that was driven, again on the virtual clock. */
#ifndef VLB_WIRE_DRIVE_REPLAY_H
#define VLB_WIRE_DRIVE_REPLAY_H

#include "experiments/wire/drive.h"

/* Fills replayed and at_mean of the result and of its ticks. rate: control steps per second. */
vlb_code vlb_drive_replay(const vlb_control_config *config, const vlb_control_shape *shape, int rate, vlb_drive_result *result, vlb_error *err);

#endif
