/* The optimiser in pieces, so that a step can be spread over threads: the vectors are cut into chunks whose size never depends
 * on the machine, and every sum is made in an order that depends on the chunks only. */
#ifndef VLB_TRAIN_ADAMW_H
#define VLB_TRAIN_ADAMW_H

#include "core/train/train.h"

enum { VLB_CHUNK = 16384 }; /* floats; changes the rounding of the gradient norm */

/* Sum of the squares of x[n] in double, n <= VLB_CHUNK. The squared norm of a longer vector is the sum over its chunks in order. */
double vlb_sum_squares(const float *x, size_t n);

/* The numbers of one update that do not depend on the element. */
typedef struct {
  float clip, keep; /* factors of the gradient and of the weight (1 - lr * decay) */
  float beta1, new1, beta2, new2, rate, root2, eps;
} vlb_adamw_factors;
vlb_adamw_factors vlb_adamw_factors_of(const vlb_train_config *config, double lr, int64_t k, double norm);

/* Updates n elements; any split into ranges gives the same bits. The gradient is left as it is. */
void vlb_adamw_apply(const vlb_adamw_factors *f, size_t n, float *restrict weights, const float *restrict gradient, float *restrict m,
                     float *restrict v);

#endif
