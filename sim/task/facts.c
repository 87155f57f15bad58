#include "sim/task/facts.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "core/data/captions.h"
#include "sim/task/expert_parts.h"
#include "sim/task/predicates.h"

/* ---- words ---- */

/* Categories whose file name is not what people call them. */
static const char *const spoken[][2] = {
    {"akita_black_bowl", "black bowl"}, {"glazed_rim_porcelain_ramekin", "ramekin"}, {"cookies", "cookie box"},
    {"flat_stove", "stove"},            {"chefmate_8_frypan", "pan"},                {"porcelain_mug", "white mug"},
    {"white_yellow_mug", "yellow and white mug"}, {"desk_caddy", "caddy"},           {"black_book", "book"},
    {"red_coffee_mug", "red mug"},
};
/* What may be asked for where it is not. */
static const char *const known[] = {"black bowl", "plate", "ramekin", "cookie box", "stove", "wooden cabinet", "wine bottle", "cream cheese",
                                    "basket", "milk", "ketchup", "butter", "white mug", "moka pot", "book", "microwave", "wine rack", "alphabet soup"};
enum { KNOWN = (int)(sizeof known / sizeof *known) };

void vlb_thing_words(const char *name, char *words, size_t size) {
  snprintf(words, size, "%s", name);
  size_t n = strlen(words);
  while (n && isdigit((unsigned char)words[n - 1])) n--;
  if (n && n < strlen(words) && words[n - 1] == '_') words[n - 1] = 0;
  for (size_t i = 0; i < sizeof spoken / sizeof *spoken; i++)
    if (!strcmp(words, spoken[i][0])) snprintf(words, size, "%s", spoken[i][1]);
  for (char *c = words; *c; c++)
    if (*c == '_') *c = ' ';
}

/* ---- places ---- */

int vlb_point_in_view(const vlb_world *w, int camera, const double point[3], double *u, double *v) {
  int cam = w->scene->camera[camera];
  double rel[3], p[3], half = tan(w->model->cam_fovy[cam] * mjPI / 360);
  mju_sub3(rel, point, w->data->cam_xpos + 3 * cam);
  mju_mulMatTVec(p, w->data->cam_xmat + 9 * cam, rel, 3, 3);
  if (p[2] > -0.01) return 0;
  double right = 0.5 + 0.5 * p[0] / -p[2] / half, up = 0.5 + 0.5 * p[1] / -p[2] / half;
  vlb_view view = w->suite->embodiment->view;
  *u = view == VLB_VIEW_UPRIGHT ? right : 1 - right;
  *v = view == VLB_VIEW_MIRRORED ? up : 1 - up;
  return *u >= 0 && *u <= 1 && *v >= 0 && *v <= 1;
}

static void hand_of(const vlb_world *w, double hand[3]) { mju_copy3(hand, w->data->site_xpos + 3 * w->scene->eef_site); }

static void write_views(const vlb_world *w, const double point[3], FILE *out) {
  for (int c = 0; c < w->suite->embodiment->cameras; c++) {
    double u, v;
    if (vlb_point_in_view(w, c, point, &u, &v))
      fprintf(out, "{%.2f}{%.2f}", vlb_place_in_picture(u), vlb_place_in_picture(v));
    else
      fprintf(out, "{}{}");
  }
}

/* in every picture, and from the hand */
static void write_place(const vlb_world *w, const double point[3], FILE *out) {
  double hand[3];
  hand_of(w, hand);
  write_views(w, point, out);
  for (int i = 0; i < 3; i++) fprintf(out, "{%.2f}", vlb_place_of_offset(point[i] - hand[i]));
}

/* ---- the instruction: what is to be moved, and where to ---- */

/* The skill that the expert is at or would choose now; 0 when nothing is left to do. */
static int present_skill(const vlb_world *w, vlb_expert *e) {
  *e = *(const vlb_expert *)w->expert;
  if (e->phase != VLB_EXPERT_CHOOSE && e->phase != VLB_EXPERT_LEAVE) return 1;
  int goal = vlb_next_goal(e, w->scene, w->data);
  return goal >= 0 && vlb_choose_skill(e, w->scene, w->data, goal);
}

static void where_to(const vlb_expert *e, const vlb_world *w, const vlb_pose *grasp, double out[3]) {
  const vlb_skill *k = &e->skill;
  if (k->kind != VLB_SKILL_JOINT) {
    vlb_place_point(e, w->data, out);
    return;
  }
  double left = k->joint_goal - w->data->qpos[w->model->jnt_qposadr[k->joint]];
  mju_copy3(out, vlb_pose_along_joint(w->model, w->data, k->joint, grasp, left).pos);
}

static void write_instruction(const vlb_world *w, FILE *out) {
  vlb_expert e;
  double to[3];
  fprintf(out, "%s\t", w->task->instruction);
  if (!present_skill(w, &e)) {
    fprintf(out, "done\n");
    return;
  }
  vlb_pose grasp;
  if (e.skill.grasp >= 0) grasp = vlb_grasp_pose(&e, w->data);
  else mju_copy3(grasp.pos, w->data->xpos + 3 * e.skill.body);
  where_to(&e, w, &grasp, to);
  write_place(w, grasp.pos, out);
  write_place(w, to, out);
  fprintf(out, "\n");
}

/* ---- things ---- */

static int is_unique(const vlb_task *task, int object) {
  char a[96], b[96];
  vlb_thing_words(task->objects[object].name, a, sizeof a);
  for (int i = 0; i < task->object_count; i++) {
    vlb_thing_words(task->objects[i].name, b, sizeof b);
    if (i != object && !strcmp(a, b)) return 0;
  }
  return 1;
}

