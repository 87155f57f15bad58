#include "sim/rollout/control.h"

#include <string.h>

#define ROW(kind, name, ...) VLB_FIELD_ROW(vlb_control_config, kind, name, __VA_ARGS__)
const vlb_field vlb_control_fields[] = {VLB_CONTROL_FIELDS(ROW){0}};

vlb_code vlb_control_check(const vlb_control_config *c, vlb_error *err) {
  if (c->latency_model == VLB_LATENCY_MEASURED && !c->latency_file.s[0])
    return vlb_fail(err, VLB_USAGE, "latency_model = \"measured\" needs latency_file, a JSON of 'vlabench bench infer --json'");
  if (c->latency_model != VLB_LATENCY_MEASURED && c->latency_file.s[0])
    return vlb_fail(err, VLB_USAGE, "latency_file without latency_model = \"measured\" would not be read");
  if ((c->latency_model == VLB_LATENCY_LOGNORMAL || c->latency_model == VLB_LATENCY_GAMMA) && c->latency <= 0)
    return vlb_fail(err, VLB_USAGE, "latency_model = \"lognormal\" and \"gamma\" need latency, their mean in seconds");
  return VLB_OK;
}

static void forget(vlb_control_config *c, const char *key) {
  for (const vlb_field *f = vlb_control_fields; f->name; f++)
    if (!strcmp(f->name, key)) (void)vlb_fields_set(vlb_control_fields, c, key, f->fallback, NULL);
}

void vlb_control_resolve(vlb_control_config *c) {
  bool merges = c->control == VLB_CONTROL_PAPER || c->control == VLB_CONTROL_LEROBOT;
  bool spreads = c->latency_model == VLB_LATENCY_LOGNORMAL || c->latency_model == VLB_LATENCY_GAMMA;
  if (c->control_every < 1) c->control_every = 1;
  if (c->control == VLB_CONTROL_SYNC) forget(c, "threshold");
  if (!merges) forget(c, "aggregate"), forget(c, "similarity");
  if (c->control != VLB_CONTROL_PAPER) forget(c, "align");
  if (!spreads) forget(c, "latency_spread");
  if (c->fixed_time <= 0) forget(c, "put_back");
  if (c->control != VLB_CONTROL_RTC) forget(c, "rtc_schedule"), forget(c, "rtc_horizon"), forget(c, "rtc_guidance");
}

bool vlb_control_is_plain(const vlb_control_config *c) {
  return c->control == VLB_CONTROL_SYNC && c->control_every <= 1 && c->camera_period <= 0 && c->latency_model == VLB_LATENCY_FIXED &&
         c->latency <= 0 && c->uplink <= 0 && c->downlink <= 0 && c->fixed_time <= 0 && c->trace_episodes == 0;
}
