/* Damaged files of a checkpoint directory, and damaged pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/data/image.h"
#include "core/model/pretrained.h"
#include "damage.h"

#define TINY VLB_TEST_DATA "/lerobot/tiny"

static const char *const names[] = {"config.json", "model.safetensors", "policy_preprocessor.json", "policy_postprocessor.json",
                                    "policy_preprocessor_step_5_normalizer_processor.safetensors",
                                    "policy_postprocessor_step_0_unnormalizer_processor.safetensors", "vlm/config.json", "vlm/tokenizer.json",
                                    "vlm/tokenizer_config.json"};

static void load(const char *name, char **data, size_t *size) {
  char path[1024];
  vlb_error err;
  snprintf(path, sizeof path, TINY "/%s", name);
  if (vlb_file_read(path, data, size, &err)) fail_msg("%s", err.message);
}

static void put(const char *name, const char *data, size_t size) {
  char path[1024];
  vlb_error err;
  snprintf(path, sizeof path, "c/%s", name);
  if (vlb_file_write(path, data, size, &err)) fail_msg("%s", err.message);
}

/* the file of the checkpoint that is damaged */
static const char *victim;

static vlb_code open_all(const char *path, vlb_error *err) {
  char *data;
  size_t size;
  vlb_checkpoint_folder f;
  vlb_pretrained p;
  VLB_TRY(vlb_file_read(path, &data, &size, err));
  put(victim, data, size);
  free(data);
  VLB_TRY(vlb_checkpoint_folder_open("c", NULL, &f, err));
  vlb_code code = vlb_pretrained_load(&f, "c", NULL, NULL, &p, err);
  vlb_checkpoint_folder_close(&f);
  if (!code) vlb_pretrained_free(&p);
  return code;
}

/* the message may name another file of the checkpoint: the one that no longer fits */
static vlb_code open_with(const char *path, vlb_error *err) {
  return open_all(path, err) ? vlb_fail_at(err, "%s", path) : VLB_OK;
}

static void damage(const char *name, size_t stride, int rounds) {
  char *data;
  size_t size;
  vlb_error err;
  load(name, &data, &size);
  victim = name;
  assert_int_equal(vlb_file_write("good", data, size, &err), VLB_OK);
  if (open_with("good", &err)) fail_msg("%s", err.message);
  while (size && (data[size - 1] == '\n' || data[size - 1] == ' ')) size--;
  damage_truncate("cut", data, size, stride, open_with);
  damage_flip("flipped", data, size, 0, rounds, open_with);
  put(name, data, size);
  free(data);
}

static void test_checkpoint(void **state) {
  (void)state;
  vlb_error err;
  assert_int_equal(vlb_folder_make("c/vlm", &err), VLB_OK);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char *data;
    size_t size;
    load(names[i], &data, &size);
    put(names[i], data, size);
    free(data);
  }
  damage("config.json", 97, 200);
  damage("vlm/config.json", 97, 150);
  damage("policy_preprocessor.json", 97, 150);
  damage("policy_postprocessor.json", 41, 100);
  damage("policy_preprocessor_step_5_normalizer_processor.safetensors", 31, 150);
  damage("vlm/tokenizer_config.json", 41, 100);
}

static vlb_code read_picture(const char *path, vlb_error *err) {
  uint8_t *rgb;
  int h, w;
  VLB_TRY(vlb_image_read(path, &rgb, &h, &w, err));
  assert_true(h > 0 && w > 0);
  free(rgb);
  return VLB_OK;
}

static void test_pictures(void **state) {
  (void)state;
  char *data;
  size_t size;
  vlb_error err;
  load("camera2.png", &data, &size);
  assert_int_equal(vlb_file_write("good.png", data, size, &err), VLB_OK);
  assert_int_equal(read_picture("good.png", &err), VLB_OK);
  damage_truncate("cut.png", data, size - 32, 7, read_picture); /* the end holds checksums and no pixels */
  damage_flip("flipped.png", data, size, 0, 1500, read_picture);
  free(data);
}

static void test_jpegs(void **state) {
  (void)state;
  static const char *const files[] = {VLB_TEST_DATA "/images/baseline_420.jpg", VLB_TEST_DATA "/images/progressive_420.jpg"};
  vlb_error err;
  for (int i = 0; i < 2; i++) {
    char *data;
    size_t size;
    assert_int_equal(vlb_file_read(files[i], &data, &size, &err), VLB_OK);
    damage_flip("flipped.jpg", data, size, 0, 1500, read_picture);
    free(data);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_checkpoint), cmocka_unit_test(test_pictures), cmocka_unit_test(test_jpegs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
