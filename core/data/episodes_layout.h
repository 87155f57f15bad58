/* Private to core/data: which dataset of a file holds which member of vlb_episode. */
#ifndef VLB_DATA_EPISODES_LAYOUT_H
#define VLB_DATA_EPISODES_LAYOUT_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/data/episodes.h"

/* The arrays of vlb_episode. */
typedef enum {
  VLB_IN_ACTIONS, /* [T,columns] float64, like all before the pictures but the flags */
  VLB_IN_STATES,
  VLB_IN_STATE,
  VLB_IN_ROBOT_STATES,
  VLB_IN_JOINTS,
  VLB_IN_APPLIED,
  VLB_IN_REWARDS, /* [T] uint8 */
  VLB_IN_DONES,
  VLB_IN_IMAGE, /* [T,S,S,3] uint8, one per camera */
  VLB_MEMBERS = VLB_IN_IMAGE + VLB_MAX_CAMERAS
} vlb_member;

bool vlb_member_is_bytes(int member);
int vlb_member_columns(int member, const vlb_episode *e); /* 0: this robot has no such member, or no pictures are wanted */
size_t vlb_member_frame(int member, const vlb_episode *e); /* bytes per frame */
void *vlb_member_data(int member, const vlb_episode *e); /* NULL: this episode has none */

/* One dataset: columns first.. of a member. */
typedef struct {
  char path[64]; /* below /data/demo_<i> */
  int member, first, columns;
  enum { VLB_ROW_BOTH, VLB_ROW_OPTIONAL, VLB_ROW_WRITTEN } use; /* written: not read, because other datasets say the same */
} vlb_row;

enum { VLB_MAX_ROWS = 16 };
/* The datasets of an episode in this writer's files, in the order they are written; returns how many. */
int vlb_rows(vlb_episode_writer writer, const vlb_episode *e, vlb_row rows[VLB_MAX_ROWS]);
/* Shape of a dataset; returns the number of dimensions. */
int vlb_row_shape(const vlb_row *row, const vlb_episode *e, hsize_t dims[4]);
/* Where its numbers lie in the member's array; negative: failed. Caller closes. */
hid_t vlb_row_space(const vlb_row *row, const vlb_episode *e);

/* The last bytes of our files: SHA-256 of all before them. HDF5 checks its structures but neither data nor variable-length
 * texts (damaged ones can hang it), so a sealed file is checked as a whole before HDF5 sees it. HDF5 ignores the seal. */
enum { VLB_SEAL_SIZE = 82 };
void vlb_seal_make(const void *bytes, size_t size, char seal[VLB_SEAL_SIZE + 1]);
/* VLB_OK for a file without a seal, such as LIBERO's own. */
vlb_code vlb_seal_check(const char *path, vlb_error *err);

/* The HDF5 library of Debian is not thread-safe: every call into it happens between these two. They also keep it from
 * printing its own error stack; our one line says what matters. */
void vlb_hdf5_enter(void);
void vlb_hdf5_leave(void);

#endif
