#include "experiments/report/published.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/embed.h"
#include "core/base/fields.h"
#include "core/base/toml.h"

extern const vlb_embedded vlb_embedded_experiment_assets[];

enum { MAX_NAMES = 64, NAME_SIZE = 160 };

struct vlb_published {
  vlb_toml *root;
};

vlb_code vlb_published_open(vlb_published **p, vlb_error *err) {
  const vlb_embedded *e = vlb_embedded_experiment_assets;
  while (e->path && strcmp(e->path, "paper/published.toml")) e++;
  if (!e->path) return vlb_fail(err, VLB_FAILED, "this program was built without paper/published.toml");
  *p = calloc(1, sizeof **p);
  if (!*p) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = vlb_toml_parse((const char *)e->data, e->path, &(*p)->root, err);
  if (code) {
    free(*p);
    *p = NULL;
  }
  return code;
}

void vlb_published_close(vlb_published *p) {
  if (!p) return;
  vlb_toml_free(p->root);
  free(p);
}

static const char *text_of(const vlb_toml *table, const char *key) {
  const vlb_toml *node = vlb_toml_get(table, key);
  return node && vlb_toml_kind_of(node) == VLB_TOML_TEXT ? vlb_toml_text(node) : "";
}

static const vlb_toml *find_table(const vlb_published *p, const char *id) {
  const vlb_toml *tables = vlb_toml_get(p->root, "table");
  for (int i = 0; i < vlb_toml_size(tables); i++)
    if (!strcmp(text_of(vlb_toml_at(tables, i), "id"), id)) return vlb_toml_at(tables, i);
  return NULL;
}

/* Names of the rows or columns of a table, for look-up and did-you-mean. */
typedef struct {
  char text[MAX_NAMES][NAME_SIZE];
  int count;
} names;

static void add_name(names *n, const char *text) {
  if (n->count < MAX_NAMES) snprintf(n->text[n->count++], NAME_SIZE, "%s", text);
}

static int find_name(const names *n, const char *word) {
  for (int i = 0; i < n->count; i++)
    if (!strcmp(n->text[i], word)) return i;
  return -1;
}

static void column_names(const vlb_toml *table, names *n) {
  const vlb_toml *columns = vlb_toml_get(table, "columns");
  n->count = 0;
  for (int i = 0; i < vlb_toml_size(columns); i++) add_name(n, vlb_toml_text(vlb_toml_at(columns, i)));
}

/* A row is named by the texts that it begins with, "Suffix, SA", or by its first number. */
static void row_names(const vlb_toml *table, names *n) {
  const vlb_toml *rows = vlb_toml_get(table, "rows");
  n->count = 0;
  for (int i = 0; i < vlb_toml_size(rows); i++) {
    const vlb_toml *row = vlb_toml_at(rows, i);
    char name[NAME_SIZE] = "";
    int length = 0;
    for (int k = 0; k < vlb_toml_size(row) && length < NAME_SIZE - 1; k++) {
      const vlb_toml *node = vlb_toml_at(row, k);
      bool text = vlb_toml_kind_of(node) == VLB_TOML_TEXT;
      if (!text && k) break;
      length += text ? snprintf(name + length, (size_t)(NAME_SIZE - length), "%s%s", k ? ", " : "", vlb_toml_text(node))
                     : snprintf(name, NAME_SIZE, "%g", vlb_toml_real(node));
      if (!text) break;
    }
    add_name(n, name);
  }
}

static vlb_code missing(const char *what, const char *word, const names *n, vlb_error *err) {
  const char *words[MAX_NAMES];
  for (int i = 0; i < n->count; i++) words[i] = n->text[i];
  const char *near = vlb_suggest(word, words, n->count);
  if (near) return vlb_fail(err, VLB_USAGE, "the paper has no %s '%s'; did you mean '%s'?", what, word, near);
  return vlb_fail(err, VLB_USAGE, "the paper has no %s '%s' (paper/published.toml)", what, word);
}

vlb_code vlb_published_check(const vlb_published *p, const char *table, const char *column, vlb_error *err) {
  names n = {.count = 0};
  const vlb_toml *t = find_table(p, table);
  if (!t) {
    const vlb_toml *tables = vlb_toml_get(p->root, "table");
    for (int i = 0; i < vlb_toml_size(tables); i++) add_name(&n, text_of(vlb_toml_at(tables, i), "id"));
    return missing("table", table, &n, err);
  }
  column_names(t, &n);
  return find_name(&n, column) < 0 ? missing("column", column, &n, err) : VLB_OK;
}

vlb_code vlb_published_value(const vlb_published *p, const char *table, const char *row, const char *column, double *value, vlb_error *err) {
  VLB_TRY(vlb_published_check(p, table, column, err));
  names n;
  const vlb_toml *t = find_table(p, table);
  column_names(t, &n);
  int k = find_name(&n, column);
  row_names(t, &n);
  int i = find_name(&n, row);
  if (i < 0) return missing("row", row, &n, err);
  const vlb_toml *cell = vlb_toml_at(vlb_toml_at(vlb_toml_get(t, "rows"), i), k);
  if (!cell || (vlb_toml_kind_of(cell) != VLB_TOML_INT && vlb_toml_kind_of(cell) != VLB_TOML_REAL))
    return vlb_fail(err, VLB_USAGE, "the paper's %s has no number in row '%s', column '%s'", table, row, column);
  *value = vlb_toml_real(cell);
  return VLB_OK;
}

const char *vlb_published_title(const vlb_published *p, const char *table) {
  const vlb_toml *t = find_table(p, table);
  return t ? text_of(t, "title") : "";
}

const char *vlb_published_confidence(const vlb_published *p, const char *table) {
  const vlb_toml *t = find_table(p, table);
  return t ? text_of(t, "confidence") : "";
}
