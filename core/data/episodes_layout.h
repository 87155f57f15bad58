/* Private to core/data: where each member of vlb_episode lives in a file. The one list behind allocation, writing and reading. */
#ifndef VLB_DATA_EPISODES_LAYOUT_H
#define VLB_DATA_EPISODES_LAYOUT_H

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/data/episodes.h"

typedef enum {
  VLB_ROW_REAL,  /* [T,columns] float64 */
  VLB_ROW_STATE, /* [T,D] float64 */
  VLB_ROW_FLAG,  /* [T] uint8 */
  VLB_ROW_PIXELS /* [T,S,S,3] uint8 */
} vlb_row_kind;

typedef struct {
  const char *path; /* below /data/demo_<i> */
  vlb_row_kind kind;
  int columns;
  size_t offset; /* of the pointer in vlb_episode */
} vlb_episode_row;

/* Ends with a null path. */
extern const vlb_episode_row vlb_episode_rows[];

/* Shape of a row in this episode; returns the number of dimensions. */
int vlb_row_shape(const vlb_episode_row *row, const vlb_episode *e, hsize_t dims[4]);
bool vlb_row_is_bytes(const vlb_episode_row *row);
void *vlb_row_data(const vlb_episode_row *row, const vlb_episode *e);

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
