/* Episodes in HDF5, LIBERO's layout (libero.md 8.1): one file per task, /data/demo_<i>. */
#ifndef VLB_DATA_EPISODES_H
#define VLB_DATA_EPISODES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/status.h"

/* One episode in memory. T frames, D = width of a simulator state, S pixels. Image rows are bottom-up as the renderer gives them. */
typedef struct {
  int frames, state_width, image_size;
  double *actions;      /* [T,7] in [-1,1] */
  double *states;       /* [T,D] time, qpos, qvel before action k */
  double *robot_states; /* [T,9] gripper 2, eef position 3, eef quaternion xyzw 4 */
  double *ee_pos;       /* [T,3] m */
  double *ee_ori;       /* [T,3] axis-angle, rad */
  double *gripper;      /* [T,2] m */
  double *joints;       /* [T,7] rad */
  uint8_t *agentview;   /* [T,S,S,3] */
  uint8_t *wrist;       /* [T,S,S,3] */
  uint8_t *rewards, *dones; /* [T], last = 1 */
  char *model_xml;      /* complete MJCF or NULL */
} vlb_episode;

vlb_code vlb_episode_alloc(vlb_episode *e, int frames, int state_width, int image_size, vlb_error *err); /* zeroed */
/* Keeps the first `frames` frames (at most e->frames) and gives the rest of the memory back. */
void vlb_episode_cut(vlb_episode *e, int frames);
void vlb_episode_free(vlb_episode *e);

/* What a task file says about itself. */
typedef struct {
  char instruction[256];
  char env_name[64];
  char bddl_file_name[256];
  /* "before": images and robot state of frame k are those the policy sees when it must choose action k.
   * "after": LIBERO's own files, one control step later. Attribute `observation_time`; absent means "after". */
  bool observed_before;
} vlb_task_info;

/* Writes a whole task file atomically; byte-identical for identical input (no object times). It ends with a checksum that HDF5
 * programs ignore. Needs as much memory again as the episodes. */
vlb_code vlb_episodes_write(const char *path, const vlb_task_info *info, const vlb_episode *episodes, int n, vlb_error *err);

/* A file open for reading. Episodes are numbered 0..count-1 in numeric order of demo_<i>.
 * LIBERO's own files are read too: any storage layout, instruction from the file name. One thread per open file.
 * Errors (VLB_FAILED, with path and dataset): not HDF5, truncated, missing dataset, wrong shape or type, numbers that are not
 * finite, and for our files any change of the content. Files of other programs carry no checksum: HDF5 itself may fail badly on
 * damaged variable-length texts in them. */
typedef struct vlb_episode_file vlb_episode_file;
vlb_code vlb_episodes_open(const char *path, vlb_episode_file **file, vlb_error *err);
void vlb_episodes_close(vlb_episode_file *file);
int vlb_episodes_count(const vlb_episode_file *file);
const vlb_task_info *vlb_episodes_info(const vlb_episode_file *file);
/* Reads episode i into e (allocated here; caller frees with vlb_episode_free). with_images false skips the pixels. */
vlb_code vlb_episodes_read(vlb_episode_file *file, int i, bool with_images, vlb_episode *e, vlb_error *err);

#endif
