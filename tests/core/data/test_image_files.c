/* Picture files: the pixels that Pillow decodes, the format told by content, and a clear end for everything that is no picture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/data/image.h"

#define IMAGES VLB_TEST_DATA "/images"

static vlb_error err;

static void load(const char *path, char **data, size_t *size) {
  if (vlb_file_read(path, data, size, &err)) fail_msg("%s", err.message);
}

static void test_pixels_of_pillow(void **state) {
  (void)state;
  char name[64], path[256], hash[VLB_HASH_SIZE], expected[VLB_HASH_SIZE];
  int h, w, H, W, files = 0;
  FILE *list = fopen(IMAGES "/pixels.txt", "r");
  assert_non_null(list);
  while (fscanf(list, "%63s %d %d %64s", name, &H, &W, expected) == 4) {
    uint8_t *rgb;
    if (!strcmp(name, "cmyk.jpg")) continue;
    snprintf(path, sizeof path, IMAGES "/%s", name);
    if (vlb_image_read(path, &rgb, &h, &w, &err)) fail_msg("%s", err.message);
    assert_int_equal(h, H);
    assert_int_equal(w, W);
    vlb_hash(rgb, 3 * (size_t)h * (size_t)w, hash);
    if (strcmp(hash, expected)) fail_msg("%s: other pixels", name);
    free(rgb);
    files++;
  }
  assert_int_equal(files, 7);
  fclose(list);
}

/* a JPEG that calls itself a PNG, and the same bytes in memory */
static void test_by_content(void **state) {
  (void)state;
  char *data;
  size_t size;
  uint8_t *file, *memory;
  int h, w;
  load(IMAGES "/baseline_420.jpg", &data, &size);
  assert_int_equal(vlb_file_write("really.png", data, size, &err), VLB_OK);
  assert_int_equal(vlb_image_read("really.png", &file, &h, &w, &err), VLB_OK);
  assert_int_equal(vlb_image_decode(data, size, "memory", &memory, &h, &w, &err), VLB_OK);
  assert_memory_equal(file, memory, 3 * (size_t)h * (size_t)w);
  free(file), free(memory), free(data);
}

/* every cut of every JPEG is noticed, where libjpeg itself would fill up with grey */
static void test_cut(void **state) {
  (void)state;
  static const char *const names[] = {"baseline_420.jpg", "progressive_420.jpg", "grey.jpg", "restarts.jpg"};
  char path[256], *data;
  size_t size;
  uint8_t *rgb;
  int h, w;
  for (int i = 0; i < 4; i++) {
    snprintf(path, sizeof path, IMAGES "/%s", names[i]);
    load(path, &data, &size);
    for (size_t n = 0; n < size; n++) {
      if (vlb_image_decode(data, n, "cut", &rgb, &h, &w, &err) != VLB_FAILED) fail_msg("%s: the first %zu of %zu bytes were accepted", names[i], n, size);
      assert_null(rgb);
    }
    free(data);
  }
}

/* where the frame header of a baseline JPEG says its height and width */
static size_t frame_of(const char *data, size_t size) {
  for (size_t i = 0; i + 8 < size; i++)
    if (!memcmp(data + i, "\xff\xc0", 2)) return i + 5;
  fail_msg("no frame header");
  return 0;
}

#define PNG_HEADER(h, w, crc) "\x89PNG\r\n\x1a\n\0\0\0\rIHDR" w h "\x08\x02\0\0\0" crc

static void test_no_picture(void **state) {
  (void)state;
  static const struct {
    const char *data;
    size_t size;
    const char *says;
  } cases[] = {
      {"", 0, "x: an empty file; a picture must be a PNG or a JPEG"},
      {"\xff", 1, "x: neither begins like a PNG nor like a JPEG"},
      {"GIF89a\1\0\1\0", 10, "neither begins like a PNG"},
      {"{\"a\": 1}", 8, "neither begins like a PNG"},
      {"\xff\xd8\xff\xd9", 4, "a JPEG that cannot be read: "},
      {"\xff\xd8\xff\xe0\xff\xff", 6, "a JPEG that cannot be read: "},
      {"\x89PNG\r\n\x1a\n", 8, "a PNG that cannot be read: "},
      {PNG_HEADER("\0\0\0\0", "\0\0\0\1", "\0\0\0\0"), 33, "a PNG that cannot be read: "},
      {PNG_HEADER("\x7f\xff\xff\xff", "\x7f\xff\xff\xff", "\0\0\0\0"), 33, "a PNG that cannot be read: "},
  };
  uint8_t *rgb;
  int h, w;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(vlb_image_decode(cases[i].data, cases[i].size, "x", &rgb, &h, &w, &err), VLB_FAILED);
    if (!strstr(err.message, cases[i].says) || strchr(err.message, '\n')) fail_msg("case %zu: %s", i, err.message);
    assert_null(rgb);
  }
  assert_int_equal(vlb_image_read(IMAGES "/cmyk.jpg", &rgb, &h, &w, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "cmyk.jpg: a JPEG that cannot be read: four colours (CMYK) are not supported"));
  assert_int_equal(vlb_image_read(IMAGES, &rgb, &h, &w, &err), VLB_FAILED);
  assert_int_equal(vlb_image_read("nowhere.jpg", &rgb, &h, &w, &err), VLB_FAILED);
}

/* a header that lies about the size: too large, without rows, or with more of them than there are data for */
static void test_lying_size(void **state) {
  (void)state;
  static const unsigned char sizes[][4] = {{0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 53}, {0, 37, 0, 0}, {0x3f, 0xff, 0x3f, 0xff}, {0x10, 0, 0, 53}};
  char *data;
  size_t size;
  uint8_t *rgb;
  int h, w;
  load(IMAGES "/baseline_420.jpg", &data, &size);
  size_t at = frame_of(data, size);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    memcpy(data + at, sizes[i], 4);
    assert_int_equal(vlb_image_decode(data, size, "x", &rgb, &h, &w, &err), VLB_FAILED);
    assert_non_null(strstr(err.message, "x: a JPEG that cannot be read: "));
  }
  free(data);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_pixels_of_pillow), cmocka_unit_test(test_by_content), cmocka_unit_test(test_cut),
                                     cmocka_unit_test(test_no_picture), cmocka_unit_test(test_lying_size)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
