/* What the libFuzzer targets share. Each takes any bytes as the content of a file and must end with success or with one clear line. */
#ifndef VLB_FUZZ_TARGET_H
#define VLB_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); /* libFuzzer's name */

/* the law of messages: one line, and a documented code */
static inline void check_end(vlb_code code, const vlb_error *err) {
  if (!code) return;
  if ((code != VLB_FAILED && code != VLB_USAGE) || err->code != code || !err->message[0] || strchr(err->message, '\n')) {
    fprintf(stderr, "not a clear end: code %d, \"%s\"\n", (int)code, err->message);
    abort();
  }
}

#endif
