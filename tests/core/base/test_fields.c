/* Configuration fields: defaults, text, TOML, canonical writing, suggestions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <math.h>
#include <string.h>

#include "core/base/fields.h"

#define DEMO_FIELDS(X)                                                        \
  X(INT, per_task, "50", 1, 10000, NULL, "demonstrations per task")           \
  X(REAL, speed, "1.5", 0.1, 10, NULL, "speed of the hand")                   \
  X(BOOL, shadows, "false", 0, 1, NULL, "render shadows")                     \
  X(ENUM, attention, "cross", 0, 0, "cross self interleaved", "what it sees") \
  X(TEXT, suite, "spatial", 0, 0, NULL, "suite or folder")                    \
  X(INT, seed, "1000", 0, 9e15, NULL, "seed")

typedef struct {
  DEMO_FIELDS(VLB_FIELD_MEMBER)
} demo;
#define ROW(kind, name, ...) VLB_FIELD_ROW(demo, kind, name, __VA_ARGS__)
static const vlb_field table[] = {DEMO_FIELDS(ROW){0}};

static void test_defaults(void **state) {
  (void)state;
  demo d;
  vlb_fields_default(table, &d);
  assert_int_equal(d.per_task, 50);
  assert_true(d.speed == 1.5);
  assert_false(d.shadows);
  assert_int_equal(d.attention, 0);
  assert_string_equal(d.suite.s, "spatial");
}

static void test_set(void **state) {
  (void)state;
  demo d;
  vlb_fields_default(table, &d);
  vlb_error err;
  assert_int_equal(vlb_fields_set(table, &d, "per_task", "7", &err), VLB_OK);
  assert_int_equal(vlb_fields_set(table, &d, "speed", "2", &err), VLB_OK);
  assert_int_equal(vlb_fields_set(table, &d, "shadows", "true", &err), VLB_OK);
  assert_int_equal(vlb_fields_set(table, &d, "attention", "interleaved", &err), VLB_OK);
  assert_int_equal(vlb_fields_set(table, &d, "suite", "a folder/of mine", &err), VLB_OK);
  assert_int_equal(d.per_task, 7);
  assert_true(d.speed == 2);
  assert_true(d.shadows);
  assert_int_equal(d.attention, 2);
  assert_string_equal(d.suite.s, "a folder/of mine");
}

static void refuse(const char *key, const char *value, const char *message) {
  demo d, before;
  memset(&d, 0, sizeof d);
  vlb_fields_default(table, &d);
  before = d;
  vlb_error err;
  assert_int_equal(vlb_fields_set(table, &d, key, value, &err), VLB_USAGE);
  assert_string_equal(err.message, message);
  /* a refused value changes nothing */
  assert_int_equal(d.per_task, before.per_task);
  assert_true(d.speed == before.speed);
  assert_int_equal(d.attention, before.attention);
  assert_string_equal(d.suite.s, before.suite.s);
}

static void test_refusals(void **state) {
  (void)state;
  refuse("per_taks", "1", "unknown key \"per_taks\"; did you mean \"per_task\"?");
  refuse("zzzzzzzz", "1", "unknown key \"zzzzzzzz\"; see --help for the keys");
  refuse("per_task", "many", "per_task: \"many\" is not an integer");
  refuse("per_task", "1.5", "per_task: \"1.5\" is not an integer");
  refuse("per_task", "", "per_task: \"\" is not an integer");
  refuse("per_task", "0", "per_task: 0 is out of range 1 to 10000");
  refuse("per_task", "99999999999999999999", "per_task: \"99999999999999999999\" is not an integer");
  refuse("speed", "nan", "speed: \"nan\" is not a finite number");
  refuse("speed", "inf", "speed: \"inf\" is not a finite number");
  refuse("speed", "11", "speed: 11 is out of range 0.1 to 10");
  refuse("shadows", "yes", "shadows: \"yes\" is neither true nor false");
  refuse("attention", "corss", "attention: \"corss\" is not one of: cross self interleaved; did you mean \"cross\"?");
  refuse("attention", "", "attention: \"\" is not one of: cross self interleaved");
  refuse("suite", "two\nlines", "suite: text must be one line");
  char longer[200];
  memset(longer, 'x', sizeof longer - 1);
  longer[sizeof longer - 1] = 0;
  refuse("suite", longer, "suite: text is longer than 127 bytes: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\"");
}

static vlb_code read_toml(const char *text, demo *d, vlb_error *err) {
  vlb_toml *root;
  assert_int_equal(vlb_toml_parse(text, "demo.toml", &root, err), VLB_OK);
  vlb_fields_default(table, d);
  vlb_code code = vlb_fields_read(table, d, root, err);
  vlb_toml_free(root);
  return code;
}

