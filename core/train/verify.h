/* Exactness: a reference case (PREFIX.json, PREFIX.weights.safetensors, PREFIX.io.safetensors, specification section 20; or a checkpoint
 * directory with a reference.safetensors, as scripts/reference/make_case.py makes them) is recomputed from its inputs and compared tensor
 * by tensor. */
#ifndef VLB_TRAIN_VERIFY_H
#define VLB_TRAIN_VERIFY_H

#include <stddef.h>

#include "core/base/status.h"

typedef struct {
  const char *name; /* "out.v_t", "grad.model.state_proj.weight", ...; lives during the call */
  size_t count;     /* elements compared; 0 when we have nothing to compare with (an unknown tensor: counts as a failure) */
  double largest;   /* largest magnitude in the reference */
  double absolute;  /* largest absolute difference */
  double relative;  /* absolute / largest */
  double bound;     /* the absolute difference that is allowed */
  size_t undetermined; /* trained.*: elements out of bounds whose gradient is below the reference's own rounding */
  int passed;
} vlb_verify_row;

typedef void (*vlb_verify_report)(void *self, const vlb_verify_row *row);

/* Compares every out.*, grad.* and trained.* tensor of the case, in name order, and calls report for each. tolerance: allowed
 * difference in units of the tensor's largest magnitude. AdamW turns a gradient of any size into a step of the learning rate's size, so
 * where the reference's first gradient is only its own rounding the trained value is not determined by the definition: an element whose
 * gradient is below 2^-23 of its tensor's largest may differ by twice the sum of the learning rates, and is counted. A whole gradient that is nothing but the reference's own rounding (below 1e-6 of the
 * largest one, where the exact gradient is zero, say a key bias) must be as small here. failures: how many rows did not pass.
 * Errors: VLB_FAILED for files that are missing, damaged or contradict each other. */
vlb_code vlb_verify(const char *prefix, double tolerance, vlb_verify_report report, void *self, int *failures, vlb_error *err);

#endif
