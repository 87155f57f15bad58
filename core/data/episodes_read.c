/* Reading of task files: ours, LIBERO's own and robomimic's. Nothing in the file is believed before it was checked. */
#include <ctype.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/data/episodes.h"
#include "core/data/episodes_layout.h"

enum { MAX_FRAMES = 1000000, MAX_STATE = 100000, MAX_PIXELS = 8192, MAX_DEMOS = 1000000, MAX_TEXT = 64 << 20 };

struct vlb_episode_file {
  char path[1024];
  hid_t file, data;
  int count;
  int *numbers; /* of demo_<i>, ascending */
  vlb_task_info info;
};

/* --- attributes --- */

/* Text of an open attribute, fixed or variable length; malloc'd, NULL when it is not a text. */
static char *attribute_text(hid_t attr, hid_t type) {
  if (H5Tget_class(type) != H5T_STRING || H5Aget_storage_size(attr) > MAX_TEXT) return NULL;
  hid_t space = H5Aget_space(attr);
  hssize_t points = space < 0 ? 0 : H5Sget_simple_extent_npoints(space);
  H5Sclose(space);
  if (points != 1) return NULL;
  if (H5Tis_variable_str(type) > 0) {
    char *shared = NULL;
    if (H5Aread(attr, type, &shared) < 0 || !shared) return NULL;
    char *text = strdup(shared);
    H5free_memory(shared);
    return text;
  }
  char *text = calloc(H5Tget_size(type) + 1, 1);
  if (text && H5Aread(attr, type, text) < 0) {
    free(text);
    return NULL;
  }
  return text;
}

static char *get_text(hid_t at, const char *name) {
  if (H5Aexists(at, name) <= 0) return NULL;
  hid_t attr = H5Aopen(at, name, H5P_DEFAULT);
  hid_t type = attr < 0 ? -1 : H5Aget_type(attr);
  char *text = type < 0 ? NULL : attribute_text(attr, type);
  if (type >= 0) H5Tclose(type);
  if (attr >= 0) H5Aclose(attr);
  return text;
}

static void copy_text(hid_t at, const char *name, char *out, size_t size) {
  char *text = get_text(at, name);
  snprintf(out, size, "%s", text ? text : "");
  free(text);
}

/* A scalar integer attribute, or `absent`. */
static int64_t get_int(hid_t at, const char *name, int64_t absent) {
  int64_t value = absent;
  if (H5Aexists(at, name) <= 0) return absent;
  hid_t attr = H5Aopen(at, name, H5P_DEFAULT);
  if (attr < 0) return absent;
  hid_t space = H5Aget_space(attr), type = H5Aget_type(attr);
  bool scalar = H5Sget_simple_extent_npoints(space) == 1 && H5Tget_class(type) == H5T_INTEGER;
  if (!scalar || H5Aread(attr, H5T_NATIVE_INT64, &value) < 0) value = absent;
  H5Tclose(type);
  H5Sclose(space);
  H5Aclose(attr);
  return value;
}

/* --- the instruction --- */

/* LIBERO's rule: the file name without "_demo.hdf5" and without "KITCHEN_SCENE3_", underscores to blanks. */
static bool instruction_from_name(const char *path, char *out, size_t size) {
  const char *name = strrchr(path, '/'), *ending = "_demo.hdf5";
  name = name ? name + 1 : path;
  size_t length = strlen(name), tail = strlen(ending);
  if (length <= tail || strcmp(name + length - tail, ending)) return false;
  const char *scene = isupper((unsigned char)*name) ? strstr(name, "SCENE") : NULL;
  const char *rest = scene ? strchr(scene, '_') : NULL;
  if (rest && rest + 1 < name + length - tail) name = rest + 1;
  snprintf(out, size, "%.*s", (int)(strlen(name) - tail), name);
  for (char *p = out; *p; p++)
    if (*p == '_') *p = ' ';
  return true;
}

/* problem_info.language_instruction: a string, a quoted string, or a list of words. */
static void instruction_from_problem(hid_t data, char *out, size_t size) {
  char *text = get_text(data, "problem_info");
  json_t *problem = text ? json_loads(text, 0, NULL) : NULL;
  const json_t *value = json_object_get(problem, "language_instruction");
  *out = 0;
  for (size_t i = 0; i < json_array_size(value); i++) {
    const char *word = json_string_value(json_array_get(value, i));
    size_t used = strlen(out);
    if (word) snprintf(out + used, size - used, "%s%s", used ? " " : "", word);
  }
  if (json_is_string(value)) snprintf(out, size, "%s", json_string_value(value));
  size_t n = strlen(out);
  if (n >= 2 && out[0] == '"' && out[n - 1] == '"') {
    memmove(out, out + 1, n - 2);
    out[n - 2] = 0;
  }
  json_decref(problem);
  free(text);
}

