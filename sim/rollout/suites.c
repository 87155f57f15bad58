#include "sim/rollout/suites.h"

#include <string.h>
#include <sys/stat.h>

#include "core/base/fields.h"
#include "sim/metaworld/family.h"

int vlb_suite_list(const char *names[VLB_MAX_SUITES]) {
  int n = 0;
  for (const char *const *name = vlb_suite_names; *name && n < VLB_MAX_SUITES; name++) names[n++] = *name;
  for (const char *const *name = vlb_mw_suite_names; *name && n < VLB_MAX_SUITES; name++) names[n++] = *name;
  return n;
}

bool vlb_suite_is_part(const char *name) { return !strncmp(name, "metaworld_", 10) && strcmp(name, "metaworld_style"); }

static int among(const char *const *names, const char *name) {
  for (; *names; names++)
    if (!strcmp(*names, name)) return 1;
  return 0;
}

vlb_code vlb_suite_open(const char *name_or_folder, vlb_suite **suite, vlb_error *err) {
  const char *names[VLB_MAX_SUITES];
  struct stat st;
  if (among(vlb_mw_suite_names, name_or_folder)) return vlb_mw_suite_open(name_or_folder, suite, err);
  if (among(vlb_suite_names, name_or_folder) || (!stat(name_or_folder, &st) && S_ISDIR(st.st_mode)))
    return vlb_suite_load(name_or_folder, suite, err);
  const char *near = vlb_suggest(name_or_folder, names, vlb_suite_list(names));
  return near ? vlb_fail(err, VLB_USAGE, "no suite \"%s\"; did you mean \"%s\"?", name_or_folder, near)
              : vlb_fail(err, VLB_USAGE, "no suite \"%s\", nor such a folder of task files; 'vlabench list' shows the suites", name_or_folder);
}

vlb_code vlb_suite_robot(const char *name_or_folder, const vlb_embodiment **robot, vlb_error *err) {
  vlb_suite *suite;
  *robot = &vlb_sawyer;
  if (among(vlb_mw_suite_names, name_or_folder)) return VLB_OK;
  VLB_TRY(vlb_suite_open(name_or_folder, &suite, err));
  *robot = suite->embodiment;
  vlb_suite_free(suite);
  return VLB_OK;
}
