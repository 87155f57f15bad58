/* vlabench replay: play stored episodes again and compare. */
#include <jansson.h>

#include "experiments/cli/commands.h"
#include "sim/rollout/replay.h"

typedef struct {
  bool json, pictures, own;
  json_t *rows;
  int count;
} report;

static json_t *frame(int k) { return k < 0 ? json_null() : json_integer(k); }

static void add_json(report *r, const vlb_replay_row *row, const vlb_task_info *info) {
  json_t *o = json_pack("{s:i, s:i, s:b, s:o}", "demo", row->demo, "frames", row->frames, "same", vlb_replay_same(row, info), "first_state",
                        frame(row->state));
  if (info->writer == VLB_WRITER_VLABENCH) {
    if (r->pictures) json_object_set_new(o, "first_picture", frame(row->picture));
    json_object_set_new(o, "largest", json_real(row->largest));
    json_object_set_new(o, "success", json_boolean(row->success));
  } else {
    json_object_set_new(o, "position_m", json_real(row->position));
    json_object_set_new(o, "orientation_rad", json_real(row->orientation));
    json_object_set_new(o, "joints", json_real(row->joints));
  }
  if (*row->trouble) json_object_set_new(o, "trouble", json_string(row->trouble));
  json_array_append_new(r->rows, o);
}

/* "ok" or where it differs first. */
static const char *verdict(const vlb_replay_row *row, const vlb_task_info *info, char *buf, size_t size) {
  if (*row->trouble)
    snprintf(buf, size, "OUT: %s", row->trouble);
  else if (row->state >= 0)
    snprintf(buf, size, "OUT: state of frame %d", row->state);
  else if (row->picture >= 0)
    snprintf(buf, size, "OUT: picture of frame %d", row->picture);
  else
    snprintf(buf, size, "%s", vlb_replay_same(row, info) ? "ok" : "OUT: the goal is not reached");
  return buf;
}

static void add_row(void *self, const vlb_replay_row *row, const vlb_task_info *info) {
  report *r = self;
  char buf[320];
  bool own = info->writer == VLB_WRITER_VLABENCH;
  if (r->json) {
    add_json(r, row, info);
  } else {
    if (!r->count) puts(own ? "demo  frames  largest difference" : "demo  frames  position m  orientation rad  joints");
    if (own)
      printf("%4d  %6d  %18g  %s\n", row->demo, row->frames, row->largest, verdict(row, info, buf, sizeof buf));
    else
      printf("%4d  %6d  %10.6f  %15.6f  %6.4f  %s\n", row->demo, row->frames, row->position, row->orientation, row->joints,
             verdict(row, info, buf, sizeof buf));
  }
  r->count++;
  r->own = own;
}

/* What the file is and how it is read; the sizes are those of the first episode. */
static json_t *describe(const vlb_task_info *info, const vlb_episode *first, int episodes) {
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:i, s:i}", "writer", vlb_episode_writer_name(info->writer), "robot",
                   info->embodiment->name, "instruction", info->instruction, "task", info->bddl_file_name, "pictures",
                   info->upright ? "upright" : "bottom-up", "pixels", first->image_size, "observed",
                   info->observed_before ? "before the action" : "after the action", "episodes", episodes, "frames", first->frames);
}

static void print_description(json_t *o, bool json) {
  const char *key;
  json_t *value;
  if (json) {
    json_dumpf(o, stdout, JSON_INDENT(2));
    putchar('\n');
    return;
  }
  json_object_foreach(o, key, value) {
    if (json_is_integer(value))
      printf("%-12s %lld\n", key, (long long)json_integer_value(value));
    else
      printf("%-12s %s\n", key, json_string_value(value));
  }
}

/* only: as the result; else as a line before the replay. */
static vlb_code print_header(const char *path, bool only, bool json, const vlb_context *ctx, vlb_error *err) {
  vlb_episode_file *file;
  vlb_episode first;
  VLB_TRY(vlb_episodes_open(path, &file, err));
  const vlb_task_info *info = vlb_episodes_info(file);
  vlb_code code = vlb_episodes_read(file, 0, false, &first, err);
  if (!code && only) {
    json_t *o = describe(info, &first, vlb_episodes_count(file));
    print_description(o, json);
    json_decref(o);
  } else if (!code) {
    vlb_info(ctx->log, "%s: %s file of the robot %s, pictures %s, observed %s, %d episodes", path, vlb_episode_writer_name(info->writer),
             info->embodiment->name, info->upright ? "upright" : "bottom-up", info->observed_before ? "before the action" : "after the action",
             vlb_episodes_count(file));
  }
  if (!code) vlb_episode_free(&first);
  vlb_episodes_close(file);
  return code;
}

