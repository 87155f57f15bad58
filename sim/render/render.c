#include "sim/render/render.h"

#include <GL/gl.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/render/egl.h"
#include "sim/world/engine.h"

/* How round things are and how fine shadows: few polygons are enough for a small picture, and they are its cost (SPEED.md).
 * MuJoCo cuts cylinders into as many stacks as spheres, where they only cost. */
static const struct {
  int up_to, slices, stacks, shadow; /* pixels, sides of a cylinder, rings of a sphere, side of the shadow map */
} detail[] = {{128, 16, 4, 512}, {256, 24, 6, 1024}, {INT_MAX, 40, 20, 2048}};

/* Edges are smoothed by drawing at twice the size and averaging 2 x 2 pixels: on llvmpipe that costs half of 4-fold
 * multisampling, smooths shading too, and does not depend on a driver's sample positions. */
enum { MAX_GEOMS = 1000, SMOOTH = 2 };

struct vlb_renderer {
  vlb_egl egl;
  const mjModel *model;
  int size;
  uint8_t *large; /* [SMOOTH*size, SMOOTH*size, 3] */
  mjvOption option;
  mjvCamera camera;
  mjvScene scene;
  mjrContext context;
};

/* mjr_makeContext loads OpenGL's entry points into variables of the whole process */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

typedef struct {
  vlb_renderer *r;
  const mjModel *model;
} make_job;

static vlb_code make_context(void *self, vlb_error *err) {
  make_job *job = self;
  (void)err;
  mjr_makeContext(job->model, &job->r->context, mjFONTSCALE_100);
  mjr_setBuffer(mjFB_OFFSCREEN, &job->r->context);
  return VLB_OK;
}

/* Buffer, roundness and shadow map are read from the model, which is shared and constant: a short-lived copy tells ours. */
static vlb_code make_sized_context(vlb_renderer *r, int shadows, vlb_error *err) {
  int level = 0;
  while (r->size > detail[level].up_to) level++;
  mjModel *sized = mj_copyModel(NULL, r->model);
  if (!sized) return vlb_fail(err, VLB_FAILED, "no memory for a renderer");
  sized->vis.global.offwidth = sized->vis.global.offheight = SMOOTH * r->size;
  sized->vis.quality.offsamples = 0;
  sized->vis.quality.numslices = detail[level].slices;
  sized->vis.quality.numstacks = detail[level].stacks;
  sized->vis.quality.numquads = 1;
  sized->vis.quality.shadowsize = shadows ? detail[level].shadow : 0;
  make_job job = {r, sized};
  pthread_mutex_lock(&making);
  vlb_code code = vlb_engine_guard(make_context, &job, err);
  pthread_mutex_unlock(&making);
  mj_deleteModel(sized);
  if (!code && (r->context.offWidth != SMOOTH * r->size || r->context.currentBuffer != mjFB_OFFSCREEN))
    return vlb_fail(err, VLB_FAILED, "the renderer has no off-screen buffer of %d x %d pixels", SMOOTH * r->size, SMOOTH * r->size);
  return code;
}

static void set_view(vlb_renderer *r, const vlb_scene *scene, int shadows) {
  mjv_defaultOption(&r->option);
  for (unsigned i = 0; i < mjNGROUP; i++) r->option.geomgroup[i] = scene->geom_groups >> i & 1;
  for (unsigned i = 0; i < mjNGROUP; i++) r->option.sitegroup[i] = scene->site_groups >> i & 1;
  mjv_defaultCamera(&r->camera);
  r->camera.type = mjCAMERA_FIXED;
  mjv_makeScene(r->model, &r->scene, MAX_GEOMS);
  r->scene.flags[mjRND_SHADOW] = (mjtByte)(shadows != 0);
  r->scene.flags[mjRND_REFLECTION] = 0;
}

vlb_code vlb_renderer_open(const vlb_scene *scene, int size, int shadows, vlb_renderer **out, vlb_error *err) {
  vlb_renderer *r = calloc(1, sizeof *r);
  if (!r) return vlb_fail(err, VLB_FAILED, "no memory for a renderer");
  r->model = scene->model;
  r->size = size;
  mjv_defaultScene(&r->scene);
  mjr_defaultContext(&r->context);
  r->large = malloc((size_t)(3 * SMOOTH * SMOOTH) * (size_t)size * (size_t)size);
  vlb_code code = r->large ? vlb_egl_open(&r->egl, err) : vlb_fail(err, VLB_FAILED, "no memory for a picture");
  if (!code) code = make_sized_context(r, shadows, err);
  if (code) {
    vlb_renderer_close(r);
    return code;
  }
  set_view(r, scene, shadows);
  *out = r;
  return VLB_OK;
}

