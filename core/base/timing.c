#include "core/base/timing.h"

#include <stdlib.h>
#include <time.h>

static double read_clock(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double vlb_seconds(void) { return read_clock(CLOCK_MONOTONIC); }
double vlb_cpu_seconds(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }
double vlb_thread_seconds(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

static int ascending(const void *x, const void *y) {
  double a = *(const double *)x, b = *(const double *)y;
  return (a > b) - (a < b);
}

double vlb_median(double *x, int n) {
  qsort(x, (size_t)n, sizeof *x, ascending);
  return x[n / 2];
}
