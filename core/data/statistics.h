/* Dataset statistics and normalisation (specification 5.2). */
#ifndef VLB_DATA_STATISTICS_H
#define VLB_DATA_STATISTICS_H

#include <stdint.h>

#include "core/base/status.h"

enum { VLB_STATS_MAX = 64 };

/* IDENTITY: passes values as they are. MIN_MAX maps [min, max] to [-1, 1]; quantiles are a MIN_MAX of other bounds. */
typedef enum { VLB_NORM_MEAN_STD, VLB_NORM_MIN_MAX, VLB_NORM_IDENTITY } vlb_norm;
const char *vlb_norm_name(vlb_norm norm); /* "mean and std", ... for people */

/* Population mean and standard deviation of one feature, float32 as LeRobot stores them, and how they are used. */
typedef struct {
  vlb_norm norm;
  int dim;
  int64_t count; /* frames */
  float mean[VLB_STATS_MAX], std[VLB_STATS_MAX], min[VLB_STATS_MAX], max[VLB_STATS_MAX];
} vlb_stats;

/* Two-pass in double over rows [n,dim]. */
void vlb_stats_compute(const double *rows, int64_t n, int dim, vlb_stats *out);
void vlb_normalize(const vlb_stats *s, const float *x, float *out);   /* (x-mean)/(std+1e-8), or 2(x-min)/(max-min)-1, or x */
void vlb_unnormalize(const vlb_stats *s, const float *x, float *out); /* x*std+mean, or (x+1)/2*(max-min)+min, or x */

/* The state and action statistics of a policy in one safetensors file, keys "observation.state.mean", "action.std", ...; nothing of a feature whose
 * norm is IDENTITY. Loading gives MEAN_STD. */
vlb_code vlb_stats_save(const char *path, const vlb_stats *state, const vlb_stats *action, vlb_error *err);
vlb_code vlb_stats_load(const char *path, vlb_stats *state, vlb_stats *action, vlb_error *err);

#endif
