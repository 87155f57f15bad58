#include "core/data/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors data is little-endian and is mapped as it is");

enum { LENGTH_SIZE = 8, MAX_DIMS = 8, MAX_HEADER = 100 << 20 };

static const struct {
  const char *name;
  size_t size;
} dtypes[] = {[VLB_F32] = {"F32", 4}, [VLB_F16] = {"F16", 2}, [VLB_BF16] = {"BF16", 2}, [VLB_F64] = {"F64", 8},
              [VLB_I64] = {"I64", 8}, [VLB_I32] = {"I32", 4}, [VLB_U8] = {"U8", 1},     [VLB_BOOL] = {"BOOL", 1}};

const char *vlb_dtype_name(vlb_dtype dtype) { return dtypes[dtype].name; }
size_t vlb_dtype_size(vlb_dtype dtype) { return dtypes[dtype].size; }

struct vlb_safetensors {
  char *path;
  const void *map;
  bool borrowed; /* the bytes are somebody else's memory */
  size_t size;
  const char *data; /* behind the header */
  size_t data_size;
  vlb_st_entry *entries;
  int count;
};

/* --- reading --- */

static vlb_code bad_tensor(const char *path, const char *name, vlb_error *err, const char *what) {
  return vlb_fail(err, VLB_FAILED, "%s: tensor \"%.200s\": %s; the file is damaged", path, name, what);
}

/* Elements of a shape; false on a negative size or when the bytes do not fit size_t. */
static bool count_elements(const vlb_st_entry *e, size_t *count) {
  size_t n = 1;
  for (int i = 0; i < e->ndim; i++) {
    if (e->dims[i] < 0) return false;
    if (__builtin_mul_overflow(n, (size_t)e->dims[i], &n)) return false;
  }
  size_t bytes;
  if (__builtin_mul_overflow(n, vlb_dtype_size(e->dtype), &bytes)) return false;
  *count = n;
  return true;
}

static bool parse_dtype(const json_t *value, vlb_dtype *out) {
  const char *name = json_string_value(value);
  for (int i = 0; name && i < (int)(sizeof dtypes / sizeof *dtypes); i++)
    if (!strcmp(dtypes[i].name, name)) {
      *out = (vlb_dtype)i;
      return true;
    }
  return false;
}

static bool parse_shape(const json_t *value, vlb_st_entry *e) {
  if (!json_is_array(value) || json_array_size(value) > MAX_DIMS) return false;
  e->ndim = (int)json_array_size(value);
  for (int i = 0; i < e->ndim; i++) {
    const json_t *dim = json_array_get(value, (size_t)i);
    if (!json_is_integer(dim)) return false;
    e->dims[i] = json_integer_value(dim);
  }
  return true;
}

static vlb_code parse_entry(vlb_safetensors *f, const char *name, const json_t *info, vlb_st_entry *e, vlb_error *err) {
  if (!parse_dtype(json_object_get(info, "dtype"), &e->dtype))
    return bad_tensor(f->path, name, err, "dtype is not one of F32 F16 BF16 F64 I64 I32 U8 BOOL");
  if (!parse_shape(json_object_get(info, "shape"), e) || !count_elements(e, &e->count))
    return bad_tensor(f->path, name, err, "shape is not a list of at most 8 sizes");
  const json_t *offsets = json_object_get(info, "data_offsets");
  const json_t *from = json_array_get(offsets, 0), *to = json_array_get(offsets, 1);
  if (json_array_size(offsets) != 2 || !json_is_integer(from) || !json_is_integer(to))
    return bad_tensor(f->path, name, err, "data_offsets is not a pair of integers");
  json_int_t begin = json_integer_value(from), end = json_integer_value(to);
  if (begin < 0 || begin > end || (uint64_t)end > f->data_size)
    return bad_tensor(f->path, name, err, "data_offsets lie outside the file");
  if ((size_t)(end - begin) != e->count * vlb_dtype_size(e->dtype))
    return bad_tensor(f->path, name, err, "data_offsets do not fit dtype and shape");
  e->data = f->data + begin;
  e->name = strdup(name);
  return e->name ? VLB_OK : vlb_fail(err, VLB_FAILED, "%s: out of memory", f->path);
}

