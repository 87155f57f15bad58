#include "experiments/stats/power.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>

/* Largest k for which min(1, 2 P(X <= k)) <= alpha, X ~ Binomial(d, 1/2); -1: none. k rises with d, by at most one, so the last answer is the start. */
static int critical(unsigned d, double alpha, int from) {
  int k = from;
  while (k >= 0 && 2 * gsl_cdf_binomial_P((unsigned)k, 0.5, d) > alpha) k--;
  while ((unsigned)(k + 1) <= d / 2 && 2 * gsl_cdf_binomial_P((unsigned)(k + 1), 0.5, d) <= alpha) k++;
  return k;
}

double vlb_mcnemar_power(int n, double discordance, double difference, double alpha) {
  if (discordance <= 0) return 0;
  double side = (discordance + fabs(difference)) / (2 * discordance), power = 0;
  if (side > 1) side = 1;
  int k = -1;
  for (int d = 0; d <= n; d++) {
    double chance = gsl_ran_binomial_pdf((unsigned)d, discordance, (unsigned)n);
    k = critical((unsigned)d, alpha, k);
    if (k < 0 || chance < 1e-15) continue;
    double low = gsl_cdf_binomial_P((unsigned)k, side, (unsigned)d), high = gsl_cdf_binomial_Q((unsigned)(d - k - 1), side, (unsigned)d);
    power += chance * (low + high);
  }
  return power > 1 ? 1 : power;
}

double vlb_mcnemar_detectable(int n, double discordance, double alpha, double power) {
  double lo = 0, hi = discordance;
  if (!(vlb_mcnemar_power(n, discordance, hi, alpha) >= power)) return NAN;
  for (int i = 0; i < 40; i++) {
    double middle = (lo + hi) / 2;
    *(vlb_mcnemar_power(n, discordance, middle, alpha) >= power ? &hi : &lo) = middle;
  }
  return hi;
}
