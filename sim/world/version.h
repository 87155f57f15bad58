/* Version of the physics engine, as loaded. */
#ifndef VLB_SIM_VERSION_H
#define VLB_SIM_VERSION_H

const char *vlb_mujoco_version(void); /* "2.2.2" */

#endif
