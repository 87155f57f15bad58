/* What a robot shows and takes: the widths and names that recordings, training and rollouts share. */
#ifndef VLB_DATA_EMBODIMENT_H
#define VLB_DATA_EMBODIMENT_H

#include "core/base/status.h"

enum { VLB_MAX_CAMERAS = 2, VLB_MAX_STATE = 8, VLB_MAX_ACTION = 7 };

/* How a policy sees a picture whose rows were rendered, and are stored, bottom-up. */
typedef enum {
  VLB_VIEW_ROTATED,  /* by 180 degrees: upright but mirrored, as every LIBERO policy sees it (libero.md 7) */
  VLB_VIEW_MIRRORED, /* left and right exchanged: upright for Meta-World's corner cameras, which hang upside down (metaworld.md 2) */
  VLB_VIEW_UPRIGHT   /* rows in reverse order: what an onlooker sees */
} vlb_view;

typedef struct {
  const char *name;                      /* "panda" */
  int state_dim, action_dim, cameras, rate; /* rate: control steps per second */
  const char *camera[VLB_MAX_CAMERAS];   /* names of the pictures in recordings and for policies */
  vlb_view view;
} vlb_embodiment;

extern const vlb_embodiment
    vlb_panda,  /* state: eef position 3 (m), axis-angle 3 (rad), finger joints 2 (m); action: OSC_POSE 7 (libero.md 6) */
    vlb_sawyer, /* state: hand position 3 (m), gripper opening 0..1; action: hand motion 3, gripper effort (metaworld.md 2) */
    vlb_so100,  /* state and action: 5 joint angles (rad), jaw (rad); cameras top, wrist */
    vlb_so101;  /* the same with cameras top, side */

/* By name. Errors: VLB_USAGE with did-you-mean. */
vlb_code vlb_embodiment_find(const char *name, const vlb_embodiment **out, vlb_error *err);

/* A unit quaternion xyzw as an axis times an angle in [0, 2 pi), as robosuite's quat2axisangle (libero.md 6). */
void vlb_axis_angle(const double quat[4], double out[3]);

#endif
