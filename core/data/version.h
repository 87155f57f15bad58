/* Version of HDF5, as loaded. */
#ifndef VLB_DATA_VERSION_H
#define VLB_DATA_VERSION_H

#include <stddef.h>

/* "1.10.8" into buf. Returns buf. */
const char *vlb_hdf5_version(char *buf, size_t size);

#endif
