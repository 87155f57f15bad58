#include "sim/rollout/latency.h"

#include <gsl/gsl_cdf.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/rng.h"

/* chunk_seconds stands in an object, or in one of the objects of a list */
static const json_t *find_list(const json_t *root) {
  const json_t *list = json_object_get(root, "chunk_seconds");
  for (size_t i = 0; !list && i < json_array_size(root); i++) list = json_object_get(json_array_get(root, i), "chunk_seconds");
  return list;
}

static vlb_code read_list(const char *path, const json_t *root, vlb_latency *l, vlb_error *err) {
  const json_t *list = find_list(root);
  size_t n = json_array_size(list);
  if (!n) return vlb_fail(err, VLB_USAGE, "latency_file %s: no list chunk_seconds; 'vlabench bench infer DIR --json' writes one", path);
  l->measured = malloc(n * sizeof *l->measured);
  if (!l->measured) return vlb_fail(err, VLB_FAILED, "out of memory");
  for (size_t i = 0; i < n; i++) {
    const json_t *x = json_array_get(list, i);
    double seconds = json_number_value(x);
    if (!json_is_number(x) || !(seconds > 0 && seconds < 600))
      return vlb_fail(err, VLB_USAGE, "latency_file %s: chunk_seconds[%zu] is not a number of seconds between 0 and 600", path, i);
    l->measured[i] = seconds;
  }
  l->count = (int)n;
  return VLB_OK;
}

/* 0 takes the times as they are */
static void scale_to_mean(vlb_latency *l) {
  double sum = 0;
  for (int i = 0; i < l->count; i++) sum += l->measured[i];
  double factor = l->mean > 0 ? l->mean * l->count / sum : 1;
  for (int i = 0; i < l->count; i++) l->measured[i] *= factor;
  l->mean = factor * sum / l->count;
}

vlb_code vlb_latency_open(const vlb_control_config *c, vlb_latency *l, vlb_error *err) {
  *l = (vlb_latency){.model = (int)c->latency_model, .mean = c->latency, .spread = c->latency_spread};
  VLB_TRY(vlb_control_check(c, err));
  if (l->model != VLB_LATENCY_MEASURED) return VLB_OK;
  json_error_t why;
  json_t *root = json_load_file(c->latency_file.s, 0, &why);
  if (!root) return vlb_fail(err, VLB_USAGE, "latency_file %s: %s", c->latency_file.s, why.text);
  vlb_code code = read_list(c->latency_file.s, root, l, err);
  json_decref(root);
  if (code)
    vlb_latency_close(l);
  else
    scale_to_mean(l);
  return code;
}

void vlb_latency_close(vlb_latency *l) {
  free(l->measured);
  *l = (vlb_latency){0};
}

/* By the inverse of the distribution function: one number of the stream for each. */
static double seconds(const vlb_latency *l, vlb_rng *rng) {
  double variance = l->spread * l->spread, width = log1p(variance);
  switch (l->model) {
    case VLB_LATENCY_LOGNORMAL: return exp(log(l->mean) - width / 2 + sqrt(width) * gsl_cdf_ugaussian_Pinv(vlb_rng_uniform(rng)));
    case VLB_LATENCY_GAMMA: return gsl_cdf_gamma_Pinv(vlb_rng_uniform(rng), 1 / variance, l->mean * variance);
    case VLB_LATENCY_MEASURED: return l->measured[vlb_rng_below(rng, (uint32_t)l->count)];
    default: return l->mean;
  }
}

int64_t vlb_latency_draw(const vlb_latency *l, uint64_t seed, int task, int episode, int index) {
  if (l->model == VLB_LATENCY_REPLAYED) return llround(1e9 * l->measured[index < l->count ? index : l->count - 1]);
  vlb_rng rng = vlb_rng_make(seed, VLB_RNG_LATENCY, (uint32_t)task << 16 | (uint32_t)episode, (uint32_t)index);
  return llround(1e9 * seconds(l, &rng));
}

vlb_code vlb_latency_digest(const vlb_control_config *c, char digest[VLB_HASH_SIZE], vlb_error *err) {
  vlb_latency l;
  digest[0] = 0;
  if (c->latency_model != VLB_LATENCY_MEASURED) return VLB_OK;
  VLB_TRY(vlb_latency_open(c, &l, err));
  vlb_hash(l.measured, (size_t)l.count * sizeof *l.measured, digest);
  vlb_latency_close(&l);
  return VLB_OK;
}
