/* Times of requests: a histogram of constant size, so that a server may run for months. */
#ifndef VLB_WIRE_HISTOGRAM_H
#define VLB_WIRE_HISTOGRAM_H

#include <stdint.h>

enum { VLB_HISTOGRAM_BINS = 512 }; /* each 4 % wider than the one before, from 1 microsecond to 500 s */

typedef struct {
  int64_t count;
  double sum, worst; /* seconds */
  uint32_t bins[VLB_HISTOGRAM_BINS];
} vlb_histogram;

void vlb_histogram_add(vlb_histogram *l, double seconds);
void vlb_histogram_merge(vlb_histogram *into, const vlb_histogram *from);
double vlb_histogram_mean(const vlb_histogram *l);
/* Seconds that a share q of the requests stayed below, within 2 %; 0 without any. */
double vlb_histogram_quantile(const vlb_histogram *l, double q);

#endif
