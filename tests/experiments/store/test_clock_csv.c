/* clock.csv and queue.csv: what is written is read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "experiments/store/clock_csv.h"

static void there_and_back(void **state) {
  (void)state;
  vlb_timeline_tick trace[3] = {{0, 0, false, true, true, false, false}, {1, 49, true, false, false, true, true}, {2, 48, true, true, false, false, false}};
  vlb_episode_result rows[2] = {{.task = 0, .episode = 3, .completions = 4}, {.task = 1, .episode = 0, .trace = trace, .trace_size = 3}}, back[2];
  rows[0].clock = (vlb_timeline_record){.inferences = 7, .busy = 1.25, .seconds = 20};
  rows[0].clock.robot = (vlb_control_counts){.ticks = 600, .executed = 500, .waited = 21, .idle = 79, .starvations = 5, .looks = 9, .sent = 8, .filtered = 1, .chunks = 7,
                                             .late = 100, .lost = 1, .age_sum = 123456789012, .age_max = 71};
  rows[0].clock.server = (vlb_inbox_counts){.accepted = 6, .predicted = 1, .similar = 2, .replaced = 3};
  vlb_error err;
  bool known;
  assert_int_equal(vlb_folder_make("cell", &err), VLB_OK);
  assert_int_equal(vlb_clock_csv_write("cell", rows, 2, &err), VLB_OK);
  memset(back, 0, sizeof back);
  back[0].episode = 3, back[1].task = 1;
  assert_int_equal(vlb_clock_csv_read("cell", back, 2, &known, &err), VLB_OK);
  assert_true(known);
  rows[0].clock.server.offered = back[0].clock.server.offered; /* the sum of others, not written */
  assert_memory_equal(&rows[0].clock.robot, &back[0].clock.robot, sizeof back[0].clock.robot);
  assert_memory_equal(&rows[0].clock.server, &back[0].clock.server, sizeof back[0].clock.server);
  assert_int_equal(back[0].completions, 4);
  assert_int_equal(back[0].clock.inferences, 7);
  assert_true(back[0].clock.busy == 1.25 && back[0].clock.seconds == 20);
  back[0].episode = 2; /* another cell's episodes */
  assert_int_equal(vlb_clock_csv_read("cell", back, 2, &known, &err), VLB_FAILED);
  assert_non_null(strstr(err.message, "cell/clock.csv:2"));
  assert_int_equal(vlb_clock_csv_read("elsewhere", back, 2, &known, &err), VLB_OK);
  assert_false(known);

  vlb_timeline_tick *ticks;
  int n;
  assert_int_equal(vlb_queue_csv_read("cell", 1, 0, &ticks, &n, &err), VLB_OK);
  assert_int_equal(n, 3);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(ticks[i].queue, trace[i].queue);
    assert_int_equal(ticks[i].must_go, trace[i].must_go);
    assert_int_equal(ticks[i].arrived, trace[i].arrived);
  }
  free(ticks);
  assert_int_equal(vlb_queue_csv_read("cell", 0, 3, &ticks, &n, &err), VLB_OK);
  assert_int_equal(n, 0);
  free(ticks);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
