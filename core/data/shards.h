/* The tensors of a model folder: model.safetensors, or the files that model.safetensors.index.json lists (specification 4.1). */
#ifndef VLB_DATA_SHARDS_H
#define VLB_DATA_SHARDS_H

#include "core/data/safetensors.h"

typedef struct vlb_shards vlb_shards;

/* Errors (VLB_FAILED): neither file, a damaged index, a shard that cannot be opened (vlb_safetensors_open), a name in two shards. */
vlb_code vlb_shards_open(const char *folder, vlb_shards **shards, vlb_error *err);
vlb_code vlb_shards_of(vlb_safetensors *file, vlb_shards **shards, vlb_error *err); /* one file, which is taken over, also on failure */
void vlb_shards_close(vlb_shards *shards);
const vlb_st_entry *vlb_shards_find(const vlb_shards *shards, const char *name); /* NULL: none */
int vlb_shards_count(const vlb_shards *shards);                                  /* tensors of all files */
const vlb_st_entry *vlb_shards_at(const vlb_shards *shards, int i);              /* file by file, by name within a file */

#endif
