#include "experiments/cli/commands.h"
#include "experiments/report/gallery.h"
#include "sim/rollout/suites.h"

typedef struct {
  vlb_suite *suite[VLB_MAX_SUITES];
  int count;
} collection;

static vlb_code add_named(const vlb_args *args, collection *c, vlb_error *err) {
  for (int i = 0; i < vlb_arg_count(args); i++) {
    VLB_TRY(vlb_suite_open(vlb_arg_at(args, i), &c->suite[c->count], err));
    c->count++;
  }
  return VLB_OK;
}

/* Every suite that can be opened here; the others are named, so that nobody misses them unseen. */
static void add_all(const vlb_context *ctx, collection *c) {
  const char *names[VLB_MAX_SUITES];
  for (int i = 0, n = vlb_suite_list(names); i < n; i++) {
    vlb_error why;
    if (vlb_suite_is_part(names[i])) continue;
    if (vlb_suite_open(names[i], &c->suite[c->count], &why)) vlb_info(ctx->log, "left out: %s", why.message);
    else c->count++;
  }
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  const char *out = vlb_arg_text(args, "out", "gallery.html");
  int64_t episodes = 5, size = 192, seed = 1000;
  collection c = {.count = 0};
  VLB_TRY(vlb_arg_int(args, "episodes", 1, 1000, &episodes, err));
  VLB_TRY(vlb_arg_int(args, "size", 16, 1024, &size, err));
  VLB_TRY(vlb_arg_int(args, "seed", 0, (int64_t)9e15, &seed, err));
  vlb_gallery_settings s = {.episodes = (int)episodes, .size = (int)size, .seed = (uint64_t)seed};
  vlb_code code = VLB_OK;
  if (vlb_arg_count(args)) code = add_named(args, &c, err);
  else add_all(ctx, &c);
  if (!code) code = vlb_gallery_write(out, c.suite, c.count, &s, ctx, err);
  for (int i = 0; i < c.count; i++) vlb_suite_free(c.suite[i]);
  if (!code) printf("%s\n", out);
  return code;
}

static const vlb_option options[] = {{'o', "out", "FILE", "where the page goes (default gallery.html)"},
                                     {0, "episodes", "N", "the expert's episodes per task (default 5)"},
                                     {0, "size", "N", "pixels: side of one picture (default 192)"},
                                     {0, "seed", "N", "seed of the initial states (default 1000, the demonstrations')"},
                                     {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_gallery = {
    "gallery", "a page with every task: start, goal, how often the expert succeeds", "[SUITE ...]",
    "  vlabench gallery                               every suite that is there, into gallery.html\n"
    "  vlabench gallery goal long -o look.html -j2    two of them\n"
    "  vlabench gallery metaworld_style --episodes 20\n",
    options, 0, VLB_MAX_SUITES, run, NULL};
