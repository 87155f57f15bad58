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

static void choose_row(int n, double *row) { /* [n+1] */
  for (int k = 0; k <= n; k++) row[k] = log_choose(n, k);
}

static int larger(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Equal chances differ in their last bits; as in R's fisher.test, what is this close is equal. */
static const double TIE = 1 + 1e-7;

/* How many of sorted[n] are at most x. */
static int at_most(const double *sorted, int n, double x) {
  int lo = 0;
  while (lo < n) {
    int middle = (lo + n) / 2;
    if (sorted[middle] <= x)
      lo = middle + 1;
    else
      n = middle;
  }
  return lo;
}

/* Working memory of one test. */
typedef struct {
  double *first, *second;        /* [n1+1], [n2+1]: logarithms of the binomial coefficients */
  double *chance, *sorted, *sum; /* [n1+2] of one margin */
  double *p1, *p2, *below, *above; /* [n1+1], [n2+1], [n2+2], [n2+2]: binomial chances and the sums of the second from either end */
} scratch;

/* Fisher's p of every table with k1 + k2 = total: the chance of the tables that are not likelier. */
static void fill_margin(tables *t, int total, scratch *w) {
  int lo = total > t->n2 ? total - t->n2 : 0, hi = total < t->n1 ? total : t->n1, n = hi - lo + 1;
  double all = log_choose(t->n1 + t->n2, total);
  for (int i = 0; i < n; i++) w->sorted[i] = w->chance[i] = exp(w->first[lo + i] + w->second[total - lo - i] - all);
  qsort(w->sorted, (size_t)n, sizeof *w->sorted, larger);
  w->sum[0] = 0;
  for (int i = 0; i < n; i++) w->sum[i + 1] = w->sum[i] + w->sorted[i];
  for (int i = 0; i < n; i++) t->fisher[(lo + i) * (t->n2 + 1) + total - lo - i] = fmin(1, w->sum[at_most(w->sorted, n, w->chance[i] * TIE)]);
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
static void binomials(int n, double p, const double *choose, double *out) {
  for (int k = 0; k <= n; k++) out[k] = exp(choose[k] + k * log(p) + (n - k) * log1p(-p));
}

/* Chance of the k2 of a row that belong to the region. They lie in runs, mostly one at either end, so sums from the ends do for all of them. */
static double chance_of_row(const double *fisher, int n2, double seen, const scratch *w) {
  double sum = 0;
  for (int k = 0; k <= n2; k++) {
    if (fisher[k] > seen * TIE) continue;
    int end = k;
    while (end < n2 && fisher[end + 1] <= seen * TIE) end++;
    sum += k == 0 ? w->below[end + 1] : end == n2 ? w->above[k] : w->below[end + 1] - w->below[k];
    k = end;
  }
  return sum;
}

/* Chance, at a common rate, of a table whose Fisher p is at most `seen`. */
static double chance_at(const tables *t, double rate, double seen, scratch *w) {
  double sum = 0;
  binomials(t->n1, rate, w->first, w->p1);
  binomials(t->n2, rate, w->second, w->p2);
  w->below[0] = w->above[t->n2 + 1] = 0;
  for (int k = 0; k <= t->n2; k++) w->below[k + 1] = w->below[k] + w->p2[k];
  for (int k = t->n2; k >= 0; k--) w->above[k] = w->above[k + 1] + w->p2[k];
  for (int i = 0; i <= t->n1; i++) sum += w->p1[i] < 1e-30 ? 0 : w->p1[i] * chance_of_row(t->fisher + i * (t->n2 + 1), t->n2, seen, w);
  return sum;
}

/* The largest chance over rates: a grid, then a finer one about its best point. */
static double worst_case(const tables *t, double seen, scratch *w) {
  enum { COARSE = 200, FINE = 40 };
  double best = 0, at = 0.5;
  for (int i = 1; i < COARSE; i++) {
    double chance = chance_at(t, (double)i / COARSE, seen, w);
    if (chance > best) {
      best = chance;
      at = (double)i / COARSE;
    }
  }
  for (int i = -FINE + 1; i < FINE; i++) best = fmax(best, chance_at(t, at + (double)i / (COARSE * FINE), seen, w));
  return fmin(1, best);
}

double vlb_boschloo(int64_t k1, int64_t n1, int64_t k2, int64_t n2) {
  size_t a = (size_t)n1 + 2, b = (size_t)n2 + 2;
  tables t = {(int)n1, (int)n2, malloc(a * b * sizeof(double))};
  double *all = malloc((5 * a + 4 * b) * sizeof *all);
  double p = vlb_fisher(k1, n1, k2, n2);
  /* without memory, Fisher's own p is the answer that errs on the safe side */
  if (t.fisher && all) {
    scratch w = {.first = all, .chance = all + a, .sorted = all + 2 * a, .sum = all + 3 * a, .p1 = all + 4 * a, .second = all + 5 * a,
                 .p2 = all + 5 * a + b, .below = all + 5 * a + 2 * b, .above = all + 5 * a + 3 * b};
    choose_row(t.n1, w.first);
    choose_row(t.n2, w.second);
    for (int total = 0; total <= t.n1 + t.n2; total++) fill_margin(&t, total, &w);
    p = worst_case(&t, t.fisher[k1 * (n2 + 1) + k2], &w);
  }
  free(all);
  free(t.fisher);
  return p;
}
