/* What stands in a suite's TOML files (format: sim/task/suites/README.md). */
#ifndef VLB_SIM_LAYOUT_H
#define VLB_SIM_LAYOUT_H

#include "core/base/toml.h"
#include "sim/task/task.h"

enum { VLB_MAX_REGIONS = 64 };

/* Regions and objects as declared so far: the suite's, then a task's own on top. */
typedef struct {
  char arena[32];
  struct {
    char name[48];
    vlb_placement where;
  } regions[VLB_MAX_REGIONS];
  int region_count;
  vlb_scene_object objects[VLB_MAX_OBJECTS];
  char region_of[VLB_MAX_OBJECTS][48]; /* a movable's region; empty: not placed yet */
  int object_count;
  vlb_scene_zone zones[VLB_MAX_ZONES];
  int zone_count;
} vlb_layout;

/* suite.toml: limits and the common layout. */
vlb_code vlb_layout_read_suite(const vlb_toml *toml, vlb_layout *layout, vlb_suite *suite, vlb_error *err);

/* A task file on top of the suite's layout (which is changed). */
vlb_code vlb_layout_read_task(const vlb_toml *toml, vlb_layout *layout, vlb_task *task, vlb_error *err);

#endif
