#include "core/model/fresh.h"

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/data/tokenizer.h"
#include "core/model/lerobot.h"

bool vlb_is_stand_alone_vlm(const char *folder) {
  char path[1024];
  json_t *o;
  if (vlb_path(path, sizeof path, NULL, "%s/config.json", folder) || vlb_json_open(path, &o, NULL)) return false;
  bool alone = json_is_object(json_object_get(o, "text_config")) && json_is_object(json_object_get(o, "vision_config"));
  json_decref(o);
  return alone;
}

/* the ids of the tokens around pictures, where there is a tokenizer to ask */
static vlb_code ask_tokenizer(const char *folder, vlb_model_config *c, vlb_error *err) {
  char path[1024];
  vlb_tokenizer *tok;
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/tokenizer.json", folder));
  if (!vlb_file_exists(path)) return VLB_OK;
  VLB_TRY(vlb_tokenizer_open(path, &tok, err));
  int fake = vlb_tokenizer_added(tok, "<fake_token_around_image>"), global = vlb_tokenizer_added(tok, "<global-img>");
  if (fake >= 0) c->fake_image_token = fake;
  if (global >= 0) c->global_image_token = global;
  vlb_tokenizer_free(tok);
  return VLB_OK;
}

vlb_code vlb_fresh_config(const char *folder, vlb_model_config *config, vlb_error *err) {
  enum { LAYERS = 16, PIXELS = 512 }; /* LeRobot's num_vlm_layers and resize_imgs_with_padding */
  char path[1024];
  vlb_fields_default(vlb_model_fields, config);
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/config.json", folder));
  VLB_TRY(vlb_lerobot_vlm_read(path, config, err));
  config->num_vlm_layers = config->text_layers < LAYERS ? 0 : LAYERS;
  /* a tower for fewer pixels takes 512 all the same when they give a whole number of tokens: its position table is spread */
  if (config->image_size > 256 && config->patch_size > 0 && config->scale_factor > 0 && PIXELS / config->patch_size % config->scale_factor == 0)
    config->image_size = PIXELS;
  VLB_TRY(ask_tokenizer(folder, config, err));
  vlb_code code = vlb_fields_check(vlb_model_fields, config, err);
  return code ? vlb_fail_at(err, "%s", path) : VLB_OK;
}

vlb_code vlb_fresh_model(const char *folder, const vlb_model_config *config, uint64_t seed, vlb_model **model, vlb_error *err) {
  vlb_shards *shards;
  *model = NULL;
  VLB_TRY(vlb_shards_open(folder, &shards, err));
  return vlb_model_begin(config, seed, shards, true, folder, model, err);
}
