#include "sim/rollout/queue.h"

#include <stdlib.h>
#include <string.h>

#include "sim/rollout/control.h"

vlb_code vlb_queue_create(vlb_action_queue *q, int room, int width, vlb_error *err) {
  *q = (vlb_action_queue){.room = room, .width = width};
  q->items = calloc((size_t)room, sizeof *q->items);
  q->spare = calloc((size_t)room, sizeof *q->spare);
  if (q->items && q->spare) return VLB_OK;
  vlb_queue_free(q);
  return vlb_fail(err, VLB_FAILED, "no memory for a queue of %d actions", room);
}

void vlb_queue_free(vlb_action_queue *q) {
  free(q->items);
  free(q->spare);
  *q = (vlb_action_queue){0};
}

bool vlb_queue_pop(vlb_action_queue *q, vlb_timed_action *action) {
  if (!q->size) return false;
  *action = q->items[0];
  memmove(q->items, q->items + 1, (size_t)--q->size * sizeof *q->items);
  return true;
}

vlb_merge_rule vlb_merge_rule_of(int aggregate, bool keep_rest) {
  static const float weights[][2] = {
      [VLB_AGGREGATE_WEIGHTED] = {0.3f, 0.7f}, [VLB_AGGREGATE_LATEST] = {0, 1}, [VLB_AGGREGATE_AVERAGE] = {0.5f, 0.5f},
      [VLB_AGGREGATE_CONSERVATIVE] = {0.7f, 0.3f}};
  return (vlb_merge_rule){weights[aggregate][0], weights[aggregate][1], keep_rest};
}

static const vlb_timed_action *find(const vlb_action_queue *q, int timestep) {
  for (int i = 0; i < q->size; i++)
    if (q->items[i].timestep == timestep) return &q->items[i];
  return NULL;
}

static vlb_timed_action join(const vlb_timed_action *old, const vlb_timed_action *new, int width, const vlb_merge_rule *rule) {
  vlb_timed_action a = *new;
  if (!old || rule->old_weight == 0) return a;
  for (int i = 0; i < width; i++) a.value[i] = rule->old_weight * old->value[i] + rule->new_weight * new->value[i];
  return a;
}

/* Waiting actions with numbers in [from, to), in order, to the end of the spare list. */
static int keep(vlb_action_queue *q, int size, int from, int to) {
  for (int i = 0; i < q->size && size < q->room; i++)
    if (q->items[i].timestep >= from && q->items[i].timestep < to) q->spare[size++] = q->items[i];
  return size;
}

int vlb_queue_merge(vlb_action_queue *q, int first, int looked, const float *chunk, int n, int latest, const vlb_merge_rule *rule) {
  int late = latest + 1 - first, size = 0, end = first + n;
  if (late < 0) late = 0;
  if (late > n) late = n;
  if (rule->keep_rest) size = keep(q, size, latest + 1, first + late);
  for (int i = late; i < n && size < q->room; i++) {
    vlb_timed_action a = {.timestep = first + i, .looked = looked};
    memcpy(a.value, chunk + (size_t)i * (size_t)q->width, (size_t)q->width * sizeof *chunk);
    q->spare[size++] = join(find(q, a.timestep), &a, q->width, rule);
  }
  if (rule->keep_rest) size = keep(q, size, end > latest ? end : latest + 1, INT32_MAX);
  vlb_timed_action *items = q->items;
  q->items = q->spare;
  q->spare = items;
  q->size = size;
  return late;
}
