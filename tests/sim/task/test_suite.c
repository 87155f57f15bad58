#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sim/task/task.h"

/* LIBERO's suites (libero.md 2) in the order of its task map: sentence, things besides the arena, numbers in one row of states
 * (time, qpos, qvel), goal. */
typedef struct {
  const char *sentence;
  int things, width;
  const char *goal;
} expected_task;

#define ON_PLATE 7, 92, "on akita_black_bowl_1 plate_1"
static const expected_task spatial[10] = {
    {"pick up the black bowl between the plate and the ramekin and place it on the plate", ON_PLATE},
    {"pick up the black bowl next to the ramekin and place it on the plate", ON_PLATE},
    {"pick up the black bowl from table center and place it on the plate", ON_PLATE},
    {"pick up the black bowl on the cookie box and place it on the plate", ON_PLATE},
    {"pick up the black bowl in the top drawer of the wooden cabinet and place it on the plate", ON_PLATE},
    {"pick up the black bowl on the ramekin and place it on the plate", ON_PLATE},
    {"pick up the black bowl next to the cookie box and place it on the plate", ON_PLATE},
    {"pick up the black bowl on the stove and place it on the plate", ON_PLATE},
    {"pick up the black bowl next to the plate and place it on the plate", ON_PLATE},
    {"pick up the black bowl on the wooden cabinet and place it on the plate", ON_PLATE}};

#define IN_BASKET(thing) 7, 110, "in " thing "_1 basket_1_contain_region"
static const expected_task object[10] = {
    {"pick up the alphabet soup and place it in the basket", IN_BASKET("alphabet_soup")},
    {"pick up the cream cheese and place it in the basket", IN_BASKET("cream_cheese")},
    {"pick up the salad dressing and place it in the basket", IN_BASKET("salad_dressing")},
    {"pick up the bbq sauce and place it in the basket", IN_BASKET("bbq_sauce")},
    {"pick up the ketchup and place it in the basket", IN_BASKET("ketchup")},
    {"pick up the tomato sauce and place it in the basket", IN_BASKET("tomato_sauce")},
    {"pick up the butter and place it in the basket", IN_BASKET("butter")},
    {"pick up the milk and place it in the basket", IN_BASKET("milk")},
    {"pick up the chocolate pudding and place it in the basket", IN_BASKET("chocolate_pudding")},
    {"pick up the orange juice and place it in the basket", IN_BASKET("orange_juice")}};

static const expected_task goal[10] = {
    {"open the middle drawer of the cabinet", 7, 79, "open wooden_cabinet_1_middle_region"},
    {"put the bowl on the stove", 7, 79, "on akita_black_bowl_1 flat_stove_1_cook_region"},
    {"put the wine bottle on top of the cabinet", 7, 79, "on wine_bottle_1 wooden_cabinet_1_top_side"},
    {"open the top drawer and put the bowl inside", 7, 79, "in akita_black_bowl_1 wooden_cabinet_1_top_region"},
    {"put the bowl on top of the cabinet", 7, 79, "on akita_black_bowl_1 wooden_cabinet_1_top_side"},
    {"push the plate to the front of the stove", 7, 79, "on plate_1 main_table_stove_front_region"},
    {"put the cream cheese in the bowl", 7, 79, "on cream_cheese_1 akita_black_bowl_1"},
    {"turn on the stove", 7, 79, "turn_on flat_stove_1"},
    {"put the bowl on the plate", 7, 79, "on akita_black_bowl_1 plate_1"},
    {"put the wine bottle on the rack", 7, 79, "on wine_bottle_1 wine_rack_1_top_region"}};

static const expected_task long_ones[10] = {
    {"put both the alphabet soup and the tomato sauce in the basket", 8, 123,
     "in alphabet_soup_1 basket_1_contain_region & in tomato_sauce_1 basket_1_contain_region"},
    {"put both the cream cheese box and the butter in the basket", 8, 123,
     "in cream_cheese_1 basket_1_contain_region & in butter_1 basket_1_contain_region"},
    {"turn on the stove and put the moka pot on it", 3, 47, "turn_on flat_stove_1 & on moka_pot_1 flat_stove_1_cook_region"},
    {"put the black bowl in the bottom drawer of the cabinet and close it", 4, 51,
     "close white_cabinet_1_bottom_region & in akita_black_bowl_1 white_cabinet_1_bottom_region"},
    {"put the white mug on the left plate and put the yellow and white mug on the right plate", 5, 84,
     "on porcelain_mug_1 plate_1 & on white_yellow_mug_1 plate_2"},
    {"pick up the book and place it in the back compartment of the caddy", 3, 45, "in black_book_1 desk_caddy_1_back_contain_region"},
    {"put the white mug on the plate and put the chocolate pudding to the right of the plate", 4, 71,
     "on porcelain_mug_1 plate_1 & on chocolate_pudding_1 living_room_table_plate_right_region"},
    {"put both the alphabet soup and the cream cheese box in the basket", 5, 84,
     "in alphabet_soup_1 basket_1_contain_region & in cream_cheese_1 basket_1_contain_region"},
    {"put both moka pots on the stove", 3, 47,
     "on moka_pot_1 flat_stove_1_cook_region & on moka_pot_2 flat_stove_1_cook_region & turn_on flat_stove_1"},
    {"put the yellow and white mug in the microwave and close it", 3, 47,
     "in white_yellow_mug_1 microwave_1_heating_region & close microwave_1"}};

