#include "core/base/fields.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- names near a misspelt one --- */

/* Edit distance with neighbouring swaps (Damerau, restricted), cut at 63 characters. */
static int distance(const char *a, const char *b) {
  enum { MAX = 64 };
  int la = (int)strnlen(a, MAX - 1), lb = (int)strnlen(b, MAX - 1), d[MAX][MAX];
  for (int i = 0; i <= la; i++) d[i][0] = i;
  for (int j = 0; j <= lb; j++) d[0][j] = j;
  for (int i = 1; i <= la; i++)
    for (int j = 1; j <= lb; j++) {
      int best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      if (d[i - 1][j] + 1 < best) best = d[i - 1][j] + 1;
      if (d[i][j - 1] + 1 < best) best = d[i][j - 1] + 1;
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped && d[i - 2][j - 2] + 1 < best) best = d[i - 2][j - 2] + 1;
      d[i][j] = best;
    }
  return d[la][lb];
}

const char *vlb_suggest(const char *word, const char *const *words, int n) {
  const char *near = NULL;
  int length = (int)strlen(word), best = length < 3 ? 1 : length < 6 ? 2 : length / 3;
  for (int i = 0; i < n; i++) {
    int d = distance(word, words[i]);
    if (near ? d < best : d <= best && d < length) near = words[i], best = d;
  }
  return near;
}

/* --- choices of an ENUM --- */

enum { MAX_CHOICES = 64, MAX_FIELDS = 256 };

/* Splits "a b c" inside buf; returns how many. */
static int split_choices(const char *choices, char *buf, size_t size, const char *words[MAX_CHOICES]) {
  snprintf(buf, size, "%s", choices);
  int n = 0;
  char *rest = NULL;
  for (char *w = strtok_r(buf, " ", &rest); w && n < MAX_CHOICES; w = strtok_r(NULL, " ", &rest)) words[n++] = w;
  return n;
}

static vlb_code set_choice(const vlb_field *f, int64_t *out, const char *value, vlb_error *err) {
  char buf[1024], hint[160] = "";
  const char *words[MAX_CHOICES];
  int n = split_choices(f->choices, buf, sizeof buf, words);
  for (int i = 0; i < n; i++)
    if (!strcmp(words[i], value)) {
      *out = i;
      return VLB_OK;
    }
  const char *near = vlb_suggest(value, words, n);
  if (near) snprintf(hint, sizeof hint, "; did you mean \"%s\"?", near);
  return vlb_fail(err, VLB_USAGE, "%s: \"%s\" is not one of: %s%s", f->name, value, f->choices, hint);
}

/* --- one field from text --- */

static vlb_code check_range(const vlb_field *f, double x, const char *value, vlb_error *err) {
  if (f->lo == f->hi || (x >= f->lo && x <= f->hi)) return VLB_OK;
  return vlb_fail(err, VLB_USAGE, "%s: %s is out of range %.15g to %.15g", f->name, value, f->lo, f->hi);
}

static vlb_code set_int(const vlb_field *f, int64_t *out, const char *value, vlb_error *err) {
  char *end;
  errno = 0;
  long long x = strtoll(value, &end, 10);
  if (end == value || *end || errno) return vlb_fail(err, VLB_USAGE, "%s: \"%s\" is not an integer", f->name, value);
  VLB_TRY(check_range(f, (double)x, value, err));
  *out = x;
  return VLB_OK;
}

static vlb_code set_real(const vlb_field *f, double *out, const char *value, vlb_error *err) {
  char *end;
  errno = 0;
  double x = strtod(value, &end);
  if (end == value || *end || !isfinite(x)) return vlb_fail(err, VLB_USAGE, "%s: \"%s\" is not a finite number", f->name, value);
  VLB_TRY(check_range(f, x, value, err));
  *out = x;
  return VLB_OK;
}

static vlb_code set_bool(const vlb_field *f, bool *out, const char *value, vlb_error *err) {
  *out = !strcmp(value, "true");
  if (*out || !strcmp(value, "false")) return VLB_OK;
  return vlb_fail(err, VLB_USAGE, "%s: \"%s\" is neither true nor false", f->name, value);
}

static vlb_code set_text(const vlb_field *f, vlb_field_TEXT *out, const char *value, vlb_error *err) {
  if (strlen(value) >= VLB_TEXT_SIZE)
    return vlb_fail(err, VLB_USAGE, "%s: text is longer than %d bytes: \"%.40s...\"", f->name, VLB_TEXT_SIZE - 1, value);
  if (strpbrk(value, "\n\r")) return vlb_fail(err, VLB_USAGE, "%s: text must be one line", f->name);
  memset(out, 0, sizeof *out); /* equal texts are equal bytes */
  memcpy(out->s, value, strlen(value));
  return VLB_OK;
}

