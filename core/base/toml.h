/* TOML, read with toml++ behind a C face. A document is a tree of nodes that remember their place. */
#ifndef VLB_BASE_TOML_H
#define VLB_BASE_TOML_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/status.h"

typedef struct vlb_toml vlb_toml; /* a node; owned by its document */
typedef enum { VLB_TOML_TABLE, VLB_TOML_ARRAY, VLB_TOML_TEXT, VLB_TOML_INT, VLB_TOML_REAL, VLB_TOML_BOOL, VLB_TOML_OTHER } vlb_toml_kind;

/* Reads a file, or a text that `name` describes in messages. The root owns everything: vlb_toml_free(root).
 * Errors: VLB_USAGE with "file:line:column: what". */
vlb_code vlb_toml_read(const char *path, vlb_toml **root, vlb_error *err);
vlb_code vlb_toml_parse(const char *text, const char *name, vlb_toml **root, vlb_error *err);
void vlb_toml_free(vlb_toml *root); /* NULL is fine */

vlb_toml_kind vlb_toml_kind_of(const vlb_toml *node);
const char *vlb_toml_kind_name(vlb_toml_kind kind); /* "a table", "a string", ... for messages */
const char *vlb_toml_file(const vlb_toml *node);
int vlb_toml_line(const vlb_toml *node);

/* Tables (in file order) and arrays. NULL when absent or out of range. */
int vlb_toml_size(const vlb_toml *node);
const vlb_toml *vlb_toml_at(const vlb_toml *node, int index);
const char *vlb_toml_key(const vlb_toml *table, int index);
const vlb_toml *vlb_toml_get(const vlb_toml *table, const char *key);

/* Values. The kind must match (REAL accepts INT). */
const char *vlb_toml_text(const vlb_toml *node);
int64_t vlb_toml_int(const vlb_toml *node);
double vlb_toml_real(const vlb_toml *node);
bool vlb_toml_bool(const vlb_toml *node);

/* VLB_USAGE with the node's file:line in front. */
vlb_code vlb_toml_fail(const vlb_toml *node, vlb_error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
