#include "enumerate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

void near(double value, double want, double tolerance) {
  if (!(fabs(value - want) <= tolerance)) fail_msg("%.7f, expected %.7f", value, want);
}

double binomial(int n, int k, double p) {
  return exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) + k * log(p) + (n - k) * log1p(-p));
}
