/* SHA-256 against the examples of FIPS 180-2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/hash.h"

static void test_known(void **state) {
  (void)state;
  static const struct {
    const char *text, *hash;
  } cases[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
  };
  char out[VLB_HASH_SIZE];
  vlb_error err;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    vlb_hash(cases[i].text, strlen(cases[i].text), out);
    assert_string_equal(out, cases[i].hash);
    assert_int_equal(vlb_file_write("x", cases[i].text, strlen(cases[i].text), &err), VLB_OK);
    memset(out, 0, sizeof out);
    assert_int_equal(vlb_hash_file("x", out, &err), VLB_OK);
    assert_string_equal(out, cases[i].hash);
  }
}

/* a file larger than one block */
static void test_large_file(void **state) {
  (void)state;
  size_t size = 1000000;
  char *a = malloc(size);
  assert_non_null(a);
  memset(a, 'a', size);
  vlb_error err;
  assert_int_equal(vlb_file_write("a", a, size, &err), VLB_OK);
  free(a);
  char out[VLB_HASH_SIZE];
  assert_int_equal(vlb_hash_file("a", out, &err), VLB_OK);
  assert_string_equal(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_errors(void **state) {
  (void)state;
  char out[VLB_HASH_SIZE];
  vlb_error err;
  assert_int_equal(vlb_hash_file("missing", out, &err), VLB_FAILED);
  assert_string_equal(err.message, "missing: cannot open: No such file or directory");
  assert_int_equal(vlb_hash_file("/", out, &err), VLB_FAILED);
  assert_string_equal(err.message, "/: cannot read: Is a directory");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_known), cmocka_unit_test(test_large_file), cmocka_unit_test(test_errors)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
