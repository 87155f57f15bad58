/* MessagePack as openpi's policy server and client speak it: maps, lists, text, numbers, and NumPy arrays in the encoding of openpi's
 * msgpack_numpy (a map {b"__ndarray__": true, b"data": bytes, b"dtype": "<f4", b"shape": [..]}). Nothing here knows sockets; what comes from a
 * peer is checked before anything is allocated for it. The only place that includes msgpack.h. */
#ifndef VLB_WIRE_MESSAGE_H
#define VLB_WIRE_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

enum { VLB_MESSAGE_DEPTH = 16, VLB_MESSAGE_ITEMS = 1 << 16, VLB_ARRAY_DIMS = 8 };

/* ---- reading ---- */

typedef struct vlb_message vlb_message;
typedef struct vlb_item vlb_item; /* a value inside a message; lives as long as that */

/* Reads the one object that `bytes` hold; they must outlive the message. Errors (VLB_FAILED, one line with the offset): cut off, bytes after the
 * end, an unknown type byte, deeper than VLB_MESSAGE_DEPTH, more than VLB_MESSAGE_ITEMS values. Caller frees. */
vlb_code vlb_message_open(const void *bytes, size_t size, vlb_message **message, vlb_error *err);
void vlb_message_free(vlb_message *message);
const vlb_item *vlb_message_root(const vlb_message *message);

/* Every accessor takes NULL and a value of another kind: false, NULL or 0. */
const vlb_item *vlb_item_get(const vlb_item *map, const char *key);      /* text or bytes as key; the last of equal ones, as in Python */
int vlb_item_count(const vlb_item *item);                                /* of a map or list */
const vlb_item *vlb_item_at(const vlb_item *list, int index);            /* of a list */
const vlb_item *vlb_item_key(const vlb_item *map, int index);            /* of a map */
bool vlb_item_is_map(const vlb_item *item);
bool vlb_item_text(const vlb_item *item, const char **text, size_t *size); /* text or bytes; not closed by a zero */
bool vlb_item_int(const vlb_item *item, int64_t *value);                 /* also a NumPy scalar of an integer type */
bool vlb_item_real(const vlb_item *item, double *value);                 /* any number */

/* A NumPy array inside a message; data are as they came: any alignment, C order. */
typedef struct {
  char kind;     /* 'b' bool, 'u', 'i', 'f' */
  int size;      /* bytes of an element */
  bool swapped;  /* of the other byte order */
  int ndim;
  int64_t shape[VLB_ARRAY_DIMS];
  size_t count;  /* elements */
  const uint8_t *data;
} vlb_array;

/* Whether the item is an array. Errors (VLB_FAILED): a dtype that is not read, a shape that does not fit the data. */
bool vlb_item_is_array(const vlb_item *item);
vlb_code vlb_item_array(const vlb_item *item, vlb_array *out, vlb_error *err);
double vlb_array_real(const vlb_array *array, size_t index);

/* Numbers of an array or of a list of numbers (or of lists of numbers), row by row. shape[2]: {rows, columns}; of one dimension: {1, n}. At most
 * `room` of them. Errors (VLB_FAILED): neither, ragged, more than two dimensions (ones in front are dropped), too many. */
vlb_code vlb_item_numbers(const vlb_item *item, float *out, size_t room, int64_t shape[2], vlb_error *err);

/* For people and records: arrays as {"dtype", "shape"}, bytes as their count. Never NULL but for no memory. */
json_t *vlb_item_json(const vlb_item *item);

/* ---- writing ---- */

/* A growing message; `headroom` bytes are kept free before it for a transport's frame. Failures are remembered. Caller frees. */
typedef struct vlb_packer vlb_packer;
vlb_packer *vlb_packer_open(size_t headroom);
void vlb_packer_free(vlb_packer *packer);
void vlb_packer_clear(vlb_packer *packer);
bool vlb_packer_ok(const vlb_packer *packer);
uint8_t *vlb_packer_data(vlb_packer *packer); /* behind the headroom */
size_t vlb_packer_size(const vlb_packer *packer);

void vlb_pack_map(vlb_packer *packer, int pairs); /* then key, value, key, value */
void vlb_pack_list(vlb_packer *packer, int values);
void vlb_pack_text(vlb_packer *packer, const char *text);
void vlb_pack_bytes(vlb_packer *packer, const void *bytes, size_t size);
void vlb_pack_int(vlb_packer *packer, int64_t value);
void vlb_pack_real(vlb_packer *packer, double value);
void vlb_pack_flag(vlb_packer *packer, bool value);
void vlb_pack_floats(vlb_packer *packer, int ndim, const int64_t *shape, const float *data);    /* float32 array */
void vlb_pack_pixels(vlb_packer *packer, int height, int width, const uint8_t *rgb);            /* uint8 array [height,width,3] */
void vlb_pack_json(vlb_packer *packer, const json_t *value);

#endif
