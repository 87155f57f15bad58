/* One list per configuration struct makes parser, --help, did-you-mean, manifest and hash.
 *
 *   #define VLB_DEMO_FIELDS(X)                                                         \
 *     X(INT,  per_task, "50", 1, 10000, NULL, "demonstrations recorded per task")      \
 *     X(REAL, speed,    "1.0", 0.1, 10, NULL, "...")                                   \
 *     X(BOOL, shadows,  "false", 0, 1, NULL, "...")                                    \
 *     X(ENUM, mode,     "cross", 0, 0, "cross self interleaved", "...")                \
 *     X(TEXT, suite,    "spatial", 0, 0, NULL, "...")
 *   typedef struct { VLB_DEMO_FIELDS(VLB_FIELD_MEMBER) } vlb_demo_config;
 *   const vlb_field vlb_demo_fields[] = { VLB_DEMO_FIELDS(VLB_FIELD_ROW(vlb_demo_config)) {0} };   // see VLB_FIELD_ROW
 */
#ifndef VLB_BASE_FIELDS_H
#define VLB_BASE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/status.h"
#include "core/base/toml.h"

typedef enum { VLB_FIELD_INT, VLB_FIELD_REAL, VLB_FIELD_BOOL, VLB_FIELD_ENUM, VLB_FIELD_TEXT } vlb_field_kind;

typedef struct {
  vlb_field_kind kind;
  const char *name;
  size_t offset;
  const char *fallback; /* default, as the user would write it */
  double lo, hi;        /* INT, REAL: inclusive range; ignored where lo == hi */
  const char *choices;  /* ENUM: words separated by one blank; the value is the word's index */
  const char *doc;      /* one line for --help */
} vlb_field;

enum { VLB_TEXT_SIZE = 128 };
typedef int64_t vlb_field_INT;
typedef double vlb_field_REAL;
typedef bool vlb_field_BOOL;
typedef int64_t vlb_field_ENUM;
typedef struct { char s[VLB_TEXT_SIZE]; } vlb_field_TEXT;

#define VLB_FIELD_MEMBER(kind, name, fallback, lo, hi, choices, doc) vlb_field_##kind name;
/* Define a row macro for your struct:  #define ROW(kind, name, ...) VLB_FIELD_ROW(vlb_demo_config, kind, name, __VA_ARGS__) */
#define VLB_FIELD_ROW(type, kind, name, fallback, lo, hi, choices, doc) \
  {VLB_FIELD_##kind, #name, offsetof(type, name), fallback, lo, hi, choices, doc},

/* Tables end with a row whose name is NULL. */

/* Sets every field of obj to its default (asserts that the defaults parse). */
void vlb_fields_default(const vlb_field *table, void *obj);

/* Sets one field from text ("12", "true", "cross"). Errors (VLB_USAGE): unknown key with did-you-mean, wrong type,
 * out of range, not a choice (lists them). */
vlb_code vlb_fields_set(const vlb_field *table, void *obj, const char *key, const char *value, vlb_error *err);

/* Sets the fields named in a TOML table; errors carry file:line. Sub-tables and unknown keys are errors. */
vlb_code vlb_fields_read(const vlb_field *table, void *obj, const vlb_toml *toml, vlb_error *err);

/* Whether every number of obj, however it got there, lies in its range. Errors (VLB_USAGE): the first that does not. */
vlb_code vlb_fields_check(const vlb_field *table, const void *obj, vlb_error *err);

/* Writes "name = value\n" for every field in table order: canonical (reals by %.17g), so that equal settings are equal
 * bytes. `out` may be a memory stream. */
void vlb_fields_write(const vlb_field *table, const void *obj, FILE *out);

/* The same, but rows in `later` (names, closed by NULL) that hold their default are left out: keys that came after files and names were made of
 * the others change none of those. */
void vlb_fields_write_later(const vlb_field *table, const void *obj, const char *const *later, FILE *out);

/* Aligned list for --help: name, default, range or choices, doc. */
void vlb_fields_help(const vlb_field *table, FILE *out);

/* The field's value as text into buf. Returns buf. */
const char *vlb_field_text(const vlb_field *field, const void *obj, char *buf, size_t size);

/* The closest of `words` (count n) to `word` by edit distance, or NULL when none is near. */
const char *vlb_suggest(const char *word, const char *const *words, int n);

#endif
