/* How much of a result is the training's luck: several training seeds of one arm, every network rolled out in the same episodes.
 *
 * success[s, e] = mean + training_s + episode_e + rest: a two-way layout without replication, its components from the mean squares (as in Searle,
 * Casella and McCulloch 1992, Variance Components, chapter 4). The rest holds the interaction and the coin of a single episode. */
#ifndef VLB_STATS_TRAINING_H
#define VLB_STATS_TRAINING_H

#include "experiments/stats/times.h"

enum { VLB_LEAST_SEEDS = 3 };

typedef struct {
  bool estimated;             /* false below VLB_LEAST_SEEDS seeds: two of them say next to nothing about a variance */
  int seeds, episodes;
  double between_trainings;   /* variance component of the trainings, of a success coded 0 or 1; never below zero */
  double between_episodes;    /* of the initial states and tasks */
  double rest;
  double seeds_sd;            /* standard deviation of the networks' rates as seen: trainings and the rest together */
  vlb_estimate mean;          /* over trainings, t interval on the networks' rates */
} vlb_training;

/* success[seeds, episodes], 0 or 1 or a score. */
vlb_training vlb_training_variance(const double *success, int seeds, int episodes, double level);

/* Difference of two arms over trainings: rates[seeds] of both, the seeds taken pair by pair. estimated as above decides whether to show it. */
vlb_t_result vlb_training_difference(const double *rates_a, const double *rates_b, int seeds, double level);

#endif
