#include "sim/metaworld/rules.h"

#include <math.h>

/* ---- points ---- */

int vlb_mw_index(vlb_mw_env *env, mjtObj kind, const char *name) {
  int id = mj_name2id(env->model, (int)kind, name);
  if (id >= 0) return id;
  if (!env->missing) env->missing = name;
  return 0;
}

static double joint(vlb_mw_env *env, const char *name) {
  return env->data->qpos[env->model->jnt_qposadr[vlb_mw_index(env, mjOBJ_JOINT, name)]];
}
static const mjtNum *body(vlb_mw_env *env, const char *name) { return env->data->xpos + 3 * vlb_mw_index(env, mjOBJ_BODY, name); }
static const mjtNum *site(vlb_mw_env *env, const char *name) { return env->data->site_xpos + 3 * vlb_mw_index(env, mjOBJ_SITE, name); }
static const mjtNum *geom(vlb_mw_env *env, const char *name) { return env->data->geom_xpos + 3 * vlb_mw_index(env, mjOBJ_GEOM, name); }

static void knob(vlb_mw_env *env, double out[3]) {
  double angle = joint(env, "knob_Joint_1");
  mju_copy3(out, body(env, "dial"));
  out[0] += 0.05 * sin(angle);
  out[1] -= 0.05 * cos(angle);
}

static void shelf(vlb_mw_env *env, double out[3]) {
  mju_add3(out, env->model->body_pos + 3 * vlb_mw_index(env, mjOBJ_BODY, "shelf"),
           env->model->site_pos + 3 * vlb_mw_index(env, mjOBJ_SITE, "goal"));
}

void vlb_mw_where(vlb_mw_env *env, const vlb_mw_point *point, const double *rand, double out[3]) {
  mju_zero3(out);
  switch (point->from) {
    case MW_CONST: break;
    case MW_T: mju_copy3(out, env->goal); break;
    case MW_R: mju_copy3(out, rand); break;
    case MW_R3: mju_copy3(out, rand + 3); break;
    case MW_R_XY: mju_copy(out, rand, 2); break;
    case MW_R3_XY: mju_copy(out, rand + 3, 2); break;
    case MW_R_Y: out[1] = rand[1]; break;
    case MW_BODY: mju_copy3(out, body(env, point->name)); break;
    case MW_SITE: mju_copy3(out, site(env, point->name)); break;
    case MW_GEOM: mju_copy3(out, geom(env, point->name)); break;
    case MW_KNOB: knob(env, out); break;
    case MW_SHELF: shelf(env, out); break;
  }
  mju_addTo3(out, point->offset);
  if (point->kept_height) out[2] += env->height;
}

/* ---- successes that are no distance of the first object ---- */

static double distance(const double a[3], const double b[3]) {
  mjtNum d[3];
  mju_sub3(d, a, b);
  return mju_norm3(d);
}

static bool nut_on_peg(vlb_mw_env *env, const double *obs) {
  const mjtNum *nut = site(env, "RoundNut");
  (void)obs;
  return hypot(env->goal[0] - nut[0], env->goal[1] - nut[1]) < 0.02 && env->goal[2] > nut[2];
}

static bool ball_in_basket(vlb_mw_env *env, const double *obs) {
  mjtNum d[3] = {obs[4] - env->goal[0], obs[5] - env->goal[1], 2 * (obs[6] - 0.3)};
  return mju_norm3(d) <= 0.08;
}

static bool dial_turned(vlb_mw_env *env, const double *obs) {
  mjtNum now[3];
  (void)obs;
  knob(env, now);
  return distance(now, env->goal) <= 0.07;
}

static bool nut_lifted(vlb_mw_env *env, const double *obs) { return obs[6] > env->goal[2]; }

static bool faucet_opened(vlb_mw_env *env, const double *obs) {
  const mjtNum handle[3] = {obs[4] - 0.04, obs[5], obs[6] + 0.03};
  return distance(handle, env->goal) <= 0.07;
}

static bool nail_driven(vlb_mw_env *env, const double *obs) {
  (void)obs;
  return joint(env, "NailSlideJoint") > 0.09;
}

static bool lever_pulled(vlb_mw_env *env, const double *obs) {
  (void)obs;
  return fabs(-joint(env, "LeverAxis") - mjPI / 2) <= mjPI / 24;
}

