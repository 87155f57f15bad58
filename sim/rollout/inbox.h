/* The policy's side: one waiting observation, the newest, and LeRobot's rules for what is accepted (specification 21.2). The other controllers
 * filter at the robot; for them everything is accepted. Knows neither simulator, clock nor network. */
#ifndef VLB_SIM_INBOX_H
#define VLB_SIM_INBOX_H

#include "sim/rollout/controller.h"

/* Of one episode. */
typedef struct {
  int offered, accepted;
  int predicted;  /* refused: its timestep was predicted already */
  int similar;    /* refused: too near the state that was used last */
  int replaced;   /* accepted, and thrown away for a newer one */
} vlb_inbox_counts;

typedef struct vlb_inbox vlb_inbox;
vlb_code vlb_inbox_create(const vlb_control_config *config, int state_dim, vlb_inbox **inbox, vlb_error *err);
void vlb_inbox_free(vlb_inbox *b);

void vlb_inbox_reset(vlb_inbox *b); /* a new episode: nothing is remembered */
void vlb_inbox_ready(vlb_inbox *b); /* LeRobot's rpc Ready: what waits and what was predicted are forgotten, the state that was used last is not */

/* An observation has arrived. False: refused. True: it waits now, in the place of the one that did before (*replaced; may be NULL).
 * Accepted when it must go, when nothing was processed yet, or when its timestep was not predicted and its state is at least
 * `similarity` away (Euclidean norm) from the last one processed. Errors: VLB_FAILED without memory. */
vlb_code vlb_inbox_offer(vlb_inbox *b, const vlb_request *request, const float *state, bool *accepted, bool *replaced, vlb_error *err);

/* The policy takes what waits: its timestep counts as predicted, whatever becomes of it. False: nothing waits. */
bool vlb_inbox_take(vlb_inbox *b, vlb_request *request);
/* What was taken is prepared for the model: from now on it is the last one processed. (Until the first one is, everything is accepted: timestep 0
 * may be predicted twice.) */
void vlb_inbox_prepared(vlb_inbox *b);
bool vlb_inbox_waits(const vlb_inbox *b);
const vlb_inbox_counts *vlb_inbox_counts_of(const vlb_inbox *b);

#endif
