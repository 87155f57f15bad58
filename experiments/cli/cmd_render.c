#include <stdlib.h>
#include <string.h>

#include "core/base/fields.h"
#include "experiments/cli/commands.h"
#include "sim/rollout/picture.h"
#include "sim/rollout/suites.h"

static vlb_code find_camera(const vlb_args *args, int *camera, vlb_error *err) {
  static const char *const names[] = {"agentview", "wrist", "both"};
  const char *name = vlb_arg_text(args, "camera", "both");
  for (int i = 0; i < 3; i++)
    if (!strcmp(name, names[i])) {
      *camera = i == 2 ? -1 : i;
      return VLB_OK;
    }
  const char *near = vlb_suggest(name, names, 3);
  return vlb_fail(err, VLB_USAGE, "--camera: '%s' is none of agentview, wrist, both%s%s", name, near ? "; did you mean " : "", near ? near : "");
}

static int ends_with(const char *s, const char *end) {
  size_t n = strlen(s), m = strlen(end);
  return n >= m && !strcmp(s + n - m, end);
}

static vlb_code draw(const vlb_args *args, const vlb_suite *suite, int task, const vlb_picture_settings *s, const char *out,
                     const vlb_context *ctx, vlb_error *err) {
  int64_t rows = 10;
  int camera = -1, succeeded = 1, film = ends_with(out, ".mp4");
  VLB_TRY(vlb_arg_int(args, "rows", 1, 200, &rows, err));
  VLB_TRY(find_camera(args, &camera, err));
  if (!film && !ends_with(out, ".png"))
    return vlb_fail(err, VLB_USAGE, "-o %s: the name must end in .png (a picture) or .mp4 (a film)", out);
  if (task < 0 && (film || vlb_arg_on(args, "rows")))
    return vlb_fail(err, VLB_USAGE, "a film or a contact sheet shows one task: say which, as in %s/0", suite->name);
  if (task < 0) return vlb_picture_suite(suite, s, out, err);
  if (film)
    VLB_TRY(vlb_picture_film(suite, task, s, out, &succeeded, err));
  else if (vlb_arg_on(args, "rows"))
    VLB_TRY(vlb_picture_sheet(suite, task, (int)rows, s, out, &succeeded, err));
  else
    VLB_TRY(vlb_picture_start(suite, task, camera, s, out, err));
  if (!succeeded) vlb_warn(ctx->log, "the expert did not reach the goal in this episode");
  return VLB_OK;
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  const char *what = vlb_arg_count(args) ? vlb_arg_at(args, 0) : "spatial", *out = vlb_arg_text(args, "out", "render.png");
  int64_t episode = 0, seed = 1000, size = 256;
  VLB_TRY(vlb_arg_int(args, "episode", 0, 1000000, &episode, err));
  VLB_TRY(vlb_arg_int(args, "seed", 0, (int64_t)9e15, &seed, err));
  VLB_TRY(vlb_arg_int(args, "size", 16, 2048, &size, err));
  vlb_picture_settings s = {.episode = (int)episode, .size = (int)size, .shadows = vlb_arg_on(args, "shadows"), .seed = (uint64_t)seed};
  vlb_suite *suite;
  int task;
  VLB_TRY(vlb_suite_open_task(what, &suite, &task, err));
  vlb_code code = draw(args, suite, task, &s, out, ctx, err);
  vlb_suite_free(suite);
  if (!code) printf("%s\n", out);
  return code;
}

static const vlb_option options[] = {{'o', "out", "PATH", "where it goes: .png a picture, .mp4 a film (default render.png)"},
                                     {0, "rows", "N", "contact sheet of the expert's episode: N moments, both cameras"},
                                     {0, "camera", "NAME", "of a start: agentview, wrist or both (default)"},
                                     {0, "episode", "N", "which episode (default 0)"},
                                     {0, "seed", "N", "seed of the initial states (default 1000, the demonstrations')"},
                                     {0, "size", "N", "pixels: side of one square picture (default 256)"},
                                     {0, "shadows", NULL, "render shadows"},
                                     {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_render = {
    "render", "picture, contact sheet or film of a task", "[SUITE[/TASK]]",
    "  vlabench render -o tasks.png                     the starts of all tasks, both cameras\n"
    "  vlabench render spatial/4 --episode 7            start of one episode of task 4\n"
    "  vlabench render spatial/4 --rows 10 -o sheet.png the expert at work, time downwards\n"
    "  vlabench render spatial/4 -o expert.mp4          the same as a film (needs ffmpeg)\n",
    options, 0, 1, run, NULL};
