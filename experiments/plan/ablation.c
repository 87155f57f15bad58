#include "experiments/plan/ablation.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/embed.h"
#include "core/base/file.h"
#include "core/base/toml.h"
#include "experiments/plan/sweep.h"
#include "experiments/report/published.h"

extern const vlb_embedded vlb_embedded_experiment_assets[];

enum { MAX_CHAIN = 8 };

const char *const vlb_preset_names[] = {"default", "quick", "test", NULL};

const char *vlb_preset_suffix(const vlb_ablation *a) {
  static const char *const suffixes[] = {"", "-quick", "-test"};
  return suffixes[a->preset];
}

/* A file and the files that it extends, the most basic first. */
typedef struct {
  vlb_toml *root[MAX_CHAIN];
  int count;
} chain;

static void close_chain(chain *c) {
  for (int i = 0; i < c->count; i++) vlb_toml_free(c->root[i]);
}

static const vlb_embedded *embedded(const char *path) {
  char full[1024];
  const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
  size_t n = strlen(base);
  const char *suffix = n > 5 && !strcmp(base + n - 5, ".toml") ? "" : ".toml";
  if (vlb_path(full, sizeof full, NULL, "ablations/%s%s", base, suffix)) return NULL;
  /* "ablations/x.toml", "x.toml" and "x" are ours; "elsewhere/x.toml" is a file that is missing */
  if (base != path && strncmp(path, "ablations/", 10)) return NULL;
  for (const vlb_embedded *e = vlb_embedded_experiment_assets; e->path; e++)
    if (!strcmp(e->path, full)) return e;
  return NULL;
}

static vlb_code no_such_file(const char *path, vlb_error *err) {
  const char *names[64];
  int n = 0;
  for (const vlb_embedded *e = vlb_embedded_experiment_assets; e->path && n < 64; e++)
    if (!strncmp(e->path, "ablations/", 10)) names[n++] = e->path;
  const char *near = vlb_suggest(path, names, n);
  if (near) return vlb_fail(err, VLB_USAGE, "%s: no such file; did you mean %s?", path, near);
  return vlb_fail(err, VLB_USAGE, "%s: no such file; 'vlabench list' shows the embedded ablations", path);
}

static vlb_code open_document(const char *path, vlb_toml **root, vlb_error *err) {
  if (vlb_file_exists(path)) return vlb_toml_read(path, root, err);
  const vlb_embedded *e = embedded(path);
  if (!e) return no_such_file(path, err);
  return vlb_toml_parse((const char *)e->data, e->path, root, err);
}

/* A text value into a fixed buffer. */
static vlb_code read_text(const vlb_toml *node, char *out, size_t size, vlb_error *err) {
  if (vlb_toml_kind_of(node) != VLB_TOML_TEXT)
    return vlb_toml_fail(node, err, "expected a string, found %s", vlb_toml_kind_name(vlb_toml_kind_of(node)));
  if (strlen(vlb_toml_text(node)) >= size) return vlb_toml_fail(node, err, "longer than %zu characters", size - 1);
  for (const char *c = vlb_toml_text(node); *c; c++)
    if ((unsigned char)*c < 32 || *c == 127) return vlb_toml_fail(node, err, "a line break or control character; tables and plots need one line");
  snprintf(out, size, "%s", vlb_toml_text(node));
  return VLB_OK;
}

/* What `extends` names: a file beside the one that says so, else an embedded one. */
static vlb_code extended_path(const vlb_toml *node, const char *name, char *at, size_t size, vlb_error *err) {
  const char *file = vlb_toml_file(node), *slash = strrchr(file, '/');
  if (name[0] == '/') return vlb_path(at, size, err, "%s", name);
  VLB_TRY(vlb_path(at, size, err, "%.*s%s", slash ? (int)(slash + 1 - file) : 0, file, name));
  if (!vlb_file_exists(at) && embedded(name)) return vlb_path(at, size, err, "%s", name);
  return VLB_OK;
}

