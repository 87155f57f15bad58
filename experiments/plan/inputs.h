/* Digests of the data that a cell's outcome depends on. */
#ifndef VLB_PLAN_INPUTS_H
#define VLB_PLAN_INPUTS_H

#include "core/base/hash.h"

/* SHA-256 over the task files and scenes of a suite. */
vlb_code vlb_digest_suite(const char *name_or_folder, char out[VLB_HASH_SIZE], vlb_error *err);
vlb_code vlb_digest_tokenizer(char out[VLB_HASH_SIZE], vlb_error *err);

#endif
