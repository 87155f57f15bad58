/* How long an inference takes in virtual time: a model, never a clock. */
#ifndef VLB_SIM_LATENCY_H
#define VLB_SIM_LATENCY_H

#include <stdint.h>

#include "core/base/hash.h"
#include "sim/rollout/control.h"

typedef struct {
  int model;           /* VLB_LATENCY_REPLAYED: `measured` in turn, the last one for ever; filled in by who has seen them */
  double mean, spread; /* seconds; standard deviation by mean */
  double *measured;    /* [count] seconds */
  int count;
} vlb_latency;

/* Reads the file of a measured distribution, once. Caller: vlb_latency_close. Errors: VLB_USAGE for a file that does not hold the list chunk_seconds of
 * positive numbers. */
vlb_code vlb_latency_open(const vlb_control_config *config, vlb_latency *latency, vlb_error *err);
void vlb_latency_close(vlb_latency *latency);

/* Nanoseconds of inference `index` of an episode: a pure function of the arguments. Arms that share a seed share their draws. */
int64_t vlb_latency_draw(const vlb_latency *latency, uint64_t seed, int task, int episode, int index);

/* SHA-256 of the times of a measured distribution; "" for the others. */
vlb_code vlb_latency_digest(const vlb_control_config *config, char digest[VLB_HASH_SIZE], vlb_error *err);

#endif