/* --- the list of episodes --- */

static int ascending(const void *a, const void *b) {
  int x = *(const int *)a, y = *(const int *)b;
  return (x > y) - (x < y);
}

/* Number of a link called demo_<number>, or -1. */
static int demo_number(hid_t data, hsize_t index) {
  char name[64];
  if (H5Lget_name_by_idx(data, ".", H5_INDEX_NAME, H5_ITER_INC, index, name, sizeof name, H5P_DEFAULT) < 0) return -1;
  if (strncmp(name, "demo_", 5) || !isdigit((unsigned char)name[5])) return -1;
  char *end;
  long number = strtol(name + 5, &end, 10);
  return *end || number > INT_MAX ? -1 : (int)number;
}

static vlb_code list_demos(vlb_episode_file *f, vlb_error *err) {
  H5G_info_t group;
  if (H5Gget_info(f->data, &group) < 0 || group.nlinks > MAX_DEMOS)
    return vlb_fail(err, VLB_FAILED, "%s: cannot list /data; the file is damaged", f->path);
  f->numbers = malloc((size_t)(group.nlinks + 1) * sizeof *f->numbers);
  if (!f->numbers) return vlb_fail(err, VLB_FAILED, "%s: out of memory", f->path);
  for (hsize_t i = 0; i < group.nlinks; i++) {
    int number = demo_number(f->data, i);
    if (number >= 0) f->numbers[f->count++] = number;
  }
  if (!f->count) return vlb_fail(err, VLB_FAILED, "%s: no episodes: /data has no demo_0, demo_1, ...", f->path);
  qsort(f->numbers, (size_t)f->count, sizeof *f->numbers, ascending);
  return VLB_OK;
}

/* --- whose file it is, and its conventions --- */

static bool link_exists(hid_t at, const char *path) {
  const char *slash = strchr(path, '/');
  char first[64];
  snprintf(first, sizeof first, "%.*s", slash ? (int)(slash - path) : (int)strlen(path), path);
  return H5Lexists(at, first, H5P_DEFAULT) > 0 && (!slash || H5Lexists(at, path, H5P_DEFAULT) > 0);
}

/* robomimic's names of what the robot is, wherever they stand in the first episode. */
static bool is_robomimic(const vlb_episode_file *f) {
  char path[64];
  snprintf(path, sizeof path, "demo_%d", f->numbers[0]);
  hid_t demo = H5Gopen2(f->data, path, H5P_DEFAULT);
  bool found = demo >= 0 && link_exists(demo, "obs/robot0_eef_pos");
  if (demo >= 0) H5Gclose(demo);
  return found;
}

/* One of two words into *second, where the attribute is present. */
static vlb_code read_choice(const vlb_episode_file *f, const char *name, const char *first, const char *other, bool *second, vlb_error *err) {
  char word[32];
  copy_text(f->data, name, word, sizeof word);
  if (!*word) return VLB_OK;
  if (strcmp(word, first) && strcmp(word, other))
    return vlb_fail(err, VLB_FAILED, "%s: %s is \"%s\"; known are \"%s\" and \"%s\"", f->path, name, word, first, other);
  *second = !strcmp(word, other);
  return VLB_OK;
}

static vlb_code read_conventions(vlb_episode_file *f, vlb_error *err) {
  char robot[32];
  vlb_task_info *info = &f->info;
  bool ours = H5Aexists(f->data, "observation_time") > 0;
  info->writer = is_robomimic(f) ? VLB_WRITER_ROBOMIMIC : ours ? VLB_WRITER_VLABENCH : VLB_WRITER_LIBERO;
  info->observed_before = info->upright = info->writer == VLB_WRITER_ROBOMIMIC;
  VLB_TRY(read_choice(f, "observation_time", "after", "before", &info->observed_before, err));
  VLB_TRY(read_choice(f, "macros_image_convention", "opengl", "opencv", &info->upright, err));
  copy_text(f->data, "embodiment", robot, sizeof robot);
  info->embodiment = &vlb_panda;
  return *robot && vlb_embodiment_find(robot, &info->embodiment, err) ? vlb_fail_at(err, "%s", f->path) : VLB_OK;
}

