/* Off-screen pictures through EGL: surfaceless first, then a device; no display and no GPU needed. */
#ifndef VLB_SIM_RENDER_H
#define VLB_SIM_RENDER_H

#include <stdint.h>

#include "sim/world/scene.h"

/* A renderer belongs to the thread that opened it, until that lets it rest: then to the next that draws with it or closes it.
 * size: pixels of the square pictures; shadows: 0 or 1 (a recorded factor). */
typedef struct vlb_renderer vlb_renderer;
vlb_code vlb_renderer_open(const vlb_scene *scene, int size, int shadows, vlb_renderer **r, vlb_error *err);
void vlb_renderer_rest(vlb_renderer *r);
void vlb_renderer_close(vlb_renderer *r);

/* Renderers of a pool's workers, each kept from job to job as long as the scene is the same: opening one takes as long as ten
 * pictures, with Meta-World's textures as thirty (SPEED.md). Take one in a job, give it back at its end, in the same thread.
 * Free all before the scenes, after the last job. Zeroed is empty. */
typedef struct {
  struct vlb_kept_renderer *kept; /* [workers] */
  int workers, size, shadows;
} vlb_renderers;
vlb_code vlb_renderers_make(vlb_renderers *all, int workers, int size, int shadows, vlb_error *err);
vlb_code vlb_renderers_take(vlb_renderers *all, int worker, const vlb_scene *scene, vlb_renderer **r, vlb_error *err);
void vlb_renderers_give(vlb_renderers *all, int worker);
void vlb_renderers_free(vlb_renderers *all);

/* One picture of a camera (index in model) into rgb [size,size,3], rows bottom-up as the renderer gives them. model: the scene's,
 * or a copy of it with other poses or colours. */
vlb_code vlb_render(vlb_renderer *r, const mjModel *model, const mjData *data, int camera, uint8_t *rgb, vlb_error *err);

/* GL_RENDERER and GL_VERSION of a fresh context, e.g. "llvmpipe (LLVM 15.0.6, 256 bits), 4.5 ...". */
vlb_code vlb_renderer_name(char *buf, int size, vlb_error *err);

#endif