static void describe(const vlb_task *task, char *out, size_t size) {
  static const char *const words[] = {"on", "in", "open", "close", "turn_on", "turn_off"};
  size_t n = 0;
  for (int i = 0; i < task->goal_count; i++) {
    const vlb_goal *g = &task->goals[i];
    n += (size_t)snprintf(out + n, size - n, "%s%s %s%s%s", i ? " & " : "", words[g->kind], g->a, g->b[0] ? " " : "", g->b);
    assert_true(n < size);
  }
}

static void check_suite(const char *name, int max_steps, const expected_task *expected, int count) {
  vlb_suite *suite;
  vlb_scene *scene;
  vlb_error err;
  char goals[1024];
  assert_int_equal(vlb_suite_load(name, &suite, &err), VLB_OK);
  assert_string_equal(suite->name, name);
  assert_int_equal(suite->task_count, count);
  assert_int_equal(suite->max_steps, max_steps);
  assert_int_equal(suite->settle_steps, 10);
  for (int t = 0; t < count; t++) {
    const vlb_task *task = &suite->tasks[t];
    assert_string_equal(task->instruction, expected[t].sentence);
    describe(task, goals, sizeof goals);
    assert_string_equal(goals, expected[t].goal);
    assert_int_equal(task->object_count, expected[t].things);
    assert_int_equal(vlb_task_compile(suite, t, &scene, &err), VLB_OK);
    assert_int_equal(1 + scene->model->nq + scene->model->nv, expected[t].width);
    vlb_scene_free(scene);
  }
  vlb_suite_free(suite);
}

static void spatial_is_liberos(void **state) {
  (void)state;
  vlb_suite *suite;
  vlb_error err;
  check_suite("spatial", 280, spatial, 10);
  assert_int_equal(vlb_suite_load("spatial", &suite, &err), VLB_OK);
  for (int t = 0; t < 10; t++) assert_int_equal(suite->tasks[t].start_count, t == 4);
  assert_string_equal(suite->tasks[2].name, "pick_up_the_black_bowl_from_table_center_and_place_it_on_the_plate");
  vlb_suite_free(suite);
}

static void object_is_liberos(void **state) {
  (void)state;
  check_suite("object", 280, object, 10);
}

static void goal_is_liberos(void **state) {
  (void)state;
  check_suite("goal", 300, goal, 10);
}

static void long_is_liberos(void **state) {
  (void)state;
  check_suite("long", 520, long_ones, 10);
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
      {"instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1\"]\nscore = [[\"on bowl_1 plate_1\", 1]]\n[place]\nplate_1 = \"left\"\nbowl_1 = \"right\"\n",
       "mine/00_task.toml:3", "not for panda"},
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
      {"instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1\"]\n[zones]\nfront = { x = [0, 0.1] }\n", "mine/00_task.toml:4", "needs x and y"},
      {"instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1\"]\n[zones]\nfront = { x = [0, 0.1], y = [0.1, 0.1] }\n", "mine/00_task.toml:4", "is empty"},
      {"instruction = \"do it\"\ngoal = [\"on bowl_1 plate_1\"]\n[zones]\n\"a b\" = { x = [0, 0.1], y = [0.1, 0.2] }\n", "mine/00_task.toml:4", "use a-z"},
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
      cmocka_unit_test(spatial_is_liberos),       cmocka_unit_test(object_is_liberos),
      cmocka_unit_test(goal_is_liberos),
      cmocka_unit_test(long_is_liberos),          cmocka_unit_test(a_folder_is_a_suite),
      cmocka_unit_test(mistakes_have_a_place),    cmocka_unit_test(unknown_suites_are_named),
      cmocka_unit_test(unknown_sites_are_found_with_the_scene),
      cmocka_unit_test(tasks_of_one_name_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