/* robomimic's files say only which environment it was. */
static void instruction_from_environment(const vlb_episode_file *f, char *out, size_t size) {
  char *text = get_text(f->data, "env_args");
  json_t *env = text ? json_loads(text, 0, NULL) : NULL;
  const char *name = json_string_value(json_object_get(env, "env_name"));
  if (name) snprintf(out, size, "%s", name);
  json_decref(env);
  free(text);
}

static vlb_code read_info(vlb_episode_file *f, vlb_error *err) {
  vlb_task_info *info = &f->info;
  VLB_TRY(read_conventions(f, err));
  copy_text(f->data, "env_name", info->env_name, sizeof info->env_name);
  copy_text(f->data, "bddl_file_name", info->bddl_file_name, sizeof info->bddl_file_name);
  copy_text(f->data, "settings", info->settings, sizeof info->settings);
  /* our files say exactly what was asked; in LIBERO's own the file name is the text that policies were trained on */
  if (info->writer != VLB_WRITER_VLABENCH && instruction_from_name(f->path, info->instruction, sizeof info->instruction)) return VLB_OK;
  instruction_from_problem(f->data, info->instruction, sizeof info->instruction);
  if (!*info->instruction && info->writer == VLB_WRITER_ROBOMIMIC) instruction_from_environment(f, info->instruction, sizeof info->instruction);
  return VLB_OK;
}

/* --- one dataset --- */

/* What every check of a dataset needs. */
typedef struct {
  const vlb_episode_file *file;
  const char *demo, *path;
  hid_t set;
} place;

static vlb_code bad(const place *p, vlb_error *err, const char *what) {
  return vlb_fail(err, VLB_FAILED, "%s: /data/%s/%s: %s", p->file->path, p->demo, p->path, what);
}

static vlb_code open_dataset(place *p, hid_t group, vlb_error *err) {
  if (!link_exists(group, p->path)) return bad(p, err, "dataset is missing");
  p->set = H5Dopen2(group, p->path, H5P_DEFAULT);
  return p->set < 0 ? bad(p, err, "cannot open the dataset; the file is damaged") : VLB_OK;
}

/* Pixels are bytes; flags may be any numbers (robomimic's rewards are real). */
static vlb_code check_type(const place *p, int member, vlb_error *err) {
  hid_t type = H5Dget_type(p->set);
  H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
  size_t size = type < 0 ? 0 : H5Tget_size(type);
  if (type >= 0) H5Tclose(type);
  bool whole = class == H5T_INTEGER, real = class == H5T_FLOAT;
  if (member >= VLB_IN_IMAGE) return whole && size == 1 ? VLB_OK : bad(p, err, "wrong type: 8-bit integers are needed");
  if (vlb_member_is_bytes(member)) return whole || real ? VLB_OK : bad(p, err, "wrong type: numbers are needed");
  return real ? VLB_OK : bad(p, err, "wrong type: floating-point numbers are needed");
}

/* Dimensions of the dataset in dims; wrong ranks and sizes that cannot be real are refused. */
static vlb_code check_rank(const place *p, int rank, hsize_t dims[4], vlb_error *err) {
  hid_t space = H5Dget_space(p->set);
  int found = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
  if (found == rank) H5Sget_simple_extent_dims(space, dims, NULL);
  if (space >= 0) H5Sclose(space);
  if (found != rank) return bad(p, err, "wrong number of dimensions");
  return VLB_OK;
}

/* Memory is only given to data that the file really holds (compression gains at most a factor of about 1030). */
static vlb_code check_storage(const place *p, int rank, const hsize_t *dims, size_t element, vlb_error *err) {
  double bytes = (double)element;
  for (int i = 0; i < rank; i++) bytes *= (double)dims[i];
  double stored = (double)H5Dget_storage_size(p->set);
  return bytes > 1100.0 * stored ? bad(p, err, "data is missing; the file is damaged") : VLB_OK;
}

static vlb_code check_finite(const place *p, const vlb_row *row, const vlb_episode *e, vlb_error *err) {
  if (vlb_member_is_bytes(row->member)) return VLB_OK;
  int width = vlb_member_columns(row->member, e);
  const double *x = vlb_member_data(row->member, e);
  for (int t = 0; t < e->frames; t++, x += width)
    for (int i = row->first; i < row->first + row->columns; i++)
      if (!isfinite(x[i])) return bad(p, err, "holds a value that is not finite");
  return VLB_OK;
}

