#include "sim/render/egl.h"

#include <EGL/eglext.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

enum { MAX_DEVICES = 16 };

/* Mesa's software renderer starts a thread per core for every context, which for small pictures only costs (two threads
 * that draw 64 px: 740 pictures a second with them, 1040 without). It reads this when it starts; a user's own setting
 * stays. Before main, while nobody else can read the environment. */
__attribute__((constructor)) static void draw_in_the_calling_thread(void) { setenv("LP_NUM_THREADS", "0", 0); }

static const char *error_name(EGLint code) {
  switch (code) {
    case EGL_SUCCESS: return "no error";
    case EGL_NOT_INITIALIZED: return "EGL_NOT_INITIALIZED";
    case EGL_BAD_ALLOC: return "EGL_BAD_ALLOC";
    case EGL_BAD_ATTRIBUTE: return "EGL_BAD_ATTRIBUTE";
    case EGL_BAD_CONFIG: return "EGL_BAD_CONFIG";
    case EGL_BAD_MATCH: return "EGL_BAD_MATCH";
    case EGL_BAD_PARAMETER: return "EGL_BAD_PARAMETER";
    default: return "an EGL error";
  }
}

/* Desktop OpenGL on this display, current in this thread; false leaves the reason in eglGetError. */
static bool open_on(EGLDisplay display, vlb_egl *egl) {
  static const EGLint attributes[] = {EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_NONE};
  EGLConfig config;
  EGLint count = 0;
  if (display == EGL_NO_DISPLAY || !eglInitialize(display, NULL, NULL)) return false;
  if (!eglChooseConfig(display, attributes, &config, 1, &count) || count < 1 || !eglBindAPI(EGL_OPENGL_API)) return false;
  EGLContext context = eglCreateContext(display, config, EGL_NO_CONTEXT, NULL);
  if (context == EGL_NO_CONTEXT) return false;
  if (!eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context)) {
    eglDestroyContext(display, context);
    return false;
  }
  *egl = (vlb_egl){display, context};
  return true;
}

/* Every device EGL knows, software ones included, in EGL's order. */
static bool open_on_device(PFNEGLGETPLATFORMDISPLAYEXTPROC get_display, vlb_egl *egl) {
  EGLDeviceEXT devices[MAX_DEVICES];
  EGLint count = 0;
  PFNEGLQUERYDEVICESEXTPROC query = (PFNEGLQUERYDEVICESEXTPROC)eglGetProcAddress("eglQueryDevicesEXT");
  if (!query || !query(MAX_DEVICES, devices, &count)) return false;
  for (EGLint i = 0; i < count; i++)
    if (open_on(get_display(EGL_PLATFORM_DEVICE_EXT, devices[i], NULL), egl)) return true;
  return false;
}

vlb_code vlb_egl_open(vlb_egl *egl, vlb_error *err) {
  *egl = (vlb_egl){0};
  PFNEGLGETPLATFORMDISPLAYEXTPROC get_display =
      (PFNEGLGETPLATFORMDISPLAYEXTPROC)eglGetProcAddress("eglGetPlatformDisplayEXT");
  if (!get_display) return vlb_fail(err, VLB_FAILED, "this EGL has no eglGetPlatformDisplayEXT; install Mesa (libegl1, libegl-mesa0)");
  if (open_on(get_display(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL), egl)) return VLB_OK;
  const char *surfaceless = error_name(eglGetError());
  if (open_on_device(get_display, egl)) return VLB_OK;
  return vlb_fail(err, VLB_FAILED, "no off-screen OpenGL; install Mesa (libegl-mesa0, libgl1-mesa-dri); surfaceless platform: %s, devices: %s",
                  surfaceless, error_name(eglGetError()));
}

void vlb_egl_rest(const vlb_egl *egl) {
  if (eglGetCurrentContext() == egl->context) eglMakeCurrent(egl->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
}

void vlb_egl_close(vlb_egl *egl) {
  if (!egl->display) return;
  vlb_egl_rest(egl);
  eglDestroyContext(egl->display, egl->context);
  *egl = (vlb_egl){0};
}

vlb_code vlb_egl_use(const vlb_egl *egl, vlb_error *err) {
  if (eglGetCurrentContext() == egl->context) return VLB_OK;
  if (!eglBindAPI(EGL_OPENGL_API) || !eglMakeCurrent(egl->display, EGL_NO_SURFACE, EGL_NO_SURFACE, egl->context))
    return vlb_fail(err, VLB_FAILED, "the OpenGL context cannot be used in this thread: %s", error_name(eglGetError()));
  return VLB_OK;
}
