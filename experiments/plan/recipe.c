#include "experiments/plan/recipe.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/embed.h"
#include "core/base/file.h"

extern const vlb_embedded vlb_embedded_vlm_recipes[];

typedef struct {
  const char *name;
  const vlb_field *fields;
  size_t offset;
} section;
static const section sections[] = {{"captions", vlb_caption_fields, offsetof(vlb_recipe, captions)},
                                   {"model", vlb_model_fields, offsetof(vlb_recipe, model)},
                                   {"pretrain", vlb_pretrain_fields, offsetof(vlb_recipe, pretrain)},
                                   {"train", vlb_train_fields, offsetof(vlb_recipe, train)}};
enum { SECTIONS = (int)(sizeof sections / sizeof *sections) };

static const section *find_section(const char *name) {
  for (int i = 0; i < SECTIONS; i++)
    if (!strcmp(sections[i].name, name)) return &sections[i];
  return NULL;
}

/* one key of a [[stage]] */
static vlb_code read_key(const vlb_toml *row, int i, vlb_recipe *r, vlb_error *err) {
  const vlb_toml *node = vlb_toml_at(row, i);
  const char *key = vlb_toml_key(row, i);
  char text[64];
  if (!strcmp(key, "text_layers")) {
    if (vlb_toml_kind_of(node) != VLB_TOML_INT || vlb_toml_int(node) < 1) return vlb_toml_fail(node, err, "text_layers must be a whole number above 0");
    r->stages[r->stage_count].text_layers = vlb_toml_int(node);
    return VLB_OK;
  }
  if (vlb_toml_kind_of(node) == VLB_TOML_INT) snprintf(text, sizeof text, "%lld", (long long)vlb_toml_int(node));
  else if (vlb_toml_kind_of(node) == VLB_TOML_REAL) snprintf(text, sizeof text, "%.17g", vlb_toml_real(node));
  else return vlb_toml_fail(node, err, "%s: a number was expected", key);
  if (vlb_fields_set(vlb_train_fields, &r->stages[r->stage_count].train, key, text, err))
    return vlb_fail_at(err, "%s:%d", vlb_toml_file(node), vlb_toml_line(node));
  return VLB_OK;
}

static vlb_code read_stages(const vlb_toml *stages, vlb_recipe *r, vlb_error *err) {
  for (int s = 0; s < vlb_toml_size(stages); s++) {
    const vlb_toml *row = vlb_toml_at(stages, s);
    if (s == VLB_MAX_STAGES) return vlb_toml_fail(row, err, "more than %d stages", (int)VLB_MAX_STAGES);
    if (vlb_toml_kind_of(row) != VLB_TOML_TABLE) return vlb_toml_fail(row, err, "a stage is written [[stage]]");
    r->stages[s].text_layers = r->model.text_layers;
    r->stages[s].train = r->train;
    for (int i = 0; i < vlb_toml_size(row); i++) VLB_TRY(read_key(row, i, r, err));
    if (s && r->stages[s].text_layers < r->stages[s - 1].text_layers) return vlb_toml_fail(row, err, "a stage has fewer text_layers than the one before it");
    vlb_model_shape shape;
    vlb_model_config model = vlb_recipe_model(r, s);
    vlb_code code = vlb_model_shape_of(&model, &shape, err);
    if (!code) code = vlb_train_config_check(&r->stages[s].train, err);
    if (code) return vlb_fail_at(err, "%s:%d", vlb_toml_file(row), vlb_toml_line(row));
    r->stage_count = s + 1;
  }
  return VLB_OK;
}

