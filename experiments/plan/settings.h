/* The four sections of an ablation file and the checks that need more than one of them. */
#ifndef VLB_PLAN_SETTINGS_H
#define VLB_PLAN_SETTINGS_H

#include "core/model/config.h"
#include "core/train/train.h"
#include "sim/rollout/demos.h"
#include "sim/rollout/rollout.h"

typedef struct {
  vlb_demo_config demos;
  vlb_train_config train;
  vlb_model_config model;
  vlb_rollout_config eval;
} vlb_settings;

/* [demos], [train], [model], [eval]: name, X-macro table, place in vlb_settings. Closed by a NULL name. */
typedef struct {
  const char *name;
  const vlb_field *fields;
  size_t offset;
} vlb_section;
extern const vlb_section vlb_sections[];
const vlb_section *vlb_section_find(const char *name); /* NULL: none */

void vlb_settings_default(vlb_settings *settings);

/* Sets "section.key" from text, as `--set train.steps=100` does. VLB_USAGE with did-you-mean. */
vlb_code vlb_settings_set(vlb_settings *settings, const char *assignment, vlb_error *err);

/* Combinations that cannot run: the model's own (vlb_model_shape_of) and those between sections. VLB_USAGE names the keys. */
vlb_code vlb_settings_check(const vlb_settings *settings, vlb_error *err);

/* One robot in the demonstrations and in the evaluation, and a model that fits it. VLB_USAGE names what does not. (Training on a
 * folder of demonstrations and evaluating a model folder check the same by what they are given.) */
vlb_code vlb_settings_fit(const vlb_settings *settings, vlb_error *err);

/* A row of a table by name, NULL when there is none. */
const vlb_field *vlb_field_named(const vlb_field *table, const char *name);

/* Every section as [name] and its fields, canonical. */
void vlb_settings_write(const vlb_settings *settings, FILE *out);

#endif
