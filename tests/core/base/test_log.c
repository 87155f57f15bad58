/* Messages and progress: on a pipe, on a terminal, in a cell's log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/log.h"

/* What a log wrote to a plain stream. */
typedef struct {
  char *text;
  size_t size;
  FILE *out;
  vlb_log *log;
} sink;

static sink open_sink(bool quiet) {
  sink s = {0};
  s.out = tmpfile();
  assert_non_null(s.out);
  s.log = vlb_log_open(s.out, quiet);
  assert_non_null(s.log);
  return s;
}

static void close_sink(sink *s) {
  vlb_log_close(s->log);
  s->size = (size_t)ftell(s->out);
  rewind(s->out);
  s->text = calloc(s->size + 1, 1);
  assert_non_null(s->text);
  assert_int_equal(fread(s->text, 1, s->size, s->out), s->size);
  fclose(s->out);
}

static void test_messages(void **state) {
  (void)state;
  sink s = open_sink(false);
  vlb_info(s.log, "made %d files", 3);
  vlb_warn(s.log, "the renderer is %s", "slow");
  close_sink(&s);
  assert_string_equal(s.text, "made 3 files\nwarning: the renderer is slow\n");
  free(s.text);
}

static void test_quiet(void **state) {
  (void)state;
  sink s = open_sink(true);
  vlb_info(s.log, "nobody sees this");
  vlb_progress_begin(s.log, "work", 0, 10, "steps");
  vlb_progress_end(s.log);
  vlb_warn(s.log, "this matters");
  close_sink(&s);
  assert_string_equal(s.text, "warning: this matters\n");
  free(s.text);
}

static void test_tee(void **state) {
  (void)state;
  vlb_error err;
  assert_int_equal(vlb_file_write("log.txt", "before\n", 7, &err), VLB_OK);
  sink s = open_sink(true);
  assert_true(vlb_log_tee(s.log, "log.txt"));
  vlb_info(s.log, "one");
  vlb_warn(s.log, "two");
  vlb_progress_begin(s.log, "train", 5, 10, "steps");
  vlb_progress_set(s.log, 10, "loss %.1f", 0.5);
  vlb_progress_end(s.log);
  assert_true(vlb_log_tee(s.log, NULL));
  vlb_info(s.log, "three");
  assert_false(vlb_log_tee(s.log, "no/such/folder/log.txt"));
  close_sink(&s);
  free(s.text);
  char *text;
  size_t size;
  assert_int_equal(vlb_file_read("log.txt", &text, &size, &err), VLB_OK);
  assert_memory_equal(text, "before\none\nwarning: two\ntrain  10/10 100% ", 42);
  assert_non_null(strstr(text, " steps/s, 0s  loss 0.5\n"));
  assert_null(strstr(text, "three"));
  free(text);
}

static void test_progress_without_terminal(void **state) {
  (void)state;
  sink s = open_sink(false);
  vlb_progress_begin(s.log, "roll out", 0, 4, "episodes");
  for (int i = 1; i <= 4; i++) vlb_progress_set(s.log, i, NULL);
  vlb_progress_end(s.log);
  vlb_progress_end(s.log); /* nothing is open */
  vlb_progress_begin(s.log, "empty", 0, 0, "episodes");
  vlb_progress_end(s.log);
  close_sink(&s);
  /* no line in between: ten seconds did not pass */
  assert_memory_equal(s.text, "roll out  4/4 100% ", 19);
  const char *second = strchr(s.text, '\n') + 1;
  assert_string_equal(second, "empty  0/0 100% episodes\n");
  free(s.text);
}

static void test_terminal(void **state) {
  (void)state;
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
  FILE *out = fopen(ptsname(master), "w");
  assert_non_null(out);
  unsetenv("NO_COLOR");
  setenv("TERM", "xterm", 1);
  vlb_log *log = vlb_log_open(out, false);
  vlb_progress_begin(log, "train", 0, 100, "steps");
  vlb_warn(log, "careful");
  vlb_progress_end(log);
  vlb_log_close(log);
  setenv("NO_COLOR", "1", 1);
  log = vlb_log_open(out, false);
  vlb_warn(log, "plain");
  vlb_log_close(log);
  /* one that cannot erase gets whole lines, as a file does */
  setenv("TERM", "dumb", 1);
  log = vlb_log_open(out, false);
  vlb_progress_begin(log, "dumb", 0, 100, "steps");
  vlb_progress_end(log);
  vlb_log_close(log);
  char text[4096] = "";
  for (size_t used = 0; !strstr(text, "dumb  0/100   0% steps\r\n");) { /* a terminal hands over piece by piece */
    ssize_t n = read(master, text + used, sizeof text - 1 - used);
    assert_true(n > 0);
    used += (size_t)n;
  }
  fclose(out);
  close(master);
  assert_non_null(strstr(text, "\rtrain  0/100   0% steps\033[K"));
  assert_non_null(strstr(text, "\r\033[K\033[33mwarning: \033[0mcareful")); /* the progress line is taken away first */
  assert_non_null(strstr(text, "\nwarning: plain"));
}

static void *talk(void *log) {
  for (int i = 0; i < 200; i++) {
    vlb_info(log, "a message of a thread");
    vlb_progress_set(log, i, "note %d", i);
  }
  return NULL;
}

static void test_threads(void **state) {
  (void)state;
  sink s = open_sink(false);
  vlb_progress_begin(s.log, "work", 0, 200, "steps");
  pthread_t id[4];
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&id[i], NULL, talk, s.log), 0);
  for (int i = 0; i < 4; i++) pthread_join(id[i], NULL);
  vlb_progress_end(s.log);
  close_sink(&s);
  int whole = 0;
  char *rest = NULL;
  for (char *line = strtok_r(s.text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
    whole += !strcmp(line, "a message of a thread");
  assert_int_equal(whole, 800);
  free(s.text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_messages), cmocka_unit_test(test_quiet),
      cmocka_unit_test(test_tee),      cmocka_unit_test(test_progress_without_terminal),
      cmocka_unit_test(test_terminal), cmocka_unit_test(test_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
