#include "sim/rollout/gallery.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/data/image.h"
#include "sim/render/render.h"
#include "sim/task/world.h"

typedef struct {
  vlb_world world;
  vlb_renderer *renderer;
  uint8_t *raw; /* [size,size,3] */
  int size;
} stage;

/* The world as it is now, as an onlooker sees it. */
static vlb_code draw(stage *t, uint8_t *rgb, vlb_error *err) {
  const vlb_view view = t->world.suite->embodiment->view;
  VLB_TRY(vlb_render(t->renderer, t->world.model, t->world.data, t->world.scene->camera[0], t->raw, err));
  vlb_image_view(t->raw, t->size, view == VLB_VIEW_MIRRORED ? view : VLB_VIEW_UPRIGHT, rgb);
  return VLB_OK;
}

/* To the expert's end, as demonstrations are recorded (record.h). *trouble: the simulator gave up. */
static int play(vlb_world *w, vlb_error *trouble) {
  double action[VLB_MAX_ACTION];
  int k = 0;
  while (k < w->suite->max_steps && !w->suite->family->expert_finished(w)) {
    w->suite->family->expert_act(w, action);
    k++;
    if (vlb_world_step(w, action, trouble)) break;
  }
  return k;
}

/* Episode `index`, drawn as long as none has succeeded. */
static vlb_code show(stage *t, int index, uint64_t seed, vlb_exhibit *out, vlb_error *err) {
  vlb_world *w = &t->world;
  vlb_error trouble = {VLB_OK, ""};
  int drawn = !out->succeeded, steps;
  out->tried++;
  if (!vlb_world_start(w, index, seed, &trouble)) {
    if (drawn) VLB_TRY(draw(t, out->rgb, err));
    if (w->suite->family->expert_start(w, index, seed, &trouble)) {
      out->tried = 0;
    } else {
      steps = play(w, &trouble);
      if (!trouble.code) out->succeeded += w->success;
      if (drawn) out->steps = steps;
      if (drawn) VLB_TRY(draw(t, out->rgb + (size_t)t->size * (size_t)t->size * 3, err));
    }
  }
  if (trouble.code) snprintf(out->why, sizeof out->why, "%.*s", (int)sizeof out->why - 1, trouble.message);
  return VLB_OK;
}

static vlb_code run(stage *t, const vlb_gallery_settings *s, vlb_exhibit *out, vlb_error *err) {
  size_t square = (size_t)s->size * (size_t)s->size * 3;
  t->size = s->size;
  t->raw = malloc(square);
  out->rgb = calloc(2, square);
  if (!t->raw || !out->rgb) return vlb_fail(err, VLB_FAILED, "no memory for a picture of %d pixels", s->size);
  VLB_TRY(vlb_renderer_open(t->world.scene, s->size, 0, &t->renderer, err));
  for (int i = 0; i < s->episodes && out->tried == i; i++) VLB_TRY(show(t, i, s->seed, out, err));
  return VLB_OK;
}

vlb_code vlb_exhibit_make(const vlb_suite *suite, int task, const vlb_gallery_settings *s, vlb_exhibit *out, vlb_error *err) {
  stage t = {.size = 0};
  vlb_scene *scene;
  *out = (vlb_exhibit){.rgb = NULL};
  VLB_TRY(suite->family->compile(suite, task, &scene, err));
  vlb_code code = vlb_world_open(&t.world, suite, task, scene, err);
  if (!code) code = run(&t, s, out, err);
  vlb_renderer_close(t.renderer);
  vlb_world_close(&t.world);
  free(t.raw);
  vlb_scene_free(scene);
  if (code) vlb_exhibit_free(out);
  return code;
}

void vlb_exhibit_free(vlb_exhibit *e) {
  free(e->rgb);
  *e = (vlb_exhibit){.rgb = NULL};
}
