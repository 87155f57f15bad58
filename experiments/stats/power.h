/* What a paired comparison can see, before it is made. */
#ifndef VLB_STATS_POWER_H
#define VLB_STATS_POWER_H

/* Chance that the exact two-sided McNemar test at `alpha` rejects, with n >= 1 pairs of which a share `discordance` (0 to 1) falls to one side or the other
 * and |p_a - p_b| = difference <= discordance. Exact: summed over the numbers of discordant pairs and how they fall. */
double vlb_mcnemar_power(int n, double discordance, double difference, double alpha);

/* The smallest difference that is seen with chance `power`; NAN when not even pairs that all fall to one side are enough. */
double vlb_mcnemar_detectable(int n, double discordance, double alpha, double power);

#endif
