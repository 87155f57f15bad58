/* safetensors files: memory-mapped reading (F32, F16, BF16, F64, I64, I32, U8, BOOL) and atomic writing. Specification 4.1. */
#ifndef VLB_DATA_SAFETENSORS_H
#define VLB_DATA_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

typedef enum { VLB_F32, VLB_F16, VLB_BF16, VLB_F64, VLB_I64, VLB_I32, VLB_U8, VLB_BOOL } vlb_dtype;
const char *vlb_dtype_name(vlb_dtype dtype);
size_t vlb_dtype_size(vlb_dtype dtype);

typedef struct {
  char *name;
  vlb_dtype dtype;
  int ndim;
  int64_t dims[8];
  size_t count;     /* elements */
  const void *data; /* into the mapping; may be unaligned */
} vlb_st_entry;

typedef struct vlb_safetensors vlb_safetensors;

/* Errors (VLB_FAILED, with path and tensor): truncated, header not JSON, overlapping or out-of-range offsets, size that does not
 * fit dtype and shape, unknown dtype. Every offset is checked before use. Entries are sorted by name. */
vlb_code vlb_safetensors_open(const char *path, vlb_safetensors **file, vlb_error *err);
/* The same for a file's bytes that are in memory already (compiled into the program) and outlive the object; label is their name in messages. */
vlb_code vlb_safetensors_in(const char *label, const void *bytes, size_t size, vlb_safetensors **file, vlb_error *err);
void vlb_safetensors_close(vlb_safetensors *file);
int vlb_safetensors_count(const vlb_safetensors *file);
const vlb_st_entry *vlb_safetensors_at(const vlb_safetensors *file, int i);
const vlb_st_entry *vlb_safetensors_find(const vlb_safetensors *file, const char *name); /* NULL: none */

/* Converts to float / int64 elementwise. out has entry->count elements. */
void vlb_st_to_float(const vlb_st_entry *entry, float *out);
void vlb_st_to_int(const vlb_st_entry *entry, int64_t *out);
/* The entry's pages may leave memory; they are read again from the file when needed. */
void vlb_st_release(const vlb_st_entry *entry);

/* Writes entries (sorted here: wide types first, then by name) atomically; byte-identical for identical input. data in the entry's dtype. */
vlb_code vlb_safetensors_write(const char *path, const vlb_st_entry *entries, int n, vlb_error *err);
/* The same with entry i stored as stored[i]: its own, or F32, F16 or BF16 made from floats of another width (to nearest, ties to even), piece by piece, so
 * that no copy of a tensor is held. */
vlb_code vlb_safetensors_write_as(const char *path, const vlb_st_entry *entries, const vlb_dtype *stored, int n, vlb_error *err);

#endif
