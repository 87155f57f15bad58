/* How a VLM is made: core/train/vlm/NAME/recipe.toml, or a file of the same form. Sections [captions], [model], [pretrain] and [train] as their key
 * lists say; every [[stage]] trains a VLM of so many text_layers, with any key of [train] of its own, and hands it to the next, deeper
 * one. */
#ifndef VLB_PLAN_RECIPE_H
#define VLB_PLAN_RECIPE_H

#include "core/train/pretrain.h"
#include "sim/rollout/captions.h"

enum { VLB_MAX_STAGES = 8 };

typedef struct {
  char title[128];
  vlb_caption_config captions;
  vlb_model_config model;
  vlb_pretrain_config pretrain;
  vlb_train_config train;
  struct {
    int64_t text_layers;
    vlb_train_config train;
  } stages[VLB_MAX_STAGES];
  int stage_count;
} vlb_recipe;

/* A shipped VLM's name ("micro") or a path. Errors: VLB_USAGE with file:line. */
vlb_code vlb_recipe_read(const char *name_or_path, vlb_recipe *recipe, vlb_error *err);
/* "section.key=value" of the sections, before the stages' own keys. */
vlb_code vlb_recipe_set(vlb_recipe *recipe, const char *assignment, vlb_error *err);
/* The configuration of a stage's VLM. */
vlb_model_config vlb_recipe_model(const vlb_recipe *recipe, int stage);
void vlb_recipe_help(FILE *out);

#endif
