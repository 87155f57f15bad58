/* Captions are true: words, places in the pictures against the pictures themselves, what is to be moved, what is on what. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/data/captions.h"
#include "core/data/image.h"
#include "sim/render/render.h"
#include "sim/task/facts.h"
#include "sim/task/predicates.h"

enum { SIZE = 64 };

typedef struct {
  vlb_suite *suite;
  vlb_scene *scene;
  vlb_world world;
} stage;

static stage *open_stage(const char *suite, int task) {
  stage *s = calloc(1, sizeof *s);
  vlb_error err;
  assert_non_null(s);
  if (vlb_suite_load(suite, &s->suite, &err) || vlb_task_compile(s->suite, task, &s->scene, &err) || vlb_world_open(&s->world, s->suite, task, s->scene, &err) ||
      vlb_world_start(&s->world, 0, 77, &err) || s->suite->family->expert_start(&s->world, 0, 77, &err))
    fail_msg("%s", err.message);
  return s;
}

static void close_stage(stage *s) {
  vlb_world_close(&s->world);
  vlb_scene_free(s->scene);
  vlb_suite_free(s->suite);
  free(s);
}

static char *facts_of(const stage *s) {
  char *text;
  size_t size;
  vlb_rng rng = vlb_rng_make(1, VLB_RNG_TEST, 0, 0);
  FILE *out = open_memstream(&text, &size);
  vlb_facts_write(&s->world, &rng, out);
  fclose(out);
  return text;
}

/* the answer to a question; NULL: it was not asked */
static const char *answer(const char *facts, const char *question) {
  size_t n = strlen(question);
  for (const char *line = facts; line && *line; line = strchr(line, '\n') + 1)
    if (!strncmp(line, question, n) && line[n] == '\t') return line + n + 1;
  return NULL;
}

static void test_words(void **state) {
  (void)state;
  static const char *const cases[][2] = {{"akita_black_bowl_1", "black bowl"}, {"plate_2", "plate"}, {"chefmate_8_frypan_1", "pan"},
                                         {"cream_cheese_1", "cream cheese"}, {"white_yellow_mug_1", "yellow and white mug"}, {"red_cube", "red cube"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char words[96];
    vlb_thing_words(cases[i][0], words, sizeof words);
    assert_string_equal(words, cases[i][1]);
  }
}

/* Painted magenta and lit by itself, the bowl's pixels lie around the place that the caption names. */
static void painted(const stage *s, int camera, const char *thing, double middle[2]) {
  static uint8_t raw[SIZE * SIZE * 3], view[SIZE * SIZE * 3];
  vlb_renderer *r;
  vlb_error err;
  mjModel *m = s->world.model;
  int body = vlb_object_body(m, thing), count = 0;
  for (int g = 0; g < m->ngeom; g++) {
    if (m->body_rootid[m->geom_bodyid[g]] != m->body_rootid[body]) continue;
    m->geom_matid[g] = -1;
    memcpy(m->geom_rgba + 4 * g, (float[]){1, 0, 1, 1}, 4 * sizeof(float));
  }
  if (vlb_renderer_open(s->scene, SIZE, 0, &r, &err) || vlb_render(r, m, s->world.data, s->scene->camera[camera], raw, &err)) fail_msg("%s", err.message);
  vlb_renderer_close(r);
  vlb_image_view(raw, SIZE, s->suite->embodiment->view, view);
  middle[0] = middle[1] = 0;
  for (int p = 0; p < SIZE * SIZE; p++) {
    if (view[3 * p] < 2 * view[3 * p + 1] + 30 || view[3 * p + 2] < 2 * view[3 * p + 1] + 30) continue;
    middle[0] += p % SIZE, middle[1] += p / SIZE, count++;
  }
  assert_true(count > 10);
  middle[0] /= count, middle[1] /= count;
}

static void test_places_are_where_things_are(void **state) {
  (void)state;
  stage *s = open_stage("goal", 1);
  char *facts = facts_of(s);
  double u, v, at[2];
  const char *bowl = answer(facts, "where is the black bowl");
  assert_non_null(bowl);
  assert_int_equal(sscanf(bowl, "{%lf}{%lf}", &u, &v), 2);
  painted(s, 0, "akita_black_bowl_1", at);
  /* places count in bins of a 64th, pixels are as large; the middle of what is seen is not quite the origin */
  if (fabs(u - at[0]) > 2.5 || fabs(v - at[1]) > 2.5) fail_msg("caption %.1f %.1f, picture %.1f %.1f", u, v, at[0], at[1]);
  assert_null(answer(facts, "where is the milk"));
  free(facts);
  close_stage(s);
}

/* the instruction's places are the rim that the hand takes, and the stove */
static void test_instruction(void **state) {
  (void)state;
  stage *s = open_stage("goal", 1);
  char *facts = facts_of(s);
  double x[14];
  const char *a = answer(facts, s->world.task->instruction);
  assert_true(a == facts + strlen(s->world.task->instruction) + 1); /* it comes first */
  int n = 0;
  for (const char *c = a; *c != '\n' && n < 14; c++) {
    if (*c != '{') continue;
    x[n++] = c[1] == '}' ? NAN : strtod(c + 1, NULL);
  }
  assert_int_equal(n, 14);
  const mjtNum *hand = s->world.data->site_xpos + 3 * s->scene->eef_site;
  const mjtNum *bowl = s->world.data->xpos + 3 * vlb_object_body(s->world.model, "akita_black_bowl_1");
  const mjtNum *stove = s->world.data->site_xpos + 3 * vlb_site(s->world.model, "flat_stove_1_cook_region");
  double away[2] = {0, 0};
  for (int i = 0; i < 2; i++) {
    away[0] += pow(hand[i] + vlb_offset_of_place(x[4 + i]) - bowl[i], 2);
    away[1] += pow(hand[i] + vlb_offset_of_place(x[11 + i]) - stove[i], 2);
  }
  assert_true(sqrt(away[0]) < 0.08 && sqrt(away[1]) < 0.05);
  free(facts);
  close_stage(s);
}

static void test_relations(void **state) {
  (void)state;
  stage *s = open_stage("spatial", 3); /* one bowl on the cookie box */
  char *facts = facts_of(s);
  const char *box = answer(facts, "what is on the cookie box"), *plate = answer(facts, "what is on the plate"), *hand = answer(facts, "hand");
  assert_true(box && !strncmp(box, "the black bowl\n", 15));
  assert_true(plate && !strncmp(plate, "nothing\n", 8));
  assert_true(hand && strstr(hand, " at nothing\n"));
  assert_null(answer(facts, "where is the black bowl")); /* there are two */
  assert_non_null(strstr(facts, "of the wooden cabinet\t"));
  for (const char *line = facts; *line; line = strchr(line, '\n') + 1) assert_true(strchr(line, '\t') && strchr(line, '\t') < strchr(line, '\n'));
  free(facts);
  close_stage(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_places_are_where_things_are), cmocka_unit_test(test_instruction),
                                     cmocka_unit_test(test_relations)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
