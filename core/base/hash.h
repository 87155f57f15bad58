/* SHA-256 (OpenSSL libcrypto): names of cells, digests of inputs. */
#ifndef VLB_BASE_HASH_H
#define VLB_BASE_HASH_H

#include <stddef.h>

#include "core/base/status.h"

enum { VLB_HASH_SIZE = 65 }; /* 64 hexadecimal digits and the zero */

void vlb_hash(const void *data, size_t size, char out[VLB_HASH_SIZE]);
vlb_code vlb_hash_file(const char *path, char out[VLB_HASH_SIZE], vlb_error *err);

#endif
