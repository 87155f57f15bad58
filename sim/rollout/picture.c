#include "sim/rollout/picture.h"

#include <stdlib.h>
#include <string.h>

#include "core/data/image.h"
#include "sim/rollout/ffmpeg.h"
#include "sim/rollout/record.h"

enum { SUITE_COLUMNS = 5 };

/* A sheet of square pictures of one size. */
typedef struct {
  int size, columns, rows;
  vlb_view view;
  uint8_t *rgb;    /* [rows*size, columns*size, 3] */
  uint8_t *turned; /* [size,size,3] */
} sheet;

static void sheet_close(sheet *s) {
  free(s->rgb);
  free(s->turned);
}

static vlb_code sheet_open(sheet *s, const vlb_suite *suite, int size, int columns, int rows, vlb_error *err) {
  size_t square = (size_t)size * (size_t)size * 3;
  *s = (sheet){.size = size, .columns = columns, .rows = rows};
  s->view = suite->embodiment->view == VLB_VIEW_MIRRORED ? VLB_VIEW_MIRRORED : VLB_VIEW_UPRIGHT;
  s->rgb = calloc((size_t)columns * (size_t)rows, square);
  s->turned = malloc(square);
  if (s->rgb && s->turned) return VLB_OK;
  sheet_close(s);
  return vlb_fail(err, VLB_FAILED, "no memory for a picture of %d x %d squares of %d pixels", columns, rows, size);
}

/* Puts a picture as rendered (rows bottom-up) at its square, as an onlooker sees it. */
static void sheet_put(sheet *s, int column, int row, const uint8_t *bottom_up) {
  size_t size = (size_t)s->size, line = size * 3, width = line * (size_t)s->columns;
  uint8_t *at = s->rgb + (size_t)row * size * width + (size_t)column * line;
  vlb_image_view(bottom_up, s->size, s->view, s->turned);
  for (size_t y = 0; y < size; y++) memcpy(at + y * width, s->turned + y * line, line);
}

static vlb_code sheet_write(const sheet *s, const char *path, vlb_error *err) {
  return vlb_png_write(path, s->rgb, s->rows * s->size, s->columns * s->size, err);
}

/* A scene at its start with a renderer. */
typedef struct {
  vlb_scene *scene;
  vlb_world world;
  vlb_renderer *renderer;
} stage;

static void stage_close(stage *t) {
  if (t->renderer) vlb_renderer_close(t->renderer);
  vlb_world_close(&t->world);
  vlb_scene_free(t->scene);
}

static vlb_code stage_open(stage *t, const vlb_suite *suite, int task, const vlb_picture_settings *s, vlb_error *err) {
  *t = (stage){0};
  vlb_code code = suite->family->compile(suite, task, &t->scene, err);
  if (!code) code = vlb_world_open(&t->world, suite, task, t->scene, err);
  if (!code) code = vlb_world_start(&t->world, s->episode, s->seed, err);
  if (!code) code = vlb_renderer_open(t->scene, s->size, s->shadows, &t->renderer, err);
  if (code) stage_close(t);
  return code;
}

/* Draws cameras first..last of a task's start into the sheet, beside or (down) below each other. */
static vlb_code draw_start(const vlb_suite *suite, int task, int first, int last, const vlb_picture_settings *s, sheet *out, int column,
                           int row, int down, vlb_error *err) {
  stage t;
  uint8_t *raw = malloc((size_t)s->size * (size_t)s->size * 3);
  if (!raw) return vlb_fail(err, VLB_FAILED, "no memory for a picture");
  vlb_code code = stage_open(&t, suite, task, s, err);
  if (!code) {
    for (int c = first; c <= last && !code; c++) {
      code = vlb_render(t.renderer, t.world.model, t.world.data, t.scene->camera[c], raw, err);
      if (!code) sheet_put(out, column + (down ? 0 : c - first), row + (down ? c - first : 0), raw);
    }
    stage_close(&t);
  }
  free(raw);
  return code;
}

