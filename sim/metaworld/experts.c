/* metaworld.md, section 5: what upstream's scripted policies do, as decision lists. Each looks at one observation only and answers with
 * where the hand should go, how eagerly, and what the gripper does. The constants are upstream's, slips included. */
#include <math.h>

#include "sim/metaworld/metaworld.h"

typedef struct {
  double x, y, z;
} vec;

typedef struct {
  vec h, o, g; /* hand, first object, goal */
  double opening; /* of the gripper */
  vec o2;      /* second object */
} seen;

typedef struct {
  double gain;
  vec to;
  double grip;
} plan;

static vec at(vec v, double x, double y, double z) { return (vec){v.x + x, v.y + y, v.z + z}; }
static vec up(vec v, double z) { return at(v, 0, 0, z); }
static double flat(vec a, vec b) { return hypot(a.x - b.x, a.y - b.y); }
static double rise(vec a, vec b) { return fabs(a.z - b.z); }
static bool between(double x, double lo, double hi) { return lo <= x && x <= hi; }

/* `shut` once the hand is near t, else `open`. */
static double near(vec h, vec t, double in_plane, double in_height, double open, double shut) {
  return flat(h, t) <= in_plane && rise(h, t) <= in_height ? shut : open;
}

/* The beginning of most lists: over t, then down to it; else the rest. */
static vec fetch(vec h, vec t, double in_plane, double above, double in_height, vec rest) {
  return flat(h, t) > in_plane ? up(t, above) : rise(h, t) > in_height ? t : rest;
}

static plan assembly(const seen *s) {
  vec h = s->h, w = at(s->o, -0.02, 0, 0), k = at(s->g, 0.12, 0, 0.14), t;
  if (flat(h, w) > 0.02) t = up(w, 0.1);
  else if (flat(h, k) <= 0.02) t = up(k, -0.2);
  else if (rise(h, w) > 0.05) t = up(w, 0.03);
  else if (rise(h, k) > 0.04) t = (vec){h.x, h.y, k.z};
  else t = k;
  return (plan){10, t, near(h, w, 0.02, 0.12, 0, 0.6)};
}

static plan basketball(const seen *s) {
  vec h = s->h, b = up(s->o, 0.01), k = {s->g.x, 0.875, 0.35};
  vec t = fetch(h, b, 0.04, 0.3, 0.025, rise(b, k) > 0.025 ? (vec){h.x, h.y, 0.35} : k);
  return (plan){25, t, near(h, s->o, 0.04, 0.15, -1, 0.6)};
}

static plan bin_picking(const seen *s) {
  vec h = s->h, c = up(s->o, 0.03), b = {0.12, 0.7, 0.02};
  c.y = fmin(fmax(c.y, 0.675), 0.725);
  vec across = h.z < 0.15 ? up(h, 0.1) : (vec){0.12, 0.7, 0.18};
  return (plan){25, fetch(h, c, 0.02, 0.15, 0.01, flat(h, b) > 0.02 ? across : b), near(h, c, 0.02, 0.02, -1, 0.6)};
}

static plan box_close(const seen *s) {
  vec h = s->h, l = up(s->o, 0.02), b = {s->g.x, s->g.y, 0.15}, t;
  if (flat(h, l) > 0.01) t = (vec){l.x, l.y, 0.2};
  else if (rise(h, l) > 0.05) t = l;
  else if (rise(h, b) > 0.04) t = (vec){h.x, h.y, 0.15};
  else t = b;
  return (plan){25, t, near(h, l, 0.01, 0.13, 0.5, 1)};
}

static plan press_from_above(const seen *s, double y, double grip) {
  vec b = at(s->o, 0, y, 0);
  return (plan){25, flat(s->h, b) > 0.04 ? up(b, 0.1) : b, grip};
}
static plan button_press_topdown(const seen *s) { return press_from_above(s, 0, 1); }
static plan button_press_topdown_wall(const seen *s) { return press_from_above(s, -0.06, -1); }

