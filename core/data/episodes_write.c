/* Writing of task files. Nothing in a file depends on the time or on anything but the episodes. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/data/episodes.h"
#include "core/data/episodes_layout.h"

/* --- attributes --- */

static bool put_attribute(hid_t at, const char *name, hid_t file_type, hid_t memory_type, hid_t space, const void *value) {
  hid_t attr = H5Acreate2(at, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attr < 0) return false;
  bool good = H5Awrite(attr, memory_type, value) >= 0;
  return H5Aclose(attr) >= 0 && good;
}

/* Scalar variable-length UTF-8, as h5py writes strings. */
static bool put_text(hid_t at, const char *name, const char *text) {
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  bool good = text && type >= 0 && space >= 0 && H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0 &&
              put_attribute(at, name, type, type, space, &text);
  H5Sclose(space);
  H5Tclose(type);
  return good;
}

static bool put_int(hid_t at, const char *name, int64_t value) {
  hid_t space = H5Screate(H5S_SCALAR);
  bool good = put_attribute(at, name, H5T_STD_I64LE, H5T_NATIVE_INT64, space, &value);
  H5Sclose(space);
  return good;
}

static bool put_reals(hid_t at, const char *name, const double *values, int n) {
  hsize_t dim = (hsize_t)n;
  hid_t space = H5Screate_simple(1, &dim, NULL);
  bool good = space >= 0 && put_attribute(at, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, space, values);
  H5Sclose(space);
  return good;
}

/* Takes over `value`. */
static bool put_json(hid_t at, const char *name, json_t *value) {
  char *text = value ? json_dumps(value, 0) : NULL;
  bool good = put_text(at, name, text);
  free(text);
  json_decref(value);
  return good;
}

/* --- datasets --- */

/* Object times would make two runs differ. `class` is H5P_GROUP_CREATE, H5P_DATASET_CREATE or H5P_FILE_CREATE. */
static hid_t timeless(hid_t class) {
  hid_t list = H5Pcreate(class);
  if (list >= 0 && H5Pset_obj_track_times(list, 0) < 0) {
    H5Pclose(list);
    return -1;
  }
  return list;
}

static hid_t make_group(hid_t at, const char *name) {
  hid_t list = timeless(H5P_GROUP_CREATE);
  hid_t group = list < 0 ? -1 : H5Gcreate2(at, name, H5P_DEFAULT, list, H5P_DEFAULT);
  H5Pclose(list);
  return group;
}

/* Pictures: a chunk for each, gzip 1. To 12 to 19 % of their size at 128 pixels, 100 MB/s; level 4 saves a twentieth more at two thirds of
 * the speed, the shuffle filter nothing (they are bytes). Numbers are a hundredth of a file and stay as LIBERO's. (SPEED.md) */
static hid_t storage_of(const vlb_row *row, int rank, const hsize_t *dims) {
  enum { LEVEL = 1 };
  hid_t list = timeless(H5P_DATASET_CREATE);
  if (list < 0 || row->member < VLB_IN_IMAGE) return list;
  hsize_t chunk[4] = {1, dims[1], dims[2], dims[3]};
  if (H5Pset_chunk(list, rank, chunk) >= 0 && H5Pset_deflate(list, LEVEL) >= 0) return list;
  H5Pclose(list);
  return -1;
}