/* Opens `path`, or a text of that name, and what it extends. */
static vlb_code open_chain(const char *path, const char *text, chain *c, vlb_error *err) {
  vlb_toml *found[MAX_CHAIN];
  int n = 0;
  char at[1024];
  vlb_code code = vlb_path(at, sizeof at, err, "%s", path);
  while (!code) {
    code = text && !n ? vlb_toml_parse(text, path, &found[0], err) : open_document(at, &found[n], err);
    if (code && n > 0) code = vlb_fail_at(err, "%s:%d: extends", vlb_toml_file(found[n - 1]), vlb_toml_line(vlb_toml_get(found[n - 1], "extends")));
    if (code) break;
    const vlb_toml *next = vlb_toml_get(found[n++], "extends");
    if (!next) break;
    char name[256];
    code = read_text(next, name, sizeof name, err);
    if (!code && n == MAX_CHAIN) code = vlb_toml_fail(next, err, "more than %d files extend each other; is there a circle?", MAX_CHAIN);
    if (!code) code = extended_path(next, name, at, sizeof at, err);
  }
  for (int i = 0; i < n; i++) c->root[i] = found[n - 1 - i];
  c->count = n;
  return code;
}

static vlb_code unknown_key(const vlb_toml *node, const char *key, const char *const *known, vlb_error *err) {
  int n = 0;
  while (known[n]) n++;
  const char *near = vlb_suggest(key, known, n);
  if (near) return vlb_toml_fail(node, err, "unknown key '%s'; did you mean '%s'?", key, near);
  return vlb_toml_fail(node, err, "unknown key '%s'", key);
}

static vlb_code expect_table(const vlb_toml *node, const char *key, vlb_error *err) {
  if (vlb_toml_kind_of(node) == VLB_TOML_TABLE) return VLB_OK;
  return vlb_toml_fail(node, err, "'%s' is %s, expected a table", key, vlb_toml_kind_name(vlb_toml_kind_of(node)));
}

static vlb_code read_section(const vlb_section *s, const vlb_toml *node, vlb_settings *settings, vlb_error *err) {
  VLB_TRY(expect_table(node, s->name, err));
  return vlb_fields_read(s->fields, (char *)settings + s->offset, node, err);
}

/* Rows of [[arm]] or [[contrast]]. */
static vlb_code expect_rows(const vlb_toml *node, const char *key, int most, vlb_error *err) {
  if (vlb_toml_kind_of(node) != VLB_TOML_ARRAY)
    return vlb_toml_fail(node, err, "'%s' is %s, expected [[%s]] rows", key, vlb_toml_kind_name(vlb_toml_kind_of(node)), key);
  if (vlb_toml_size(node) > most) return vlb_toml_fail(node, err, "more than %d [[%s]] rows", most, key);
  for (int i = 0; i < vlb_toml_size(node); i++) VLB_TRY(expect_table(vlb_toml_at(node, i), key, err));
  return VLB_OK;
}

typedef struct {
  vlb_ablation *out;
  vlb_settings base;  /* what every arm starts from */
  char floor[48];     /* name as written */
  const vlb_toml *arms, *contrasts, *sources, *sweep, *floor_node, *table_node, *column_node;
} reader;

static const char *const top_keys[] = {"extends",      "title", "scale", "note", "paper_table", "paper_column", "floor", "demos", "train",
                                       "model", "eval",  "arm",  "contrast",    "preset",  "source",     "sweep", "latency", NULL};

/* NULL where `node` is of another file than `here`. */
static const vlb_toml *drop_inherited(const vlb_toml *node, const vlb_toml *here) {
  return node && !strcmp(vlb_toml_file(node), vlb_toml_file(here)) ? node : NULL;
}

