#include "experiments/plan/sweep.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name, *section, *key;
} shorts[] = {
#define ROW(name, section, key, doc) {name, section, key},
    VLB_AXES(ROW)
#undef ROW
};
enum { SHORTS = sizeof shorts / sizeof *shorts };

/* action-steps and action_steps are one name */
static bool same_name(const char *a, const char *b) {
  for (; *a && *b; a++, b++)
    if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_'))) return false;
  return *a == *b;
}

static vlb_code unknown_axis(const char *name, vlb_error *err) {
  const char *words[SHORTS];
  for (int i = 0; i < SHORTS; i++) words[i] = shorts[i].name;
  const char *near = vlb_suggest(name, words, SHORTS);
  if (near) return vlb_fail(err, VLB_USAGE, "no switch is called '%s'; did you mean '%s'?", name, near);
  return vlb_fail(err, VLB_USAGE, "no switch is called '%s'; any key is, as SECTION.KEY (model.num_vlm_layers)", name);
}

static vlb_code find_key(const char *name, vlb_axis *axis, const vlb_field **field, vlb_error *err) {
  const char *dot = strchr(name, '.');
  snprintf(axis->name, sizeof axis->name, "%s", name);
  if (dot) {
    snprintf(axis->section, sizeof axis->section, "%.*s", (int)(dot - name), name);
    snprintf(axis->key, sizeof axis->key, "%s", dot + 1);
  }
  for (int i = 0; !dot && i < SHORTS; i++)
    if (same_name(shorts[i].name, name)) {
      snprintf(axis->section, sizeof axis->section, "%s", shorts[i].section);
      snprintf(axis->key, sizeof axis->key, "%s", shorts[i].key);
    }
  if (!axis->section[0]) return unknown_axis(name, err);
  const vlb_section *s = vlb_section_find(axis->section);
  if (!s) return vlb_fail(err, VLB_USAGE, "%s: no section '%s'; there are demos, train, model, eval", name, axis->section);
  *field = vlb_field_named(s->fields, axis->key);
  if (*field) return VLB_OK;
  vlb_settings scratch;
  vlb_settings_default(&scratch);
  return vlb_fields_set(s->fields, (char *)&scratch + s->offset, axis->key, "", err); /* says what is near */
}

static vlb_code add_value(vlb_axis *axis, const char *text, int length, vlb_error *err) {
  if (axis->count == VLB_MAX_AXIS_VALUES) return vlb_fail(err, VLB_USAGE, "%s: more than %d values", axis->name, VLB_MAX_AXIS_VALUES);
  char *to = axis->values[axis->count], assignment[128];
  if (!length || length >= (int)sizeof axis->values[0]) return vlb_fail(err, VLB_USAGE, "%s: '%.*s' is not a value", axis->name, length, text);
  snprintf(to, sizeof axis->values[0], "%.*s", length, text);
  for (int i = 0; i < axis->count; i++)
    if (!strcmp(axis->values[i], to)) return vlb_fail(err, VLB_USAGE, "%s: %s occurs twice", axis->name, to);
  axis->count++;
  vlb_settings scratch;
  vlb_settings_default(&scratch);
  snprintf(assignment, sizeof assignment, "%s.%s=%s", axis->section, axis->key, to);
  vlb_error why = {VLB_OK, ""};
  if (!vlb_settings_set(&scratch, assignment, &why)) return VLB_OK;
  const char *message = strstr(why.message, ": "); /* after "--set section.key=value" */
  return vlb_fail(err, why.code, "%s: %s", axis->name, message ? message + 2 : why.message);
}

