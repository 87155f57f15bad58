#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sim/task/task.h"

/* LIBERO-Spatial's ten sentences in the benchmark's order (its default task map, not the alphabet). */
static const char *const sentences[] = {
    "pick up the black bowl between the plate and the ramekin and place it on the plate",
    "pick up the black bowl next to the ramekin and place it on the plate",
    "pick up the black bowl from table center and place it on the plate",
    "pick up the black bowl on the cookie box and place it on the plate",
    "pick up the black bowl in the top drawer of the wooden cabinet and place it on the plate",
    "pick up the black bowl on the ramekin and place it on the plate",
    "pick up the black bowl next to the cookie box and place it on the plate",
    "pick up the black bowl on the stove and place it on the plate",
    "pick up the black bowl next to the plate and place it on the plate",
    "pick up the black bowl on the wooden cabinet and place it on the plate"};

static void spatial_is_liberos(void **state) {
  (void)state;
  vlb_suite *suite;
  vlb_error err;
  assert_int_equal(vlb_suite_load("spatial", &suite, &err), VLB_OK);
  assert_string_equal(suite->name, "spatial");
  assert_int_equal(suite->task_count, 10);
  assert_int_equal(suite->max_steps, 280);
  assert_int_equal(suite->settle_steps, 10);
  for (int t = 0; t < 10; t++) {
    const vlb_task *task = &suite->tasks[t];
    assert_string_equal(task->instruction, sentences[t]);
    assert_int_equal(task->object_count, 7);
    assert_int_equal(task->goal_count, 1);
    assert_int_equal(task->goals[0].kind, VLB_GOAL_ON);
    assert_string_equal(task->goals[0].a, "akita_black_bowl_1");
    assert_string_equal(task->goals[0].b, "plate_1");
    assert_int_equal(task->start_count, t == 4);
  }
  assert_string_equal(suite->tasks[2].name, "pick_up_the_black_bowl_from_table_center_and_place_it_on_the_plate");
  vlb_suite_free(suite);
}

static void write_file(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  assert_int_equal(fclose(f), 0);
}

static const char good_suite[] =
    "max_steps = 10\nsettle_steps = 0\n"
    "[objects]\nplate_1 = { category = \"plate\" }\nbowl_1 = { category = \"akita_black_bowl\" }\n"
    "[regions]\nleft = { x = [-0.1, 0], y = [-0.2, -0.1] }\nright = { x = [0, 0.1], y = [0.1, 0.2] }\n";
static const char good_task[] = "instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1\"]\n[place]\nplate_1 = \"left\"\nbowl_1 = \"right\"\n";

/* Loads a folder of these two texts; returns the code, the message in err. */
static vlb_code load(const char *suite_text, const char *task_text, vlb_suite **suite, vlb_error *err) {
  mkdir("mine", 0777);
  write_file("mine/suite.toml", suite_text);
  write_file("mine/00_task.toml", task_text);
  return vlb_suite_load("mine", suite, err);
}

static void a_folder_is_a_suite(void **state) {
  (void)state;
  vlb_suite *suite;
  vlb_error err;
  assert_int_equal(load(good_suite, good_task, &suite, &err), VLB_OK);
  assert_string_equal(suite->name, "mine");
  assert_string_equal(suite->tasks[0].name, "do_it");
  assert_true(suite->tasks[0].placements[1].x[1] == 0.1);
  vlb_suite_free(suite);
}