static plan button_press(const seen *s) {
  vec h = s->h, b = up(s->o, -0.07);
  bool off = fabs(h.x - b.x) > 0.02 + 1e-5 * fabs(b.x) || fabs(h.z - b.z) > 0.02 + 1e-5 * fabs(b.z);
  return (plan){25, off ? (vec){b.x, h.y - 0.1, b.z} : at(b, 0, 0.02, 0), 0};
}

static plan button_press_wall(const seen *s) {
  vec h = s->h, b = up(s->o, 0.04);
  if (fabs(h.x - b.x) > 0.02) return (plan){15, {b.x, h.y, 0.3}, 1};
  if (b.y - h.y > 0.09) return (plan){15, {b.x, b.y, 0.3}, 1};
  if (rise(h, b) > 0.02) return (plan){15, at(b, 0, -0.05, 0), 1};
  return (plan){15, at(b, 0, -0.02, 0), -1};
}

static plan coffee_button(const seen *s) {
  vec h = s->h, b = up(s->o, -0.07);
  return (plan){10, hypot(h.x - b.x, h.z - b.z) > 0.02 ? (vec){b.x, h.y, b.z} : at(b, 0, 0.2, 0), -1};
}

static plan coffee_pull(const seen *s) {
  vec m = at(s->o, -0.005, 0, 0.05);
  return (plan){10, fetch(s->h, m, 0.06, 0.15, 0.02, s->g), near(s->h, at(s->o, 0.01, 0, 0.05), 0.06, 0.1, -1, 0.7)};
}

static plan coffee_push(const seen *s) {
  vec m = at(s->o, 0.01, 0, 0.05);
  return (plan){10, fetch(s->h, m, 0.06, 0.2, 0.02, (vec){s->g.x, s->g.y, 0.1}), near(s->h, m, 0.06, 0.1, -1, 0.5)};
}

static plan dial_turn(const seen *s) {
  vec h = s->h, q = at(s->o, 0.05, 0.02, 0.09), t;
  if (flat(h, q) > 0.02) t = (vec){q.x, q.y, 0.2};
  else if (rise(h, q) > 0.02) t = q;
  else t = at(q, -0.05, 0.005, 0);
  return (plan){10, t, 1};
}

static plan disassemble(const seen *s) {
  vec w = at(s->o, -0.02, 0, 0.01);
  return (plan){10, fetch(s->h, w, 0.02, 0.1, 0.03, up(s->h, 0.1)), near(s->h, w, 0.02, 0.07, 0, 0.8)};
}

static plan door_close(const seen *s) {
  vec h = s->h, d = at(s->o, 0.05, 0.12, 0.1), t;
  if (h.x > d.x) t = h.z < d.z + 0.2 ? (vec){h.x, h.y, d.z + 0.25} : (vec){d.x - 0.02, d.y, h.z};
  else if (rise(h, d) > 0.04) t = at(d, -0.02, 0, 0);
  else t = s->g;
  return (plan){25, t, 1};
}

static plan door_open(const seen *s) {
  vec h = s->h, d = at(s->o, -0.05, 0, 0), t;
  if (flat(h, d) > 0.12) t = at(d, 0.06, 0.02, 0.2);
  else if (rise(h, d) > 0.04) t = at(d, 0.06, 0.02, 0);
  else t = d;
  return (plan){25, t, 1};
}

static plan door_lock(const seen *s) {
  vec h = s->h, l = at(s->o, -0.02, -0.02, 0), t;
  if (flat(h, l) > 0.02) t = h.z < 0.25 ? at(h, 0, -0.1, 0.1) : up(l, 0.3);
  else if (rise(h, l) > 0.02) t = l;
  else t = at(l, -0.1, 0, -0.1);
  return (plan){25, t, -1};
}

static plan door_unlock(const seen *s) {
  vec h = s->h, l = at(s->o, -0.04, -0.02, -0.03), t;
  if (flat(h, l) > 0.02) t = h.z > 0.15 ? at(h, 0, -0.1, -0.1) : l;
  else t = at(l, 0.1, 0, 0.01);
  return (plan){25, t, 1};
}

