/* A shared key: read from a file, never from the command line, where every program of the machine could see it. */
#ifndef VLB_WIRE_KEY_H
#define VLB_WIRE_KEY_H

#include "core/base/status.h"

enum { VLB_KEY_SIZE = 256 };

/* The first line of `path` into key; path NULL: "". Errors: VLB_FAILED when it cannot be read, VLB_USAGE when it is empty, too long, or not
 * printable ASCII. */
vlb_code vlb_key_read(const char *path, char key[VLB_KEY_SIZE], vlb_error *err);

#endif
