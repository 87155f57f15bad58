/* One running episode of one task, and the families of tasks that know how to run one. Rollouts, demonstrations, pictures and
 * replays share this loop, so that a demonstration shows exactly what a policy meets. */
#ifndef VLB_SIM_WORLD_H
#define VLB_SIM_WORLD_H

#include "core/base/hash.h"
#include "sim/task/task.h"

typedef struct vlb_world vlb_world;

/* What a family (LIBERO-style, Meta-World, SO-100) does in its own way. The world's memory is zeroed at open and belongs to
 * the family from then on. */
struct vlb_family {
  size_t control_size, expert_size; /* bytes of world.control and world.expert */
  vlb_code (*compile)(const vlb_suite *suite, int task, vlb_scene **scene, vlb_error *err);
  /* SHA-256 of all data that the suite's episodes depend on: task files, scenes, meshes. Code is not in it. */
  vlb_code (*digest)(const vlb_suite *suite, char hash[VLB_HASH_SIZE], vlb_error *err);
  /* Reset and settling: a pure function of (suite, task, episode, seed). */
  vlb_code (*start)(vlb_world *w, int episode, uint64_t seed, vlb_error *err);
  /* One control step; sets w->success and raises w->score. Errors (VLB_FAILED): simulator instability. */
  vlb_code (*step)(vlb_world *w, const double *action, vlb_error *err);
  void (*state)(const vlb_world *w, float *state); /* [state_dim], what a policy reads */
  /* The scripted expert: prepares an episode after start; the next action [action_dim]; 1 once it has nothing left to do. */
  vlb_code (*expert_start)(vlb_world *w, int episode, uint64_t seed, vlb_error *err);
  void (*expert_act)(vlb_world *w, double *action);
  int (*expert_finished)(const vlb_world *w);
  /* What the last action [action_dim] would have been with a perfectly steady hand. NULL: the expert's is. */
  const double *(*expert_wanted)(const vlb_world *w);
  void (*close)(vlb_world *w); /* NULL: nothing to give back */
  /* The task anew in the middle of an episode, for the `round`-th time: things at a new start, the robot as it is. NULL: it cannot. */
  vlb_code (*again)(vlb_world *w, int episode, int round, uint64_t seed, vlb_error *err);
};

struct vlb_world {
  const vlb_suite *suite;
  const vlb_scene *scene;
  const vlb_task *task;
  int task_index;
  mjModel *model; /* this world's own copy: a reset may move bodies, a lit burner changes colour */
  mjData *data;
  void *control, *expert; /* the family's */
  int success;            /* the goal held after some step, settling included (libero.md 9) */
  double score;           /* partial credit so far, 0 to 1; 1 with success */
};

/* suite and scene are borrowed. */
vlb_code vlb_world_open(vlb_world *w, const vlb_suite *suite, int task, const vlb_scene *scene, vlb_error *err);
void vlb_world_close(vlb_world *w); /* zeroed is fine */

vlb_code vlb_world_start(vlb_world *w, int episode, uint64_t seed, vlb_error *err);

/* One control step; action [action_dim] is clipped to what the robot takes. */
vlb_code vlb_world_step(vlb_world *w, const double *action, vlb_error *err);

/* The action [action_dim] that keeps the robot's last target: the SO-100's joints keep theirs, the others stand still with the gripper as in `last`,
 * open when last is NULL: there was no action yet. */
void vlb_world_hold(const vlb_world *w, const double *last, double *action);

/* Where the family can (family->again): success and score from 0, things at a new start. A pure function of (suite, task, episode, round, seed) and of
 * where the robot is. */
vlb_code vlb_world_again(vlb_world *w, int episode, int round, uint64_t seed, vlb_error *err);

/* First 16 hexadecimal digits of the SHA-256 of qpos and qvel; empty without memory. */
void vlb_world_hash(const vlb_world *w, char hash[17]);

/* Scenes of all tasks of a suite, compiled: [task_count], shared by all threads. Caller: vlb_scenes_free. */
vlb_code vlb_scenes_compile(const vlb_suite *suite, vlb_scene ***scenes, vlb_error *err);
void vlb_scenes_free(vlb_scene **scenes, int n);

/* Families of data-file tasks, by the suite's robot. */
extern const vlb_family vlb_tabletop_family; /* the Panda: LIBERO-style */
extern const vlb_family vlb_so_family;       /* the SO-100 and SO-101: sim/task/so100.c */

#endif
