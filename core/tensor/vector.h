/* Sixteen floats at a time with the compilers' vector extension: the same operations in the same order on every instruction set
 * (products and sums are fused where the processor can), so a loop's result does not depend on how it was vectorised. */
#ifndef VLB_TENSOR_VECTOR_H
#define VLB_TENSOR_VECTOR_H

#include <stdint.h>
#include <string.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

enum { VLB_LANES = 16 };
typedef float vf __attribute__((vector_size(64)));
typedef int32_t vi __attribute__((vector_size(64)));

#define VLB_INLINE static inline __attribute__((always_inline))

/* Where the compilers' generic code for these few is slow there is a second form; both give the same bits. */
#if defined(__AVX512F__) && defined(__AVX512DQ__)
VLB_INLINE __mmask16 v_lanes(int64_t left) { return (__mmask16)(left >= VLB_LANES ? 0xffff : (1u << left) - 1u); }
VLB_INLINE vf v_load(const float *p, int64_t left) { return (vf)_mm512_maskz_loadu_ps(v_lanes(left), p); }
VLB_INLINE void v_store(float *p, vf v, int64_t left) { _mm512_mask_storeu_ps(p, v_lanes(left), (__m512)v); }
VLB_INLINE vf v_select(vi mask, vf yes, vf no) { return (vf)_mm512_mask_blend_ps(_mm512_movepi32_mask((__m512i)mask), (__m512)no, (__m512)yes); }
VLB_INLINE vf v_max(vf a, vf b) { return (vf)_mm512_max_ps((__m512)a, (__m512)b); }
VLB_INLINE vf v_min(vf a, vf b) { return (vf)_mm512_min_ps((__m512)a, (__m512)b); }
#else
VLB_INLINE vf v_load(const float *p, int64_t left) {
  vf v = {0};
  if (left >= VLB_LANES)
    memcpy(&v, p, sizeof v);
  else
    memcpy(&v, p, (size_t)left * sizeof(float));
  return v;
}
VLB_INLINE void v_store(float *p, vf v, int64_t left) { memcpy(p, &v, left >= VLB_LANES ? sizeof v : (size_t)left * sizeof(float)); }
VLB_INLINE vf v_select(vi mask, vf yes, vf no) { return (vf)((mask & (vi)yes) | (~mask & (vi)no)); }
VLB_INLINE vf v_max(vf a, vf b) { return v_select(a > b, a, b); }
VLB_INLINE vf v_min(vf a, vf b) { return v_select(a < b, a, b); }
#endif
/* v_load reads up to 16 floats, v_store writes up to 16; missing lanes load as zero. v_max and v_min give b when either is a NaN. */

VLB_INLINE vf v_set(float x) { return (vf){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
/* `fill` in the lanes from `left` on */
VLB_INLINE vf v_fill(vf v, int64_t left, float fill) {
  int32_t n = left < VLB_LANES ? (int32_t)left : VLB_LANES;
  vi lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return v_select(lane < (vi){n, n, n, n, n, n, n, n, n, n, n, n, n, n, n, n}, v, v_set(fill));
}

/* fixed tree over the lanes: i with i + 8, then + 4, + 2, + 1 */
typedef float v8 __attribute__((vector_size(32)));
typedef float v4 __attribute__((vector_size(16)));
VLB_INLINE v8 v_half(vf v, int upper) {
  return upper ? __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15) : __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
}
VLB_INLINE v4 v_quarter(v8 v, int upper) {
  return upper ? __builtin_shufflevector(v, v, 4, 5, 6, 7) : __builtin_shufflevector(v, v, 0, 1, 2, 3);
}
VLB_INLINE float v_sum(vf v) {
  v8 h = v_half(v, 0) + v_half(v, 1);
  v4 q = v_quarter(h, 0) + v_quarter(h, 1);
  return (q[0] + q[2]) + (q[1] + q[3]);
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
