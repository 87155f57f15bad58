#include "core/tensor/panel.h"

#include "core/tensor/vector.h"

int64_t vlb_panel_width(int64_t n, int64_t j) {
  int64_t left = (n - j * VLB_PANEL + VLB_LANES - 1) / VLB_LANES * VLB_LANES;
  return left < VLB_PANEL ? left : VLB_PANEL;
}

int64_t vlb_panel_floats(int64_t n, int64_t k) { return (n + VLB_LANES - 1) / VLB_LANES * VLB_LANES * k; }

/* ---- packing ---- */

void vlb_panel_pack_rows(const float *w, int64_t ld, int64_t n, int64_t k, int64_t j, float *panel) {
  int64_t width = vlb_panel_width(n, j), first = j * VLB_PANEL;
  for (int64_t c = 0; c < width; c++) {
    const float *row = first + c < n ? w + (first + c) * ld : NULL;
    for (int64_t p = 0; p < k; p++) panel[p * width + c] = row ? row[p] : 0;
  }
}

void vlb_panel_pack_columns(const float *b, int64_t ld, int64_t n, int64_t k, int64_t j, float *panel) {
  int64_t width = vlb_panel_width(n, j), first = j * VLB_PANEL;
  for (int64_t p = 0; p < k; p++)
    for (int64_t c = 0; c < width; c += VLB_LANES) v_store(panel + p * width + c, v_load(b + p * ld + first + c, n - first - c), VLB_LANES);
}

uint16_t vlb_to_bf16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40u); /* a NaN stays one */
  return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

void vlb_panel_pack_bf16(const float *w, int64_t ld, int64_t n, int64_t k, int64_t j, uint16_t *panel) {
  int64_t width = vlb_panel_width(n, j), first = j * VLB_PANEL;
  for (int64_t c = 0; c < width; c++)
    for (int64_t p = 0; p < k; p++) panel[p * width + c] = first + c < n ? vlb_to_bf16(w[(first + c) * ld + p]) : 0;
}

/* ---- products ---- */

/* One block: ROWS rows of C times VECTORS vectors of columns stay in registers for STEPS values of k. 6 x 4 fill the 32 registers of AVX-512;
 * the 16 half as wide ones of AVX2 hold 6 x 2. */
typedef uint16_t halves __attribute__((vector_size(2 * VLB_LANES)));
enum { VECTORS = VLB_LANES / 4 };
enum { ROWS = 6 };
enum { STEPS = 128 };

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

typedef struct {
  int64_t k, lda, ldb, ldc, lines; /* lines: of 128 bytes of B to be fetched ahead */
  const char *ahead;
  bool first; /* C starts from zero */
} block;

VLB_INLINE vf load_f32(const float *p) { return v_load(p, VLB_LANES); }
VLB_INLINE vf load_bf16(const uint16_t *p) {
  halves h;
  memcpy(&h, p, sizeof h);
  return (vf)(__builtin_convertvector(h, vi) << 16);
}

#define KERNEL(name, type, load, R, V)                                                                               \
  static void name##_##R##_##V(const block *s, const float *restrict a, const type *restrict b, float *restrict c) { \
    vf sum[R][V];                                                                                                    \
    const char *ahead = s->ahead;                                                                                    \
    UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < V; j++)                                            \
        sum[i][j] = s->first ? v_set(0) : load_f32(c + i * s->ldc + VLB_LANES * j);                                  \
    for (int64_t p = 0; p < s->k; p++, b += s->ldb) {                                                                \
      vf w[V];                                                                                                       \
      if (p < s->lines) {                                                                                            \
        __builtin_prefetch(ahead, 0, 2);                                                                             \
        __builtin_prefetch(ahead + 64, 0, 2);                                                                        \
        ahead += 128;                                                                                                \
      }                                                                                                              \
      UNROLL for (int j = 0; j < V; j++) w[j] = load(b + VLB_LANES * j);                                             \
      UNROLL for (int i = 0; i < R; i++) {                                                                           \
        vf x = v_set(a[i * s->lda + p]);                                                                             \
        UNROLL for (int j = 0; j < V; j++) sum[i][j] = v_fma(x, w[j], sum[i][j]);                                    \
      }                                                                                                              \
    }                                                                                                                \
    UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < V; j++)                                            \
        memcpy(c + i * s->ldc + VLB_LANES * j, &sum[i][j], sizeof(vf));                                              \
  }

#define KERNELS_OF(name, type, load, V)                                                                                       \
  KERNEL(name, type, load, 1, V) KERNEL(name, type, load, 2, V) KERNEL(name, type, load, 3, V) KERNEL(name, type, load, 4, V) \
  KERNEL(name, type, load, 5, V) KERNEL(name, type, load, 6, V)
#define ROW_OF(name, V) {name##_1_##V, name##_2_##V, name##_3_##V, name##_4_##V, name##_5_##V, name##_6_##V}
#ifdef __AVX512F__
#define KERNELS(name, type, load) \
  KERNELS_OF(name, type, load, 1) KERNELS_OF(name, type, load, 2) KERNELS_OF(name, type, load, 3) KERNELS_OF(name, type, load, 4)
#define TABLE(name) {ROW_OF(name, 1), ROW_OF(name, 2), ROW_OF(name, 3), ROW_OF(name, 4)}
#else
#define KERNELS(name, type, load) KERNELS_OF(name, type, load, 1) KERNELS_OF(name, type, load, 2)
#define TABLE(name) {ROW_OF(name, 1), ROW_OF(name, 2)}
#endif

/* All rows against STEPS rows of a panel at a time, which then stay in the first-level cache; rows in blocks of equal size. */
#define MULTIPLY(function, name, type)                                                                                                        \
  void function(int64_t m, int64_t k, const float *a, int64_t lda, const type *panel, int64_t width, bool adds, float *c, int64_t ldc) {      \
    static void (*const table[VECTORS][ROWS])(const block *, const float *restrict, const type *restrict, float *restrict) = TABLE(name);     \
    int64_t blocks = (m + ROWS - 1) / ROWS;                                                                                                   \
    for (int64_t p = 0; p < k; p += STEPS) {                                                                                                  \
      int64_t steps = k - p < STEPS ? k - p : STEPS, lines = (steps * width * (int64_t)sizeof(type) + 127) / 128;                             \
      const type *b = panel + p * width;                                                                                                      \
      for (int64_t i = 0; i < blocks; i++) {                                                                                                  \
        int64_t row = m * i / blocks, rows = m * (i + 1) / blocks - row, line = lines * i / blocks;                                           \
        block s = {steps, lda, width, ldc, lines * (i + 1) / blocks - line, (const char *)(b + steps * width) + 128 * line, p == 0 && !adds}; \
        for (int64_t j = 0; j < width; j += VLB_LANES * VECTORS) {                                                                            \
          int64_t vectors = (width - j) / VLB_LANES < VECTORS ? (width - j) / VLB_LANES : VECTORS;                                            \
          table[vectors - 1][rows - 1](&s, a + row * lda + p, b + j, c + row * ldc + j);                                                      \
        }                                                                                                                                     \
      }                                                                                                                                       \
    }                                                                                                                                         \
  }

KERNELS(float32, float, load_f32)
MULTIPLY(vlb_panel_multiply, float32, float)
KERNELS(bfloat16, uint16_t, load_bf16)
MULTIPLY(vlb_panel_multiply_bf16, bfloat16, uint16_t)
