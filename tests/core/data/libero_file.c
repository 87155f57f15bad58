#include "libero_file.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is(const char *a, const char *b) { return a && !strcmp(a, b); }

static void put_text(hid_t at, const char *name, const char *text, bool fixed) {
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, fixed ? strlen(text) : H5T_VARIABLE);
  H5Tset_strpad(type, fixed ? H5T_STR_NULLPAD : H5T_STR_NULLTERM);
  if (!fixed) H5Tset_cset(type, H5T_CSET_UTF8);
  hid_t attr = H5Acreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attr, type, fixed ? (const void *)text : (const void *)&text);
  H5Aclose(attr);
  H5Sclose(space);
  H5Tclose(type);
}

static void put_int(hid_t at, const char *name, long value) {
  hid_t space = H5Screate(H5S_SCALAR), attr = H5Acreate2(at, name, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Awrite(attr, H5T_NATIVE_LONG, &value);
  H5Aclose(attr);
  H5Sclose(space);
}

typedef struct {
  const libero_variant *v;
  hid_t demo;
  int number;
} maker;

/* rank 1: [T], 2: [T,width], 4: [T,width,width,3] */
static void put(const maker *m, const char *path, int rank, int width, bool bytes) {
  const libero_variant *v = m->v;
  if (is(v->missing, path)) return;
  if (is(v->wrong_width, path)) width++;
  if (is(v->flat, path)) rank = 1;
  if (is(v->wrong_type, path)) bytes = !bytes;
  hsize_t dims[4] = {LIBERO_FRAMES - is(v->short_by_one, path), (hsize_t)width, (hsize_t)width, 3};
  size_t count = 1;
  for (int i = 0; i < rank; i++) count *= (size_t)dims[i];
  double *x = malloc(count * sizeof *x);
  for (size_t i = 0; i < count; i++) x[i] = bytes ? (double)(i % 251) : (double)i * 0.001;
  x[0] = m->number / 100.0;
  if (is(v->not_finite, path)) x[count - 1] = NAN;
  hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, dims, NULL);
  if (v->compressed) {
    hsize_t chunk[4] = {1, dims[1], dims[2], dims[3]};
    H5Pset_chunk(list, rank, chunk);
    H5Pset_shuffle(list);
    H5Pset_deflate(list, 4);
  }
  hid_t set = H5Dcreate2(m->demo, path, bytes ? H5T_STD_U8LE : H5T_IEEE_F64LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
  H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
  H5Dclose(set);
  H5Sclose(space);
  H5Pclose(list);
  free(x);
}

static void put_libero(const maker *m) {
  put(m, "robot_states", 2, 9, false);
  put(m, "rewards", 1, 0, true);
  put(m, "dones", 1, 0, true);
  put(m, "obs/ee_states", 2, 6, false);
  put(m, "obs/ee_pos", 2, 3, false);
  put(m, "obs/ee_ori", 2, 3, false);
  put(m, "obs/gripper_states", 2, 2, false);
  put(m, "obs/joint_states", 2, 7, false);
  put(m, "obs/agentview_rgb", 4, LIBERO_PIXELS, true);
  put(m, "obs/eye_in_hand_rgb", 4, LIBERO_PIXELS, true);
}

static void put_robomimic(const maker *m) {
  put(m, "rewards", 1, 0, false);
  put(m, "dones", 1, 0, true);
  put(m, "obs/object", 2, 10, false);
  put(m, "obs/robot0_eef_pos", 2, 3, false);
  put(m, "obs/robot0_eef_quat", 2, 4, false);
  put(m, "obs/robot0_gripper_qpos", 2, 2, false);
  put(m, "obs/robot0_joint_pos", 2, 7, false);
  put(m, "obs/agentview_image", 4, LIBERO_PIXELS, true);
  put(m, "obs/robot0_eye_in_hand_image", 4, LIBERO_PIXELS, true);
}

static void put_demo(hid_t data, int number, const libero_variant *v) {
  char name[32];
  snprintf(name, sizeof name, "demo_%d", number);
  maker m = {v, H5Gcreate2(data, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), number};
  H5Gclose(H5Gcreate2(m.demo, "obs", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  put_int(m.demo, "num_samples", v->wrong_samples ? v->wrong_samples : LIBERO_FRAMES);
  put_text(m.demo, "model_file", "<mujoco model=\"base\"/>", v->fixed_text);
  put(&m, "actions", 2, 7, false);
  put(&m, "states", 2, LIBERO_STATE, false);
  if (v->robomimic) put_robomimic(&m);
  else put_libero(&m);
  H5Gclose(m.demo);
}

void libero_file_make(const char *path, const libero_variant *v) {
  static const char usual[] = "{\"problem_name\": \"p\", \"language_instruction\": \"turn on the stove\"}";
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  if (!v->no_data) {
    hid_t data = H5Gcreate2(file, "data", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (v->robomimic) {
      put_text(data, "env_args", "{\"env_name\": \"Lift\", \"type\": 1, \"env_kwargs\": {}}", v->fixed_text);
    } else {
      put_text(data, "env_name", "Libero_Kitchen_Tabletop_Manipulation", v->fixed_text);
      put_text(data, "bddl_file_name", "libero/bddl/x.bddl", v->fixed_text);
      put_text(data, "problem_info", v->problem_info ? v->problem_info : usual, v->fixed_text);
      put_text(data, "tag", "libero-v1", v->fixed_text);
    }
    if (v->image_convention) put_text(data, "macros_image_convention", v->image_convention, v->fixed_text);
    if (v->observation_time) put_text(data, "observation_time", v->observation_time, v->fixed_text);
    H5Gclose(H5Gcreate2(data, "demos_of_another_kind", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    static const int numbers[] = {10, 0, 2};
    for (int i = 0; !v->no_demos && i < 3; i++) put_demo(data, numbers[i], v);
    H5Gclose(data);
  }
  H5Fclose(file);
}