/* One key of a file: text goes into the ablation, sections into the common settings, rows are kept for later. */
static vlb_code read_key(reader *r, const char *key, const vlb_toml *node, vlb_error *err) {
  vlb_ablation *a = r->out;
  const vlb_section *s = vlb_section_find(key);
  if (s) return read_section(s, node, &r->base, err);
  if (!strcmp(key, "extends") || !strcmp(key, "preset")) return VLB_OK;
  if (!strcmp(key, "title")) return read_text(node, a->title, sizeof a->title, err);
  if (!strcmp(key, "scale")) return read_text(node, a->scale, sizeof a->scale, err);
  if (!strcmp(key, "note")) return read_text(node, a->note, sizeof a->note, err);
  if (!strcmp(key, "floor")) {
    r->floor_node = node;
    return read_text(node, r->floor, sizeof r->floor, err);
  }
  if (!strcmp(key, "paper_table")) {
    r->table_node = node;
    return read_text(node, a->paper_table, sizeof a->paper_table, err);
  }
  if (!strcmp(key, "paper_column")) {
    r->column_node = node;
    return read_text(node, a->paper_column, sizeof a->paper_column, err);
  }
  if (!strcmp(key, "latency")) {
    if (vlb_toml_kind_of(node) != VLB_TOML_BOOL) return vlb_toml_fail(node, err, "expected true or false");
    a->latency = vlb_toml_bool(node);
    return VLB_OK;
  }
  /* the arms of a file replace those of what it extends */
  if (!strcmp(key, "sweep")) {
    if (r->arms && !strcmp(vlb_toml_file(r->arms), vlb_toml_file(node))) return vlb_toml_fail(node, err, "[[arm]] and [sweep] in one file: both say what the arms are");
    r->sweep = node;
    r->arms = drop_inherited(r->arms, node), r->contrasts = drop_inherited(r->contrasts, node), r->floor_node = drop_inherited(r->floor_node, node);
    r->column_node = drop_inherited(r->column_node, node);
    if (r->table_node && !(r->table_node = drop_inherited(r->table_node, node))) a->paper_table[0] = a->paper_column[0] = 0;
    return expect_table(node, key, err);
  }
  if (!strcmp(key, "arm")) {
    if (r->sweep && !strcmp(vlb_toml_file(r->sweep), vlb_toml_file(node))) return vlb_toml_fail(node, err, "[[arm]] and [sweep] in one file: both say what the arms are");
    r->sweep = NULL;
    r->arms = node;
    return expect_rows(node, key, VLB_MAX_ARMS, err);
  }
  if (!strcmp(key, "contrast")) {
    r->contrasts = node;
    return expect_rows(node, key, VLB_MAX_CONTRASTS, err);
  }
  if (!strcmp(key, "source")) {
    r->sources = node;
    return expect_rows(node, key, VLB_MAX_SOURCES, err);
  }
  return unknown_key(node, key, top_keys, err);
}

/* [preset.NAME] of one file; unknown presets are misspelt ones. All are read, so that a mistake shows whichever is asked for. */
static vlb_code read_preset(reader *r, const vlb_toml *root, vlb_preset apply, vlb_error *err) {
  static const char *const sections[] = {"demos", "train", "model", "eval", NULL};
  const vlb_toml *preset = vlb_toml_get(root, "preset");
  if (!preset) return VLB_OK;
  VLB_TRY(expect_table(preset, "preset", err));
  for (int i = 0; i < vlb_toml_size(preset); i++) {
    const vlb_toml *node = vlb_toml_at(preset, i);
    const char *name = vlb_toml_key(preset, i);
    vlb_settings scratch = r->base, *to = apply && !strcmp(name, vlb_preset_names[apply]) ? &r->base : &scratch;
    if (strcmp(name, "quick") && strcmp(name, "test")) return unknown_key(node, name, vlb_preset_names + 1, err);
    VLB_TRY(expect_table(node, name, err));
    for (int k = 0; k < vlb_toml_size(node); k++) {
      const vlb_section *s = vlb_section_find(vlb_toml_key(node, k));
      if (!s) return unknown_key(vlb_toml_at(node, k), vlb_toml_key(node, k), sections, err);
      VLB_TRY(read_section(s, vlb_toml_at(node, k), to, err));
    }
  }
  return VLB_OK;
}

