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

static vlb_code record_with(int64_t layouts, const char *folder, int threads, int64_t seed, vlb_error *err) {
  vlb_caption_config c;
  vlb_context ctx = {log_out, threads, NULL};
  vlb_fields_default(vlb_caption_fields, &c);
  strcpy(c.suites.s, "short");
  c.episodes_per_task = 2, c.every = 20, c.render_size = 16, c.seed = seed, c.layouts = layouts;
  return vlb_captions_record(&c, folder, &ctx, err);
}

static vlb_code record(const char *folder, int threads, int64_t seed, vlb_error *err) { return record_with(0, folder, threads, seed, err); }

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

/* the place of a thing in the agentview, as the caption of a frame says it */
static void place_of(const vlb_captions *s, int64_t frame, const char *thing, double place[2]) {
  char question[64];
  snprintf(question, sizeof question, "where is the %s\t{", thing);
  const char *at = strstr(s->text + s->at[frame], question);
  assert_non_null(at);
  assert_true(at < s->text + s->at[frame + 1]);
  assert_int_equal(sscanf(at + strlen(question), "%lf}{%lf}", &place[0], &place[1]), 2);
}

/* Further starts come behind an episode's own frames, which stay as they are; things lie elsewhere in each of them. */
static void test_layouts(void **state) {
  (void)state;
  enum { LAYOUTS = 2, POSES = 4 };
  vlb_captions plain, more;
  vlb_error err;
  if (record_with(LAYOUTS, "layouts", 2, 1, &err) || record_with(LAYOUTS, "layouts1", 1, 1, &err)) fail_msg("%s", err.message);
  same("layouts/short_00.captions", "layouts1/short_00.captions");
  if (vlb_captions_read(first, &plain, &err) || vlb_captions_read("layouts/short_00.captions", &more, &err)) fail_msg("%s", err.message);
  assert_int_equal(more.frames, plain.frames + 2 * LAYOUTS * POSES);
  int64_t own = 0;
  while (!plain.episode[own]) own++;
  size_t picture = 2 * 16 * 16 * 3;
  assert_memory_equal(more.pixels, plain.pixels, (size_t)own * picture);
  assert_memory_equal(more.text, plain.text, (size_t)plain.at[own]);
  double place[1 + LAYOUTS][2];
  place_of(&more, 0, "cookie box", place[0]);
  for (int k = 0; k < LAYOUTS; k++) {
    int64_t frame = own + POSES * k;
    double again[2];
    assert_int_equal(more.episode[frame], 0);
    place_of(&more, frame, "cookie box", place[1 + k]);
    place_of(&more, frame + 1, "cookie box", again);
    assert_memory_equal(again, place[1 + k], sizeof again); /* one start under two poses of the arm */
    assert_memory_not_equal(more.pixels + (size_t)frame * picture, more.pixels + (size_t)(frame + 1) * picture, picture);
    for (int j = 0; j <= k; j++) assert_true(place[j][0] != place[1 + k][0] || place[j][1] != place[1 + k][1]);
  }
  vlb_captions_close(&plain), vlb_captions_close(&more);
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
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads_and_breaks), cmocka_unit_test(test_frames), cmocka_unit_test(test_layouts), cmocka_unit_test(test_other_robots)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  vlb_log_close(log_out);
  return failed;
}
