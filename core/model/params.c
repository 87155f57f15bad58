/* The named tensors of a model: shapes, freezing (specification 17.1), initial values (17.4), files. */
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/data/safetensors.h"
#include "core/model/build.h"
#include "core/model/model.h"

#define EXPERT "model.vlm_with_expert.lm_expert."
#define VLM "model.vlm_with_expert.vlm.model."

typedef struct {
  vlb_model *model;
  int room;
  bool failed;
} table;

/* appends one tensor; dims end with 0 */
static void add(table *t, bool trainable, vlb_init_kind init, int64_t fan_in, const int64_t *dims, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
static void add(table *t, bool trainable, vlb_init_kind init, int64_t fan_in, const int64_t *dims, const char *format, ...) {
  vlb_model *m = t->model;
  if (m->param_count == t->room) {
    int room = t->room ? 2 * t->room : 256;
    vlb_param *p = realloc(m->params, (size_t)room * sizeof *p);
    t->failed |= !p;
    if (!p) return;
    m->params = p;
    t->room = room;
  }
  vlb_param p = {.size = 1, .trainable = trainable, .init = init, .fan_in = (double)fan_in};
  for (; dims[p.ndim]; p.ndim++) {
    p.dims[p.ndim] = dims[p.ndim];
    p.size *= (size_t)dims[p.ndim];
  }
  va_list args;
  va_start(args, format);
  vsnprintf(p.name, sizeof p.name, format, args);
  va_end(args);
  m->params[m->param_count++] = p;
}
#define DIMS(...) (const int64_t[]){__VA_ARGS__, 0}

/* a projection of the policy head: weight and bias, torch's Linear initialisation */
static void add_projection(table *t, bool trainable, const char *name, int64_t out, int64_t in) {
  add(t, trainable, VLB_INIT_UNIFORM, in, DIMS(out, in), "model.%s.weight", name);
  add(t, trainable, VLB_INIT_UNIFORM, in, DIMS(out), "model.%s.bias", name);
}

/* a decoder layer without biases. kv_in: width of what k and v are made from */
static void add_decoder_layer(table *t, bool trainable, const char *prefix, int layer, int64_t hidden, int64_t mlp, int64_t q, int64_t kv,
                              int64_t kv_in, bool replaced_kv) {
  vlb_init_kind kv_init = replaced_kv ? VLB_INIT_UNIFORM : VLB_INIT_NORMAL;
  add(t, trainable, VLB_INIT_ONE, 0, DIMS(hidden), "%slayers.%d.input_layernorm.weight", prefix, layer);
  add(t, trainable, VLB_INIT_NORMAL, hidden, DIMS(q, hidden), "%slayers.%d.self_attn.q_proj.weight", prefix, layer);
  add(t, trainable, kv_init, kv_in, DIMS(kv, kv_in), "%slayers.%d.self_attn.k_proj.weight", prefix, layer);
  add(t, trainable, kv_init, kv_in, DIMS(kv, kv_in), "%slayers.%d.self_attn.v_proj.weight", prefix, layer);
  add(t, trainable, VLB_INIT_NORMAL, q, DIMS(hidden, q), "%slayers.%d.self_attn.o_proj.weight", prefix, layer);
  add(t, trainable, VLB_INIT_ONE, 0, DIMS(hidden), "%slayers.%d.post_attention_layernorm.weight", prefix, layer);
  add(t, trainable, VLB_INIT_NORMAL, hidden, DIMS(mlp, hidden), "%slayers.%d.mlp.gate_proj.weight", prefix, layer);
  add(t, trainable, VLB_INIT_NORMAL, hidden, DIMS(mlp, hidden), "%slayers.%d.mlp.up_proj.weight", prefix, layer);
  add(t, trainable, VLB_INIT_NORMAL, mlp, DIMS(hidden, mlp), "%slayers.%d.mlp.down_proj.weight", prefix, layer);
}

static void add_affine(table *t, bool trainable, vlb_init_kind init, const int64_t *dims, const char *name) {
  add(t, trainable, init, dims[1], dims, "%s.weight", name);
  add(t, trainable, VLB_INIT_ZERO, 0, DIMS(dims[0]), "%s.bias", name);
}

static void add_vision(table *t, const vlb_model_config *c, const vlb_model_shape *s, bool alone) {
  bool train = alone || c->freeze == VLB_FREEZE_NOTHING;
  int64_t h = c->vision_hidden, p = c->patch_size;
  char name[96];
  add(t, train, VLB_INIT_NORMAL, 3 * p * p, DIMS(h, 3, p, p), VLM "vision_model.embeddings.patch_embedding.weight");
  add(t, train, VLB_INIT_ZERO, 0, DIMS(h), VLM "vision_model.embeddings.patch_embedding.bias");
  add(t, train, VLB_INIT_NORMAL, h, DIMS(s->patches, h), VLM "vision_model.embeddings.position_embedding.weight");
  static const char *const parts[] = {"layer_norm1", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj",
                                      "layer_norm2", "mlp.fc1", "mlp.fc2"};
  for (int layer = 0; layer < c->vision_layers; layer++)
    for (int i = 0; i < 8; i++) {
      snprintf(name, sizeof name, VLM "vision_model.encoder.layers.%d.%s", layer, parts[i]);
      if (i == 0 || i == 5)
        add_affine(t, train, VLB_INIT_ONE, DIMS(h), name);
      else
        add_affine(t, train, VLB_INIT_NORMAL, i == 6 ? DIMS(c->vision_mlp, h) : i == 7 ? DIMS(h, c->vision_mlp) : DIMS(h, h), name);
    }
  add_affine(t, train, VLB_INIT_ONE, DIMS(h), VLM "vision_model.post_layernorm");
}

/* alone: as a language model that is trained by itself, to its last layer and norm */
static void add_text(table *t, const vlb_model_config *c, const vlb_model_shape *s, bool alone) {
  bool train = alone || c->freeze != VLB_FREEZE_VLM;
  int64_t shuffled = c->vision_hidden * c->scale_factor * c->scale_factor;
  /* the last layer only serves as keys and values; the reference freezes it, and the one before when the expert is shallower */
  int frozen_from = alone ? s->vlm_layers : s->vlm_layers - (s->expert_layers != s->vlm_layers ? 2 : 1);
  add(t, train, VLB_INIT_NORMAL, shuffled, DIMS(c->text_hidden, shuffled), VLM "connector.modality_projection.proj.weight");
  add(t, train, VLB_INIT_NORMAL, c->text_hidden, DIMS(c->vocab_size, c->text_hidden), VLM "text_model.embed_tokens.weight");
  for (int i = 0; i < s->vlm_layers; i++)
    add_decoder_layer(t, train && i < frozen_from, VLM "text_model.", i, c->text_hidden, c->text_mlp, s->q_width, s->kv_width, c->text_hidden, false);
  add(t, alone, VLB_INIT_ONE, 0, DIMS(c->text_hidden), VLM "text_model.norm.weight");
}

bool vlb_layer_is_self(const vlb_model_config *c, int layer) {
  return c->attention == VLB_ATTENTION_SELF || (c->attention == VLB_ATTENTION_INTERLEAVED && layer % c->self_attn_every == 0);
}

static void add_expert(table *t, const vlb_model_config *c, const vlb_model_shape *s) {
  int64_t e = s->expert_hidden;
  for (int i = 0; i < s->expert_layers; i++) {
    bool self = vlb_layer_is_self(c, i);
    add_decoder_layer(t, true, EXPERT, i, e, s->expert_mlp, s->q_width, s->kv_width, self ? e : s->kv_width, !self);
    if (self || c->state != VLB_STATE_SUFFIX_SEEN) continue;
    add(t, true, VLB_INIT_UNIFORM, e, DIMS(s->kv_width, e), EXPERT "layers.%d.self_attn.state_k_proj.weight", i);
    add(t, true, VLB_INIT_UNIFORM, e, DIMS(s->kv_width, e), EXPERT "layers.%d.self_attn.state_v_proj.weight", i);
  }
  add(t, true, VLB_INIT_ONE, 0, DIMS(e), EXPERT "norm.weight");
  add_projection(t, c->train_state_proj, "state_proj", c->state == VLB_STATE_PREFIX ? c->text_hidden : e, c->max_state_dim);
  add_projection(t, true, "action_in_proj", e, c->max_action_dim);
  add_projection(t, true, "action_out_proj", c->max_action_dim, e);
  add_projection(t, true, "action_time_mlp_in", e, 2 * e);
  add_projection(t, true, "action_time_mlp_out", e, e);
}

static size_t padded(size_t n) { return (n + 15) & ~(size_t)15; }

static void lay_out(vlb_model *m) {
  for (int pass = 0; pass < 2; pass++) {
    for (int i = 0; i < m->param_count; i++) {
      if (m->params[i].trainable != (pass == 0)) continue;
      m->params[i].offset = m->weight_count;
      m->weight_count += padded(m->params[i].size);
    }
    if (pass == 0) m->gradient_count = m->weight_count;
  }
}

/* a model without its weights; alone: only its VLM, all of it trained */
static vlb_code list_params(const vlb_model_config *config, bool alone, vlb_model **out, vlb_error *err) {
  *out = NULL;
  vlb_model_shape shape;
  VLB_TRY(vlb_model_shape_of(config, &shape, err));
  vlb_model *m = calloc(1, sizeof *m);
  if (!m) return vlb_fail(err, VLB_FAILED, "out of memory creating the model");
  m->config = *config;
  m->shape = shape;
  table t = {m, 0, false};
  if (!alone) add_expert(&t, config, &shape);
  add_text(&t, config, &shape, alone);
  add_vision(&t, config, &shape, alone);
  lay_out(m);
  if (t.failed) {
    vlb_model_free(m);
    return vlb_fail(err, VLB_FAILED, "out of memory creating the model");
  }
  *out = m;
  return VLB_OK;
}

static vlb_code out_of_memory(size_t floats, vlb_error *err) {
  return vlb_fail(err, VLB_FAILED, "out of memory: the model's weights need %.0f MB", 4e-6 * (double)floats);
}

static vlb_code create(const vlb_model_config *config, bool alone, vlb_model **out, vlb_error *err) {
  vlb_model *m;
  VLB_TRY(list_params(config, alone, out, err));
  m = *out;
  m->weights = vlb_floats(m->weight_count);
  if (!m->weights) {
    size_t floats = m->weight_count;
    vlb_model_free(m);
    *out = NULL;
    return out_of_memory(floats, err);
  }
  for (int i = 0; i < m->param_count; i++) m->params[i].data = m->weights + m->params[i].offset;
  return VLB_OK;
}

vlb_code vlb_model_create(const vlb_model_config *config, vlb_model **out, vlb_error *err) { return create(config, false, out, err); }
vlb_code vlb_model_create_vlm(const vlb_model_config *config, vlb_model **out, vlb_error *err) { return create(config, true, out, err); }

void vlb_model_free(vlb_model *m) {
  if (!m) return;
  vlb_shards_close(m->mapped);
  free(m->params), free(m->weights), free(m->converted), free(m->gone), free(m);
}

static void init_param(vlb_model *m, int i, uint64_t seed) {
  const vlb_param *p = &m->params[i];
  float *w = m->weights + p->offset;
  vlb_rng rng = vlb_rng_make(seed, VLB_RNG_INIT, (uint32_t)i, 0);
  double bound = p->fan_in > 0 ? 1.0 / sqrt(p->fan_in) : 0;
  for (size_t j = 0; j < p->size; j++) switch (p->init) {
      case VLB_INIT_NORMAL: w[j] = (float)(m->config.initializer_range * vlb_rng_normal(&rng)); break;
      case VLB_INIT_UNIFORM: w[j] = (float)vlb_rng_range(&rng, -bound, bound); break;
      case VLB_INIT_ONE: w[j] = 1.0f; break;
      case VLB_INIT_ZERO: w[j] = 0.0f; break;
    }
}

void vlb_model_init(vlb_model *m, uint64_t seed) {
  for (int i = 0; i < m->param_count; i++) init_param(m, i, seed);
}

int vlb_model_find(const vlb_model *m, const char *name) {
  for (int i = 0; i < m->param_count; i++)
    if (!strcmp(m->params[i].name, name)) return i;
  return -1;
}

static bool same_shape(const vlb_param *p, const vlb_st_entry *e) {
  if (p->ndim != e->ndim) return false;
  for (int i = 0; i < p->ndim; i++)
    if (p->dims[i] != e->dims[i]) return false;
  return true;
}

static const char *shape_text(int ndim, const int64_t *dims, char *buf, size_t size) {
  size_t used = (size_t)snprintf(buf, size, "[");
  for (int i = 0; i < ndim && used < size; i++) used += (size_t)snprintf(buf + used, size - used, "%s%lld", i ? "," : "", (long long)dims[i]);
  if (used < size) snprintf(buf + used, size - used, "]");
  return buf;
}

/* where tensors are looked up: one file or the files of a folder */
typedef struct {
  const vlb_safetensors *file;
  const vlb_shards *shards;
  const vlb_model_config *vlm; /* not NULL: only the VLM's tensors, layer by layer as this configuration keeps them */
} source;

bool vlb_param_is_vlm(const vlb_param *p) { return !strncmp(p->name, VLM, strlen(VLM)); }

/* A VLM's file has all its layers: those that are kept are renumbered. Its names are the policy's, or those of a stand-alone VLM. */
static const vlb_st_entry *find_vlm(const source *s, const char *name) {
  static const char layers[] = VLM "text_model.layers.";
  char full[160];
  char *rest;
  snprintf(full, sizeof full, "%s", name);
  if (s->vlm->skip_every_second && !strncmp(name, layers, strlen(layers))) {
    long layer = strtol(name + strlen(layers), &rest, 10);
    snprintf(full, sizeof full, "%s%ld%s", layers, 2 * layer, rest);
  }
  const vlb_st_entry *e = vlb_shards_find(s->shards, full);
  return e ? e : vlb_shards_find(s->shards, full + strlen(VLM) - strlen("model."));
}

static const vlb_st_entry *find_tensor(const source *s, const char *name) {
  if (s->vlm) return find_vlm(s, name);
  return s->file ? vlb_safetensors_find(s->file, name) : vlb_shards_find(s->shards, name);
}

/* A position table of another square grid than that of the patches: 2.2B's 27 x 27 for 36 x 36 patches. Its side, 0 for anything else. */
static int64_t other_grid(const vlb_param *p, const vlb_st_entry *e) {
  if (!strstr(p->name, "position_embedding") || e->ndim != 2 || e->dims[1] != p->dims[1] || e->dims[0] == p->dims[0]) return 0;
  int64_t side = (int64_t)sqrt((double)e->dims[0]);
  return side * side == e->dims[0] ? side : 0;
}

/* patch (r, c) of n x n takes row (floor(r side / n), floor(c side / n)) of the table (specification section 8) */
static void spread_positions(const float *from, int64_t side, int64_t patches, int64_t width, float *out) {
  int64_t n = (int64_t)sqrt((double)patches);
  for (int64_t r = 0; r < n; r++)
    for (int64_t c = 0; c < n; c++)
      memcpy(out + (r * n + c) * width, from + (r * side / n * side + c * side / n) * width, (size_t)width * sizeof *out);
}

/* all missing tensors in one message: a user with the wrong file sees at once what kind of wrong it is */
static vlb_code check_tensors(const vlb_model *m, const source *file, const char *path, vlb_log *log, vlb_error *err) {
  char missing[640] = "", theirs[128], ours[128];
  int count = 0;
  for (int i = 0; i < m->param_count; i++) {
    if (file->vlm && !vlb_param_is_vlm(&m->params[i])) continue;
    const vlb_st_entry *e = find_tensor(file, m->params[i].name);
    size_t used = strlen(missing);
    if (!e && log) vlb_warn(log, "%s: no tensor %s", path, m->params[i].name);
    if (!e && count++ < 6) snprintf(missing + used, sizeof missing - used, "%s%s", used ? ", " : "", m->params[i].name);
    if (e && !same_shape(&m->params[i], e) && !(file->shards && other_grid(&m->params[i], e)))
      return vlb_fail(err, VLB_FAILED, "%s: tensor %s has the shape %s, but the configuration asks for %s", path, m->params[i].name,
                      shape_text(e->ndim, e->dims, theirs, sizeof theirs), shape_text(m->params[i].ndim, m->params[i].dims, ours, sizeof ours));
  }
  if (count) return vlb_fail(err, VLB_FAILED, "%s: %d tensors are missing: %s%s", path, count, missing, count > 6 ? ", ..." : "");
  return VLB_OK;
}

vlb_code vlb_model_load(vlb_model *m, const char *path, vlb_error *err) {
  vlb_safetensors *file;
  VLB_TRY(vlb_safetensors_open(path, &file, err));
  vlb_code code = check_tensors(m, &(source){.file = file}, path, NULL, err);
  for (int i = 0; !code && i < m->param_count; i++)
    vlb_st_to_float(vlb_safetensors_find(file, m->params[i].name), m->weights + m->params[i].offset);
  vlb_safetensors_close(file);
  return code;
}

/* what a file may hold beyond the model: the unused output layer, and the statistics of old checkpoints */
static bool expected_extra(const char *name) {
  return strstr(name, "lm_head") || !strncmp(name, "normalize_", 10) || !strncmp(name, "unnormalize_", 12);
}

static void note_unknown(const vlb_model *m, const vlb_shards *shards, const char *folder, vlb_log *log) {
  char names[512] = "";
  int count = 0;
  for (int i = 0; log && i < vlb_shards_count(shards); i++) {
    const char *name = vlb_shards_at(shards, i)->name;
    size_t used = strlen(names);
    if (vlb_model_find(m, name) >= 0 || expected_extra(name)) continue;
    if (count++ < 4) snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", name);
  }
  if (count) vlb_info(log, "%s: %d tensors are not the model's and are left alone: %s%s", folder, count, names, count > 4 ? ", ..." : "");
}

static bool usable_in_place(const vlb_param *p, const vlb_st_entry *e) {
  return e->dtype == VLB_F32 && (uintptr_t)e->data % sizeof(float) == 0 && e->count == p->size;
}

static vlb_code convert(const vlb_param *p, const vlb_st_entry *e, float *out, vlb_error *err) {
  int64_t side = other_grid(p, e);
  if (!side) {
    vlb_st_to_float(e, out);
    return VLB_OK;
  }
  float *raw = malloc(e->count * sizeof *raw);
  if (!raw) return out_of_memory(e->count, err);
  vlb_st_to_float(e, raw);
  spread_positions(raw, side, p->dims[0], p->dims[1], out);
  free(raw);
  return VLB_OK;
}

/* points every tensor into the files, or to its converted values */
static vlb_code place_tensors(vlb_model *m, vlb_error *err) {
  size_t count = 0;
  for (int i = 0; i < m->param_count; i++)
    if (!usable_in_place(&m->params[i], vlb_shards_find(m->mapped, m->params[i].name))) count += padded(m->params[i].size);
  if (count) m->converted = vlb_floats(count);
  if (count && !m->converted) return out_of_memory(count, err);
  m->gone = calloc((size_t)m->param_count + 1, sizeof *m->gone);
  if (!m->gone) return out_of_memory((size_t)m->param_count, err);
  float *next = m->converted;
  for (int i = 0; i < m->param_count; i++) {
    const vlb_st_entry *e = vlb_shards_find(m->mapped, m->params[i].name);
    if (usable_in_place(&m->params[i], e)) {
      m->params[i].data = e->data;
      continue;
    }
    VLB_TRY(convert(&m->params[i], e, next, err));
    vlb_st_release(e); /* the file's pages need not stay in memory beside their conversion */
    m->params[i].data = next;
    next += padded(m->params[i].size);
  }
  return VLB_OK;
}

vlb_code vlb_model_map(const vlb_model_config *config, vlb_shards *shards, const char *folder, vlb_log *log, vlb_model **out, vlb_error *err) {
  vlb_model *m;
  vlb_code code = list_params(config, false, &m, err);
  *out = NULL;
  if (code) {
    vlb_shards_close(shards);
    return code;
  }
  m->mapped = shards;
  code = check_tensors(m, &(source){.shards = shards}, folder, log, err);
  if (!code) code = place_tensors(m, err);
  if (code) {
    vlb_model_free(m);
    return code;
  }
  note_unknown(m, shards, folder, log);
  *out = m;
  return VLB_OK;
}

/* ---- a model that trains on from given tensors ---- */

static const vlb_st_entry *given(const source *s, const vlb_param *p) {
  return s->shards && (!s->vlm || vlb_param_is_vlm(p)) ? find_tensor(s, p->name) : NULL;
}

static bool stays_mapped(const source *s, const vlb_param *p) {
  const vlb_st_entry *e = given(s, p);
  return e && !p->trainable && usable_in_place(p, e);
}

/* trained tensors keep their places; behind them frozen ones, as far as they cannot be used where they are mapped */
static vlb_code place_for_training(vlb_model *m, const source *s, uint64_t seed, vlb_error *err) {
  m->weight_count = m->gradient_count;
  for (int i = 0; i < m->param_count; i++) {
    vlb_param *p = &m->params[i];
    if (p->trainable || stays_mapped(s, p)) continue;
    p->offset = m->weight_count;
    m->weight_count += padded(p->size);
  }
  m->weights = vlb_floats(m->weight_count + 16);
  if (!m->weights) return out_of_memory(m->weight_count, err);
  for (int i = 0; i < m->param_count; i++) {
    vlb_param *p = &m->params[i];
    const vlb_st_entry *e = given(s, p);
    p->data = stays_mapped(s, p) ? e->data : m->weights + p->offset;
    if (!e) init_param(m, i, seed);
    if (!e || stays_mapped(s, p)) continue;
    VLB_TRY(convert(p, e, m->weights + p->offset, err));
    vlb_st_release(e);
  }
  return VLB_OK;
}

vlb_code vlb_model_begin(const vlb_model_config *config, uint64_t seed, vlb_shards *shards, bool vlm_only, const char *label, vlb_model **out,
                         vlb_error *err) {
  vlb_model *m;
  vlb_code code = list_params(config, false, &m, err);
  *out = NULL;
  if (code) {
    vlb_shards_close(shards);
    return code;
  }
  m->mapped = shards;
  source s = {.shards = shards, .vlm = vlm_only ? config : NULL};
  if (shards) code = check_tensors(m, &s, label, NULL, err);
  if (!code) code = place_for_training(m, &s, seed, err);
  if (code)
    vlb_model_free(m);
  else
    *out = m;
  return code;
}

/* whole pages inside the tensor only: its neighbours keep theirs */
static void drop_pages(float *data, size_t count) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = ((uintptr_t)data + page - 1) / page * page, end = (uintptr_t)(data + count) / page * page;
  if (end > begin) madvise((char *)data + (begin - (uintptr_t)data), end - begin, MADV_DONTNEED);
}

