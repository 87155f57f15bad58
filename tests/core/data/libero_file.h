/* Files in LIBERO's layout made with HDF5 directly, as h5py makes them, with one thing different at a time. */
#ifndef VLB_TEST_LIBERO_FILE_H
#define VLB_TEST_LIBERO_FILE_H

#include <stdbool.h>

typedef struct {
  const char *missing;      /* dataset left out, e.g. "obs/ee_pos" */
  const char *short_by_one; /* dataset with one frame too few */
  const char *wrong_width;  /* dataset with one column too many */
  const char *wrong_type;   /* integers for real numbers, and the other way round */
  const char *not_finite;   /* dataset with a NaN */
  const char *flat;         /* dataset with one dimension only */
  bool compressed;          /* a chunk per frame, shuffled, gzip */
  bool fixed_text;          /* attributes of fixed length */
  bool robomimic;           /* robomimic's names and types (libero.md 8.2) */
  const char *image_convention, *observation_time; /* attributes; NULL: left out */
  bool no_data, no_demos;   /* groups left out */
  int wrong_samples;        /* num_samples, 0: right */
  const char *problem_info; /* JSON; NULL: the usual */
} libero_variant;

enum { LIBERO_FRAMES = 4, LIBERO_STATE = 11, LIBERO_PIXELS = 6 };

/* Episodes demo_0, demo_2 and demo_10; actions[0][0] of demo_i is i / 100. */
void libero_file_make(const char *path, const libero_variant *v);

#endif
