/* The benchmark of training: what it reports hangs together. How fast a machine is cannot be tested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/train/bench.h"
#include "fixture.h"

static vlb_context ctx;

static vlb_train_config settings(void) {
  vlb_train_config c;
  vlb_fields_default(vlb_train_fields, &c);
  c.steps = 3, c.batch_size = 4, c.shards = 2; /* fewer steps than are measured: the benchmark goes round */
  return c;
}

static void test_rates_hang_together(void **state) {
  (void)state;
  vlb_model_config m = tiny_model();
  vlb_train_config c = settings();
  vlb_train_bench b;
  vlb_error err = {0};
  if (vlb_bench_train(&m, &c, 0.01, NULL, &ctx, &b, &err)) fail_msg("%s", err.message);
  assert_true(b.flops > 0 && b.raw > 0 && b.share > 0);
  assert_true(fabs(b.samples_per_second * b.step_seconds - 4) < 1e-9);
  assert_true(fabs(b.useful * b.step_seconds * 1e9 / b.flops - 1) < 1e-9);
  double sum = 0, flops = 0;
  for (int i = 0; i < b.row_count; i++) sum += b.rows[i].seconds, flops += b.rows[i].flops;
  assert_true(fabs(sum / b.profile_seconds - 1) < 1e-9);
  assert_true(fabs(flops / b.flops - 1) < 1e-9); /* every useful operation belongs to a row */
  assert_string_equal(b.rows[b.row_count - 2].op, "batches");
}

/* a frozen VLM: all forms of the cache */
static void test_forms(void **state) {
  (void)state;
  vlb_model_config m = tiny_model();
  m.freeze = VLB_FREEZE_VLM;
  vlb_train_config c = settings();
  vlb_train_bench b;
  vlb_error err = {0};
  if (vlb_bench_train(&m, &c, 0.01, "bench_cache", &ctx, &b, &err)) fail_msg("%s", err.message);
  assert_int_equal(b.form_count, 3);
  for (int i = 0; i < 3; i++) assert_true(b.forms[i].step_seconds > 0 && b.forms[i].cpu_seconds > 0);
  assert_true(b.forms[0].gb > b.forms[1].gb && b.forms[1].gb > b.forms[2].gb);
  assert_true(b.forms[0].step_seconds == b.step_seconds);
  if (vlb_bench_train(&m, &c, 0.01, NULL, &ctx, &b, &err)) fail_msg("%s", err.message);
  assert_int_equal(b.form_count, 0);
}

static void test_stop(void **state) {
  (void)state;
  volatile sig_atomic_t stop = 1;
  vlb_model_config m = tiny_model();
  vlb_train_config c = settings();
  vlb_train_bench b;
  vlb_error err = {0};
  ctx.stop = &stop;
  assert_int_equal(vlb_bench_train(&m, &c, 10, NULL, &ctx, &b, &err), VLB_INTERRUPTED);
  ctx.stop = NULL;
}

int main(void) {
  ctx = (vlb_context){.log = vlb_log_open(stderr, true), .threads = 2};
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rates_hang_together), cmocka_unit_test(test_forms), cmocka_unit_test(test_stop)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  vlb_log_close(ctx.log);
  return failed;
}
