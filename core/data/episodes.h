/* Episodes in HDF5: one file per task, /data/demo_<i>. The Panda's files have LIBERO's layout (libero.md 8.1), those of other
 * robots the same tree with one dataset obs/state. Files of LIBERO and of robomimic are read too. */
#ifndef VLB_DATA_EPISODES_H
#define VLB_DATA_EPISODES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/data/embodiment.h"

/* One episode in memory. T frames, D = width of a simulator state, S pixels. Picture rows are bottom-up as the renderer gives
 * them, whatever the file has. */
typedef struct {
  const vlb_embodiment *embodiment;
  int frames, state_width, image_size;
  int episode;      /* number of the initial state it started from; -1: the file does not say */
  double *actions;  /* [T,action_dim] in the environment's units */
  double *applied;  /* [T,action_dim] what the robot was given where `actions` are what was wanted; NULL: the same */
  double *states;   /* [T,D] time, qpos, qvel before action k */
  double *state;    /* [T,state_dim] what the policy reads */
  uint8_t *image[VLB_MAX_CAMERAS];  /* [T,S,S,3] in the embodiment's order */
  uint8_t *rewards, *dones;         /* [T], last = 1 */
  double *robot_states; /* [T,9] gripper 2, eef position 3, eef quaternion xyzw 4; Panda only */
  double *joints;       /* [T,7] rad; Panda only, NULL where a file has none */
  char *model_xml;      /* complete MJCF or NULL */
} vlb_episode;

/* Zeroed, episode -1. image_size 0: without pictures. */
vlb_code vlb_episode_alloc(vlb_episode *e, const vlb_embodiment *robot, int frames, int state_width, int image_size, vlb_error *err);
/* `actions` are what the robot was given. */
void vlb_episode_drop_applied(vlb_episode *e);
/* Keeps the first `frames` frames (at most e->frames) and gives the rest of the memory back. */
void vlb_episode_cut(vlb_episode *e, int frames);
void vlb_episode_free(vlb_episode *e);

/* Who wrote a file. */
typedef enum { VLB_WRITER_VLABENCH, VLB_WRITER_LIBERO, VLB_WRITER_ROBOMIMIC } vlb_episode_writer;
const char *vlb_episode_writer_name(vlb_episode_writer writer); /* "vlabench", "LIBERO", "robomimic" */

/* What a task file says about itself. */
typedef struct {
  char instruction[256];
  char env_name[64];
  char bddl_file_name[256]; /* ours: SUITE/TASK */
  /* true: pictures and robot state of frame k are those the policy sees when it must choose action k (ours, robomimic).
   * false: LIBERO's own files, taken after action k, so that frame k - 1 goes with action k. Attribute `observation_time`
   * ("before", "after") decides where it is present. */
  bool observed_before;
  char settings[1024]; /* TOML text of the settings it was recorded with; empty: unknown. Replays start from it. */
  /* Found on reading, ignored on writing. */
  vlb_episode_writer writer;
  const vlb_embodiment *embodiment;
  /* Rows stored top-down. Attribute `macros_image_convention` ("opencv": upright, "opengl": bottom-up) decides where it is present;
   * robomimic's own pictures are upright, LIBERO's bottom-up (libero.md 8.2). */
  bool upright;
} vlb_task_info;

/* Writes a whole task file atomically; all episodes are of one robot. Pictures are compressed without loss (about 1.5 MB for a
 * demonstration of 90 frames at two cameras of 128 pixels, a sixth of the plain size), numbers contiguous as LIBERO's.
 * Byte-identical for identical input and zlib (no object times). It ends with a checksum that HDF5 programs ignore. Needs as much
 * memory again as the file. */
vlb_code vlb_episodes_write(const char *path, const vlb_task_info *info, const vlb_episode *episodes, int n, vlb_error *err);

/* A file open for reading. Episodes are numbered 0..count-1 in numeric order of demo_<i>. Any storage layout (contiguous, chunked,
 * compressed); LIBERO's instruction is in the file name. robomimic's masks (train, valid) are not looked at. One thread per open file.
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
