/* Files: whole or not at all, whatever happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/file.h"

static void expect_content(const char *path, const char *expected) {
  char *data;
  size_t size;
  vlb_error err;
  assert_int_equal(vlb_file_read(path, &data, &size, &err), VLB_OK);
  assert_int_equal(size, strlen(expected));
  assert_string_equal(data, expected);
  free(data);
}

static int files_in(const char *path) {
  DIR *folder = opendir(path);
  assert_non_null(folder);
  int n = 0;
  for (struct dirent *e; (e = readdir(folder)) != NULL;) n += e->d_name[0] != '.';
  closedir(folder);
  return n;
}

static void test_write_and_read(void **state) {
  (void)state;
  vlb_error err;
  assert_int_equal(vlb_folder_make("a/b/c", &err), VLB_OK);
  assert_int_equal(vlb_folder_make("a/b/c/", &err), VLB_OK);
  assert_int_equal(vlb_file_write("a/b/c/x", "hello", 5, &err), VLB_OK);
  expect_content("a/b/c/x", "hello");
  assert_int_equal(vlb_file_write("a/b/c/x", "", 0, &err), VLB_OK);
  expect_content("a/b/c/x", "");
  assert_int_equal(files_in("a/b/c"), 1);
  assert_true(vlb_file_exists("a/b/c/x"));
  assert_true(vlb_file_exists("a"));
  assert_false(vlb_file_exists("a/b/c/y"));
  char *data;
  size_t size;
  assert_int_equal(vlb_file_read("/proc/self/status", &data, &size, &err), VLB_OK); /* says it has no bytes */
  assert_true(size > 10);
  free(data);
}

static void test_errors(void **state) {
  (void)state;
  vlb_error err;
  char *data;
  size_t size;
  assert_int_equal(vlb_file_read("nothing", &data, &size, &err), VLB_FAILED);
  assert_string_equal(err.message, "nothing: cannot open: No such file or directory");
  assert_int_equal(vlb_file_read("/", &data, &size, &err), VLB_FAILED);
  assert_string_equal(err.message, "/: cannot read: Is a directory");
  assert_int_equal(vlb_file_write("no/folder/x", "x", 1, &err), VLB_FAILED);
  assert_string_equal(err.message, "no/folder/x: cannot write: No such file or directory");
  assert_int_equal(vlb_file_write("plain", "x", 1, &err), VLB_OK);
  assert_int_equal(vlb_folder_make("plain", &err), VLB_FAILED);
  assert_string_equal(err.message, "plain: is a file, a folder is needed here");
  assert_int_equal(vlb_folder_make("plain/below", &err), VLB_FAILED);
  assert_int_equal(vlb_folder_make("target", &err), VLB_OK);
  assert_int_equal(vlb_file_write("target", "x", 1, &err), VLB_FAILED); /* a folder is in the way */
  assert_int_equal(files_in("target"), 0);
  vlb_folder_clean("nowhere");
}

static void test_path(void **state) {
  (void)state;
  char buf[8];
  vlb_error err;
  assert_int_equal(vlb_path(buf, sizeof buf, &err, "%s/%d", "abc", 123), VLB_OK);
  assert_string_equal(buf, "abc/123");
  assert_int_equal(vlb_path(buf, sizeof buf, &err, "%s/%d", "abcd", 123), VLB_FAILED);
  char longer[3000];
  memset(longer, 'x', sizeof longer - 1);
  longer[sizeof longer - 1] = 0;
  assert_int_equal(vlb_file_write(longer, "x", 1, &err), VLB_FAILED);
  assert_int_equal(vlb_folder_make(longer, &err), VLB_FAILED);
}

/* A limit on the size of files stands in for a full disk. */
static void test_full_disk(void **state) {
  (void)state;
  vlb_error err;
  assert_int_equal(vlb_folder_make("full", &err), VLB_OK);
  assert_int_equal(vlb_file_write("full/x", "old", 3, &err), VLB_OK);
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit before, small;
  getrlimit(RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 10000;
  setrlimit(RLIMIT_FSIZE, &small);
  static char much[100000];
  vlb_code code[3];
  code[0] = vlb_file_write("full/x", much, sizeof much, &err);
  vlb_writer w; /* fails in the middle, long before the commit */
  assert_int_equal(vlb_writer_open(&w, "full/x", &err), VLB_OK);
  for (int i = 0; i < 100000; i++) fprintf(w.out, "%d\n", i);
  code[1] = vlb_writer_commit(&w, &err);
  assert_int_equal(vlb_writer_open(&w, "full/x", &err), VLB_OK); /* fails in the last flush only */
  fwrite(much, 1, 10001, w.out);
  code[2] = vlb_writer_commit(&w, &err);
  setrlimit(RLIMIT_FSIZE, &before);
  for (int i = 0; i < 3; i++) assert_int_equal(code[i], VLB_FAILED);
  assert_string_equal(err.message, "full/x: cannot write: File too large");
  expect_content("full/x", "old");
  assert_int_equal(files_in("full"), 1);
}

/* A writer that dies leaves the old content, and a file that the next run removes. */
static void test_killed_writer(void **state) {
  (void)state;
  vlb_error err;
  assert_int_equal(vlb_folder_make("killed", &err), VLB_OK);
  assert_int_equal(vlb_file_write("killed/x", "old", 3, &err), VLB_OK);
  pid_t child = fork();
  if (child == 0) {
    vlb_writer w;
    if (vlb_writer_open(&w, "killed/x", &err) == VLB_OK) {
      fputs("half", w.out);
      fflush(w.out);
    }
    kill(getpid(), SIGKILL);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status));
  expect_content("killed/x", "old");
  assert_int_equal(files_in("killed"), 2);
  char living[64], odd[] = "killed/notes.tmp.txt";
  snprintf(living, sizeof living, "killed/y.tmp.%ld", (long)getpid());
  assert_int_equal(vlb_file_write(living, "mine", 4, &err), VLB_OK);
  assert_int_equal(vlb_file_write(odd, "kept", 4, &err), VLB_OK);
  vlb_folder_clean("killed");
  assert_int_equal(files_in("killed"), 3);
  assert_true(vlb_file_exists(living));
  assert_true(vlb_file_exists(odd));
}

