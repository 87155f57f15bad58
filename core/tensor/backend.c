#include "core/tensor/backend.h"

#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/pool.h"
#include "core/tensor/backend_dnnl.h"

struct vlb_gemm {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  dnnl_primitive_t primitive;
  dnnl_memory_t a, b, c, bias, residual, scratch;
  size_t scratch_bytes;
  vlb_gemm_spec spec;
  bool tiled; /* the primitive makes TILE rows */
};

/* oneDNN's AVX-512 kernels treat all rows of C alike. Its older one (2.6 and 3.7, gemm:jit) adds up in another order in the last rows of a
 * block, and in other blocks for other sizes; there a product whose rows must be alike is made of equal tiles, the last one padded. 54 rows: a multiple of that
 * kernel's 6, and a chunk of 50 actions is one tile; costs a fifth of a product's time. */
enum { TILE = 54 };
bool vlb_backend_rows_alike(void) { return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core; }

enum { MAX_DIMS = 3 };

typedef struct {
  int ndim;
  dnnl_dims_t dims, strides;
} layout;

/* a matrix with an optional leading batch axis: oneDNN's fastest kernels want two axes where two are enough */
static layout layout_of(bool batched, int64_t batch, int64_t rows, int64_t cols, bool transposed) {
  layout l = {batched ? 3 : 2, {0}, {0}};
  int i = 0;
  if (batched) {
    l.dims[i] = batch;
    l.strides[i++] = rows * cols;
  }
  l.dims[i] = rows;
  l.strides[i++] = transposed ? 1 : cols;
  l.dims[i] = cols;
  l.strides[i] = transposed ? rows : 1;
  return l;
}

/* The version seam: descriptors are values in 2.x and handles in 3.x. */
#if DNNL_VERSION_MAJOR < 3
typedef dnnl_memory_desc_t descriptor;
static dnnl_status_t describe(descriptor *d, const layout *l) {
  return dnnl_memory_desc_init_by_strides(d, l->ndim, l->dims, dnnl_f32, l->strides);
}
static void undescribe(descriptor *d) { (void)d; }
static dnnl_status_t memory_of(dnnl_memory_t *memory, const descriptor *d, dnnl_engine_t engine) {
  return dnnl_memory_create(memory, d, engine, DNNL_MEMORY_NONE);
}
static dnnl_status_t append_residual(dnnl_post_ops_t ops, const descriptor *d) { return dnnl_post_ops_append_binary(ops, dnnl_binary_add, d); }
static dnnl_status_t append_sum(dnnl_post_ops_t ops) { return dnnl_post_ops_append_sum(ops, 1.0f); }
static dnnl_status_t matmul_of(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, const descriptor *a, const descriptor *b, const descriptor *bias,
                     const descriptor *c, dnnl_primitive_attr_t attr) {
  dnnl_matmul_desc_t desc;
  dnnl_status_t rc = dnnl_matmul_desc_init(&desc, a, b, bias, c);
  return rc ? rc : dnnl_primitive_desc_create(pd, &desc, attr, engine, NULL);
}
#else
typedef dnnl_memory_desc_t descriptor;
static dnnl_status_t describe(descriptor *d, const layout *l) {
  return dnnl_memory_desc_create_with_strides(d, l->ndim, l->dims, dnnl_f32, l->strides);
}
static void undescribe(descriptor *d) {
  if (*d) dnnl_memory_desc_destroy(*d);
}
static dnnl_status_t memory_of(dnnl_memory_t *memory, const descriptor *d, dnnl_engine_t engine) {
  return dnnl_memory_create(memory, *d, engine, DNNL_MEMORY_NONE);
}
static dnnl_status_t append_residual(dnnl_post_ops_t ops, const descriptor *d) { return dnnl_post_ops_append_binary(ops, dnnl_binary_add, *d); }
static dnnl_status_t append_sum(dnnl_post_ops_t ops) { return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef); }
static dnnl_status_t matmul_of(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, const descriptor *a, const descriptor *b, const descriptor *bias,
                     const descriptor *c, dnnl_primitive_attr_t attr) {
  return dnnl_matmul_primitive_desc_create(pd, engine, *a, *b, bias ? *bias : NULL, *c, attr);
}
#endif

static dnnl_primitive_attr_t attributes(const vlb_gemm_spec *s, const descriptor *c, dnnl_status_t *rc) {
  dnnl_primitive_attr_t attr = NULL;
  dnnl_post_ops_t ops = NULL;
  *rc = dnnl_primitive_attr_create(&attr);
  if (!*rc) *rc = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
  if (!*rc) *rc = dnnl_post_ops_create(&ops);
  if (!*rc && s->accumulate) *rc = append_sum(ops);
  if (!*rc && s->residual) *rc = append_residual(ops, c);
  if (!*rc) *rc = dnnl_primitive_attr_set_post_ops(attr, ops);
  if (ops) dnnl_post_ops_destroy(ops);
  return attr;
}