static vlb_code set_field(const vlb_field *f, void *obj, const char *value, vlb_error *err) {
  void *at = (char *)obj + f->offset;
  switch (f->kind) {
    case VLB_FIELD_INT: return set_int(f, at, value, err);
    case VLB_FIELD_REAL: return set_real(f, at, value, err);
    case VLB_FIELD_BOOL: return set_bool(f, at, value, err);
    case VLB_FIELD_ENUM: return set_choice(f, at, value, err);
    case VLB_FIELD_TEXT: return set_text(f, at, value, err);
  }
  return vlb_fail(err, VLB_FAILED, "%s: field of unknown kind", f->name);
}

static vlb_code find_field(const vlb_field *table, const char *key, const vlb_field **field, vlb_error *err) {
  const char *names[MAX_FIELDS];
  int n = 0;
  for (const vlb_field *f = table; f->name; f++) {
    if (!strcmp(f->name, key)) {
      *field = f;
      return VLB_OK;
    }
    if (n < MAX_FIELDS) names[n++] = f->name;
  }
  const char *near = vlb_suggest(key, names, n);
  if (near) return vlb_fail(err, VLB_USAGE, "unknown key \"%s\"; did you mean \"%s\"?", key, near);
  return vlb_fail(err, VLB_USAGE, "unknown key \"%s\"; see --help for the keys", key);
}

void vlb_fields_default(const vlb_field *table, void *obj) {
  for (const vlb_field *f = table; f->name; f++) {
    vlb_error err;
    vlb_code code = set_field(f, obj, f->fallback, &err);
    assert(code == VLB_OK && "a default of the field list does not parse");
    (void)code;
  }
}

vlb_code vlb_fields_set(const vlb_field *table, void *obj, const char *key, const char *value, vlb_error *err) {
  const vlb_field *f = NULL;
  VLB_TRY(find_field(table, key, &f, err));
  return set_field(f, obj, value, err);
}

/* --- from TOML --- */

static bool kind_fits(vlb_field_kind want, vlb_toml_kind have) {
  switch (want) {
    case VLB_FIELD_INT: return have == VLB_TOML_INT;
    case VLB_FIELD_REAL: return have == VLB_TOML_REAL || have == VLB_TOML_INT;
    case VLB_FIELD_BOOL: return have == VLB_TOML_BOOL;
    case VLB_FIELD_ENUM:
    case VLB_FIELD_TEXT: return have == VLB_TOML_TEXT;
  }
  return false;
}

static const char *wanted_name(vlb_field_kind kind) {
  switch (kind) {
    case VLB_FIELD_INT: return "an integer";
    case VLB_FIELD_REAL: return "a number";
    case VLB_FIELD_BOOL: return "true or false";
    case VLB_FIELD_ENUM:
    case VLB_FIELD_TEXT: break;
  }
  return "a string in quotes";
}

static vlb_code read_field(const vlb_field *table, void *obj, const char *key, const vlb_toml *node, vlb_error *err) {
  const vlb_field *f = NULL;
  VLB_TRY(find_field(table, key, &f, err));
  vlb_toml_kind kind = vlb_toml_kind_of(node);
  if (!kind_fits(f->kind, kind))
    return vlb_fail(err, VLB_USAGE, "%s must be %s, not %s", key, wanted_name(f->kind), vlb_toml_kind_name(kind));
  char number[64];
  switch (kind) {
    case VLB_TOML_TEXT: return set_field(f, obj, vlb_toml_text(node), err);
    case VLB_TOML_BOOL: return set_field(f, obj, vlb_toml_bool(node) ? "true" : "false", err);
    case VLB_TOML_INT: snprintf(number, sizeof number, "%lld", (long long)vlb_toml_int(node)); break;
    default: snprintf(number, sizeof number, "%.17g", vlb_toml_real(node)); break;
  }
  return set_field(f, obj, number, err);
}

vlb_code vlb_fields_read(const vlb_field *table, void *obj, const vlb_toml *toml, vlb_error *err) {
  for (int i = 0; i < vlb_toml_size(toml); i++) {
    const vlb_toml *node = vlb_toml_at(toml, i);
    vlb_error why = {VLB_OK, ""};
    if (read_field(table, obj, vlb_toml_key(toml, i), node, &why)) return vlb_toml_fail(node, err, "%s", why.message);
  }
  return VLB_OK;
}

