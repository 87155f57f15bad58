#include "sim/task/layout.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/base/fields.h"
#include "sim/task/predicates.h"
#include "sim/task/world.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* --- checks with a place and a hint --- */

static vlb_code not_one_of(const vlb_toml *at, const char *what, const char *word, const char *const *words, int n, vlb_error *err) {
  const char *near = vlb_suggest(word, words, n);
  if (near) return vlb_toml_fail(at, err, "unknown %s \"%s\"; did you mean \"%s\"?", what, word, near);
  return vlb_toml_fail(at, err, "unknown %s \"%s\"", what, word);
}

static vlb_code check_kind(const vlb_toml *node, const char *key, vlb_toml_kind kind, vlb_error *err) {
  vlb_toml_kind is = vlb_toml_kind_of(node);
  if (is == kind || (kind == VLB_TOML_REAL && is == VLB_TOML_INT)) return VLB_OK;
  return vlb_toml_fail(node, err, "%s must be %s, not %s", key, kind == VLB_TOML_REAL ? "a number" : vlb_toml_kind_name(kind),
                       vlb_toml_kind_name(is));
}

static vlb_code check_keys(const vlb_toml *table, const char *const *keys, int n, vlb_error *err) {
  for (int i = 0; i < vlb_toml_size(table); i++) {
    int known = 0;
    for (int k = 0; k < n; k++) known |= !strcmp(vlb_toml_key(table, i), keys[k]);
    if (!known) return not_one_of(vlb_toml_at(table, i), "key", vlb_toml_key(table, i), keys, n, err);
  }
  return VLB_OK;
}

/* --- values --- */

static vlb_code read_text(const vlb_toml *table, const char *key, char *out, size_t size, vlb_error *err) {
  const vlb_toml *node = vlb_toml_get(table, key);
  if (!node) return vlb_toml_fail(table, err, "%s is missing", key);
  VLB_TRY(check_kind(node, key, VLB_TOML_TEXT, err));
  if ((size_t)snprintf(out, size, "%s", vlb_toml_text(node)) >= size)
    return vlb_toml_fail(node, err, "%s is longer than %zu characters", key, size - 1);
  return VLB_OK;
}

/* Metres and radians of a table top: what is not finite or absurdly far keeps the simulator busy for ever. */
static vlb_code read_number(const vlb_toml *node, const char *key, double *out, vlb_error *err) {
  static const double most = 100;
  VLB_TRY(check_kind(node, key, VLB_TOML_REAL, err));
  *out = vlb_toml_real(node);
  return fabs(*out) <= most ? VLB_OK : vlb_toml_fail(node, err, "%s: %g is out of range %g to %g", key, *out, -most, most);
}

static vlb_code read_real(const vlb_toml *table, const char *key, double *out, vlb_error *err) {
  const vlb_toml *node = vlb_toml_get(table, key);
  return node ? read_number(node, key, out, err) : vlb_toml_fail(table, err, "%s is missing", key);
}

static vlb_code read_count(const vlb_toml *table, const char *key, int64_t lo, int64_t hi, int *out, vlb_error *err) {
  const vlb_toml *node = vlb_toml_get(table, key);
  if (!node) return vlb_toml_fail(table, err, "%s is missing", key);
  VLB_TRY(check_kind(node, key, VLB_TOML_INT, err));
  int64_t x = vlb_toml_int(node);
  if (x < lo || x > hi) return vlb_toml_fail(node, err, "%s: %lld is out of range %lld to %lld", key, (long long)x, (long long)lo, (long long)hi);
  *out = (int)x;
  return VLB_OK;
}

