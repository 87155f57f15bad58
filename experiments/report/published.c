#include "experiments/report/published.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/embed.h"
#include "core/base/fields.h"
#include "core/base/toml.h"

extern const vlb_embedded vlb_embedded_experiment_assets[];

enum { MAX_NAMES = 64 };

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

/* Index of a text in an array whose elements are texts or arrays that begin with one; names collects them for did-you-mean. */
static int find_text(const vlb_toml *array, const char *word, const char **names, int *count) {
  *count = 0;
  for (int i = 0; i < vlb_toml_size(array); i++) {
    const vlb_toml *node = vlb_toml_at(array, i);
    if (vlb_toml_kind_of(node) == VLB_TOML_ARRAY) node = vlb_toml_at(node, 0);
    if (!node || vlb_toml_kind_of(node) != VLB_TOML_TEXT) continue;
    if (!strcmp(vlb_toml_text(node), word)) return i;
    if (*count < MAX_NAMES) names[(*count)++] = vlb_toml_text(node);
  }
  return -1;
}

static vlb_code missing(const char *what, const char *word, const char *const *names, int n, vlb_error *err) {
  const char *near = vlb_suggest(word, names, n);
  if (near) return vlb_fail(err, VLB_USAGE, "the paper has no %s '%s'; did you mean '%s'?", what, word, near);
  return vlb_fail(err, VLB_USAGE, "the paper has no %s '%s' (paper/published.toml)", what, word);
}

vlb_code vlb_published_check(const vlb_published *p, const char *table, const char *column, vlb_error *err) {
  const char *names[MAX_NAMES];
  int n = 0;
  const vlb_toml *t = find_table(p, table);
  if (!t) {
    const vlb_toml *tables = vlb_toml_get(p->root, "table");
    for (int i = 0; i < vlb_toml_size(tables) && n < MAX_NAMES; i++) names[n++] = text_of(vlb_toml_at(tables, i), "id");
    return missing("table", table, names, n, err);
  }
  if (find_text(vlb_toml_get(t, "columns"), column, names, &n) < 0) return missing("column", column, names, n, err);
  return VLB_OK;
}

vlb_code vlb_published_value(const vlb_published *p, const char *table, const char *row, const char *column, double *value, vlb_error *err) {
  VLB_TRY(vlb_published_check(p, table, column, err));
  const char *names[MAX_NAMES];
  int n;
  const vlb_toml *t = find_table(p, table);
  int k = find_text(vlb_toml_get(t, "columns"), column, names, &n);
  int i = find_text(vlb_toml_get(t, "rows"), row, names, &n);
  if (i < 0) return missing("row", row, names, n, err);
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
