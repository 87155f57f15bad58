/* The gallery's page: everything inside, whatever the number of threads, and honest about what the expert cannot do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "experiments/report/gallery.h"

enum { TASKS = 2 };

static const vlb_gallery_settings small = {.episodes = 2, .size = 24, .seed = 1000};

static int load(void **state) {
  vlb_error err;
  if (vlb_suite_load("spatial", (vlb_suite **)state, &err)) return -1;
  vlb_suite *suite = *state;
  suite->task_count = TASKS;
  suite->max_steps = 130; /* enough for task 0 */
  strcpy(suite->tasks[1].instruction, "a <b> & \"c\"");
  suite->tasks[1].goals[0].kind = VLB_GOAL_TURN_ON; /* a plate cannot be turned on */
  suite->tasks[1].goals[0].b[0] = 0;
  return 0;
}

static int unload(void **state) {
  vlb_suite_free(*state);
  return 0;
}

static char *write_page(vlb_suite *suite, int threads, const char *path) {
  char *page = NULL;
  size_t size;
  vlb_error err = {VLB_OK, ""};
  vlb_log *log = vlb_log_open(stderr, true);
  vlb_context ctx = {log, threads, NULL};
  if (vlb_gallery_write(path, &suite, 1, &small, &ctx, &err) || vlb_file_read(path, &page, &size, &err)) fail_msg("%s", err.message);
  vlb_log_close(log);
  return page;
}

static int count(const char *text, const char *word) {
  int n = 0;
  while ((text = strstr(text, word)) != NULL) text += strlen(word), n++;
  return n;
}

static void a_page_of_its_own(void **state) {
  char *one = write_page(*state, 1, "one.html"), *two = write_page(*state, 2, "two.html");
  assert_string_equal(one, two);
  assert_int_equal(count(one, "src=\"data:image/png;base64,iVBORw0KGgo"), 2 * TASKS);
  assert_int_equal(count(one, "src="), 2 * TASKS); /* nothing comes from elsewhere */
  assert_int_equal(count(one, "http"), 0);
  assert_int_equal(count(one, "<script"), 0);
  assert_int_equal(count(one, "class=\"good\">expert 2/2</span>"), 1);
  assert_true(count(one, "class=\"bad\">") >= 1); /* the task that nobody can do, and why, if the expert knows */
  assert_int_equal(count(one, "<figure>"), TASKS);
  assert_int_equal(count(one, "</figure>"), TASKS);
  assert_int_equal(count(one, "alt=\"Start: a &lt;b&gt; &amp; &quot;c&quot;\""), 1);
  assert_int_equal(count(one, "a <b>"), 0);
  free(one);
  free(two);
}

/* The end is another picture than the start. */
static void exhibits(void **state) {
  const size_t square = 24 * 24 * 3;
  vlb_exhibit e;
  vlb_error err = {VLB_OK, ""};
  assert_int_equal(vlb_exhibit_make(*state, 0, &small, &e, &err), VLB_OK);
  assert_int_equal(e.tried, 2);
  assert_int_equal(e.succeeded, 2);
  assert_true(e.steps > 20 && e.steps < 130);
  assert_string_equal(e.why, "");
  assert_memory_not_equal(e.rgb, e.rgb + square, square);
  vlb_exhibit_free(&e);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(exhibits), cmocka_unit_test(a_page_of_its_own)};
  return cmocka_run_group_tests(tests, load, unload);
}
