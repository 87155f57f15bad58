/* An OpenGL context without window, display server or GPU. */
#ifndef VLB_SIM_EGL_H
#define VLB_SIM_EGL_H

#include <EGL/egl.h>

#include "core/base/status.h"

typedef struct {
  EGLDisplay display; /* shared by the process, never terminated: other threads may be drawing on it */
  EGLContext context;
} vlb_egl;

/* Makes a context and makes it current in this thread: Mesa's surfaceless platform first, then every EGL device.
 * Errors (VLB_FAILED): what each platform answered. */
vlb_code vlb_egl_open(vlb_egl *egl, vlb_error *err);
void vlb_egl_close(vlb_egl *egl); /* zeroed is fine */

/* Makes the context current in the calling thread if it is not; rest: the thread lets go of it, so that another can use it. */
vlb_code vlb_egl_use(const vlb_egl *egl, vlb_error *err);
void vlb_egl_rest(const vlb_egl *egl);

#endif
