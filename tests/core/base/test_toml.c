/* TOML: order, places, kinds, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/toml.h"

static void test_tree(void **state) {
  (void)state;
  static const char text[] =
      "zeta = 1\n"
      "alpha = \"two\"\n"
      "ratio = 0.5\n"
      "yes = true\n"
      "when = 2024-05-06\n"
      "list = [1, 2.5,\n  \"x\"]\n"
      "[train]\n"
      "steps = 10\n"
      "deep.key = -3\n"
      "[[arm]]\nname = \"a\"\n[[arm]]\nname = \"b\"\n";
  vlb_toml *root;
  vlb_error err;
  assert_int_equal(vlb_toml_parse(text, "t.toml", &root, &err), VLB_OK);
  static const char *const keys[] = {"zeta", "alpha", "ratio", "yes", "when", "list", "train", "arm"};
  static const vlb_toml_kind kinds[] = {VLB_TOML_INT,   VLB_TOML_TEXT,  VLB_TOML_REAL,  VLB_TOML_BOOL,
                                        VLB_TOML_OTHER, VLB_TOML_ARRAY, VLB_TOML_TABLE, VLB_TOML_ARRAY};
  assert_int_equal(vlb_toml_kind_of(root), VLB_TOML_TABLE);
  assert_int_equal(vlb_toml_size(root), 8);
  for (int i = 0; i < 8; i++) {
    assert_string_equal(vlb_toml_key(root, i), keys[i]); /* the order of the file */
    assert_int_equal(vlb_toml_kind_of(vlb_toml_at(root, i)), kinds[i]);
  }
  assert_int_equal(vlb_toml_int(vlb_toml_get(root, "zeta")), 1);
  assert_true(vlb_toml_real(vlb_toml_get(root, "zeta")) == 1);
  assert_true(vlb_toml_real(vlb_toml_get(root, "ratio")) == 0.5);
  assert_string_equal(vlb_toml_text(vlb_toml_get(root, "alpha")), "two");
  assert_true(vlb_toml_bool(vlb_toml_get(root, "yes")));
  assert_int_equal(vlb_toml_line(vlb_toml_get(root, "list")), 6);
  assert_int_equal(vlb_toml_line(vlb_toml_at(vlb_toml_get(root, "list"), 2)), 7);
  assert_string_equal(vlb_toml_file(vlb_toml_get(root, "list")), "t.toml");
  const vlb_toml *train = vlb_toml_get(root, "train");
  assert_int_equal(vlb_toml_int(vlb_toml_get(train, "steps")), 10);
  assert_int_equal(vlb_toml_int(vlb_toml_get(vlb_toml_get(train, "deep"), "key")), -3);
  const vlb_toml *second = vlb_toml_at(vlb_toml_get(root, "arm"), 1);
  assert_string_equal(vlb_toml_text(vlb_toml_get(second, "name")), "b");
  assert_null(vlb_toml_get(root, "absent"));
  assert_null(vlb_toml_at(root, 8));
  assert_null(vlb_toml_at(root, -1));
  assert_null(vlb_toml_key(root, 8));
  vlb_toml_fail(second, &err, "no %s", "good");
  assert_string_equal(err.message, "t.toml:13: no good");
  assert_int_equal(err.code, VLB_USAGE);
  vlb_toml_free(root);
}

static void test_errors(void **state) {
  (void)state;
  static const struct {
    const char *text, *start;
  } cases[] = {
      {"a = 1\nb = \n", "t.toml:2:"},          {"a = 1\na = 2\n", "t.toml:2:"}, {"a = \"open\n", "t.toml:1:"},
      {"[t\n", "t.toml:1:"},                   {"a = 1e999999\n", "t.toml:1:"}, {"\xff\xfe = 1\n", "t.toml:1:"},
      {"a = \"x\\u0000y\"\n", "t.toml:1:5: a zero character"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    vlb_toml *root = NULL;
    vlb_error err;
    assert_int_equal(vlb_toml_parse(cases[i].text, "t.toml", &root, &err), VLB_USAGE);
    assert_memory_equal(err.message, cases[i].start, strlen(cases[i].start));
    assert_null(strchr(err.message, '\n'));
    assert_null(root);
  }
}

static void test_files(void **state) {
  (void)state;
  vlb_toml *root;
  vlb_error err;
  assert_int_equal(vlb_toml_read("missing.toml", &root, &err), VLB_USAGE);
  assert_string_equal(err.message, "missing.toml: cannot open: No such file or directory");
  assert_int_equal(vlb_file_write("a.toml", "x = 1\n", 6, &err), VLB_OK);
  assert_int_equal(vlb_toml_read("a.toml", &root, &err), VLB_OK);
  assert_int_equal(vlb_toml_int(vlb_toml_get(root, "x")), 1);
  vlb_toml_free(root);
  assert_int_equal(vlb_toml_parse("", "empty", &root, &err), VLB_OK);
  assert_int_equal(vlb_toml_size(root), 0);
  vlb_toml_free(root);
  vlb_toml_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_tree), cmocka_unit_test(test_errors), cmocka_unit_test(test_files)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
