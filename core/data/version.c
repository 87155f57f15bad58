#include "core/data/version.h"

#include <hdf5.h>
#include <stdio.h>

const char *vlb_hdf5_version(char *buf, size_t size) {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  snprintf(buf, size, "%u.%u.%u", major, minor, release);
  return buf;
}