static vlb_code read_row(place *p, hid_t group, const vlb_row *row, const vlb_episode *e, vlb_error *err) {
  hsize_t want[4], have[4];
  int rank = vlb_row_shape(row, e, want);
  bool bytes = vlb_member_is_bytes(row->member);
  VLB_TRY(open_dataset(p, group, err));
  VLB_TRY(check_type(p, row->member, err));
  VLB_TRY(check_rank(p, rank, have, err));
  for (int i = 0; i < rank; i++)
    if (have[i] != want[i])
      return vlb_fail(err, VLB_FAILED, "%s: /data/%s/%s: size %llu instead of %llu in dimension %d", p->file->path, p->demo, p->path,
                      (unsigned long long)have[i], (unsigned long long)want[i], i);
  VLB_TRY(check_storage(p, rank, have, bytes ? 1 : sizeof(double), err));
  hid_t type = bytes ? H5T_NATIVE_UINT8 : H5T_NATIVE_DOUBLE, space = vlb_row_space(row, e);
  bool good = space >= 0 && H5Dread(p->set, type, space, H5S_ALL, H5P_DEFAULT, vlb_member_data(row->member, e)) >= 0;
  if (space >= 0) H5Sclose(space);
  return good ? check_finite(p, row, e, err) : bad(p, err, "cannot read; the file is damaged");
}

/* --- one episode --- */

/* The size along `axis` of one dataset, which the others must agree with. */
static vlb_code read_size(const vlb_episode_file *f, const char *demo, hid_t group, const vlb_row *row, int axis, int most, int *out,
                          vlb_error *err) {
  place p = {.file = f, .demo = demo, .path = row->path, .set = -1};
  hsize_t dims[4] = {0};
  int rank = row->member >= VLB_IN_IMAGE ? 4 : 2;
  vlb_code code = open_dataset(&p, group, err);
  if (!code) code = check_rank(&p, rank, dims, err);
  if (!code) code = check_storage(&p, rank, dims, 1, err);
  if (!code && (dims[axis] < 1 || dims[axis] > (hsize_t)most)) code = bad(&p, err, "is empty or too large");
  if (p.set >= 0) H5Dclose(p.set);
  *out = (int)dims[axis];
  return code;
}

/* Frames, width of a state and pixels into e, which is not allocated yet. */
static vlb_code read_sizes(const vlb_episode_file *f, const char *demo, hid_t group, vlb_episode *e, vlb_error *err) {
  vlb_row rows[VLB_MAX_ROWS];
  int n = vlb_rows(f->info.writer, e, rows);
  for (int i = 0; i < n; i++) {
    if (rows[i].member == VLB_IN_ACTIONS) VLB_TRY(read_size(f, demo, group, &rows[i], 0, MAX_FRAMES, &e->frames, err));
    if (rows[i].member == VLB_IN_STATES) VLB_TRY(read_size(f, demo, group, &rows[i], 1, MAX_STATE, &e->state_width, err));
    if (rows[i].member == VLB_IN_IMAGE) VLB_TRY(read_size(f, demo, group, &rows[i], 1, MAX_PIXELS, &e->image_size, err));
  }
  int64_t samples = get_int(group, "num_samples", e->frames);
  if (samples != e->frames)
    return vlb_fail(err, VLB_FAILED, "%s: /data/%s: num_samples is %lld, but there are %d actions", f->path, demo, (long long)samples,
                    e->frames);
  return VLB_OK;
}

static vlb_code read_rows(const vlb_episode_file *f, const char *demo, hid_t group, vlb_episode *e, vlb_error *err) {
  vlb_row rows[VLB_MAX_ROWS];
  int n = vlb_rows(f->info.writer, e, rows);
  for (int i = 0; i < n; i++) {
    if (rows[i].use == VLB_ROW_WRITTEN || !rows[i].columns) continue; /* no columns: pictures that nobody wants */
    if (rows[i].use == VLB_ROW_OPTIONAL && !link_exists(group, rows[i].path)) continue;
    place p = {.file = f, .demo = demo, .path = rows[i].path, .set = -1};
    vlb_code code = read_row(&p, group, &rows[i], e, err);
    if (p.set >= 0) H5Dclose(p.set);
    if (code) return code;
  }
  return VLB_OK;
}

/* Rows of every picture in reverse order. */
static void turn_over(vlb_episode *e) {
  size_t line = (size_t)e->image_size * 3, picture = line * (size_t)e->image_size;
  for (int c = 0; c < e->embodiment->cameras; c++)
    for (uint8_t *at = e->image[c], *end = at + picture * (size_t)e->frames; at < end; at += picture)
      for (uint8_t *low = at, *high = at + picture - line; low < high; low += line, high -= line)
        for (size_t i = 0; i < line; i++) {
          uint8_t kept = low[i];
          low[i] = high[i];
          high[i] = kept;
        }
}

