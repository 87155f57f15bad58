#include "core/model/lerobot_write.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/model/lerobot_parts.h"

#define POLICY "model.vlm_with_expert.vlm."
#define LM_HEAD POLICY "lm_head.weight"
#define EMBEDDING POLICY "model.text_model.embed_tokens.weight"

/* ---- weights ---- */

typedef struct {
  vlb_st_entry *entries;
  vlb_dtype *dtypes;
  int count;
} tensors;

/* LeRobot makes the projections and the replaced k and v itself, in float32, and takes the rest over from the VLM in bfloat16 */
static void add_tensor(const vlb_lerobot_writing *w, tensors *t, const vlb_st_entry *e, bool lerobots_own) {
  t->dtypes[t->count] = lerobots_own ? VLB_F32 : w->out->dtype;
  t->entries[t->count++] = *e;
}

static vlb_st_entry entry_of(vlb_param *p, char *name) {
  vlb_st_entry e = {.name = name, .dtype = VLB_F32, .ndim = p->ndim, .count = p->size, .data = p->data};
  memcpy(e.dims, p->dims, sizeof p->dims);
  return e;
}

/* the tensor in the files that the model came from */
static const vlb_st_entry *source_of(const vlb_lerobot_writing *w, const char *name) {
  if (w->base) return vlb_shards_find(w->base->shards, name);
  return w->vlm_shards && !strncmp(name, POLICY, sizeof POLICY - 1) ? vlb_shards_find(w->vlm_shards, name + sizeof POLICY - 1) : NULL;
}

/* A position table that was spread over more patches goes back as it was; trained ones cannot. */
static vlb_code add_param(const vlb_lerobot_writing *w, tensors *t, vlb_param *p, vlb_error *err) {
  const vlb_st_entry *was = source_of(w, p->name);
  vlb_st_entry e = entry_of(p, p->name);
  if (was && was->count != p->size) {
    if (p->trainable || !strstr(p->name, "position_embedding"))
      return vlb_fail(err, VLB_FAILED, "%s: tensor %s has another size than the model's", w->base ? w->out->base : w->out->vlm_folder, p->name);
    e = *was;
    e.name = p->name;
  }
  add_tensor(w, t, &e, p->init == VLB_INIT_UNIFORM);
  return VLB_OK;
}

/* transformers' class has an output layer, which a policy never uses: the base's, else the embeddings again, as in a model with tied ones */
static void add_head(const vlb_lerobot_writing *w, tensors *t) {
  static char name[] = LM_HEAD;
  const vlb_model *m = w->out->model;
  const vlb_st_entry *was = source_of(w, LM_HEAD);
  vlb_st_entry e = was ? *was : entry_of(&m->params[vlb_model_find(m, EMBEDDING)], name);
  e.name = name;
  add_tensor(w, t, &e, false);
}

static vlb_code write_weights(const vlb_lerobot_writing *w, vlb_error *err) {
  const vlb_model *m = w->out->model;
  size_t room = (size_t)m->param_count + 1;
  char path[1024];
  tensors t = {calloc(room, sizeof *t.entries), calloc(room, sizeof *t.dtypes), 0};
  vlb_code code = t.entries && t.dtypes ? VLB_OK : vlb_fail(err, VLB_FAILED, "%s: out of memory", w->dir);
  for (int i = 0; !code && i < m->param_count; i++) code = add_param(w, &t, &m->params[i], err);
  if (!code) add_head(w, &t);
  if (!code) code = vlb_path(path, sizeof path, err, "%s/model.safetensors", w->dir);
  if (!code) code = vlb_safetensors_write_as(path, t.entries, t.dtypes, t.count, err);
  free(t.entries);
  free(t.dtypes);
  return code;
}

/* ---- files that go along ---- */

static bool ends(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n >= m && !strcmp(text + n - m, end);
}

