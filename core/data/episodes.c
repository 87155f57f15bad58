#include "core/data/episodes.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/data/episodes_layout.h"

#define ROW(path, kind, columns, member) {path, VLB_ROW_##kind, columns, offsetof(vlb_episode, member)}
const vlb_episode_row vlb_episode_rows[] = {
    ROW("actions", REAL, 7, actions),
    ROW("states", STATE, 0, states),
    ROW("robot_states", REAL, 9, robot_states),
    ROW("rewards", FLAG, 0, rewards),
    ROW("dones", FLAG, 0, dones),
    ROW("obs/ee_pos", REAL, 3, ee_pos),
    ROW("obs/ee_ori", REAL, 3, ee_ori),
    ROW("obs/gripper_states", REAL, 2, gripper),
    ROW("obs/joint_states", REAL, 7, joints),
    ROW("obs/agentview_rgb", PIXELS, 0, agentview),
    ROW("obs/eye_in_hand_rgb", PIXELS, 0, wrist),
    {NULL, VLB_ROW_REAL, 0, 0},
};

int vlb_row_shape(const vlb_episode_row *row, const vlb_episode *e, hsize_t dims[4]) {
  dims[0] = (hsize_t)e->frames;
  switch (row->kind) {
    case VLB_ROW_REAL: dims[1] = (hsize_t)row->columns; return 2;
    case VLB_ROW_STATE: dims[1] = (hsize_t)e->state_width; return 2;
    case VLB_ROW_FLAG: return 1;
    case VLB_ROW_PIXELS: break;
  }
  dims[1] = dims[2] = (hsize_t)e->image_size;
  dims[3] = 3;
  return 4;
}

bool vlb_row_is_bytes(const vlb_episode_row *row) { return row->kind == VLB_ROW_FLAG || row->kind == VLB_ROW_PIXELS; }

static void **slot(const vlb_episode_row *row, vlb_episode *e) { return (void **)(void *)((char *)e + row->offset); }

void *vlb_row_data(const vlb_episode_row *row, const vlb_episode *e) {
  void *data;
  memcpy(&data, (const char *)e + row->offset, sizeof data);
  return data;
}

vlb_code vlb_episode_alloc(vlb_episode *e, int frames, int state_width, int image_size, vlb_error *err) {
  *e = (vlb_episode){.frames = frames, .state_width = state_width, .image_size = image_size};
  for (const vlb_episode_row *row = vlb_episode_rows; row->path; row++) {
    hsize_t dims[4];
    size_t count = 1;
    int n = vlb_row_shape(row, e, dims);
    for (int i = 0; i < n; i++) count *= (size_t)dims[i];
    if (!count) continue; /* no pixels wanted */
    size_t size = vlb_row_is_bytes(row) ? sizeof(uint8_t) : sizeof(double);
    void *data = vlb_memory_fits(count * size) ? calloc(count, size) : NULL;
    if (!data) {
      vlb_episode_free(e);
      return vlb_fail(err, VLB_FAILED, "out of memory for an episode of %d frames of %d x %d pixels", frames, image_size, image_size);
    }
    *slot(row, e) = data;
  }
  return VLB_OK;
}

void vlb_episode_cut(vlb_episode *e, int frames) {
  e->frames = frames;
  for (const vlb_episode_row *row = vlb_episode_rows; row->path; row++) {
    hsize_t dims[4];
    size_t size = vlb_row_is_bytes(row) ? sizeof(uint8_t) : sizeof(double);
    int n = vlb_row_shape(row, e, dims);
    for (int i = 0; i < n; i++) size *= (size_t)dims[i];
    void *kept = size ? realloc(*slot(row, e), size) : NULL;
    if (kept) *slot(row, e) = kept; /* frames run along the first axis, so the front stays; a refusal only wastes memory */
  }
}

void vlb_episode_free(vlb_episode *e) {
  for (const vlb_episode_row *row = vlb_episode_rows; row->path; row++) free(vlb_row_data(row, e));
  free(e->model_xml);
  *e = (vlb_episode){0};
}

/* --- the seal --- */

static const char seal_mark[] = "\nvlabench sha256 "; /* 17 bytes, then 64 digits and a newline */

void vlb_seal_make(const void *bytes, size_t size, char seal[VLB_SEAL_SIZE + 1]) {
  char hash[VLB_HASH_SIZE];
  vlb_hash(bytes, size, hash);
  snprintf(seal, VLB_SEAL_SIZE + 1, "%s%s\n", seal_mark, hash);
}

static vlb_code check_mapped(const char *path, const char *bytes, size_t size, vlb_error *err) {
  const char *found = bytes + size - VLB_SEAL_SIZE;
  if (memcmp(found, seal_mark, sizeof seal_mark - 1)) return VLB_OK;
  char expected[VLB_SEAL_SIZE + 1];
  vlb_seal_make(bytes, size - VLB_SEAL_SIZE, expected);
  if (!memcmp(found, expected, VLB_SEAL_SIZE)) return VLB_OK;
  return vlb_fail(err, VLB_FAILED, "%s: damaged: the content does not fit its checksum; copy or record the file again", path);
}

vlb_code vlb_seal_check(const char *path, vlb_error *err) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat(fd, &st)) {
    vlb_fail(err, VLB_FAILED, "%s: cannot open: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return VLB_FAILED;
  }
  size_t size = S_ISREG(st.st_mode) && st.st_size > VLB_SEAL_SIZE ? (size_t)st.st_size : 0;
  void *bytes = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
  close(fd);
  if (bytes == MAP_FAILED) return VLB_OK; /* too short to be sealed, or no plain file: HDF5 will say what it is */
  vlb_code code = check_mapped(path, bytes, size, err);
  munmap(bytes, size);
  return code;
}

static pthread_mutex_t hdf5_lock = PTHREAD_MUTEX_INITIALIZER;

void vlb_hdf5_enter(void) {
  pthread_mutex_lock(&hdf5_lock);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void vlb_hdf5_leave(void) { pthread_mutex_unlock(&hdf5_lock); }