static plan hand_insert(const seen *s) {
  vec h = s->h, o = s->o, g = s->g, t;
  if (flat(h, o) > 0.02) t = up(o, 0.1);
  else if (rise(h, o) > 0.05) t = up(o, 0.03);
  else if (flat(h, g) > 0.04) t = (vec){g.x, g.y, h.z};
  else t = g;
  return (plan){10, t, near(h, o, 0.02, 0.1, 0, 0.65)};
}

static plan drawer_close(const seen *s) {
  vec h = s->h, d = up(s->o, -0.02), t;
  if (h.y > d.y) t = h.z < d.z + 0.23 ? (vec){h.x, h.y, d.z + 0.5} : at(d, 0, -0.075, 0.23);
  else if (rise(h, d) > 0.04) t = at(d, 0, -0.075, 0);
  else t = d;
  return (plan){25, t, 1};
}

static plan drawer_open(const seen *s) {
  vec h = s->h, d = up(s->o, -0.02);
  if (flat(h, d) > 0.06) return (plan){4, up(d, 0.3), -1};
  if (rise(h, d) > 0.04) return (plan){4, d, -1};
  return (plan){50, at(d, 0, -0.06, 0), -1};
}

static plan turn_faucet(const seen *s, double side) {
  vec f = at(s->o, -0.04 * side, 0, 0.03);
  return (plan){25, fetch(s->h, f, 0.04, 0.1, 0.04, at(f, 0.1 * side, 0.05, 0)), 1};
}
static plan faucet_open(const seen *s) { return turn_faucet(s, 1); }
static plan faucet_close(const seen *s) { return turn_faucet(s, -1); }

static plan hammer(const seen *s) {
  vec h = s->h, k = at(s->o, -0.04, 0, -0.01), nail = {0.05, 0.71, 0.16}, t;
  if (flat(h, k) > 0.04) t = up(k, 0.1);
  else if (rise(h, k) > 0.05 && k.z < 0.03) t = up(k, 0.03);
  else if (hypot(h.x - nail.x, h.z - nail.z) > 0.02) t = (vec){nail.x, h.y, nail.z};
  else t = nail;
  return (plan){10, t, near(h, k, 0.04, 0.1, 0, 0.8)};
}

static plan press_handle(const seen *s, double y, double grip) {
  vec b = at(s->o, 0, y, 0);
  return (plan){25, flat(s->h, b) > 0.02 ? up(b, 0.2) : up(b, -0.5), grip};
}
static plan handle_press_side(const seen *s) { return press_handle(s, 0, 1); }
static plan handle_press(const seen *s) { return press_handle(s, -0.02, -1); }

static plan handle_pull_side(const seen *s) {
  return (plan){25, fetch(s->h, s->o, 0.04, 0.1, 0.03, up(s->o, 1)), near(s->h, s->o, 0.04, 0.04, 0, 0.6)};
}

static plan handle_pull(const seen *s) {
  vec h = s->h, b = at(s->o, 0, -0.04, 0), t;
  if (flat(h, b) > 0.02) t = b;
  else if (rise(h, b) > 0.02) t = (vec){b.z, b.z, b.z}; /* upstream's slip */
  else t = up(b, 0.1);
  return (plan){25, t, 1};
}

static plan lever_pull(const seen *s) {
  vec l = at(s->o, 0, -0.055, 0);
  return (plan){25, fetch(s->h, l, 0.02, -0.1, 0.02, at(l, 0, 0.08, 0.02)), 1};
}

static plan peg_insert_side(const seen *s) {
  vec o = s->o, hole = {-0.35, s->g.y, 0.16};
  bool aligned = hypot(o.y - hole.y, o.z - hole.z) <= 0.03;
  return (plan){25, fetch(s->h, o, 0.04, 0.3, 0.025, aligned ? hole : at(hole, 0.4, 0, 0)), near(s->h, o, 0.04, 0.15, -1, 0.6)};
}

static plan peg_unplug_side(const seen *s) {
  vec h = s->h, k = at(s->o, -0.02, 0, 0.035), t;
  if (flat(h, k) > 0.04) t = up(k, 0.2);
  else if (fabs(h.z - 0.15) > 0.02) t = (vec){k.x, k.y, 0.15};
  else t = at(h, 0.01, 0, 0);
  return (plan){25, t, near(h, k, 0.04, 0.15, -1, 0.1)};
}

