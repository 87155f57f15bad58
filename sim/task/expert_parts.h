/* Private to the experts' files. Poses are in the world's frame: m, row-major rotations. The hand's frame is that of its grip
 * site: z from the palm to the finger tips, y from finger to finger. */
#ifndef VLB_SIM_EXPERT_PARTS_H
#define VLB_SIM_EXPERT_PARTS_H

#include "sim/task/expert.h"

typedef struct {
  double pos[3], rot[9];
} vlb_pose;

/* ---- expert_space.c: what is where ---- */

extern const double vlb_upright[9]; /* the world's own axes */

vlb_pose vlb_hand_pose(const vlb_scene *s, const mjData *d);
void vlb_pose_axis(const vlb_pose *p, int axis, double out[3]);
/* The rotation vector (rad) that leads from one orientation to another. */
void vlb_turn_between(const double from[9], const double to[9], double out[3]);
double vlb_turn_angle(const double from[9], const double to[9]);
/* Where a pose fixed to the joint's body is after the joint (slide or hinge) has moved by `step` (m or rad). */
vlb_pose vlb_pose_along_joint(const mjModel *m, const mjData *d, int joint, const vlb_pose *pose, double step);
/* 0 below lo, 1 above hi, smooth between */
double vlb_ramp(double x, double lo, double hi);
/* m between the pads */
double vlb_finger_width(const vlb_scene *s, const mjData *d);

/* Smallest distance (m, negative inside) from the hand at `hand`, its pads 2*half apart, to anything solid but the robot and the
 * object with root body `skip`. */
double vlb_hand_clearance(const vlb_scene *s, const mjData *d, const vlb_pose *hand, double half, int skip);
/* The lowest point of the hand and of what it holds (body; -1: nothing), m below the grip site. */
double vlb_hand_depth(const vlb_scene *s, const mjData *d, const vlb_pose *hand, int held);
/* What stands within `width` of the hand's way: how much the goal must rise (m) for the hand's lowest part, `depth` below, to pass over
 * it, and how much of the sideways motion it blocks as long as the hand is too low (0 to 1). What is right at the goal does not
 * count, nor do the robot and root body `skip`. */
typedef struct {
  double rise, block;
} vlb_hurdle;
vlb_hurdle vlb_find_hurdle(const vlb_scene *s, const mjData *d, const double from[3], const double to[3], double width, double depth,
                           int skip);
/* Half extents of a body's solid geoms along the axes of the frame `rot` around its origin. */
void vlb_body_extent(const mjModel *m, const mjData *d, int body, const double rot[9], double half[3]);
/* Is there something solid above the point, up to `height`? Robot and root body `skip` do not count. */
int vlb_roofed(const vlb_scene *s, const mjData *d, const double point[3], double height, int skip);
/* m from a roofed point along a direction to the open; `longest` when that is too far or something solid is in between. */
double vlb_way_out(const vlb_scene *s, const mjData *d, const double from[3], const double way[3], double longest, int skip);

/* ---- expert_plan.c: what to do next ---- */

/* The goal to work on now, -1: none that is left. */
int vlb_next_goal(const vlb_expert *e, const vlb_scene *s, const mjData *d);
/* Chooses the skill for a goal. Returns 0 when the model offers no way. */
int vlb_choose_skill(vlb_expert *e, const vlb_scene *s, const mjData *d, int goal);
/* The skill's grasp as the hand's pose now. */
vlb_pose vlb_grasp_pose(const vlb_expert *e, const mjData *d);
/* Where the thing's origin goes. */
void vlb_place_point(const vlb_expert *e, const mjData *d, double out[3]);
/* Is what is pushed in its zone, and not just at the edge? */
int vlb_in_zone(const vlb_expert *e, const mjModel *m, const mjData *d);

/* ---- expert_motion.c: how a hand moves ---- */

void vlb_draw_manner(vlb_expert *e);
/* The first six numbers of the action: a servo towards `goal`, pace [3] slows single axes; then unsteadiness. */
void vlb_move_hand(vlb_expert *e, const vlb_pose *hand, const vlb_pose *goal, const double pace[3], double action[6]);

#endif