void vlb_renderer_close(vlb_renderer *r) {
  if (!r) return;
  if (r->egl.display && !vlb_egl_use(&r->egl, NULL)) mjr_freeContext(&r->context);
  mjv_freeScene(&r->scene);
  vlb_egl_close(&r->egl);
  free(r->large);
  free(r);
}

void vlb_renderer_rest(vlb_renderer *r) { vlb_egl_rest(&r->egl); }

/* Means of SMOOTH x SMOOTH pixels, rounded. */
static void shrink(const vlb_renderer *r, uint8_t *rgb) {
  const int stride = 3 * SMOOTH * r->size;
  for (int y = 0; y < r->size; y++)
    for (int x = 0; x < r->size; x++)
      for (int c = 0; c < 3; c++) {
        const uint8_t *from = r->large + SMOOTH * y * stride + 3 * SMOOTH * x + c;
        int sum = SMOOTH * SMOOTH / 2;
        for (int i = 0; i < SMOOTH; i++)
          for (int j = 0; j < SMOOTH; j++) sum += from[i * stride + 3 * j];
        *rgb++ = (uint8_t)(sum / (SMOOTH * SMOOTH));
      }
}

typedef struct {
  vlb_renderer *r;
  const mjModel *model;
  mjData *data;
} draw_job;

/* Whether no part of the geom can be in the camera's square pyramid. Only what has a bounding sphere is ever outside. MuJoCo
 * draws from the middle between the eyes. */
static int outside(const mjvGeom *g, const mjvGLCamera eyes[2]) {
  const mjvGLCamera *c = &eyes[0];
  float depth = 0, up = 0, side = 0, slope = c->frustum_top / c->frustum_near, r = g->modelrbound;
  const float *f = c->forward, *u = c->up, right[3] = {f[1] * u[2] - f[2] * u[1], f[2] * u[0] - f[0] * u[2], f[0] * u[1] - f[1] * u[0]};
  for (int i = 0; i < 3; i++) {
    float x = g->pos[i] - 0.5f * (eyes[0].pos[i] + eyes[1].pos[i]);
    depth += x * f[i];
    up += x * u[i];
    side += x * right[i];
  }
  float limit = slope * depth + r * sqrtf(1 + slope * slope);
  return r > 0 && (fabsf(up) > limit || fabsf(side) > limit || depth + r < c->frustum_near);
}

/* llvmpipe transforms every corner of everything, also behind the camera. The pixels stay the same. */
static void drop_unseen(mjvScene *s) {
  int kept = 0;
  for (int i = 0; i < s->ngeom; i++) {
    if (outside(&s->geoms[i], s->camera)) continue;
    if (kept != i) s->geoms[kept] = s->geoms[i];
    kept++;
  }
  s->ngeom = kept;
}

static vlb_code draw(void *self, vlb_error *err) {
  draw_job *job = self;
  vlb_renderer *r = job->r;
  mjrRect all = {0, 0, SMOOTH * r->size, SMOOTH * r->size};
  (void)err;
  mjv_updateScene(job->model, job->data, &r->option, NULL, &r->camera, mjCAT_ALL, &r->scene);
  if (!r->scene.flags[mjRND_SHADOW]) drop_unseen(&r->scene); /* the unseen throw shadows too */
  mjr_render(all, &r->scene, &r->context);
  mjr_readPixels(r->large, NULL, all, &r->context);
  return VLB_OK;
}

vlb_code vlb_render(vlb_renderer *r, const mjModel *model, const mjData *data, int camera, uint8_t *rgb, vlb_error *err) {
  VLB_TRY(vlb_egl_use(&r->egl, err));
  r->camera.fixedcamid = camera;
  /* mjv_updateScene wants a mutable mjData for its scratch stack only; it gives everything back as it was */
  draw_job job = {r, model, (mjData *)(uintptr_t)data};
  VLB_TRY(vlb_engine_guard(draw, &job, err));
  shrink(r, rgb);
  return VLB_OK;
}

vlb_code vlb_renderer_name(char *buf, int size, vlb_error *err) {
  vlb_egl egl;
  VLB_TRY(vlb_egl_open(&egl, err));
  snprintf(buf, (size_t)size, "%s, %s", (const char *)glGetString(GL_RENDERER), (const char *)glGetString(GL_VERSION));
  vlb_egl_close(&egl);
  return VLB_OK;
}
