/* Matrix products for inference: C = A B with B packed once into panels of 64 columns, each [K,64] without gaps (the last one narrower, a multiple
 * of VLB_LANES, padded with zeros). Float32 sums, one chain of fused multiply-adds over k per element of C, so an element is the same bits
 * wherever its row stands, however many rows there are and on whatever thread. For the few rows of a flow step this is half again as
 * fast as oneDNN's product of packed weights: the next piece of a panel is fetched while the present one serves all rows. */
#ifndef VLB_TENSOR_PANEL_H
#define VLB_TENSOR_PANEL_H

#include <stdbool.h>
#include <stdint.h>

enum { VLB_PANEL = 64 };

/* Columns that panel j of a matrix of n columns takes, padding included; floats in front of it; floats of all. */
int64_t vlb_panel_width(int64_t n, int64_t j);
static inline int64_t vlb_panel_count(int64_t n) { return (n + VLB_PANEL - 1) / VLB_PANEL; }
static inline int64_t vlb_panel_offset(int64_t k, int64_t j) { return j * VLB_PANEL * k; }
int64_t vlb_panel_floats(int64_t n, int64_t k);

/* Panel j of B [K,N] from its transpose w [N,K] with rows of ld floats (a linear layer's weight), or from B itself (rows of ld floats). */
void vlb_panel_pack_rows(const float *w, int64_t ld, int64_t n, int64_t k, int64_t j, float *panel);
void vlb_panel_pack_columns(const float *b, int64_t ld, int64_t n, int64_t k, int64_t j, float *panel);
/* The same from a weight, rounded to bfloat16 (to nearest, ties to even). */
void vlb_panel_pack_bf16(const float *w, int64_t ld, int64_t n, int64_t k, int64_t j, uint16_t *panel);

/* c [m,width] (rows of ldc floats) = (adds: +=) a [m,k] (rows of lda floats) times one panel of `width` columns. */
void vlb_panel_multiply(int64_t m, int64_t k, const float *a, int64_t lda, const float *panel, int64_t width, bool adds, float *c, int64_t ldc);
void vlb_panel_multiply_bf16(int64_t m, int64_t k, const float *a, int64_t lda, const uint16_t *panel, int64_t width, bool adds, float *c, int64_t ldc);

uint16_t vlb_to_bf16(float x);

#endif
