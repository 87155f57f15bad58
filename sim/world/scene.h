/* A scene: robot, arena and objects composed from our MJCF fragments and compiled. Constant; many vlb_world share one. */
#ifndef VLB_SIM_SCENE_H
#define VLB_SIM_SCENE_H

#include <mujoco/mujoco.h>

#include "core/base/status.h"
#include "core/data/embodiment.h"

/* An object instance. Its fragment is sim/world/objects/<category>.xml (rules: sim/world/objects/README.md): one
 * <body name="@_main"> in which every '@' is replaced by the instance name.
 * movable: a free joint "@_joint0" is added; otherwise the body is fixed where `pos`/`yaw` put it. */
typedef struct {
  char name[48], category[48];
  int movable;
  double pos[3], yaw; /* of a fixture: m from the arena's workspace, rad. Movables are placed through qpos at reset. */
} vlb_scene_object;

/* A rectangle of the surface that goals can name: an invisible box site, 14 mm high and half sunk in (libero.md 5). */
typedef struct {
  char name[64];
  double x[2], y[2]; /* m from the arena's workspace */
} vlb_scene_zone;

/* What to compose: sim/world/common.xml, arenas/<arena>.xml, robots/<embodiment's name>.xml, movables in their order, fixtures
 * in their order: qpos is the robot's joints, 7 numbers per movable, 1 per fixture joint (libero.md 5). */
typedef struct {
  const vlb_embodiment *embodiment;
  const char *arena; /* "tabletop" */
  const vlb_scene_object *objects;
  int object_count;
  const vlb_scene_zone *zones;
  int zone_count;
} vlb_scene_spec;

enum { VLB_ARM_JOINTS = 7, VLB_MAX_DOF = 256 };

typedef struct {
  const vlb_embodiment *embodiment;
  mjModel *model;
  char *xml;                      /* the composed MJCF, stored with demonstrations */
  int camera[VLB_MAX_CAMERAS];    /* the embodiment's; a scene of ours has "overview" too, for people */
  unsigned geom_groups, site_groups; /* bit g: group g is drawn */
  double workspace[3];            /* the arena's origin of regions, m */
  int robot_joints;               /* they come first in qpos and qvel */
  const mjtNum *home, *home_noise; /* [robot_joints] in the model: nominal position and its noise at a reset */
  /* the Panda's parts */
  int eef_site, hand_body; /* gripper0_grip_site, robot0_right_hand */
  int arm_qpos[VLB_ARM_JOINTS], arm_dof[VLB_ARM_JOINTS], arm_actuator[VLB_ARM_JOINTS];
  int finger_qpos[2], finger_actuator[2];
} vlb_scene;

/* The MJCF of a scene, before anything is compiled; caller frees. workspace: of its arena. */
vlb_code vlb_scene_compose(const vlb_scene_spec *spec, char **xml, double workspace[3], vlb_error *err);

/* Errors (VLB_USAGE): unknown arena or category with did-you-mean; (VLB_FAILED): MuJoCo's own message. Caller frees. */
vlb_code vlb_scene_compile(const vlb_scene_spec *spec, vlb_scene **scene, vlb_error *err);
void vlb_scene_free(vlb_scene *scene);

/* mj_resetData, then the robot at home. Objects stay where their fragments put them. */
void vlb_scene_home(const vlb_scene *scene, mjData *data);

/* 1 when an arena of that name is compiled in; else 0 and *hint is the nearest name or NULL. */
int vlb_arena_known(const char *arena, const char **hint);

#endif