static size_t bytes_of(const vlb_st_entry *e) { return e->count * vlb_dtype_size(e->dtype); }

static int by_place(const void *a, const void *b) {
  const vlb_st_entry *x = a, *y = b;
  if (x->data != y->data) return (const char *)x->data < (const char *)y->data ? -1 : 1;
  /* empty tensors may share the place of the next one */
  return (bytes_of(x) > bytes_of(y)) - (bytes_of(x) < bytes_of(y));
}

static int by_name(const void *a, const void *b) {
  const vlb_st_entry *x = a, *y = b;
  return strcmp(x->name, y->name);
}

/* The format wants the tensors to fill the file without gaps, so a cut or grown file is always noticed. */
static vlb_code check_layout(vlb_safetensors *f, vlb_error *err) {
  if (f->count) qsort(f->entries, (size_t)f->count, sizeof *f->entries, by_place);
  const char *at = f->data;
  for (int i = 0; i < f->count; i++) {
    const vlb_st_entry *e = &f->entries[i];
    if ((const char *)e->data < at) return bad_tensor(f->path, e->name, err, "data overlaps another tensor");
    if ((const char *)e->data > at) return bad_tensor(f->path, e->name, err, "a gap before the data");
    at += bytes_of(e);
  }
  if (at != f->data + f->data_size)
    return vlb_fail(err, VLB_FAILED, "%s: %zu bytes behind the last tensor; the file is damaged", f->path,
                    (size_t)(f->data + f->data_size - at));
  if (f->count) qsort(f->entries, (size_t)f->count, sizeof *f->entries, by_name);
  return VLB_OK;
}

static vlb_code parse_entries(vlb_safetensors *f, json_t *header, vlb_error *err) {
  f->entries = calloc(json_object_size(header) + 1, sizeof *f->entries);
  if (!f->entries) return vlb_fail(err, VLB_FAILED, "%s: out of memory", f->path);
  const char *name;
  json_t *info;
  json_object_foreach(header, name, info) {
    if (!strcmp(name, "__metadata__")) continue;
    VLB_TRY(parse_entry(f, name, info, &f->entries[f->count], err));
    f->count++;
  }
  return check_layout(f, err);
}

static vlb_code parse_header(vlb_safetensors *f, vlb_error *err) {
  uint64_t length;
  if (f->size < LENGTH_SIZE) return vlb_fail(err, VLB_FAILED, "%s: truncated: no safetensors header", f->path);
  memcpy(&length, f->map, sizeof length);
  if (length > MAX_HEADER || length > f->size - LENGTH_SIZE)
    return vlb_fail(err, VLB_FAILED, "%s: truncated, or not a safetensors file: header of %llu bytes in a file of %zu", f->path,
                    (unsigned long long)length, f->size);
  f->data = (const char *)f->map + LENGTH_SIZE + length;
  f->data_size = f->size - LENGTH_SIZE - (size_t)length;
  json_error_t why;
  json_t *header = json_loadb((const char *)f->map + LENGTH_SIZE, (size_t)length, JSON_REJECT_DUPLICATES, &why);
  if (!json_is_object(header)) {
    json_decref(header);
    return vlb_fail(err, VLB_FAILED, "%s: the safetensors header is not a JSON object%s%s", f->path, header ? "" : ": ",
                    header ? "" : why.text);
  }
  vlb_code code = parse_entries(f, header, err);
  json_decref(header);
  return code;
}

static vlb_code map_file(vlb_safetensors *f, vlb_error *err) {
  int fd = open(f->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return vlb_fail(err, VLB_FAILED, "%s: cannot open: %s", f->path, strerror(errno));
  struct stat st;
  vlb_code code = VLB_OK;
  if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
    code = vlb_fail(err, VLB_FAILED, "%s: not a regular file", f->path);
  } else if (st.st_size > 0) { /* an empty file cannot be mapped; the header check names it */
    f->size = (size_t)st.st_size;
    void *map = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
      code = vlb_fail(err, VLB_FAILED, "%s: cannot map: %s", f->path, strerror(errno));
    else
      f->map = map;
  }
  close(fd);
  return code;
}

