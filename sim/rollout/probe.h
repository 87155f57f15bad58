/* A fixed second of physics, as a fingerprint of this machine's arithmetic. */
#ifndef VLB_SIM_PROBE_H
#define VLB_SIM_PROBE_H

#include "core/base/status.h"

/* The first task of the Spatial-style suite, episode 0: 20 control steps (1 s) of a fixed motion. hash: of the final positions and velocities.
 * Two machines with the same hash simulate alike; no pixels are involved. */
vlb_code vlb_physics_probe(char hash[17], vlb_error *err);

#endif
