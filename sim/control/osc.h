/* Operational-space pose control of the arm and its gripper, as robosuite 1.4 OSC_POSE (libero.md 6). */
#ifndef VLB_SIM_OSC_H
#define VLB_SIM_OSC_H

#include "sim/world/scene.h"

enum { VLB_SUBSTEPS = 25 }; /* 20 Hz control over 2 ms physics */

/* Controller memory: not part of the MuJoCo state. */
typedef struct {
  double goal_pos[3], goal_rot[9], rest[VLB_ARM_JOINTS]; /* m, row-major rotation, rad */
  double gripper[2];                                     /* target in [-1,1] per finger */
} vlb_osc;

/* Takes orientation goal and rest pose from the current state of data (mj_forward done). */
void vlb_osc_reset(vlb_osc *c, const vlb_scene *scene, const mjData *data);

/* One 50 ms control step: 25 x (kinematics, torques, mj_step). action: [7] clipped to [-1,1]: dx dy dz (0.05 m), rotation
 * (0.5 rad), gripper (-1 open, +1 close). Errors: VLB_FAILED "simulator instability ..." when MuJoCo warns of bad qpos/qvel/qacc. */
vlb_code vlb_osc_step(vlb_osc *c, const vlb_scene *scene, mjData *data, const double action[7], vlb_error *err);

/* The policy's 8-number state: eef position, axis-angle (0..2pi, no sign canonicalisation), finger joints. */
void vlb_eef_state(const vlb_scene *scene, const mjData *data, float state[8]);

#endif