static dnnl_status_t create_primitive(vlb_gemm *g, const vlb_gemm_spec *s, descriptor *a, descriptor *b, descriptor *c, descriptor *bias) {
  dnnl_status_t rc;
  dnnl_primitive_attr_t attr = attributes(s, c, &rc);
  dnnl_primitive_desc_t pd = NULL;
  if (!rc) rc = matmul_of(&pd, g->engine, a, b, s->bias ? bias : NULL, c, attr);
  if (!rc) rc = dnnl_primitive_create(&g->primitive, pd);
  if (!rc) {
    md_ref md = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    g->scratch_bytes = dnnl_memory_desc_get_size(md);
    rc = dnnl_memory_create(&g->scratch, md, g->engine, DNNL_MEMORY_NONE);
  }
  if (pd) dnnl_primitive_desc_destroy(pd);
  if (attr) dnnl_primitive_attr_destroy(attr);
  return rc;
}

vlb_code vlb_gemm_create(const vlb_gemm_spec *s, vlb_gemm **out, vlb_error *err) {
  /* inside a worker oneDNN must not open a team of its own: results would depend on the thread count */
  omp_set_num_threads(1);
  *out = NULL;
  vlb_gemm *g = calloc(1, sizeof *g);
  if (!g) return vlb_fail(err, VLB_FAILED, "out of memory planning a matrix product");
  g->spec = *s;
  g->tiled = s->same_rows && !vlb_backend_rows_alike();
  bool batched = s->batch > 1;
  int64_t m = g->tiled ? TILE : s->m;
  layout la = layout_of(batched, s->batch, m, s->k, s->a_transposed);
  layout lb = layout_of(batched, s->batch, s->k, s->n, s->b_transposed);
  layout lc = layout_of(batched, s->batch, m, s->n, false);
  layout lbias = layout_of(batched, 1, 1, s->n, false);
  descriptor a, b, c, bias;
  memset(&a, 0, sizeof a), memset(&b, 0, sizeof b), memset(&c, 0, sizeof c), memset(&bias, 0, sizeof bias);
  dnnl_status_t rc = dnnl_engine_create(&g->engine, dnnl_cpu, 0);
  if (!rc) rc = dnnl_stream_create(&g->stream, g->engine, dnnl_stream_default_flags);
  if (!rc) rc = describe(&a, &la);
  if (!rc) rc = describe(&b, &lb);
  if (!rc) rc = describe(&c, &lc);
  if (!rc) rc = describe(&bias, &lbias);
  if (!rc) rc = create_primitive(g, s, &a, &b, &c, &bias);
  if (!rc) rc = memory_of(&g->a, &a, g->engine);
  if (!rc) rc = memory_of(&g->b, &b, g->engine);
  if (!rc) rc = memory_of(&g->c, &c, g->engine);
  if (!rc) rc = memory_of(&g->bias, &bias, g->engine);
  if (!rc) rc = memory_of(&g->residual, &c, g->engine);
  undescribe(&a), undescribe(&b), undescribe(&c), undescribe(&bias);
  if (rc) {
    vlb_gemm_free(g);
    return vlb_fail(err, VLB_FAILED, "oneDNN cannot plan a matrix product [%lld x %lld x %lld x %lld]: status %d", (long long)s->batch,
                    (long long)s->m, (long long)s->n, (long long)s->k, (int)rc);
  }
  *out = g;
  return VLB_OK;
}

void vlb_gemm_free(vlb_gemm *g) {
  if (!g) return;
  dnnl_memory_t memories[] = {g->a, g->b, g->c, g->bias, g->residual, g->scratch};
  for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
    if (memories[i]) dnnl_memory_destroy(memories[i]);
  if (g->primitive) dnnl_primitive_destroy(g->primitive);
  if (g->stream) dnnl_stream_destroy(g->stream);
  if (g->engine) dnnl_engine_destroy(g->engine);
  free(g);
}