/* bytes: NULL to map the file */
static vlb_code open_any(const char *path, const void *bytes, size_t size, vlb_safetensors **file, vlb_error *err) {
  *file = NULL;
  vlb_safetensors *f = calloc(1, sizeof *f);
  if (f) f->path = strdup(path);
  if (!f || !f->path) {
    free(f);
    return vlb_fail(err, VLB_FAILED, "%s: out of memory", path);
  }
  f->map = bytes;
  f->borrowed = bytes;
  f->size = size;
  vlb_code code = bytes ? VLB_OK : map_file(f, err);
  if (!code) code = parse_header(f, err);
  if (code) vlb_safetensors_close(f);
  else *file = f;
  return code;
}

vlb_code vlb_safetensors_open(const char *path, vlb_safetensors **file, vlb_error *err) { return open_any(path, NULL, 0, file, err); }

vlb_code vlb_safetensors_in(const char *label, const void *bytes, size_t size, vlb_safetensors **file, vlb_error *err) {
  return open_any(label, bytes, size, file, err);
}

void vlb_safetensors_close(vlb_safetensors *f) {
  if (!f) return;
  for (int i = 0; i < f->count; i++) free(f->entries[i].name);
  free(f->entries);
  if (f->map && !f->borrowed) munmap((void *)(uintptr_t)f->map, f->size);
  free(f->path);
  free(f);
}

int vlb_safetensors_count(const vlb_safetensors *f) { return f->count; }
const vlb_st_entry *vlb_safetensors_at(const vlb_safetensors *f, int i) { return i >= 0 && i < f->count ? &f->entries[i] : NULL; }

static int name_to_entry(const void *key, const void *entry) { return strcmp(key, ((const vlb_st_entry *)entry)->name); }

const vlb_st_entry *vlb_safetensors_find(const vlb_safetensors *f, const char *name) {
  if (!f->count) return NULL;
  return bsearch(name, f->entries, (size_t)f->count, sizeof *f->entries, name_to_entry);
}

/* --- conversion --- */

static float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static float from_bf16(uint16_t h) { return from_bits((uint32_t)h << 16); }

static float from_f16(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 1023;
  if (exponent == 31) return from_bits(sign | 0x7f800000u | fraction << 13); /* infinity and NaN */
  if (exponent) return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
  float small = (float)fraction * 0x1p-24f; /* zero and subnormals */
  return sign ? -small : small;
}

/* data may be unaligned, so each element is copied out; compilers turn the copy into a plain load */
#define EACH(type, expr)                                 \
  for (size_t i = 0; i < e->count; i++) {                \
    type x;                                              \
    memcpy(&x, (const char *)e->data + i * sizeof x, sizeof x); \
    out[i] = (expr);                                     \
  }                                                      \
  break

void vlb_st_to_float(const vlb_st_entry *e, float *out) {
  switch (e->dtype) {
    case VLB_F32: EACH(float, x);
    case VLB_F16: EACH(uint16_t, from_f16(x));
    case VLB_BF16: EACH(uint16_t, from_bf16(x));
    case VLB_F64: EACH(double, (float)x);
    case VLB_I64: EACH(int64_t, (float)x);
    case VLB_I32: EACH(int32_t, (float)x);
    case VLB_U8: EACH(uint8_t, (float)x);
    case VLB_BOOL: EACH(uint8_t, x ? 1.0f : 0.0f);
  }
}

/* Towards zero; what an integer cannot hold (NaN, infinity, too large) becomes the nearest end, NaN becomes 0. */
static int64_t whole(double x) {
  if (x >= 0x1p63) return INT64_MAX;
  if (x <= -0x1p63) return INT64_MIN;
  return x == x ? (int64_t)x : 0;
}

