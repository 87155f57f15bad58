#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdlib.h>

#include "experiments/stats/stats.h"

/* All tables of two arms: k1 of n1 and k2 of n2. */
typedef struct {
  int n1, n2;
  double *fisher; /* [n1+1, n2+1] two-sided p of each table */
} tables;

static double log_choose(int n, int k) { return gsl_sf_lnchoose((unsigned)n, (unsigned)k); }

static int larger(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Equal chances differ in their last bits; as in R's fisher.test, what is this close is equal. */
static const double TIE = 1 + 1e-7;

/* Fisher's p of every table with k1 + k2 = total: the chance of the tables that are not likelier. scratch: [2, n1+1] */
static void fill_margin(tables *t, int total, double *scratch) {
  int lo = total > t->n2 ? total - t->n2 : 0, hi = total < t->n1 ? total : t->n1, n = hi - lo + 1;
  double *chance = scratch, *sorted = scratch + t->n1 + 1, all = log_choose(t->n1 + t->n2, total);
  for (int i = 0; i < n; i++) sorted[i] = chance[i] = exp(log_choose(t->n1, lo + i) + log_choose(t->n2, total - lo - i) - all);
  qsort(sorted, (size_t)n, sizeof *sorted, larger);
  for (int i = 0; i < n; i++) {
    double p = 0;
    for (int k = 0; k < n && sorted[k] <= chance[i] * TIE; k++) p += sorted[k];
    t->fisher[(lo + i) * (t->n2 + 1) + total - lo - i] = fmin(1, p);
  }
}

static bool make_tables(tables *t, int n1, int n2) {
  double *scratch = malloc(2 * (size_t)(n1 + 1) * sizeof *scratch);
  *t = (tables){n1, n2, malloc((size_t)(n1 + 1) * (size_t)(n2 + 1) * sizeof *t->fisher)};
  if (scratch && t->fisher)
    for (int total = 0; total <= n1 + n2; total++) fill_margin(t, total, scratch);
  else
    free(t->fisher);
  bool made = scratch && t->fisher;
  free(scratch);
  return made;
}

double vlb_fisher(int64_t k1, int64_t n1, int64_t k2, int64_t n2) {
  int total = (int)(k1 + k2), lo = total > n2 ? total - (int)n2 : 0, hi = total < n1 ? total : (int)n1;
  double all = log_choose((int)(n1 + n2), total), p = 0;
  double seen = exp(log_choose((int)n1, (int)k1) + log_choose((int)n2, (int)k2) - all);
  for (int k = lo; k <= hi; k++) {
    double chance = exp(log_choose((int)n1, k) + log_choose((int)n2, total - k) - all);
    if (chance <= seen * TIE) p += chance;
  }
  return fmin(1, p);
}

/* Binomial chances of 0..n at rate p. */
static void binomials(int n, double p, double *out) {
  for (int k = 0; k <= n; k++) out[k] = exp(log_choose(n, k) + k * log(p) + (n - k) * log1p(-p));
}

/* Chance, at a common rate, of a table whose Fisher p is at most `seen`. scratch: [n1+1 + n2+1] */
static double chance_at(const tables *t, double rate, double seen, double *scratch) {
  double *first = scratch, *second = scratch + t->n1 + 1, sum = 0;
  binomials(t->n1, rate, first);
  binomials(t->n2, rate, second);
  for (int i = 0; i <= t->n1; i++) {
    const double *row = t->fisher + i * (t->n2 + 1);
    double inner = 0;
    for (int k = 0; k <= t->n2; k++) inner += row[k] <= seen * TIE ? second[k] : 0;
    sum += first[i] * inner;
  }
  return sum;
}

/* The largest chance over rates: a grid, then a finer one about its best point. */
static double worst_case(const tables *t, double seen, double *scratch) {
  enum { COARSE = 200, FINE = 40 };
  double best = 0, at = 0.5;
  for (int i = 1; i < COARSE; i++) {
    double chance = chance_at(t, (double)i / COARSE, seen, scratch);
    if (chance > best) {
      best = chance;
      at = (double)i / COARSE;
    }
  }
  for (int i = -FINE + 1; i < FINE; i++) best = fmax(best, chance_at(t, at + (double)i / (COARSE * FINE), seen, scratch));
  return fmin(1, best);
}

double vlb_boschloo(int64_t k1, int64_t n1, int64_t k2, int64_t n2) {
  tables t;
  double *scratch = malloc((size_t)(n1 + n2 + 2) * sizeof *scratch), p = vlb_fisher(k1, n1, k2, n2);
  /* without memory, Fisher's own p is the answer that errs on the safe side */
  if (scratch && make_tables(&t, (int)n1, (int)n2)) {
    p = worst_case(&t, t.fisher[k1 * (n2 + 1) + k2], scratch);
    free(t.fisher);
  }
  free(scratch);
  return p;
}
