/* safetensors: every dtype, what is refused, equal bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/data/safetensors.h"
#include "core/data/shards.h"

/* A file from a header text and a number of data bytes 0, 1, 2, ... */
static void put(const char *path, const char *header, size_t data_size) {
  vlb_writer w;
  vlb_error err;
  assert_int_equal(vlb_writer_open(&w, path, &err), VLB_OK);
  uint64_t length = strlen(header);
  fwrite(&length, sizeof length, 1, w.out);
  fputs(header, w.out);
  for (size_t i = 0; i < data_size; i++) fputc((int)i & 255, w.out);
  assert_int_equal(vlb_writer_commit(&w, &err), VLB_OK);
}

static void test_dtypes(void **state) {
  (void)state;
  static const float f32[] = {1.5f, -2, 3e38f};
  static const double f64[] = {0.1, -1e300};
  static const uint16_t f16[] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x8001, 0x7c00, 0x0400};
  static const uint16_t bf16[] = {0x3f80, 0xc020};
  static const int64_t i64[] = {-5, INT64_C(1) << 40};
  static const int32_t i32[] = {7, INT32_MIN};
  static const uint8_t u8[] = {0, 255}, flags[] = {0, 1, 2};
  const vlb_st_entry entries[] = {
      {.name = "f32", .dtype = VLB_F32, .ndim = 1, .dims = {3}, .data = f32},
      {.name = "f64", .dtype = VLB_F64, .ndim = 2, .dims = {1, 2}, .data = f64},
      {.name = "f16", .dtype = VLB_F16, .ndim = 1, .dims = {7}, .data = f16},
      {.name = "bf16", .dtype = VLB_BF16, .ndim = 1, .dims = {2}, .data = bf16},
      {.name = "i64", .dtype = VLB_I64, .ndim = 1, .dims = {2}, .data = i64},
      {.name = "i32", .dtype = VLB_I32, .ndim = 1, .dims = {2}, .data = i32},
      {.name = "u8", .dtype = VLB_U8, .ndim = 1, .dims = {2}, .data = u8},
      {.name = "flags", .dtype = VLB_BOOL, .ndim = 1, .dims = {3}, .data = flags},
      {.name = "scalar", .dtype = VLB_F32, .ndim = 0, .data = f32},
      {.name = "empty", .dtype = VLB_F32, .ndim = 2, .dims = {0, 4}, .data = NULL},
  };
  static const struct {
    const char *name;
    double real[7];
    int64_t whole[7];
  } expected[] = {
      {"f32", {1.5, -2, 3e38}, {1, -2, INT64_MAX}},
      {"f64", {0.1, -INFINITY}, {0, INT64_MIN}},
      {"f16", {1, -2, 65504, 0x1p-24, -0x1p-24, INFINITY, 0x1p-14}, {1, -2, 65504, 0, 0, INT64_MAX, 0}},
      {"bf16", {1, -2.5}, {1, -2}},
      {"i64", {-5, 0x1p40}, {-5, INT64_C(1) << 40}},
      {"i32", {7, -0x1p31}, {7, INT32_MIN}},
      {"u8", {0, 255}, {0, 255}},
      {"flags", {0, 1, 1}, {0, 1, 1}},
      {"scalar", {1.5}, {1}},
      {"empty", {0}, {0}},
  };
  vlb_error err;
  vlb_safetensors *file;
  assert_int_equal(vlb_safetensors_write("all", entries, 10, &err), VLB_OK);
  assert_int_equal(vlb_safetensors_open("all", &file, &err), VLB_OK);
  assert_int_equal(vlb_safetensors_count(file), 10);
  for (int i = 1; i < 10; i++) assert_true(strcmp(vlb_safetensors_at(file, i - 1)->name, vlb_safetensors_at(file, i)->name) < 0);
  for (int i = 0; i < 10; i++) {
    const vlb_st_entry *e = vlb_safetensors_find(file, expected[i].name);
    assert_non_null(e);
    assert_int_equal(e->dtype, entries[i].dtype);
    assert_int_equal(e->ndim, entries[i].ndim);
    float real[7] = {0};
    int64_t whole[7] = {0};
    vlb_st_to_float(e, real);
    vlb_st_to_int(e, whole);
    for (size_t k = 0; k < e->count; k++) {
      assert_true(real[k] == (float)expected[i].real[k]);
      assert_int_equal(whole[k], expected[i].whole[k]);
    }
  }
  assert_int_equal(vlb_safetensors_find(file, "empty")->count, 0);
  assert_null(vlb_safetensors_find(file, "absent"));
  assert_null(vlb_safetensors_at(file, 10));
  assert_null(vlb_safetensors_at(file, -1));
  vlb_safetensors_close(file);
  vlb_safetensors_close(NULL);
}