void vlb_st_to_int(const vlb_st_entry *e, int64_t *out) {
  switch (e->dtype) {
    case VLB_F32: EACH(float, whole((double)x));
    case VLB_F16: EACH(uint16_t, whole((double)from_f16(x)));
    case VLB_BF16: EACH(uint16_t, whole((double)from_bf16(x)));
    case VLB_F64: EACH(double, whole(x));
    case VLB_I64: EACH(int64_t, x);
    case VLB_I32: EACH(int32_t, x);
    case VLB_U8: EACH(uint8_t, x);
    case VLB_BOOL: EACH(uint8_t, x ? 1 : 0);
  }
}

void vlb_st_release(const vlb_st_entry *e) {
  /* whole pages inside the tensor only: its neighbours keep theirs */
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = ((uintptr_t)e->data + page - 1) / page * page;
  uintptr_t end = ((uintptr_t)e->data + bytes_of(e)) / page * page;
  if (end > begin) madvise((char *)e->data + (begin - (uintptr_t)e->data), end - begin, MADV_DONTNEED);
}

/* --- writing --- */

/* A tensor of the file: its values, and the type they are stored in. */
typedef struct {
  vlb_st_entry e;
  vlb_dtype stored;
} output;

/* "name": {"dtype": ..., "shape": [...], "data_offsets": [...]}; `offset` moves behind the tensor. */
static bool add_entry(json_t *header, const output *o, size_t *offset) {
  json_t *shape = json_array();
  for (int i = 0; i < o->e.ndim; i++) json_array_append_new(shape, json_integer(o->e.dims[i]));
  size_t begin = *offset;
  *offset += o->e.count * vlb_dtype_size(o->stored);
  json_t *info = json_pack("{s:s, s:o, s:[I, I]}", "dtype", vlb_dtype_name(o->stored), "shape", shape, "data_offsets",
                           (json_int_t)begin, (json_int_t)*offset);
  return json_object_set_new(header, o->e.name, info) == 0;
}

static vlb_code write_header(const char *path, const output *sorted, int n, FILE *out, vlb_error *err) {
  json_t *header = json_object();
  size_t offset = 0;
  bool good = header != NULL;
  for (int i = 0; good && i < n; i++) good = add_entry(header, &sorted[i], &offset);
  char *text = good ? json_dumps(header, JSON_COMPACT) : NULL; /* keeps the order of insertion */
  json_decref(header);
  if (!text) return vlb_fail(err, VLB_FAILED, "%s: cannot make the header: out of memory, or a name is not UTF-8", path);
  /* blanks bring the data to a multiple of 8 bytes */
  uint64_t length = (strlen(text) + 7) / 8 * 8;
  fwrite(&length, sizeof length, 1, out);
  fprintf(out, "%-*s", (int)length, text);
  free(text);
  return VLB_OK;
}

/* wide types first, then by name: every tensor lies at a multiple of its element's size */
static int by_width(const void *a, const void *b) {
  const output *x = a, *y = b;
  size_t m = vlb_dtype_size(x->stored), n = vlb_dtype_size(y->stored);
  return m != n ? (m < n) - (m > n) : strcmp(x->e.name, y->e.name);
}

static int by_output_name(const void *a, const void *b) { return by_name(&((const output *)a)->e, &((const output *)b)->e); }

static bool is_float(vlb_dtype d) { return d == VLB_F32 || d == VLB_F16 || d == VLB_BF16; }

static vlb_code sort_outputs(const char *path, output *outputs, int n, vlb_error *err) {
  for (int i = 0; i < n; i++) {
    output *o = &outputs[i];
    if (o->e.ndim < 0 || o->e.ndim > MAX_DIMS || !count_elements(&o->e, &o->e.count))
      return vlb_fail(err, VLB_FAILED, "%s: tensor \"%s\" has no valid shape", path, o->e.name);
    if (o->stored != o->e.dtype && !(is_float(o->stored) && is_float(o->e.dtype)))
      return vlb_fail(err, VLB_FAILED, "%s: tensor \"%s\" is %s and cannot be stored as %s", path, o->e.name, vlb_dtype_name(o->e.dtype),
                      vlb_dtype_name(o->stored));
  }
  if (n) qsort(outputs, (size_t)n, sizeof *outputs, by_output_name);
  for (int i = 1; i < n; i++)
    if (!strcmp(outputs[i - 1].e.name, outputs[i].e.name))
      return vlb_fail(err, VLB_FAILED, "%s: tensor \"%s\" would be written twice", path, outputs[i].e.name);
  if (n) qsort(outputs, (size_t)n, sizeof *outputs, by_width);
  return VLB_OK;
}