static bool put_row(hid_t demo, const vlb_row *row, const vlb_episode *e) {
  hsize_t dims[4];
  int rank = vlb_row_shape(row, e, dims);
  bool bytes = vlb_member_is_bytes(row->member);
  hid_t list = storage_of(row, rank, dims), space = H5Screate_simple(rank, dims, NULL), memory = vlb_row_space(row, e);
  hid_t set = list < 0 || space < 0 || memory < 0 ? -1
                  : H5Dcreate2(demo, row->path, bytes ? H5T_STD_U8LE : H5T_IEEE_F64LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  bool good = set >= 0 && H5Dwrite(set, bytes ? H5T_NATIVE_UINT8 : H5T_NATIVE_DOUBLE, memory, H5S_ALL, H5P_DEFAULT,
                                   vlb_member_data(row->member, e)) >= 0;
  if (set >= 0) good = H5Dclose(set) >= 0 && good;
  H5Sclose(memory);
  H5Sclose(space);
  H5Pclose(list);
  return good;
}

static bool put_episode(hid_t data, int index, const vlb_episode *e) {
  char name[32];
  snprintf(name, sizeof name, "demo_%d", index);
  hid_t demo = make_group(data, name);
  if (demo < 0) return false;
  hid_t obs = make_group(demo, "obs");
  bool good = obs >= 0 && H5Gclose(obs) >= 0;
  good = good && put_int(demo, "num_samples", e->frames) && put_reals(demo, "init_state", e->states, e->state_width);
  good = good && (e->episode < 0 || put_int(demo, "episode", e->episode));
  good = good && (!e->model_xml || put_text(demo, "model_file", e->model_xml));
  vlb_row rows[VLB_MAX_ROWS];
  int n = vlb_rows(VLB_WRITER_VLABENCH, e, rows);
  for (int i = 0; good && i < n; i++)
    if (rows[i].use != VLB_ROW_OPTIONAL || vlb_member_data(rows[i].member, e)) good = put_row(demo, &rows[i], e);
  return H5Gclose(demo) >= 0 && good;
}

/* What LIBERO's files say about themselves, and how many there are. */
static bool put_info(hid_t data, const vlb_task_info *info, const vlb_episode *episodes, int n) {
  int64_t total = 0;
  for (int i = 0; i < n; i++) total += episodes[i].frames;
  const vlb_embodiment *robot = episodes->embodiment;
  bool libero = robot == &vlb_panda;
  int size = episodes->image_size;
  json_t *env = json_pack("{s:i, s:s, s:s, s:{s:i, s:i, s:i}}", "type", 1, "env_name", info->env_name, "bddl_file",
                          info->bddl_file_name, "env_kwargs", "control_freq", robot->rate, "camera_heights", size, "camera_widths", size);
  json_t *problem = json_pack("{s:s, s:s, s:s}", "problem_name", info->env_name, "domain_name", libero ? "robosuite" : "vlabench",
                              "language_instruction", info->instruction);
  bool good = put_json(data, "env_args", env);
  good = put_json(data, "problem_info", problem) && good;
  return good && put_text(data, "bddl_file_name", info->bddl_file_name) && put_text(data, "env_name", info->env_name) &&
         put_text(data, "macros_image_convention", "opengl") && put_text(data, "tag", libero ? "libero-v1" : "vlabench-v1") &&
         put_text(data, "observation_time", info->observed_before ? "before" : "after") && put_int(data, "num_demos", n) &&
         put_int(data, "total", total) && (!*info->settings || put_text(data, "settings", info->settings));
}

/* What a reader of another robot's file needs; without it a file is the Panda's. */
static bool put_robot(hid_t data, const vlb_embodiment *robot) {
  static const char *const views[] = {[VLB_VIEW_ROTATED] = "rotated", [VLB_VIEW_MIRRORED] = "mirrored", [VLB_VIEW_UPRIGHT] = "upright"};
  return robot == &vlb_panda || (put_text(data, "embodiment", robot->name) && put_text(data, "view", views[robot->view]) &&
                                 put_int(data, "rate", robot->rate));
}

/* --- the file --- */

/* The file is built in memory: HDF5 cannot close a file whose disk is full (it crashes when the program ends), and
 * finished bytes can be written atomically like everything else. HDF5's "core" driver keeps the file in a buffer that these
 * callbacks own, so that it outlives the closing, which completes it. (H5Fget_file_image would spoil the checksum.) */
typedef struct {
  void *bytes;
  size_t size;
} memory_file;

static void *image_malloc(size_t size, H5FD_file_image_op_t op, void *self) {
  (void)op, (void)self;
  return malloc(size);
}

static void *image_memcpy(void *to, const void *from, size_t size, H5FD_file_image_op_t op, void *self) {
  (void)op, (void)self;
  return memcpy(to, from, size);
}

static void *image_realloc(void *bytes, size_t size, H5FD_file_image_op_t op, void *self) {
  (void)op, (void)self;
  return realloc(bytes, size);
}

static herr_t image_free(void *bytes, H5FD_file_image_op_t op, void *self) {
  memory_file *memory = self;
  free(op == H5FD_FILE_IMAGE_OP_FILE_CLOSE ? memory->bytes : bytes);
  if (op == H5FD_FILE_IMAGE_OP_FILE_CLOSE) memory->bytes = bytes;
  return 0;
}

static void *same_self(void *self) { return self; }

static herr_t keep_self(void *self) {
  (void)self;
  return 0;
}

static hid_t create_file(const char *name, memory_file *memory) {
  enum { GROWTH = 16 << 20 };
  H5FD_file_image_callbacks_t callbacks = {image_malloc, image_memcpy, image_realloc, image_free, same_self, keep_self, memory};
  hid_t create = timeless(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
  /* one format whatever the library: its checksums also make damage to the structure visible */
  bool good = create >= 0 && access >= 0 && H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0 &&
              H5Pset_fapl_core(access, GROWTH, 0) >= 0 && H5Pset_file_image_callbacks(access, &callbacks) >= 0;
  hid_t file = good ? H5Fcreate(name, H5F_ACC_TRUNC, create, access) : -1;
  H5Pclose(access);
  H5Pclose(create);
  return file;
}

/* The buffer grows in large steps; where the file ends is in its superblock (version 2, little-endian, HDF5 file format II.A). */
static size_t end_of_file(const void *bytes) {
  enum { END_ADDRESS = 28 };
  uint64_t end;
  memcpy(&end, (const char *)bytes + END_ADDRESS, sizeof end);
  return (size_t)end;
}

static bool build(const char *name, const vlb_task_info *info, const vlb_episode *episodes, int n, memory_file *memory) {
  hid_t file = create_file(name, memory);
  if (file < 0) return false;
  hid_t data = make_group(file, "data");
  bool good = data >= 0 && put_info(data, info, episodes, n) && put_robot(data, episodes->embodiment);
  for (int i = 0; good && i < n; i++) good = put_episode(data, i, &episodes[i]);
  if (data >= 0) good = H5Gclose(data) >= 0 && good;
  good = H5Fclose(file) >= 0 && good && memory->bytes;
  if (good) memory->size = end_of_file(memory->bytes);
  return good;
}

static vlb_code write_sealed(const char *path, const memory_file *memory, vlb_error *err) {
  char seal[VLB_SEAL_SIZE + 1];
  vlb_seal_make(memory->bytes, memory->size, seal);
  vlb_writer w;
  VLB_TRY(vlb_writer_open(&w, path, err));
  fwrite(memory->bytes, 1, memory->size, w.out);
  fwrite(seal, 1, VLB_SEAL_SIZE, w.out);
  return vlb_writer_commit(&w, err); /* which also says why a write failed */
}

vlb_code vlb_episodes_write(const char *path, const vlb_task_info *info, const vlb_episode *episodes, int n, vlb_error *err) {
  if (n < 1) return vlb_fail(err, VLB_FAILED, "%s: no episodes to write", path);
  for (int i = 0; i < n; i++)
    if (episodes[i].embodiment != episodes->embodiment)
      return vlb_fail(err, VLB_FAILED, "%s: episode %d is of another robot", path, i);
  for (int i = 0; i < n; i++)
    if (episodes[i].frames < 1 || episodes[i].state_width < 1 || episodes[i].image_size < 1)
      return vlb_fail(err, VLB_FAILED, "%s: episode %d is empty", path, i);
  memory_file memory = {NULL, 0};
  char temp[1100]; /* never made; but a file of this name would be read first */
  vlb_temp_name(path, temp, sizeof temp);
  vlb_hdf5_enter();
  bool good = build(temp, info, episodes, n, &memory);
  vlb_hdf5_leave();
  vlb_code code = good ? write_sealed(path, &memory, err)
                       : vlb_fail(err, VLB_FAILED, "%s: cannot build the file of %d episodes: out of memory, or a text is not UTF-8", path, n);
  free(memory.bytes);
  return code;
}
