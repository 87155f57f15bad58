#include "experiments/plan/settings.h"

#include <string.h>

#include "sim/rollout/suites.h"

const vlb_section vlb_sections[] = {
    {"demos", vlb_demo_fields, offsetof(vlb_settings, demos)},
    {"train", vlb_train_fields, offsetof(vlb_settings, train)},
    {"model", vlb_model_fields, offsetof(vlb_settings, model)},
    {"eval", vlb_rollout_fields, offsetof(vlb_settings, eval)},
    {NULL, NULL, 0}};

const vlb_section *vlb_section_find(const char *name) {
  for (const vlb_section *s = vlb_sections; s->name; s++)
    if (!strcmp(s->name, name)) return s;
  return NULL;
}

void vlb_settings_default(vlb_settings *settings) {
  memset(settings, 0, sizeof *settings);
  for (const vlb_section *s = vlb_sections; s->name; s++) vlb_fields_default(s->fields, (char *)settings + s->offset);
}

vlb_code vlb_settings_set(vlb_settings *settings, const char *assignment, vlb_error *err) {
  const char *dot = strchr(assignment, '.'), *equals = strchr(assignment, '=');
  if (!dot || !equals || dot > equals)
    return vlb_fail(err, VLB_USAGE, "--set %.100s: expected SECTION.KEY=VALUE, for example train.steps=100", assignment);
  char section[32], key[64];
  snprintf(section, sizeof section, "%.*s", (int)(dot - assignment), assignment);
  snprintf(key, sizeof key, "%.*s", (int)(equals - dot - 1), dot + 1);
  const vlb_section *s = vlb_section_find(section);
  if (!s) return vlb_fail(err, VLB_USAGE, "--set %.100s: no section '%s'; there are demos, train, model, eval", assignment, section);
  if (vlb_fields_set(s->fields, (char *)settings + s->offset, key, equals + 1, err)) return vlb_fail_at(err, "--set %.100s", assignment);
  return VLB_OK;
}

const vlb_field *vlb_field_named(const vlb_field *table, const char *name) {
  for (const vlb_field *f = table; f->name; f++)
    if (!strcmp(f->name, name)) return f;
  return NULL;
}

vlb_code vlb_settings_check(const vlb_settings *s, vlb_error *err) {
  vlb_model_shape shape;
  vlb_model_config seen;
  VLB_TRY(vlb_model_shape_of(&s->model, &shape, err));
  VLB_TRY(vlb_train_config_check(&s->train, err));
  VLB_TRY(vlb_train_seen_model(&s->train, &s->model, &seen, err));
  VLB_TRY(vlb_control_check(&s->eval.control, err));
  if (s->eval.control.control == VLB_CONTROL_RTC && s->model.objective == VLB_OBJECTIVE_L1)
    return vlb_fail(err, VLB_USAGE, "eval.control = \"rtc\" guides the steps of a flow, model.objective = \"l1\" has none");
  if (s->demos.seed == s->eval.seed)
    return vlb_fail(err, VLB_USAGE, "eval.seed = demos.seed = %lld: the evaluation would start where the demonstrations did",
                    (long long)s->eval.seed);
  return VLB_OK;
}

/* Every suite of a list is of one robot. robot: NULL at first, then that of the suites seen so far, the first of which is *first. */
static vlb_code one_robot(const char *key, const char *list, const vlb_embodiment **robot, char first[VLB_TEXT_SIZE + 16], vlb_error *err) {
  vlb_suite_set set;
  if (vlb_suite_set_read(list, &set, err)) return vlb_fail_at(err, "%s = \"%s\"", key, list);
  for (int i = 0; i < set.count; i++) {
    const vlb_embodiment *here;
    VLB_TRY(vlb_suite_robot(set.name[i], &here, err));
    if (*robot && *robot != here)
      return vlb_fail(err, VLB_USAGE, "%s is of the robot %s, %s = \"%s\" of %s; choose suites of one robot", first, (*robot)->name, key, set.name[i],
                      here->name);
    if (!*robot) snprintf(first, VLB_TEXT_SIZE + 16, "%s = \"%s\"", key, set.name[i]);
    *robot = here;
  }
  return VLB_OK;
}

/* With a policy per suite, each suite that is rolled out needs one. */
static vlb_code policy_for_each(const vlb_settings *s, vlb_error *err) {
  vlb_suite_set taught, tested;
  if (!s->train.per_suite) return VLB_OK;
  VLB_TRY(vlb_suite_set_read(s->demos.suite.s, &taught, err));
  VLB_TRY(vlb_suite_set_read(s->eval.suite.s, &tested, err));
  for (int i = 0; i < tested.count; i++) {
    bool found = false;
    for (int k = 0; k < taught.count; k++) found |= !strcmp(taught.name[k], tested.name[i]);
    if (!found)
      return vlb_fail(err, VLB_USAGE, "train.per_suite: no policy is trained for \"%s\" of eval.suite; demos.suite names %s", tested.name[i], s->demos.suite.s);
  }
  return VLB_OK;
}

vlb_code vlb_settings_fit(const vlb_settings *s, vlb_error *err) {
  const vlb_embodiment *robot = NULL;
  char first[VLB_TEXT_SIZE + 16];
  VLB_TRY(one_robot("demos.suite", s->demos.suite.s, &robot, first, err));
  VLB_TRY(one_robot("eval.suite", s->eval.suite.s, &robot, first, err));
  VLB_TRY(policy_for_each(s, err));
  return vlb_model_fits(&s->model, robot, err);
}

void vlb_settings_write(const vlb_settings *settings, FILE *out) {
  for (const vlb_section *s = vlb_sections; s->name; s++) {
    fprintf(out, "[%s]\n", s->name);
    vlb_fields_write(s->fields, (const char *)settings + s->offset, out);
  }
}
