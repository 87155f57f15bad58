#include "experiments/wire/message.h"

#include <math.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

/* ---- the shape of the bytes, before anything is allocated for them ---- */

/* What one value's head says: its own bytes, and how many values follow inside it. */
typedef struct {
  size_t head, payload;
  uint64_t children;
} head;

static uint64_t big_endian(const uint8_t *p, size_t n) {
  uint64_t value = 0;
  for (size_t i = 0; i < n; i++) value = value << 8 | p[i];
  return value;
}

/* A head whose length is said in `width` bytes after the type; those bytes are there. */
static head long_head(const uint8_t *p, size_t width, uint64_t unit, bool children) {
  uint64_t n = big_endian(p + 1, width) * unit;
  return children ? (head){1 + width, 0, n} : (head){1 + width, (size_t)n, 0};
}

/* Bytes of a head at most, by its type: 0xc4 to 0xdf, else 1. */
static const uint8_t length_bytes[0x20] = {
    [0x04] = 1, [0x05] = 2, [0x06] = 4,                                                 /* bin */
    [0x07] = 1, [0x08] = 2, [0x09] = 4,                                                 /* ext */
    [0x19] = 1, [0x1a] = 2, [0x1b] = 4, [0x1c] = 2, [0x1d] = 4, [0x1e] = 2, [0x1f] = 4  /* str, array, map */
};
/* 0xca to 0xd8: numbers and fixed ext */
static const uint8_t fixed_bytes[0x20] = {[0x0a] = 4, [0x0b] = 8, [0x0c] = 1, [0x0d] = 2, [0x0e] = 4, [0x0f] = 8, [0x10] = 1, [0x11] = 2,
                                          [0x12] = 4, [0x13] = 8, [0x14] = 2, [0x15] = 3, [0x16] = 5, [0x17] = 9, [0x18] = 17};

/* False: the type does not exist, or the head is cut off. */
static bool read_head(const uint8_t *p, size_t left, head *h) {
  uint8_t type = p[0];
  *h = (head){1, 0, 0};
  if (type < 0x80 || type >= 0xe0) return true;
  if (type < 0x90) return h->children = 2 * (type & 0x0fu), true;
  if (type < 0xa0) return h->children = type & 0x0fu, true;
  if (type < 0xc0) return h->payload = type & 0x1fu, true;
  if (type == 0xc1) return false;
  uint8_t row = type & 0x1f;
  size_t width = length_bytes[row];
  if (!width) return h->payload = fixed_bytes[row], true;
  if (left < 1 + width) return false;
  *h = long_head(p, width, type >= 0xde ? 2 : 1, type >= 0xdc);
  if (type >= 0xc7 && type <= 0xc9) h->payload++; /* the type byte of an ext */
  return true;
}

/* msgpack-c allocates what a count promises, so a message of five bytes could ask for gigabytes. Here every count is compared with the bytes
 * that are left: a value takes at least one. */
static vlb_code skim(const uint8_t *bytes, size_t size, vlb_error *err) {
  uint64_t left[VLB_MESSAGE_DEPTH + 1] = {1}; /* values to come, per level */
  int depth = 0, items = 0;
  size_t at = 0;
  while (depth >= 0) {
    if (!left[depth]) {
      depth--;
      continue;
    }
    head h;
    left[depth]--;
    if (at == size) return vlb_fail(err, VLB_FAILED, "the message is cut off at byte %zu", size);
    if (bytes[at] == 0xc1) return vlb_fail(err, VLB_FAILED, "byte %zu of the message is of no MessagePack type", at);
    if (!read_head(bytes + at, size - at, &h) || h.head > size - at || h.payload > size - at - h.head || h.children > size - at - h.head)
      return vlb_fail(err, VLB_FAILED, "the message is cut off: the value at byte %zu of %zu is longer", at, size);
    if (++items > VLB_MESSAGE_ITEMS) return vlb_fail(err, VLB_FAILED, "more than %d values in one message", VLB_MESSAGE_ITEMS);
    at += h.head + h.payload;
    if (!h.children) continue;
    if (depth == VLB_MESSAGE_DEPTH) return vlb_fail(err, VLB_FAILED, "nested deeper than %d at byte %zu of the message", VLB_MESSAGE_DEPTH, at);
    left[++depth] = h.children;
  }
  return at == size ? VLB_OK : vlb_fail(err, VLB_FAILED, "%zu bytes follow the end of the message", size - at);
}

/* ---- reading ---- */

struct vlb_message {
  msgpack_zone zone;
  msgpack_object root;
};