/* What LIBERO's files say and robomimic's do not: the orientation as an axis-angle, the robot's state in one piece. */
static void complete_panda(vlb_episode *e, bool has_joints) {
  for (int t = 0; t < e->frames; t++) {
    double *state = e->state + (size_t)t * 8, *robot = e->robot_states + (size_t)t * 9;
    vlb_axis_angle(robot + 5, state + 3);
    memcpy(robot, state + 6, 2 * sizeof *robot);
    memcpy(robot + 2, state, 3 * sizeof *robot);
  }
  if (has_joints) return;
  free(e->joints);
  e->joints = NULL;
}

static vlb_code read_group(const vlb_episode_file *f, const char *demo, hid_t group, bool with_images, vlb_episode *e, vlb_error *err) {
  vlb_episode sizes = {.embodiment = f->info.embodiment};
  VLB_TRY(read_sizes(f, demo, group, &sizes, err));
  VLB_TRY(vlb_episode_alloc(e, sizes.embodiment, sizes.frames, sizes.state_width, with_images ? sizes.image_size : 0, err));
  VLB_TRY(read_rows(f, demo, group, e, err));
  if (with_images && f->info.upright) turn_over(e);
  if (f->info.writer == VLB_WRITER_ROBOMIMIC || !link_exists(group, "applied_actions")) vlb_episode_drop_applied(e);
  if (f->info.writer == VLB_WRITER_ROBOMIMIC) complete_panda(e, link_exists(group, "obs/robot0_joint_pos"));
  e->image_size = sizes.image_size;
  int64_t episode = get_int(group, "episode", -1);
  e->episode = episode >= 0 && episode <= INT_MAX ? (int)episode : -1;
  e->model_xml = get_text(group, "model_file");
  return VLB_OK;
}

vlb_code vlb_episodes_read(vlb_episode_file *f, int i, bool with_images, vlb_episode *e, vlb_error *err) {
  *e = (vlb_episode){0};
  if (i < 0 || i >= f->count) return vlb_fail(err, VLB_FAILED, "%s: no episode %d; it holds 0 to %d", f->path, i, f->count - 1);
  char demo[32];
  snprintf(demo, sizeof demo, "demo_%d", f->numbers[i]);
  vlb_hdf5_enter();
  hid_t group = H5Gopen2(f->data, demo, H5P_DEFAULT);
  vlb_code code = group < 0 ? vlb_fail(err, VLB_FAILED, "%s: /data/%s: cannot open the group; the file is damaged", f->path, demo)
                            : read_group(f, demo, group, with_images, e, err);
  if (group >= 0) H5Gclose(group);
  vlb_hdf5_leave();
  if (code) vlb_episode_free(e);
  return code;
}

/* --- the file --- */

static vlb_code open_file(vlb_episode_file *f, vlb_error *err) {
  f->file = H5Fopen(f->path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (f->file < 0) return vlb_fail(err, VLB_FAILED, "%s: not an HDF5 file, or truncated", f->path);
  f->data = H5Lexists(f->file, "data", H5P_DEFAULT) > 0 ? H5Gopen2(f->file, "data", H5P_DEFAULT) : -1;
  if (f->data < 0) return vlb_fail(err, VLB_FAILED, "%s: no group /data; it is not a file of episodes", f->path);
  VLB_TRY(list_demos(f, err));
  return read_info(f, err);
}

vlb_code vlb_episodes_open(const char *path, vlb_episode_file **file, vlb_error *err) {
  *file = NULL;
  VLB_TRY(vlb_seal_check(path, err));
  vlb_episode_file *f = calloc(1, sizeof *f);
  if (!f) return vlb_fail(err, VLB_FAILED, "%s: out of memory", path);
  f->file = f->data = -1;
  vlb_code code = vlb_path(f->path, sizeof f->path, err, "%s", path);
  if (!code) {
    vlb_hdf5_enter();
    code = open_file(f, err);
    vlb_hdf5_leave();
  }
  if (code) vlb_episodes_close(f);
  else *file = f;
  return code;
}

void vlb_episodes_close(vlb_episode_file *f) {
  if (!f) return;
  vlb_hdf5_enter();
  if (f->data >= 0) H5Gclose(f->data);
  if (f->file >= 0) H5Fclose(f->file);
  vlb_hdf5_leave();
  free(f->numbers);
  free(f);
}

int vlb_episodes_count(const vlb_episode_file *f) { return f->count; }
const vlb_task_info *vlb_episodes_info(const vlb_episode_file *f) { return &f->info; }
