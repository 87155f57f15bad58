/* Intervals and tests for success counts. Rates are derived from episodes; nothing here draws random numbers.
 * Every method is checked against published worked examples in tests/experiments/stats. */
#ifndef VLB_STATS_STATS_H
#define VLB_STATS_STATS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  double lo, hi;
} vlb_interval;

/* k successes of n >= 1 episodes. Wilson's score interval (Wilson 1927; method 3 of Newcombe 1998, Stat Med 17:857-872). */
vlb_interval vlb_wilson(int64_t k, int64_t n, double level);

/* The others that a table may be asked for. Clopper and Pearson's (1934) never covers less than its level and is the widest; Jeffreys's is the
 * central posterior interval under Beta(1/2, 1/2) and Agresti and Coull's is Wald's about Wilson's middle, both as in Brown, Cai and DasGupta
 * 2001 (Stat Sci 16:101-133). */
#define VLB_RATE_METHODS(X)                    \
  X(WILSON, "wilson", "Wilson")                \
  X(CLOPPER, "clopper-pearson", "Clopper-Pearson") \
  X(JEFFREYS, "jeffreys", "Jeffreys")          \
  X(AGRESTI, "agresti-coull", "Agresti-Coull")
#define VLB_RATE_METHOD_ID(id, word, name) VLB_##id,
typedef enum { VLB_RATE_METHODS(VLB_RATE_METHOD_ID) VLB_RATE_METHOD_COUNT } vlb_rate_method;
extern const char *const vlb_rate_method_words[]; /* for the command line; closed by NULL */
const char *vlb_rate_method_name(vlb_rate_method method);
vlb_interval vlb_rate_interval(vlb_rate_method method, int64_t k, int64_t n, double level);

/* Difference p1 - p2 of independent rates: hybrid of Wilson intervals (method 10 of Newcombe 1998, Stat Med 17:873-890). */
vlb_interval vlb_newcombe(int64_t k1, int64_t n1, int64_t k2, int64_t n2, double level);

/* Two arms on the same episodes. */
typedef struct {
  int64_t both, only_a, only_b, neither;
} vlb_pairs;
int64_t vlb_pairs_total(const vlb_pairs *p);

/* Difference p_a - p_b of paired rates: Tango's score interval (Stat Med 1998, 17:891-908). n >= 1. */
vlb_interval vlb_tango(const vlb_pairs *pairs, double level);

/* Exact two-sided McNemar test from the discordant pairs: min(1, 2 P(X <= min)), X ~ Binomial(a+b, 1/2). 1 when there are none. */
double vlb_mcnemar(int64_t only_a, int64_t only_b);

/* Two independent rates, 1 <= n1, n2. Fisher's exact test: two-sided by the tables that are not likelier than the seen one. Boschloo's (1970,
 * Stat Neerl 24:1-35) takes Fisher's p for its statistic and the largest chance, over the unknown common rate, of one as small: exact, and never
 * weaker than Fisher's. Tables of 400 and 400 take a tenth of a second. */
double vlb_fisher(int64_t k1, int64_t n1, int64_t k2, int64_t n2);
double vlb_boschloo(int64_t k1, int64_t n1, int64_t k2, int64_t n2);

/* Holm's step-down adjustment (1979): adjusted[i] for p[i], n values; the order of p does not matter. May not alias. */
void vlb_holm(const double *p, int n, double *adjusted);

enum { VLB_MAX_LETTER_ARMS = 32, VLB_LETTERS_SIZE = 33 };

/* Compact letters (Piepho 2004, insert and absorb): two arms share a letter exactly when they are not separable. separable: [n,n] symmetric;
 * letters: [n], groups are named a, b, ... in the order of the arms. n <= VLB_MAX_LETTER_ARMS. */
void vlb_letters(int n, const bool *separable, char letters[][VLB_LETTERS_SIZE]);

#endif