/* the upper half of the float, to nearest, ties to even; a NaN stays one */
static uint16_t to_bf16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

static uint16_t to_f16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  uint32_t rest = bits & 0x7fffffffu;
  if (rest > 0x7f800000u) return sign | 0x7e00;             /* NaN */
  if (rest >= 0x477ff000u) return sign | 0x7c00;            /* rounds to 65536 or more: infinity */
  if (rest < 0x38800000u) {                                 /* below 2^-14: a multiple of 2^-24 */
    float magnitude = from_bits(rest) + 0x1p-1f;            /* whose last place is 2^-24, so the sum rounds it */
    memcpy(&bits, &magnitude, sizeof bits);
    return (uint16_t)(sign | (bits - 0x3f000000u));
  }
  rest += 0xfffu + (rest >> 13 & 1);
  return (uint16_t)(sign | (rest - 0x38000000u) >> 13);
}

/* elements first..first+n-1 in the type they are stored in */
static void convert_piece(const output *o, size_t first, size_t n, float *real, uint16_t *half) {
  vlb_st_entry part = o->e;
  part.data = (const char *)o->e.data + first * vlb_dtype_size(o->e.dtype);
  part.count = n;
  vlb_st_to_float(&part, real);
  if (o->stored == VLB_F32) return;
  for (size_t i = 0; i < n; i++) half[i] = o->stored == VLB_BF16 ? to_bf16(real[i]) : to_f16(real[i]);
}

static void write_tensor(const output *o, FILE *out) {
  enum { PIECE = 1024 };
  float real[PIECE];
  uint16_t half[PIECE];
  if (o->stored == o->e.dtype) {
    if (o->e.count) fwrite(o->e.data, vlb_dtype_size(o->stored), o->e.count, out);
    return;
  }
  for (size_t first = 0; first < o->e.count && !ferror(out); first += PIECE) {
    size_t n = o->e.count - first < PIECE ? o->e.count - first : PIECE;
    convert_piece(o, first, n, real, half);
    fwrite(o->stored == VLB_F32 ? (const void *)real : half, vlb_dtype_size(o->stored), n, out);
  }
}

static vlb_code write_sorted(const char *path, const output *sorted, int n, vlb_error *err) {
  vlb_writer w;
  VLB_TRY(vlb_writer_open(&w, path, err));
  vlb_code code = write_header(path, sorted, n, w.out, err);
  if (code) {
    vlb_writer_abort(&w);
    return code;
  }
  for (int i = 0; i < n && !ferror(w.out); i++) write_tensor(&sorted[i], w.out);
  return vlb_writer_commit(&w, err);
}

vlb_code vlb_safetensors_write_as(const char *path, const vlb_st_entry *entries, const vlb_dtype *stored, int n, vlb_error *err) {
  output *outputs = malloc(((size_t)n + 1) * sizeof *outputs);
  if (!outputs) return vlb_fail(err, VLB_FAILED, "%s: out of memory", path);
  for (int i = 0; i < n; i++) outputs[i] = (output){entries[i], stored ? stored[i] : entries[i].dtype};
  vlb_code code = sort_outputs(path, outputs, n, err);
  if (!code) code = write_sorted(path, outputs, n, err);
  free(outputs);
  return code;
}

vlb_code vlb_safetensors_write(const char *path, const vlb_st_entry *entries, int n, vlb_error *err) {
  return vlb_safetensors_write_as(path, entries, NULL, n, err);
}
