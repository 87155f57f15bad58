/* A scripted expert for tasks made of goal atoms: sees the whole state and answers with the actions a person at a 3-D mouse might
 * give. Which thing to take by which grasp, where it goes, along which axis a drawer or a knob moves: all of it comes from
 * the goal's atoms and the model's sites and joints (sim/world/objects/README.md), nothing from the task's name.
 *
 * Wherever possible the action is a smooth function of what a policy can see too (hand, fingers, where things are), so that it can
 * be learned from pictures: phases change by what can be seen, no waiting by the clock. The next skill is chosen by looking at
 * which goals do not hold yet, so what slipped is taken again. */
#ifndef VLB_SIM_EXPERT_H
#define VLB_SIM_EXPERT_H

#include "sim/task/task.h"

typedef enum {
  VLB_EXPERT_CHOOSE,
  VLB_EXPERT_REACH,
  VLB_EXPERT_GRASP,
  VLB_EXPERT_WORK, /* carry, pull, turn, push */
  VLB_EXPERT_RELEASE,
  VLB_EXPERT_LEAVE
} vlb_expert_phase;

/* Take a thing and put it down; move a part along its joint; push a thing over the table. */
typedef enum { VLB_SKILL_MOVE, VLB_SKILL_JOINT, VLB_SKILL_PUSH } vlb_skill_kind;

typedef struct {
  vlb_skill_kind kind;
  int goal;             /* index in the task */
  int body;             /* what is held or pushed: an object, or the part that moves on the joint */
  int grasp, flipped;   /* its grasp site, -1: none; fingers exchanged */
  double half;          /* m, half the width held; 0: fingers stay closed */
  int joint;            /* -1: none */
  double joint_goal, way; /* m or rad; +1 or -1: where to the joint moves */
  int target_body, target_site; /* where it goes: one of them, the other is -1 */
  double spot[2];       /* m from the target's middle, world axes */
  double rest_height;   /* m, origin of the thing above the target's when it stands there */
  double room;          /* m to each side of the thing at its place */
  double drop;          /* m, let go that much higher because walls stop the hand */
  double turned[9];     /* orientation of the thing when it is put down, and of the hand then */
  double hand_rot[9];
  double way_in[3];     /* unit vector along which it is put there: downwards, or level under a roof */
} vlb_skill;

typedef struct {
  const vlb_task *task;
  vlb_expert_phase phase;
  vlb_skill skill;
  int attempts[VLB_MAX_GOALS];
  double source[3];    /* m, where the hand took hold; in LEAVE: where it let go */
  double previous[6];  /* the last action before noise */
  double wander[6];    /* slowly changing noise */
  double wanted[7];    /* the last action without it */
  /* this episode's manner */
  double speed, gain, slope, hover, lift, noise, grasp_offset[3], place_offset[2];
  vlb_rng rng;
} vlb_expert;

/* Prepares an episode; its manner is a pure function of (seed, task index, episode). The task is borrowed.
 * Errors (VLB_USAGE): the task has no goal. */
vlb_code vlb_expert_reset(vlb_expert *e, const vlb_task *task, int task_index, int episode, uint64_t seed, const vlb_scene *scene,
                          vlb_error *err);

/* The next action [7], in [-1,1]. */
void vlb_expert_act(vlb_expert *e, const vlb_scene *scene, const mjData *data, double action[7]);

/* 1 once every goal was worked through and the hand has left. */
int vlb_expert_finished(const vlb_expert *e, const vlb_scene *scene, const mjData *data);

#endif