static plan pick_place_wall(const seen *s) {
  vec h = s->h, p = at(s->o, -0.005, 0, 0), g = s->g, t;
  bool wall = between(h.x, -0.15, 0.35) && between(h.y, 0.6, 0.8);
  if (flat(h, p) > 0.015) t = up(p, 0.1);
  else if (rise(h, p) > 0.04 && p.z < 0.03) t = up(p, 0.03);
  else if (wall && h.z < 0.25) t = up(h, 1);
  else if (wall && h.z < 0.35) t = (vec){g.x, g.y, h.z};
  else if (rise(h, g) > 0.01) t = (vec){h.x, h.y, g.z};
  else t = g;
  return (plan){10, t, near(h, s->o, 0.015, 0.1, 0, 0.9)};
}

static plan pick_out_of_hole(const seen *s) {
  vec h = s->h, p = up(s->o, 0.02), g = s->g;
  return (plan){25, fetch(h, p, 0.02, 0.15, 0.01, rise(h, g) > 0.04 ? (vec){h.x, h.y, g.z} : g), near(h, p, 0.02, 0.15, 0, 0.1)};
}

static plan pick_place(const seen *s) {
  vec h = s->h, o = s->o, p = at(o, -0.005, 0, 0), t;
  if (flat(h, p) > 0.02) t = up(p, 0.1);
  else if (rise(h, p) > 0.05 && p.z < 0.04) t = up(p, 0.03);
  else t = s->opening > 0.73 ? h : s->g;
  return (plan){10, t, hypot(flat(h, o), rise(h, o)) < 0.07 ? 1 : 0};
}

static plan plate_slide(const seen *s) {
  vec p = at(s->o, 0, -0.055, 0.03);
  return (plan){10, fetch(s->h, p, 0.03, 0.1, 0.04, (vec){s->g.x, 0.9, p.z}), -1};
}

static plan plate_slide_side(const seen *s) {
  vec h = s->h, p = at(s->o, 0.07, 0, -0.005);
  return (plan){25, fetch(h, p, 0.04, 0.1, 0.04, h.x > -0.2 ? (vec){h.x - 0.1, 0.6, h.z} : at(p, -0.1, 0, 0)), 1};
}

static plan plate_slide_back(const seen *s) {
  vec h = s->h, p = at(s->o, 0, -0.065, 0.025), back;
  if (h.y > 0.7) back = at(h, 0, -0.1, 0);
  else if (h.y > 0.6) back = (vec){0.15, 0.55, h.z};
  else back = (vec){h.x - 0.1, 0.55, h.z};
  return (plan){10, fetch(h, p, 0.01, 0.1, 0.04, back), -1};
}

static plan plate_slide_back_side(const seen *s) {
  vec p = at(s->o, 0.023, 0, 0.025);
  return (plan){10, fetch(s->h, p, 0.01, 0.07, 0.04, (vec){s->h.x + 0.1, 0.6, s->h.z}), 1};
}

static plan soccer(const seen *s) {
  vec h = s->h, b = up(s->o, 0.03);
  double dx = b.x - s->g.x, z = flat(h, b) < 0.02 ? 0.1 : 0.03;
  vec q = dx < -0.05 ? at(b, -0.03, 0, 0) : dx > 0.05 ? at(b, 0.03, 0, 0) : at(b, 0, -0.03, 0);
  q.z = z;
  return (plan){25, hypot(flat(h, q), rise(h, q)) > 0.01 ? q : b, 1};
}

