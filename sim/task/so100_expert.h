/* The scripted expert of the SO-100: takes things from above and puts them into boxes or onto other things, goal by goal, then
 * returns to the home pose. Like expert.h's, its action is a smooth function of what a policy can see too (joints, jaw, where things
 * are), and its phases change by what can be seen. A human teleoperator does what it does: leads the arm by a little, and a
 * little higher, because the servos give way under the arm's weight. */
#ifndef VLB_SIM_SO100_EXPERT_H
#define VLB_SIM_SO100_EXPERT_H

#include "sim/control/so_arm.h"
#include "sim/task/task.h"

typedef enum { VLB_SO_REACH, VLB_SO_GRASP, VLB_SO_CARRY, VLB_SO_RELEASE, VLB_SO_LEAVE, VLB_SO_HOME, VLB_SO_DONE } vlb_so_phase;

typedef struct {
  const vlb_task *task;
  const vlb_scene *scene;
  vlb_so_phase phase;
  int goal;             /* index of the goal under way */
  int object;           /* body that is taken */
  double half[3];       /* its half sizes, m */
  int gripper;          /* body of the fixed jaw */
  double source[3];     /* m, where it was taken from */
  double grip_height;   /* m, hand above the object's origin when taken */
  double previous[6];   /* the last lead before noise, rad */
  double wander[6];     /* slowly changing noise, rad */
  double wanted[6];     /* the last action without it, rad */
  /* this episode's manner */
  double speed, gain, slope, hover, lift, noise, opening, grasp_offset[3], place_offset[2];
  vlb_rng rng;
} vlb_so_expert;

/* Prepares an episode; its manner is a pure function of (seed, task index, episode). task and scene are borrowed.
 * Errors (VLB_USAGE): a goal is not "in <object> <site>" or "on <object> <object>". */
vlb_code vlb_so_expert_reset(vlb_so_expert *e, const vlb_task *task, int task_index, int episode, uint64_t seed, const vlb_scene *scene,
                             vlb_error *err);

/* The next action: six target angles, rad. */
void vlb_so_expert_act(vlb_so_expert *e, const mjData *data, double action[VLB_SO_JOINTS]);

/* 1 once everything is done and the arm is back. */
int vlb_so_expert_finished(const vlb_so_expert *e);

#endif