static int find_arm(const vlb_ablation *a, const char *name) {
  for (int i = 0; i < a->arm_count; i++)
    if (!strcmp(a->arms[i].name, name)) return i;
  return -1;
}

static vlb_code arm_index(const vlb_ablation *a, const vlb_toml *node, const char *name, int *index, vlb_error *err) {
  const char *names[VLB_MAX_ARMS];
  for (int i = 0; i < a->arm_count; i++) names[i] = a->arms[i].name;
  *index = find_arm(a, name);
  if (*index >= 0) return VLB_OK;
  const char *near = vlb_suggest(name, names, a->arm_count);
  if (near) return vlb_toml_fail(node, err, "no arm is named '%s'; did you mean '%s'?", name, near);
  return vlb_toml_fail(node, err, "no arm is named '%s'", name);
}

/* Arm names become parts of file names and plot files. */
static bool plain_name(const char *name) {
  return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(name);
}

/* What an arm and a source have in common. */
static vlb_code read_name(const reader *r, const vlb_toml *row, const char *kind, vlb_arm *arm, vlb_error *err) {
  const vlb_toml *name = vlb_toml_get(row, "name");
  *arm = (vlb_arm){.settings = r->base, .init = -1};
  if (!name) return vlb_toml_fail(row, err, "[[%s]] has no name", kind);
  VLB_TRY(read_text(name, arm->name, sizeof arm->name, err));
  if (!plain_name(arm->name)) return vlb_toml_fail(name, err, "%s name '%s': use a-z, 0-9, _ and -", kind, arm->name);
  if (find_arm(r->out, arm->name) >= 0) return vlb_toml_fail(name, err, "a second arm named '%s'", arm->name);
  memcpy(arm->label, arm->name, sizeof arm->name);
  return VLB_OK;
}

/* The source that an arm starts from. */
static vlb_code read_init(const reader *r, const vlb_toml *node, vlb_arm *arm, vlb_error *err) {
  const char *names[VLB_MAX_SOURCES];
  char name[48];
  VLB_TRY(read_text(node, name, sizeof name, err));
  for (int i = 0; i < r->out->source_count; i++) {
    names[i] = r->out->sources[i].name;
    if (!strcmp(names[i], name)) arm->init = i;
  }
  if (arm->init >= 0) return VLB_OK;
  const char *near = vlb_suggest(name, names, r->out->source_count);
  if (near) return vlb_toml_fail(node, err, "no [[source]] is named '%s'; did you mean '%s'?", name, near);
  return vlb_toml_fail(node, err, "no [[source]] is named '%s'", name);
}

/* Weights pass from one model to the other only when every key that shapes a tensor is equal. */
static vlb_code check_init(const vlb_ablation *a, const vlb_arm *arm, vlb_error *err) {
  static const char *const free_keys[] = {"n_action_steps", "num_steps", "chunk_size", "action_mask", "objective", "freeze", "train_state_proj", "action_dim",
                                          "prefix_length", "min_period", "max_period", "empty_cameras", NULL};
  const vlb_arm *from = &a->sources[arm->init];
  for (const vlb_field *f = vlb_model_fields; f->name; f++) {
    char here[VLB_TEXT_SIZE], there[VLB_TEXT_SIZE];
    bool skip = false;
    for (int i = 0; free_keys[i]; i++) skip |= !strcmp(free_keys[i], f->name);
    vlb_field_text(f, &arm->settings.model, here, sizeof here);
    vlb_field_text(f, &from->settings.model, there, sizeof there);
    if (!skip && strcmp(here, there))
      return vlb_fail(err, VLB_USAGE, "init = \"%s\", but model.%s is %s here and %s there; weights cannot pass from one to the other", from->name, f->name,
                      here, there);
  }
  return VLB_OK;
}

