/* A scripted expert for "pick up A and place it on B": sees the whole state and answers with the actions a person at a
 * 3-D mouse might give. Wherever possible the action is a smooth function of what a policy can see too (hand, fingers, where
 * things are), so that it can be learned from pictures: no waiting by the clock, no hidden counters. */
#ifndef VLB_SIM_EXPERT_H
#define VLB_SIM_EXPERT_H

#include "sim/task/task.h"

typedef enum { VLB_EXPERT_REACH, VLB_EXPERT_GRASP, VLB_EXPERT_CARRY, VLB_EXPERT_RELEASE, VLB_EXPERT_LEAVE } vlb_expert_phase;

typedef struct {
  vlb_expert_phase phase;
  int object, target;      /* bodies: what is carried, what it is put on */
  double rim_radius;       /* m, from the object's middle to the middle of its rim */
  double rim_height;       /* m, above the object's origin */
  double rest_height;      /* m, of the object's origin when it stands on the target, above the target's origin */
  double source[3];        /* m, where the hand took hold */
  double grip_height;      /* m, hand above the object's origin when it took hold */
  double previous[6];      /* the last action before noise */
  double wander[6];        /* slowly changing noise */
  /* this episode's manner */
  double speed, gain, slope, hover, lift, noise, grasp_offset[3], place_offset[2];
  vlb_rng rng;
} vlb_expert;

/* Prepares an episode; its manner is a pure function of (seed, task index, episode).
 * Errors (VLB_USAGE): the task's goal is not "on <object> <object>". */
vlb_code vlb_expert_reset(vlb_expert *e, const vlb_task *task, int task_index, int episode, uint64_t seed, const vlb_scene *scene,
                          vlb_error *err);

/* The next action [7], in [-1,1]. */
void vlb_expert_act(vlb_expert *e, const vlb_scene *scene, const mjData *data, double action[7]);

/* 1 once the object is let go and the hand has left it. */
int vlb_expert_finished(const vlb_expert *e, const vlb_scene *scene, const mjData *data);

#endif
