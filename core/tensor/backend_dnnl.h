/* oneDNN 2.x and 3.x behind one set of names: descriptors are values in the first and handles in the second. For the backend's files only. */
#ifndef VLB_TENSOR_BACKEND_DNNL_H
#define VLB_TENSOR_BACKEND_DNNL_H

#include <dnnl.h>

#if DNNL_VERSION_MAJOR < 3
typedef const dnnl_memory_desc_t *md_ref; /* a plain struct, borrowed by address */
#else
typedef const_dnnl_memory_desc_t md_ref; /* an opaque handle */
#endif

/* oneDNN's pointers are not const; inputs are only read */
static inline void point(dnnl_memory_t memory, const void *data) {
  union {
    const void *in;
    void *out;
  } p = {data};
  dnnl_memory_set_data_handle(memory, p.out);
}

#endif