/* [lo, hi]; absent: out stays as it is. */
static vlb_code read_range(const vlb_toml *table, const char *key, double out[2], vlb_error *err) {
  const vlb_toml *node = vlb_toml_get(table, key);
  if (!node) return VLB_OK;
  VLB_TRY(check_kind(node, key, VLB_TOML_ARRAY, err));
  if (vlb_toml_size(node) != 2) return vlb_toml_fail(node, err, "%s must be [low, high]", key);
  for (int i = 0; i < 2; i++) VLB_TRY(read_number(vlb_toml_at(node, i), key, &out[i], err));
  return out[0] <= out[1] ? VLB_OK : vlb_toml_fail(node, err, "%s: low is above high", key);
}

/* --- objects and regions --- */

static int object_index(const vlb_layout *l, const char *name) {
  for (int i = 0; i < l->object_count; i++)
    if (!strcmp(l->objects[i].name, name)) return i;
  return -1;
}

static int region_index(const vlb_layout *l, const char *name) {
  for (int i = 0; i < l->region_count; i++)
    if (!strcmp(l->regions[i].name, name)) return i;
  return -1;
}

static vlb_code unknown_object(const vlb_layout *l, const vlb_toml *at, const char *name, vlb_error *err) {
  const char *names[VLB_MAX_OBJECTS];
  for (int i = 0; i < l->object_count; i++) names[i] = l->objects[i].name;
  return not_one_of(at, "object", name, names, l->object_count, err);
}

/* at = [[x, y], ...], optional. */
static vlb_code read_starts(const vlb_toml *toml, vlb_placement *p, vlb_error *err) {
  const vlb_toml *list = vlb_toml_get(toml, "at");
  if (!list) return VLB_OK;
  VLB_TRY(check_kind(list, "at", VLB_TOML_ARRAY, err));
  p->at_count = vlb_toml_size(list);
  if (p->at_count < 1 || p->at_count > VLB_MAX_STARTS) return vlb_toml_fail(list, err, "at: 1 to %d points [x, y], not %d", VLB_MAX_STARTS, p->at_count);
  for (int i = 0; i < p->at_count; i++) {
    const vlb_toml *point = vlb_toml_at(list, i);
    VLB_TRY(check_kind(point, "at", VLB_TOML_ARRAY, err));
    if (vlb_toml_size(point) != 2) return vlb_toml_fail(point, err, "at: a point must be [x, y]");
    for (int k = 0; k < 2; k++) VLB_TRY(read_number(vlb_toml_at(point, k), "at", &p->at[i][k], err));
  }
  return VLB_OK;
}

static vlb_code read_region(vlb_layout *l, const char *name, const vlb_toml *toml, vlb_error *err) {
  static const char *const keys[] = {"x", "y", "yaw", "on", "at"};
  VLB_TRY(check_kind(toml, name, VLB_TOML_TABLE, err));
  VLB_TRY(check_keys(toml, keys, COUNT(keys), err));
  int i = region_index(l, name);
  if (i < 0) i = l->region_count;
  if (i == VLB_MAX_REGIONS) return vlb_toml_fail(toml, err, "more than %d regions", VLB_MAX_REGIONS);
  if ((size_t)snprintf(l->regions[i].name, sizeof l->regions[i].name, "%s", name) >= sizeof l->regions[i].name)
    return vlb_toml_fail(toml, err, "region name \"%s\" is too long", name);
  vlb_placement *p = &l->regions[i].where;
  *p = (vlb_placement){0};
  if (vlb_toml_get(toml, "on")) {
    VLB_TRY(read_text(toml, "on", p->on, sizeof p->on, err));
  } else if (!vlb_toml_get(toml, "x") || !vlb_toml_get(toml, "y")) {
    return vlb_toml_fail(toml, err, "region \"%s\" needs x and y, or \"on\" with the thing it is on", name);
  }
  VLB_TRY(read_range(toml, "x", p->x, err));
  VLB_TRY(read_range(toml, "y", p->y, err));
  VLB_TRY(read_range(toml, "yaw", p->yaw, err));
  VLB_TRY(read_starts(toml, p, err));
  if (i == l->region_count) l->region_count++;
  return VLB_OK;
}

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