/* Grasp the stick, line it up with the thermos, push it in, then on. */
static vec poke(vec h, vec stick, vec thermos, vec then) {
  vec line_up = thermos;
  if (fabs(stick.x - thermos.x) <= 0.04) return then;
  if (fabs(stick.y - thermos.y) > 0.02) line_up = (vec){stick.x, thermos.y, stick.z};
  else if (fabs(stick.z - thermos.z) > 0.02) line_up = (vec){stick.x, thermos.y, thermos.z};
  return fetch(h, stick, 0.02, 0.1, 0.02, line_up);
}
static plan stick_push(const seen *s) {
  vec stick = at(s->o, 0.015, 0, 0.03);
  return (plan){10, poke(s->h, stick, s->o2, up(s->g, 0.132)), near(s->h, stick, 0.02, 0.1, -1, 0.7)};
}
static plan stick_pull(const seen *s) {
  vec stick = at(s->o, -0.015, 0, 0.03);
  return (plan){25, poke(s->h, stick, at(s->o2, -0.015, 0, 0.03), at(s->g, -0.05, 0, 0)), near(s->h, stick, 0.02, 0.1, -1, 0.7)};
}

static vec push_puck(const seen *s, vec to) {
  vec p = at(s->o, -0.005, 0, 0);
  return flat(s->h, p) > 0.02 ? up(p, 0.2) : rise(s->h, p) > 0.04 ? up(p, 0.03) : to;
}
static plan push(const seen *s) { return (plan){10, push_puck(s, s->g), near(s->h, s->o, 0.02, 0.1, 0, 0.6)}; }

static plan push_wall(const seen *s) {
  vec p = at(s->o, -0.005, 0, 0), to = s->g;
  bool beside = (-0.15 < p.x && p.x < 0.05) || (0.15 < p.x && p.x < 0.35);
  if (between(p.x, -0.1, 0.3) && between(p.y, 0.65, 0.75)) to = at(s->h, -1, 0, 0);
  else if (beside && between(p.y, 0.695, 0.755)) to = at(s->h, 0, 1, 0);
  return (plan){10, push_puck(s, to), near(s->h, s->o, 0.02, 0.1, 0, 0.6)};
}

static plan push_back(const seen *s) {
  return (plan){10, fetch(s->h, s->o, 0.04, 0.3, 0.055, up(s->g, s->h.z)), near(s->h, s->o, 0.04, 0.05, 0, 0.9)};
}

static plan reach(const seen *s) { return (plan){5, s->g, 0}; }

static plan reach_wall(const seen *s) {
  bool wall = between(s->h.x, -0.1, 0.3) && between(s->h.y, 0.6, 0.8) && s->h.z < 0.25;
  return (plan){5, wall ? up(s->g, 1) : s->g, 0};
}

static plan shelf_place(const seen *s) {
  vec h = s->h, b = at(s->o, -0.005, 0, 0.015), on;
  if (fabs(h.x - s->g.x) > 0.02) on = (vec){s->g.x, h.y, 0.3};
  else if (h.z < 0.3) on = up(h, 0.3);
  else on = at(h, 0, 0.05, 0);
  return (plan){25, fetch(h, b, 0.04, 0.3, 0.04, on), near(h, s->o, 0.04, 0.15, -1, 0.7)};
}

static plan sweep_into(const seen *s) {
  vec c = at(s->o, -0.005, 0, 0.01);
  return (plan){25, fetch(s->h, c, 0.04, 0.3, 0.04, s->g), near(s->h, s->o, 0.04, 0.15, -1, 0.7)};
}

static plan sweep(const seen *s) {
  vec c = up(s->o, 0.015), away = up(s->g, 0.1);
  return (plan){25, s->h.x < 0.2 ? fetch(s->h, c, 0.04, 0.3, 0.04, away) : away, near(s->h, s->o, 0.04, 0.15, -1, s->o.x < 0.4 ? 0.7 : -1)};
}

static plan slide_window(const seen *s, double side, double above) {
  vec w = at(s->o, -0.03 * side, -0.03, -0.08);
  return (plan){25, fetch(s->h, w, 0.04, above, 0.02, at(w, 0.1 * side, 0, 0)), 1};
}
static plan window_open(const seen *s) { return slide_window(s, 1, 0.3); }
static plan window_close(const seen *s) { return slide_window(s, -1, 0.25); }

