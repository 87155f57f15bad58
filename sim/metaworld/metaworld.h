/* Meta-World MT50 in C: 50 manipulation tasks of a Sawyer arm (metaworld.md; upstream's version 3, checked number by number on
 * MuJoCo 2.2.2). The scenes are read from the user's installation of Meta-World, or from MJCF that names the same bodies,
 * sites, geoms and joints. table.c: what the tasks are; rules.c: how they start and end; experts.c: how they are done. */
#ifndef VLB_SIM_METAWORLD_H
#define VLB_SIM_METAWORLD_H

#include <mujoco/mujoco.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/status.h"

/* Tasks in the order of MT50; the numbers key their random streams. */
typedef enum {
  VLB_MW_ASSEMBLY, VLB_MW_BASKETBALL, VLB_MW_BIN_PICKING, VLB_MW_BOX_CLOSE, VLB_MW_BUTTON_PRESS_TOPDOWN,
  VLB_MW_BUTTON_PRESS_TOPDOWN_WALL, VLB_MW_BUTTON_PRESS, VLB_MW_BUTTON_PRESS_WALL, VLB_MW_COFFEE_BUTTON, VLB_MW_COFFEE_PULL,
  VLB_MW_COFFEE_PUSH, VLB_MW_DIAL_TURN, VLB_MW_DISASSEMBLE, VLB_MW_DOOR_CLOSE, VLB_MW_DOOR_LOCK, VLB_MW_DOOR_OPEN,
  VLB_MW_DOOR_UNLOCK, VLB_MW_HAND_INSERT, VLB_MW_DRAWER_CLOSE, VLB_MW_DRAWER_OPEN, VLB_MW_FAUCET_OPEN, VLB_MW_FAUCET_CLOSE,
  VLB_MW_HAMMER, VLB_MW_HANDLE_PRESS_SIDE, VLB_MW_HANDLE_PRESS, VLB_MW_HANDLE_PULL_SIDE, VLB_MW_HANDLE_PULL, VLB_MW_LEVER_PULL,
  VLB_MW_PICK_PLACE_WALL, VLB_MW_PICK_OUT_OF_HOLE, VLB_MW_PICK_PLACE, VLB_MW_PLATE_SLIDE, VLB_MW_PLATE_SLIDE_SIDE,
  VLB_MW_PLATE_SLIDE_BACK, VLB_MW_PLATE_SLIDE_BACK_SIDE, VLB_MW_PEG_INSERT_SIDE, VLB_MW_PEG_UNPLUG_SIDE, VLB_MW_SOCCER,
  VLB_MW_STICK_PUSH, VLB_MW_STICK_PULL, VLB_MW_PUSH, VLB_MW_PUSH_WALL, VLB_MW_PUSH_BACK, VLB_MW_REACH, VLB_MW_REACH_WALL,
  VLB_MW_SHELF_PLACE, VLB_MW_SWEEP_INTO, VLB_MW_SWEEP, VLB_MW_WINDOW_OPEN, VLB_MW_WINDOW_CLOSE,
  VLB_MW_TASKS
} vlb_mw_id;

enum { VLB_MW_OBS = 39, VLB_MW_ACTION = 4, VLB_MW_RAND = 6, VLB_MW_MAX_STEPS = 500, VLB_MW_RATE = 80 /* control steps per second */ };

typedef enum { VLB_MW_EASY, VLB_MW_MEDIUM, VLB_MW_HARD, VLB_MW_VERY_HARD } vlb_mw_difficulty;

/* Section 3; m. The random vector is drawn from [low, high): where the objects start, then, when it has 6 numbers, the goal. */
typedef struct {
  const char *name, *model; /* "door-open"; FOLDER/sawyer_xyz/sawyer_MODEL.xml */
  const char *instruction;
  vlb_mw_difficulty difficulty;
  double hand[3]; /* where the hand starts */
  int rand_size; /* 3 or 6 */
  double low[VLB_MW_RAND], high[VLB_MW_RAND];
  double apart;         /* drawn again while start and goal are nearer than this in the plane */
  double apart_from[2]; /* where not zero: while the start and this point are */
  double mocap_low[3];  /* the hand is led between this and vlb_mw_mocap_high */
  double goal_low[3], goal_high[3]; /* the goal in an observation is clipped to these */
} vlb_mw_task;

extern const vlb_mw_task vlb_mw_tasks[VLB_MW_TASKS];
extern const double vlb_mw_mocap_high[3];

/* The task of this name; upstream's ending "-v3" or "-v2" may follow. Errors: VLB_USAGE with did-you-mean. */
vlb_code vlb_mw_find(const char *name, vlb_mw_id *task, vlb_error *err);

/* ---- one environment ---- */

/* Where a scene comes from: the folder of Meta-World's assets (see vlb_mw_folder), or MJCF text when xml is not NULL. */
typedef struct {
  const char *folder, *xml;
} vlb_mw_source;

typedef struct {
  vlb_mw_id task;
  mjModel *model; /* its own: resets move bodies in the model, as upstream's do */
  mjData *data;
  double goal[3];     /* T of section 4 */
  double height;      /* of an object, kept from before it was moved */
  double previous[18]; /* the last step's half of the observation */
  const char *missing; /* a name that the rules want and the model lacks */
} vlb_mw_env;

/* The folder that holds sawyer_xyz/: the given one, or its assets/ or metaworld/assets/. Errors: VLB_USAGE, with what to install. */
vlb_code vlb_mw_folder(const char *given, char *folder, size_t size, vlb_error *err);

/* The task's scene, ready for an environment. Errors: VLB_USAGE when the folder holds no such scene,
 * VLB_FAILED with MuJoCo's message or for a scene that cannot be this task's. Caller: mj_deleteModel. */
vlb_code vlb_mw_load(const vlb_mw_source *source, vlb_mw_id task, mjModel **model, vlb_error *err);

/* An environment with its own model and data. (Who has both fills in task, model and data, and leaves the rest zero.) */
vlb_code vlb_mw_open(const vlb_mw_source *source, vlb_mw_id task, vlb_mw_env *env, vlb_error *err);
void vlb_mw_close(vlb_mw_env *env);

/* The random vector of an episode: a pure function of its arguments. rand [6]; numbers that the task does not use are 0. */
void vlb_mw_draw(vlb_mw_id task, uint64_t seed, int episode, double rand[VLB_MW_RAND]);

/* Section 2, the double reset. What came before never matters. obs [39] is not clipped, as upstream's first observation.
 * Errors: VLB_FAILED "simulator instability ...". */
vlb_code vlb_mw_reset(vlb_mw_env *env, const double rand[VLB_MW_RAND], double obs[VLB_MW_OBS], vlb_error *err);

/* One control step (1/80 s) towards hand motion action[0..2] (units of 1 cm, clipped to [-1,1]) with gripper effort action[3] (1 closes).
 * *success: the goal holds now. Errors (VLB_FAILED): an action that is not finite; "simulator instability ...". */
vlb_code vlb_mw_step(vlb_mw_env *env, const double action[VLB_MW_ACTION], double obs[VLB_MW_OBS], bool *success, vlb_error *err);

/* ---- experts ---- */

/* Section 5: what the task's scripted expert does when it sees obs; action [4] in [-1,1], rounded to single precision. */
void vlb_mw_expert(vlb_mw_id task, const double obs[VLB_MW_OBS], double action[VLB_MW_ACTION]);

#endif
