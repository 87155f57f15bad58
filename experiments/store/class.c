#include "experiments/store/class.h"

#include <gnu/libc-version.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/tensor/backend.h"
#include "sim/render/render.h"
#include "sim/world/version.h"

#if defined(__x86_64__)
#define ARCHITECTURE "x86_64"
#elif defined(__aarch64__)
#define ARCHITECTURE "aarch64"
#else
#define ARCHITECTURE "other"
#endif

#if defined(__clang__)
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif
#if defined(__OPTIMIZE__)
#define OPTIMISED ""
#else
#define OPTIMISED ", not optimised"
#endif

const vlb_class_field vlb_class_fields[] = {
#define ROW(name, doc) {#name, doc, offsetof(vlb_class, name)},
    VLB_CLASS_FIELDS(ROW)
#undef ROW
    {NULL, NULL, 0}};

char *vlb_class_text(const vlb_class_field *field, const vlb_class *class) { return (char *)class + field->offset; }

void vlb_class_here(vlb_class *class) {
  memset(class, 0, sizeof *class);
  snprintf(class->architecture, VLB_CLASS_SIZE, "%s", ARCHITECTURE);
  snprintf(class->compiler, VLB_CLASS_SIZE, "%s", COMPILER OPTIMISED);
  snprintf(class->march, VLB_CLASS_SIZE, "%s", VLB_MARCH);
  snprintf(class->isa, VLB_CLASS_SIZE, "%s", vlb_backend_isa());
  snprintf(class->onednn, VLB_CLASS_SIZE, "%s", vlb_backend_version());
  snprintf(class->mujoco, VLB_CLASS_SIZE, "%s", vlb_mujoco_version());
  snprintf(class->libc, VLB_CLASS_SIZE, "glibc %s", gnu_get_libc_version());
  vlb_error err = {VLB_OK, ""};
  if (vlb_renderer_name(class->renderer, VLB_CLASS_SIZE, &err)) snprintf(class->renderer, VLB_CLASS_SIZE, "none: %.80s", err.message);
}

const vlb_class_field *vlb_class_difference(const vlb_class *a, const vlb_class *b) {
  for (const vlb_class_field *f = vlb_class_fields; f->name; f++)
    if (strcmp(vlb_class_text(f, a), vlb_class_text(f, b))) return f;
  return NULL;
}
