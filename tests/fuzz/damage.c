#include "damage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"

static void put_file(const char *name, const void *data, size_t size) {
  FILE *out = fopen(name, "wb");
  assert_non_null(out);
  assert_int_equal(fwrite(data, 1, size, out), size);
  assert_int_equal(fclose(out), 0);
}

/* The law of messages: one line, the place first, and a documented code. */
static void check_message(const char *name, vlb_code code, const vlb_error *err) {
  assert_true(code == VLB_FAILED || code == VLB_USAGE);
  assert_int_equal(err->code, code);
  assert_memory_equal(err->message, name, strlen(name));
  assert_null(strchr(err->message, '\n'));
}

void damage_truncate(const char *name, const void *data, size_t size, size_t stride, vlb_reader read) {
  for (size_t n = 0; n < size; n += stride) {
    put_file(name, data, n);
    vlb_error err = {VLB_OK, ""};
    vlb_code code = read(name, &err);
    if (code == VLB_OK) fail_msg("%s: the first %zu of %zu bytes were accepted", name, n, size);
    check_message(name, code, &err);
  }
}

static void change(vlb_rng *rng, unsigned char *bytes, size_t size) {
  size_t at = vlb_rng_below(rng, (uint32_t)size), from = vlb_rng_below(rng, (uint32_t)size);
  size_t room = size - (at > from ? at : from), run = 1 + vlb_rng_below(rng, 16);
  if (run > room) run = room;
  switch (vlb_rng_below(rng, 5)) {
    case 0: bytes[at] ^= (unsigned char)(1u << vlb_rng_below(rng, 8)); break;
    case 1: bytes[at] = (unsigned char)vlb_rng_u32(rng); break;
    case 2: memset(bytes + at, 0, run); break;
    case 3: memset(bytes + at, 0xff, run); break;
    default: memmove(bytes + at, bytes + from, run); break;
  }
}

void damage_flip(const char *name, const void *data, size_t size, size_t tail, int rounds, vlb_reader read) {
  unsigned char *bytes = malloc(size);
  assert_non_null(bytes);
  for (int round = 0; round < rounds; round++) {
    vlb_rng rng = vlb_rng_make(1, VLB_RNG_TEST, (uint32_t)round, 0);
    memcpy(bytes, data, size);
    for (uint32_t k = 0, n = 1 + vlb_rng_below(&rng, 8); k < n; k++) change(&rng, bytes, size - tail);
    put_file(name, bytes, size);
    vlb_error err = {VLB_OK, ""};
    vlb_code code = read(name, &err);
    if (code) check_message(name, code, &err);
    else if (tail && memcmp(bytes, data, size)) fail_msg("%s: round %d: a change was not noticed", name, round);
  }
  free(bytes);
}
