#include "sim/task/predicates.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Thresholds on qpos per category, and the ranges that starts are drawn from. A drawer is closed only when it is pushed past
 * zero, into the slack of its joint. */
typedef struct {
  const char *category;
  int knob;                          /* turn_on and turn_off instead of open and close */
  int downwards;                     /* open means below the threshold */
  double open, close;                /* strict thresholds, but a knob is on from `open` itself */
  double open_range[2], close_range[2];
} joint_rule;

static const joint_rule rules[] = {
    {"wooden_cabinet", 0, 1, -0.14, 0.0, {-0.16, -0.14}, {0, 0.005}},
    {"white_cabinet", 0, 1, -0.14, 0.0, {-0.16, -0.14}, {0, 0.005}},
    {"microwave", 0, 1, -1.3, -0.005, {-2.094, -1.3}, {-0.005, 0}},
    {"flat_stove", 1, 0, 0.5, 0.0, {0.5, 2.1}, {-0.005, 0}},
};

static const joint_rule *find_rule(const char *category, int knob) {
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    if (!strcmp(rules[i].category, category) && rules[i].knob == knob) return &rules[i];
  return NULL;
}

static int is_knob(vlb_goal_kind kind) { return kind == VLB_GOAL_TURN_ON || kind == VLB_GOAL_TURN_OFF; }
static int is_open(vlb_goal_kind kind) { return kind == VLB_GOAL_OPEN || kind == VLB_GOAL_TURN_ON; }

int vlb_start_range(const char *category, vlb_goal_kind kind, double range[2]) {
  const joint_rule *rule = find_rule(category, is_knob(kind));
  if (!rule) return 0;
  const double *r = is_open(kind) ? rule->open_range : rule->close_range;
  range[0] = r[0];
  range[1] = r[1];
  return 1;
}

int vlb_object_body(const mjModel *model, const char *object) {
  char name[128];
  snprintf(name, sizeof name, "%s_main", object);
  return mj_name2id(model, mjOBJ_BODY, name);
}

int vlb_site(const mjModel *model, const char *name) { return mj_name2id(model, mjOBJ_SITE, name); }

const vlb_scene_object *vlb_task_object(const vlb_task *task, const char *name) {
  const vlb_scene_object *best = NULL;
  for (int i = 0; i < task->object_count; i++) {
    const vlb_scene_object *o = &task->objects[i];
    size_t n = strlen(o->name);
    if (strncmp(name, o->name, n) || (name[n] && name[n] != '_')) continue;
    if (!best || n > strlen(best->name)) best = o;
  }
  return best;
}

/* Do solid geoms of the two objects (any of their bodies) touch? Objects are children of the world. */
static int touch(const mjModel *m, const mjData *d, int root_a, int root_b) {
  for (int i = 0; i < d->ncon; i++) {
    int g1 = d->contact[i].geom1, g2 = d->contact[i].geom2;
    if (m->geom_group[g1] != 0 || m->geom_group[g2] != 0) continue;
    int r1 = m->body_rootid[m->geom_bodyid[g1]], r2 = m->body_rootid[m->geom_bodyid[g2]];
    if ((r1 == root_a && r2 == root_b) || (r1 == root_b && r2 == root_a)) return 1;
  }
  return 0;
}

static int on_object(const mjModel *m, const mjData *d, int a, int b) {
  const mjtNum *pa = d->xpos + 3 * a, *pb = d->xpos + 3 * b;
  return pb[2] <= pa[2] && touch(m, d, a, b) && hypot(pa[0] - pb[0], pa[1] - pb[1]) < 0.03;
}

/* R * v with the site's row-major matrix: LIBERO forgets the transpose, and so must we. */
static void site_rotate(const mjData *d, int site, const mjtNum v[3], mjtNum out[3]) {
  const mjtNum *r = d->site_xmat + 9 * site;
  for (int i = 0; i < 3; i++) out[i] = r[3 * i] * v[0] + r[3 * i + 1] * v[1] + r[3 * i + 2] * v[2];
}

static int on_site(const vlb_task *task, const mjModel *m, const mjData *d, int a, int site, const char *site_name) {
  const mjtNum *s = m->site_size + 3 * site, *p = d->xpos + 3 * a, *ps = d->site_xpos + 3 * site;
  mjtNum v[3] = {p[0] - ps[0], p[1] - ps[1], p[2] - ps[2]}, q[3];
  site_rotate(d, site, v, q);
  int above = s[2] - 0.005 < q[2] && q[2] < s[2] + 0.10 && fabs(q[0]) < s[0] && fabs(q[1]) < s[1];
  /* a zone of the table has no parent: geometry alone decides */
  const vlb_scene_object *parent = vlb_task_object(task, site_name);
  return above && (!parent || touch(m, d, a, vlb_object_body(m, parent->name)));
}

