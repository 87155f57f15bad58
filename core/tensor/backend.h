/* The oneDNN backend: one kind of primitive, a batched matrix product. The only place that sees dnnl.h
 * (2.6 of Debian 12 and 3.x of Debian 13). Everything is single-threaded: parallelism is over shards and episodes. */
#ifndef VLB_TENSOR_BACKEND_H
#define VLB_TENSOR_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

/* C[b,m,n] = sum_k A[b,m,k] B[b,k,n]  (+ bias[n]) (+ residual[b,m,n]) (+ C before). All are row-major without gaps; a transposed A is
 * stored [b,k,m], a transposed B [b,n,k]. (Rows with gaps make oneDNN 2.6 allocate at every run, and 3.7 wrong where m or n is 1.) */
typedef struct {
  int64_t batch, m, n, k;
  int64_t a_transposed, b_transposed, bias, residual, accumulate; /* 0 or 1; no padding bytes, so that equal products compare equal */
  /* 1: a row of C is the same bits wherever it stands and however many there are. For one batch entry, A as it is, no accumulation. */
  int64_t same_rows;
} vlb_gemm_spec;

typedef struct vlb_gemm vlb_gemm;

/* Plans the product. Errors: VLB_FAILED with oneDNN's status. Not thread-safe per object: one per graph. */
vlb_code vlb_gemm_create(const vlb_gemm_spec *spec, vlb_gemm **gemm, vlb_error *err);
void vlb_gemm_free(vlb_gemm *gemm);
size_t vlb_gemm_scratch(const vlb_gemm *gemm); /* bytes that run needs, 64-byte aligned */
/* bias and residual are NULL unless the spec has them. Allocates nothing. */
void vlb_gemm_run(vlb_gemm *gemm, const float *a, const float *b, const float *bias, const float *residual, float *c, void *scratch);

/* ---- products of low precision, for inference: C[m,n] = A[m,k] B[n,k]^T, A and B bfloat16 -> C float32, or both int8 -> C int32 ---- */
typedef enum { VLB_LOW_BF16, VLB_LOW_INT8 } vlb_low_type;
typedef struct {
  int64_t m, n, k, type; /* no padding bytes */
} vlb_low_spec;
typedef struct vlb_low vlb_low;
bool vlb_low_supported(vlb_low_type type); /* the processor has instructions for it (and oneDNN may use them) */
/* For up to `workers` threads at once. Errors: VLB_FAILED. */
vlb_code vlb_low_create(const vlb_low_spec *spec, int workers, vlb_low **low, vlb_error *err);
void vlb_low_free(vlb_low *low);
size_t vlb_low_packed_bytes(const vlb_low *low);
size_t vlb_low_scratch(const vlb_low *low); /* bytes */
/* b [n,k], rows without gaps, into the layout that the product prefers; packed: 64-byte aligned. */
vlb_code vlb_low_pack(vlb_low *low, const void *b, void *packed, vlb_error *err);
void vlb_low_run(vlb_low *low, int worker, const void *a, const void *packed, void *c, void *scratch);

bool vlb_backend_rows_alike(void); /* a row of any product is the same bits whatever its company, same_rows or not */
const char *vlb_backend_version(void); /* "2.6.3" as loaded */
const char *vlb_backend_isa(void);     /* "avx512_core_amx" ... as oneDNN will use it */

/* Seconds of one plain row-major product, median over repeats lasting about `seconds` in all. One thread. */
double vlb_backend_matmul_seconds(int64_t m, int64_t n, int64_t k, double seconds);
double vlb_backend_matmul_cpu_seconds(int64_t m, int64_t n, int64_t k, double seconds); /* the same in processor time: others' programs do not count */
/* GFLOP/s of 512^3 products on `threads` threads at once, each with its own: the raw rate that benchmarks divide by. */
double vlb_backend_matmul_rate(int threads, double seconds);

#endif
