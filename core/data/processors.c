#include "core/data/processors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/json.h"

/* One feature: its key, its statistics' place in both layouts, and where they go. */
typedef struct {
  const char *key, *type, *old;
  int dim;
  vlb_stats *stats;
} feature;

/* Tensors of one statistics file, or of the weights. */
typedef struct {
  const vlb_safetensors *file;
  const vlb_shards *weights;
  const char *path;
} statistics;

static const vlb_st_entry *find(const statistics *s, const char *name) {
  return s->file ? vlb_safetensors_find(s->file, name) : vlb_shards_find(s->weights, name);
}

static vlb_code read_vector(const statistics *s, const char *name, int dim, float *out, vlb_error *err) {
  const vlb_st_entry *e = find(s, name);
  if (!e) return vlb_fail(err, VLB_FAILED, "%s: no tensor \"%.200s\" for the normalisation", s->path, name);
  if (e->count != (size_t)dim)
    return vlb_fail(err, VLB_FAILED, "%s: tensor \"%.200s\" has %zu values instead of %d", s->path, name, e->count, dim);
  vlb_st_to_float(e, out);
  for (int i = 0; i < dim; i++)
    if (!isfinite(out[i])) return vlb_fail(err, VLB_FAILED, "%s: tensor \"%.200s\" holds a value that is not finite", s->path, name);
  return VLB_OK;
}

/* PREFIX.A and PREFIX.B into the two vectors of a mode */
static vlb_code read_pair(const statistics *s, const char *prefix, const char *a, const char *b, int dim, float *x, float *y, vlb_error *err) {
  char name[2 * VLB_FEATURE_NAME];
  snprintf(name, sizeof name, "%s.%s", prefix, a);
  VLB_TRY(read_vector(s, name, dim, x, err));
  snprintf(name, sizeof name, "%s.%s", prefix, b);
  return read_vector(s, name, dim, y, err);
}

static vlb_code read_mode(const statistics *s, const char *prefix, const char *mode, const feature *f, vlb_error *err) {
  vlb_stats *out = f->stats;
  out->norm = VLB_NORM_MIN_MAX;
  if (!strcmp(mode, "MIN_MAX")) return read_pair(s, prefix, "min", "max", f->dim, out->min, out->max, err);
  if (!strcmp(mode, "QUANTILES")) return read_pair(s, prefix, "q01", "q99", f->dim, out->min, out->max, err);
  if (!strcmp(mode, "QUANTILE10")) return read_pair(s, prefix, "q10", "q90", f->dim, out->min, out->max, err);
  out->norm = VLB_NORM_MEAN_STD;
  if (!strcmp(mode, "MEAN_STD")) return read_pair(s, prefix, "mean", "std", f->dim, out->mean, out->std, err);
  return vlb_fail(err, VLB_FAILED, "%s: normalisation %.40s of %s is not supported", s->path, mode, f->key);
}

/* whether some statistic of a feature is there: LeRobot looks for the exact key */
static bool has_feature(const vlb_safetensors *file, const char *key) {
  size_t n = strlen(key);
  for (int i = 0; file && i < vlb_safetensors_count(file); i++) {
    const char *name = vlb_safetensors_at(file, i)->name;
    if (!strncmp(name, key, n) && name[n] == '.' && !strchr(name + n + 1, '.')) return true;
  }
  return false;
}

/* the distinct feature keys of a statistics file, for the announcement */
static void list_keys(const vlb_safetensors *file, char *buf, size_t size) {
  char last[VLB_FEATURE_NAME] = "";
  size_t used = 0;
  buf[0] = 0;
  for (int i = 0; file && i < vlb_safetensors_count(file); i++) {
    const char *name = vlb_safetensors_at(file, i)->name, *dot = strrchr(name, '.');
    int n = dot ? (int)(dot - name) : (int)strlen(name);
    if (!strncmp(last, name, (size_t)n) && !last[n]) continue;
    snprintf(last, sizeof last, "%.*s", n, name);
    int more = snprintf(buf + used, size - used, "%s%s", used ? ", " : "", last);
    used += more > 0 && (size_t)more < size - used ? (size_t)more : 0;
  }
}

static bool contains(const json_t *list, const char *word) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *text = json_string_value(json_array_get(list, i));
    if (text && !strcmp(text, word)) return true;
  }
  return false;
}

/* one feature of a normalizer or unnormalizer step */
static vlb_code read_feature(vlb_json *r, const json_t *config, const statistics *s, const feature *f, vlb_log *log) {
  const char *mode = vlb_json_text(r, json_object_get(config, "norm_map"), f->type, "IDENTITY");
  const json_t *only = json_object_get(config, "normalize_observation_keys");
  f->stats->norm = VLB_NORM_IDENTITY;
  if (r->code || !strcmp(mode, "IDENTITY")) return r->code;
  if (!strcmp(f->type, "STATE") && json_is_array(only) && !contains(only, f->key)) return VLB_OK;
  bool listed = json_object_get(json_object_get(config, "features"), f->key) || !strcmp(f->type, "ACTION");
  if (listed && has_feature(s->file, f->key)) return read_mode(s, f->key, mode, f, r->err);
  char keys[512];
  list_keys(s->file, keys, sizeof keys);
  if (log)
    vlb_warn(log, "%s: normalisation %s of %s is asked for but has no statistics of that name, so values pass unchanged, as in LeRobot; there are: %s",
             r->path, mode, f->key, keys[0] ? keys : "none");
  return VLB_OK;
}

