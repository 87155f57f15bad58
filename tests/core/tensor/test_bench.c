/* The benchmark of single ops runs for both kinds and in both directions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/tensor/bench.h"

static void check(const vlb_bench_shape *shape) {
  vlb_bench_rate forward, backward;
  vlb_error err = {0};
  if (vlb_bench_op(shape, 0.001, &forward, &backward, &err)) fail_msg("%s", err.message);
  assert_true(forward.op > 0 && forward.raw > 0 && backward.op > 0 && backward.raw > 0);
}

static void test_both_kinds(void **state) {
  (void)state;
  check(&(vlb_bench_shape){.rows = 20, .in = 24, .out = 40});
  check(&(vlb_bench_shape){.batch = 2, .queries = 5, .keys = 9, .heads = 4, .kv_heads = 2, .head_dim = 8});
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_kinds)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