vlb_code vlb_message_open(const void *bytes, size_t size, vlb_message **message, vlb_error *err) {
  *message = NULL;
  VLB_TRY(skim(bytes, size, err));
  vlb_message *m = calloc(1, sizeof *m);
  if (!m || !msgpack_zone_init(&m->zone, MSGPACK_ZONE_CHUNK_SIZE)) {
    free(m);
    return vlb_fail(err, VLB_FAILED, "out of memory");
  }
  size_t offset = 0;
  if (msgpack_unpack(bytes, size, &offset, &m->zone, &m->root) != MSGPACK_UNPACK_SUCCESS) {
    vlb_message_free(m);
    return vlb_fail(err, VLB_FAILED, "not a MessagePack message");
  }
  *message = m;
  return VLB_OK;
}

void vlb_message_free(vlb_message *m) {
  if (!m) return;
  msgpack_zone_destroy(&m->zone);
  free(m);
}

/* items are msgpack's objects under another name, which keeps its header in this file */
static const vlb_item *item_of(const msgpack_object *o) { return (const vlb_item *)(const void *)o; }
static const msgpack_object *object_of(const vlb_item *i) { return (const msgpack_object *)(const void *)i; }
static bool is(const vlb_item *item, msgpack_object_type type) { return item && object_of(item)->type == type; }

const vlb_item *vlb_message_root(const vlb_message *m) { return item_of(&m->root); }

bool vlb_item_is_map(const vlb_item *item) { return is(item, MSGPACK_OBJECT_MAP); }

bool vlb_item_text(const vlb_item *item, const char **text, size_t *size) {
  const msgpack_object *o = object_of(item);
  if (is(item, MSGPACK_OBJECT_STR)) return *text = o->via.str.ptr, *size = o->via.str.size, true;
  if (is(item, MSGPACK_OBJECT_BIN)) return *text = o->via.bin.ptr, *size = o->via.bin.size, true;
  return false;
}

const vlb_item *vlb_item_get(const vlb_item *map, const char *key) {
  size_t length = strlen(key), size;
  const char *text;
  for (int i = vlb_item_is_map(map) ? vlb_item_count(map) : 0; i-- > 0;)
    if (vlb_item_text(vlb_item_key(map, i), &text, &size) && size == length && !memcmp(text, key, size))
      return item_of(&object_of(map)->via.map.ptr[i].val);
  return NULL;
}

int vlb_item_count(const vlb_item *item) {
  if (is(item, MSGPACK_OBJECT_MAP)) return (int)object_of(item)->via.map.size;
  return is(item, MSGPACK_OBJECT_ARRAY) ? (int)object_of(item)->via.array.size : 0;
}

const vlb_item *vlb_item_at(const vlb_item *list, int index) {
  return is(list, MSGPACK_OBJECT_ARRAY) && index >= 0 && index < vlb_item_count(list) ? item_of(&object_of(list)->via.array.ptr[index]) : NULL;
}

const vlb_item *vlb_item_key(const vlb_item *map, int index) {
  return vlb_item_is_map(map) && index >= 0 && index < vlb_item_count(map) ? item_of(&object_of(map)->via.map.ptr[index].key) : NULL;
}

/* numpy.float32(1) and the like: {b"__npgeneric__": true, b"data": value, b"dtype": ..} */
static const vlb_item *plain(const vlb_item *item) {
  return vlb_item_get(item, "__npgeneric__") ? vlb_item_get(item, "data") : item;
}

bool vlb_item_int(const vlb_item *item, int64_t *value) {
  const vlb_item *i = plain(item);
  if (is(i, MSGPACK_OBJECT_POSITIVE_INTEGER) && object_of(i)->via.u64 <= INT64_MAX) return *value = (int64_t)object_of(i)->via.u64, true;
  if (is(i, MSGPACK_OBJECT_NEGATIVE_INTEGER)) return *value = object_of(i)->via.i64, true;
  return false;
}

bool vlb_item_real(const vlb_item *item, double *value) {
  const vlb_item *i = plain(item);
  int64_t whole;
  if (vlb_item_int(i, &whole)) return *value = (double)whole, true;
  if (is(i, MSGPACK_OBJECT_POSITIVE_INTEGER)) return *value = (double)object_of(i)->via.u64, true;
  if (!is(i, MSGPACK_OBJECT_FLOAT32) && !is(i, MSGPACK_OBJECT_FLOAT64)) return false;
  *value = object_of(i)->via.f64; /* msgpack widens both */
  return true;
}

/* ---- arrays ---- */

bool vlb_item_is_array(const vlb_item *item) { return vlb_item_get(item, "__ndarray__") != NULL; }

