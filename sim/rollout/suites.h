/* Every suite there is, whatever family it belongs to. */
#ifndef VLB_SIM_SUITES_H
#define VLB_SIM_SUITES_H

#include <stdbool.h>

#include "sim/task/world.h"

enum { VLB_MAX_SUITES = 32 };

/* Names of the suites that are compiled in or read from an installation. Returns how many. */
int vlb_suite_list(const char *names[VLB_MAX_SUITES]);

/* A part of another suite, such as metaworld_easy: who shows them all need not show it again. */
bool vlb_suite_is_part(const char *name);

/* An embedded suite by name or a folder of task files. Errors: VLB_USAGE with file:line, did-you-mean. Caller: vlb_suite_free. */
vlb_code vlb_suite_open(const char *name_or_folder, vlb_suite **suite, vlb_error *err);

/* Its robot, also where the suite's assets are not installed. */
vlb_code vlb_suite_robot(const char *name_or_folder, const vlb_embodiment **robot, vlb_error *err);

#endif