/* Goals and the simulator name it. */
static vlb_code check_name(const char *name, const char *what, size_t size, const vlb_toml *toml, vlb_error *err) {
  if (strlen(name) >= size) return vlb_toml_fail(toml, err, "%s name \"%s\" is too long", what, name);
  if (!name[0] || strspn(name, plain) != strlen(name))
    return vlb_toml_fail(toml, err, "%s name \"%s\": use a-z, A-Z, 0-9 and _: goals and the simulator name it", what, name);
  return VLB_OK;
}

static vlb_code add_object(vlb_layout *l, const char *name, const vlb_toml *toml, vlb_error *err) {
  VLB_TRY(check_kind(toml, name, VLB_TOML_TABLE, err));
  if (object_index(l, name) >= 0) return vlb_toml_fail(toml, err, "object \"%s\" is declared twice", name);
  if (l->object_count == VLB_MAX_OBJECTS) return vlb_toml_fail(toml, err, "more than %d objects", VLB_MAX_OBJECTS);
  vlb_scene_object *o = &l->objects[l->object_count];
  *o = (vlb_scene_object){0};
  VLB_TRY(check_name(name, "object", sizeof o->name, toml, err));
  strcpy(o->name, name);
  l->object_count++;
  return read_text(toml, "category", o->category, sizeof o->category, err);
}

static vlb_code read_object(vlb_layout *l, const char *name, const vlb_toml *toml, vlb_error *err) {
  static const char *const keys[] = {"category", "region"};
  VLB_TRY(add_object(l, name, toml, err));
  int i = l->object_count - 1;
  l->objects[i].movable = 1;
  VLB_TRY(check_keys(toml, keys, COUNT(keys), err));
  l->region_of[i][0] = 0;
  return vlb_toml_get(toml, "region") ? read_text(toml, "region", l->region_of[i], sizeof l->region_of[i], err) : VLB_OK;
}

static vlb_code read_fixture(vlb_layout *l, const char *name, const vlb_toml *toml, vlb_error *err) {
  static const char *const keys[] = {"category", "x", "y", "z", "yaw"};
  VLB_TRY(add_object(l, name, toml, err));
  VLB_TRY(check_keys(toml, keys, COUNT(keys), err));
  vlb_scene_object *o = &l->objects[l->object_count - 1];
  for (int i = 0; i < 3; i++) VLB_TRY(read_real(toml, keys[1 + i], &o->pos[i], err));
  return vlb_toml_get(toml, "yaw") ? read_real(toml, "yaw", &o->yaw, err) : VLB_OK;
}

static vlb_code read_zone(vlb_layout *l, const char *name, const vlb_toml *toml, vlb_error *err) {
  static const char *const keys[] = {"x", "y"};
  VLB_TRY(check_kind(toml, name, VLB_TOML_TABLE, err));
  VLB_TRY(check_keys(toml, keys, COUNT(keys), err));
  if (l->zone_count == VLB_MAX_ZONES) return vlb_toml_fail(toml, err, "more than %d zones", VLB_MAX_ZONES);
  vlb_scene_zone *z = &l->zones[l->zone_count];
  VLB_TRY(check_name(name, "zone", sizeof z->name, toml, err));
  strcpy(z->name, name);
  if (!vlb_toml_get(toml, "x") || !vlb_toml_get(toml, "y")) return vlb_toml_fail(toml, err, "zone \"%s\" needs x and y", name);
  VLB_TRY(read_range(toml, "x", z->x, err));
  VLB_TRY(read_range(toml, "y", z->y, err));
  if (z->x[0] == z->x[1] || z->y[0] == z->y[1]) return vlb_toml_fail(toml, err, "zone \"%s\" is empty", name);
  l->zone_count++;
  return VLB_OK;
}

typedef vlb_code (*read_entry)(vlb_layout *l, const char *name, const vlb_toml *toml, vlb_error *err);

