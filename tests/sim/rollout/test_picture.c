#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "sim/rollout/picture.h"

static const vlb_picture_settings small = {.episode = 0, .size = 24, .seed = 1000};

static int load(void **state) {
  vlb_error err;
  return vlb_suite_load("spatial", (vlb_suite **)state, &err) == VLB_OK ? 0 : -1;
}

static int unload(void **state) {
  vlb_suite_free(*state);
  return 0;
}

/* Width and height from the PNG's header. */
static void check_png(const char *path, unsigned width, unsigned height) {
  char *data;
  size_t size;
  assert_int_equal(vlb_file_read(path, &data, &size, NULL), VLB_OK);
  assert_true(size > 33);
  const unsigned char *head = (const unsigned char *)data;
  assert_memory_equal(head + 1, "PNG", 3);
  assert_int_equal(head[18] << 8 | head[19], width);
  assert_int_equal(head[22] << 8 | head[23], height);
  free(data);
}

static void sheets_have_their_size(void **state) {
  const vlb_suite *suite = *state;
  vlb_error err;
  int succeeded = 0;
  assert_int_equal(vlb_picture_start(suite, 2, -1, &small, "both.png", &err), VLB_OK);
  check_png("both.png", 48, 24);
  assert_int_equal(vlb_picture_start(suite, 2, 1, &small, "wrist.png", &err), VLB_OK);
  check_png("wrist.png", 24, 24);
  assert_int_equal(vlb_picture_suite(suite, &small, "all.png", &err), VLB_OK);
  check_png("all.png", 5 * 24, 4 * 24);
  assert_int_equal(vlb_picture_sheet(suite, 2, 3, &small, "sheet.png", &succeeded, &err), VLB_OK);
  check_png("sheet.png", 48, 72);
  assert_true(succeeded);
}

/* A stand-in for ffmpeg proves what is piped; its absence and its failure are told apart. */
static void films_need_ffmpeg(void **state) {
  const vlb_suite *suite = *state;
  vlb_error err;
  mkdir("bin", 0777);
  setenv("PATH", "bin", 1);
  assert_int_equal(vlb_picture_film(suite, 2, &small, "film.mp4", NULL, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "not installed"));
  static const char fake[] = "#!/bin/sh\nfor last; do :; done\nexec /bin/cat > \"$last\"\n", broken[] = "#!/bin/sh\nexit 3\n";
  assert_int_equal(vlb_file_write("bin/ffmpeg", broken, sizeof broken - 1, &err), VLB_OK);
  assert_int_equal(chmod("bin/ffmpeg", 0755), 0);
  assert_int_equal(vlb_picture_film(suite, 2, &small, "film.mp4", NULL, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "ffmpeg"));
  assert_false(vlb_file_exists("film.mp4"));
  assert_int_equal(vlb_file_write("bin/ffmpeg", fake, sizeof fake - 1, &err), VLB_OK);
  assert_int_equal(chmod("bin/ffmpeg", 0755), 0);
  assert_int_equal(vlb_picture_film(suite, 2, &small, "film.mp4", NULL, &err), VLB_OK);
  struct stat st;
  assert_int_equal(stat("film.mp4", &st), 0);
  assert_true(st.st_size > 50 * 48 * 24 * 3 && st.st_size % (48 * 24 * 3) == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sheets_have_their_size),
      cmocka_unit_test(films_need_ffmpeg),
  };
  return cmocka_run_group_tests(tests, load, unload);
}