static bool peg_inserted(vlb_mw_env *env, const double *obs) {
  mjtNum d[3];
  (void)obs;
  mju_sub3(d, site(env, "pegHead"), env->goal);
  d[1] *= 2, d[2] *= 2;
  return mju_norm3(d) <= 0.07;
}

static bool hand_reached(vlb_mw_env *env, const double *obs) {
  mjtNum middle[3];
  (void)obs;
  mju_add3(middle, site(env, "rightEndEffector"), site(env, "leftEndEffector"));
  mju_scl3(middle, middle, 0.5);
  return distance(middle, env->goal) <= 0.05;
}

/* The sum of the normal forces between a finger's pad and the object is above zero. */
static bool pad_pushes(vlb_mw_env *env, const char *pad_name) {
  const mjData *d = env->data;
  int pad = vlb_mw_index(env, mjOBJ_GEOM, pad_name), object = vlb_mw_index(env, mjOBJ_GEOM, "objGeom");
  double sum = 0;
  for (int i = 0; i < d->ncon; i++) {
    const mjContact *c = &d->contact[i];
    bool touches = (c->geom1 == pad && c->geom2 == object) || (c->geom1 == object && c->geom2 == pad);
    if (touches && c->efc_address >= 0) sum += d->efc_force[c->efc_address];
  }
  return sum > 0;
}

static bool pushed_with_stick(vlb_mw_env *env, const double *obs) {
  return distance(obs + 11, env->goal) <= 0.12 && pad_pushes(env, "leftpad_geom") && pad_pushes(env, "rightpad_geom") && obs[3] > 0 &&
         obs[6] - 0.01 > 0.02;
}

static bool pulled_with_stick(vlb_mw_env *env, const double *obs) {
  const double *handle = obs + 11;
  const mjtNum *end = site(env, "stick_end");
  return distance(handle, env->goal) <= 0.12 && end[0] >= handle[0] && fabs(end[1] - handle[1]) <= 0.04 && fabs(end[2] - handle[2]) <= 0.06;
}

/* ---- the table ---- */

/* points */
#define AT(from_, ...) {.from = from_, .offset = {__VA_ARGS__}}
#define OF(from_, name_, ...) {.from = from_, .name = name_, .offset = {__VA_ARGS__}}
#define KEPT(from_) {.from = from_, .kept_height = true}
/* operations; an object with a free joint comes after seven arm joints and two fingers, and upstream stops velocities 9 to 14 with it,
 * whichever they are */
#define MOVE(name_, ...) {.verb = MW_MOVE_BODY, .name = name_, .point = __VA_ARGS__}
#define SET(verb_, at_, count_, from_, to_, ...) {.verb = verb_, .at = at_, .count = count_, .still = {from_, to_}, .point = __VA_ARGS__}
#define OBJECT(...) SET(MW_SET, 9, 3, 9, 15, __VA_ARGS__)
#define HINGE(x) SET(MW_SET, 9, 1, 9, 10, AT(MW_CONST, x))
#define KEEP(...) {.verb = MW_KEEP_HEIGHT, .point = __VA_ARGS__}
#define GOAL(...) {.verb = MW_GOAL, .point = __VA_ARGS__}
#define DO(verb_) {.verb = verb_}
#define MARK(name_, ...) {.verb = MW_MOVE_SITE, .name = name_, .point = __VA_ARGS__} /* what one sees of the goal */
#define SHOW(name_) MARK(name_, AT(MW_T))
/* what is seen: a point, its rotation */
#define SEE(quat_, of_, ...) {.point = __VA_ARGS__, .quat = quat_, .quat_of = of_}
#define SEE_BODY(name) SEE(MW_WXYZ, name, OF(MW_BODY, name, 0))
#define SEE_OBJ SEE(MW_XYZW_GEOM, "objGeom", OF(MW_BODY, "obj", 0))
#define SEE_GEOM(name) SEE(MW_XYZW_GEOM, name, OF(MW_GEOM, name, 0))
#define SEE_SITE(name) SEE(MW_NO_QUAT, NULL, OF(MW_SITE, name, 0))
/* success */
#define WITHIN(d) .weight = {1, 1, 1}, .within = d
#define WITHIN_X(d) .weight = {1, 0, 0}, .within = d
#define WITHIN_Y(d) .weight = {0, 1, 0}, .within = d
#define WITHIN_Z(d) .weight = {0, 0, 1}, .within = d
#define WITHIN_XY(d) .weight = {1, 1, 0}, .within = d