/* a file's bytes in memory are read as the file is, and checked as it is */
static void test_in_memory(void **state) {
  (void)state;
  static const float x[] = {1, 2, 3, 4};
  vlb_st_entry entry = {.name = "x", .dtype = VLB_F32, .ndim = 1, .dims = {4}, .data = x};
  vlb_error err;
  vlb_safetensors *file;
  vlb_shards *shards;
  char *bytes;
  size_t size;
  assert_int_equal(vlb_safetensors_write("memory", &entry, 1, &err), VLB_OK);
  assert_int_equal(vlb_file_read("memory", &bytes, &size, &err), VLB_OK);
  assert_int_equal(vlb_safetensors_in("label", bytes, size, &file, &err), VLB_OK);
  assert_int_equal(vlb_shards_of(file, &shards, &err), VLB_OK);
  assert_int_equal(vlb_shards_count(shards), 1);
  assert_memory_equal(vlb_shards_find(shards, "x")->data, x, sizeof x);
  vlb_shards_close(shards);
  assert_int_equal(vlb_safetensors_in("label", bytes, size - 1, &file, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "label: "));
  free(bytes);
}

/* The order of the caller does not matter, and what was read is written again as the same bytes. */
static void test_equal_bytes(void **state) {
  (void)state;
  static const float x[] = {1, 2, 3, 4};
  vlb_st_entry entries[] = {
      {.name = "b", .dtype = VLB_F32, .ndim = 2, .dims = {2, 2}, .data = x},
      {.name = "a \"quoted\" \u00e9", .dtype = VLB_U8, .ndim = 1, .dims = {3}, .data = x},
  };
  vlb_error err;
  char hash[3][VLB_HASH_SIZE];
  assert_int_equal(vlb_safetensors_write("one", entries, 2, &err), VLB_OK);
  vlb_st_entry swap = entries[0];
  entries[0] = entries[1];
  entries[1] = swap;
  assert_int_equal(vlb_safetensors_write("two", entries, 2, &err), VLB_OK);
  vlb_safetensors *file;
  assert_int_equal(vlb_safetensors_open("two", &file, &err), VLB_OK);
  assert_int_equal(vlb_safetensors_write("three", vlb_safetensors_at(file, 0), 2, &err), VLB_OK);
  vlb_safetensors_close(file);
  static const char *const names[] = {"one", "two", "three"};
  for (int i = 0; i < 3; i++) assert_int_equal(vlb_hash_file(names[i], hash[i], &err), VLB_OK);
  assert_string_equal(hash[0], hash[1]);
  assert_string_equal(hash[0], hash[2]);
  assert_int_equal(vlb_safetensors_write("none", NULL, 0, &err), VLB_OK);
  assert_int_equal(vlb_safetensors_open("none", &file, &err), VLB_OK);
  assert_int_equal(vlb_safetensors_count(file), 0);
  assert_null(vlb_safetensors_find(file, "a"));
  vlb_safetensors_close(file);
}

