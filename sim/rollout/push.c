#include "sim/rollout/push.h"

enum { SHORTEST = 2, LONGER = 10 }; /* steps */

bool vlb_push_works(const vlb_embodiment *robot) { return robot == &vlb_panda || robot == &vlb_sawyer; }

static void begin(vlb_push *p, vlb_rng *rng) {
  p->left = SHORTEST + (int)vlb_rng_below(rng, LONGER);
  for (int i = 0; i < 3; i++) p->way[i] = vlb_rng_range(rng, -1, 1);
}

void vlb_push_apply(vlb_push *p, vlb_rng *rng, double *action) {
  if (p->chance <= 0) return;
  if (p->left == 0 && vlb_rng_uniform(rng) < p->chance) begin(p, rng);
  if (p->left == 0) return;
  p->left--;
  for (int i = 0; i < 3; i++) action[i] = p->way[i];
}
