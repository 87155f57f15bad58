/* A scene: robot, arena and objects composed from our MJCF fragments and compiled. Constant; many vlb_world share one. */
#ifndef VLB_SIM_SCENE_H
#define VLB_SIM_SCENE_H

#include <mujoco/mujoco.h>

#include "core/base/status.h"

/* An object instance. Its fragment is sim/world/objects/<category>.xml: one <body name="@_main"> in which every '@' is
 * replaced by the instance name. Geoms of group 0 collide, of group 1 are seen (libero.md sections 4 and 7); fragments use
 * the default classes and materials that arena.xml lists: "visual", "movable" and "fixture" (which a drawer uses as well:
 * it meets movables and the robot, never its own cabinet).
 * movable: a free joint "@_joint0" is added; otherwise the body is fixed where `pos`/`yaw` put it. */
typedef struct {
  char name[48], category[48];
  int movable;
  double pos[3], yaw; /* of a fixture: m, rad. Movables are placed through qpos at reset. */
} vlb_scene_object;

enum { VLB_ARM_JOINTS = 7, VLB_MAX_DOF = 256 };

typedef struct {
  mjModel *model;
  char *xml;                     /* the composed MJCF, stored with demonstrations */
  int eef_site, hand_body;       /* gripper0_grip_site, robot0_right_hand */
  int arm_qpos[VLB_ARM_JOINTS], arm_dof[VLB_ARM_JOINTS], arm_actuator[VLB_ARM_JOINTS];
  int finger_qpos[2], finger_actuator[2];
  int camera[2];                 /* agentview, robot0_eye_in_hand; the model has "overview" too, for people */
} vlb_scene;

/* Composes arena, robot, movables in their order, fixtures in their order: qpos is 7 arm joints, 2 fingers, 7 numbers per
 * movable, 1 per fixture joint (libero.md 5). Errors (VLB_USAGE): unknown category with
 * did-you-mean; (VLB_FAILED): MuJoCo's own message. Caller frees. */
vlb_code vlb_scene_compile(const vlb_scene_object *objects, int n, vlb_scene **scene, vlb_error *err);
void vlb_scene_free(vlb_scene *scene);

/* mj_resetData, then the arm at vlb_arm_home and the fingers half open. Objects stay where their fragments put them. */
void vlb_scene_home(const vlb_scene *scene, mjData *data);

/* Nominal arm pose, rad (libero.md 6). */
extern const double vlb_arm_home[VLB_ARM_JOINTS];

#endif