/* "<f4", "|u1": byte order, kind, size */
static vlb_code read_dtype(const vlb_item *item, vlb_array *out, vlb_error *err) {
  const char *text;
  size_t size;
  if (!vlb_item_text(item, &text, &size)) return vlb_fail(err, VLB_FAILED, "an array without dtype");
  const int shown = size < 16 ? (int)size : 16;
  if (size == 3) {
    out->kind = text[1];
    out->size = text[2] - '0';
    out->swapped = text[0] == '>' && out->size > 1;
    bool whole = out->kind == 'u' || out->kind == 'i', wide = out->size == 4 || out->size == 8, narrow = out->size == 1 || out->size == 2;
    if (strchr("<>|=", text[0]) && ((out->kind == 'f' && wide) || (whole && (wide || narrow)) || (out->kind == 'b' && out->size == 1))) return VLB_OK;
  }
  return vlb_fail(err, VLB_FAILED, "arrays of dtype \"%.*s\" are not read; there are bool, u1 to u8, i1 to i8, f4 and f8", shown, text);
}

static vlb_code read_shape(const vlb_item *item, vlb_array *out, vlb_error *err) {
  if (!is(item, MSGPACK_OBJECT_ARRAY)) return vlb_fail(err, VLB_FAILED, "an array without shape");
  out->ndim = vlb_item_count(item);
  if (out->ndim > VLB_ARRAY_DIMS) return vlb_fail(err, VLB_FAILED, "an array of %d dimensions, more than %d", out->ndim, VLB_ARRAY_DIMS);
  out->count = 1;
  for (int i = 0; i < out->ndim; i++) {
    if (!vlb_item_int(vlb_item_at(item, i), &out->shape[i]) || out->shape[i] < 0 || out->shape[i] > INT32_MAX)
      return vlb_fail(err, VLB_FAILED, "dimension %d of an array is not a count", i);
    if (__builtin_mul_overflow(out->count, (size_t)out->shape[i], &out->count)) return vlb_fail(err, VLB_FAILED, "an array of more elements than fit");
  }
  return VLB_OK;
}

vlb_code vlb_item_array(const vlb_item *item, vlb_array *out, vlb_error *err) {
  const char *data;
  size_t size, wanted;
  memset(out, 0, sizeof *out);
  if (!vlb_item_is_array(item)) return vlb_fail(err, VLB_FAILED, "not an array");
  VLB_TRY(read_dtype(vlb_item_get(item, "dtype"), out, err));
  VLB_TRY(read_shape(vlb_item_get(item, "shape"), out, err));
  if (!vlb_item_text(vlb_item_get(item, "data"), &data, &size)) return vlb_fail(err, VLB_FAILED, "an array without data");
  if (__builtin_mul_overflow(out->count, (size_t)out->size, &wanted) || wanted != size)
    return vlb_fail(err, VLB_FAILED, "an array of %zu elements of %d bytes has %zu bytes of data", out->count, out->size, size);
  out->data = (const uint8_t *)data;
  return VLB_OK;
}

double vlb_array_real(const vlb_array *a, size_t index) {
  union {
    uint8_t bytes[8];
    uint8_t u1;
    uint16_t u2;
    uint32_t u4;
    uint64_t u8;
    int8_t i1;
    int16_t i2;
    int32_t i4;
    int64_t i8;
    float f4;
    double f8;
  } v = {{0}};
  const size_t n = (size_t)a->size;
  const uint8_t *from = a->data + index * n;
  for (size_t i = 0; i < n; i++) v.bytes[i] = from[a->swapped ? n - 1 - i : i];
  if (a->kind == 'f') return n == 4 ? (double)v.f4 : v.f8;
  if (a->kind == 'i') return n == 1 ? v.i1 : n == 2 ? v.i2 : n == 4 ? v.i4 : (double)v.i8;
  return n == 1 ? v.u1 : n == 2 ? v.u2 : n == 4 ? v.u4 : (double)v.u8;
}

static vlb_code array_numbers(const vlb_item *item, float *out, size_t room, int64_t shape[2], vlb_error *err) {
  vlb_array a;
  VLB_TRY(vlb_item_array(item, &a, err));
  int first = 0;
  while (a.ndim - first > 2 && a.shape[first] == 1) first++;
  if (a.ndim - first > 2) return vlb_fail(err, VLB_FAILED, "an array of %d dimensions where one or two are taken", a.ndim);
  if (a.count > room) return vlb_fail(err, VLB_FAILED, "%zu numbers where at most %zu are taken", a.count, room);
  shape[0] = a.ndim - first == 2 ? a.shape[first] : 1;
  shape[1] = a.ndim ? a.shape[a.ndim - 1] : 1;
  for (size_t i = 0; i < a.count; i++) out[i] = (float)vlb_array_real(&a, i);
  return VLB_OK;
}