static vlb_code normalizer(vlb_json *r, const char *folder, const json_t *step, const feature *f, vlb_log *log) {
  const json_t *config = json_object_get(step, "config");
  const char *name = vlb_json_text(r, step, "state_file", NULL);
  char path[1024];
  if (fabs(vlb_json_real(r, config, "eps", 1e-8) - 1e-8) > 1e-12) vlb_json_complain(r, "eps", "must be 1e-8");
  if (r->code) return r->code;
  statistics s = {.path = r->path};
  vlb_safetensors *file = NULL;
  if (name) {
    VLB_TRY(vlb_path(path, sizeof path, r->err, "%s/%s", folder, name));
    VLB_TRY(vlb_safetensors_open(path, &file, r->err));
    s = (statistics){.file = file, .path = path};
  }
  vlb_code code = read_feature(r, config, &s, f, log);
  vlb_safetensors_close(file);
  return code;
}

static void rename_map(vlb_json *r, const json_t *config, vlb_processors *out) {
  const char *from;
  json_t *to;
  json_object_foreach(json_object_get(config, "rename_map"), from, to) {
    const char *text = json_string_value(to);
    if (!text || out->renames == VLB_MAX_RENAMES || strlen(from) >= VLB_FEATURE_NAME || strlen(text) >= VLB_FEATURE_NAME) {
      vlb_json_complain(r, "rename_map", "must map at most 16 names to names");
      return;
    }
    strcpy(out->from[out->renames], from);
    strcpy(out->to[out->renames++], text);
  }
}

static void tokenizer_step(vlb_json *r, const json_t *config, vlb_processors *out) {
  out->max_length = (int)vlb_json_int(r, config, "max_length", 48);
  if (strcmp(vlb_json_text(r, config, "padding_side", "right"), "right")) vlb_json_complain(r, "padding_side", "must be right");
  if (!vlb_json_flag(r, config, "truncation", true)) vlb_json_complain(r, "truncation", "false is not supported");
}

/* steps that only move data, or whose work is done elsewhere here */
static bool harmless(const char *name) {
  static const char *const names[] = {"to_batch_processor", "smolvla_new_line_processor", "device_processor"};
  for (int i = 0; i < 3; i++)
    if (!strcmp(name, names[i])) return true;
  return strstr(name, "NewLineProcessor") != NULL;
}

static vlb_code read_step(vlb_json *r, const char *folder, const json_t *step, const feature *f, vlb_log *log, vlb_processors *out) {
  const json_t *config = json_object_get(step, "config");
  const char *name = vlb_json_text(r, step, "registry_name", NULL);
  if (!name) name = vlb_json_text(r, step, "class", "");
  if (!strcmp(name, "normalizer_processor") || !strcmp(name, "unnormalizer_processor")) return normalizer(r, folder, step, f, log);
  if (!strcmp(name, "rename_observations_processor"))
    rename_map(r, config, out);
  else if (!strcmp(name, "tokenizer_processor"))
    tokenizer_step(r, config, out);
  else if (!harmless(name))
    r->code = vlb_fail(r->err, VLB_FAILED, "%s: step \"%.100s\" is not supported", r->path, name);
  return r->code;
}

static vlb_code read_pipeline(const char *folder, const char *path, const feature *f, vlb_log *log, vlb_processors *out, vlb_error *err) {
  json_t *root;
  VLB_TRY(vlb_json_open(path, &root, err));
  vlb_json r = {path, err, VLB_OK};
  json_t *steps = json_object_get(root, "steps");
  if (!json_is_array(steps)) vlb_json_complain(&r, "steps", "must be a list");
  vlb_code code = r.code;
  for (size_t i = 0; !code && i < json_array_size(steps); i++) code = read_step(&r, folder, json_array_get(steps, i), f, log, out);
  json_decref(root);
  return code;
}

/* before v0.4: buffers of the model, dots of the key replaced by underscores, always mean and std */
static vlb_code read_buffers(const vlb_shards *weights, const char *folder, const feature *f, vlb_log *log, vlb_error *err) {
  statistics s = {.weights = weights, .path = folder};
  char name[2 * VLB_FEATURE_NAME];
  snprintf(name, sizeof name, "%s.mean", f->old);
  f->stats->norm = VLB_NORM_IDENTITY;
  if (vlb_shards_find(weights, name)) return read_mode(&s, f->old, "MEAN_STD", f, err);
  if (log) vlb_warn(log, "%s: no statistics of %s, neither in processor files nor among the weights; values pass unchanged", folder, f->key);
  return VLB_OK;
}

vlb_code vlb_processors_read(const char *folder, const vlb_shards *weights, int state_dim, int action_dim, vlb_log *log, vlb_processors *out,
                             vlb_error *err) {
  char path[2][1024];
  memset(out, 0, sizeof *out);
  const feature features[2] = {
      {"observation.state", "STATE", "normalize_inputs.buffer_observation_state", state_dim, &out->state},
      {"action", "ACTION", "unnormalize_outputs.buffer_action", action_dim, &out->action},
  };
  if (state_dim > VLB_STATS_MAX || action_dim > VLB_STATS_MAX)
    return vlb_fail(err, VLB_FAILED, "%s: states and actions of more than %d numbers are not supported", folder, VLB_STATS_MAX);
  for (int i = 0; i < 2; i++) {
    features[i].stats->dim = features[i].dim;
    features[i].stats->norm = VLB_NORM_IDENTITY;
    VLB_TRY(vlb_path(path[i], sizeof path[i], err, "%s/policy_%sprocessor.json", folder, i ? "post" : "pre"));
  }
  bool files = vlb_file_exists(path[0]);
  snprintf(out->source, sizeof out->source, files ? "processor files" : "among the weights (before LeRobot v0.4)");
  for (int i = 0; i < 2; i++)
    VLB_TRY(files ? read_pipeline(folder, path[i], &features[i], log, out, err) : read_buffers(weights, folder, &features[i], log, err));
  return VLB_OK;
}