static int body_of(const vlb_world *w, int object) { return vlb_object_body(w->model, w->task->objects[object].name); }

static void write_hand(const vlb_world *w, FILE *out) {
  double hand[3];
  hand_of(w, hand);
  fprintf(out, "hand\t");
  write_views(w, hand, out);
  fprintf(out, "{%.2f}", vlb_place_in_picture(vlb_finger_width(w->scene, w->data) / 0.08));
  for (int i = 0; i < w->task->object_count; i++) {
    char words[96];
    int body = body_of(w, i);
    if (!w->task->objects[i].movable || body < 0 || !vlb_robot_touches(w->model, w->data, w->model->body_rootid[body])) continue;
    vlb_thing_words(w->task->objects[i].name, words, sizeof words);
    fprintf(out, " at the %s\n", words);
    return;
  }
  fprintf(out, " at nothing\n");
}

static void write_things(const vlb_world *w, FILE *out) {
  for (int i = 0; i < w->task->object_count; i++) {
    char words[96];
    int body = body_of(w, i);
    if (body < 0 || !is_unique(w->task, i)) continue;
    vlb_thing_words(w->task->objects[i].name, words, sizeof words);
    fprintf(out, "where is the %s\t", words);
    write_place(w, w->data->xpos + 3 * body, out);
    fprintf(out, "\n");
  }
}

/* parts that move on a joint of a thing: "wooden_cabinet_1_top_joint" */
static void write_parts(const vlb_world *w, FILE *out) {
  const mjModel *m = w->model;
  for (int j = 0; j < m->njnt; j++) {
    const char *name = mj_id2name(m, mjOBJ_JOINT, j);
    const vlb_scene_object *thing = name ? vlb_task_object(w->task, name) : NULL;
    if (!thing || m->jnt_type[j] == mjJNT_FREE || !m->jnt_limited[j]) continue;
    char words[96], part[96];
    vlb_thing_words(thing->name, words, sizeof words);
    snprintf(part, sizeof part, "%s", name + strlen(thing->name) + (name[strlen(thing->name)] == '_'));
    char *end = strstr(part, "_joint");
    if (end) *end = 0;
    double lo = m->jnt_range[2 * j], hi = m->jnt_range[2 * j + 1], q = w->data->qpos[m->jnt_qposadr[j]];
    fprintf(out, "%s of the %s\t{%.2f}\n", *part ? part : "state", words, vlb_place_in_picture((q - lo) / fmax(1e-9, hi - lo)));
  }
}

/* ---- relations ---- */

static void write_on(const vlb_world *w, FILE *out) {
  for (int b = 0; b < w->task->object_count; b++) {
    char words[96], other[96];
    int found = 0;
    if (!is_unique(w->task, b) || body_of(w, b) < 0) continue;
    vlb_thing_words(w->task->objects[b].name, words, sizeof words);
    fprintf(out, "what is on the %s\t", words);
    for (int a = 0; a < w->task->object_count && !found; a++) {
      if (a == b || !w->task->objects[a].movable || body_of(w, a) < 0) continue;
      vlb_goal on = {.kind = VLB_GOAL_ON};
      snprintf(on.a, sizeof on.a, "%s", w->task->objects[a].name);
      snprintf(on.b, sizeof on.b, "%s", w->task->objects[b].name);
      if (!vlb_goal_holds(&on, w->task, w->model, w->data)) continue;
      vlb_thing_words(on.a, other, sizeof other);
      fprintf(out, "the %s", other);
      found = 1;
    }
    fprintf(out, "%s\n", found ? "" : "nothing");
  }
}

static void write_beside(const vlb_world *w, vlb_rng *rng, FILE *out) {
  enum { PAIRS = 4 };
  uint32_t n = (uint32_t)w->task->object_count;
  for (int i = 0; i < PAIRS && n > 1; i++) {
    int a = (int)vlb_rng_below(rng, n), b = (int)vlb_rng_below(rng, n);
    double ua, va, ub, vb;
    char first[96], second[96];
    if (a == b || body_of(w, a) < 0 || body_of(w, b) < 0 || !is_unique(w->task, a) || !is_unique(w->task, b)) continue;
    if (!vlb_point_in_view(w, 0, w->data->xpos + 3 * body_of(w, a), &ua, &va)) continue;
    if (!vlb_point_in_view(w, 0, w->data->xpos + 3 * body_of(w, b), &ub, &vb)) continue;
    vlb_thing_words(w->task->objects[a].name, first, sizeof first);
    vlb_thing_words(w->task->objects[b].name, second, sizeof second);
    fprintf(out, "the %s from the %s\t%s %s\n", first, second, ua < ub ? "left" : "right", va < vb ? "up" : "down");
  }
}

static void write_absent(const vlb_world *w, vlb_rng *rng, FILE *out) {
  const char *words = known[vlb_rng_below(rng, KNOWN)];
  for (int i = 0; i < w->task->object_count; i++) {
    char present[96];
    vlb_thing_words(w->task->objects[i].name, present, sizeof present);
    if (!strcmp(words, present)) return;
  }
  fprintf(out, "where is the %s\tnowhere\n", words);
}

void vlb_facts_write(const vlb_world *w, vlb_rng *rng, FILE *out) {
  write_instruction(w, out);
  write_hand(w, out);
  write_things(w, out);
  write_parts(w, out);
  write_on(w, out);
  write_beside(w, rng, out);
  write_absent(w, rng, out);
}
