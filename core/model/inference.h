/* Inference in less than float32: what int8 must know of its layers' inputs. */
#ifndef VLB_MODEL_INFERENCE_H
#define VLB_MODEL_INFERENCE_H

#include "core/model/runner.h"

const char *vlb_precision_name(vlb_precision p);
vlb_code vlb_precision_named(const char *name, vlb_precision *p, vlb_error *err); /* VLB_USAGE lists them */

/* The largest magnitudes of the inputs of the layers that int8 computes. */
typedef struct {
  float *top; /* owned */
  int count;
} vlb_ranges;

/* Finds them in float32 on the given observations, or with sights NULL on `VLB_CALIBRATION` synthetic ones (waves of colour, normal states, a few
 * instructions): a pure function of the weights. Takes the time and memory of a float32 policy. Caller frees with vlb_ranges_free. */
enum { VLB_CALIBRATION = 4 };
vlb_code vlb_calibrate(const vlb_pretrained *policy, int threads, const vlb_sight *sights, int n, vlb_ranges *out, vlb_error *err);
void vlb_ranges_free(vlb_ranges *r);

/* A safetensors file with one tensor. Read refuses a file of another kind; ranges of another model are found out when a policy is made. */
vlb_code vlb_ranges_write(const vlb_ranges *r, const char *path, vlb_error *err);
vlb_code vlb_ranges_read(const char *path, vlb_ranges *r, vlb_error *err);

/* The ranges that `precision` needs, none but for int8: from the file when it exists, else found (on sights, as above) and written to it. path NULL: found.
 * Says on log (may be NULL) which, and where bfloat16 is computed the slow way. Errors: VLB_USAGE when this processor cannot. */
vlb_code vlb_ranges_prepare(const vlb_pretrained *policy, vlb_precision precision, const char *path, int threads, const vlb_sight *sights, int n, vlb_log *log,
                            vlb_ranges *out, vlb_error *err);

#endif
