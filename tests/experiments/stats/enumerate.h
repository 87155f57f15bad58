/* What the tests of the statistics share. */
#ifndef VLB_TESTS_STATS_ENUMERATE_H
#define VLB_TESTS_STATS_ENUMERATE_H

void near(double value, double want, double tolerance); /* fails the test when further apart */
double binomial(int n, int k, double p); /* P(X = k) */

#endif
