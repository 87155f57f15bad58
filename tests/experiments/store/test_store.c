/* The store: states of a cell through its life, damage, locks between processes, same bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/base/file.h"
#include "experiments/store/store.h"

static const char root[] = "store", name[] = "eval-0123456789ab";

static vlb_context context(vlb_log *log) { return (vlb_context){.log = log, .threads = 1}; }

static void put(const char *folder, const char *file, const char *text) {
  char path[1200];
  vlb_error err;
  snprintf(path, sizeof path, "%s/%s", folder, file);
  assert_int_equal(vlb_file_write(path, text, strlen(text), &err), VLB_OK);
}

static vlb_store_facts facts(const vlb_class *class) {
  return (vlb_store_facts){.name = name, .hash = "00", .kind = "eval", .class = class, .work = 10, .threads = 1, .expected_cpu = 3, .expected_bytes = 40, .estimate = 7};
}

/* begins, writes one result and finishes */
static void make(const char *where) {
  vlb_store_cell cell;
  vlb_error err = {VLB_OK, ""};
  vlb_log *log = vlb_log_open(stderr, true);
  vlb_context ctx = context(log);
  vlb_class class = {.isa = "test"};
  vlb_store_facts f = facts(&class);
  bool done = true;
  if (vlb_store_begin(&cell, where, name, "a = 1\n", &ctx, &done, &err)) fail_msg("%s", err.message);
  assert_false(done);
  put(cell.folder, "result.csv", "1,2,3\n");
  put(cell.folder, "checkpoint.safetensors", "not a result");
  if (vlb_store_finish(&cell, &f, &err)) fail_msg("%s", err.message);
  vlb_log_close(log);
}

static void fresh(void) { assert_int_equal(system("rm -rf store store2"), 0); }

static vlb_stored state_of(bool deep, vlb_error *why) { return vlb_store_state(root, name, deep, why); }

static void life(void **state) {
  (void)state;
  fresh();
  vlb_error err = {VLB_OK, ""};
  vlb_log *log = vlb_log_open(stderr, true);
  vlb_context ctx = context(log);
  vlb_store_cell cell;
  bool done;
  assert_int_equal(state_of(true, NULL), VLB_STORED_ABSENT);
  assert_int_equal(vlb_store_begin(&cell, root, name, "a = 1\n", &ctx, &done, &err), VLB_OK);
  assert_int_equal(state_of(true, NULL), VLB_STORED_PARTIAL);
  vlb_store_abandon(&cell, &(vlb_error){VLB_FAILED, "the disk is on fire"});
  assert_int_equal(state_of(true, &err), VLB_STORED_FAILED);
  assert_string_equal(err.message, "the disk is on fire");
  /* an interruption is not a failure */
  assert_int_equal(vlb_store_begin(&cell, root, name, "a = 1\n", &ctx, &done, &err), VLB_OK);
  vlb_store_abandon(&cell, &(vlb_error){VLB_INTERRUPTED, "stop"});
  assert_int_equal(state_of(true, NULL), VLB_STORED_PARTIAL);
  make(root);
  assert_int_equal(state_of(true, NULL), VLB_STORED_DONE);
  assert_int_equal(vlb_store_begin(&cell, root, name, "a = 1\n", &ctx, &done, &err), VLB_OK);
  assert_true(done);
  assert_false(vlb_file_exists("store/cells/eval-0123456789ab/checkpoint.safetensors"));
  vlb_class class;
  assert_int_equal(vlb_store_class(root, name, &class, &err), VLB_OK);
  assert_string_equal(class.isa, "test");
  vlb_log_close(log);
}

