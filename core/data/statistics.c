#include "core/data/statistics.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/data/safetensors.h"

static void compute_column(const double *rows, int64_t n, int dim, int k, vlb_stats *out) {
  double sum = 0, squares = 0, lo = n ? INFINITY : 0, hi = n ? -INFINITY : 0;
  for (int64_t i = 0; i < n; i++) {
    double x = rows[i * dim + k];
    sum += x;
    if (x < lo) lo = x;
    if (x > hi) hi = x;
  }
  double mean = n ? sum / (double)n : 0;
  for (int64_t i = 0; i < n; i++) {
    double d = rows[i * dim + k] - mean;
    squares += d * d;
  }
  out->mean[k] = (float)mean;
  out->std[k] = n ? (float)sqrt(squares / (double)n) : 0;
  out->min[k] = (float)lo;
  out->max[k] = (float)hi;
}

void vlb_stats_compute(const double *rows, int64_t n, int dim, vlb_stats *out) {
  assert(dim >= 0 && dim <= VLB_STATS_MAX);
  memset(out, 0, sizeof *out);
  out->dim = dim;
  out->count = n;
  for (int k = 0; k < dim; k++) compute_column(rows, n, dim, k, out);
}

const char *vlb_norm_name(vlb_norm norm) { return (const char *const[]){"mean and std", "min and max", "none"}[norm]; }

static const float tiny = 1e-8f; /* LeRobot's eps */

static float range_of(const vlb_stats *s, int k) {
  float range = s->max[k] - s->min[k];
  return range == 0 ? tiny : range;
}

void vlb_normalize(const vlb_stats *s, const float *x, float *out) {
  for (int k = 0; k < s->dim; k++) switch (s->norm) {
      case VLB_NORM_MEAN_STD: out[k] = (x[k] - s->mean[k]) / (s->std[k] + tiny); break;
      case VLB_NORM_MIN_MAX: out[k] = 2 * (x[k] - s->min[k]) / range_of(s, k) - 1; break;
      case VLB_NORM_IDENTITY: out[k] = x[k]; break;
    }
}

void vlb_unnormalize(const vlb_stats *s, const float *x, float *out) {
  for (int k = 0; k < s->dim; k++) switch (s->norm) {
      case VLB_NORM_MEAN_STD: out[k] = x[k] * s->std[k] + s->mean[k]; break;
      case VLB_NORM_MIN_MAX: out[k] = (x[k] + 1) / 2 * range_of(s, k) + s->min[k]; break;
      case VLB_NORM_IDENTITY: out[k] = x[k]; break;
    }
}

/* --- files --- */

enum { PARTS = 5, NAME_SIZE = 64 }; /* mean, std, min, max, count */

static const char *part_name(int part) { return (const char *const[]){"mean", "std", "min", "max", "count"}[part]; }

static float *part_data(vlb_stats *s, int part) { return (float *[]){s->mean, s->std, s->min, s->max}[part]; }

/* what is known of a feature: the pair that normalises it, and the others where frames were counted; nothing of one that passes as it is */
static int list_entries(const char *feature, vlb_stats *s, float *count, char names[PARTS][NAME_SIZE], vlb_st_entry *out) {
  int n = 0;
  *count = (float)s->count; /* float32 like every statistic in LeRobot's files */
  for (int part = 0; part < PARTS && s->norm != VLB_NORM_IDENTITY; part++) {
    bool whole = part < PARTS - 1, needed = part / 2 == (s->norm == VLB_NORM_MEAN_STD ? 0 : 1);
    if (!needed && !s->count) continue;
    snprintf(names[n], NAME_SIZE, "%s.%s", feature, part_name(part));
    out[n] = (vlb_st_entry){.name = names[n], .dtype = VLB_F32, .ndim = 1, .dims = {whole ? s->dim : 1},
                            .data = whole ? part_data(s, part) : count};
    n++;
  }
  return n;
}

vlb_code vlb_stats_save(const char *path, const vlb_stats *state, const vlb_stats *action, vlb_error *err) {
  vlb_stats copy[2] = {*state, *action};
  char names[2][PARTS][NAME_SIZE];
  float counts[2];
  vlb_st_entry entries[2 * PARTS];
  int n = list_entries("observation.state", &copy[0], &counts[0], names[0], entries);
  n += list_entries("action", &copy[1], &counts[1], names[1], entries + n);
  return vlb_safetensors_write(path, entries, n, err);
}

static vlb_code load_part(const vlb_safetensors *file, const char *path, const char *name, float *out, int *dim, vlb_error *err) {
  const vlb_st_entry *e = vlb_safetensors_find(file, name);
  if (!e) return vlb_fail(err, VLB_FAILED, "%s: no tensor \"%s\"; it is not a statistics file of a policy", path, name);
  if (e->count > VLB_STATS_MAX)
    return vlb_fail(err, VLB_FAILED, "%s: tensor \"%s\" has %zu values, at most %d are possible", path, name, e->count, VLB_STATS_MAX);
  if (*dim >= 0 && (int)e->count != *dim)
    return vlb_fail(err, VLB_FAILED, "%s: tensor \"%s\" has %zu values instead of %d", path, name, e->count, *dim);
  *dim = (int)e->count;
  vlb_st_to_float(e, out);
  for (int k = 0; k < *dim; k++)
    if (!isfinite(out[k])) return vlb_fail(err, VLB_FAILED, "%s: tensor \"%s\" holds a value that is not finite", path, name);
  return VLB_OK;
}

static vlb_code load_feature(const vlb_safetensors *file, const char *path, const char *feature, vlb_stats *s, vlb_error *err) {
  memset(s, 0, sizeof *s);
  s->dim = -1;
  for (int part = 0; part < PARTS; part++) {
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%s.%s", feature, part_name(part));
    bool needed = part < 2; /* mean and std normalise; older files have nothing else */
    if (!needed && !vlb_safetensors_find(file, name)) continue;
    float count[VLB_STATS_MAX];
    int one = 1;
    bool whole = part < PARTS - 1;
    VLB_TRY(load_part(file, path, name, whole ? part_data(s, part) : count, whole ? &s->dim : &one, err));
    if (!whole) s->count = count[0] >= 0 && count[0] < 0x1p53f ? (int64_t)count[0] : 0;
  }
  return VLB_OK;
}

vlb_code vlb_stats_load(const char *path, vlb_stats *state, vlb_stats *action, vlb_error *err) {
  vlb_safetensors *file;
  VLB_TRY(vlb_safetensors_open(path, &file, err));
  vlb_code code = load_feature(file, path, "observation.state", state, err);
  if (!code) code = load_feature(file, path, "action", action, err);
  vlb_safetensors_close(file);
  return code;
}