static vlb_code read_table(const vlb_toml *toml, const char *key, read_entry entry, vlb_layout *l, vlb_error *err) {
  const vlb_toml *table = vlb_toml_get(toml, key);
  if (!table) return VLB_OK;
  VLB_TRY(check_kind(table, key, VLB_TOML_TABLE, err));
  for (int i = 0; i < vlb_toml_size(table); i++) VLB_TRY(entry(l, vlb_toml_key(table, i), vlb_toml_at(table, i), err));
  return VLB_OK;
}

static vlb_code read_place(vlb_layout *l, const char *name, const vlb_toml *toml, vlb_error *err) {
  int i = object_index(l, name);
  if (i < 0 || !l->objects[i].movable) return unknown_object(l, toml, name, err);
  VLB_TRY(check_kind(toml, name, VLB_TOML_TEXT, err));
  const char *names[VLB_MAX_REGIONS], *region = vlb_toml_text(toml);
  for (int k = 0; k < l->region_count; k++) names[k] = l->regions[k].name;
  if (region_index(l, region) < 0) return not_one_of(toml, "region", region, names, l->region_count, err);
  snprintf(l->region_of[i], sizeof l->region_of[i], "%s", region);
  return VLB_OK;
}

static vlb_code read_things(const vlb_toml *toml, vlb_layout *l, vlb_error *err) {
  VLB_TRY(read_table(toml, "regions", read_region, l, err));
  VLB_TRY(read_table(toml, "zones", read_zone, l, err));
  VLB_TRY(read_table(toml, "objects", read_object, l, err));
  return read_table(toml, "fixtures", read_fixture, l, err);
}

/* --- goals and starts --- */

static const char *const goal_words[] = {"on", "in", "open", "close", "turn_on", "turn_off", "lifted"};

/* "on bowl_1 plate_1", "open cabinet_1_top_region", "lifted bowl_1" */
static vlb_code read_atom(const vlb_toml *node, const char *key, int starts, const vlb_task *task, const vlb_layout *l, vlb_goal *goal,
                          vlb_error *err) {
  char word[16], rest[8];
  VLB_TRY(check_kind(node, key, VLB_TOML_TEXT, err));
  int n = sscanf(vlb_toml_text(node), "%15s %95s %95s %7s", word, goal->a, goal->b, rest), kind = 0;
  if (n < 2) return vlb_toml_fail(node, err, "%s: \"%s\" is not a predicate and its arguments", key, vlb_toml_text(node));
  while (kind < COUNT(goal_words) && strcmp(word, goal_words[kind])) kind++;
  if (kind == COUNT(goal_words)) return not_one_of(node, "predicate", word, goal_words, COUNT(goal_words), err);
  goal->kind = (vlb_goal_kind)kind;
  int wants = goal->kind <= VLB_GOAL_IN ? 3 : 2;
  if (n != wants) return vlb_toml_fail(node, err, "%s: \"%s\" takes %d argument%s", key, word, wants - 1, wants == 2 ? "" : "s");
  if (wants == 3 && !strcmp(goal->a, goal->b)) return vlb_toml_fail(node, err, "%s: \"%s\" cannot be %s itself", key, goal->a, word);
  int has_joints = wants == 2 && goal->kind != VLB_GOAL_LIFTED;
  if (starts && !has_joints) return vlb_toml_fail(node, err, "%s: \"%s\" is not a starting state; use [place]", key, word);
  const char *name = has_joints && vlb_task_object(task, goal->a) ? NULL : goal->a;
  if (name && object_index(l, name) < 0) return unknown_object(l, node, name, err);
  double range[2];
  if (has_joints && !vlb_start_range(vlb_task_object(task, goal->a)->category, goal->kind, range))
    return vlb_toml_fail(node, err, "%s: %s has nothing to %s", key, goal->a, word);
  return VLB_OK;
}

