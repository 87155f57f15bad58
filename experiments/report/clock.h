/* What virtual time says about the arms of an ablation (clock.csv of their cells): completion times, waiting, staleness, load of the policy, cubes in a
 * fixed time; and the closed forms beside them. */
#ifndef VLB_REPORT_CLOCK_H
#define VLB_REPORT_CLOCK_H

#include "experiments/report/evidence.h"
#include "experiments/report/plot.h"
#include "experiments/stats/times.h"

/* Mean and standard deviation of n numbers. */
typedef struct {
  double mean, sd, total;
  vlb_interval interval; /* Student's, 95 %, of the mean */
  int n;
} vlb_spread;

typedef struct {
  const vlb_arm_evidence *arm;
  const vlb_control_config *control;
  bool known;               /* its episodes are there; those of a cell without a clock have completion times alone */
  bool clocked;
  vlb_episode_result *rows; /* [n] as the arm's, with their clocks */
  int n, chunk;             /* chunk: n_action_steps */
  double dt;                /* seconds of a control tick */
  double limit;             /* seconds after which an episode is a timeout */
  vlb_spread time;          /* seconds from the first action to success, of the episodes that succeeded */
  vlb_spread cubes;         /* completions per episode, with fixed_time */
  double idle, idle_share;  /* seconds per episode in which the robot held its last target for want of another, after its first action; by all its ticks since */
  double starvations;       /* per episode */
  double age_mean, age_max; /* seconds from look to execution */
  double load;              /* busy time of the policy by virtual time */
  double looks, sent, inferences; /* per second: times a look was due, observations sent, chunks computed */
  double paper_time, paper_time_sd, paper_cubes, paper_cubes_sd; /* Figure 5b and 5c; NAN: none */
} vlb_clock_arm;

/* A contrast's times, pair by pair. */
typedef struct {
  const vlb_clock_arm *a, *b;
  bool known;
  vlb_t_result time;   /* a - b over the episodes that both solved */
  vlb_t_result ratio;  /* a / b of the same */
  double signed_rank;  /* Wilcoxon's p of the same */
  vlb_t_result all;    /* a - b over all episodes, those not solved counted at the limit */
  vlb_t_result cubes;  /* a - b, with fixed_time */
  double cubes_rank;
  double p_holm;       /* of time (of cubes with fixed_time), over the declared contrasts */
} vlb_clock_contrast;

typedef struct {
  const vlb_evidence *e;
  const vlb_plan *plan;
  const char *root;
  bool any;            /* some arm has a clock */
  bool fixed_time;     /* the arms count completions */
  vlb_clock_arm arms[VLB_MAX_ARMS];
  vlb_clock_contrast contrasts[VLB_MAX_CONTRASTS];
} vlb_clocks;

/* e, plan and root must outlive it. Caller: vlb_clocks_free. */
vlb_code vlb_clocks_gather(const vlb_evidence *e, const vlb_plan *plan, const char *root, vlb_clocks *c, vlb_error *err);
void vlb_clocks_free(vlb_clocks *c);

/* Seconds from the first action of an episode to its end. */
double vlb_clock_seconds(const vlb_clock_arm *arm, const vlb_episode_result *row);

/* Seconds from a look to its chunk, on average. */
double vlb_clock_latency(const vlb_clock_arm *arm);

/* Share of ticks without an action, in closed form for a fixed latency and no filter; NAN: this controller has none. sync: l / (n dt + l). paper: with
 * G = min(g, 1/2), where a chunk's actions keep their ticks, (l - G n dt) / (l + (1 - 2 G) n dt), and 0 below the bound l = G n dt; where a chunk begins when it
 * arrives, (l - g n dt) / ((1 - g) n dt + l). */
double vlb_clock_idle_share(const vlb_control_config *control, double threshold, double latency, double chunk_seconds);

/* clock.md, clock.csv, clock_contrasts.csv; the page's tables */
void vlb_clock_html(const vlb_clocks *c, FILE *out);
void vlb_clock_markdown(const vlb_clocks *c, FILE *out);
void vlb_clock_csv(const vlb_clocks *c, FILE *out);
void vlb_clock_contrasts_csv(const vlb_clocks *c, FILE *out);

/* One picture each; *drawn tells whether there was anything to show. time: completion times (cubes) per arm. queue: length of the queue over time
 * (Figure 3), without and with the filter. sweep: idle share, staleness, load and time against g or the latency, with the bound. */
vlb_code vlb_plot_time(const vlb_clocks *c, const char *folder, bool *drawn, vlb_error *err);
vlb_code vlb_plot_queue(const vlb_clocks *c, const char *folder, bool *drawn, vlb_error *err);
vlb_code vlb_plot_sweep(const vlb_clocks *c, const char *folder, bool *drawn, vlb_error *err);

/* All of it, where some arm has a clock. Names of what was drawn are appended to plots, closed by NULL. VLB_INCOMPLETE without gnuplot. */
vlb_code vlb_clock_report(const vlb_evidence *e, const vlb_plan *plan, const char *root, const char *folder, const char *plots[VLB_MAX_PLOTS], vlb_error *err);

#endif
