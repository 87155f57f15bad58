#include "sim/rollout/suites.h"

#include <string.h>

#include "core/base/file.h"
#include "sim/metaworld/family.h"

vlb_code vlb_suite_open(const char *name_or_folder, vlb_suite **suite, vlb_error *err) {
  if (!strncmp(name_or_folder, "metaworld", 9) && !vlb_file_exists(name_or_folder)) return vlb_mw_suite_open(name_or_folder, suite, err);
  return vlb_suite_load(name_or_folder, suite, err);
}
