/* MuJoCo's edges: loading from memory on 2.2.2 and 3.x, and errors as values. */
#ifndef VLB_SIM_ENGINE_H
#define VLB_SIM_ENGINE_H

#include <mujoco/mujoco.h>

#include "core/base/status.h"

/* Fixed sizes of mjData before 2.3, where nothing grows on demand; empty later. Written into the composed MJCF. */
extern const char vlb_engine_sizes[];

/* Compiles MJCF held in memory. Caller: mj_deleteModel. Errors: VLB_FAILED with MuJoCo's own message. */
vlb_code vlb_engine_load(const char *xml, mjModel **model, vlb_error *err);

/* The same from a file, with what it includes. */
vlb_code vlb_engine_load_file(const char *path, mjModel **model, vlb_error *err);

/* What MuJoCo warned of since the last reset, in words, or NULL. */
const char *vlb_engine_trouble(const mjData *data);

/* Runs work(self, err). An error that MuJoCo raises inside (it would wait for a key and exit) ends the work where it is and
 * comes back as VLB_FAILED; any mjData in use must then be reset. Calls may nest and run on several threads. MuJoCo's
 * warnings are never printed: callers read mjData.warning. */
vlb_code vlb_engine_guard(vlb_code (*work)(void *self, vlb_error *err), void *self, vlb_error *err);

#endif
