/* vlabench infer: a checkpoint of LeRobot, what a robot sees -> a chunk of actions. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/rng.h"
#include "core/data/image.h"
#include "core/model/dump.h"
#include "core/model/inference.h"
#include "experiments/cli/commands.h"

/* One observation from the command line. */
typedef struct {
  vlb_picture pictures[VLB_LEROBOT_CAMERAS];
  int picture_count;
  float state[VLB_STATS_MAX];
  float *noise;
} observation;

/* --image NAME=FILE, in the order of the options */
static vlb_code split_images(const vlb_args *args, char names[][VLB_LEROBOT_NAME], const char **files, int *n, vlb_error *err) {
  const char *image;
  for (*n = 0; (image = vlb_arg_each(args, "image", *n)); ++*n) {
    const char *equals = strchr(image, '=');
    if (!equals || equals == image || !equals[1] || equals - image >= VLB_LEROBOT_NAME)
      return vlb_fail(err, VLB_USAGE, "--image %s: not of the form CAMERA=FILE", image);
    if (*n == VLB_LEROBOT_CAMERAS) return vlb_fail(err, VLB_USAGE, "more than %d pictures", VLB_LEROBOT_CAMERAS);
    snprintf(names[*n], VLB_LEROBOT_NAME, "%.*s", (int)(equals - image), image);
    files[*n] = equals + 1;
  }
  return VLB_OK;
}

static vlb_code read_images(const vlb_args *args, vlb_checkpoint_folder *folder, observation *o, vlb_error *err) {
  char names[VLB_LEROBOT_CAMERAS][VLB_LEROBOT_NAME];
  const char *pointers[VLB_LEROBOT_CAMERAS], *files[VLB_LEROBOT_CAMERAS];
  int n, index[VLB_LEROBOT_CAMERAS];
  VLB_TRY(split_images(args, names, files, &n, err));
  for (int i = 0; i < n; i++) pointers[i] = names[i];
  VLB_TRY(vlb_checkpoint_folder_cameras(folder, pointers, n, index, err));
  for (int i = 0; i < n; i++) {
    uint8_t *rgb;
    vlb_picture *p = &o->pictures[index[i]];
    VLB_TRY(vlb_image_read(files[i], &rgb, &p->height, &p->width, err));
    p->rgb = rgb;
    o->picture_count++;
    int side = (int)folder->config.model.image_size;
    if (!folder->config.resize && (p->height != side || p->width != side))
      return vlb_fail(err, VLB_USAGE, "%s: %d x %d pixels; the policy does not resize, so it needs %d x %d", files[i], p->width, p->height, side, side);
  }
  return VLB_OK;
}

/* "0.1,-0.2,..." */
static vlb_code read_state(const char *text, int dim, float *state, vlb_error *err) {
  const char *at = text ? text : "";
  int n = 0;
  while (*at) {
    char *end;
    errno = 0;
    float x = strtof(at, &end);
    if (end == at || (*end && *end != ',') || errno) return vlb_fail(err, VLB_USAGE, "--state: '%s' is not a list of numbers with commas between", text);
    if (n < dim) state[n] = x;
    n++;
    at = *end ? end + 1 : end;
  }
  if (n != dim) return vlb_fail(err, VLB_USAGE, "--state has %d numbers; the policy takes %d", n, dim);
  return VLB_OK;
}

/* the one tensor of a safetensors file, [T,max_action_dim] */
static vlb_code read_noise(const char *path, size_t count, float *noise, vlb_error *err) {
  vlb_safetensors *file;
  VLB_TRY(vlb_safetensors_open(path, &file, err));
  vlb_code code = VLB_OK;
  const vlb_st_entry *e = vlb_safetensors_count(file) == 1 ? vlb_safetensors_at(file, 0) : NULL;
  if (!e || e->count != count)
    code = vlb_fail(err, VLB_USAGE, "%s: must hold one tensor of %zu numbers (chunk_size x max_action_dim)", path, count);
  else
    vlb_st_to_float(e, noise);
  vlb_safetensors_close(file);
  return code;
}

static vlb_code make_noise(const vlb_args *args, const vlb_model_config *c, observation *o, vlb_error *err) {
  size_t count = (size_t)(c->chunk_size * c->max_action_dim);
  const char *path = vlb_arg_text(args, "noise", NULL);
  int64_t seed = 0;
  VLB_TRY(vlb_arg_int(args, "seed", 0, 9000000000000000, &seed, err));
  if (path && vlb_arg_on(args, "seed")) return vlb_fail(err, VLB_USAGE, "--noise and --seed exclude each other");
  o->noise = calloc(count, sizeof *o->noise);
  if (!o->noise) return vlb_fail(err, VLB_FAILED, "out of memory");
  if (path) return read_noise(path, count, o->noise, err);
  vlb_rng rng = vlb_rng_make((uint64_t)seed, VLB_RNG_SAMPLE, 0, 0);
  vlb_rng_normals(&rng, o->noise, count);
  return VLB_OK;
}

/* ---- results ---- */

static void print_csv(const float *actions, const vlb_model_config *c) {
  for (int64_t t = 0; t < c->chunk_size; t++)
    for (int64_t k = 0; k < c->action_dim; k++)
      printf("%.9g%c", (double)actions[t * c->action_dim + k], k + 1 < c->action_dim ? ',' : '\n');
}

static void print_json(const float *actions, const vlb_model_config *c) {
  puts("[");
  for (int64_t t = 0; t < c->chunk_size; t++) {
    fputs(" [", stdout);
    for (int64_t k = 0; k < c->action_dim; k++) printf("%s%.9g", k ? ", " : "", (double)actions[t * c->action_dim + k]);
    puts(t + 1 < c->chunk_size ? "]," : "]");
  }
  puts("]");
}