static vlb_code read_arm(const reader *r, const vlb_toml *row, vlb_arm *arm, vlb_error *err) {
  static const char *const keys[] = {"name", "label", "paper_row", "init", "demos", "train", "model", "eval", NULL};
  VLB_TRY(read_name(r, row, "arm", arm, err));
  for (int i = 0; i < vlb_toml_size(row); i++) {
    const char *key = vlb_toml_key(row, i);
    const vlb_toml *node = vlb_toml_at(row, i);
    const vlb_section *s = vlb_section_find(key);
    if (s)
      VLB_TRY(read_section(s, node, &arm->settings, err));
    else if (!strcmp(key, "label"))
      VLB_TRY(read_text(node, arm->label, sizeof arm->label, err));
    else if (!strcmp(key, "paper_row"))
      VLB_TRY(read_text(node, arm->paper_row, sizeof arm->paper_row, err));
    else if (!strcmp(key, "init"))
      VLB_TRY(read_init(r, node, arm, err));
    else if (strcmp(key, "name"))
      return unknown_key(node, key, keys, err);
  }
  vlb_code code = vlb_settings_check(&arm->settings, err);
  if (!code) code = vlb_settings_fit(&arm->settings, err);
  if (!code && arm->init >= 0) code = check_init(r->out, arm, err);
  return code ? vlb_fail_at(err, "%s:%d: arm '%s'", vlb_toml_file(row), vlb_toml_line(row), arm->name) : VLB_OK;
}

/* Trained, never rolled out: its [eval] says nothing. */
static vlb_code read_source(const reader *r, const vlb_toml *row, vlb_arm *source, vlb_error *err) {
  static const char *const keys[] = {"name", "demos", "train", "model", NULL};
  VLB_TRY(read_name(r, row, "source", source, err));
  for (int i = 0; i < r->out->source_count; i++)
    if (!strcmp(r->out->sources[i].name, source->name)) return vlb_toml_fail(row, err, "a second source named '%s'", source->name);
  for (int i = 0; i < vlb_toml_size(row); i++) {
    const vlb_section *s = vlb_section_find(vlb_toml_key(row, i));
    if (s && strcmp(s->name, "eval"))
      VLB_TRY(read_section(s, vlb_toml_at(row, i), &source->settings, err));
    else if (strcmp(vlb_toml_key(row, i), "name"))
      return unknown_key(vlb_toml_at(row, i), vlb_toml_key(row, i), keys, err);
  }
  source->settings.eval.suite = source->settings.demos.suite;
  if (vlb_settings_check(&source->settings, err) || vlb_settings_fit(&source->settings, err))
    return vlb_fail_at(err, "%s:%d: source '%s'", vlb_toml_file(row), vlb_toml_line(row), source->name);
  return VLB_OK;
}

/* Values of an axis as one text: a string as it is, a number, or an array of both. */
static vlb_code axis_values(const vlb_toml *node, char *out, size_t size, vlb_error *err) {
  if (vlb_toml_kind_of(node) == VLB_TOML_ARRAY) {
    out[0] = 0;
    for (int i = 0; i < vlb_toml_size(node); i++) {
      size_t n = strlen(out);
      if (i) n += (size_t)snprintf(out + n, size - n, ",");
      VLB_TRY(axis_values(vlb_toml_at(node, i), out + n, size - n, err));
    }
    return VLB_OK;
  }
  if (vlb_toml_kind_of(node) == VLB_TOML_TEXT) return read_text(node, out, size, err);
  bool number = vlb_toml_kind_of(node) == VLB_TOML_INT || vlb_toml_kind_of(node) == VLB_TOML_REAL;
  if (!number) return vlb_toml_fail(node, err, "expected a string such as \"8..24\", a number or an array of them");
  return (size_t)snprintf(out, size, "%.10g", vlb_toml_real(node)) < size ? VLB_OK : vlb_toml_fail(node, err, "too many values");
}

