/* Damaged input for readers: whatever the bytes are, a reader ends with success or with one clear line. */
#ifndef VLB_TEST_DAMAGE_H
#define VLB_TEST_DAMAGE_H

#include <stddef.h>

#include "core/base/status.h"

/* A reader under test: takes the file at `path`, frees everything it made, returns its code and fills err. */
typedef vlb_code (*vlb_reader)(const char *path, vlb_error *err);

/* Every proper prefix of the bytes (each `stride`-th length) must be refused. */
void damage_truncate(const char *name, const void *data, size_t size, size_t stride, vlb_reader read);

/* `rounds` copies with one to eight changed places: flipped bits, random bytes, copied or zeroed runs. The last `tail` bytes are
 * left alone; with a tail (a checksum) every change must be refused. */
void damage_flip(const char *name, const void *data, size_t size, size_t tail, int rounds, vlb_reader read);

#endif
