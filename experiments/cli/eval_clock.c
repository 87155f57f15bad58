#include "experiments/cli/eval_clock.h"

/* Per episode, but for the shares. */
typedef struct {
  double time;      /* seconds from the first action to success, over those that succeeded */
  int solved;
  double wait, idle, idle_share, dry, age, age_max, load, sent, inferences, completions;
} sums;

static sums sum_up(const vlb_suite *suite, const vlb_episode_result *rows, int n) {
  sums s = {0};
  double ticks = 0, executed = 0, seconds = 0, busy = 0, age = 0;
  for (int i = 0; i < n; i++) {
    const vlb_timeline_record *r = &rows[i].clock;
    double dt = r->robot.ticks ? r->seconds / r->robot.ticks : 1.0 / suite->embodiment->rate;
    if (rows[i].outcome == VLB_EPISODE_SUCCESS) s.solved++, s.time += r->seconds - dt * r->robot.waited;
    s.wait += dt * r->robot.waited / n, s.idle += dt * r->robot.idle / n, s.idle_share += r->robot.idle;
    s.dry += (double)r->robot.starvations / n, s.sent += (double)r->robot.sent / n, s.inferences += (double)r->inferences / n;
    s.completions += (double)rows[i].completions / n;
    ticks += r->robot.ticks - r->robot.waited, executed += r->robot.executed, seconds += r->seconds, busy += r->busy, age += dt * (double)r->robot.age_sum;
    if (dt * r->robot.age_max > s.age_max) s.age_max = dt * r->robot.age_max;
  }
  s.time = s.solved ? s.time / s.solved : 0;
  s.idle_share = ticks > 0 ? s.idle_share / ticks : 0;
  s.age = executed > 0 ? age / executed : 0;
  s.load = seconds > 0 ? busy / seconds : 0;
  return s;
}

void vlb_eval_clock_print(const vlb_suite *suite, const vlb_episode_result *rows, int n) {
  sums s = sum_up(suite, rows, n);
  printf("virtual time: ");
  if (s.completions > 0) printf("done %.2f times per episode; ", s.completions);
  else if (s.solved) printf("%.2f s from the first action to success; ", s.time);
  printf("first action after %.2f s; idle %.2f s (%.1f %%), dry %.1f times; actions %.2f s old, at most %.2f; policy busy %.0f %%, %.1f chunks for %.1f observations\n", s.wait,
         s.idle, 100 * s.idle_share, s.dry, s.age, s.age_max, 100 * s.load, s.inferences, s.sent);
}

json_t *vlb_eval_clock_json(const vlb_suite *suite, const vlb_episode_result *rows, int n) {
  sums s = sum_up(suite, rows, n);
  return json_pack("{s:f,s:i,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "time_s", s.time, "solved", s.solved, "first_action_s", s.wait, "idle_s", s.idle, "idle_share",
                   s.idle_share, "starvations", s.dry, "age_s", s.age, "age_max_s", s.age_max, "load", s.load, "sent", s.sent, "inferences", s.inferences, "completions",
                   s.completions);
}
