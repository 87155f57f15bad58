#include <math.h>

#include "core/train/train.h"

/* The cosine is measured from step 0, not from the end of the warm-up, so it starts a little below the peak. A run shorter than
 * decay_steps squeezes both: the factor S/D is rounded before it multiplies the warm-up, as LeRobot does. */
double vlb_learning_rate(const vlb_train_config *config, int64_t s) {
  int64_t warmup = config->warmup_steps, decay = config->decay_steps;
  if (config->steps < decay) {
    warmup = (int64_t)((double)warmup * ((double)config->steps / (double)decay));
    decay = config->steps;
  }
  if (s < warmup) {
    double first = 1.0 / (double)(warmup + 1);
    double factor = s == 0 ? first : (first - 1.0) * (1.0 - (double)s / (double)warmup) + 1.0;
    return config->lr * factor;
  }
  double c = (double)(s < decay ? s : decay), least = config->decay_lr / config->lr;
  return config->lr * ((1.0 - least) * (0.5 * (1.0 + cos(M_PI * c / (double)decay))) + least);
}
