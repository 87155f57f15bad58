/* Every suite there is, whatever family it belongs to. */
#ifndef VLB_SIM_SUITES_H
#define VLB_SIM_SUITES_H

#include <stdbool.h>

#include "core/base/fields.h"
#include "sim/task/world.h"

enum { VLB_MAX_SUITES = 32 };

/* Names of the suites that are compiled in or read from an installation. Returns how many. */
int vlb_suite_list(const char *names[VLB_MAX_SUITES]);

/* A part of another suite, such as metaworld_easy or so100_sorting: who shows them all need not show it again. */
bool vlb_suite_is_part(const char *name);

/* An embedded suite by name or a folder of task files. Errors: VLB_USAGE with file:line, did-you-mean. Caller: vlb_suite_free. */
vlb_code vlb_suite_open(const char *name_or_folder, vlb_suite **suite, vlb_error *err);

/* "spatial" or "spatial/3": the number behind the last slash is a task, if it is a number. task: -1 for all. */
vlb_code vlb_suite_open_task(const char *what, vlb_suite **suite, int *task, vlb_error *err);

/* What demos.suite and eval.suite may hold: suites separated by commas, or a name for several ("libero": spatial, object, goal, long). */
enum { VLB_MAX_SUITE_SET = 8 };
typedef struct {
  char name[VLB_MAX_SUITE_SET][VLB_TEXT_SIZE];
  int count; /* >= 1 after a successful read */
} vlb_suite_set;

/* In the order written, groups replaced by their members. Errors (VLB_USAGE): an empty name, one suite twice, too many. Whether the
 * suites exist is told by vlb_suite_open. */
vlb_code vlb_suite_set_read(const char *list, vlb_suite_set *set, vlb_error *err);

/* The members of a named group separated by commas; NULL: no such group. */
const char *vlb_suite_group(const char *name);

/* Its robot, also where the suite's assets are not installed. */
vlb_code vlb_suite_robot(const char *name_or_folder, const vlb_embodiment **robot, vlb_error *err);

#endif