static vlb_code read_root(const vlb_toml *root, vlb_recipe *r, vlb_error *err) {
  const vlb_toml *stages = NULL;
  for (int i = 0; i < vlb_toml_size(root); i++) {
    const vlb_toml *node = vlb_toml_at(root, i);
    const char *key = vlb_toml_key(root, i);
    const section *s = find_section(key);
    if (s) {
      if (vlb_toml_kind_of(node) != VLB_TOML_TABLE) return vlb_toml_fail(node, err, "%s must be a section", key);
      VLB_TRY(vlb_fields_read(s->fields, (char *)r + s->offset, node, err));
    } else if (!strcmp(key, "title") && vlb_toml_kind_of(node) == VLB_TOML_TEXT) {
      snprintf(r->title, sizeof r->title, "%s", vlb_toml_text(node));
    } else if (!strcmp(key, "stage") && vlb_toml_kind_of(node) == VLB_TOML_ARRAY) {
      stages = node;
    } else {
      return vlb_toml_fail(node, err, "'%s' is not known here; a recipe has title, [captions], [model], [pretrain], [train] and [[stage]]", key);
    }
  }
  if (!stages) return vlb_toml_fail(root, err, "no [[stage]]: nothing would be trained");
  return read_stages(stages, r, err);
}

static const char *shipped_text(const char *name) {
  char path[256];
  snprintf(path, sizeof path, "core/train/vlm/%s/recipe.toml", name);
  for (const vlb_embedded *e = vlb_embedded_vlm_recipes; e->path; e++)
    if (!strcmp(e->path, path)) return (const char *)e->data;
  return NULL;
}

vlb_code vlb_recipe_read(const char *name, vlb_recipe *r, vlb_error *err) {
  vlb_toml *root;
  const char *text = shipped_text(name);
  *r = (vlb_recipe){.stage_count = 0};
  for (int i = 0; i < SECTIONS; i++) vlb_fields_default(sections[i].fields, (char *)r + sections[i].offset);
  if (!text && !vlb_file_exists(name)) {
    char list[512] = "";
    for (const vlb_embedded *e = vlb_embedded_vlm_recipes; e->path; e++) {
      const char *start = e->path + strlen("core/train/vlm/");
      size_t used = strlen(list);
      snprintf(list + used, sizeof list - used, "%s%.*s", used ? ", " : "", (int)strcspn(start, "/"), start);
    }
    return vlb_fail(err, VLB_USAGE, "%s: neither a file nor a recipe of ours (%s)", name, list);
  }
  VLB_TRY(text ? vlb_toml_parse(text, name, &root, err) : vlb_toml_read(name, &root, err));
  vlb_code code = read_root(root, r, err);
  vlb_toml_free(root);
  return code;
}

vlb_code vlb_recipe_set(vlb_recipe *r, const char *assignment, vlb_error *err) {
  char name[32], key[64];
  const char *dot = strchr(assignment, '.'), *equals = strchr(assignment, '=');
  if (!dot || !equals || dot > equals) return vlb_fail(err, VLB_USAGE, "--set %.100s: expected SECTION.KEY=VALUE, for example captions.every=4", assignment);
  snprintf(name, sizeof name, "%.*s", (int)(dot - assignment), assignment);
  snprintf(key, sizeof key, "%.*s", (int)(equals - dot - 1), dot + 1);
  const section *s = find_section(name);
  if (!s) return vlb_fail(err, VLB_USAGE, "--set %.100s: no section '%s'; there are captions, model, pretrain, train", assignment, name);
  vlb_code code = vlb_fields_set(s->fields, (char *)r + s->offset, key, equals + 1, err);
  for (int i = 0; !code && i < r->stage_count && s->fields == vlb_train_fields; i++)
    code = vlb_fields_set(s->fields, &r->stages[i].train, key, equals + 1, err);
  return code ? vlb_fail_at(err, "--set %.100s", assignment) : VLB_OK;
}

vlb_model_config vlb_recipe_model(const vlb_recipe *r, int stage) {
  vlb_model_config c = r->model;
  c.text_layers = r->stages[stage].text_layers;
  c.num_vlm_layers = 0;
  c.skip_every_second = false;
  return c;
}

void vlb_recipe_help(FILE *out) {
  for (int i = 0; i < SECTIONS; i++) {
    fprintf(out, "\nKeys of [%s]\n", sections[i].name);
    vlb_fields_help(sections[i].fields, out);
  }
}
