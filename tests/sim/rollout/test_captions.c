/* Scenes with captions: the same bytes at any number of threads, files that are there are kept, other settings are refused. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "core/data/captions.h"
#include "sim/rollout/captions.h"

static vlb_log *log_out;
static const char first[] = "threads1/short_00.captions";

static vlb_code record(const char *folder, int threads, int64_t seed, vlb_error *err) {
  vlb_caption_config c;
  vlb_context ctx = {log_out, threads, NULL};
  vlb_fields_default(vlb_caption_fields, &c);
  strcpy(c.suites.s, "short");
  c.episodes_per_task = 2, c.every = 20, c.render_size = 16, c.seed = seed;
  return vlb_captions_record(&c, folder, &ctx, err);
}

static void same(const char *a, const char *b) {
  char *x, *y;
  size_t n, m;
  assert_int_equal(vlb_file_read(a, &x, &n, NULL), VLB_OK);
  assert_int_equal(vlb_file_read(b, &y, &m, NULL), VLB_OK);
  assert_int_equal(n, m);
  assert_memory_equal(x, y, n);
  free(x), free(y);
}

static void test_threads_and_breaks(void **state) {
  (void)state;
  vlb_error err;
  if (record("threads1", 1, 1, &err) || record("threads2", 2, 1, &err)) fail_msg("%s", err.message);
  same(first, "threads2/short_00.captions");
  same("threads1/short_01.captions", "threads2/short_01.captions");
  assert_int_equal(unlink("threads2/short_01.captions"), 0);
  assert_int_equal(truncate("threads2/short_00.captions", 10), 0); /* what is there is not made again */
  assert_int_equal(record("threads2", 1, 1, &err), VLB_OK);
  same("threads1/short_01.captions", "threads2/short_01.captions");
  vlb_captions s;
  assert_int_equal(vlb_captions_read("threads2/short_00.captions", &s, &err), VLB_FAILED);
  assert_int_equal(record("threads1", 1, 2, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "other settings"));
}

static void test_frames(void **state) {
  (void)state;
  vlb_captions s;
  vlb_error err;
  if (vlb_captions_read(first, &s, &err)) fail_msg("%s", err.message);
  assert_true(s.frames >= 6 && s.cameras == 2 && s.size == 16);
  assert_int_equal(s.episode[0], 0);
  assert_int_equal(s.episode[s.frames - 1], 1);
  for (int64_t i = 0; i < s.frames; i++) assert_int_equal(strncmp(s.text + s.at[i], "pick up the black bowl", 22), 0);
  size_t picture = 2 * 16 * 16 * 3;
  assert_memory_not_equal(s.pixels, s.pixels + picture, picture);
  vlb_captions_close(&s);
}

static void test_other_robots(void **state) {
  (void)state;
  vlb_caption_config c;
  vlb_error err;
  vlb_context ctx = {log_out, 1, NULL};
  vlb_fields_default(vlb_caption_fields, &c);
  strcpy(c.suites.s, "so100");
  assert_int_equal(vlb_captions_record(&c, "other", &ctx, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "so100"));
}

int main(void) {
  char command[1200];
  log_out = vlb_log_open(stderr, true);
  snprintf(command, sizeof command, "mkdir -p short && cd \"%s/sim/task/suites/spatial\" && cp suite.toml 02_*.toml 06_*.toml \"$OLDPWD/short\"",
           getenv("VLB_TEST_ROOT"));
  if (system(command)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads_and_breaks), cmocka_unit_test(test_frames), cmocka_unit_test(test_other_robots)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  vlb_log_close(log_out);
  return failed;
}