/* the parameter whose values lie at data, -1 when there is none or the model is not mapped */
static int param_at(const vlb_model *m, const float *data) {
  for (int i = 0; m->mapped && i < m->param_count; i++)
    if (m->params[i].data == data) return i;
  return -1;
}

static float *converted_at(const vlb_model *m, int i) { return m->converted + (m->params[i].data - m->converted); }

void vlb_model_release(const vlb_model *m, const float *data) {
  int i = param_at(m, data);
  const vlb_st_entry *e = i < 0 ? NULL : vlb_shards_find(m->mapped, m->params[i].name);
  if (!e) return;
  if (e->data == data) {
    vlb_st_release(e);
  } else if (m->gone) {
    drop_pages(converted_at(m, i), m->params[i].size);
    m->gone[i] = true;
  }
}

vlb_code vlb_model_restore(const vlb_model *m, const float *data, vlb_error *err) {
  int i = param_at(m, data);
  if (i < 0 || !m->gone || !m->gone[i]) return VLB_OK;
  const vlb_st_entry *e = vlb_shards_find(m->mapped, m->params[i].name);
  VLB_TRY(convert(&m->params[i], e, converted_at(m, i), err));
  vlb_st_release(e);
  m->gone[i] = false;
  return VLB_OK;
}

vlb_code vlb_model_save(const vlb_model *m, const char *path, vlb_error *err) {
  vlb_st_entry *entries = calloc((size_t)m->param_count, sizeof *entries);
  if (!entries) return vlb_fail(err, VLB_FAILED, "out of memory writing %s", path);
  for (int i = 0; i < m->param_count; i++) {
    vlb_param *p = &m->params[i];
    entries[i] = (vlb_st_entry){.name = p->name, .dtype = VLB_F32, .ndim = p->ndim, .count = p->size, .data = p->data};
    memcpy(entries[i].dims, p->dims, sizeof p->dims);
  }
  vlb_code code = vlb_safetensors_write(path, entries, m->param_count, err);
  free(entries);
  return code;
}
