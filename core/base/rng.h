/* Counter-based random streams (Philox 4x32-10, Random123). A number is a pure function of
 * (seed, purpose, indices): nothing draws from a shared sequence, so order, threads and resume cannot matter. */
#ifndef VLB_BASE_RNG_H
#define VLB_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* One purpose per use; the numbers are part of every result, so they are never reused or renumbered. */
typedef enum {
  VLB_RNG_INIT = 1,       /* parameter initialisation: index = parameter tensor */
  VLB_RNG_SHUFFLE = 2,    /* epoch permutation: index = epoch */
  VLB_RNG_NOISE = 3,      /* training noise: index = step, sample */
  VLB_RNG_TIME = 4,       /* training time: index = step, sample */
  VLB_RNG_PLACEMENT = 5,  /* initial states: index = task, episode */
  VLB_RNG_EXPERT = 6,     /* scripted expert's variation: index = task, episode */
  VLB_RNG_SAMPLE = 7,     /* sampling noise of a rollout: index = task, episode, replan */
  VLB_RNG_BOOTSTRAP = 8,  /* resampling in statistics */
  VLB_RNG_TEST = 9,       /* tests and benchmarks */
  VLB_RNG_METAWORLD = 10, /* Meta-World's random vectors: index = task, episode */
  VLB_RNG_LATENCY = 20,   /* virtual time of an inference: index = task, episode, inference */
  VLB_RNG_SCENE = 21,     /* scenes for pretraining, pushes and choice of frames: index = task, episode */
  VLB_RNG_CAPTION = 22,   /* which captions a pretraining sample shows: index = step, sample */
  VLB_RNG_CALIBRATE = 30, /* synthetic observations: index = observation */
  VLB_RNG_VARIETY = 31,   /* cameras and light of a demonstration: index = task, episode */
  VLB_RNG_UNSTEADY = 32,  /* noise on a demonstration's actions: index = task, episode */
  VLB_RNG_PUSH = 33,      /* pushes in a demonstration: index = task, episode */
  VLB_RNG_ROWS = 34       /* rows of a chunk that a sample shows: index = step, sample */
} vlb_rng_purpose;

typedef struct {
  uint32_t key[2];
  uint32_t counter[4];
  uint32_t block[4];
  int used; /* numbers of `block` already given out */
} vlb_rng;

/* Stream (seed, purpose, a, b). seed: 64 bits; purpose and a share a word (a < 2^24); b: 32 bits; 2^64 numbers. */
vlb_rng vlb_rng_make(uint64_t seed, vlb_rng_purpose purpose, uint32_t a, uint32_t b);

uint32_t vlb_rng_u32(vlb_rng *rng);
double vlb_rng_uniform(vlb_rng *rng);                       /* (0,1), 53 bits */
double vlb_rng_range(vlb_rng *rng, double lo, double hi);   /* [lo,hi) */
uint32_t vlb_rng_below(vlb_rng *rng, uint32_t n);           /* 0..n-1, unbiased */
double vlb_rng_normal(vlb_rng *rng);                        /* N(0,1), Box-Muller, one per call */
void vlb_rng_normals(vlb_rng *rng, float *out, size_t n);   /* n values N(0,1) rounded to float */

/* The i-th element of a permutation of 0..n-1 for the whole array: out[n], Fisher-Yates on the stream. */
void vlb_rng_permutation(vlb_rng *rng, uint32_t *out, uint32_t n);

#endif