static vlb_code read_atoms(const vlb_toml *toml, const char *key, int starts, const vlb_task *task, const vlb_layout *l, vlb_goal *out,
                           int *count, vlb_error *err) {
  const vlb_toml *list = vlb_toml_get(toml, key);
  if (!list) return VLB_OK;
  VLB_TRY(check_kind(list, key, VLB_TOML_ARRAY, err));
  if (vlb_toml_size(list) > VLB_MAX_GOALS) return vlb_toml_fail(list, err, "%s: more than %d predicates", key, VLB_MAX_GOALS);
  *count = vlb_toml_size(list);
  for (int i = 0; i < *count; i++) VLB_TRY(read_atom(vlb_toml_at(list, i), key, starts, task, l, &out[i], err));
  return VLB_OK;
}

/* [["lifted cube_1", 0.5], ...]: parts of one point. */
static vlb_code read_scores(const vlb_toml *toml, const vlb_layout *l, vlb_task *task, vlb_error *err) {
  const vlb_toml *list = vlb_toml_get(toml, "score");
  double sum = 0;
  if (!list) return VLB_OK;
  VLB_TRY(check_kind(list, "score", VLB_TOML_ARRAY, err));
  task->score_count = vlb_toml_size(list);
  if (task->score_count > VLB_MAX_SCORES) return vlb_toml_fail(list, err, "score: more than %d parts", VLB_MAX_SCORES);
  for (int i = 0; i < task->score_count; i++) {
    const vlb_toml *part = vlb_toml_at(list, i);
    VLB_TRY(check_kind(part, "score", VLB_TOML_ARRAY, err));
    if (vlb_toml_size(part) != 2) return vlb_toml_fail(part, err, "score: a part must be [\"predicate\", points]");
    VLB_TRY(read_atom(vlb_toml_at(part, 0), "score", 0, task, l, &task->scores[i].goal, err));
    VLB_TRY(read_number(vlb_toml_at(part, 1), "score", &task->scores[i].points, err));
    if (task->scores[i].points <= 0) return vlb_toml_fail(part, err, "score: points must be above 0");
    sum += task->scores[i].points;
  }
  return fabs(sum - 1) < 1e-9 ? VLB_OK : vlb_toml_fail(list, err, "score: the points add up to %g, not 1", sum);
}

/* --- whole files --- */

/* Which family runs the tasks of a suite made of data. */
static const struct {
  const vlb_embodiment *embodiment;
  const vlb_family *family;
} robots[] = {{&vlb_panda, &vlb_tabletop_family}, {&vlb_so100, &vlb_so_family}, {&vlb_so101, &vlb_so_family}};

/* robot: the Panda when absent. */
static vlb_code read_robot(const vlb_toml *toml, vlb_suite *suite, vlb_error *err) {
  char name[32] = "panda";
  const char *names[COUNT(robots)];
  if (vlb_toml_get(toml, "robot")) VLB_TRY(read_text(toml, "robot", name, sizeof name, err));
  for (int i = 0; i < COUNT(robots); i++) {
    names[i] = robots[i].embodiment->name;
    if (strcmp(name, names[i])) continue;
    suite->embodiment = robots[i].embodiment;
    suite->family = robots[i].family;
    return VLB_OK;
  }
  return not_one_of(vlb_toml_get(toml, "robot"), "robot", name, names, COUNT(robots), err);
}

/* arena: stays as it is when absent. */
static vlb_code read_arena(const vlb_toml *toml, char *arena, size_t size, vlb_error *err) {
  const vlb_toml *node = vlb_toml_get(toml, "arena");
  const char *near;
  if (!node) return VLB_OK;
  VLB_TRY(read_text(toml, "arena", arena, size, err));
  return vlb_arena_known(arena, &near) ? VLB_OK : not_one_of(node, "arena", arena, &near, near != NULL, err);
}