/* --- from elsewhere --- */

vlb_code vlb_fields_check(const vlb_field *table, const void *obj, vlb_error *err) {
  for (const vlb_field *f = table; f->name; f++) {
    char value[VLB_TEXT_SIZE];
    const void *at = (const char *)obj + f->offset;
    if (f->kind == VLB_FIELD_INT) VLB_TRY(check_range(f, (double)*(const int64_t *)at, vlb_field_text(f, obj, value, sizeof value), err));
    if (f->kind == VLB_FIELD_REAL) VLB_TRY(check_range(f, *(const double *)at, vlb_field_text(f, obj, value, sizeof value), err));
  }
  return VLB_OK;
}

/* --- to text --- */

const char *vlb_field_text(const vlb_field *f, const void *obj, char *buf, size_t size) {
  const char *at = (const char *)obj + f->offset;
  switch (f->kind) {
    case VLB_FIELD_INT: snprintf(buf, size, "%lld", (long long)*(const int64_t *)(const void *)at); break;
    case VLB_FIELD_REAL: snprintf(buf, size, "%.17g", *(const double *)(const void *)at); break;
    case VLB_FIELD_BOOL: snprintf(buf, size, "%s", *(const bool *)(const void *)at ? "true" : "false"); break;
    case VLB_FIELD_TEXT: snprintf(buf, size, "%s", at); break;
    case VLB_FIELD_ENUM: {
      char list[1024];
      const char *words[MAX_CHOICES];
      int n = split_choices(f->choices, list, sizeof list, words);
      int64_t i = *(const int64_t *)(const void *)at;
      snprintf(buf, size, "%s", i >= 0 && i < n ? words[i] : "?");
      break;
    }
  }
  return buf;
}

/* A TOML basic string, so that a manifest can be read back. */
static void write_quoted(const char *s, FILE *out) {
  fputc('"', out);
  for (; *s; s++) {
    if (*s == '"' || *s == '\\') fputc('\\', out);
    if ((unsigned char)*s < 32 || *s == 127) fprintf(out, "\\u%04X", (unsigned)*s);
    else fputc(*s, out);
  }
  fputc('"', out);
}

static void write_row(const vlb_field *f, const char *value, FILE *out) {
  fprintf(out, "%s = ", f->name);
  if (f->kind == VLB_FIELD_ENUM || f->kind == VLB_FIELD_TEXT) write_quoted(value, out);
  else fputs(value, out);
  fputc('\n', out);
}

void vlb_fields_write(const vlb_field *table, const void *obj, FILE *out) {
  static const char *const none[] = {NULL};
  vlb_fields_write_later(table, obj, none, out);
}

void vlb_fields_write_later(const vlb_field *table, const void *obj, const char *const *later, FILE *out) {
  for (const vlb_field *f = table; f->name; f++) {
    char value[VLB_TEXT_SIZE];
    bool skip = false;
    vlb_field_text(f, obj, value, sizeof value);
    for (int i = 0; later[i]; i++) skip |= !strcmp(later[i], f->name) && !strcmp(value, f->fallback);
    if (!skip) write_row(f, value, out);
  }
}

static void range_text(const vlb_field *f, char *buf, size_t size) {
  snprintf(buf, size, "%s", "");
  if (f->kind == VLB_FIELD_ENUM) {
    snprintf(buf, size, " (%s)", f->choices);
    for (char *p = buf + 2; *p; p++)
      if (*p == ' ') *p = '|';
  } else if ((f->kind == VLB_FIELD_INT || f->kind == VLB_FIELD_REAL) && f->lo != f->hi) {
    snprintf(buf, size, " (%.15g to %.15g)", f->lo, f->hi);
  }
}

void vlb_fields_help(const vlb_field *table, FILE *out) {
  int name = 0, value = 0;
  for (const vlb_field *f = table; f->name; f++) {
    if ((int)strlen(f->name) > name) name = (int)strlen(f->name);
    if ((int)strlen(f->fallback) > value) value = (int)strlen(f->fallback);
  }
  for (const vlb_field *f = table; f->name; f++) {
    char range[1100];
    range_text(f, range, sizeof range);
    fprintf(out, "  %-*s  %-*s  %s%s\n", name, f->name, value, f->fallback, f->doc, range);
  }
}