/* every kind of damage is seen, named, and repaired by making the cell again */
static void damage(void **state) {
  (void)state;
  static const struct { const char *command, *says; bool shallow; } cases[] = {
      {"rm store/cells/eval-0123456789ab/result.csv", "result.csv: missing", true},
      {"printf '1,2,\\n' > store/cells/eval-0123456789ab/result.csv", "result.csv: 5 bytes", true},
      {"printf '1,2,4\\n' > store/cells/eval-0123456789ab/result.csv", "result.csv: content differs", false},
      {"echo >> store/cells/eval-0123456789ab/manifest.json", "manifest.json: differs", true},
      {"rm store/cells/eval-0123456789ab/manifest.json", "manifest.json", true},
      {"printf '' > store/cells/eval-0123456789ab/done", "manifest.json: differs", true},
      {"echo b = 2 >> store/cells/eval-0123456789ab/cell.toml", "cell.toml", true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    vlb_error why = {VLB_OK, ""};
    fresh();
    make(root);
    assert_int_equal(system(cases[i].command), 0);
    assert_int_equal(state_of(false, NULL), cases[i].shallow ? VLB_STORED_CORRUPT : VLB_STORED_DONE);
    assert_int_equal(state_of(true, &why), VLB_STORED_CORRUPT);
    if (!strstr(why.message, cases[i].says)) fail_msg("%s: %s", cases[i].command, why.message);
    make(root);
    assert_int_equal(state_of(true, NULL), VLB_STORED_DONE);
  }
}

/* a store may be kept without what is large: the cell is then neither done nor damaged, and is made again whole */
static void stripped(void **state) {
  (void)state;
  static const char *const bulk[] = {"model.safetensors", "lift_demo.hdf5"};
  vlb_error err = {VLB_OK, ""};
  for (int i = 0; i < 2; i++) {
    char path[128];
    fresh();
    assert_int_equal(vlb_folder_make("store/cells/eval-0123456789ab", &err), VLB_OK);
    put("store/cells/eval-0123456789ab", bulk[i], "large");
    make(root);
    assert_int_equal(state_of(true, NULL), VLB_STORED_DONE);
    snprintf(path, sizeof path, "store/cells/eval-0123456789ab/%s", bulk[i]);
    put("store/cells/eval-0123456789ab", bulk[i], "larger");
    assert_int_equal(state_of(true, NULL), VLB_STORED_CORRUPT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(state_of(true, NULL), VLB_STORED_STRIPPED);
    assert_int_equal(state_of(false, NULL), VLB_STORED_STRIPPED);
    make(root);
    assert_int_equal(state_of(true, NULL), VLB_STORED_DONE);
  }
}

/* killed after the results and before `done`: work to continue, and what is there is kept */
static void killed_before_done(void **state) {
  (void)state;
  fresh();
  make(root);
  assert_int_equal(unlink("store/cells/eval-0123456789ab/done"), 0);
  assert_int_equal(state_of(true, NULL), VLB_STORED_PARTIAL);
  put("store/cells/eval-0123456789ab", "first_half.csv", "kept");
  make(root);
  assert_true(vlb_file_exists("store/cells/eval-0123456789ab/first_half.csv"));
}

/* what another store has and ours has not, whole; damage there does not come over */
static void merging(void **state) {
  (void)state;
  fresh();
  vlb_error err = {VLB_OK, ""};
  vlb_log *log = vlb_log_open(stderr, true);
  vlb_context ctx = context(log);
  int copied, skipped;
  assert_int_equal(vlb_store_merge(root, "store2", &ctx, &copied, &skipped, &err), VLB_USAGE);
  make("store2");
  assert_int_equal(vlb_store_merge(root, "store2", &ctx, &copied, &skipped, &err), VLB_OK);
  assert_true(copied == 1 && skipped == 0);
  assert_int_equal(state_of(true, NULL), VLB_STORED_DONE);
  assert_int_equal(system("diff -r store store2"), 0);
  assert_int_equal(vlb_store_merge(root, "store2", &ctx, &copied, &skipped, &err), VLB_OK);
  assert_true(copied == 0 && skipped == 0);
  /* ours damaged: theirs takes its place */
  assert_int_equal(system("echo x > store/cells/eval-0123456789ab/result.csv"), 0);
  assert_int_equal(vlb_store_merge(root, "store2", &ctx, &copied, &skipped, &err), VLB_OK);
  assert_true(copied == 1);
  assert_int_equal(state_of(true, NULL), VLB_STORED_DONE);
  /* theirs damaged */
  assert_int_equal(system("rm -r store/cells/eval-0123456789ab; echo 4,5,6 > store2/cells/eval-0123456789ab/result.csv"), 0);
  assert_int_equal(vlb_store_merge(root, "store2", &ctx, &copied, &skipped, &err), VLB_OK);
  assert_true(copied == 0 && skipped == 1);
  assert_int_equal(state_of(true, NULL), VLB_STORED_ABSENT);
  vlb_log_close(log);
}

/* is anybody at work in a cell? */
static void busy(void **state) {
  (void)state;
  fresh();
  vlb_error err = {VLB_OK, ""};
  vlb_log *log = vlb_log_open(stderr, true);
  vlb_context ctx = context(log);
  vlb_store_cell cell;
  bool done;
  assert_false(vlb_store_busy(root, name));
  assert_int_equal(vlb_store_begin(&cell, root, name, "a = 1\n", &ctx, &done, &err), VLB_OK);
  assert_true(vlb_store_busy(root, name));
  vlb_store_abandon(&cell, NULL);
  assert_false(vlb_store_busy(root, name));
  vlb_log_close(log);
}

/* two makings in two places: the same bytes but for log and timing */
static void same_bytes(void **state) {
  (void)state;
  fresh();
  make(root);
  make("store2");
  assert_int_equal(system("diff -r -x log.txt -x timing.json store store2"), 0);
}

/* a second process waits for the first, then finds the cell done */
static void one_at_a_time(void **state) {
  (void)state;
  fresh();
  vlb_error err = {VLB_OK, ""};
  vlb_log *log = vlb_log_open(stderr, true);
  vlb_context ctx = context(log);
  vlb_store_cell cell;
  vlb_class class = {.isa = "test"};
  vlb_store_facts f = facts(&class);
  bool done;
  assert_int_equal(vlb_store_begin(&cell, root, name, "a = 1\n", &ctx, &done, &err), VLB_OK);
  pid_t child = fork();
  if (child == 0) {
    vlb_store_cell other;
    vlb_code code = vlb_store_begin(&other, root, name, "a = 1\n", &ctx, &done, &err);
    _exit(code == VLB_OK && done ? 42 : 1);
  }
  usleep(300000);
  int status;
  assert_int_equal(waitpid(child, &status, WNOHANG), 0);
  assert_int_equal(vlb_store_finish(&cell, &f, &err), VLB_OK);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(WEXITSTATUS(status), 42);
  vlb_log_close(log);
}

static void count_cells(void *self, const char *cell) {
  (void)cell;
  ++*(int *)self;
}

static void listing_and_rates(void **state) {
  (void)state;
  fresh();
  int n = 0;
  assert_int_equal(vlb_store_each(root, count_cells, &n, NULL), VLB_OK);
  assert_int_equal(n, 0);
  assert_int_equal(vlb_store_sum(root, "eval", 7).cells, 0);
  make(root);
  assert_int_equal(vlb_store_each(root, count_cells, &n, NULL), VLB_OK);
  assert_int_equal(n, 1);
  vlb_store_sums sums = vlb_store_sum(root, "eval", 7);
  double cpu, bytes;
  assert_int_equal(sums.cells, 1);
  assert_true(sums.expected_cpu == 3 && sums.expected_bytes == 40 && sums.cpu >= 0 && sums.cpu < 10);
  assert_true(vlb_store_took(root, name, &cpu, &bytes) && cpu == sums.cpu && bytes == sums.bytes);
  assert_true(bytes == 6 + 6); /* cell.toml, result.csv */
  assert_int_equal(vlb_store_sum(root, "train", 7).cells, 0);
  assert_int_equal(vlb_store_sum(root, "eval", 8).cells, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(life),       cmocka_unit_test(damage), cmocka_unit_test(stripped), cmocka_unit_test(merging), cmocka_unit_test(busy),        cmocka_unit_test(killed_before_done),
                                     cmocka_unit_test(same_bytes), cmocka_unit_test(one_at_a_time), cmocka_unit_test(listing_and_rates)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
