/* A team runs every part once, whatever its size, piece after piece. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/team.h"

enum { PARTS = 64, PIECES = 400 };

typedef struct {
  int size;
  int done[PARTS];
  atomic_int busy[16]; /* per worker: never two parts at once */
  atomic_int clashes;
} job;

static void part(void *self, int i, int worker) {
  job *j = self;
  if (worker < 0 || worker >= j->size || atomic_fetch_add(&j->busy[worker], 1)) atomic_fetch_add(&j->clashes, 1);
  j->done[i]++;
  atomic_fetch_sub(&j->busy[worker], 1);
}

static void test_every_part_once(void **state) {
  (void)state;
  for (int threads = 0; threads <= 5; threads++) {
    vlb_team *t;
    job j;
    memset(&j, 0, sizeof j);
    assert_int_equal(vlb_team_create(threads, &t, NULL), VLB_OK);
    j.size = vlb_team_size(t);
    assert_int_equal(j.size, threads > 1 ? threads : 1);
    int wanted[PARTS] = {0};
    for (int piece = 0; piece < PIECES; piece++) {
      int n = piece % (PARTS + 1);
      vlb_team_run(t, n, part, &j);
      for (int i = 0; i < n; i++) wanted[i]++;
    }
    assert_memory_equal(j.done, wanted, sizeof wanted);
    assert_int_equal(j.clashes, 0);
    vlb_team_free(t);
  }
}

static void test_nobody(void **state) {
  (void)state;
  job j = {.size = 1};
  assert_int_equal(vlb_team_size(NULL), 1);
  vlb_team_run(NULL, 3, part, &j);
  assert_int_equal(j.done[0] + j.done[1] + j.done[2], 3);
  vlb_team_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_part_once), cmocka_unit_test(test_nobody)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
