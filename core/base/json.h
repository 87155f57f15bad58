/* Reading of JSON objects (Jansson) that remembers the first failure, so that a list of keys stays a list. */
#ifndef VLB_BASE_JSON_H
#define VLB_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/status.h"

/* What is being read; `code` is VLB_OK until something failed. */
typedef struct {
  const char *path; /* for messages; borrowed */
  vlb_error *err;
  vlb_code code;
} vlb_json;

/* The root object of a file; caller: json_decref. Errors (VLB_FAILED): no such file, not JSON, not an object. */
vlb_code vlb_json_open(const char *path, json_t **root, vlb_error *err);

/* A file with that text, two blanks per level, keys in their order, atomic; every number is read back as it was, with as few digits as
 * that allows. Takes root over, also on failure; NULL is an error. */
vlb_code vlb_json_write(const char *path, json_t *root, vlb_error *err);

/* Remembers "PATH: key KEY: WHAT" unless something failed before. */
void vlb_json_complain(vlb_json *r, const char *key, const char *what);

/* Values of a key. Absent and null give the fallback; another type is a complaint. object may be NULL: everything is absent. */
double vlb_json_real(vlb_json *r, const json_t *object, const char *key, double fallback);
int64_t vlb_json_int(vlb_json *r, const json_t *object, const char *key, int64_t fallback);
bool vlb_json_flag(vlb_json *r, const json_t *object, const char *key, bool fallback);
const char *vlb_json_text(vlb_json *r, const json_t *object, const char *key, const char *fallback); /* borrowed from the object */

/* The same where the key must be there. */
double vlb_json_need_real(vlb_json *r, const json_t *object, const char *key);
int64_t vlb_json_need_int(vlb_json *r, const json_t *object, const char *key);

#endif