#define PICK {OBJECT(AT(MW_R)), GOAL(AT(MW_R3)), SHOW("goal")}
#define PUSH(...) {KEEP(__VA_ARGS__), OBJECT(KEPT(MW_R_XY)), GOAL(KEPT(MW_R3_XY)), SHOW("goal")}

/* two heights are single precision upstream */
const vlb_mw_rule vlb_mw_rules[VLB_MW_TASKS] = {
    [VLB_MW_ASSEMBLY] = {{OBJECT(AT(MW_R)), MOVE("peg", AT(MW_R3, 0, 0, -0.05)), GOAL(AT(MW_R3)), SHOW("pegTop")},
                         {SEE(MW_WXYZ, "RoundNut", OF(MW_SITE, "RoundNut-8", 0))}, .reached = nut_on_peg},
    [VLB_MW_BASKETBALL] = {{MOVE("basket_goal", AT(MW_R3)), OBJECT(AT(MW_R_XY, 0, 0, 0.03f)), GOAL(OF(MW_SITE, "goal", 0))},
                           {SEE_BODY("bsktball")}, .reached = ball_in_basket},
    [VLB_MW_BIN_PICKING] = {{KEEP(OF(MW_BODY, "obj", 0)), OBJECT(KEPT(MW_R_XY)), GOAL(OF(MW_BODY, "bin_goal", 0))},
                            {SEE_BODY("obj")}, WITHIN(0.05)},
    [VLB_MW_BOX_CLOSE] = {{KEEP(OF(MW_BODY, "boxbody", 0)), MOVE("boxbody", KEPT(MW_R3_XY)), DO(MW_SIMULATE),
                           OBJECT(AT(MW_R_XY, 0, 0, 0.02f)), GOAL(AT(MW_R3)), SHOW("goal")},
                          {SEE_BODY("top_link")}, WITHIN(0.08)},
    [VLB_MW_BUTTON_PRESS_TOPDOWN] = {{MOVE("box", AT(MW_R)), DO(MW_FORWARD), GOAL(OF(MW_SITE, "hole", 0))},
                                     {SEE(MW_WXYZ, "button", OF(MW_BODY, "button", 0, 0, 0.193))}, WITHIN_Z(0.024)},
    [VLB_MW_BUTTON_PRESS_TOPDOWN_WALL] = {{MOVE("box", AT(MW_R)), DO(MW_FORWARD), GOAL(OF(MW_SITE, "hole", 0))},
                                          {SEE(MW_WXYZ, "button", OF(MW_BODY, "button", 0, 0, 0.193))}, WITHIN_Z(0.024)},
    [VLB_MW_BUTTON_PRESS] = {{MOVE("box", AT(MW_R)), HINGE(0), GOAL(OF(MW_SITE, "hole", 0))},
                             {SEE(MW_WXYZ, "button", OF(MW_BODY, "button", 0, -0.193, 0))}, WITHIN_Y(0.02)},
    [VLB_MW_BUTTON_PRESS_WALL] = {{MOVE("box", AT(MW_R)), HINGE(0), GOAL(OF(MW_SITE, "hole", 0))},
                                  {SEE(MW_WXYZ, "button", OF(MW_BODY, "button", 0, -0.193, 0))}, WITHIN_Y(0.03)},
    /* the mug's free joint comes first here, the arm after it */
    [VLB_MW_COFFEE_BUTTON] = {{MOVE("coffee_machine", AT(MW_R)), SET(MW_SET, 0, 3, 9, 15, AT(MW_R, 0, -0.22, 0)),
                               GOAL(AT(MW_R, 0, -0.19, 0.3))},
                              {SEE(MW_ONE_QUAT, NULL, OF(MW_SITE, "buttonStart", 0))}, WITHIN_Y(0.02)},
    [VLB_MW_COFFEE_PULL] = {{SET(MW_SET, 0, 3, 9, 15, AT(MW_R)), MOVE("coffee_machine", AT(MW_R, 0, 0.22, 0)), GOAL(AT(MW_R3)), SHOW("mug_goal")},
                            {SEE(MW_XYZW_GEOM, "mug", OF(MW_BODY, "obj", 0))}, WITHIN(0.07)},
    [VLB_MW_COFFEE_PUSH] = {{SET(MW_SET, 0, 3, 9, 15, AT(MW_R)), MOVE("coffee_machine", AT(MW_R3, 0, 0.22, 0)), GOAL(AT(MW_R3)), SHOW("mug_goal")},
                            {SEE(MW_XYZW_GEOM, "mug", OF(MW_BODY, "obj", 0))}, WITHIN(0.07)},
    [VLB_MW_DIAL_TURN] = {{MOVE("dial", AT(MW_R)), GOAL(AT(MW_R, 0, 0.03, 0.03)), SHOW("goal")},
                          {SEE(MW_WXYZ, "dial", AT(MW_KNOB))}, .reached = dial_turned},
    [VLB_MW_DISASSEMBLE] = {{MOVE("peg", AT(MW_R, 0, 0, 0.03)), DO(MW_FORWARD), OBJECT(AT(MW_R)),
                             GOAL(AT(MW_R, 0, 0, 0.15)), MARK("pegTop", AT(MW_R, 0, 0, 0.08))},
                            {SEE(MW_WXYZ, "RoundNut", OF(MW_SITE, "RoundNut-8", 0))}, .reached = nut_lifted},
    [VLB_MW_DOOR_CLOSE] = {{MOVE("door", AT(MW_R)), HINGE(-1.5708), GOAL(AT(MW_R, 0.2, -0.2, 0)), SHOW("goal")}, {SEE_GEOM("handle")}, WITHIN(0.08)},
    [VLB_MW_DOOR_OPEN] = {{MOVE("door", AT(MW_R)), HINGE(0), GOAL(AT(MW_R, -0.3, -0.45, 0)), SHOW("goal")}, {SEE_GEOM("handle")}, WITHIN_X(0.08)},
    [VLB_MW_DOOR_LOCK] = {{MOVE("door", AT(MW_R)), DO(MW_SIMULATE), GOAL(OF(MW_BODY, "lock_link", 0, -0.04, -0.1))},
                          {SEE(MW_WXYZ, "door_link", OF(MW_SITE, "lockStartLock", 0))}, WITHIN_Z(0.02)},
    [VLB_MW_DOOR_UNLOCK] = {{MOVE("door", AT(MW_R)), HINGE(1.5708), GOAL(OF(MW_BODY, "lock_link", 0.1, -0.04, 0))},
                            {SEE(MW_WXYZ, "door_link", OF(MW_SITE, "lockStartUnlock", 0))}, WITHIN_X(0.02)},
    [VLB_MW_HAND_INSERT] = {{OBJECT(AT(MW_R_XY, 0, 0, 0.05)), GOAL(AT(MW_R3)), SHOW("goal")}, {SEE_BODY("obj")}, WITHIN(0.05)},
    [VLB_MW_DRAWER_CLOSE] = {{MOVE("drawer", AT(MW_R)), SET(MW_SET, 9, 1, 0, 0, AT(MW_CONST, -0.15)), GOAL(AT(MW_R, 0, -0.16, 0.09)), SHOW("goal")},
                             {SEE(MW_NO_QUAT, NULL, OF(MW_BODY, "drawer_link", 0, -0.16, 0.05))}, WITHIN(0.065)},
    [VLB_MW_DRAWER_OPEN] = {{MOVE("drawer", AT(MW_R)), GOAL(AT(MW_R, 0, -0.36, 0.09)), SHOW("goal")},
                            {SEE(MW_WXYZ, "drawer_link", OF(MW_BODY, "drawer_link", 0, -0.16, 0))}, WITHIN(0.03)},
    [VLB_MW_FAUCET_OPEN] = {{MOVE("faucetBase", AT(MW_R)), GOAL(AT(MW_R, 0.175, 0, 0.125)), SHOW("goal_open")},
                            {SEE(MW_WXYZ, "faucetBase", OF(MW_SITE, "handleStartOpen", 0, 0, -0.01))}, .reached = faucet_opened},
    [VLB_MW_FAUCET_CLOSE] = {{MOVE("faucetBase", AT(MW_R)), DO(MW_FORWARD), GOAL(AT(MW_R, -0.175, 0, 0.125)), SHOW("goal_close")},
                             {SEE(MW_WXYZ, "faucetBase", OF(MW_SITE, "handleStartClose", 0, 0, -0.01))}, WITHIN(0.07)},
    [VLB_MW_HAMMER] = {{MOVE("box", AT(MW_CONST, 0.24, 0.85, 0)), GOAL(OF(MW_SITE, "goal", 0)), OBJECT(AT(MW_R))},
                       {SEE_BODY("hammer"), SEE_BODY("nail_link")}, .reached = nail_driven},
    [VLB_MW_HANDLE_PRESS_SIDE] = {{MOVE("box", AT(MW_R)), HINGE(-0.001), GOAL(OF(MW_SITE, "goalPress", 0))},
                                  {SEE_SITE("handleStart")}, WITHIN_Z(0.02)},
    [VLB_MW_HANDLE_PRESS] = {{MOVE("box", AT(MW_R)), HINGE(-0.001), GOAL(OF(MW_SITE, "goalPress", 0))},
                             {SEE_SITE("handleStart")}, WITHIN_Z(0.02)},
    [VLB_MW_HANDLE_PULL_SIDE] = {{MOVE("box", AT(MW_R)), HINGE(-0.1), GOAL(OF(MW_SITE, "goalPull", 0))},
                                 {SEE_SITE("handleCenter")}, WITHIN(0.08)},
    [VLB_MW_HANDLE_PULL] = {{MOVE("box", AT(MW_R)), HINGE(-0.1), GOAL(OF(MW_SITE, "goalPull", 0))},
                            {SEE_SITE("handleRight")}, WITHIN_Z(0.05)},
    [VLB_MW_LEVER_PULL] = {{MOVE("lever", AT(MW_R)), GOAL(AT(MW_R, 0.12, 0, 0.45)), SHOW("goal")},
                           {SEE(MW_XYZW_GEOM, "objGeom", OF(MW_SITE, "leverStart", 0))}, .reached = lever_pulled},
    [VLB_MW_PEG_INSERT_SIDE] = {{OBJECT(AT(MW_R)), MOVE("box", AT(MW_R3)), GOAL(AT(MW_R3, 0.03, 0, 0.13)), SHOW("goal")},
                                {SEE(MW_XYZW_SITE, "pegGrasp", OF(MW_SITE, "pegGrasp", 0))}, .reached = peg_inserted},
    [VLB_MW_PEG_UNPLUG_SIDE] = {{MOVE("box", AT(MW_R)), SET(MW_SET, 9, 7, 9, 12, AT(MW_R, 0.044, 0, 0.131)),
                                 GOAL(AT(MW_R, 0.194, 0, 0.131)), SHOW("goal")},
                                {SEE(MW_WXYZ, "plug1", OF(MW_SITE, "pegEnd", 0))}, WITHIN(0.07)},
    [VLB_MW_PICK_OUT_OF_HOLE] = {PICK, {SEE_BODY("obj")}, WITHIN(0.07)},
    [VLB_MW_PICK_PLACE] = {PICK, {SEE_OBJ}, WITHIN(0.07)},
    [VLB_MW_PICK_PLACE_WALL] = {PICK, {SEE_GEOM("objGeom")}, WITHIN(0.07)},
    [VLB_MW_PLATE_SLIDE] = {{MOVE("puck_goal", AT(MW_R3)), SET(MW_SET, 9, 2, 0, 0, AT(MW_CONST)), GOAL(AT(MW_R3)), SHOW("goal")},
                            {SEE_GEOM("puck")}, WITHIN(0.07)},
    [VLB_MW_PLATE_SLIDE_SIDE] = {{SET(MW_SET, 9, 2, 0, 0, AT(MW_CONST)), GOAL(AT(MW_R3)), SHOW("goal")}, {SEE_GEOM("puck")}, WITHIN(0.07)},
    [VLB_MW_PLATE_SLIDE_BACK] = {{SET(MW_SET, 9, 2, 0, 0, AT(MW_CONST, 0, 0.15)), GOAL(AT(MW_R3)), SHOW("goal")}, {SEE_GEOM("puck")}, WITHIN(0.07)},
    [VLB_MW_PLATE_SLIDE_BACK_SIDE] = {{MOVE("puck_goal", AT(MW_R)), SET(MW_SET, 9, 2, 0, 0, AT(MW_CONST, -0.15)), GOAL(AT(MW_R3)), SHOW("goal")},
                                      {SEE_GEOM("puck")}, WITHIN(0.07)},
    [VLB_MW_SOCCER] = {{MOVE("goal_whole", AT(MW_R3)), OBJECT(AT(MW_R_XY, 0, 0, 0.03)), GOAL(AT(MW_R3)), SHOW("goal")},
                       {SEE(MW_XYZW_BODY, "soccer_ball", OF(MW_BODY, "soccer_ball", 0))}, WITHIN(0.07)},
    [VLB_MW_STICK_PUSH] = {{KEEP(OF(MW_SITE, "insertion", 0)), OBJECT(AT(MW_R_XY, 0, 0, 0.02)), SET(MW_SET, 16, 2, 16, 18, AT(MW_CONST)),
                            GOAL(KEPT(MW_R3_XY)), SHOW("goal")},
                           {SEE(MW_XYZW_BODY, "stick", OF(MW_BODY, "stick", 0)), SEE(MW_NO_QUAT, NULL, OF(MW_SITE, "insertion", 0, 0.09, 0))},
                           .reached = pushed_with_stick},
    [VLB_MW_STICK_PULL] = {{OBJECT(AT(MW_R_XY, 0, 0, 0.02)), SET(MW_SET, 16, 2, 16, 18, AT(MW_CONST, 0, 0.09)),
                            GOAL(AT(MW_R3_XY, 0, 0, 0.02)), SHOW("goal")},
                           {SEE(MW_XYZW_BODY, "stick", OF(MW_BODY, "stick", 0)), SEE_SITE("insertion")}, .reached = pulled_with_stick},
    [VLB_MW_PUSH] = {PUSH(OF(MW_BODY, "obj", 0)), {SEE_OBJ}, WITHIN(0.05)},
    [VLB_MW_PUSH_WALL] = {PUSH(OF(MW_GEOM, "objGeom", 0)), {SEE_GEOM("objGeom")}, WITHIN(0.07)},
    [VLB_MW_PUSH_BACK] = {PUSH(OF(MW_GEOM, "objGeom", 0)), {SEE_GEOM("objGeom")}, WITHIN(0.07)},
    [VLB_MW_REACH] = {PICK, {SEE_OBJ}, .reached = hand_reached},
    [VLB_MW_REACH_WALL] = {PICK, {SEE_OBJ}, .reached = hand_reached},
    [VLB_MW_SHELF_PLACE] = {{KEEP(OF(MW_BODY, "obj", 0)), MOVE("shelf", AT(MW_R3, 0, 0, -0.3)), DO(MW_FORWARD), OBJECT(KEPT(MW_R_XY)),
                             GOAL(AT(MW_SHELF))},
                            {SEE_OBJ}, WITHIN(0.07)},
    [VLB_MW_SWEEP_INTO] = {{KEEP(OF(MW_BODY, "obj", 0)), OBJECT(KEPT(MW_R_XY)), GOAL(AT(MW_CONST, 0, 0.84, 0.02)), SHOW("goal")}, {SEE_OBJ},
                           WITHIN_XY(0.05)},
    [VLB_MW_SWEEP] = {{OBJECT(AT(MW_R_XY, 0, 0, 0.02)), GOAL(AT(MW_R_Y, 0.5, 0, 0.01)), SHOW("goal")}, {SEE_BODY("obj")}, WITHIN(0.05)},
    [VLB_MW_WINDOW_OPEN] = {{MOVE("window", AT(MW_R)), SET(MW_SET_UNSEEN, 9, 1, 0, 0, AT(MW_CONST)), GOAL(AT(MW_R, 0.2, 0, 0)), SHOW("goal")},
                            {SEE_SITE("handleOpenStart")}, WITHIN_X(0.05)},
    [VLB_MW_WINDOW_CLOSE] = {{MOVE("window", AT(MW_R)), SET(MW_SET_UNSEEN, 9, 1, 0, 0, AT(MW_CONST, 0.2)), GOAL(AT(MW_R)), SHOW("goal")},
                             {SEE_SITE("handleCloseStart")}, WITHIN_X(0.05)},
};