static void refuse(const char *header, size_t data_size, const char *message) {
  put("bad", header, data_size);
  vlb_safetensors *file;
  vlb_error err;
  assert_int_equal(vlb_safetensors_open("bad", &file, &err), VLB_FAILED);
  assert_null(file);
  if (strncmp(err.message, message, strlen(message))) fail_msg("%s\n%s\n%s", header, err.message, message);
}

#define T "bad: tensor \"t\": "
static void test_refusals(void **state) {
  (void)state;
  refuse("[]", 0, "bad: the safetensors header is not a JSON object");
  refuse("{", 0, "bad: the safetensors header is not a JSON object: ");
  refuse("{\"t\":1}", 0, T "dtype is not one of");
  refuse("{\"t\":{\"dtype\":\"F8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4, T "dtype is not one of F32");
  refuse("{\"t\":{\"dtype\":\"U8\",\"data_offsets\":[0,4]}}", 4, T "shape is not a list");
  refuse("{\"t\":{\"dtype\":\"U8\",\"shape\":[\"4\"],\"data_offsets\":[0,4]}}", 4, T "shape is not a list");
  refuse("{\"t\":{\"dtype\":\"U8\",\"shape\":[-4],\"data_offsets\":[0,4]}}", 4, T "shape is not a list");
  refuse("{\"t\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1, T "shape is not a list");
  refuse("{\"t\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}}", 4, T "shape is not a list");
  refuse("{\"t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0]}}", 4, T "data_offsets is not a pair");
  refuse("{\"t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4.0]}}", 4, T "data_offsets is not a pair");
  refuse("{\"t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,5]}}", 4, T "data_offsets lie outside");
  refuse("{\"t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[-1,3]}}", 4, T "data_offsets lie outside");
  refuse("{\"t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[3,2]}}", 4, T "data_offsets lie outside");
  refuse("{\"t\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4, T "data_offsets do not fit");
  refuse("{\"t\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[1,4]}}", 4, T "a gap before the data");
  refuse("{\"t\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}", 4, "bad: 1 bytes behind the last tensor");
  refuse("{\"s\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},\"t\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}", 4,
         T "data overlaps another tensor");
  refuse("{\"t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
         "bad: the safetensors header is not a JSON object: duplicate");
  refuse("{\"t\":{\"dtype\":\"U8\",\"shape\":[4.5],\"data_offsets\":[0,4]}}", 4, T "shape is not a list");
  refuse("{\"t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,9223372036854775808]}}", 4,
         "bad: the safetensors header is not a JSON object: ");
  refuse("{\"\xff\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
         "bad: the safetensors header is not a JSON object: unable to decode byte 0xff");
  refuse("{} x", 0, "bad: the safetensors header is not a JSON object: end of file expected");
  refuse("", 0, "bad: the safetensors header is not a JSON object: ");
  vlb_safetensors *file;
  vlb_error err;
  assert_int_equal(vlb_safetensors_open("missing", &file, &err), VLB_FAILED);
  assert_string_equal(err.message, "missing: cannot open: No such file or directory");
  assert_int_equal(vlb_file_write("short", "1234567", 7, &err), VLB_OK);
  assert_int_equal(vlb_safetensors_open("short", &file, &err), VLB_FAILED);
  assert_string_equal(err.message, "short: truncated: no safetensors header");
  assert_int_equal(vlb_safetensors_open("/dev/null", &file, &err), VLB_FAILED);
  assert_string_equal(err.message, "/dev/null: not a regular file");
}

/* The first eight bytes are believed only up to the file's end and a sane bound. */
static void test_header_lengths(void **state) {
  (void)state;
  static const uint64_t lengths[] = {3, 4096, (100u << 20) + 1, UINT64_C(1) << 63, UINT64_MAX - 7, UINT64_MAX};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    char bytes[] = "        {}", message[128];
    vlb_safetensors *file;
    vlb_error err;
    memcpy(bytes, &lengths[i], sizeof lengths[i]);
    assert_int_equal(vlb_safetensors_in("long", bytes, sizeof bytes - 1, &file, &err), VLB_FAILED);
    assert_null(file);
    snprintf(message, sizeof message, "long: truncated, or not a safetensors file: header of %llu bytes in a file of 10",
             (unsigned long long)lengths[i]);
    assert_string_equal(err.message, message);
  }
}

/* Other programs write metadata, and tensors that start anywhere. */
static void test_accepted(void **state) {
  (void)state;
  put("good", "{\"__metadata__\":{\"format\":\"pt\"},\"z\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
              "\"a\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[1,5]}}  ", 5);
  vlb_safetensors *file;
  vlb_error err;
  assert_int_equal(vlb_safetensors_open("good", &file, &err), VLB_OK);
  assert_int_equal(vlb_safetensors_count(file), 2);
  int64_t value;
  vlb_st_to_int(vlb_safetensors_find(file, "a"), &value); /* not aligned */
  assert_int_equal(value, 0x04030201);
  vlb_safetensors_close(file);
}

static void test_writer_refuses(void **state) {
  (void)state;
  static const float x[4] = {0};
  vlb_error err;
  const vlb_st_entry twice[] = {{.name = "a", .ndim = 1, .dims = {4}, .data = x}, {.name = "a", .ndim = 1, .dims = {4}, .data = x}};
  assert_int_equal(vlb_safetensors_write("out", twice, 2, &err), VLB_FAILED);
  assert_string_equal(err.message, "out: tensor \"a\" would be written twice");
  const vlb_st_entry shape = {.name = "a", .ndim = 1, .dims = {-1}, .data = x};
  assert_int_equal(vlb_safetensors_write("out", &shape, 1, &err), VLB_FAILED);
  const vlb_st_entry name = {.name = "\xff", .ndim = 1, .dims = {4}, .data = x};
  assert_int_equal(vlb_safetensors_write("out", &name, 1, &err), VLB_FAILED);
  assert_false(vlb_file_exists("out"));
  char temp[64];
  vlb_temp_name("out", temp, sizeof temp);
  assert_false(vlb_file_exists(temp));
}

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* writes floats as `dtype` and gives what was stored */
static void store_as(vlb_dtype dtype, const float *x, int64_t n, uint16_t *out) {
  const vlb_st_entry e = {.name = "x", .dtype = VLB_F32, .ndim = 1, .dims = {n}, .data = x};
  vlb_safetensors *file;
  vlb_error err;
  assert_int_equal(vlb_safetensors_write_as("as", &e, &dtype, 1, &err), VLB_OK);
  assert_int_equal(vlb_safetensors_open("as", &file, &err), VLB_OK);
  assert_int_equal(vlb_safetensors_at(file, 0)->dtype, dtype);
  memcpy(out, vlb_safetensors_at(file, 0)->data, (size_t)n * sizeof *out);
  vlb_safetensors_close(file);
}

/* every half survives being a float and a half again; between two of them the nearer, and of equals the even one, is taken */
static void test_halves(void **state) {
  (void)state;
  enum { ALL = 1 << 16 };
  static const vlb_dtype kinds[] = {VLB_F16, VLB_BF16};
  uint16_t *half = malloc(ALL * sizeof *half), *again = malloc(ALL * sizeof *again);
  float *x = malloc(ALL * sizeof *x);
  for (int k = 0; k < 2; k++) {
    uint16_t infinity = kinds[k] == VLB_F16 ? 0x7c00 : 0x7f80;
    for (int i = 0; i < ALL; i++) half[i] = (uint16_t)i;
    vlb_st_to_float(&(vlb_st_entry){.dtype = kinds[k], .count = ALL, .data = half}, x);
    store_as(kinds[k], x, ALL, again);
    for (int i = 0; i < ALL; i++) {
      bool nan = (i & 0x7fff) > infinity;
      assert_true(nan ? (again[i] & 0x7fff) > infinity : again[i] == i);
    }
    /* halves i and i + 1, and the points between */
    for (int i = 0; i + 1 < infinity; i++) x[i] = x[i] / 2 + x[i + 1] / 2;
    store_as(kinds[k], x, infinity - 1, again);
    for (int i = 0; i + 1 < infinity; i++) assert_int_equal(again[i], i + (i & 1));
    for (int i = 0; i + 1 < infinity; i++) x[i] = nextafterf(x[i], INFINITY);
    store_as(kinds[k], x, infinity - 1, again);
    for (int i = 0; i + 1 < infinity; i++) assert_int_equal(again[i], i + 1);
  }
  static const float large[] = {65519.996f, 65520, 1e30f, -65520, -0.0f};
  store_as(VLB_F16, large, 5, again);
  static const uint16_t expected[] = {0x7bff, 0x7c00, 0x7c00, 0xfc00, 0x8000};
  assert_memory_equal(again, expected, sizeof expected);
  const float largest[] = {float_of(0x7f7f7fff), float_of(0x7f7f8000)}; /* the last one that rounds down, and the tie above it */
  store_as(VLB_BF16, largest, 2, again);
  assert_int_equal(again[0], 0x7f7f);
  assert_int_equal(again[1], 0x7f80);
  free(half), free(again), free(x);
}

/* mixed types: each tensor lies at a multiple of its element's size, so that float32 can be used where it is mapped */
static void test_alignment(void **state) {
  (void)state;
  static const float x[3] = {1, 2, 3};
  static const uint8_t flag = 1;
  const vlb_st_entry entries[] = {{.name = "a", .dtype = VLB_F32, .ndim = 1, .dims = {3}, .data = x},
                                  {.name = "b", .dtype = VLB_BOOL, .ndim = 1, .dims = {1}, .data = &flag},
                                  {.name = "c", .dtype = VLB_F32, .ndim = 1, .dims = {3}, .data = x}};
  static const vlb_dtype stored[] = {VLB_BF16, VLB_BOOL, VLB_F32};
  vlb_safetensors *file;
  vlb_error err;
  assert_int_equal(vlb_safetensors_write_as("mixed", entries, stored, 3, &err), VLB_OK);
  assert_int_equal(vlb_safetensors_open("mixed", &file, &err), VLB_OK);
  for (int i = 0; i < 3; i++) {
    const vlb_st_entry *e = vlb_safetensors_at(file, i);
    assert_int_equal((uintptr_t)e->data % vlb_dtype_size(e->dtype), 0);
  }
  float back[3];
  vlb_st_to_float(vlb_safetensors_find(file, "a"), back);
  assert_memory_equal(back, x, sizeof x);
  vlb_safetensors_close(file);
  static const vlb_dtype impossible[] = {VLB_I64, VLB_BOOL, VLB_F32};
  assert_int_equal(vlb_safetensors_write_as("mixed", entries, impossible, 3, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "is F32 and cannot be stored as I64"));
}

static void test_full_disk(void **state) {
  (void)state;
  static float much[10000];
  const vlb_st_entry e = {.name = "a", .ndim = 1, .dims = {10000}, .data = much};
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit before, small;
  getrlimit(RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 8192;
  setrlimit(RLIMIT_FSIZE, &small);
  vlb_error err;
  vlb_code code = vlb_safetensors_write("full", &e, 1, &err);
  setrlimit(RLIMIT_FSIZE, &before);
  assert_int_equal(code, VLB_FAILED);
  assert_string_equal(err.message, "full: cannot write: File too large");
  assert_false(vlb_file_exists("full"));
  char temp[64];
  vlb_temp_name("full", temp, sizeof temp);
  assert_false(vlb_file_exists(temp));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dtypes),   cmocka_unit_test(test_in_memory), cmocka_unit_test(test_equal_bytes),    cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_header_lengths),
      cmocka_unit_test(test_accepted), cmocka_unit_test(test_writer_refuses), cmocka_unit_test(test_full_disk),
      cmocka_unit_test(test_halves),   cmocka_unit_test(test_alignment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