static void test_abort_and_publish(void **state) {
  (void)state;
  vlb_error err;
  assert_int_equal(vlb_folder_make("halves", &err), VLB_OK);
  vlb_writer w;
  assert_int_equal(vlb_writer_open(&w, "halves/x", &err), VLB_OK);
  vlb_writer_abort(&w);
  vlb_writer_abort(&w);
  assert_int_equal(files_in("halves"), 0);
  char temp[1100];
  vlb_temp_name("halves/x", temp, sizeof temp);
  FILE *out = fopen(temp, "w");
  assert_non_null(out);
  fputs("made elsewhere", out);
  fclose(out);
  assert_int_equal(vlb_publish(temp, "halves/x", &err), VLB_OK);
  expect_content("halves/x", "made elsewhere");
  assert_int_equal(vlb_publish(temp, "halves/x", &err), VLB_FAILED);
  expect_content("halves/x", "made elsewhere");
}

/* Names are names: nothing in them is a pattern. */
static void test_list(void **state) {
  (void)state;
  vlb_error err = {VLB_OK, ""};
  vlb_file_list list;
  static const char *const names[] = {"b.toml", "a.toml", ".hidden.toml", "a.txt", "toml"};
  assert_int_equal(vlb_folder_make("odd [1]*", &err), VLB_OK);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[64];
    snprintf(path, sizeof path, "odd [1]*/%s", names[i]);
    assert_int_equal(vlb_file_write(path, "x", 1, &err), VLB_OK);
  }
  assert_int_equal(vlb_folder_list("odd [1]*", ".toml", &list, &err), VLB_OK);
  assert_int_equal(list.count, 2);
  assert_string_equal(list.path[0], "odd [1]*/a.toml");
  assert_string_equal(list.path[1], "odd [1]*/b.toml");
  vlb_list_free(&list);
  assert_int_equal(vlb_folder_list("odd [1]*", ".png", &list, &err), VLB_OK);
  assert_int_equal(list.count, 0);
  vlb_list_free(&list);
  assert_int_equal(vlb_folder_list("odd [1]*/a.toml", "", &list, &err), VLB_USAGE);
  assert_string_equal(err.message, "odd [1]*/a.toml: cannot be listed: Not a directory");
}

/* files of any size are copied, folders removed with what is in them */
static void test_copy_and_remove(void **state) {
  (void)state;
  vlb_error err;
  enum { SIZE = 200000 };
  char *text = malloc(SIZE), *back;
  size_t size;
  for (int i = 0; i < SIZE; i++) text[i] = (char)(i * 7);
  assert_int_equal(vlb_folder_make("tree/a/b", &err), VLB_OK);
  assert_true(vlb_folder_empty("tree/a/b"));
  assert_int_equal(vlb_file_write("tree/a/b/x", text, SIZE, &err), VLB_OK);
  assert_false(vlb_folder_empty("tree/a/b"));
  assert_int_equal(vlb_file_copy("tree/a/b/x", "tree/y", &err), VLB_OK);
  assert_int_equal(vlb_file_read("tree/y", &back, &size, &err), VLB_OK);
  assert_int_equal(size, SIZE);
  assert_memory_equal(back, text, SIZE);
  assert_int_equal(vlb_file_copy("tree/none", "tree/z", &err), VLB_FAILED);
  assert_false(vlb_file_exists("tree/z"));
  assert_true(vlb_is_folder("tree/a") && !vlb_is_folder("tree/y") && !vlb_is_folder("tree/none"));
  assert_int_equal(vlb_folder_remove("tree", &err), VLB_OK);
  assert_false(vlb_file_exists("tree"));
  assert_int_equal(vlb_folder_remove("tree", &err), VLB_OK);
  assert_true(vlb_folder_empty("tree"));
  free(back), free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_write_and_read), cmocka_unit_test(test_errors),        cmocka_unit_test(test_path),
      cmocka_unit_test(test_full_disk),      cmocka_unit_test(test_killed_writer), cmocka_unit_test(test_abort_and_publish),
      cmocka_unit_test(test_list),           cmocka_unit_test(test_copy_and_remove),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
