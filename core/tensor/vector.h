/* As many floats at a time as one register holds, with the compilers' vector extension. For one instruction set the operations and their
 * order are fixed, whatever the compiler and the threads; between instruction sets the last bits differ, as oneDNN's do. */
#ifndef VLB_TENSOR_VECTOR_H
#define VLB_TENSOR_VECTOR_H

#include <stdint.h>
#include <string.h>
#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__))
#include <immintrin.h>
#endif

#ifdef __AVX512F__
enum { VLB_LANES = 16 };
#else
enum { VLB_LANES = 8 };
#endif
typedef float vf __attribute__((vector_size(VLB_LANES * 4)));
typedef int32_t vi __attribute__((vector_size(VLB_LANES * 4)));

#define VLB_INLINE static inline __attribute__((always_inline))

VLB_INLINE vf v_set(float x) { return x - (vf){0}; }
/* all bits in the lanes below `left` */
VLB_INLINE vi v_lanes(int64_t left) {
  static const int32_t lane[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  vi at;
  memcpy(&at, lane, sizeof at);
  return at < (left < VLB_LANES ? (int32_t)left : VLB_LANES) - (vi){0};
}

/* The few for which the compilers' generic code is slow or calls memcpy. */
#ifdef __AVX512F__
VLB_INLINE __mmask16 v_bits(int64_t left) { return (__mmask16)(left >= VLB_LANES ? 0xffff : (1u << left) - 1u); }
VLB_INLINE vf v_load(const float *p, int64_t left) { return (vf)_mm512_maskz_loadu_ps(v_bits(left), p); }
VLB_INLINE void v_store(float *p, vf v, int64_t left) { _mm512_mask_storeu_ps(p, v_bits(left), (__m512)v); }
VLB_INLINE vf v_select(vi mask, vf yes, vf no) { return (vf)_mm512_mask_blend_ps(_mm512_cmplt_epi32_mask((__m512i)mask, _mm512_setzero_si512()), (__m512)no, (__m512)yes); }
VLB_INLINE vf v_max(vf a, vf b) { return (vf)_mm512_max_ps((__m512)a, (__m512)b); }
VLB_INLINE vf v_min(vf a, vf b) { return (vf)_mm512_min_ps((__m512)a, (__m512)b); }
VLB_INLINE vf v_fma(vf a, vf b, vf c) { return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
#elif defined(__AVX2__) && defined(__FMA__)
VLB_INLINE vf v_load(const float *p, int64_t left) {
  return left >= VLB_LANES ? (vf)_mm256_loadu_ps(p) : (vf)_mm256_maskload_ps(p, (__m256i)v_lanes(left));
}
VLB_INLINE void v_store(float *p, vf v, int64_t left) {
  if (left >= VLB_LANES)
    _mm256_storeu_ps(p, (__m256)v);
  else
    _mm256_maskstore_ps(p, (__m256i)v_lanes(left), (__m256)v);
}
VLB_INLINE vf v_select(vi mask, vf yes, vf no) { return (vf)_mm256_blendv_ps((__m256)no, (__m256)yes, (__m256)mask); }
VLB_INLINE vf v_max(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
VLB_INLINE vf v_min(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
VLB_INLINE vf v_fma(vf a, vf b, vf c) { return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
#else
VLB_INLINE vf v_load(const float *p, int64_t left) {
  vf v = {0};
  memcpy(&v, p, left >= VLB_LANES ? sizeof v : (size_t)left * sizeof(float));
  return v;
}
VLB_INLINE void v_store(float *p, vf v, int64_t left) { memcpy(p, &v, left >= VLB_LANES ? sizeof v : (size_t)left * sizeof(float)); }
VLB_INLINE vf v_select(vi mask, vf yes, vf no) { return (vf)((mask & (vi)yes) | (~mask & (vi)no)); }
VLB_INLINE vf v_max(vf a, vf b) { return v_select(a > b, a, b); }
VLB_INLINE vf v_min(vf a, vf b) { return v_select(a < b, a, b); }
VLB_INLINE vf v_fma(vf a, vf b, vf c) { return a * b + c; }
#endif
/* v_load reads up to VLB_LANES floats, v_store writes as many; missing lanes load as zero. v_max and v_min give b when either is a NaN.
 * v_fma: a b + c, for sums that must be fused in every loop alike; gcc breaks a chain of them up as it sees fit (avoid_fma_chains). */

/* `fill` in the lanes from `left` on */
VLB_INLINE vf v_fill(vf v, int64_t left, float fill) { return v_select(v_lanes(left), v, v_set(fill)); }

/* fixed tree over the lanes: i with i + LANES / 2, then + LANES / 4, ... + 1 */
VLB_INLINE float v_sum(vf v) {
  float a[VLB_LANES];
  memcpy(a, &v, sizeof a);
  for (int step = VLB_LANES / 2; step; step /= 2)
    for (int i = 0; i < step; i++) a[i] += a[i + step];
  return a[0];
}
VLB_INLINE float v_top(vf v) {
  float a[VLB_LANES];
  memcpy(a, &v, sizeof a);
  for (int step = VLB_LANES / 2; step; step /= 2)
    for (int i = 0; i < step; i++) a[i] = a[i] > a[i + step] ? a[i] : a[i + step];
  return a[0];
}

/* e^x within 2 units in the last place; flushes below 2^-126 to about 1e-38 and saturates above 3e38.
 * Range reduction by n ln 2 in two parts, then the degree-6 polynomial of Cephes (S. Moshier, expf). */
VLB_INLINE vf v_exp(vf x) {
  x = v_min(v_max(x, v_set(-87.3f)), v_set(88.3f));
  vf t = x * v_set(1.44269504088896341f) + v_set(12582912.0f); /* 1.5 * 2^23: rounds to an integer in the low bits */
  vf n = t - v_set(12582912.0f);
  vf r = x - n * v_set(0.693359375f) + n * v_set(2.12194440e-4f);
  vf p = v_set(1.9875691500e-4f);
  p = p * r + v_set(1.3981999507e-3f);
  p = p * r + v_set(8.3334519073e-3f);
  p = p * r + v_set(4.1665795894e-2f);
  p = p * r + v_set(1.6666665459e-1f);
  p = p * r + v_set(5.0000001201e-1f);
  p = p * r * r + r + v_set(1.0f);
  return (vf)((vi)p + (((vi)t - (vi)v_set(12582912.0f)) << 23));
}
VLB_INLINE vf v_sigmoid(vf x) { return v_set(1.0f) / (v_set(1.0f) + v_exp(-x)); }

#endif
