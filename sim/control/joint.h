/* Joint position control: every actuator of the model is a position servo of one joint, as on the SO-100. */
#ifndef VLB_SIM_JOINT_H
#define VLB_SIM_JOINT_H

#include "sim/world/scene.h"

enum { VLB_SO_JOINTS = 6 }; /* pan, lift, elbow, wrist flex, wrist roll, jaw: first in qpos and qvel, in the actuators' order */

/* Angles as the servos measure them, rad. */
void vlb_joint_state(const mjData *data, float state[VLB_SO_JOINTS]);

/* One control step of 1/rate s. targets: rad, clipped to the joints' ranges. Errors (VLB_FAILED): a target that is not
 * finite; "simulator instability ..." when MuJoCo warns. */
vlb_code vlb_joint_step(const vlb_scene *scene, const mjModel *model, mjData *data, const double targets[VLB_SO_JOINTS], vlb_error *err);

#endif
