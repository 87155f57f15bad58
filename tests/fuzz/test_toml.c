/* Damaged TOML, and configuration read from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fields.h"
#include "core/base/file.h"
#include "damage.h"

#define DEMO_FIELDS(X)                                               \
  X(INT, steps, "50", 1, 10000, NULL, "steps")                       \
  X(REAL, rate, "1.5", 0.1, 10, NULL, "rate")                        \
  X(BOOL, shadows, "false", 0, 1, NULL, "shadows")                   \
  X(ENUM, mode, "cross", 0, 0, "cross self interleaved", "mode")     \
  X(TEXT, name, "spatial", 0, 0, NULL, "name")
typedef struct {
  DEMO_FIELDS(VLB_FIELD_MEMBER)
} demo;
#define ROW(kind, name, ...) VLB_FIELD_ROW(demo, kind, name, __VA_ARGS__)
static const vlb_field table[] = {DEMO_FIELDS(ROW){0}};

static vlb_code read_config(const char *path, vlb_error *err) {
  vlb_toml *root;
  demo d;
  vlb_fields_default(table, &d);
  VLB_TRY(vlb_toml_read(path, &root, err));
  vlb_code code = VLB_OK;
  for (int i = 0; !code && i < vlb_toml_size(root); i++) {
    const vlb_toml *arm = vlb_toml_at(root, i);
    if (vlb_toml_kind_of(arm) != VLB_TOML_TABLE) code = vlb_toml_fail(arm, err, "not a table");
    else code = vlb_fields_read(table, &d, arm, err);
  }
  vlb_toml_free(root);
  return code;
}

static const char text[] =
    "# arms\n[one]\nsteps = 12\nrate = 2.5\nshadows = true\nmode = \"self\"\nname = 'caf\u00e9'\n\n[two] # more\nsteps = 0x1F\n"
    "rate = 1e0\nname = \"\"\"long\ntext\"\"\"\n[three]\nname = \"tab \\t \\u00e9\"\n[four]\nsteps = 1_000\nmode = \"interleaved\"\n";

static void test_flips(void **state) {
  (void)state;
  damage_flip("flipped.toml", text, sizeof text - 1, 0, 1500, read_config);
}

/* A prefix of TOML may well be TOML; it only must not crash. */
static void test_prefixes(void **state) {
  (void)state;
  for (size_t n = 0; n < sizeof text; n++) {
    vlb_error err;
    assert_int_equal(vlb_file_write("cut.toml", text, n, &err), VLB_OK);
    read_config("cut.toml", &err);
  }
}

/* Nesting without end must not exhaust the stack. */
static void test_deep(void **state) {
  (void)state;
  enum { N = 200000 };
  char *deep = malloc(N + 4);
  assert_non_null(deep);
  memcpy(deep, "a =", 3);
  memset(deep + 3, '[', N);
  vlb_error err;
  assert_int_equal(vlb_file_write("deep.toml", deep, N + 3, &err), VLB_OK);
  free(deep);
  assert_int_equal(read_config("deep.toml", &err), VLB_USAGE);
  assert_null(strchr(err.message, '\n'));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_flips), cmocka_unit_test(test_prefixes), cmocka_unit_test(test_deep)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
