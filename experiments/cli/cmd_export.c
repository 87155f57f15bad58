/* vlabench export: a trained model, a checkpoint or a stand-alone VLM -> a checkpoint directory of LeRobot. */
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/model/fresh.h"
#include "core/model/lerobot_write.h"
#include "core/model/pretrained.h"
#include "experiments/cli/commands.h"
#include "experiments/plan/model_folder.h"

typedef struct {
  const char *from, *to;
  char cameras[VLB_LEROBOT_CAMERAS][VLB_LEROBOT_NAME];
  vlb_lerobot_output out;
  vlb_stats state, action;
} export;

/* --camera NAME as feature keys */
static vlb_code read_cameras(const vlb_args *args, export *x, vlb_error *err) {
  const char *name;
  for (int i = 0; (name = vlb_arg_each(args, "camera", i)); i++) {
    bool whole = !strncmp(name, "observation.", 12);
    if (i == VLB_LEROBOT_CAMERAS) return vlb_fail(err, VLB_USAGE, "more than %d cameras", VLB_LEROBOT_CAMERAS);
    VLB_TRY(vlb_path(x->cameras[i], sizeof x->cameras[i], err, "%s%s", whole ? "" : "observation.images.", name));
    x->out.cameras = x->cameras;
    x->out.camera_count = i + 1;
  }
  return VLB_OK;
}

static vlb_code read_dtype(const vlb_args *args, export *x, vlb_error *err) {
  const char *dtype = vlb_arg_text(args, "dtype", "float32");
  bool half = !strcmp(dtype, "bfloat16");
  x->out.dtype = half ? VLB_BF16 : VLB_F32;
  return half || !strcmp(dtype, "float32") ? VLB_OK : vlb_fail(err, VLB_USAGE, "--dtype %s: float32 or bfloat16", dtype);
}

static vlb_code check_cameras(const export *x, const vlb_model_config *c, vlb_error *err) {
  if (!x->out.cameras || x->out.camera_count == c->cameras) return VLB_OK;
  return vlb_fail(err, VLB_USAGE, "%d names of cameras for a model with %lld", x->out.camera_count, (long long)c->cameras);
}

/* ---- the three kinds ---- */

/* a folder of `vlabench train` */
static vlb_code export_trained(export *x, vlb_error *err) {
  char path[1024];
  vlb_model_config config;
  vlb_model *model = NULL;
  VLB_TRY(vlb_model_folder_config(x->from, &config, err));
  VLB_TRY(check_cameras(x, &config, err));
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/statistics.safetensors", x->from));
  VLB_TRY(vlb_stats_load(path, &x->state, &x->action, err));
  VLB_TRY(vlb_path(path, sizeof path, err, "%s/model.safetensors", x->from));
  VLB_TRY(vlb_model_create(&config, &model, err));
  vlb_code code = vlb_model_load(model, path, err);
  x->out.model = model;
  x->out.state = &x->state;
  x->out.action = &x->action;
  if (!code) code = vlb_lerobot_write(&x->out, x->to, err);
  vlb_model_free(model);
  return code;
}

/* a checkpoint directory, written anew; older layouts come out in the present one */
static vlb_code export_checkpoint(export *x, vlb_log *log, vlb_error *err) {
  vlb_checkpoint_folder f;
  vlb_model *model;
  VLB_TRY(vlb_checkpoint_folder_open(x->from, log, &f, err));
  vlb_model_config config = f.config.model;
  vlb_shards *shards = f.shards;
  f.shards = NULL;
  VLB_TRY(check_cameras(x, &config, err) ? (vlb_shards_close(shards), err->code) : VLB_OK);
  VLB_TRY(vlb_model_map(&config, shards, x->from, log, &model, err));
  x->out.model = model;
  x->out.base = x->from;
  vlb_code code = vlb_lerobot_write(&x->out, x->to, err);
  vlb_model_free(model);
  return code;
}

static vlb_code set_keys(const vlb_args *args, vlb_model_config *c, vlb_error *err) {
  const char *text;
  char key[VLB_TEXT_SIZE];
  for (int i = 0; (text = vlb_arg_each(args, "set", i)); i++) {
    const char *equals = strchr(text, '=');
    if (!equals) return vlb_fail(err, VLB_USAGE, "--set %s: not of the form KEY=VALUE", text);
    VLB_TRY(vlb_path(key, sizeof key, err, "%.*s", (int)(equals - text), text));
    VLB_TRY(vlb_fields_set(vlb_model_fields, c, key, equals + 1, err));
  }
  return VLB_OK;
}

