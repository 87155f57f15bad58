#include "sim/world/engine.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

static const char file_name[] = "scene.xml";

#if mjVERSION_HEADER < 230
const char vlb_engine_sizes[] = "<size njmax=\"600\" nconmax=\"200\" nstack=\"150000\"/>\n";
#else
const char vlb_engine_sizes[] = "";
#endif

/* MuJoCo reports errors through one process-wide callback that must not return. It is set once, before main, and finds
 * the guard of the thread that failed here. */
typedef struct guard {
  jmp_buf back;
  char message[800];
  struct guard *outer;
} guard;
static _Thread_local guard *innermost;

/* MuJoCo's messages span lines; ours are one line. */
static void one_line(char *text) {
  size_t n = strlen(text);
  while (n > 0 && text[n - 1] == '\n') text[--n] = 0;
  for (char *c = text; *c; c++)
    if (*c == '\n') *c = ';';
}

static void on_error(const char *message) {
  if (!innermost) abort(); /* an unguarded call: a bug of ours */
  size_t n = strnlen(message, sizeof innermost->message - 1);
  memcpy(innermost->message, message, n);
  innermost->message[n] = 0;
  longjmp(innermost->back, 1);
}

static void on_warning(const char *message) { (void)message; }

__attribute__((constructor)) static void set_callbacks(void) {
  mju_user_error = on_error;
  mju_user_warning = on_warning;
}

vlb_code vlb_engine_guard(vlb_code (*work)(void *self, vlb_error *err), void *self, vlb_error *err) {
  guard g;
  g.outer = innermost;
  innermost = &g;
  if (setjmp(g.back)) {
    innermost = g.outer;
    one_line(g.message);
    return vlb_fail(err, VLB_FAILED, "MuJoCo: %s", g.message);
  }
  vlb_code code = work(self, err);
  innermost = g.outer;
  return code;
}

/* Puts the text into vfs under file_name. Returns 0 on success. */
static int add_text(mjVFS *vfs, const char *xml) {
  int size = (int)strlen(xml);
#if mjVERSION_HEADER < 320
  int failed = mj_makeEmptyFileVFS(vfs, file_name, size);
  if (!failed) memcpy(vfs->filedata[mj_findFileVFS(vfs, file_name)], xml, (size_t)size);
  return failed;
#else
  return mj_addBufferVFS(vfs, file_name, xml, size);
#endif
}

typedef struct {
  const char *xml;
  mjVFS *vfs;
  mjModel **model;
} load_job;

static vlb_code load(void *self, vlb_error *err) {
  load_job *job = self;
  char message[800] = "";
  *job->model = add_text(job->vfs, job->xml) ? NULL : mj_loadXML(file_name, job->vfs, message, sizeof message);
  one_line(message);
  if (!*job->model) return vlb_fail(err, VLB_FAILED, "MuJoCo does not compile the scene: %s", message);
  return VLB_OK;
}

vlb_code vlb_engine_load(const char *xml, mjModel **model, vlb_error *err) {
  mjVFS *vfs = malloc(sizeof *vfs); /* 2 MB in 2.2.2: not for the stack */
  if (!vfs) return vlb_fail(err, VLB_FAILED, "no memory for the scene's text");
  *model = NULL;
  mj_defaultVFS(vfs);
  load_job job = {xml, vfs, model};
  vlb_code code = vlb_engine_guard(load, &job, err);
  mj_deleteVFS(vfs);
  free(vfs);
  return code;
}

typedef struct {
  const char *path;
  mjModel **model;
} load_file_job;

static vlb_code load_file(void *self, vlb_error *err) {
  load_file_job *job = self;
  char message[800] = "";
  *job->model = mj_loadXML(job->path, NULL, message, sizeof message);
  one_line(message);
  if (!*job->model) return vlb_fail(err, VLB_FAILED, "%s: MuJoCo does not compile it: %s", job->path, message);
  return VLB_OK;
}

vlb_code vlb_engine_load_file(const char *path, mjModel **model, vlb_error *err) {
  load_file_job job = {path, model};
  *model = NULL;
  return vlb_engine_guard(load_file, &job, err);
}

const char *vlb_engine_trouble(const mjData *data) {
  if (data->warning[mjWARN_BADQPOS].number) return "a position is not finite or huge";
  if (data->warning[mjWARN_BADQVEL].number) return "a velocity is not finite or huge";
  if (data->warning[mjWARN_BADQACC].number) return "an acceleration is not finite or huge";
  if (data->warning[mjWARN_CONTACTFULL].number) return "too many contacts";
  if (data->warning[mjWARN_CNSTRFULL].number) return "too many constraints";
  return NULL;
}
