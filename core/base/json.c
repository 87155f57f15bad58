#include "core/base/json.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/file.h"

vlb_code vlb_json_open(const char *path, json_t **root, vlb_error *err) {
  *root = NULL;
  char *text;
  size_t size;
  json_error_t problem;
  VLB_TRY(vlb_file_read(path, &text, &size, err));
  json_t *o = json_loadb(text, size, 0, &problem);
  free(text);
  if (!o) return vlb_fail(err, VLB_FAILED, "%s:%d: not JSON: %s", path, problem.line, problem.text);
  if (!json_is_object(o)) {
    json_decref(o);
    return vlb_fail(err, VLB_FAILED, "%s: not a JSON object", path);
  }
  *root = o;
  return VLB_OK;
}

/* whether every real number of a tree is the same after being written with that many digits */
static bool survives(const json_t *v, int digits) {
  const char *key;
  json_t *child;
  char text[64];
  bool good = true;
  if (json_is_real(v)) {
    snprintf(text, sizeof text, "%.*g", digits, json_real_value(v));
    return strtod(text, NULL) == json_real_value(v);
  }
  for (size_t i = 0; good && i < json_array_size(v); i++) good = survives(json_array_get(v, i), digits);
  json_object_foreach((json_t *)(uintptr_t)v, key, child) good = good && survives(child, digits);
  return good;
}

vlb_code vlb_json_write(const char *path, json_t *root, vlb_error *err) {
  size_t digits = survives(root, 15) ? 15 : survives(root, 16) ? 16 : 17;
  char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(digits)) : NULL;
  json_decref(root);
  if (!text) return vlb_fail(err, VLB_FAILED, "%s: out of memory", path);
  vlb_writer w;
  vlb_code code = vlb_writer_open(&w, path, err);
  if (!code) {
    fprintf(w.out, "%s\n", text);
    code = vlb_writer_commit(&w, err);
  }
  free(text);
  return code;
}

void vlb_json_complain(vlb_json *r, const char *key, const char *what) {
  if (!r->code) r->code = vlb_fail(r->err, VLB_FAILED, "%s: key %s: %s", r->path, key, what);
}

/* the value, or NULL where the fallback counts */
static const json_t *value(const json_t *object, const char *key) {
  const json_t *v = json_object_get(object, key);
  return json_is_null(v) ? NULL : v;
}

double vlb_json_real(vlb_json *r, const json_t *object, const char *key, double fallback) {
  const json_t *v = value(object, key);
  if (v && !json_is_number(v)) vlb_json_complain(r, key, "must be a number");
  return json_is_number(v) ? json_number_value(v) : fallback;
}

int64_t vlb_json_int(vlb_json *r, const json_t *object, const char *key, int64_t fallback) {
  const json_t *v = value(object, key);
  if (v && !json_is_integer(v)) vlb_json_complain(r, key, "must be a whole number");
  return json_is_integer(v) ? json_integer_value(v) : fallback;
}

bool vlb_json_flag(vlb_json *r, const json_t *object, const char *key, bool fallback) {
  const json_t *v = value(object, key);
  if (v && !json_is_boolean(v)) vlb_json_complain(r, key, "must be true or false");
  return v ? json_is_true(v) : fallback;
}

const char *vlb_json_text(vlb_json *r, const json_t *object, const char *key, const char *fallback) {
  const json_t *v = value(object, key);
  if (v && !json_is_string(v)) vlb_json_complain(r, key, "must be a string");
  return json_is_string(v) ? json_string_value(v) : fallback;
}

double vlb_json_need_real(vlb_json *r, const json_t *object, const char *key) {
  if (!value(object, key)) vlb_json_complain(r, key, "is missing");
  return vlb_json_real(r, object, key, 0);
}

int64_t vlb_json_need_int(vlb_json *r, const json_t *object, const char *key) {
  if (!value(object, key)) vlb_json_complain(r, key, "is missing");
  return vlb_json_int(r, object, key, 0);
}
