#include "core/model/inference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/rng.h"
#include "core/data/safetensors.h"
#include "core/tensor/backend.h"

static const char *const names[] = {"float32", "bfloat16", "int8"};

const char *vlb_precision_name(vlb_precision p) { return names[p]; }

vlb_code vlb_precision_named(const char *name, vlb_precision *p, vlb_error *err) {
  for (int i = 0; i < 3; i++)
    if (!strcmp(name, names[i])) {
      *p = (vlb_precision)i;
      return VLB_OK;
    }
  return vlb_fail(err, VLB_USAGE, "no precision '%s'; there are float32, bfloat16 and int8", name);
}

/* ---- calibration ---- */

enum { SIDE = 256 };

/* waves of another length, direction and colour in every picture: smooth, and with edges where they wrap */
static void draw_waves(uint8_t *rgb, vlb_rng *rng) {
  for (int c = 0; c < 3; c++) {
    double x = vlb_rng_range(rng, -12, 12), y = vlb_rng_range(rng, -12, 12), at = vlb_rng_range(rng, 0, 6);
    bool wraps = vlb_rng_below(rng, 2) == 1;
    for (int i = 0; i < SIDE * SIDE; i++) {
      double phase = at + (x * (i % SIDE) + y * (double)(i / SIDE)) / SIDE;
      rgb[3 * i + c] = (uint8_t)(wraps ? 255.0 * (phase / 6 - floor(phase / 6)) : 127.5 + 127.5 * sin(phase));
    }
  }
}

typedef struct {
  uint8_t *pixels;
  vlb_picture pictures[VLB_LEROBOT_CAMERAS];
  float state[VLB_STATS_MAX], *noise;
} scene;

static vlb_sight draw(scene *s, const vlb_pretrained *p, int i) {
  static const char *const instructions[VLB_CALIBRATION] = {"pick up the red cube", "open the top drawer and put the bowl inside", "push the button", "go"};
  const vlb_model_config *c = &p->model->config;
  vlb_rng rng = vlb_rng_make(1, VLB_RNG_CALIBRATE, (uint32_t)i, 0);
  for (int v = 0; v < c->cameras; v++) {
    uint8_t *at = s->pixels + (size_t)v * SIDE * SIDE * 3;
    draw_waves(at, &rng);
    s->pictures[v] = (vlb_picture){at, SIDE, SIDE};
  }
  for (int k = 0; k < p->state.dim; k++) s->state[k] = (float)(p->state.norm == VLB_NORM_MEAN_STD ? p->state.mean[k] + p->state.std[k] * vlb_rng_normal(&rng) : vlb_rng_normal(&rng));
  vlb_rng_normals(&rng, s->noise, (size_t)(c->chunk_size * c->max_action_dim));
  return (vlb_sight){s->pictures, s->state, instructions[i], s->noise};
}

static vlb_code run_synthetic(vlb_runner *r, const vlb_pretrained *p, float *actions, vlb_error *err) {
  const vlb_model_config *c = &p->model->config;
  scene s = {.pixels = malloc((size_t)c->cameras * SIDE * SIDE * 3), .noise = malloc((size_t)(c->chunk_size * c->max_action_dim) * sizeof(float))};
  vlb_code code = s.pixels && s.noise ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory calibrating");
  for (int i = 0; !code && i < VLB_CALIBRATION; i++) {
    vlb_sight sight = draw(&s, p, i);
    code = vlb_runner_run(r, 1, &sight, actions, err);
  }
  free(s.pixels), free(s.noise);
  return code;
}

vlb_code vlb_calibrate(const vlb_pretrained *p, int threads, const vlb_sight *sights, int n, vlb_ranges *out, vlb_error *err) {
  const vlb_model_config *c = &p->model->config;
  vlb_runner *r = NULL;
  int room = 8 * ((int)c->vision_layers + p->model->shape.vlm_layers);
  float *actions = malloc((size_t)(c->chunk_size * c->action_dim) * sizeof *actions);
  *out = (vlb_ranges){calloc((size_t)room, sizeof *out->top), room};
  vlb_code code = out->top && actions ? VLB_OK : vlb_fail(err, VLB_FAILED, "out of memory calibrating");
  if (!code)
    code = vlb_runner_create_for(p, 1, &(vlb_inference_options){.threads = threads, .precision = VLB_INT8, .ranges = out->top, .range_count = room, .calibrate = true},
                                 &r, err);
  if (!code && !sights) code = run_synthetic(r, p, actions, err);
  for (int i = 0; !code && sights && i < n; i++) code = vlb_runner_run(r, 1, &sights[i], actions, err);
  if (!code) out->count = vlb_policy_range_count(vlb_runner_policy(r));
  vlb_runner_free(r);
  free(actions);
  if (code) vlb_ranges_free(out);
  return code;
}

void vlb_ranges_free(vlb_ranges *r) {
  free(r->top);
  *r = (vlb_ranges){NULL, 0};
}

vlb_code vlb_ranges_write(const vlb_ranges *r, const char *path, vlb_error *err) {
  char name[] = "int8.ranges";
  return vlb_safetensors_write(path, &(vlb_st_entry){.name = name, .dtype = VLB_F32, .ndim = 1, .dims = {r->count}, .data = r->top}, 1, err);
}

vlb_code vlb_ranges_read(const char *path, vlb_ranges *r, vlb_error *err) {
  vlb_safetensors *file;
  *r = (vlb_ranges){NULL, 0};
  VLB_TRY(vlb_safetensors_open(path, &file, err));
  const vlb_st_entry *e = vlb_safetensors_find(file, "int8.ranges");
  vlb_code code = e && e->count && e->count < 100000 ? VLB_OK : vlb_fail(err, VLB_USAGE, "%s: not a calibration (no tensor int8.ranges in it)", path);
  if (!code && !(r->top = malloc(e->count * sizeof *r->top))) code = vlb_fail(err, VLB_FAILED, "out of memory reading %s", path);
  if (!code) {
    vlb_st_to_float(e, r->top);
    r->count = (int)e->count;
  }
  vlb_safetensors_close(file);
  return code;
}

vlb_code vlb_ranges_prepare(const vlb_pretrained *p, vlb_precision precision, const char *path, int threads, const vlb_sight *sights, int n, vlb_log *log,
                            vlb_ranges *out, vlb_error *err) {
  *out = (vlb_ranges){NULL, 0};
  VLB_TRY(vlb_precision_check(precision, err));
  if (log && precision != VLB_FLOAT32 && !vlb_low_supported(VLB_LOW_BF16))
    vlb_warn(log, "this processor (%s) does not multiply bfloat16: rounded values are multiplied as float32, which is exact but no faster", vlb_backend_isa());
  if (precision != VLB_INT8) return VLB_OK;
  if (path && vlb_file_exists(path)) return vlb_ranges_read(path, out, err);
  if (log) vlb_info(log, "int8: ranges of layers' inputs from %s", sights ? "the given observation, in float32" : "synthetic observations, in float32");
  VLB_TRY(vlb_calibrate(p, threads, sights, n, out, err));
  return path ? vlb_ranges_write(out, path, err) : VLB_OK;
}
