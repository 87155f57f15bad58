/* Off-screen pictures: they show the scene, do not depend on the thread or on earlier pictures, and shadows are a switch. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "sim/render/render.h"

enum { SIZE = 64, BYTES = SIZE * SIZE * 3, POSES = 6 };

static const vlb_scene_object cubes[] = {
    {.name = "cube_1", .category = "wooden_cube", .movable = 1},
    {.name = "cube_2", .category = "wooden_cube", .movable = 1},
};

static vlb_scene *scene;

static int open_scene(void **state) {
  (void)state;
  vlb_error err = {0};
  const vlb_scene_spec spec = {.embodiment = &vlb_panda, .arena = "tabletop", .objects = cubes, .object_count = 2};
  return (int)vlb_scene_compile(&spec, &scene, &err);
}

static int close_scene(void **state) {
  (void)state;
  vlb_scene_free(scene);
  return 0;
}

/* Pose k: both cubes on the table, elsewhere each time, the arm turned a little. */
static mjData *pose(int k) {
  mjData *d = mj_makeData(scene->model);
  vlb_scene_home(scene, d);
  d->qpos[scene->arm_qpos[0]] = 0.1 * k;
  for (int i = 0; i < 2; i++) {
    mjtNum *at = d->qpos + 9 + 7 * i;
    at[0] = -0.1 + 0.05 * k, at[1] = i ? 0.2 : -0.15, at[2] = 0.925;
  }
  mj_forward(scene->model, d);
  return d;
}

static vlb_renderer *open_renderer(int size, int shadows) {
  vlb_error err = {0};
  vlb_renderer *r = NULL;
  if (vlb_renderer_open(scene, size, shadows, &r, &err)) fail_msg("%s", err.message);
  return r;
}

static void draw(vlb_renderer *r, int k, int camera, uint8_t *rgb) {
  vlb_error err = {0};
  mjData *d = pose(k);
  if (vlb_render(r, scene->model, d, scene->camera[camera], rgb, &err)) fail_msg("%s", err.message);
  mj_deleteData(d);
}

static void test_name(void **state) {
  (void)state;
  char name[256] = "";
  vlb_error err = {0};
  assert_int_equal(vlb_renderer_name(name, sizeof name, &err), VLB_OK);
  print_message("%s\n", name);
  assert_true(strlen(name) > 5);
}

/* The wooden table fills the lower half of agentview (rows are bottom-up: the first ones), the wall the top corners. */
static void test_shows_the_scene(void **state) {
  (void)state;
  static uint8_t rgb[BYTES];
  vlb_renderer *r = open_renderer(SIZE, 0);
  draw(r, 0, 0, rgb);
  const uint8_t *table = rgb + (5 * SIZE + 40) * 3, *wall = rgb + (60 * SIZE + 3) * 3;
  assert_true(table[0] > table[2] + 40); /* warm wood */
  assert_true(abs(wall[0] - wall[2]) < 25 && wall[0] > 90);
  vlb_renderer_close(r);
}

/* A picture is a function of the state alone: nothing of earlier pictures, other sizes or renderers stays in it. */
static void test_repeats(void **state) {
  (void)state;
  static uint8_t first[BYTES], again[BYTES], other[BYTES], large[4 * BYTES];
  vlb_renderer *r = open_renderer(SIZE, 0), *big = open_renderer(2 * SIZE, 1);
  draw(r, 0, 0, first);
  draw(r, 3, 1, other);
  draw(big, 2, 0, large);
  draw(r, 0, 0, again);
  assert_memory_equal(first, again, BYTES);
  assert_memory_not_equal(first, other, BYTES);
  vlb_renderer_close(big);
  draw(r, 0, 0, again);
  assert_memory_equal(first, again, BYTES);
  vlb_renderer_close(r);
}

/* How many bytes of agentview change when a cube is at (0, y) on the table. */
static int shown(vlb_renderer *r, double y, const uint8_t *without, uint8_t *with) {
  vlb_error err = {0};
  mjData *d = pose(0);
  int changed = 0;
  d->qpos[9] = 0, d->qpos[10] = y;
  mj_forward(scene->model, d);
  assert_int_equal(vlb_render(r, scene->model, d, scene->camera[0], with, &err), VLB_OK);
  for (int i = 0; i < BYTES; i++) changed += with[i] != without[i];
  mj_deleteData(d);
  return changed;
}

/* What is out of view is not drawn, but nothing goes before its last corner has left: a cube that slides out of the picture
 * vanishes bit by bit. */
static void test_unseen(void **state) {
  (void)state;
  static uint8_t without[BYTES], with[BYTES];
  vlb_renderer *r = open_renderer(SIZE, 0);
  shown(r, 5, without, without);
  for (int side = -1; side <= 1; side += 2) {
    int before = shown(r, side * 0.1, without, with), y = 100;
    assert_true(before > 60);
    for (; y < 1000 && before; y += 4) {
      int now = shown(r, side * 1e-3 * y, without, with);
      assert_true(now > 0 || before < 15);
      before = now;
    }
    assert_true(y > 200 && y < 1000);
  }
  vlb_renderer_close(r);
}

