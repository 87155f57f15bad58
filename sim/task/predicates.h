/* LIBERO's success predicates (libero.md 4), evaluated on mjData as it stands. */
#ifndef VLB_SIM_PREDICATES_H
#define VLB_SIM_PREDICATES_H

#include "sim/task/task.h"

/* Bodies and sites by the names that tasks use; -1: none. */
int vlb_object_body(const mjModel *model, const char *object);
int vlb_site(const mjModel *model, const char *name);

/* 1 when the goal holds. Names must exist (vlb_task_compile). */
int vlb_goal_holds(const vlb_goal *goal, const vlb_task *task, const mjModel *model, const mjData *data);

/* 1 when the robot touches the object with this body. */
int vlb_robot_touches(const mjModel *model, const mjData *data, int body);

/* The object a name belongs to: the longest object name that is the name itself or its beginning up to an underscore.
 * NULL: none. */
const vlb_scene_object *vlb_task_object(const vlb_task *task, const char *name);

/* The range from which LIBERO draws a joint's value when a task starts with this open, close, turn_on or turn_off.
 * Returns 0 when the category has no such joints. */
int vlb_start_range(const char *category, vlb_goal_kind kind, double range[2]);

/* Joints that open, close, turn_on and turn_off speak of: of a site the direct joints of its body, of an object all.
 * Ids into out[max]; returns how many. */
int vlb_goal_joints(const mjModel *model, const char *name, int *out, int max);

#endif
