/* The reproducibility class: what may differ between two machines and change the bits of a result. */
#ifndef VLB_STORE_CLASS_H
#define VLB_STORE_CLASS_H

#include <stdbool.h>

#include "core/base/status.h"

enum { VLB_CLASS_SIZE = 96 };

#define VLB_CLASS_FIELDS(X)                                                                                \
  X(architecture, "processor architecture of the build")                                                   \
  X(compiler, "compiler and optimisation of the build: which products and sums are fused")                  \
  X(march, "-march of the compute kernels (VLB_MARCH)")                                                    \
  X(isa, "instruction set that oneDNN uses on this processor")                                             \
  X(onednn, "oneDNN as loaded: order of sums in its kernels")                                              \
  X(mujoco, "MuJoCo as loaded: contacts and integration")                                                  \
  X(libc, "C library: sin, exp and friends may differ in the last bit")                                    \
  X(renderer, "OpenGL renderer: pixels that the policy sees")

typedef struct {
#define VLB_CLASS_MEMBER(name, doc) char name[VLB_CLASS_SIZE];
  VLB_CLASS_FIELDS(VLB_CLASS_MEMBER)
#undef VLB_CLASS_MEMBER
} vlb_class;

/* The list above as rows, closed by a NULL name. */
typedef struct {
  const char *name, *doc;
  unsigned long offset;
} vlb_class_field;
extern const vlb_class_field vlb_class_fields[];
char *vlb_class_text(const vlb_class_field *field, const vlb_class *class); /* the member, VLB_CLASS_SIZE bytes */

/* This process on this machine. A machine without a renderer has the text "none: <why>". */
void vlb_class_here(vlb_class *class);

/* The first field that differs, NULL when the classes are equal. */
const vlb_class_field *vlb_class_difference(const vlb_class *a, const vlb_class *b);

#endif
