/* Off-screen pictures through EGL: surfaceless first, then a device; no display and no GPU needed. */
#ifndef VLB_SIM_RENDER_H
#define VLB_SIM_RENDER_H

#include <stdint.h>

#include "sim/world/scene.h"

/* A renderer belongs to the thread that opened it. size: pixels of the square pictures; shadows: 0 or 1 (a recorded factor). */
typedef struct vlb_renderer vlb_renderer;
vlb_code vlb_renderer_open(const vlb_scene *scene, int size, int shadows, vlb_renderer **r, vlb_error *err);
void vlb_renderer_close(vlb_renderer *r);

/* One picture of a camera (index in model) into rgb [size,size,3], rows bottom-up as the renderer gives them. model: the scene's,
 * or a copy of it with other poses or colours. */
vlb_code vlb_render(vlb_renderer *r, const mjModel *model, const mjData *data, int camera, uint8_t *rgb, vlb_error *err);

/* GL_RENDERER and GL_VERSION of a fresh context, e.g. "llvmpipe (LLVM 15.0.6, 256 bits), 4.5 ...". */
vlb_code vlb_renderer_name(char *buf, int size, vlb_error *err);

#endif
