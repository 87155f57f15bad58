/* Damaged recordings of Meta-World episodes and damaged goals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "damage.h"
#include "sim/metaworld/reference.h"

static vlb_code read_cases(const char *path, vlb_error *err) {
  vlb_mw_case *cases;
  int n;
  vlb_code code = vlb_mw_cases_read(path, &cases, &n, err);
  free(cases);
  return code;
}

static vlb_code read_goals(const char *path, vlb_error *err) {
  vlb_mw_goals goals[VLB_MW_TASKS];
  vlb_code code = vlb_mw_goals_read(path, goals, err);
  vlb_mw_goals_free(goals);
  return code;
}

static void damage(const char *from, vlb_reader read) {
  char *data;
  size_t size;
  vlb_error err;
  assert_int_equal(vlb_file_read(from, &data, &size, &err), VLB_OK);
  damage_truncate("cut.json", data, size, 37, read);
  damage_flip("flipped.json", data, size, 0, 600, read);
  free(data);
}

static void test_cases(void **state) {
  (void)state;
  damage(VLB_TEST_DATA "/metaworld/golden.json", read_cases);
}

static void test_goals(void **state) {
  (void)state;
  damage(VLB_TEST_DATA "/metaworld/goals.json", read_goals);
}

/* Steps, counts and indices that are no sane numbers. */
static void test_numbers(void **state) {
  static const char *const bad[] = {"{\"reach-v3\":[]}",
                                    "{\"reach-v3\":{\"rand_vec\":[1e999,2,3,4,5,6]}}",
                                    "{\"reach-v3\":{\"rand_vec\":{}}}",
                                    "{\"reach-v3\":null}",
                                    "{\"\":{}}",
                                    "{\"-v3\":{}}",
                                    "{\"a-name-that-is-much-longer-than-any-name-of-a-task-in-the-table-of-fifty-tasks\":{}}"};
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    vlb_error err;
    assert_int_equal(vlb_file_write("bad.json", bad[i], strlen(bad[i]), &err), VLB_OK);
    assert_int_equal(read_cases("bad.json", &err), VLB_USAGE);
    assert_memory_equal(err.message, "bad.json", 8);
    assert_int_equal(read_goals("bad.json", &err), VLB_USAGE);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_goals), cmocka_unit_test(test_numbers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
