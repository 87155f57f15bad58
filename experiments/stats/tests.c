#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

#include "experiments/stats/stats.h"

double vlb_mcnemar(int64_t only_a, int64_t only_b) {
  int64_t n = only_a + only_b, least = only_a < only_b ? only_a : only_b;
  if (n == 0) return 1;
  return fmin(1, 2 * gsl_cdf_binomial_P((unsigned)least, 0.5, (unsigned)n));
}

void vlb_holm(const double *p, int n, double *adjusted) {
  /* rank of each value by counting: ties keep their order */
  for (int i = 0; i < n; i++) {
    double largest = 0;
    for (int k = 0; k < n; k++) {
      if (p[k] > p[i] || (p[k] == p[i] && k > i)) continue;
      int smaller = 0;
      for (int j = 0; j < n; j++) smaller += p[j] < p[k] || (p[j] == p[k] && j < k);
      largest = fmax(largest, (n - smaller) * p[k]);
    }
    adjusted[i] = fmin(1, largest);
  }
}

/* A group of arms that get one letter, as a bit set. */
typedef uint32_t group;

typedef struct {
  group set[1024];
  int count;
} groups;

static void remove_contained(groups *g) {
  for (int i = 0; i < g->count; i++) {
    for (int j = 0; j < g->count; j++) {
      bool inside = (g->set[i] & ~g->set[j]) == 0;
      if (i == j || !inside || (g->set[i] == g->set[j] && i < j)) continue;
      g->set[i--] = g->set[--g->count];
      break;
    }
  }
}

/* Splits every group that holds both arms into one without a and one without b. */
static void insert(groups *g, group a, group b) {
  int n = g->count;
  for (int i = 0; i < n && g->count < 1024; i++) {
    if (!(g->set[i] & a) || !(g->set[i] & b)) continue;
    g->set[g->count++] = g->set[i] & ~a;
    g->set[i] &= ~b;
  }
  remove_contained(g);
}

/* Letters follow the arms: the group whose first arm comes first is a. */
static int compare(group x, group y) {
  for (int i = 0; i < 32; i++) {
    int in_x = (int)(x >> i & 1), in_y = (int)(y >> i & 1);
    if (in_x != in_y) return in_y - in_x;
  }
  return 0;
}

void vlb_letters(int n, const bool *separable, char letters[][VLB_LETTERS_SIZE]) {
  groups g = {.count = 1};
  g.set[0] = n >= 32 ? ~(group)0 : ((group)1 << n) - 1;
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++)
      if (separable[i * n + j]) insert(&g, (group)1 << i, (group)1 << j);
  for (int i = 0; i < g.count; i++)
    for (int j = i + 1; j < g.count; j++)
      if (compare(g.set[j], g.set[i]) < 0) {
        group swap = g.set[i];
        g.set[i] = g.set[j];
        g.set[j] = swap;
      }
  for (int i = 0; i < n; i++) {
    int length = 0;
    for (int k = 0; k < g.count && k < 26; k++)
      if (g.set[k] >> i & 1) letters[i][length++] = (char)('a' + k);
    letters[i][length] = 0;
  }
}
