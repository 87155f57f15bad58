/* Learning rates: the values of the specification's section 17.3 to full double precision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "core/train/train.h"

static vlb_train_config settings(int64_t steps) {
  vlb_train_config c;
  vlb_fields_default(vlb_train_fields, &c);
  c.steps = steps;
  return c;
}

/* one unit in the last place: cos differs by that much between C libraries */
static void check(const vlb_train_config *c, int64_t s, double expected) {
  double lr = vlb_learning_rate(c, s);
  if (fabs(lr - expected) > expected * 0x1p-52) fail_msg("step %d: %.17g, expected %.17g", (int)s, lr, expected);
}

static void test_full_length(void **state) {
  (void)state;
  const int64_t lengths[] = {30000, 100000};
  for (int i = 0; i < 2; i++) {
    vlb_train_config c = settings(lengths[i]);
    check(&c, 0, 9.990009990009991e-08);
    check(&c, 1, 1.9980019980019304e-07);
    check(&c, 24, 2.4975024975025017e-06);
    check(&c, 500, 5.0049950049950055e-05);
    check(&c, 999, 9.990009990009991e-05);
    check(&c, 1000, 9.973294239920334e-05);
    check(&c, 5000, 9.34687384344914e-05);
    check(&c, 15000, 5.125e-05);
    check(&c, 30000, 2.5e-06);
    check(&c, 99999, 2.5e-06);
  }
}

static void test_squeezed(void **state) {
  (void)state;
  vlb_train_config c = settings(20000);
  check(&c, 0, 1.4992503748125936e-07);
  check(&c, 666, 9.973347576037485e-05);
  check(&c, 20000, 2.5e-06);
}

/* 29/100 is rounded before it multiplies 100: the warm-up is 28 steps, not 29 */
static void test_squeeze_rounds_the_factor(void **state) {
  (void)state;
  vlb_train_config c = settings(29);
  c.warmup_steps = 100;
  c.decay_steps = 100;
  double least = c.decay_lr / c.lr;
  check(&c, 28, c.lr * ((1 - least) * (0.5 * (1 + cos(M_PI * 28 / 29))) + least));
}

static void test_no_warmup(void **state) {
  (void)state;
  vlb_train_config c = settings(100);
  c.warmup_steps = 0;
  check(&c, 0, 1e-4);
}

static void test_config_check(void **state) {
  (void)state;
  vlb_error err;
  vlb_train_config c = settings(10);
  assert_int_equal(vlb_train_config_check(&c, &err), VLB_OK);
  c.batch_size = 60;
  assert_int_equal(vlb_train_config_check(&c, &err), VLB_USAGE);
  assert_string_equal(err.message, "batch_size 60 is not a multiple of shards 8: every shard holds the same number of samples");
  c = settings(10), c.lr = 0;
  assert_int_equal(vlb_train_config_check(&c, &err), VLB_USAGE);
  c = settings(10), c.beta1 = 1;
  assert_int_equal(vlb_train_config_check(&c, &err), VLB_USAGE);
  c = settings(10), c.beta2 = 1;
  assert_int_equal(vlb_train_config_check(&c, &err), VLB_USAGE);
  c = settings(10), c.eps = 0;
  assert_int_equal(vlb_train_config_check(&c, &err), VLB_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_full_length), cmocka_unit_test(test_squeezed),     cmocka_unit_test(test_squeeze_rounds_the_factor),
      cmocka_unit_test(test_no_warmup),   cmocka_unit_test(test_config_check),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