static vlb_code act(const vlb_args *args, const vlb_pretrained *p, const observation *o, const vlb_context *ctx, vlb_error *err) {
  const vlb_model_config *c = &p->model->config;
  vlb_runner *r = NULL;
  vlb_dump *dump = NULL;
  vlb_precision precision;
  vlb_ranges ranges;
  const char *path = vlb_arg_text(args, "dump", NULL);
  const vlb_sight sight = {o->pictures, o->state, vlb_arg_text(args, "task", ""), o->noise};
  VLB_TRY(vlb_precision_named(vlb_arg_text(args, "precision", "float32"), &precision, err));
  VLB_TRY(vlb_ranges_prepare(p, precision, vlb_arg_text(args, "calibration", NULL), ctx->threads, &sight, 1, ctx->log, &ranges, err));
  const vlb_inference_options how = {
      .threads = ctx->threads, .precision = precision, .ranges = ranges.top, .range_count = ranges.count, .keep = path != NULL};
  float *actions = calloc((size_t)(c->chunk_size * c->action_dim), sizeof *actions);
  vlb_code code = actions ? vlb_runner_create_for(p, 1, &how, &r, err) : vlb_fail(err, VLB_FAILED, "out of memory");
  if (!code && path) code = vlb_dump_begin(r, &dump, err);
  if (!code) code = vlb_runner_run(r, 1, &sight, actions, err);
  if (!code && path) code = vlb_dump_write(dump, actions, path, err);
  if (!code) (vlb_arg_on(args, "csv") ? print_csv : print_json)(actions, c);
  vlb_dump_free(dump);
  vlb_runner_free(r);
  vlb_ranges_free(&ranges);
  free(actions);
  return code;
}

static vlb_code infer(const vlb_args *args, const char *dir, vlb_checkpoint_folder *folder, observation *o, const vlb_context *ctx, vlb_error *err) {
  vlb_pretrained p;
  VLB_TRY(vlb_arg_int(args, "steps", 1, 1000, &folder->config.model.num_steps, err));
  VLB_TRY(read_images(args, folder, o, err));
  VLB_TRY(read_state(vlb_arg_text(args, "state", NULL), folder->processors.state.dim, o->state, err));
  VLB_TRY(make_noise(args, &folder->config.model, o, err));
  VLB_TRY(vlb_pretrained_load(folder, dir, vlb_arg_text(args, "tokenizer", NULL), ctx->log, &p, err));
  vlb_code code = act(args, &p, o, ctx, err);
  vlb_pretrained_free(&p);
  return code;
}

static void free_picture(const uint8_t *rgb) {
  union {
    const uint8_t *borrowed;
    void *owned;
  } p = {rgb};
  free(p.owned);
}

static vlb_code run(const vlb_args *args, const vlb_context *ctx, vlb_error *err) {
  const char *dir = vlb_arg_text(args, "checkpoint", NULL);
  vlb_checkpoint_folder folder;
  observation o = {.noise = NULL};
  if (!dir) return vlb_fail(err, VLB_USAGE, "--checkpoint DIR is needed");
  if (!vlb_arg_on(args, "task")) return vlb_fail(err, VLB_USAGE, "--task \"...\" is needed: what the robot is told");
  VLB_TRY(vlb_checkpoint_folder_open(dir, ctx->log, &folder, err));
  vlb_code code = infer(args, dir, &folder, &o, ctx, err);
  vlb_checkpoint_folder_close(&folder);
  for (int i = 0; i < VLB_LEROBOT_CAMERAS; i++) free_picture(o.pictures[i].rgb);
  free(o.noise);
  return code;
}

static const vlb_option options[] = {{0, "checkpoint", "DIR", "checkpoint directory of LeRobot"},
                                     {0, "image", "CAM=FILE", "picture (PNG or JPEG) of a camera; once per camera"},
                                     {0, "state", "A,B,...", "the robot's state, in its own units"},
                                     {0, "task", "TEXT", "instruction"},
                                     {0, "seed", "N", "seed of the noise that the flow starts from (default 0)"},
                                     {0, "noise", "FILE", "that noise itself: a safetensors file with one tensor"},
                                     {0, "steps", "N", "steps of the flow (default: num_steps of the checkpoint)"},
                                     {0, "precision", "NAME", "float32 (default), bfloat16 or int8, of most layers' weights and inputs"},
                                     {0, "calibration", "FILE", "int8: the ranges of layers' inputs; found on this observation and written there when it does not exist"},
                                     {0, "tokenizer", "FILE", "tokenizer.json where the checkpoint has none"},
                                     {0, "dump", "FILE", "also write every named intermediate, as in a reference case (safetensors)"},
                                     {0, "csv", NULL, "one action per line instead of JSON"},
                                     {0, NULL, NULL, NULL}};

const vlb_command vlb_cmd_infer = {
    .name = "infer",
    .summary = "actions of a LeRobot checkpoint for one observation",
    .usage = "--checkpoint DIR --image CAM=FILE ... --state A,B,... --task TEXT",
    .examples = "  vlabench infer --checkpoint smolvla_base --image camera1=top.png --image camera2=wrist.png \\\n"
                "                 --state 0.1,-0.2,0,1.5,0.3,0 --task \"pick up the cube\"    # a chunk of actions as JSON\n"
                "  vlabench infer --checkpoint DIR --image image=a.png --state 0,0 --task \"go\" --seed 3 --csv >actions.csv\n",
    .options = options,
    .min_args = 0,
    .max_args = 0,
    .run = run};
