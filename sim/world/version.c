#include "sim/world/version.h"

#include <mujoco/mujoco.h>

const char *vlb_mujoco_version(void) { return mj_versionString(); }
