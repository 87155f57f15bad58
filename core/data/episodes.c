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

/* --- members of an episode --- */

bool vlb_member_is_bytes(int member) { return member >= VLB_IN_REWARDS; }

int vlb_member_columns(int member, const vlb_episode *e) {
  const vlb_embodiment *robot = e->embodiment;
  bool panda = robot == &vlb_panda;
  switch (member) {
    case VLB_IN_ACTIONS:
    case VLB_IN_APPLIED: return robot->action_dim;
    case VLB_IN_STATES: return e->state_width;
    case VLB_IN_STATE: return robot->state_dim;
    case VLB_IN_ROBOT_STATES: return panda ? 9 : 0;
    case VLB_IN_JOINTS: return panda ? 7 : 0;
    case VLB_IN_REWARDS:
    case VLB_IN_DONES: return 1;
    default: return member - VLB_IN_IMAGE < robot->cameras && e->image_size ? 3 : 0;
  }
}

size_t vlb_member_frame(int member, const vlb_episode *e) {
  size_t columns = (size_t)vlb_member_columns(member, e), side = (size_t)e->image_size;
  if (member >= VLB_IN_IMAGE) return columns * side * side;
  return columns * (vlb_member_is_bytes(member) ? sizeof(uint8_t) : sizeof(double));
}

static void *slot(int member, vlb_episode *e) {
  switch (member) {
    case VLB_IN_ACTIONS: return &e->actions;
    case VLB_IN_STATES: return &e->states;
    case VLB_IN_STATE: return &e->state;
    case VLB_IN_ROBOT_STATES: return &e->robot_states;
    case VLB_IN_JOINTS: return &e->joints;
    case VLB_IN_APPLIED: return &e->applied;
    case VLB_IN_REWARDS: return &e->rewards;
    case VLB_IN_DONES: return &e->dones;
    default: return &e->image[member - VLB_IN_IMAGE];
  }
}

void *vlb_member_data(int member, const vlb_episode *e) {
  vlb_episode view = *e;
  void *data;
  memcpy(&data, slot(member, &view), sizeof data);
  return data;
}

static void set_data(int member, vlb_episode *e, void *data) { memcpy(slot(member, e), &data, sizeof data); }

vlb_code vlb_episode_alloc(vlb_episode *e, const vlb_embodiment *robot, int frames, int state_width, int image_size, vlb_error *err) {
  *e = (vlb_episode){.embodiment = robot, .frames = frames, .state_width = state_width, .image_size = image_size, .episode = -1};
  for (int member = 0; member < VLB_MEMBERS; member++) {
    size_t frame = vlb_member_frame(member, e), bytes = frame * (size_t)frames;
    if (!frame) continue;
    void *data = vlb_memory_fits(bytes) ? calloc(bytes, 1) : NULL;
    if (!data) {
      vlb_episode_free(e);
      return vlb_fail(err, VLB_FAILED, "out of memory for an episode of %d frames of %d x %d pixels", frames, image_size, image_size);
    }
    set_data(member, e, data);
  }
  return VLB_OK;
}

void vlb_episode_drop_applied(vlb_episode *e) {
  free(e->applied);
  e->applied = NULL;
}

void vlb_episode_cut(vlb_episode *e, int frames) {
  e->frames = frames;
  for (int member = 0; member < VLB_MEMBERS; member++) {
    size_t bytes = vlb_member_frame(member, e) * (size_t)frames;
    void *had = vlb_member_data(member, e), *kept = bytes && had ? realloc(had, bytes) : NULL;
    if (kept) set_data(member, e, kept); /* frames run along the first axis, so the front stays; a refusal only wastes memory */
  }
}

void vlb_episode_free(vlb_episode *e) {
  for (int member = 0; member < VLB_MEMBERS; member++) free(vlb_member_data(member, e));
  free(e->model_xml);
  *e = (vlb_episode){0};
}

/* --- datasets of a file --- */

const char *vlb_episode_writer_name(vlb_episode_writer writer) {
  return (const char *const[]){"vlabench", "LIBERO", "robomimic"}[writer];
}

/* The Panda's datasets as LIBERO calls them (libero.md 8.1). Columns 0: all of the member. */
static const vlb_row libero_rows[] = {
    {"actions", VLB_IN_ACTIONS, 0, 0, VLB_ROW_BOTH},
    {"applied_actions", VLB_IN_APPLIED, 0, 0, VLB_ROW_OPTIONAL},
    {"states", VLB_IN_STATES, 0, 0, VLB_ROW_BOTH},
    {"robot_states", VLB_IN_ROBOT_STATES, 0, 0, VLB_ROW_BOTH},
    {"rewards", VLB_IN_REWARDS, 0, 0, VLB_ROW_BOTH},
    {"dones", VLB_IN_DONES, 0, 0, VLB_ROW_BOTH},
    {"obs/ee_pos", VLB_IN_STATE, 0, 3, VLB_ROW_BOTH},
    {"obs/ee_ori", VLB_IN_STATE, 3, 3, VLB_ROW_BOTH},
    {"obs/gripper_states", VLB_IN_STATE, 6, 2, VLB_ROW_BOTH},
    {"obs/joint_states", VLB_IN_JOINTS, 0, 0, VLB_ROW_BOTH},
    {"obs/agentview_rgb", VLB_IN_IMAGE, 0, 0, VLB_ROW_BOTH},
    {"obs/eye_in_hand_rgb", VLB_IN_IMAGE + 1, 0, 0, VLB_ROW_BOTH},
    {"obs/ee_states", VLB_IN_STATE, 0, 6, VLB_ROW_WRITTEN}};