static vlb_code list_row(const vlb_item *list, float *out, size_t room, vlb_error *err) {
  int n = vlb_item_count(list);
  double value;
  if ((size_t)n > room) return vlb_fail(err, VLB_FAILED, "more numbers than the %zu that are taken", room);
  for (int i = 0; i < n; i++) {
    if (!vlb_item_real(vlb_item_at(list, i), &value)) return vlb_fail(err, VLB_FAILED, "value %d of a list is not a number", i);
    out[i] = (float)value;
  }
  return VLB_OK;
}

vlb_code vlb_item_numbers(const vlb_item *item, float *out, size_t room, int64_t shape[2], vlb_error *err) {
  if (vlb_item_is_array(item)) return array_numbers(item, out, room, shape, err);
  if (!is(item, MSGPACK_OBJECT_ARRAY)) return vlb_fail(err, VLB_FAILED, "neither an array nor a list of numbers");
  int rows = vlb_item_count(item);
  const vlb_item *first = vlb_item_at(item, 0);
  if (!is(first, MSGPACK_OBJECT_ARRAY)) {
    shape[0] = 1, shape[1] = rows;
    return list_row(item, out, room, err);
  }
  size_t columns = (size_t)vlb_item_count(first);
  shape[0] = rows, shape[1] = (int64_t)columns;
  for (int r = 0; r < rows; r++) {
    const vlb_item *row = vlb_item_at(item, r);
    if (!is(row, MSGPACK_OBJECT_ARRAY) || (size_t)vlb_item_count(row) != columns) return vlb_fail(err, VLB_FAILED, "row %d of a list of lists has another length", r);
    size_t used = (size_t)r * columns;
    VLB_TRY(list_row(row, out + used, room > used ? room - used : 0, err));
  }
  return VLB_OK;
}

/* ---- for people ---- */

static json_t *text_json(const vlb_item *item) {
  const char *text;
  size_t size;
  vlb_item_text(item, &text, &size);
  json_t *s = is(item, MSGPACK_OBJECT_STR) ? json_stringn(text, size) : NULL;
  return s ? s : json_sprintf("(%zu bytes)", size);
}

static json_t *array_json(const vlb_item *item) {
  json_t *o = json_object();
  json_object_set_new(o, "dtype", vlb_item_json(vlb_item_get(item, "dtype")));
  json_object_set_new(o, "shape", vlb_item_json(vlb_item_get(item, "shape")));
  return o;
}

static json_t *map_json(const vlb_item *item) {
  json_t *o = json_object();
  const char *key;
  size_t size;
  for (int i = 0; i < vlb_item_count(item); i++)
    if (vlb_item_text(vlb_item_key(item, i), &key, &size)) {
      char name[256];
      snprintf(name, sizeof name, "%.*s", size < 255 ? (int)size : 255, key);
      json_object_set_new(o, name, vlb_item_json(item_of(&object_of(item)->via.map.ptr[i].val)));
    }
  return o;
}

json_t *vlb_item_json(const vlb_item *item) {
  double real;
  int64_t whole;
  const char *text;
  size_t size;
  if (!item) return json_null();
  if (vlb_item_is_array(item)) return array_json(item);
  if (vlb_item_int(item, &whole)) return json_integer(whole);
  if (vlb_item_real(item, &real)) return isfinite(real) ? json_real(real) : json_null();
  if (vlb_item_text(item, &text, &size)) return text_json(item);
  if (vlb_item_is_map(item)) return map_json(item);
  if (is(item, MSGPACK_OBJECT_BOOLEAN)) return json_boolean(object_of(item)->via.boolean);
  if (!is(item, MSGPACK_OBJECT_ARRAY)) return json_null();
  json_t *list = json_array();
  for (int i = 0; i < vlb_item_count(item); i++) json_array_append_new(list, vlb_item_json(vlb_item_at(item, i)));
  return list;
}

/* ---- writing ---- */

struct vlb_packer {
  msgpack_sbuffer buffer;
  msgpack_packer packer;
  size_t headroom;
  bool failed;
};

static void keep_room(vlb_packer *p) {
  static const char zeros[64];
  for (size_t n = p->headroom; n;) {
    size_t part = n < sizeof zeros ? n : sizeof zeros;
    p->failed |= msgpack_sbuffer_write(&p->buffer, zeros, part) != 0;
    n -= part;
  }
}