/* Every mistake is one line that names the file, the line, and what to write instead. */
static void mistakes_have_a_place(void **state) {
  (void)state;
  static const struct {
    const char *task, *place, *what;
  } cases[] = {
      {"instruction = \"do it\"\ngoals = [\"on bowl_1 plate_1\"]\n", "mine/00_task.toml:2", "did you mean \"goal\""},
      {"instruction = \"do it\"\n[place]\nplate_1 = \"left\"\nbowl_1 = \"right\"\n", "mine/00_task.toml:1", "goal is missing"},
      {"instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1\"]\n[place]\nplate_1 = \"lfet\"\n", "mine/00_task.toml:4", "did you mean \"left\""},
      {"instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1\"]\n[place]\nplate_2 = \"left\"\n", "mine/00_task.toml:4", "did you mean \"plate_1\""},
      {"instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1\"]\n[place]\nplate_1 = \"left\"\n", "mine/00_task.toml", "\"bowl_1\" is nowhere"},
      {"instruction = \"do it\"\ngoal = [\"onn bowl_1 plate_1\"]\n[place]\nplate_1 = \"left\"\nbowl_1 = \"right\"\n", "mine/00_task.toml:2", "did you mean \"on\""},
      {"instruction = \"do it\"\ngoal = [\"on bowl_1\"]\n[place]\nplate_1 = \"left\"\nbowl_1 = \"right\"\n", "mine/00_task.toml:2", "takes 2 arguments"},
      {"instruction = \"do it\"\ngoal = [\"open plate_1\"]\n[place]\nplate_1 = \"left\"\nbowl_1 = \"right\"\n", "mine/00_task.toml:2", "nothing to open"},
      {"instruction = 3\ngoal = [\"on bowl_1 plate_1\"]\n", "mine/00_task.toml:1", "must be a string"},
      {"instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1\"]\n[regions]\nfar = { x = [2, 1], y = [0, 0] }\n", "mine/00_task.toml:4", "low is above high"},
      {"instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1\"]\n[regions]\nfar = { x = [1, 2] }\n", "mine/00_task.toml:4", "needs x and y"},
      {"instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1\"]\n[regions]\nup = { on = \"bowl_1\" }\n[place]\nplate_1 = \"up\"\nbowl_1 = \"right\"\n",
       "mine/00_task.toml", "must be declared before"},
      {"instruction = \"\"\ngoal = [\"on bowl_1 plate_1\"]\n", "mine/00_task.toml", "1 to 95 characters"},
      {"instruction = \"one, two\"\ngoal = [\"on bowl_1 plate_1\"]\n", "mine/00_task.toml", "no / , \""},
      {"instruction = \"two\\nlines\"\ngoal = [\"on bowl_1 plate_1\"]\n", "mine/00_task.toml", "one line"},
      {"instruction = \".hidden\"\ngoal = [\"on bowl_1 plate_1\"]\n", "mine/00_task.toml", "no dot in front"},
      {"instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1\"]\n[regions]\nfar = { x = [-inf, inf], y = [0, 0] }\n", "mine/00_task.toml:4", "out of range"},
      {"instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1\"]\n[fixtures]\nbox = { category = \"cookies\", x = nan, y = 0, z = 1 }\n",
       "mine/00_task.toml:4", "out of range"},
      {"instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1\"]\n[objects]\n\"a<b\" = { category = \"plate\" }\n", "mine/00_task.toml:4", "use a-z"},
      {"instruction = \"do it\"\ngoal = [\"on bowl_1 bowl_1\"]\n[place]\nplate_1 = \"left\"\nbowl_1 = \"right\"\n", "mine/00_task.toml:2", "itself"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    vlb_suite *suite;
    vlb_error err = {VLB_OK, ""};
    assert_int_equal(load(good_suite, cases[i].task, &suite, &err), VLB_USAGE);
    if (strncmp(err.message, cases[i].place, strlen(cases[i].place)) || !strstr(err.message, cases[i].what))
      fail_msg("case %zu: \"%s\" lacks \"%s\" or \"%s\"", i, err.message, cases[i].place, cases[i].what);
  }
}

static void tasks_of_one_name_are_refused(void **state) {
  (void)state;
  vlb_suite *suite;
  vlb_error err;
  mkdir("mine", 0777);
  write_file("mine/01_task.toml", good_task);
  assert_int_equal(load(good_suite, good_task, &suite, &err), VLB_USAGE);
  assert_int_equal(remove("mine/01_task.toml"), 0);
  assert_non_null(strstr(err.message, "mine/01_task.toml"));
  assert_non_null(strstr(err.message, "task 0 of this suite has the same"));
}

static void unknown_suites_are_named(void **state) {
  (void)state;
  vlb_suite *suite;
  vlb_error err;
  assert_int_equal(vlb_suite_load("spatail", &suite, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "did you mean \"spatial\""));
  mkdir("empty", 0777);
  assert_int_equal(vlb_suite_load("empty", &suite, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "suite.toml"));
}

static void unknown_sites_are_found_with_the_scene(void **state) {
  (void)state;
  vlb_suite *suite;
  vlb_scene *scene = (vlb_scene *)&suite; /* a failure must not leave what a caller would free again */
  vlb_error err;
  static const char task[] = "instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1_shelf\"]\n[place]\nplate_1 = \"left\"\nbowl_1 = \"right\"\n";
  assert_int_equal(load(good_suite, task, &suite, &err), VLB_OK);
  assert_int_equal(vlb_task_compile(suite, 0, &scene, &err), VLB_USAGE);
  assert_non_null(strstr(err.message, "plate_1_shelf"));
  assert_null(scene);
  vlb_suite_free(suite);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spatial_is_liberos),       cmocka_unit_test(a_folder_is_a_suite),
      cmocka_unit_test(mistakes_have_a_place),    cmocka_unit_test(unknown_suites_are_named),
      cmocka_unit_test(unknown_sites_are_found_with_the_scene),
      cmocka_unit_test(tasks_of_one_name_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
