/* Pushes that lead a hand off the expert's way, so that a recording shows more than the expert alone would meet, and how it recovers
 * (DART: Laskey et al. 2017, arXiv:1703.09327). */
#ifndef VLB_SIM_PUSH_H
#define VLB_SIM_PUSH_H

#include <stdbool.h>

#include "core/base/rng.h"
#include "core/data/embodiment.h"

typedef struct {
  double chance; /* per step, that a push begins */
  int left;      /* steps that the present push still lasts */
  double way[3];
} vlb_push;

/* A robot whose actions begin with the hand's motion: not the SO arms, whose actions are joint angles. */
bool vlb_push_works(const vlb_embodiment *robot);

/* Changes the hand's motion action[0..2] to what the simulator is to get. A pure function of the stream and of the calls before; a chance of 0
 * draws nothing. */
void vlb_push_apply(vlb_push *p, vlb_rng *rng, double *action);

#endif