vlb_packer *vlb_packer_open(size_t headroom) {
  vlb_packer *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  msgpack_sbuffer_init(&p->buffer);
  msgpack_packer_init(&p->packer, &p->buffer, msgpack_sbuffer_write);
  p->headroom = headroom;
  keep_room(p);
  return p;
}

void vlb_packer_free(vlb_packer *p) {
  if (!p) return;
  msgpack_sbuffer_destroy(&p->buffer);
  free(p);
}

void vlb_packer_clear(vlb_packer *p) {
  msgpack_sbuffer_clear(&p->buffer);
  p->failed = false;
  keep_room(p);
}

bool vlb_packer_ok(const vlb_packer *p) { return !p->failed; }
uint8_t *vlb_packer_data(vlb_packer *p) { return (uint8_t *)p->buffer.data + p->headroom; }
size_t vlb_packer_size(const vlb_packer *p) { return p->buffer.size - p->headroom; }

void vlb_pack_map(vlb_packer *p, int pairs) { p->failed |= msgpack_pack_map(&p->packer, (size_t)pairs) != 0; }
void vlb_pack_list(vlb_packer *p, int values) { p->failed |= msgpack_pack_array(&p->packer, (size_t)values) != 0; }
void vlb_pack_int(vlb_packer *p, int64_t value) { p->failed |= msgpack_pack_int64(&p->packer, value) != 0; }
void vlb_pack_real(vlb_packer *p, double value) { p->failed |= msgpack_pack_double(&p->packer, value) != 0; }
void vlb_pack_flag(vlb_packer *p, bool value) { p->failed |= (value ? msgpack_pack_true : msgpack_pack_false)(&p->packer) != 0; }

void vlb_pack_text(vlb_packer *p, const char *text) {
  size_t size = strlen(text);
  p->failed |= msgpack_pack_str(&p->packer, size) != 0 || msgpack_pack_str_body(&p->packer, text, size) != 0;
}

void vlb_pack_bytes(vlb_packer *p, const void *bytes, size_t size) {
  p->failed |= msgpack_pack_bin(&p->packer, size) != 0 || msgpack_pack_bin_body(&p->packer, bytes, size) != 0;
}

/* the keys are bytes, not text: that is what openpi's client looks for */
static void pack_array(vlb_packer *p, const char *dtype, int ndim, const int64_t *shape, const void *data, size_t element) {
  size_t count = element;
  for (int i = 0; i < ndim; i++) count *= (size_t)shape[i];
  vlb_pack_map(p, 4);
  vlb_pack_bytes(p, "__ndarray__", 11);
  vlb_pack_flag(p, true);
  vlb_pack_bytes(p, "data", 4);
  vlb_pack_bytes(p, data, count);
  vlb_pack_bytes(p, "dtype", 5);
  vlb_pack_text(p, dtype);
  vlb_pack_bytes(p, "shape", 5);
  vlb_pack_list(p, ndim);
  for (int i = 0; i < ndim; i++) vlb_pack_int(p, shape[i]);
}

void vlb_pack_floats(vlb_packer *p, int ndim, const int64_t *shape, const float *data) { pack_array(p, "<f4", ndim, shape, data, sizeof *data); }

void vlb_pack_pixels(vlb_packer *p, int height, int width, const uint8_t *rgb) {
  const int64_t shape[3] = {height, width, 3};
  pack_array(p, "|u1", 3, shape, rgb, 1);
}

static void pack_object(vlb_packer *p, const json_t *value) {
  vlb_pack_map(p, (int)json_object_size(value));
  union {
    const json_t *borrowed;
    json_t *open; /* Jansson's iterators take no const, but do not change the object */
  } o = {value};
  for (void *i = json_object_iter(o.open); i; i = json_object_iter_next(o.open, i)) {
    vlb_pack_text(p, json_object_iter_key(i));
    vlb_pack_json(p, json_object_iter_value(i));
  }
}

void vlb_pack_json(vlb_packer *p, const json_t *value) {
  switch (json_typeof(value)) {
    case JSON_OBJECT: pack_object(p, value); break;
    case JSON_ARRAY:
      vlb_pack_list(p, (int)json_array_size(value));
      for (size_t i = 0; i < json_array_size(value); i++) vlb_pack_json(p, json_array_get(value, i));
      break;
    case JSON_STRING: vlb_pack_text(p, json_string_value(value)); break;
    case JSON_INTEGER: vlb_pack_int(p, json_integer_value(value)); break;
    case JSON_REAL: vlb_pack_real(p, json_real_value(value)); break;
    case JSON_TRUE:
    case JSON_FALSE: vlb_pack_flag(p, json_is_true(value)); break;
    default: p->failed |= msgpack_pack_nil(&p->packer) != 0; break;
  }
}
