/* Worker threads: every job once, errors of the lowest index, no shared worker index. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <string.h>

#include "core/base/context.h"
#include "core/base/pool.h"

enum { JOBS = 500, WORKERS = 8 };

typedef struct {
  atomic_int runs[JOBS], busy[WORKERS];
  int fail_from; /* jobs from this index fail; JOBS: none */
} work;

static vlb_code job(void *self, int index, int worker, vlb_error *err) {
  work *w = self;
  if (worker < 0 || worker >= WORKERS || atomic_fetch_add(&w->busy[worker], 1)) return vlb_fail(err, VLB_FAILED, "worker shared");
  atomic_fetch_add(&w->runs[index], 1);
  atomic_fetch_sub(&w->busy[worker], 1);
  return index >= w->fail_from ? vlb_fail(err, VLB_FELL_SHORT, "job %d", index) : VLB_OK;
}

static void test_every_job_once(void **state) {
  (void)state;
  static const int threads[] = {1, 2, 3, 8};
  for (int t = 0; t < 4; t++) {
    static work w;
    memset(&w, 0, sizeof w);
    w.fail_from = JOBS;
    vlb_error err;
    assert_int_equal(vlb_parallel(threads[t], JOBS, job, &w, &err), VLB_OK);
    for (int i = 0; i < JOBS; i++) assert_int_equal(w.runs[i], 1);
  }
}

static void test_failure(void **state) {
  (void)state;
  static work w;
  w.fail_from = 10;
  vlb_error err;
  assert_int_equal(vlb_parallel(1, JOBS, job, &w, &err), VLB_FELL_SHORT);
  assert_string_equal(err.message, "job 10");
  assert_int_equal(w.runs[11], 0); /* no job starts after a failure */
  memset(&w, 0, sizeof w);
  w.fail_from = 10;
  assert_int_equal(vlb_parallel(8, JOBS, job, &w, NULL), VLB_FELL_SHORT);
  assert_int_equal(vlb_parallel(4, 0, job, &w, &err), VLB_OK);
}

static void test_stop(void **state) {
  (void)state;
  volatile sig_atomic_t stop = 0;
  vlb_context ctx = {.log = NULL, .threads = 1, .stop = &stop};
  vlb_error err;
  assert_int_equal(vlb_check_stop(&ctx, &err), VLB_OK);
  stop = 1;
  assert_int_equal(vlb_check_stop(&ctx, &err), VLB_INTERRUPTED);
  ctx.stop = NULL;
  assert_int_equal(vlb_check_stop(&ctx, &err), VLB_OK);
}

static void test_places(void **state) {
  (void)state;
  vlb_error err;
  vlb_fail(&err, VLB_USAGE, "no %s", "good");
  assert_int_equal(vlb_fail_at(&err, "file %d", 3), VLB_USAGE);
  assert_string_equal(err.message, "file 3: no good");
  for (int i = 0; i < 300; i++) vlb_fail_at(&err, "a long place"); /* cut, never overrun */
  assert_int_equal(strlen(err.message), sizeof err.message - 1);
  vlb_fail(&err, VLB_FAILED, "key \"%s\"", "a\nb\r\033[1m");
  assert_string_equal(err.message, "key \"a b  [1m\""); /* one line, whatever the user's text */
  assert_int_equal(vlb_fail(NULL, VLB_FAILED, "x"), VLB_FAILED);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_job_once), cmocka_unit_test(test_failure), cmocka_unit_test(test_stop),
                                     cmocka_unit_test(test_places)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
