/* Clocks and the median of measurements. Times are for people and benchmarks, never part of a result. */
#ifndef VLB_BASE_TIMING_H
#define VLB_BASE_TIMING_H

double vlb_seconds(void);     /* of a clock that only goes forward */
double vlb_cpu_seconds(void); /* processor time of all threads of this process */
double vlb_thread_seconds(void); /* processor time of this thread: what other programs take does not count */

/* Sorts x[n], n >= 1, and returns its median (the upper one of an even number). */
double vlb_median(double *x, int n);

#endif
