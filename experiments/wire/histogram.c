#include "experiments/wire/histogram.h"

#include <math.h>

static const double smallest = 1e-6, growth = 1.04;

static int bin_of(double seconds) {
  double bin = seconds > smallest ? ceil(log(seconds / smallest) / log(growth)) : 0;
  return bin < VLB_HISTOGRAM_BINS - 1 ? (int)bin : VLB_HISTOGRAM_BINS - 1;
}

void vlb_histogram_add(vlb_histogram *l, double seconds) {
  l->count++;
  l->sum += seconds;
  l->worst = fmax(l->worst, seconds);
  l->bins[bin_of(seconds)]++;
}

void vlb_histogram_merge(vlb_histogram *into, const vlb_histogram *from) {
  into->count += from->count;
  into->sum += from->sum;
  into->worst = fmax(into->worst, from->worst);
  for (int i = 0; i < VLB_HISTOGRAM_BINS; i++) into->bins[i] += from->bins[i];
}

double vlb_histogram_mean(const vlb_histogram *l) { return l->count ? l->sum / (double)l->count : 0; }

double vlb_histogram_quantile(const vlb_histogram *l, double q) {
  double wanted = q * (double)l->count, seen = 0;
  for (int i = 0; i < VLB_HISTOGRAM_BINS && l->count; i++) {
    seen += l->bins[i];
    /* the middle of the bin; nothing was slower than the slowest */
    if (seen >= wanted && l->bins[i]) return fmin(l->worst, smallest * pow(growth, i - 0.5));
  }
  return 0;
}