/* "8..32:8" of a number's key */
static vlb_code add_range(vlb_axis *axis, const vlb_field *field, const char *text, int length, vlb_error *err) {
  char range[64], *end, *rest;
  snprintf(range, sizeof range, "%.*s", length, text);
  if (field->kind != VLB_FIELD_INT && field->kind != VLB_FIELD_REAL)
    return vlb_fail(err, VLB_USAGE, "%s: '%s' is a range, but its values are words; separate them by commas", axis->name, range);
  double from = strtod(range, &end), to, step = 1;
  if (end > range && end[-1] == '.') end--; /* strtod reads "8." of "8..24" */
  bool good = end > range && !strncmp(end, "..", 2);
  to = good ? strtod(end + 2, &rest) : 0;
  good = good && rest > end + 2;
  if (good && *rest == ':') {
    char *last;
    step = strtod(rest + 1, &last);
    good = last > rest + 1 && !*last && step > 0;
  } else {
    good = good && !*rest;
    if (good && field->kind == VLB_FIELD_REAL) return vlb_fail(err, VLB_USAGE, "%s: the range %s needs a step, as in 0.25..1:0.25", axis->name, range);
  }
  if (!good || !isfinite(from) || !isfinite(to) || to < from)
    return vlb_fail(err, VLB_USAGE, "%s: '%s' is not a range; write FROM..TO or FROM..TO:STEP, upwards", axis->name, range);
  /* the end belongs to it; half a millionth of a step is rounding */
  for (int i = 0; from + i * step <= to + 1e-6 * step; i++) {
    char value[32];
    int n = snprintf(value, sizeof value, "%.10g", from + i * step);
    VLB_TRY(add_value(axis, value, n, err));
  }
  return VLB_OK;
}

vlb_code vlb_axis_read(const char *name, const char *values, vlb_axis *axis, vlb_error *err) {
  const vlb_field *field = NULL;
  memset(axis, 0, sizeof *axis);
  VLB_TRY(find_key(name, axis, &field, err));
  for (const char *at = values;;) {
    int n = (int)strcspn(at, ",");
    char part[64];
    snprintf(part, sizeof part, "%.*s", n, at);
    VLB_TRY(strstr(part, "..") ? add_range(axis, field, at, n, err) : add_value(axis, at, n, err));
    if (!at[n]) return VLB_OK;
    at += n + 1;
  }
}

/* Arm names are parts of file names: "layers_8-width_0_25" */
static void append_plain(char *name, size_t size, const char *text) {
  size_t at = strlen(name);
  for (; *text && at + 1 < size; text++) name[at++] = isalnum((unsigned char)*text) ? (char)tolower((unsigned char)*text) : '_';
  name[at] = 0;
}

static vlb_code make_arm(const vlb_axis *axes, int count, const int *at, const vlb_settings *base, vlb_arm *arm, vlb_error *err) {
  *arm = (vlb_arm){.settings = *base, .init = -1};
  for (int i = 0; i < count; i++) {
    char assignment[128];
    const char *value = axes[i].values[at[i]];
    size_t length = strlen(arm->label);
    snprintf(arm->label + length, sizeof arm->label - length, "%s%s = %s", i ? ", " : "", axes[i].name, value);
    if (i) strncat(arm->name, "-", sizeof arm->name - strlen(arm->name) - 1);
    append_plain(arm->name, sizeof arm->name, axes[i].name);
    append_plain(arm->name, sizeof arm->name, "_");
    append_plain(arm->name, sizeof arm->name, value);
    snprintf(assignment, sizeof assignment, "%s.%s=%s", axes[i].section, axes[i].key, value);
    VLB_TRY(vlb_settings_set(&arm->settings, assignment, err));
  }
  if (vlb_settings_check(&arm->settings, err) || vlb_settings_fit(&arm->settings, err)) return vlb_fail_at(err, "%s", arm->label);
  return VLB_OK;
}

vlb_code vlb_sweep_arms(const vlb_axis *axes, int count, const vlb_settings *base, vlb_ablation *a, vlb_error *err) {
  int64_t total = 1;
  for (int i = 0; i < count; i++) total *= axes[i].count;
  if (total > VLB_MAX_ARMS) return vlb_fail(err, VLB_USAGE, "%lld combinations; a sweep has at most %d arms", (long long)total, VLB_MAX_ARMS);
  for (int i = 0; i < count; i++)
    for (int k = 0; k < i; k++)
      if (!strcmp(axes[i].section, axes[k].section) && !strcmp(axes[i].key, axes[k].key))
        return vlb_fail(err, VLB_USAGE, "%s.%s is swept twice", axes[i].section, axes[i].key);
  int at[VLB_MAX_AXES] = {0};
  for (a->arm_count = 0; a->arm_count < total; a->arm_count++) {
    VLB_TRY(make_arm(axes, count, at, base, &a->arms[a->arm_count], err));
    for (int i = count - 1; i >= 0 && ++at[i] == axes[i].count; i--) at[i] = 0;
  }
  return VLB_OK;
}