/* [sweep]: name = values, also as sections: model.num_vlm_layers = "8..24" */
static vlb_code read_axes(const vlb_toml *table, const char *section, vlb_axis *axes, int *count, vlb_error *err) {
  for (int i = 0; i < vlb_toml_size(table); i++) {
    const vlb_toml *node = vlb_toml_at(table, i);
    char name[96], values[1024];
    snprintf(name, sizeof name, "%s%s%s", section, *section ? "." : "", vlb_toml_key(table, i));
    if (!*section && vlb_section_find(name) && vlb_toml_kind_of(node) == VLB_TOML_TABLE) {
      VLB_TRY(read_axes(node, name, axes, count, err));
      continue;
    }
    if (*count == VLB_MAX_AXES) return vlb_toml_fail(node, err, "more than %d axes", VLB_MAX_AXES);
    VLB_TRY(axis_values(node, values, sizeof values, err));
    if (vlb_axis_read(name, values, &axes[(*count)++], err)) return vlb_fail_at(err, "%s:%d: sweep", vlb_toml_file(node), vlb_toml_line(node));
  }
  return VLB_OK;
}

static vlb_code read_sweep(reader *r, vlb_error *err) {
  vlb_axis *axes = calloc(VLB_MAX_AXES, sizeof *axes);
  int count = 0;
  if (!axes) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = read_axes(r->sweep, "", axes, &count, err);
  if (!code && !count) code = vlb_toml_fail(r->sweep, err, "[sweep] names no axis; for example layers = \"8..24\"");
  if (!code && vlb_sweep_arms(axes, count, &r->base, r->out, err))
    code = vlb_fail_at(err, "%s:%d: sweep", vlb_toml_file(r->sweep), vlb_toml_line(r->sweep));
  free(axes);
  r->out->latency = true;
  r->out->floor = -1;
  return code;
}

static vlb_code read_arms(reader *r, const vlb_toml *last, vlb_error *err) {
  if (r->sweep) {
    VLB_TRY(read_sweep(r, err));
    if (r->floor_node) VLB_TRY(arm_index(r->out, r->floor_node, r->floor, &r->out->floor, err));
    return VLB_OK;
  }
  if (!r->arms || !vlb_toml_size(r->arms)) return vlb_fail(err, VLB_USAGE, "%s: no [[arm]]; is this a base file?", vlb_toml_file(last));
  for (int i = 0; r->sources && i < vlb_toml_size(r->sources); i++) {
    VLB_TRY(read_source(r, vlb_toml_at(r->sources, i), &r->out->sources[i], err));
    r->out->source_count = i + 1;
  }
  for (int i = 0; i < vlb_toml_size(r->arms); i++) {
    VLB_TRY(read_arm(r, vlb_toml_at(r->arms, i), &r->out->arms[i], err));
    r->out->arm_count = i + 1;
  }
  r->out->floor = -1;
  if (r->floor_node) VLB_TRY(arm_index(r->out, r->floor_node, r->floor, &r->out->floor, err));
  if (r->out->floor >= 0 && r->out->arms[r->out->floor].init >= 0)
    return vlb_toml_fail(r->floor_node, err, "floor = \"%s\": that arm starts from trained weights; name one that does not", r->floor);
  return VLB_OK;
}

