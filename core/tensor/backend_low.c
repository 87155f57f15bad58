/* The oneDNN backend, continued: products of low precision with packed weights. */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/tensor/backend.h"
#include "core/tensor/backend_dnnl.h"

/* What one thread needs of its own. */
typedef struct {
  dnnl_stream_t stream;
  dnnl_memory_t a, b, c, scratch;
} place;

struct vlb_low {
  dnnl_engine_t engine;
  dnnl_primitive_t primitive, reorder;
  dnnl_memory_t plain; /* B as it comes, for packing */
  place *places;
  int workers;
  size_t packed_bytes, scratch_bytes;
};

bool vlb_low_supported(vlb_low_type type) {
  unsigned isa = (unsigned)dnnl_get_effective_cpu_isa(), bf16 = dnnl_cpu_isa_avx512_core_bf16, vnni = dnnl_cpu_isa_avx512_core_vnni;
  return type == VLB_LOW_BF16 ? (isa & bf16) == bf16 : (isa & vnni) == vnni;
}

#if DNNL_VERSION_MAJOR < 3
typedef dnnl_memory_desc_t descriptor;
#define REF(d) (&(d))
static dnnl_status_t describe(descriptor *d, int64_t rows, int64_t columns, dnnl_data_type_t type, dnnl_format_tag_t tag) {
  return dnnl_memory_desc_init_by_tag(d, 2, (dnnl_dims_t){rows, columns}, type, tag);
}
static void undescribe(descriptor *d) { (void)d; }
static dnnl_status_t matmul_of(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, const descriptor *a, const descriptor *b, const descriptor *c,
                               dnnl_primitive_attr_t attr) {
  dnnl_matmul_desc_t desc;
  dnnl_status_t rc = dnnl_matmul_desc_init(&desc, a, b, NULL, c);
  return rc ? rc : dnnl_primitive_desc_create(pd, &desc, attr, engine, NULL);
}
#else
typedef dnnl_memory_desc_t descriptor;
#define REF(d) (d)
static dnnl_status_t describe(descriptor *d, int64_t rows, int64_t columns, dnnl_data_type_t type, dnnl_format_tag_t tag) {
  return dnnl_memory_desc_create_with_tag(d, 2, (dnnl_dims_t){rows, columns}, type, tag);
}
static void undescribe(descriptor *d) {
  if (*d) dnnl_memory_desc_destroy(*d);
}
static dnnl_status_t matmul_of(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, const descriptor *a, const descriptor *b, const descriptor *c,
                               dnnl_primitive_attr_t attr) {
  return dnnl_matmul_primitive_desc_create(pd, engine, *a, *b, NULL, *c, attr);
}
#endif

static dnnl_status_t create_places(vlb_low *l, md_ref a, md_ref b, md_ref c, md_ref scratch) {
  dnnl_status_t rc = dnnl_success;
  for (int i = 0; !rc && i < l->workers; i++) {
    place *p = &l->places[i];
    rc = dnnl_stream_create(&p->stream, l->engine, dnnl_stream_default_flags);
    if (!rc) rc = dnnl_memory_create(&p->a, a, l->engine, DNNL_MEMORY_NONE);
    if (!rc) rc = dnnl_memory_create(&p->b, b, l->engine, DNNL_MEMORY_NONE);
    if (!rc) rc = dnnl_memory_create(&p->c, c, l->engine, DNNL_MEMORY_NONE);
    if (!rc) rc = dnnl_memory_create(&p->scratch, scratch, l->engine, DNNL_MEMORY_NONE);
  }
  return rc;
}

/* the primitive, and the reorder from B as it comes to what the primitive prefers */
static dnnl_status_t create_primitives(vlb_low *l, dnnl_primitive_desc_t pd, md_ref plain) {
  md_ref packed = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0), scratch = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
  dnnl_primitive_desc_t reorder = NULL;
  l->packed_bytes = dnnl_memory_desc_get_size(packed);
  l->scratch_bytes = dnnl_memory_desc_get_size(scratch);
  dnnl_status_t rc = dnnl_primitive_create(&l->primitive, pd);
  if (!rc) rc = dnnl_reorder_primitive_desc_create(&reorder, plain, l->engine, packed, l->engine, NULL);
  if (!rc) rc = dnnl_primitive_create(&l->reorder, reorder);
  if (reorder) dnnl_primitive_desc_destroy(reorder);
  if (!rc) rc = dnnl_memory_create(&l->plain, plain, l->engine, DNNL_MEMORY_NONE);
  if (!rc)
    rc = create_places(l, dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0), packed, dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0), scratch);
  return rc;
}

