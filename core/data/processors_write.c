/* LeRobot's processor files, as its make_smolvla_pre_post_processors saves them (specification section 5). */
#include <string.h>

#include "core/base/file.h"
#include "core/data/processors.h"

#define BEFORE "policy_preprocessor_step_5_normalizer_processor.safetensors"
#define AFTER "policy_postprocessor_step_0_unnormalizer_processor.safetensors"

static const char *mode_of(const vlb_stats *s) {
  switch (s->norm) {
    case VLB_NORM_MEAN_STD: return "MEAN_STD";
    case VLB_NORM_MIN_MAX: return "MIN_MAX";
    case VLB_NORM_IDENTITY: break;
  }
  return "IDENTITY";
}

json_t *vlb_norm_map(const vlb_processors *p) {
  return json_pack("{s:s, s:s, s:s}", "VISUAL", "IDENTITY", "STATE", mode_of(&p->state), "ACTION", mode_of(&p->action));
}

/* LeRobot leaves the file out where there are no statistics */
static bool has_statistics(const vlb_processors *p) { return p->state.norm != VLB_NORM_IDENTITY || p->action.norm != VLB_NORM_IDENTITY; }

static json_t *normalizer(const vlb_processors *p, const char *name, json_t *features, const char *file) {
  json_t *step = json_pack("{s:s, s:{s:f, s:o, s:o}}", "registry_name", name, "config", "eps", 1e-8, "features", features, "norm_map", vlb_norm_map(p));
  if (has_statistics(p)) json_object_set_new(step, "state_file", json_string(file));
  return step;
}

static json_t *renames(const vlb_processors *p) {
  json_t *map = json_object();
  for (int i = 0; i < p->renames; i++) json_object_set_new(map, p->from[i], json_string(p->to[i]));
  return map;
}

static json_t *on_cpu(void) { return json_pack("{s:s, s:{s:s, s:n}}", "registry_name", "device_processor", "config", "device", "cpu", "float_dtype"); }

static json_t *before(const vlb_processors *p, json_t *inputs, json_t *outputs, const char *tokenizer, const char *padding) {
  json_t *features = json_copy(inputs), *steps = json_array();
  json_object_update(features, outputs);
  json_array_append_new(steps, json_pack("{s:s, s:{s:o}}", "registry_name", "rename_observations_processor", "config", "rename_map", renames(p)));
  json_array_append_new(steps, json_pack("{s:s, s:{}}", "registry_name", "to_batch_processor", "config"));
  json_array_append_new(steps, json_pack("{s:s, s:{}}", "registry_name", "smolvla_new_line_processor", "config"));
  json_array_append_new(steps, json_pack("{s:s, s:{s:i, s:s, s:s, s:s, s:b, s:s}}", "registry_name", "tokenizer_processor", "config", "max_length",
                                         p->max_length, "task_key", "task", "padding_side", "right", "padding", padding, "truncation", 1,
                                         "tokenizer_name", tokenizer));
  json_array_append_new(steps, on_cpu());
  json_array_append_new(steps, normalizer(p, "normalizer_processor", features, BEFORE));
  return json_pack("{s:s, s:o}", "name", "policy_preprocessor", "steps", steps);
}

static json_t *after(const vlb_processors *p, json_t *outputs) {
  return json_pack("{s:s, s:[o, o]}", "name", "policy_postprocessor", "steps", normalizer(p, "unnormalizer_processor", json_incref(outputs), AFTER), on_cpu());
}

vlb_code vlb_processors_write(const char *folder, const vlb_processors *p, json_t *inputs, json_t *outputs, const char *tokenizer, const char *padding,
                              vlb_error *err) {
  static const char *const files[] = {BEFORE, AFTER};
  char path[1024];
  for (int i = 0; i < 2 && has_statistics(p); i++) {
    VLB_TRY(vlb_path(path, sizeof path, err, "%s/%s", folder, files[i]));
    VLB_TRY(vlb_stats_save(path, &p->state, &p->action, err));
  }
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/policy_preprocessor.json", folder));
  VLB_TRY(vlb_json_write(path, before(p, inputs, outputs, tokenizer, padding), err));
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/policy_postprocessor.json", folder));
  return vlb_json_write(path, after(p, outputs), err);
}
