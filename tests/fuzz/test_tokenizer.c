/* Damaged tokenizer files, and texts of random bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/rng.h"
#include "core/data/tokenizer.h"
#include "damage.h"

static vlb_code read_and_encode(const char *path, vlb_error *err) {
  char *json;
  size_t size;
  VLB_TRY(vlb_file_read(path, &json, &size, err));
  vlb_tokenizer *tok;
  vlb_code code = vlb_tokenizer_parse(json, size, path, &tok, err);
  free(json);
  if (code) return code;
  int32_t ids[48];
  uint8_t mask[48];
  static const char text[] = "pick up 12 bowls, it's <image> \u4e2d\u6587";
  vlb_error why;
  if (vlb_tokenizer_prompt(tok, text, 48, ids, mask, &why) == VLB_OK)
    for (int i = 0; i < 48; i++) assert_true(ids[i] >= 0 && ids[i] < vlb_tokenizer_vocab(tok));
  vlb_tokenizer_free(tok);
  return VLB_OK;
}

static void test_files(void **state) {
  (void)state;
  char *json;
  size_t size;
  vlb_error err;
  assert_int_equal(vlb_file_read(VLB_TEST_DATA "/tokenizer/tiny.json", &json, &size, &err), VLB_OK);
  assert_int_equal(vlb_file_write("good", json, size, &err), VLB_OK);
  assert_int_equal(read_and_encode("good", &err), VLB_OK);
  while (size && json[size - 1] != '}') size--; /* blanks behind the end are no loss */
  damage_truncate("cut", json, size, 13, read_and_encode);
  damage_flip("flipped", json, size, 0, 1500, read_and_encode);
  free(json);
}

/* Random bytes are either UTF-8, and every byte of them is in some token, or refused. */
static void test_texts(void **state) {
  (void)state;
  vlb_tokenizer *tok;
  vlb_error err;
  assert_int_equal(vlb_tokenizer_micro(&tok, &err), VLB_OK);
  int good = 0;
  for (uint32_t round = 0; round < 5000; round++) {
    vlb_rng rng = vlb_rng_make(2, VLB_RNG_TEST, round, 0);
    char text[64];
    size_t n = vlb_rng_below(&rng, sizeof text);
    uint32_t top = round % 2 ? 128 : 256;
    for (size_t i = 0; i < n; i++) text[i] = (char)vlb_rng_below(&rng, top);
    int32_t *ids;
    int count;
    vlb_code code = vlb_tokenizer_encode(tok, text, n, &ids, &count, &err);
    assert_true(code == VLB_OK || (code == VLB_USAGE && top == 256));
    good += code == VLB_OK;
    assert_true(count <= (int)n);
    for (int i = 0; i < count; i++) assert_true(ids[i] >= 0 && ids[i] < 512);
    free(ids);
  }
  assert_true(good >= 2500);
  vlb_tokenizer_free(tok);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_files), cmocka_unit_test(test_texts)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