/* a VLM's own weights are in the policy's */
static bool holds_weights(const char *path) {
  static const char *const kinds[] = {".safetensors", ".bin", ".pt", ".pth", ".onnx", ".h5", ".msgpack", ".gguf", "safetensors.index.json"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (ends(path, kinds[i])) return true;
  return false;
}

static bool about_text(const char *path) {
  static const char *const names[] = {"/tokenizer.json", "/tokenizer_config.json", "/special_tokens_map.json", "/added_tokens.json", "/vocab.json",
                                      "/merges.txt"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (ends(path, names[i])) return true;
  return false;
}

static vlb_code copy_files(const char *from, const char *to, bool (*wanted)(const char *path), vlb_error *err) {
  vlb_file_list list;
  char path[1024];
  VLB_TRY(vlb_folder_list(from, "", &list, err));
  vlb_code code = vlb_folder_make(to, err);
  for (int i = 0; !code && i < list.count; i++) {
    if (vlb_is_folder(list.path[i]) || holds_weights(list.path[i]) || !wanted(list.path[i])) continue;
    code = vlb_path(path, sizeof path, err, "%s/%s", to, strrchr(list.path[i], '/') + 1);
    if (!code) code = vlb_file_copy(list.path[i], path, err);
  }
  vlb_list_free(&list);
  return code;
}

static bool any(const char *path) {
  (void)path;
  return true;
}

/* Folders of the base that describe the VLM and the tokenizer, under the names that the policy looks for them; a tokenizer from elsewhere goes into the
 * folder vlm. */
static vlb_code copy_base(const vlb_lerobot_writing *w, vlb_error *err) {
  const char *names[] = {w->base->config.vlm, "vlm", "tokenizer"};
  char from[1024], to[1024], path[1024];
  bool found = false;
  for (int i = 0; i < 3; i++) {
    if (strstr(names[i], "..") || (i && !strcmp(names[i], names[0]))) continue;
    VLB_TRY(vlb_path(from, sizeof from, err, "%s/%s", w->out->base, names[i]));
    VLB_TRY(vlb_path(to, sizeof to, err, "%s/%s", w->dir, names[i]));
    if (!vlb_is_folder(from)) continue;
    VLB_TRY(copy_files(from, to, any, err));
    if (i < 2) VLB_TRY(vlb_lerobot_complete_vlm(&w->out->model->shape, to, err));
    VLB_TRY(vlb_path(path, sizeof path, err, "%s/tokenizer.json", to));
    found |= vlb_file_exists(path);
  }
  if (found || !*w->base->tokenizer) return VLB_OK;
  VLB_TRY(vlb_path(from, sizeof from, err, "%.*s", (int)(strrchr(w->base->tokenizer, '/') - w->base->tokenizer), w->base->tokenizer));
  VLB_TRY(vlb_path(to, sizeof to, err, "%s/vlm", w->dir));
  return copy_files(from, to, about_text, err);
}

static vlb_code write_vlm(const vlb_lerobot_writing *w, vlb_error *err) {
  char folder[1024];
  if (w->base) return copy_base(w, err);
  VLB_TRY(vlb_path(folder, sizeof folder, err, "%s/vlm", w->dir));
  if (w->out->vlm_folder) {
    VLB_TRY(copy_files(w->out->vlm_folder, folder, any, err));
    return vlb_lerobot_complete_vlm(&w->out->model->shape, folder, err);
  }
  return vlb_lerobot_write_micro_vlm(&w->out->model->config, &w->out->model->shape, folder, err);
}

static bool of_processors(const char *path) {
  const char *name = strrchr(path, '/') + 1;
  return !strncmp(name, "policy_preprocessor", 19) || !strncmp(name, "policy_postprocessor", 20);
}

/* the base's pipelines as they are, statistics included */
static vlb_code copy_processors(const vlb_lerobot_writing *w, vlb_error *err) {
  vlb_file_list list;
  char path[1024];
  VLB_TRY(vlb_folder_list(w->out->base, "", &list, err));
  vlb_code code = VLB_OK;
  for (int i = 0; !code && i < list.count; i++) {
    if (!of_processors(list.path[i])) continue;
    code = vlb_path(path, sizeof path, err, "%s/%s", w->dir, strrchr(list.path[i], '/') + 1);
    if (!code) code = vlb_file_copy(list.path[i], path, err);
  }
  vlb_list_free(&list);
  return code;
}

static vlb_code write_settings(const vlb_lerobot_writing *w, vlb_error *err) {
  char path[1024];
  json_t *config = vlb_lerobot_config_json(w);
  const char *padding = json_string_value(json_object_get(config, "pad_language_to"));
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/policy_preprocessor.json", w->out->base ? w->out->base : ""));
  bool as_they_are = w->base && !w->out->state && vlb_file_exists(path) && !strcmp(w->vlm, w->base->config.vlm);
  vlb_code code = as_they_are ? copy_processors(w, err)
                              : vlb_processors_write(w->dir, &w->processors, json_object_get(config, "input_features"),
                                                     json_object_get(config, "output_features"), w->vlm, padding ? padding : "longest", err);
  if (!code) code = vlb_path(path, sizeof path, err, "%s/config.json", w->dir);
  if (code) json_decref(config);
  return code ? code : vlb_json_write(path, config, err);
}

/* ---- the directory ---- */

static vlb_code refuse(const vlb_lerobot_output *o, vlb_error *err) {
  const vlb_model_config *c = &o->model->config;
  const char *what = c->action_mask == VLB_MASK_BIDIRECTIONAL ? "action_mask = bidirectional"
                     : c->state != VLB_STATE_PREFIX           ? "state = suffix"
                     : c->objective == VLB_OBJECTIVE_L1       ? "objective = l1"
                                                              : NULL;
  if (what) return vlb_fail(err, VLB_USAGE, "the model has %s, which LeRobot's SmolVLA does not know; such a model cannot become a checkpoint of it", what);
  if (o->dtype != VLB_F32 && o->dtype != VLB_BF16) return vlb_fail(err, VLB_USAGE, "a checkpoint is written as F32 or BF16");
  if (!o->base && (!o->state || !o->action)) return vlb_fail(err, VLB_USAGE, "a new policy needs statistics, or their absence, of states and actions");
  return VLB_OK;
}

/* what processors say: the base's with the new statistics in them */
static void choose(vlb_lerobot_writing *w) {
  const vlb_lerobot_output *o = w->out;
  if (w->base) w->processors = w->base->processors;
  if (o->state) w->processors.state = *o->state;
  if (o->action) w->processors.action = *o->action;
  w->processors.max_length = (int)o->model->config.tokenizer_max_length;
  w->vlm = o->vlm_name ? o->vlm_name : w->base ? w->base->config.vlm : "vlm";
}

static vlb_code write_all(const vlb_lerobot_writing *w, vlb_error *err) {
  VLB_TRY(vlb_folder_make(w->dir, err));
  VLB_TRY(write_vlm(w, err));
  VLB_TRY(write_weights(w, err));
  return write_settings(w, err);
}

/* puts a complete folder in the place of an empty one or of an older checkpoint */
static vlb_code put_in_place(const char *temp, const char *dir, bool replace, vlb_error *err) {
  char old[1200];
  if (vlb_folder_empty(dir) || !replace) return vlb_publish(temp, dir, err);
  snprintf(old, sizeof old, "%s.old", temp);
  VLB_TRY(vlb_publish(dir, old, err));
  VLB_TRY(vlb_publish(temp, dir, err));
  return vlb_folder_remove(old, err);
}

static vlb_code check_place(const char *dir, bool replace, vlb_error *err) {
  char path[1024];
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/config.json", dir));
  if (vlb_folder_empty(dir) || (replace && vlb_file_exists(path))) return VLB_OK;
  return vlb_fail(err, VLB_USAGE, "%s: is there already; give another name, or remove it first", dir);
}

vlb_code vlb_lerobot_write(const vlb_lerobot_output *output, const char *dir, vlb_error *err) {
  char clean[1024], temp[1100];
  vlb_checkpoint_folder base;
  VLB_TRY(refuse(output, err));
  VLB_TRY(vlb_path(clean, sizeof clean, err, "%s", dir));
  for (size_t n = strlen(clean); n > 1 && clean[n - 1] == '/'; n--) clean[n - 1] = 0;
  VLB_TRY(check_place(clean, output->replace, err));
  vlb_temp_clean(clean); /* an export that was killed leaves a folder as large as the model */
  vlb_temp_name(clean, temp, sizeof temp);
  vlb_shards *alone = NULL;
  if (output->base)
    VLB_TRY(vlb_checkpoint_folder_open(output->base, NULL, &base, err));
  else if (output->vlm_folder)
    VLB_TRY(vlb_shards_open(output->vlm_folder, &alone, err));
  vlb_lerobot_writing w = {.out = output, .dir = temp, .base = output->base ? &base : NULL, .vlm_shards = alone};
  choose(&w);
  vlb_code code = write_all(&w, err);
  if (!code) code = put_in_place(temp, clean, output->replace, err);
  if (code) vlb_folder_remove(temp, NULL);
  if (output->base) vlb_checkpoint_folder_close(&base);
  vlb_shards_close(alone);
  return code;
}