static void test_toml(void **state) {
  (void)state;
  demo d;
  vlb_error err;
  assert_int_equal(read_toml("per_task = 3\nspeed = 4\nshadows = true\nattention = \"self\"\nsuite = \"x\"\n", &d, &err), VLB_OK);
  assert_int_equal(d.per_task, 3);
  assert_true(d.speed == 4);
  assert_true(d.shadows);
  assert_int_equal(d.attention, 1);
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"\nper_tsk = 3\n", "demo.toml:2: unknown key \"per_tsk\"; did you mean \"per_task\"?"},
      {"per_task = \"3\"", "demo.toml:1: per_task must be an integer, not a string"},
      {"per_task = 3.5", "demo.toml:1: per_task must be an integer, not a number with a fraction"},
      {"speed = true", "demo.toml:1: speed must be a number, not a boolean"},
      {"shadows = 1", "demo.toml:1: shadows must be true or false, not an integer"},
      {"attention = 2", "demo.toml:1: attention must be a string in quotes, not an integer"},
      {"suite = [\"a\"]", "demo.toml:1: suite must be a string in quotes, not an array"},
      {"[suite]\na = 1", "demo.toml:1: suite must be a string in quotes, not a table"},
      {"suite = 2020-01-01", "demo.toml:1: suite must be a string in quotes, not a date or time"},
      {"# one\n# two\nspeed = 100", "demo.toml:3: speed: 100 is out of range 0.1 to 10"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(read_toml(cases[i].text, &d, &err), VLB_USAGE);
    assert_string_equal(err.message, cases[i].message);
  }
}

/* What is written can be read back and is written the same again, whatever the values. */
static void test_canonical(void **state) {
  (void)state;
  demo d, again;
  vlb_error err;
  vlb_fields_default(table, &d);
  d.speed = 0.1 + 0.2;
  strcpy(d.suite.s, "quote \" slash \\ tab \t end");
  d.attention = 2;
  char *text[2] = {NULL, NULL};
  size_t size[2];
  FILE *out = open_memstream(&text[0], &size[0]);
  vlb_fields_write(table, &d, out);
  fclose(out);
  assert_int_equal(read_toml(text[0], &again, &err), VLB_OK);
  assert_true(again.speed == d.speed);
  assert_string_equal(again.suite.s, d.suite.s);
  out = open_memstream(&text[1], &size[1]);
  vlb_fields_write(table, &again, out);
  fclose(out);
  assert_string_equal(text[0], text[1]);
  assert_non_null(strstr(text[0], "speed = 0.30000000000000004\n"));
  assert_non_null(strstr(text[0], "attention = \"interleaved\"\n"));
  free(text[0]);
  free(text[1]);
}

static void test_help(void **state) {
  (void)state;
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  vlb_fields_help(table, out);
  fclose(out);
  assert_non_null(strstr(text, "  per_task   50       demonstrations per task (1 to 10000)\n"));
  assert_non_null(strstr(text, "  attention  cross    what it sees (cross|self|interleaved)\n"));
  assert_non_null(strstr(text, "  shadows    false    render shadows\n"));
  free(text);
}

static void test_suggest(void **state) {
  (void)state;
  const char *const words[] = {"run", "train", "eval", "report", "render", "verify"};
  assert_string_equal(vlb_suggest("tarin", words, 6), "train");
  assert_string_equal(vlb_suggest("rum", words, 6), "run");
  assert_string_equal(vlb_suggest("reprot", words, 6), "report");
  assert_string_equal(vlb_suggest("rende", words, 6), "render");
  assert_null(vlb_suggest("xyzzy", words, 6));
  assert_null(vlb_suggest("", words, 6));
  assert_null(vlb_suggest("a", words, 0));
}

/* Numbers that came some other way are held to the same ranges. */
static void test_check(void **state) {
  (void)state;
  demo d;
  vlb_error err = {VLB_OK, ""};
  vlb_fields_default(table, &d);
  assert_int_equal(vlb_fields_check(table, &d, &err), VLB_OK);
  d.per_task = 0;
  assert_int_equal(vlb_fields_check(table, &d, &err), VLB_USAGE);
  assert_string_equal(err.message, "per_task: 0 is out of range 1 to 10000");
  d.per_task = 1;
  d.speed = NAN;
  assert_int_equal(vlb_fields_check(table, &d, &err), VLB_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_defaults),  cmocka_unit_test(test_set),  cmocka_unit_test(test_refusals), cmocka_unit_test(test_toml),
      cmocka_unit_test(test_canonical), cmocka_unit_test(test_help), cmocka_unit_test(test_suggest),
      cmocka_unit_test(test_check),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
