/* Activations on vectors of floats, for the ops that store them. */
#ifndef VLB_TENSOR_POINTWISE_H
#define VLB_TENSOR_POINTWISE_H

#include "core/tensor/vector.h"

#define VLB_GELU_C 0.7978845608028654f /* sqrt(2 / pi) */
#define VLB_GELU_A 0.044715f

VLB_INLINE vf v_gelu_tanh(vf x) {
  vf u = v_set(VLB_GELU_C) * (x + v_set(VLB_GELU_A) * x * x * x);
  return v_set(1.0f) - v_set(2.0f) / (v_exp(u + u) + v_set(1.0f));
}
VLB_INLINE vf v_gelu(vf x) { return v_set(0.5f) * x * (v_set(1.0f) + v_gelu_tanh(x)); }

#endif
