#include "core/base/rng.h"

#include <Random123/philox.h>
#include <math.h>

vlb_rng vlb_rng_make(uint64_t seed, vlb_rng_purpose purpose, uint32_t a, uint32_t b) {
  vlb_rng rng = {.key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
                 .counter = {0, 0, b, ((uint32_t)purpose << 24) | (a & 0xffffffu)},
                 .used = 4};
  return rng;
}

static void refill(vlb_rng *rng) {
  philox4x32_ctr_t counter = {{rng->counter[0], rng->counter[1], rng->counter[2], rng->counter[3]}};
  philox4x32_key_t key = {{rng->key[0], rng->key[1]}};
  philox4x32_ctr_t r = philox4x32(counter, key);
  for (int i = 0; i < 4; i++) rng->block[i] = r.v[i];
  if (++rng->counter[0] == 0) rng->counter[1]++;
  rng->used = 0;
}

uint32_t vlb_rng_u32(vlb_rng *rng) {
  if (rng->used == 4) refill(rng);
  return rng->block[rng->used++];
}

double vlb_rng_uniform(vlb_rng *rng) {
  uint64_t hi = vlb_rng_u32(rng) >> 5, lo = vlb_rng_u32(rng) >> 6;
  /* 53 bits, shifted by half a step so that neither 0 nor 1 occurs */
  return ((double)(hi << 26 | lo) + 0.5) * 0x1p-53;
}

double vlb_rng_range(vlb_rng *rng, double lo, double hi) { return lo + (hi - lo) * vlb_rng_uniform(rng); }

uint32_t vlb_rng_below(vlb_rng *rng, uint32_t n) {
  uint32_t x, limit = (uint32_t)((0x100000000ull - n) % n); /* 2^32 mod n: reject the short last cycle */
  do x = vlb_rng_u32(rng);
  while (x < limit);
  return x % n;
}

double vlb_rng_normal(vlb_rng *rng) {
  double u = vlb_rng_uniform(rng), v = vlb_rng_uniform(rng);
  return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void vlb_rng_normals(vlb_rng *rng, float *out, size_t n) {
  for (size_t i = 0; i < n; i++) out[i] = (float)vlb_rng_normal(rng);
}

void vlb_rng_permutation(vlb_rng *rng, uint32_t *out, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) out[i] = i;
  for (uint32_t i = n; i > 1; i--) {
    uint32_t j = vlb_rng_below(rng, i), t = out[i - 1];
    out[i - 1] = out[j];
    out[j] = t;
  }
}
