/* Meta-World as suites: all fifty tasks, the four difficulty groups, and the embedded subset in its style. */
#ifndef VLB_SIM_METAWORLD_FAMILY_H
#define VLB_SIM_METAWORLD_FAMILY_H

#include "sim/task/world.h"

/* metaworld, metaworld_easy, metaworld_medium, metaworld_hard, metaworld_very_hard (from the user's installation), metaworld_style
 * (models/README.md) and its four groups; closed by NULL. */
extern const char *const vlb_mw_suite_names[];

/* What is read from outside: VLABENCH_METAWORLD_ASSETS, the folder of Meta-World's assets (not for metaworld_style);
 * VLABENCH_METAWORLD_GOALS, when set, a file of random vectors (reference.h) that takes the place of our own stream: episode k has the
 * task's k-th, and after the last the first again. Errors: VLB_USAGE with did-you-mean, or what to install. Caller: vlb_suite_free. */
vlb_code vlb_mw_suite_open(const char *name, vlb_suite **suite, vlb_error *err);

/* The MJCF of an embedded model ("reach_v3"), NULL when there is none; caller frees. */
char *vlb_mw_style_xml(const char *model);

#endif
