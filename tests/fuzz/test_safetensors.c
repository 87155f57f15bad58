/* Damaged safetensors files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/data/safetensors.h"
#include "core/data/statistics.h"
#include "damage.h"

/* Touches every byte that the reader vouches for. */
static vlb_code read_all(const char *path, vlb_error *err) {
  vlb_safetensors *file;
  VLB_TRY(vlb_safetensors_open(path, &file, err));
  for (int i = 0; i < vlb_safetensors_count(file); i++) {
    const vlb_st_entry *e = vlb_safetensors_at(file, i);
    float *real = malloc((e->count + 1) * sizeof *real);
    int64_t *whole = malloc((e->count + 1) * sizeof *whole);
    assert_non_null(real);
    assert_non_null(whole);
    vlb_st_to_float(e, real);
    vlb_st_to_int(e, whole);
    free(real);
    free(whole);
    assert_ptr_equal(vlb_safetensors_find(file, e->name), e);
  }
  vlb_safetensors_close(file);
  return VLB_OK;
}

static vlb_code read_stats(const char *path, vlb_error *err) {
  vlb_stats state, action;
  return vlb_stats_load(path, &state, &action, err);
}

static void load(const char *path, char **data, size_t *size) {
  vlb_error err;
  assert_int_equal(vlb_file_read(path, data, size, &err), VLB_OK);
}

static void test_tensors(void **state) {
  (void)state;
  static const double values[] = {1, -2, 1e300, 4, 5, 6};
  static const uint8_t flags[] = {1, 0, 1};
  const vlb_st_entry entries[] = {
      {.name = "a.weight", .dtype = VLB_F64, .ndim = 2, .dims = {2, 3}, .data = values},
      {.name = "b.mask", .dtype = VLB_BOOL, .ndim = 1, .dims = {3}, .data = flags},
      {.name = "c", .dtype = VLB_BF16, .ndim = 0, .data = values},
      {.name = "none", .dtype = VLB_F32, .ndim = 1, .dims = {0}, .data = values},
  };
  vlb_error err;
  assert_int_equal(vlb_safetensors_write("good", entries, 4, &err), VLB_OK);
  char *data;
  size_t size;
  load("good", &data, &size);
  damage_truncate("cut", data, size, 1, read_all);
  damage_flip("flipped", data, size, 0, 2000, read_all);
  free(data);
}

static void test_statistics(void **state) {
  (void)state;
  static const double rows[] = {1, 2, 3, 4, 5, 6};
  vlb_stats s;
  vlb_stats_compute(rows, 2, 3, &s);
  vlb_error err;
  assert_int_equal(vlb_stats_save("good", &s, &s, &err), VLB_OK);
  char *data;
  size_t size;
  load("good", &data, &size);
  damage_truncate("cut", data, size, 1, read_stats);
  damage_flip("flipped", data, size, 0, 1000, read_stats);
  free(data);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_tensors), cmocka_unit_test(test_statistics)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
