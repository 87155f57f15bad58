/* Actions that wait for their tick, each with the number of the action that it is (its timestep). Knows neither simulator nor clock. */
#ifndef VLB_SIM_QUEUE_H
#define VLB_SIM_QUEUE_H

#include <stdbool.h>

#include "core/data/embodiment.h"

typedef struct {
  int timestep;                /* which action of the episode it is, from 0 */
  int looked;                  /* control tick of the observation behind it; of the newer one after a merge */
  float value[VLB_MAX_ACTION]; /* [action_dim] in the robot's units */
} vlb_timed_action;

typedef struct {
  vlb_timed_action *items, *spare; /* [room] */
  int size, room, width;           /* width: action_dim */
} vlb_action_queue;

/* Room for `room` actions; caller frees, a zeroed queue too. */
vlb_code vlb_queue_create(vlb_action_queue *q, int room, int width, vlb_error *err);
void vlb_queue_free(vlb_action_queue *q);

/* The front; false: empty. */
bool vlb_queue_pop(vlb_action_queue *q, vlb_timed_action *action);

/* What becomes of the queue when a chunk [n,width] arrives whose first action is number `first`. */
typedef struct {
  float old_weight, new_weight; /* of an action that both have; old weight 0: the new one as it is */
  bool keep_rest;               /* false: what the chunk does not cover is lost, as in LeRobot */
} vlb_merge_rule;

/* The rule of an `aggregate` key. */
vlb_merge_rule vlb_merge_rule_of(int aggregate, bool keep_rest);

/* Actions of the chunk up to number `latest`, the last one executed, are dropped; the rest replaces or is weighted with what waits. All at once:
 * LeRobot's client reads and replaces its queue in two steps, between which an action may be popped. What does not fit is dropped. Returns how many
 * actions of the chunk came too late. */
int vlb_queue_merge(vlb_action_queue *q, int first, int looked, const float *chunk, int n, int latest, const vlb_merge_rule *rule);

#endif
