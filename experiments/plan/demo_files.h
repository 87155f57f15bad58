/* The task files (*.hdf5) of folders of demonstrations. */
#ifndef VLB_PLAN_DEMO_FILES_H
#define VLB_PLAN_DEMO_FILES_H

#include "core/base/file.h"
#include "experiments/plan/cells.h"

/* Of all folders end to end, each in name order. */
typedef struct {
  vlb_file_list list[VLB_MAX_PARENTS];
  const char **path; /* [count] */
  int folders, count;
} vlb_demo_files;

/* Errors (VLB_USAGE): too many folders, one that is none or has no demonstrations. Caller forgets them, also after a failure. */
vlb_code vlb_demo_files_find(const char *const *folders, int n, vlb_demo_files *files, vlb_error *err);
void vlb_demo_files_forget(vlb_demo_files *files);

#endif
