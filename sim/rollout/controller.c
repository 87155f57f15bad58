#include "sim/rollout/controller.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct vlb_controller {
  vlb_control_config config;
  vlb_control_shape shape;
  vlb_action_queue queue;
  vlb_control_counts counts;
  int latest;         /* number of the last action executed, -1: none */
  bool due;           /* an answer is on its way (lerobot does not care) */
  bool starving;      /* the last tick had no action, and some tick before it had */
  bool must_go;       /* lerobot's event: the next look at an empty queue is not to be filtered */
  int known_chunk;    /* lerobot: the longest chunk so far, -1: none */
  int slowest;        /* rtc: ticks that an answer took at most */
  bool has_reference; /* paper: the state that was used last */
  float reference[VLB_MAX_STATE];
};

vlb_code vlb_controller_create(const vlb_control_config *config, const vlb_control_shape *shape, vlb_controller **controller, vlb_error *err) {
  vlb_controller *c = calloc(1, sizeof *c);
  *controller = NULL;
  if (!c) return vlb_fail(err, VLB_FAILED, "out of memory");
  c->config = *config;
  c->shape = *shape;
  /* a chunk, and what an older one leaves behind it */
  if (vlb_queue_create(&c->queue, 2 * shape->chunk, shape->action_dim, err)) {
    free(c);
    return VLB_FAILED;
  }
  vlb_controller_reset(c);
  *controller = c;
  return VLB_OK;
}

void vlb_controller_free(vlb_controller *c) {
  if (!c) return;
  vlb_queue_free(&c->queue);
  free(c);
}

void vlb_controller_reset(vlb_controller *c) {
  c->queue.size = 0;
  c->counts = (vlb_control_counts){0};
  c->latest = c->known_chunk = -1;
  c->due = c->has_reference = c->starving = false;
  c->must_go = true;
  c->slowest = 0;
}

/* --- when to look --- */

static bool near_reference(const vlb_controller *c, const float *state) {
  double sum = 0;
  for (int i = 0; i < c->shape.state_dim; i++) sum += pow((double)state[i] - (double)c->reference[i], 2);
  return c->has_reference && sqrt(sum) < c->config.similarity;
}

static double filled(const vlb_controller *c, int chunk) { return (double)c->queue.size / (double)chunk; }

static bool paper_looks(vlb_controller *c, const float *state) {
  if (c->due || (c->queue.size && filled(c, c->shape.chunk) >= c->config.threshold)) return false;
  c->counts.looks++;
  if (c->queue.size && near_reference(c, state)) {
    c->counts.filtered++;
    return false;
  }
  memcpy(c->reference, state, (size_t)c->shape.state_dim * sizeof *state);
  c->has_reference = true;
  return true;
}

static bool wants(vlb_controller *c, vlb_look_when when, const float *state) {
  bool before = when == VLB_LOOK_BEFORE;
  switch (c->config.control) {
    case VLB_CONTROL_PAPER: return before && paper_looks(c, state);
    /* before the first chunk the size is unknown, -1: the ratio is 0 */
    case VLB_CONTROL_LEROBOT: return !before && filled(c, c->known_chunk) <= c->config.threshold;
    case VLB_CONTROL_RTC: return before && !c->due && filled(c, c->shape.chunk) <= c->config.threshold;
    default: return before && !c->due && !c->queue.size;
  }
}

bool vlb_controller_look(vlb_controller *c, vlb_look_when when, const float *state, vlb_request *request) {
  bool lerobot = c->config.control == VLB_CONTROL_LEROBOT;
  if (!wants(c, when, state)) return false;
  /* LeRobot stamps what it sees with the action it has just sent, the others with the one that comes next */
  int timestep = lerobot ? (c->latest > 0 ? c->latest : 0) : c->latest + 1;
  bool must_go = !c->queue.size && (!lerobot || c->must_go);
  *request = (vlb_request){.timestep = timestep, .tick = c->counts.ticks - (when == VLB_LOOK_AFTER), .must_go = must_go, .delay = c->slowest};
  if (must_go) c->must_go = false;
  if (c->config.control != VLB_CONTROL_PAPER) c->counts.looks++;
  c->counts.sent++;
  c->due = true;
  return true;
}

/* --- acting --- */

static void starve(vlb_controller *c) {
  vlb_control_counts *n = &c->counts;
  if (!n->executed) {
    n->waited++;
    return;
  }
  n->starvations += !c->starving;
  n->idle++;
  c->starving = true;
}

bool vlb_controller_act(vlb_controller *c, vlb_timed_action *action) {
  vlb_control_counts *n = &c->counts;
  int tick = n->ticks++;
  if (!vlb_queue_pop(&c->queue, action)) {
    starve(c);
    return false;
  }
  int age = tick - action->looked;
  c->starving = false;
  c->latest = action->timestep;
  n->executed++;
  n->age_sum += age;
  if (age > n->age_max) n->age_max = age;
  return true;
}

void vlb_controller_hold(vlb_controller *c) {
  c->counts.ticks++;
  if (c->counts.executed)
    c->counts.idle++;
  else
    c->counts.waited++;
}

/* --- chunks --- */

static int merge(vlb_controller *c, int first, int looked, const float *actions, int n, int latest) {
  bool keep_rest = c->config.control == VLB_CONTROL_PAPER;
  vlb_merge_rule rule = vlb_merge_rule_of((int)c->config.aggregate, keep_rest);
  return vlb_queue_merge(&c->queue, first, looked, actions, n, latest, &rule);
}

/* The chunk takes the queue's place, without the actions whose ticks went by: those count from the look, also where the queue was empty. */
static int replace(vlb_controller *c, const vlb_request *request, const float *actions, int n) {
  int passed = c->counts.ticks - request->tick;
  if (passed > c->slowest) c->slowest = passed;
  if (passed > n) passed = n;
  c->queue.size = 0;
  merge(c, c->latest + 1, request->tick, actions + passed * c->shape.action_dim, n - passed, c->latest);
  return passed;
}

void vlb_controller_receive(vlb_controller *c, const vlb_request *request, const float *actions, int n) {
  bool lerobot = c->config.control == VLB_CONTROL_LEROBOT;
  c->due = false;
  if (n <= 0) {
    c->counts.lost++;
    return;
  }
  if (n > c->shape.chunk) n = c->shape.chunk;
  if (n > c->known_chunk) c->known_chunk = n;
  c->counts.chunks++;
  if (c->config.control == VLB_CONTROL_RTC)
    c->counts.late += replace(c, request, actions, n);
  else if (lerobot || (c->config.control == VLB_CONTROL_PAPER && c->config.align == VLB_ALIGN_OBSERVED))
    c->counts.late += merge(c, request->timestep, request->tick, actions, n, c->latest);
  else
    c->counts.late += merge(c, c->latest + 1, request->tick, actions, n, c->latest);
  c->must_go = true;
}

const vlb_timed_action *vlb_controller_queue(const vlb_controller *c, int *size) {
  *size = c->queue.size;
  return c->queue.items;
}

const vlb_control_counts *vlb_controller_counts(const vlb_controller *c) { return &c->counts; }