vlb_code vlb_picture_start(const vlb_suite *suite, int task, int camera, const vlb_picture_settings *s, const char *path, vlb_error *err) {
  sheet out;
  int first = camera < 0 ? 0 : camera, last = camera < 0 ? suite->embodiment->cameras - 1 : camera;
  VLB_TRY(sheet_open(&out, suite, s->size, last - first + 1, 1, err));
  vlb_code code = draw_start(suite, task, first, last, s, &out, 0, 0, 0, err);
  if (!code) code = sheet_write(&out, path, err);
  sheet_close(&out);
  return code;
}

vlb_code vlb_picture_suite(const vlb_suite *suite, const vlb_picture_settings *s, const char *path, vlb_error *err) {
  sheet out;
  int columns = suite->task_count < SUITE_COLUMNS ? suite->task_count : SUITE_COLUMNS;
  VLB_TRY(sheet_open(&out, suite, s->size, columns, (suite->task_count + columns - 1) / columns * suite->embodiment->cameras, err));
  vlb_code code = VLB_OK;
  for (int t = 0; t < suite->task_count && !code; t++)
    code = draw_start(suite, t, 0, suite->embodiment->cameras - 1, s, &out, t % columns, t / columns * suite->embodiment->cameras, 1, err);
  if (!code) code = sheet_write(&out, path, err);
  sheet_close(&out);
  return code;
}

/* The expert's episode with all its pictures. */
static vlb_code play(const vlb_suite *suite, int task, const vlb_picture_settings *s, vlb_episode *e, int *succeeded, vlb_error *err) {
  stage t;
  int reached = 0;
  vlb_error trouble;
  vlb_record_settings record = {.episode = s->episode, .size = s->size, .seed = s->seed};
  VLB_TRY(stage_open(&t, suite, task, s, err));
  vlb_code code = vlb_record(&record, &t.world, t.renderer, e, &reached, &trouble, err);
  stage_close(&t);
  if (!code && !e->frames) code = vlb_fail(err, VLB_FAILED, "task %d episode %d has no start: %s", task, s->episode, trouble.message);
  if (succeeded) *succeeded = reached;
  return code;
}

/* Frame k of both cameras, side by side, as row `row`. */
static void put_frame(sheet *out, int row, const vlb_episode *e, int k) {
  size_t picture = (size_t)e->image_size * (size_t)e->image_size * 3;
  for (int c = 0; c < e->embodiment->cameras; c++) sheet_put(out, c, row, e->image[c] + (size_t)k * picture);
}

vlb_code vlb_picture_sheet(const vlb_suite *suite, int task, int rows, const vlb_picture_settings *s, const char *path, int *succeeded, vlb_error *err) {
  sheet out;
  vlb_episode e;
  VLB_TRY(sheet_open(&out, suite, s->size, suite->embodiment->cameras, rows, err));
  vlb_code code = play(suite, task, s, &e, succeeded, err);
  if (!code) {
    for (int r = 0; r < rows; r++) put_frame(&out, r, &e, rows > 1 ? r * (e.frames - 1) / (rows - 1) : 0);
    vlb_episode_free(&e);
    code = sheet_write(&out, path, err);
  }
  sheet_close(&out);
  return code;
}

static vlb_code write_film(const vlb_episode *e, sheet *frame, int rate, const char *path, vlb_error *err) {
  vlb_film film;
  VLB_TRY(vlb_film_open(&film, path, frame->columns * frame->size, frame->size, rate, err));
  vlb_code code = VLB_OK;
  for (int k = 0; k < e->frames && !code; k++) {
    put_frame(frame, 0, e, k);
    code = vlb_film_frame(&film, frame->rgb, err);
  }
  vlb_code closed = vlb_film_close(&film, code != VLB_OK, err);
  return code ? code : closed;
}

vlb_code vlb_picture_film(const vlb_suite *suite, int task, const vlb_picture_settings *s, const char *path, int *succeeded, vlb_error *err) {
  sheet frame;
  vlb_episode e;
  VLB_TRY(sheet_open(&frame, suite, s->size, suite->embodiment->cameras, 1, err));
  vlb_code code = play(suite, task, s, &e, succeeded, err);
  if (!code) {
    code = write_film(&e, &frame, suite->embodiment->rate, path, err);
    vlb_episode_free(&e);
  }
  sheet_close(&frame);
  return code;
}