/* a stand-alone VLM gets an expert of random weights */
static vlb_code export_fresh(const vlb_args *args, export *x, vlb_error *err) {
  vlb_model_config config;
  vlb_model *model;
  int64_t state = 6, action = 6, seed = 0;
  VLB_TRY(vlb_arg_int(args, "state", 1, VLB_STATS_MAX, &state, err));
  VLB_TRY(vlb_arg_int(args, "action", 1, VLB_STATS_MAX, &action, err));
  VLB_TRY(vlb_arg_int(args, "seed", 0, 9000000000000000, &seed, err));
  VLB_TRY(vlb_fresh_config(x->from, &config, err));
  config.action_dim = action;
  if (x->out.cameras) config.cameras = x->out.camera_count;
  VLB_TRY(set_keys(args, &config, err));
  VLB_TRY(check_cameras(x, &config, err));
  VLB_TRY(vlb_fresh_model(x->from, &config, (uint64_t)seed, &model, err));
  x->state = (vlb_stats){.norm = VLB_NORM_IDENTITY, .dim = (int)state};
  x->action = (vlb_stats){.norm = VLB_NORM_IDENTITY, .dim = (int)action};
  x->out.model = model;
  x->out.vlm_folder = x->from;
  x->out.state = &x->state;
  x->out.action = &x->action;
  vlb_code code = vlb_lerobot_write(&x->out, x->to, err);
  vlb_model_free(model);
  return code;
}

static bool holds(const char *folder, const char *name) {
  char path[1024];
  return !vlb_path(path, sizeof path, NULL, "%s/%s", folder, name) && vlb_file_exists(path);
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  export x = {.from = vlb_arg_at(args, 0), .to = vlb_arg_at(args, 1)};
  static const char *const for_fresh[] = {"state", "action", "seed", "set"};
  x.out.vlm_name = vlb_arg_text(args, "vlm-name", NULL);
  x.out.replace = vlb_arg_on(args, "replace");
  VLB_TRY(read_dtype(args, &x, err));
  VLB_TRY(read_cameras(args, &x, err));
  bool fresh = !holds(x.from, "model.toml") && vlb_is_stand_alone_vlm(x.from);
  for (size_t i = 0; i < sizeof for_fresh / sizeof *for_fresh; i++)
    if (!fresh && vlb_arg_on(args, for_fresh[i])) return vlb_fail(err, VLB_USAGE, "--%s is for a fresh policy on a stand-alone VLM; %s is something else", for_fresh[i], x.from);
  if (holds(x.from, "model.toml")) return export_trained(&x, err);
  if (fresh) return export_fresh(args, &x, err);
  return export_checkpoint(&x, ctx->log, err);
}

static const vlb_option options[] = {{0, "dtype", "TYPE", "float32 (default) or bfloat16, as LeRobot's own files: all but the projections"},
                                     {0, "camera", "NAME", "name of a picture, once per camera in order (default: as they are, else camera1, camera2, ...)"},
                                     {0, "vlm-name", "TEXT", "vlm_model_name (default: as it is, else vlm, which LeRobot looks for where it is started)"},
                                     {0, "replace", NULL, "take the place of a checkpoint that is there"},
                                     {0, "state", "N", "fresh policy: numbers of a state (default 6)"},
                                     {0, "action", "N", "fresh policy: numbers of an action (default 6)"},
                                     {0, "seed", "N", "fresh policy: seed of the expert's weights (default 0)"},
                                     {0, "set", "KEY=VALUE", "fresh policy: a switch of the model, as in 'vlabench train --help'"},
                                     {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_export = {
    .name = "export",
    .summary = "writes a checkpoint directory that LeRobot loads",
    .usage = "FROM OUT",
    .examples = "  vlabench export results/.../train-0cda0c37aaab out --camera image --camera image2   # a model of ours\n"
                "  vlabench export smolvla_base small --dtype bfloat16        # a checkpoint, older layouts too, written anew\n"
                "  vlabench export SmolVLM2-500M fresh --state 6 --action 6   # a VLM alone: with an expert of seeded random weights\n",
    .options = options,
    .min_args = 2,
    .max_args = 2,
    .run = run};