vlb_code vlb_layout_read_suite(const vlb_toml *toml, vlb_layout *layout, vlb_suite *suite, vlb_error *err) {
  static const char *const keys[] = {"robot", "arena", "max_steps", "settle_steps", "regions", "zones", "objects", "fixtures"};
  VLB_TRY(check_keys(toml, keys, COUNT(keys), err));
  VLB_TRY(read_robot(toml, suite, err));
  VLB_TRY(read_arena(toml, layout->arena, sizeof layout->arena, err));
  VLB_TRY(read_count(toml, "max_steps", 1, 100000, &suite->max_steps, err));
  VLB_TRY(read_count(toml, "settle_steps", 0, 1000, &suite->settle_steps, err));
  return read_things(toml, layout, err);
}

/* Every movable gets its region's placement; what it stands on must be there before it. */
static vlb_code resolve(const vlb_toml *toml, const vlb_layout *l, vlb_task *task, vlb_error *err) {
  for (int i = 0; i < task->object_count; i++) {
    const vlb_scene_object *o = &task->objects[i];
    if (!o->movable) continue;
    int r = region_index(l, l->region_of[i]);
    if (r < 0) return vlb_toml_fail(toml, err, "object \"%s\" is nowhere; give it a region in [place]", o->name);
    task->placements[i] = l->regions[r].where;
    if (!task->placements[i].on[0]) continue;
    const vlb_scene_object *under = vlb_task_object(task, task->placements[i].on);
    if (!under) return unknown_object(l, toml, task->placements[i].on, err);
    if (under->movable && under >= o)
      return vlb_toml_fail(toml, err, "\"%s\" stands on \"%s\", which must be declared before it", o->name, under->name);
  }
  return VLB_OK;
}

/* LIBERO's way: the instruction with underscores. It becomes a file name, hidden ones excluded, and a field of tables. */
static vlb_code name_task(const vlb_toml *toml, vlb_task *task, vlb_error *err) {
  bool fits = strlen(task->instruction) < sizeof task->name && task->instruction[0] && !strpbrk(task->instruction, "/,\"") &&
              task->instruction[0] != '.';
  for (const char *c = task->instruction; *c; c++) fits = fits && (unsigned char)*c >= 32 && *c != 127;
  if (!fits)
    return vlb_toml_fail(toml, err, "instruction must be one line of 1 to %zu characters, no / , \" and no dot in front: it names the task's files",
                         sizeof task->name - 1);
  strcpy(task->name, task->instruction);
  for (char *c = task->name; *c; c++)
    if (*c == ' ') *c = '_';
  return VLB_OK;
}

vlb_code vlb_layout_read_task(const vlb_toml *toml, vlb_layout *layout, vlb_task *task, vlb_error *err) {
  static const char *const keys[] = {"instruction", "arena", "goal", "score", "start", "place", "regions", "zones", "objects", "fixtures"};
  VLB_TRY(check_keys(toml, keys, COUNT(keys), err));
  VLB_TRY(read_text(toml, "instruction", task->instruction, sizeof task->instruction, err));
  VLB_TRY(name_task(toml, task, err));
  VLB_TRY(read_arena(toml, layout->arena, sizeof layout->arena, err));
  memcpy(task->arena, layout->arena, sizeof task->arena);
  VLB_TRY(read_things(toml, layout, err));
  VLB_TRY(read_table(toml, "place", read_place, layout, err));
  task->object_count = layout->object_count;
  memcpy(task->objects, layout->objects, sizeof task->objects);
  task->zone_count = layout->zone_count;
  memcpy(task->zones, layout->zones, sizeof task->zones);
  VLB_TRY(resolve(toml, layout, task, err));
  if (!vlb_toml_get(toml, "goal")) return vlb_toml_fail(toml, err, "goal is missing");
  VLB_TRY(read_atoms(toml, "goal", 0, task, layout, task->goals, &task->goal_count, err));
  if (!task->goal_count) return vlb_toml_fail(vlb_toml_get(toml, "goal"), err, "goal is empty");
  VLB_TRY(read_scores(toml, layout, task, err));
  return read_atoms(toml, "start", 1, task, layout, task->starts, &task->start_count, err);
}