static int in_site(const mjModel *m, const mjData *d, int a, int site) {
  const mjtNum *p = d->xpos + 3 * a, *ps = d->site_xpos + 3 * site;
  mjtNum t[3];
  site_rotate(d, site, m->site_size + 3 * site, t);
  for (int i = 0; i < 3; i++) {
    mjtNum half = fabs(t[i]), below = i == 2 ? 0.01 : 0;
    if (!(ps[i] - half - below < p[i] && p[i] < ps[i] + half)) return 0;
  }
  return 1;
}

/* The robot's joints come first. */
static int robot_root(const mjModel *m) { return m->body_rootid[m->jnt_bodyid[0]]; }

int vlb_robot_touches(const mjModel *m, const mjData *d, int body) { return touch(m, d, robot_root(m), body); }

/* In the robot's grip and clear of everything else. */
static int lifted(const mjModel *m, const mjData *d, int a) {
  static const double clear = 0.03; /* m, its origin above the surface: 14 mm higher than a cube of 32 mm lies */
  for (int i = 0; i < d->ncon; i++) {
    int r1 = m->body_rootid[m->geom_bodyid[d->contact[i].geom1]], r2 = m->body_rootid[m->geom_bodyid[d->contact[i].geom2]];
    if ((r1 == a || r2 == a) && r1 != robot_root(m) && r2 != robot_root(m)) return 0;
  }
  return vlb_robot_touches(m, d, a) && d->xpos[3 * a + 2] > d->site_xpos[3 * vlb_site(m, "workspace") + 2] + clear;
}

/* Is joint's body `body` itself or below it? */
static int below(const mjModel *m, int joint, int body) {
  for (int b = m->jnt_bodyid[joint]; b > 0; b = m->body_parentid[b])
    if (b == body) return 1;
  return 0;
}

int vlb_goal_joints(const mjModel *m, const char *name, int *out, int max) {
  int n = 0, object = vlb_object_body(m, name), site = vlb_site(m, name);
  for (int j = 0; j < m->njnt && n < max; j++)
    if (object >= 0 ? below(m, j, object) : site >= 0 && m->jnt_bodyid[j] == m->site_bodyid[site]) out[n++] = j;
  return n;
}

static int joint_passes(const joint_rule *rule, vlb_goal_kind kind, double q) {
  if (rule->knob) return is_open(kind) ? q >= rule->open : q < rule->close;
  double limit = is_open(kind) ? rule->open : rule->close;
  return (is_open(kind) ? rule->downwards : !rule->downwards) ? q < limit : q > limit;
}

/* Opening and turning on ask for any joint, closing and turning off for all. */
static int joints_hold(const vlb_goal *goal, const vlb_task *task, const mjModel *m, const mjData *d) {
  int joints[32], n = vlb_goal_joints(m, goal->a, joints, 32), passed = 0;
  const vlb_scene_object *object = vlb_task_object(task, goal->a);
  const joint_rule *rule = object ? find_rule(object->category, is_knob(goal->kind)) : NULL;
  for (int i = 0; rule && i < n; i++) passed += joint_passes(rule, goal->kind, d->qpos[m->jnt_qposadr[joints[i]]]);
  return is_open(goal->kind) ? passed > 0 : n > 0 && passed == n;
}

int vlb_goal_holds(const vlb_goal *goal, const vlb_task *task, const mjModel *m, const mjData *d) {
  if (goal->kind == VLB_GOAL_LIFTED) return lifted(m, d, vlb_object_body(m, goal->a));
  if (goal->kind != VLB_GOAL_ON && goal->kind != VLB_GOAL_IN) return joints_hold(goal, task, m, d);
  int a = vlb_object_body(m, goal->a), b = vlb_object_body(m, goal->b);
  if (goal->kind == VLB_GOAL_IN) return in_site(m, d, a, vlb_site(m, goal->b));
  return b >= 0 ? on_object(m, d, a, b) : on_site(task, m, d, a, vlb_site(m, goal->b), goal->b);
}

int vlb_task_success(const vlb_task *task, const vlb_scene *scene, const mjData *data) {
  for (int i = 0; i < task->goal_count; i++)
    if (!vlb_goal_holds(&task->goals[i], task, scene->model, data)) return 0;
  return 1;
}