static size_t padded(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

/* of one padded tile: rows of A, rows of the residual, rows of C */
static size_t tile_floats(const vlb_gemm *g) { return g->tiled ? (size_t)(TILE * (g->spec.k + 2 * g->spec.n)) : 0; }

size_t vlb_gemm_scratch(const vlb_gemm *g) { return padded(g->scratch_bytes) + tile_floats(g) * sizeof(float); }

static void execute(vlb_gemm *g, const float *a, const float *b, const float *bias, const float *residual, float *c, void *scratch) {
  point(g->a, a), point(g->b, b), point(g->c, c), point(g->scratch, scratch);
  dnnl_exec_arg_t args[6] = {
      {DNNL_ARG_SRC, g->a}, {DNNL_ARG_WEIGHTS, g->b}, {DNNL_ARG_DST, g->c}, {DNNL_ARG_SCRATCHPAD, g->scratch}};
  int n = 4;
  if (bias) {
    point(g->bias, bias);
    args[n++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, g->bias};
  }
  if (residual) {
    point(g->residual, residual);
    args[n++] = (dnnl_exec_arg_t){DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, g->residual};
  }
  dnnl_primitive_execute(g->primitive, g->stream, n, args);
}

static void execute_tiles(vlb_gemm *g, const float *a, const float *b, const float *bias, const float *residual, float *c, void *scratch) {
  int64_t m = g->spec.m, n = g->spec.n, k = g->spec.k, whole = m / TILE * TILE;
  for (int64_t i = 0; i < whole; i += TILE) execute(g, a + i * k, b, bias, residual ? residual + i * n : NULL, c + i * n, scratch);
  size_t rest = (size_t)(m - whole);
  if (!rest) return;
  float *rows = (float *)((char *)scratch + padded(g->scratch_bytes)), *rest_residual = rows + TILE * k, *rest_c = rest_residual + TILE * n;
  memset(rows, 0, tile_floats(g) * sizeof *rows);
  memcpy(rows, a + whole * k, rest * (size_t)k * sizeof *rows);
  if (residual) memcpy(rest_residual, residual + whole * n, rest * (size_t)n * sizeof *rows);
  execute(g, rows, b, bias, residual ? rest_residual : NULL, rest_c, scratch);
  memcpy(c + whole * n, rest_c, rest * (size_t)n * sizeof *c);
}

void vlb_gemm_run(vlb_gemm *g, const float *a, const float *b, const float *bias, const float *residual, float *c, void *scratch) {
  omp_set_num_threads(1);
  if (g->tiled)
    execute_tiles(g, a, b, bias, residual, c, scratch);
  else
    execute(g, a, b, bias, residual, c, scratch);
}

const char *vlb_backend_version(void) {
  static _Thread_local char text[32];
  const dnnl_version_t *v = dnnl_version();
  snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
  return text;
}

const char *vlb_backend_isa(void) {
  switch ((int)dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41: return "sse41";
    case dnnl_cpu_isa_avx: return "avx";
    case dnnl_cpu_isa_avx2: return "avx2";
    case dnnl_cpu_isa_avx2_vnni: return "avx2_vnni";
    case dnnl_cpu_isa_avx512_core: return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni: return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16: return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_amx: return "avx512_core_amx";
    default: return "newer than this program knows";
  }
}

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *x, const void *y) {
  double a = *(const double *)x, b = *(const double *)y;
  return (a > b) - (a < b);
}

static double matmul_seconds(int64_t m, int64_t n, int64_t k, double seconds, clockid_t clock) {
  vlb_gemm_spec spec = {.batch = 1, .m = m, .n = n, .k = k};
  vlb_gemm *g = NULL;
  if (vlb_gemm_create(&spec, &g, NULL)) return 0;
  enum { MAX_RUNS = 4096 };
  size_t scratch = (vlb_gemm_scratch(g) + 127) & ~(size_t)63, count = (size_t)(m * k + k * n + m * n);
  float *data = aligned_alloc(64, (count * sizeof(float) + 63) & ~(size_t)63);
  void *work = aligned_alloc(64, scratch);
  double *runs = malloc(MAX_RUNS * sizeof *runs), median = 0;
  if (data && work && runs) {
    for (size_t i = 0; i < count; i++) data[i] = 0.5f;
    float *a = data, *b = a + m * k, *c = b + k * n;
    vlb_gemm_run(g, a, b, NULL, NULL, c, work); /* warm-up */
    int done = 0;
    for (double start = now(clock); done < MAX_RUNS && (done < 3 || now(clock) - start < seconds); done++) {
      double t = now(clock);
      vlb_gemm_run(g, a, b, NULL, NULL, c, work);
      runs[done] = now(clock) - t;
    }
    qsort(runs, (size_t)done, sizeof *runs, by_value);
    median = runs[done / 2];
  }
  free(runs), free(work), free(data);
  vlb_gemm_free(g);
  return median;
}

double vlb_backend_matmul_seconds(int64_t m, int64_t n, int64_t k, double seconds) {
  return matmul_seconds(m, n, k, seconds, CLOCK_MONOTONIC);
}
double vlb_backend_matmul_cpu_seconds(int64_t m, int64_t n, int64_t k, double seconds) {
  return matmul_seconds(m, n, k, seconds, CLOCK_THREAD_CPUTIME_ID);
}

typedef struct {
  double seconds, rate[256];
} rate_job;

static vlb_code rate_one(void *self, int i, int worker, vlb_error *err) {
  rate_job *job = self;
  enum { N = 512 };
  double t = vlb_backend_matmul_seconds(N, N, N, job->seconds);
  if (t <= 0) return vlb_fail(err, VLB_FAILED, "the raw matrix product could not run");
  job->rate[i] = 2.0 * N * N * N / t * 1e-9;
  (void)worker;
  return VLB_OK;
}

double vlb_backend_matmul_rate(int threads, double seconds) {
  rate_job job = {.seconds = seconds};
  if (threads > 256) threads = 256;
  if (vlb_parallel(threads, threads, rate_one, &job, NULL)) return 0;
  double sum = 0;
  for (int i = 0; i < threads; i++) sum += job.rate[i];
  return sum;
}
