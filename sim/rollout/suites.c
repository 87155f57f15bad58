#include "sim/rollout/suites.h"

vlb_code vlb_suite_open(const char *name_or_folder, vlb_suite **suite, vlb_error *err) { return vlb_suite_load(name_or_folder, suite, err); }