/* The same in robomimic's words (libero.md 8.2); the orientation comes as a quaternion xyzw. */
static const vlb_row robomimic_rows[] = {
    {"actions", VLB_IN_ACTIONS, 0, 0, VLB_ROW_BOTH},
    {"states", VLB_IN_STATES, 0, 0, VLB_ROW_BOTH},
    {"rewards", VLB_IN_REWARDS, 0, 0, VLB_ROW_OPTIONAL},
    {"dones", VLB_IN_DONES, 0, 0, VLB_ROW_OPTIONAL},
    {"obs/robot0_eef_pos", VLB_IN_STATE, 0, 3, VLB_ROW_BOTH},
    {"obs/robot0_eef_quat", VLB_IN_ROBOT_STATES, 5, 4, VLB_ROW_BOTH},
    {"obs/robot0_gripper_qpos", VLB_IN_STATE, 6, 2, VLB_ROW_BOTH},
    {"obs/robot0_joint_pos", VLB_IN_JOINTS, 0, 0, VLB_ROW_OPTIONAL},
    {"obs/agentview_image", VLB_IN_IMAGE, 0, 0, VLB_ROW_BOTH},
    {"obs/robot0_eye_in_hand_image", VLB_IN_IMAGE + 1, 0, 0, VLB_ROW_BOTH}};

static const vlb_row other_rows[] = {
    {"actions", VLB_IN_ACTIONS, 0, 0, VLB_ROW_BOTH},
    {"applied_actions", VLB_IN_APPLIED, 0, 0, VLB_ROW_OPTIONAL},
    {"states", VLB_IN_STATES, 0, 0, VLB_ROW_BOTH},
    {"rewards", VLB_IN_REWARDS, 0, 0, VLB_ROW_BOTH},
    {"dones", VLB_IN_DONES, 0, 0, VLB_ROW_BOTH},
    {"obs/state", VLB_IN_STATE, 0, 0, VLB_ROW_BOTH}};

static int copy_rows(vlb_row *out, const vlb_row *from, size_t bytes) {
  memcpy(out, from, bytes);
  return (int)(bytes / sizeof *from);
}

/* obs/<camera>_rgb */
static int camera_rows(const vlb_embodiment *robot, vlb_row *out) {
  for (int c = 0; c < robot->cameras; c++) {
    out[c] = (vlb_row){.member = VLB_IN_IMAGE + c};
    snprintf(out[c].path, sizeof out[c].path, "obs/%s_rgb", robot->camera[c]);
  }
  return robot->cameras;
}

int vlb_rows(vlb_episode_writer writer, const vlb_episode *e, vlb_row rows[VLB_MAX_ROWS]) {
  int n;
  if (writer == VLB_WRITER_ROBOMIMIC)
    n = copy_rows(rows, robomimic_rows, sizeof robomimic_rows);
  else if (e->embodiment == &vlb_panda)
    n = copy_rows(rows, libero_rows, sizeof libero_rows);
  else {
    n = copy_rows(rows, other_rows, sizeof other_rows);
    n += camera_rows(e->embodiment, rows + n);
  }
  for (int i = 0; i < n; i++)
    if (!rows[i].columns) rows[i].columns = vlb_member_columns(rows[i].member, e);
  return n;
}

int vlb_row_shape(const vlb_row *row, const vlb_episode *e, hsize_t dims[4]) {
  dims[0] = (hsize_t)e->frames;
  dims[1] = (hsize_t)row->columns;
  if (!vlb_member_is_bytes(row->member)) return 2;
  if (row->member < VLB_IN_IMAGE) return 1;
  dims[1] = dims[2] = (hsize_t)e->image_size;
  dims[3] = 3;
  return 4;
}

hid_t vlb_row_space(const vlb_row *row, const vlb_episode *e) {
  hsize_t dims[4], start[2] = {0, (hsize_t)row->first}, count[2] = {(hsize_t)e->frames, (hsize_t)row->columns};
  int rank = vlb_row_shape(row, e, dims);
  if (rank == 2) dims[1] = (hsize_t)vlb_member_columns(row->member, e);
  hid_t space = H5Screate_simple(rank, dims, NULL);
  if (space >= 0 && rank == 2 && H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) < 0) {
    H5Sclose(space);
    return -1;
  }
  return space;
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