static dnnl_status_t create(vlb_low *l, const vlb_low_spec *s) {
  bool bf16 = s->type == VLB_LOW_BF16;
  dnnl_data_type_t in = bf16 ? dnnl_bf16 : dnnl_s8, out = bf16 ? dnnl_f32 : dnnl_s32;
  descriptor a, b, plain, c;
  dnnl_primitive_attr_t attr = NULL;
  dnnl_primitive_desc_t pd = NULL;
  memset(&a, 0, sizeof a), memset(&b, 0, sizeof b), memset(&plain, 0, sizeof plain), memset(&c, 0, sizeof c);
  dnnl_status_t rc = dnnl_engine_create(&l->engine, dnnl_cpu, 0);
  if (!rc) rc = describe(&a, s->m, s->k, in, dnnl_ab);
  if (!rc) rc = describe(&b, s->k, s->n, in, dnnl_format_tag_any);
  if (!rc) rc = describe(&plain, s->k, s->n, in, dnnl_ba);
  if (!rc) rc = describe(&c, s->m, s->n, out, dnnl_ab);
  if (!rc) rc = dnnl_primitive_attr_create(&attr);
  if (!rc) rc = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
  if (!rc) rc = matmul_of(&pd, l->engine, &a, &b, &c, attr);
  if (!rc) rc = create_primitives(l, pd, REF(plain));
  if (pd) dnnl_primitive_desc_destroy(pd);
  if (attr) dnnl_primitive_attr_destroy(attr);
  undescribe(&a), undescribe(&b), undescribe(&plain), undescribe(&c);
  return rc;
}

vlb_code vlb_low_create(const vlb_low_spec *s, int workers, vlb_low **out, vlb_error *err) {
  omp_set_num_threads(1);
  *out = NULL;
  vlb_low *l = calloc(1, sizeof *l);
  if (l) l->places = calloc((size_t)workers, sizeof *l->places);
  if (!l || !l->places) {
    free(l);
    return vlb_fail(err, VLB_FAILED, "out of memory planning a matrix product");
  }
  l->workers = workers;
  dnnl_status_t rc = create(l, s);
  if (rc) {
    vlb_low_free(l);
    return vlb_fail(err, VLB_FAILED, "oneDNN cannot plan a matrix product [%lld x %lld x %lld] of %s: status %d", (long long)s->m, (long long)s->n,
                    (long long)s->k, s->type == VLB_LOW_BF16 ? "bfloat16" : "int8", (int)rc);
  }
  *out = l;
  return VLB_OK;
}

void vlb_low_free(vlb_low *l) {
  if (!l) return;
  for (int i = 0; i < l->workers; i++) {
    dnnl_memory_t memories[] = {l->places[i].a, l->places[i].b, l->places[i].c, l->places[i].scratch};
    for (size_t k = 0; k < sizeof memories / sizeof *memories; k++)
      if (memories[k]) dnnl_memory_destroy(memories[k]);
    if (l->places[i].stream) dnnl_stream_destroy(l->places[i].stream);
  }
  if (l->plain) dnnl_memory_destroy(l->plain);
  if (l->reorder) dnnl_primitive_destroy(l->reorder);
  if (l->primitive) dnnl_primitive_destroy(l->primitive);
  if (l->engine) dnnl_engine_destroy(l->engine);
  free(l->places), free(l);
}

size_t vlb_low_packed_bytes(const vlb_low *l) { return l->packed_bytes; }
size_t vlb_low_scratch(const vlb_low *l) { return l->scratch_bytes; }

vlb_code vlb_low_pack(vlb_low *l, const void *b, void *packed, vlb_error *err) {
  omp_set_num_threads(1);
  place *p = &l->places[0];
  point(l->plain, b), point(p->b, packed);
  const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, l->plain}, {DNNL_ARG_TO, p->b}};
  dnnl_status_t rc = dnnl_primitive_execute(l->reorder, p->stream, 2, args);
  return rc ? vlb_fail(err, VLB_FAILED, "oneDNN cannot pack a weight: status %d", (int)rc) : VLB_OK;
}

void vlb_low_run(vlb_low *l, int worker, const void *a, const void *packed, void *c, void *scratch) {
  omp_set_num_threads(1);
  place *p = &l->places[worker];
  point(p->a, a), point(p->b, packed), point(p->c, c), point(p->scratch, scratch);
  const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, p->a}, {DNNL_ARG_WEIGHTS, p->b}, {DNNL_ARG_DST, p->c}, {DNNL_ARG_SCRATCHPAD, p->scratch}};
  dnnl_primitive_execute(l->primitive, p->stream, 4, args);
}