static vlb_code replay(const vlb_args *args, const char *path, const vlb_replay_settings *s, const vlb_context *ctx, vlb_error *err) {
  report r = {.json = vlb_arg_on(args, "json"), .pictures = s->pictures, .rows = json_array()};
  int differing = 0;
  vlb_code code = vlb_replay(path, s, add_row, &r, &differing, ctx, err);
  if (r.json && !code) {
    json_t *out = json_pack("{s:s, s:i, s:i, s:O}", "file", path, "episodes", r.count, "differing", differing, "rows", r.rows);
    json_dumpf(out, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(out);
  }
  json_decref(r.rows);
  if (code || !differing) return code;
  if (!r.own)
    return vlb_fail(err, VLB_FELL_SHORT, "%d of %d episodes: an observation is further than %g m or rad from the file's own model in the recorded state",
                    differing, r.count, s->tolerance);
  return vlb_fail(err, VLB_FELL_SHORT, "%d of %d episodes differ; states are only the same bits on the MuJoCo%s they were recorded with", differing, r.count,
                  s->pictures ? " and the renderer" : "");
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  const char *path = vlb_arg_at(args, 0);
  int64_t demo = -1;
  vlb_replay_settings s = {.suite = vlb_arg_text(args, "suite", NULL), .pictures = vlb_arg_on(args, "pictures"), .tolerance = 0.01,
                           .robosuite_assets = vlb_arg_text(args, "robosuite-assets", NULL),
                           .libero_assets = vlb_arg_text(args, "libero-assets", NULL)};
  VLB_TRY(vlb_arg_int(args, "demo", 0, 1000000, &demo, err));
  VLB_TRY(vlb_arg_real(args, "tolerance", 0, 10, &s.tolerance, err));
  s.demo = (int)demo;
  bool only = vlb_arg_on(args, "dry-run");
  VLB_TRY(print_header(path, only, vlb_arg_on(args, "json"), ctx, err));
  return only ? VLB_OK : replay(args, path, &s, ctx, err);
}

static const vlb_option options[] = {{0, "demo", "I", "only this episode (default all)"},
                                     {0, "pictures", NULL, "compare pictures too"},
                                     {0, "suite", "NAME", "suite or folder of task files, where the file's own is no longer there"},
                                     {0, "robosuite-assets", "DIR", "robosuite 1.4's models/assets (or VLABENCH_ROBOSUITE_ASSETS)"},
                                     {0, "libero-assets", "DIR", "LIBERO's assets (or VLABENCH_LIBERO_ASSETS, ~/.libero/config.yaml)"},
                                     {0, "tolerance", "X", "of files of LIBERO and robomimic, m and rad (default 0.01)"},
                                     VLB_OPTION_JSON,
                                     {'n', "dry-run", NULL, "say what the file is and how it is read, play nothing"},
                                     {0, NULL, NULL, NULL}};

static void more_help(FILE *out) {
  fputs("\nFiles of vlabench are played again from their seed and must give the same bits. Files of LIBERO and robomimic bring their model:\n"
        "it is put into each recorded state and compared with what the robot observed. Exit 3 when something differs.\n", out);
}

const vlb_command vlb_cmd_replay = {
    "replay", "play stored episodes again and compare", "FILE",
    "  vlabench replay demos/open_the_drawer_demo.hdf5 --pictures     states and pictures, bit by bit\n"
    "  vlabench replay demos/open_the_drawer_demo.hdf5 --demo 3       one episode\n"
    "  vlabench replay lift.hdf5 -n                                   whose file it is, and its conventions\n"
    "  vlabench replay LIBERO_demo.hdf5 --robosuite-assets robosuite/models/assets --libero-assets libero/assets\n",
    options, 1, 1, run, more_help};
