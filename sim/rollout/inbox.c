#include "sim/rollout/inbox.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct vlb_inbox {
  vlb_control_config config;
  int state_dim;
  bool waits, processed; /* processed: some observation was */
  vlb_request request;
  float state[VLB_MAX_STATE], taken[VLB_MAX_STATE], last[VLB_MAX_STATE];
  uint8_t *predicted; /* [room] by timestep */
  int room;
  vlb_inbox_counts counts;
};

vlb_code vlb_inbox_create(const vlb_control_config *config, int state_dim, vlb_inbox **inbox, vlb_error *err) {
  vlb_inbox *b = calloc(1, sizeof *b);
  *inbox = b;
  if (!b) return vlb_fail(err, VLB_FAILED, "out of memory");
  b->config = *config;
  b->state_dim = state_dim;
  return VLB_OK;
}

void vlb_inbox_free(vlb_inbox *b) {
  if (!b) return;
  free(b->predicted);
  free(b);
}

void vlb_inbox_ready(vlb_inbox *b) {
  b->waits = false;
  if (b->room) memset(b->predicted, 0, (size_t)b->room);
}

void vlb_inbox_reset(vlb_inbox *b) {
  vlb_inbox_ready(b);
  b->processed = false;
  b->counts = (vlb_inbox_counts){0};
}

static bool similar(const vlb_inbox *b, const float *state) {
  double sum = 0;
  for (int i = 0; i < b->state_dim; i++) sum += pow((double)state[i] - (double)b->last[i], 2);
  return sqrt(sum) < b->config.similarity;
}

static bool was_predicted(const vlb_inbox *b, int timestep) { return timestep < b->room && b->predicted[timestep]; }

static bool accepts(vlb_inbox *b, const vlb_request *request, const float *state) {
  if (b->config.control != VLB_CONTROL_LEROBOT || request->must_go || !b->processed) return true;
  if (was_predicted(b, request->timestep)) {
    b->counts.predicted++;
    return false;
  }
  if (similar(b, state)) {
    b->counts.similar++;
    return false;
  }
  return true;
}

static vlb_code make_room(vlb_inbox *b, int timestep, vlb_error *err) {
  int room = b->room ? b->room : 256;
  while (room <= timestep) room *= 2;
  if (room == b->room) return VLB_OK;
  uint8_t *more = realloc(b->predicted, (size_t)room);
  if (!more) return vlb_fail(err, VLB_FAILED, "out of memory");
  memset(more + b->room, 0, (size_t)(room - b->room));
  b->predicted = more;
  b->room = room;
  return VLB_OK;
}

vlb_code vlb_inbox_offer(vlb_inbox *b, const vlb_request *request, const float *state, bool *accepted, bool *replaced, vlb_error *err) {
  VLB_TRY(make_room(b, request->timestep, err));
  b->counts.offered++;
  *accepted = accepts(b, request, state);
  if (replaced) *replaced = *accepted && b->waits;
  if (!*accepted) return VLB_OK;
  b->counts.accepted++;
  b->counts.replaced += b->waits;
  b->waits = true;
  b->request = *request;
  memcpy(b->state, state, (size_t)b->state_dim * sizeof *state);
  return VLB_OK;
}

bool vlb_inbox_take(vlb_inbox *b, vlb_request *request) {
  if (!b->waits) return false;
  *request = b->request;
  b->waits = false;
  b->predicted[request->timestep] = 1;
  memcpy(b->taken, b->state, sizeof b->taken);
  return true;
}

void vlb_inbox_prepared(vlb_inbox *b) {
  b->processed = true;
  memcpy(b->last, b->taken, sizeof b->last);
}

bool vlb_inbox_waits(const vlb_inbox *b) { return b->waits; }
const vlb_inbox_counts *vlb_inbox_counts_of(const vlb_inbox *b) { return &b->counts; }