static vlb_code read_contrast(const vlb_ablation *a, const vlb_toml *row, vlb_contrast *contrast, vlb_error *err) {
  static const char *const keys[] = {"a", "b", NULL};
  int *side[2] = {&contrast->a, &contrast->b};
  for (int i = 0; i < vlb_toml_size(row); i++)
    if (strcmp(vlb_toml_key(row, i), "a") && strcmp(vlb_toml_key(row, i), "b"))
      return unknown_key(vlb_toml_at(row, i), vlb_toml_key(row, i), keys, err);
  for (int i = 0; i < 2; i++) {
    char name[48];
    const vlb_toml *node = vlb_toml_get(row, keys[i]);
    if (!node) return vlb_toml_fail(row, err, "[[contrast]] has no '%s'", keys[i]);
    VLB_TRY(read_text(node, name, sizeof name, err));
    VLB_TRY(arm_index(a, node, name, side[i], err));
  }
  for (const vlb_contrast *c = a->contrasts; c < contrast; c++)
    if ((c->a == contrast->a && c->b == contrast->b) || (c->a == contrast->b && c->b == contrast->a))
      return vlb_toml_fail(row, err, "these two arms are contrasted twice, which would make every p value larger");
  if (contrast->a == contrast->b) return vlb_toml_fail(row, err, "[[contrast]] of an arm with itself");
  const vlb_settings *p = &a->arms[contrast->a].settings, *q = &a->arms[contrast->b].settings;
  if (p->train.seeds != q->train.seeds)
    return vlb_toml_fail(row, err, "train.seeds = %lld and %lld: the two arms need as many trainings each, to be compared pair by pair",
                         (long long)p->train.seeds, (long long)q->train.seeds);
  if (p->eval.seed != q->eval.seed || p->eval.episodes_per_task != q->eval.episodes_per_task || strcmp(p->eval.suite.s, q->eval.suite.s))
    return vlb_toml_fail(row, err, "the two arms do not share their episodes: eval.suite, eval.seed and eval.episodes_per_task must be equal");
  return VLB_OK;
}

static vlb_code read_contrasts(reader *r, vlb_error *err) {
  for (int i = 0; r->contrasts && i < vlb_toml_size(r->contrasts); i++) {
    VLB_TRY(read_contrast(r->out, vlb_toml_at(r->contrasts, i), &r->out->contrasts[i], err));
    r->out->contrast_count = i + 1;
  }
  return VLB_OK;
}

/* Text that only means something beside paper_table. */
static vlb_code refuse_paper(const reader *r, vlb_error *err) {
  if (r->column_node) return vlb_toml_fail(r->column_node, err, "paper_column without paper_table");
  for (int i = 0; i < r->out->arm_count; i++)
    if (r->out->arms[i].paper_row[0])
      return vlb_toml_fail(vlb_toml_get(vlb_toml_at(r->arms, i), "paper_row"), err, "paper_row without paper_table");
  return VLB_OK;
}

/* The paper's table, column and rows must exist, or the table beside ours would silently be empty. */
static vlb_code check_paper(const reader *r, vlb_error *err) {
  const vlb_ablation *a = r->out;
  if (!a->paper_table[0]) return refuse_paper(r, err);
  if (!r->column_node) return vlb_toml_fail(r->table_node, err, "paper_table without paper_column");
  vlb_published *p;
  VLB_TRY(vlb_published_open(&p, err));
  vlb_code code = vlb_published_check(p, a->paper_table, a->paper_column, err);
  if (code) {
    code = vlb_fail_at(err, "%s:%d", vlb_toml_file(r->column_node), vlb_toml_line(r->column_node));
  }
  for (int i = 0; !code && i < a->arm_count; i++) {
    if (!a->arms[i].paper_row[0]) continue;
    double value;
    const vlb_toml *row = vlb_toml_at(r->arms, i);
    if (vlb_published_value(p, a->paper_table, a->arms[i].paper_row, a->paper_column, &value, err))
      code = vlb_fail_at(err, "%s:%d: arm '%s'", vlb_toml_file(row), vlb_toml_line(row), a->arms[i].name);
  }
  vlb_published_close(p);
  return code;
}

