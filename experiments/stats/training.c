#include "experiments/stats/training.h"

#include <math.h>
#include <stdlib.h>

static double mean_of(const double *x, int n, int step) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += x[i * step];
  return sum / n;
}

vlb_training vlb_training_variance(const double *success, int seeds, int episodes, double level) {
  vlb_training t = {.seeds = seeds, .episodes = episodes};
  double *rates = malloc((size_t)(seeds > 0 ? seeds : 1) * sizeof *rates);
  if (!rates || seeds < VLB_LEAST_SEEDS || episodes < 2) {
    free(rates);
    return t;
  }
  double grand = 0, by_seed = 0, by_episode = 0, all = 0;
  for (int s = 0; s < seeds; s++) grand += (rates[s] = mean_of(success + s * episodes, episodes, 1)) / seeds;
  for (int s = 0; s < seeds; s++) by_seed += episodes * (rates[s] - grand) * (rates[s] - grand);
  for (int e = 0; e < episodes; e++) {
    double m = mean_of(success + e, seeds, episodes);
    by_episode += seeds * (m - grand) * (m - grand);
  }
  for (int i = 0; i < seeds * episodes; i++) all += (success[i] - grand) * (success[i] - grand);
  double square_seed = by_seed / (seeds - 1), square_episode = by_episode / (episodes - 1);
  t.rest = fmax(0, all - by_seed - by_episode) / ((seeds - 1.0) * (episodes - 1.0));
  t.between_trainings = fmax(0, square_seed - t.rest) / episodes;
  t.between_episodes = fmax(0, square_episode - t.rest) / seeds;
  t.seeds_sd = sqrt(square_seed / episodes);
  t.mean = vlb_student(rates, seeds, level).mean;
  t.estimated = true;
  free(rates);
  return t;
}

vlb_t_result vlb_training_difference(const double *rates_a, const double *rates_b, int seeds, double level) {
  return vlb_paired_times(rates_a, rates_b, seeds, level);
}
