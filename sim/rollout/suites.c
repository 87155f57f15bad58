#include "sim/rollout/suites.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/fields.h"
#include "sim/metaworld/family.h"

/* Single tasks of a suite, for policies of one task and for tables with a column for each. */
static const struct {
  const char *name, *whole;
  int task;
} parts[] = {{"so100_pick_place", "so100", 0}, {"so100_stacking", "so100", 1}, {"so100_sorting", "so100", 2}};
enum { PARTS = sizeof parts / sizeof *parts };

static int find_part(const char *name) {
  for (int i = 0; i < PARTS; i++)
    if (!strcmp(parts[i].name, name)) return i;
  return -1;
}

/* The whole with all tasks but one left out. */
static vlb_code open_part(int part, vlb_suite **suite, vlb_error *err) {
  VLB_TRY(vlb_suite_load(parts[part].whole, suite, err));
  vlb_suite *s = *suite;
  if (parts[part].task) memmove(s->tasks, s->tasks + parts[part].task, sizeof *s->tasks);
  s->task_count = 1;
  snprintf(s->name, sizeof s->name, "%s", parts[part].name);
  return VLB_OK;
}

int vlb_suite_list(const char *names[VLB_MAX_SUITES]) {
  int n = 0;
  for (const char *const *name = vlb_suite_names; *name && n < VLB_MAX_SUITES; name++) names[n++] = *name;
  for (int i = 0; i < PARTS && n < VLB_MAX_SUITES; i++) names[n++] = parts[i].name;
  for (const char *const *name = vlb_mw_suite_names; *name && n < VLB_MAX_SUITES; name++) names[n++] = *name;
  return n;
}

bool vlb_suite_is_part(const char *name) {
  if (find_part(name) >= 0 || !strcmp(name, "so100_pick")) return true;
  return !strncmp(name, "metaworld_", 10) && strcmp(name, "metaworld_style");
}

static int among(const char *const *names, const char *name) {
  for (; *names; names++)
    if (!strcmp(*names, name)) return 1;
  return 0;
}

static const struct {
  const char *name, *members;
} groups[] = {{"libero", "spatial,object,goal,long"},
              {"so100_tasks", "so100_pick_place,so100_stacking,so100_sorting"},
              {"metaworld_groups", "metaworld_easy,metaworld_medium,metaworld_hard,metaworld_very_hard"},
              {"metaworld_style_groups", "metaworld_style_easy,metaworld_style_medium,metaworld_style_hard,metaworld_style_very_hard"}};

const char *vlb_suite_group(const char *name) {
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
    if (!strcmp(groups[i].name, name)) return groups[i].members;
  return NULL;
}

static vlb_code add_suite(vlb_suite_set *set, const char *name, int length, vlb_error *err) {
  if (!length) return vlb_fail(err, VLB_USAGE, "an empty name among the suites; separate them by single commas");
  if (set->count == VLB_MAX_SUITE_SET) return vlb_fail(err, VLB_USAGE, "more than %d suites", VLB_MAX_SUITE_SET);
  char *to = set->name[set->count];
  snprintf(to, VLB_TEXT_SIZE, "%.*s", length, name);
  for (int i = 0; i < set->count; i++)
    if (!strcmp(set->name[i], to)) return vlb_fail(err, VLB_USAGE, "suite \"%s\" is named twice", to);
  set->count++;
  return VLB_OK;
}

/* A list without groups. */
static vlb_code add_suites(vlb_suite_set *set, const char *list, vlb_error *err) {
  for (;;) {
    size_t n = strcspn(list, ",");
    VLB_TRY(add_suite(set, list, (int)n, err));
    if (!list[n]) return VLB_OK;
    list += n + 1;
  }
}

vlb_code vlb_suite_set_read(const char *list, vlb_suite_set *set, vlb_error *err) {
  set->count = 0;
  for (;;) {
    char name[VLB_TEXT_SIZE];
    size_t n = strcspn(list, ",");
    snprintf(name, sizeof name, "%.*s", (int)n, list);
    const char *members = vlb_suite_group(name);
    VLB_TRY(members ? add_suites(set, members, err) : add_suite(set, name, (int)strlen(name), err));
    if (!list[n]) return VLB_OK;
    list += n + 1;
  }
}

vlb_code vlb_suite_open(const char *name_or_folder, vlb_suite **suite, vlb_error *err) {
  const char *names[VLB_MAX_SUITES];
  struct stat st;
  if (among(vlb_mw_suite_names, name_or_folder)) return vlb_mw_suite_open(name_or_folder, suite, err);
  if (among(vlb_suite_names, name_or_folder) || (!stat(name_or_folder, &st) && S_ISDIR(st.st_mode)))
    return vlb_suite_load(name_or_folder, suite, err);
  if (find_part(name_or_folder) >= 0) return open_part(find_part(name_or_folder), suite, err);
  const char *members = vlb_suite_group(name_or_folder);
  if (members) return vlb_fail(err, VLB_USAGE, "\"%s\" means several suites (%s); name one of them here", name_or_folder, members);
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

vlb_code vlb_suite_open_task(const char *what, vlb_suite **suite, int *task, vlb_error *err) {
  char name[512], *end;
  const char *slash = strrchr(what, '/');
  long number = slash && slash[1] ? strtol(slash + 1, &end, 10) : -1;
  *task = number >= 0 && !*end ? (int)number : -1;
  snprintf(name, sizeof name, "%.*s", *task < 0 ? (int)strlen(what) : (int)(slash - what), what);
  VLB_TRY(vlb_suite_open(name, suite, err));
  if (*task < (*suite)->task_count) return VLB_OK;
  vlb_code code = vlb_fail(err, VLB_USAGE, "suite %s has tasks 0 to %d, not %d", name, (*suite)->task_count - 1, *task);
  vlb_suite_free(*suite);
  return code;
}