/* Everything but arms and contrasts. */
static vlb_code read_common(reader *r, const chain *c, vlb_preset preset, vlb_error *err) {
  vlb_settings_default(&r->base);
  for (int i = 0; i < c->count; i++)
    for (int k = 0; k < vlb_toml_size(c->root[i]); k++)
      VLB_TRY(read_key(r, vlb_toml_key(c->root[i], k), vlb_toml_at(c->root[i], k), err));
  for (int i = 0; i < c->count; i++) VLB_TRY(read_preset(r, c->root[i], preset, err));
  return VLB_OK;
}

/* The file's name without .toml; tables and plots go to the store's folder of that name, beside its folder of cells. */
static vlb_code name_ablation(const char *file, vlb_ablation *out, vlb_error *err) {
  const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
  size_t n = strlen(base);
  if (n >= 5 && !strcmp(base + n - 5, ".toml")) n -= 5;
  if (!n || n >= sizeof out->name || base[0] == '.' || (n == 5 && !strncmp(base, "cells", n)))
    return vlb_fail(err, VLB_USAGE, "%s: rename the file: its name, of at most %zu characters, not cells, not starting with a dot, names its results", file,
                    sizeof out->name - 1);
  snprintf(out->name, sizeof out->name, "%.*s", (int)n, base);
  return VLB_OK;
}

static vlb_code read_chain(const chain *c, vlb_preset preset, vlb_ablation *out, vlb_error *err) {
  reader r = {.out = out};
  const vlb_toml *last = c->root[c->count - 1];
  VLB_TRY(read_common(&r, c, preset, err));
  VLB_TRY(read_arms(&r, last, err));
  VLB_TRY(read_contrasts(&r, err));
  VLB_TRY(check_paper(&r, err));
  VLB_TRY(name_ablation(vlb_toml_file(last), out, err));
  if (!out->title[0]) snprintf(out->title, sizeof out->title, "%s", out->name);
  out->preset = preset;
  out->quick = preset == VLB_PRESET_QUICK;
  return VLB_OK;
}

static vlb_code read_ablation(const char *path, const char *text, vlb_preset preset, vlb_ablation **ablation, vlb_error *err) {
  chain c = {.count = 0};
  vlb_ablation *a = calloc(1, sizeof *a);
  if (!a) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = open_chain(path, text, &c, err);
  if (!code) code = read_chain(&c, preset, a, err);
  close_chain(&c);
  if (code) free(a);
  *ablation = code ? NULL : a;
  return code;
}

vlb_code vlb_ablation_read(const char *path, vlb_preset preset, vlb_ablation **ablation, vlb_error *err) {
  return read_ablation(path, NULL, preset, ablation, err);
}

vlb_code vlb_ablation_parse(const char *text, const char *name, vlb_preset preset, vlb_ablation **ablation, vlb_error *err) {
  return read_ablation(name, text, preset, ablation, err);
}

static vlb_code read_settings(const chain *c, const char *arm, vlb_preset preset, vlb_ablation *scratch, vlb_settings *settings, vlb_error *err) {
  reader r = {.out = scratch};
  VLB_TRY(read_common(&r, c, preset, err));
  if (!arm) {
    *settings = r.base;
    return vlb_settings_check(settings, err);
  }
  int index;
  VLB_TRY(read_arms(&r, c->root[c->count - 1], err));
  VLB_TRY(arm_index(scratch, r.arms, arm, &index, err));
  *settings = scratch->arms[index].settings;
  return VLB_OK;
}

vlb_code vlb_settings_read(const char *path, const char *arm, vlb_preset preset, vlb_settings *settings, vlb_error *err) {
  chain c = {.count = 0};
  vlb_ablation *scratch = calloc(1, sizeof *scratch);
  if (!scratch) return vlb_fail(err, VLB_FAILED, "out of memory");
  vlb_code code = open_chain(path, NULL, &c, err);
  if (!code) code = read_settings(&c, arm, preset, scratch, settings, err);
  close_chain(&c);
  free(scratch);
  return code;
}
