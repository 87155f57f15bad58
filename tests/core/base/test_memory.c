/* Large blocks: zero, aligned, and refused when the machine does not have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"

static void test_blocks(void **state) {
  (void)state;
  static const size_t counts[] = {1, 16, 1000, 3 << 20};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    float *x = vlb_floats(counts[i]);
    assert_non_null(x);
    assert_int_equal((uintptr_t)x % 64, 0);
    for (size_t k = 0; k < counts[i]; k++) assert_true(x[k] == 0);
    free(x);
  }
}

/* More than is free, less than the kernel would promise: without the check this test is killed. */
static void test_no_memory(void **state) {
  (void)state;
  FILE *in = fopen("/proc/meminfo", "r");
  char line[128];
  size_t kilobytes = 0;
  assert_non_null(in);
  while (fgets(line, sizeof line, in)) sscanf(line, "MemAvailable: %zu kB", &kilobytes);
  fclose(in);
  assert_true(kilobytes > 0);
  assert_null(vlb_floats((kilobytes + kilobytes / 8) * 256));
  assert_null(vlb_floats(SIZE_MAX / sizeof(float)));
  assert_null(vlb_floats(SIZE_MAX));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_blocks), cmocka_unit_test(test_no_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
