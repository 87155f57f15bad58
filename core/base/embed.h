/* Data files compiled into the program (CMake function vlb_embed). */
#ifndef VLB_BASE_EMBED_H
#define VLB_BASE_EMBED_H

#include <stddef.h>

typedef struct {
  const char *path;          /* relative to the repository root */
  const unsigned char *data; /* `size` bytes and a closing zero */
  size_t size;
} vlb_embedded;

#endif
