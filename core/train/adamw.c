#include "core/train/adamw.h"

#include <math.h>

/* Eight explicit lanes: the compiler may use vectors without being allowed to reorder additions, and every instruction set
 * gets the same sum. A double holds the square of a float exactly. */
double vlb_sum_squares(const float *x, size_t n) {
  enum { LANES = 8 };
  double lane[LANES] = {0};
  size_t whole = n / LANES * LANES;
  for (size_t i = 0; i < whole; i += LANES)
    for (size_t l = 0; l < LANES; l++) lane[l] += (double)x[i + l] * (double)x[i + l];
  for (size_t i = whole; i < n; i++) lane[i - whole] += (double)x[i] * (double)x[i];
  for (size_t half = LANES / 2; half; half /= 2)
    for (size_t l = 0; l < half; l++) lane[l] += lane[l + half];
  return lane[0];
}

vlb_adamw_factors vlb_adamw_factors_of(const vlb_train_config *config, double lr, int64_t k, double norm) {
  double clip = 1;
  if (config->grad_clip > 0) clip = fmin(1, config->grad_clip / (norm + 1e-6));
  return (vlb_adamw_factors){
      .clip = (float)clip,
      .keep = (float)(1 - lr * config->weight_decay),
      .beta1 = (float)config->beta1,
      .new1 = (float)(1 - config->beta1),
      .beta2 = (float)config->beta2,
      .new2 = (float)(1 - config->beta2),
      .rate = (float)(lr / (1 - pow(config->beta1, (double)k))),
      .root2 = (float)sqrt(1 - pow(config->beta2, (double)k)),
      .eps = (float)config->eps,
  };
}

void vlb_adamw_apply(const vlb_adamw_factors *factors, size_t n, float *restrict weights, const float *restrict gradient,
                     float *restrict m, float *restrict v) {
  const vlb_adamw_factors f = *factors; /* a copy: the stores below cannot change it */
  for (size_t i = 0; i < n; i++) {
    float g = gradient[i] * f.clip;
    m[i] = f.beta1 * m[i] + f.new1 * g;
    v[i] = f.beta2 * v[i] + f.new2 * (g * g);
    weights[i] = weights[i] * f.keep - f.rate * m[i] / (sqrtf(v[i]) / f.root2 + f.eps);
  }
}

double vlb_adamw(const vlb_train_config *config, double lr, int64_t k, size_t n, float *weights, float *gradient, float *m, float *v) {
  double squares = 0;
  for (size_t i = 0; i < n; i += VLB_CHUNK) squares += vlb_sum_squares(gradient + i, n - i < VLB_CHUNK ? n - i : VLB_CHUNK);
  double norm = sqrt(squares);
  vlb_adamw_factors f = vlb_adamw_factors_of(config, lr, k, norm);
  vlb_adamw_apply(&f, n, weights, gradient, m, v);
  return norm;
}