static plan (*const experts[VLB_MW_TASKS])(const seen *) = {
    [VLB_MW_ASSEMBLY] = assembly, [VLB_MW_BASKETBALL] = basketball, [VLB_MW_BIN_PICKING] = bin_picking, [VLB_MW_BOX_CLOSE] = box_close,
    [VLB_MW_BUTTON_PRESS_TOPDOWN] = button_press_topdown, [VLB_MW_BUTTON_PRESS_TOPDOWN_WALL] = button_press_topdown_wall,
    [VLB_MW_BUTTON_PRESS] = button_press, [VLB_MW_BUTTON_PRESS_WALL] = button_press_wall, [VLB_MW_COFFEE_BUTTON] = coffee_button,
    [VLB_MW_COFFEE_PULL] = coffee_pull, [VLB_MW_COFFEE_PUSH] = coffee_push, [VLB_MW_DIAL_TURN] = dial_turn,
    [VLB_MW_DISASSEMBLE] = disassemble, [VLB_MW_DOOR_CLOSE] = door_close, [VLB_MW_DOOR_LOCK] = door_lock, [VLB_MW_DOOR_OPEN] = door_open,
    [VLB_MW_DOOR_UNLOCK] = door_unlock, [VLB_MW_HAND_INSERT] = hand_insert, [VLB_MW_DRAWER_CLOSE] = drawer_close,
    [VLB_MW_DRAWER_OPEN] = drawer_open, [VLB_MW_FAUCET_OPEN] = faucet_open, [VLB_MW_FAUCET_CLOSE] = faucet_close, [VLB_MW_HAMMER] = hammer,
    [VLB_MW_HANDLE_PRESS_SIDE] = handle_press_side, [VLB_MW_HANDLE_PRESS] = handle_press, [VLB_MW_HANDLE_PULL_SIDE] = handle_pull_side,
    [VLB_MW_HANDLE_PULL] = handle_pull, [VLB_MW_LEVER_PULL] = lever_pull, [VLB_MW_PICK_PLACE_WALL] = pick_place_wall,
    [VLB_MW_PICK_OUT_OF_HOLE] = pick_out_of_hole, [VLB_MW_PICK_PLACE] = pick_place, [VLB_MW_PLATE_SLIDE] = plate_slide,
    [VLB_MW_PLATE_SLIDE_SIDE] = plate_slide_side, [VLB_MW_PLATE_SLIDE_BACK] = plate_slide_back,
    [VLB_MW_PLATE_SLIDE_BACK_SIDE] = plate_slide_back_side, [VLB_MW_PEG_INSERT_SIDE] = peg_insert_side,
    [VLB_MW_PEG_UNPLUG_SIDE] = peg_unplug_side, [VLB_MW_SOCCER] = soccer, [VLB_MW_STICK_PUSH] = stick_push,
    [VLB_MW_STICK_PULL] = stick_pull, [VLB_MW_PUSH] = push, [VLB_MW_PUSH_WALL] = push_wall, [VLB_MW_PUSH_BACK] = push_back,
    [VLB_MW_REACH] = reach, [VLB_MW_REACH_WALL] = reach_wall, [VLB_MW_SHELF_PLACE] = shelf_place, [VLB_MW_SWEEP_INTO] = sweep_into,
    [VLB_MW_SWEEP] = sweep, [VLB_MW_WINDOW_OPEN] = window_open, [VLB_MW_WINDOW_CLOSE] = window_close,
};

void vlb_mw_expert(vlb_mw_id task, const double obs[VLB_MW_OBS], double action[VLB_MW_ACTION]) {
  const seen s = {{obs[0], obs[1], obs[2]}, {obs[4], obs[5], obs[6]}, {obs[36], obs[37], obs[38]}, obs[3], {obs[11], obs[12], obs[13]}};
  const plan p = experts[task](&s);
  const double wish[VLB_MW_ACTION] = {p.gain * (p.to.x - s.h.x), p.gain * (p.to.y - s.h.y), p.gain * (p.to.z - s.h.z), p.grip};
  for (int i = 0; i < VLB_MW_ACTION; i++) action[i] = (double)fminf(fmaxf((float)wish[i], -1), 1);
}
