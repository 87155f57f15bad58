/* How the expert's hand moves: a bounded servo, and the manner of an episode. */
#include <math.h>
#include <string.h>

#include "sim/task/expert_parts.h"

/* OSC's units: an action of 1 asks for this much (libero.md 6) */
static const double position_unit = 0.05, rotation_unit = 0.5;

static const double turn_gain = 1.3, turn_speed = 0.5;

void vlb_draw_manner(vlb_expert *e) {
  vlb_rng *r = &e->rng;
  e->speed = vlb_rng_range(r, 0.85, 1.0);
  e->gain = vlb_rng_range(r, 1.5, 1.8);
  e->slope = vlb_rng_range(r, 1.1, 1.5);
  e->hover = vlb_rng_range(r, 0.075, 0.10);
  e->lift = vlb_rng_range(r, 0.10, 0.13);
  e->noise = vlb_rng_range(r, 0.06, 0.16);
  /* in the grasp's frame: along the pads, across them, in depth */
  e->grasp_offset[0] = vlb_rng_range(r, -0.004, 0.004);
  e->grasp_offset[1] = vlb_rng_range(r, -0.003, 0.003);
  e->grasp_offset[2] = vlb_rng_range(r, -0.002, 0.002);
  for (int i = 0; i < 2; i++) e->place_offset[i] = vlb_rng_range(r, -0.005, 0.005);
}

/* Shortens a vector smoothly to at most `longest`. */
static void bound(double v[3], double longest) {
  double n = mju_norm3(v);
  if (n > 1e-9) mju_scl3(v, v, longest * tanh(n / longest) / n);
}

/* Position and orientation servos with bounded speeds, in a straight line. */
static void servo(const vlb_expert *e, const vlb_pose *hand, const vlb_pose *goal, const double pace[3], double action[6]) {
  double turn[3];
  for (int i = 0; i < 3; i++) action[i] = pace[i] * e->gain * (goal->pos[i] - hand->pos[i]) / position_unit;
  bound(action, e->speed);
  vlb_turn_between(hand->rot, goal->rot, turn);
  mju_scl3(action + 3, turn, turn_gain / rotation_unit);
  bound(action + 3, turn_speed);
}

/* Nobody's hand is perfectly steady or changes speed at once; the faster it moves, the less exact it is. */
static void humanize(vlb_expert *e, double action[6]) {
  static const double keep = 0.85, inertia = 0.35, turning = 0.15;
  double pace = mju_norm3(action);
  for (int i = 0; i < 6; i++) {
    double size = e->noise * (0.2 + 0.8 * pace) * (i < 3 ? 1 : turning);
    e->wander[i] = keep * e->wander[i] + sqrt(1 - keep * keep) * size * vlb_rng_normal(&e->rng);
    e->previous[i] = inertia * e->previous[i] + (1 - inertia) * action[i];
    e->wanted[i] = mju_clip(e->previous[i], -1, 1);
    action[i] = mju_clip(e->previous[i] + e->wander[i], -1, 1);
  }
}

void vlb_move_hand(vlb_expert *e, const vlb_pose *hand, const vlb_pose *goal, const double pace[3], double action[6]) {
  servo(e, hand, goal, pace, action);
  humanize(e, action);
}