static void test_shadows(void **state) {
  (void)state;
  static uint8_t without[BYTES], with[BYTES];
  vlb_renderer *r = open_renderer(SIZE, 0), *s = open_renderer(SIZE, 1);
  draw(r, 0, 0, without);
  draw(s, 0, 0, with);
  long lighter = 0, darker = 0;
  for (int i = 0; i < BYTES; i++) {
    lighter += with[i] > without[i] + 8;
    darker += with[i] + 8 < without[i];
  }
  assert_true(darker > 300);
  assert_true(lighter < darker / 10);
  vlb_renderer_close(r);
  vlb_renderer_close(s);
}

typedef struct {
  uint8_t rgb[2 * POSES][BYTES];
  int failed;
} album;

static void *fill_album(void *arg) {
  album *a = arg;
  vlb_error err = {0};
  vlb_renderer *r = NULL;
  a->failed = vlb_renderer_open(scene, SIZE, 0, &r, &err) != VLB_OK;
  for (int i = 0; i < 2 * POSES && !a->failed; i++) {
    mjData *d = pose(i / 2);
    a->failed = vlb_render(r, scene->model, d, scene->camera[i % 2], a->rgb[i], &err) != VLB_OK;
    mj_deleteData(d);
  }
  vlb_renderer_close(r);
  return NULL;
}

/* Two threads drawing at once give the bytes that one gives alone. */
static void test_threads(void **state) {
  (void)state;
  album *albums = calloc(3, sizeof *albums);
  pthread_t threads[2];
  fill_album(&albums[2]);
  for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, fill_album, &albums[i]), 0);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 2; i++) {
    assert_false(albums[i].failed);
    assert_memory_equal(albums[i].rgb, albums[2].rgb, sizeof albums[2].rgb);
  }
  free(albums);
}

typedef struct {
  vlb_renderers *all;
  vlb_renderer *got;
  uint8_t *rgb;
  vlb_code code;
} loan;

static void *draw_on_loan(void *arg) {
  loan *l = arg;
  vlb_error err = {0};
  mjData *d = pose(2);
  l->code = vlb_renderers_take(l->all, 0, scene, &l->got, &err);
  if (!l->code) l->code = vlb_render(l->got, scene->model, d, scene->camera[0], l->rgb, &err);
  vlb_renderers_give(l->all, 0);
  mj_deleteData(d);
  return NULL;
}

/* A worker's renderer stays, whichever thread is the worker, until the scene is another. */
static void test_kept(void **state) {
  (void)state;
  static uint8_t rgb[3][BYTES];
  vlb_error err = {0};
  vlb_renderers all;
  vlb_scene other = *scene;
  vlb_renderer *last;
  loan loans[2];
  vlb_renderer *r = open_renderer(SIZE, 0);
  draw(r, 2, 0, rgb[2]);
  vlb_renderer_close(r);
  assert_int_equal(vlb_renderers_make(&all, 1, SIZE, 0, &err), VLB_OK);
  for (int i = 0; i < 2; i++) {
    pthread_t thread;
    loans[i] = (loan){&all, NULL, rgb[i], VLB_FAILED};
    assert_int_equal(pthread_create(&thread, NULL, draw_on_loan, &loans[i]), 0);
    pthread_join(thread, NULL);
    assert_int_equal(loans[i].code, VLB_OK);
    assert_memory_equal(rgb[i], rgb[2], BYTES);
  }
  assert_ptr_equal(loans[0].got, loans[1].got);
  draw(loans[0].got, 1, 1, rgb[0]);
  vlb_renderers_give(&all, 0);
  assert_int_equal(vlb_renderers_take(&all, 0, &other, &last, &err), VLB_OK);
  draw(last, 2, 0, rgb[0]);
  assert_memory_equal(rgb[0], rgb[2], BYTES);
  vlb_renderers_give(&all, 0);
  vlb_renderers_free(&all);
  vlb_renderers_free(&all);
}

static void test_rate(void **state) {
  (void)state;
  static uint8_t rgb[BYTES];
  vlb_renderer *r = open_renderer(SIZE, 0);
  draw(r, 0, 0, rgb);
  struct timespec a, b;
  clock_gettime(CLOCK_MONOTONIC, &a);
  for (int i = 0; i < 40; i++) draw(r, i % POSES, i % 2, rgb);
  clock_gettime(CLOCK_MONOTONIC, &b);
  print_message("%d px: %.2f ms per picture\n", SIZE, ((double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) * 1e-6) / 40);
  vlb_renderer_close(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_name),    cmocka_unit_test(test_shows_the_scene), cmocka_unit_test(test_repeats),
      cmocka_unit_test(test_shadows), cmocka_unit_test(test_unseen), cmocka_unit_test(test_kept), cmocka_unit_test(test_threads),         cmocka_unit_test(test_rate),
  };
  return cmocka_run_group_tests(tests, open_scene, close_scene);
}
