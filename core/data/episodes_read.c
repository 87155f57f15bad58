/* Reading of task files: ours and LIBERO's own. Nothing in the file is believed before it was checked. */
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

static void read_info(vlb_episode_file *f) {
  char when[16];
  copy_text(f->data, "observation_time", when, sizeof when);
  copy_text(f->data, "env_name", f->info.env_name, sizeof f->info.env_name);
  copy_text(f->data, "bddl_file_name", f->info.bddl_file_name, sizeof f->info.bddl_file_name);
  f->info.observed_before = !strcmp(when, "before");
  /* our files say exactly what was asked; in LIBERO's own the file name is the text that policies were trained on */
  bool ours = *when != 0;
  if (!ours && instruction_from_name(f->path, f->info.instruction, sizeof f->info.instruction)) return;
  instruction_from_problem(f->data, f->info.instruction, sizeof f->info.instruction);
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

static bool link_exists(hid_t at, const char *path) {
  const char *slash = strchr(path, '/');
  char first[64];
  snprintf(first, sizeof first, "%.*s", slash ? (int)(slash - path) : (int)strlen(path), path);
  return H5Lexists(at, first, H5P_DEFAULT) > 0 && (!slash || H5Lexists(at, path, H5P_DEFAULT) > 0);
}

static vlb_code open_dataset(place *p, hid_t group, vlb_error *err) {
  if (!link_exists(group, p->path)) return bad(p, err, "dataset is missing");
  p->set = H5Dopen2(group, p->path, H5P_DEFAULT);
  return p->set < 0 ? bad(p, err, "cannot open the dataset; the file is damaged") : VLB_OK;
}

static vlb_code check_type(const place *p, bool bytes, vlb_error *err) {
  hid_t type = H5Dget_type(p->set);
  H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
  size_t size = type < 0 ? 0 : H5Tget_size(type);
  if (type >= 0) H5Tclose(type);
  if (bytes && (class != H5T_INTEGER || size != 1)) return bad(p, err, "wrong type: 8-bit integers are needed");
  if (!bytes && class != H5T_FLOAT) return bad(p, err, "wrong type: floating-point numbers are needed");
  return VLB_OK;
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

static vlb_code read_row(place *p, hid_t group, const vlb_episode_row *row, const vlb_episode *e, vlb_error *err) {
  hsize_t want[4], have[4];
  int rank = vlb_row_shape(row, e, want);
  bool bytes = vlb_row_is_bytes(row);
  VLB_TRY(open_dataset(p, group, err));
  VLB_TRY(check_type(p, bytes, err));
  VLB_TRY(check_rank(p, rank, have, err));
  for (int i = 0; i < rank; i++)
    if (have[i] != want[i])
      return vlb_fail(err, VLB_FAILED, "%s: /data/%s/%s: size %llu instead of %llu in dimension %d", p->file->path, p->demo, p->path,
                      (unsigned long long)have[i], (unsigned long long)want[i], i);
  VLB_TRY(check_storage(p, rank, have, bytes ? 1 : sizeof(double), err));
  hid_t type = bytes ? H5T_NATIVE_UINT8 : H5T_NATIVE_DOUBLE;
  void *data = vlb_row_data(row, e);
  if (H5Dread(p->set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) return bad(p, err, "cannot read; the file is damaged");
  const double *x = data;
  for (hsize_t i = 0; !bytes && i < have[0] * have[1]; i++)
    if (!isfinite(x[i])) return bad(p, err, "holds a value that is not finite");
  return VLB_OK;
}

/* --- one episode --- */

/* The sizes that the other datasets must agree with. */
static vlb_code read_sizes(const vlb_episode_file *f, const char *demo, hid_t group, int sizes[3], vlb_error *err) {
  static const struct {
    const char *path;
    int rank, take, most;
  } from[] = {{"actions", 2, 0, MAX_FRAMES}, {"states", 2, 1, MAX_STATE}, {"obs/agentview_rgb", 4, 1, MAX_PIXELS}};
  for (int i = 0; i < 3; i++) {
    place p = {.file = f, .demo = demo, .path = from[i].path, .set = -1};
    hsize_t dims[4] = {0};
    vlb_code code = open_dataset(&p, group, err);
    if (!code) code = check_rank(&p, from[i].rank, dims, err);
    if (!code) code = check_storage(&p, from[i].rank, dims, 1, err);
    hsize_t n = dims[from[i].take];
    if (!code && (n < 1 || n > (hsize_t)from[i].most)) code = bad(&p, err, "is empty or too large");
    if (p.set >= 0) H5Dclose(p.set);
    if (code) return code;
    sizes[i] = (int)n;
  }
  int64_t samples = get_int(group, "num_samples", sizes[0]);
  if (samples != sizes[0])
    return vlb_fail(err, VLB_FAILED, "%s: /data/%s: num_samples is %lld, but there are %d actions", f->path, demo, (long long)samples,
                    sizes[0]);
  return VLB_OK;
}

static vlb_code read_group(const vlb_episode_file *f, const char *demo, hid_t group, bool with_images, vlb_episode *e, vlb_error *err) {
  int sizes[3];
  VLB_TRY(read_sizes(f, demo, group, sizes, err));
  VLB_TRY(vlb_episode_alloc(e, sizes[0], sizes[1], with_images ? sizes[2] : 0, err));
  for (const vlb_episode_row *row = vlb_episode_rows; row->path; row++) {
    if (row->kind == VLB_ROW_PIXELS && !with_images) continue;
    place p = {.file = f, .demo = demo, .path = row->path, .set = -1};
    vlb_code code = read_row(&p, group, row, e, err);
    if (p.set >= 0) H5Dclose(p.set);
    if (code) return code;
  }
  e->image_size = sizes[2];
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
  read_info(f);
  return VLB_OK;
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
