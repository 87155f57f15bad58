#include "core/model/captioner.h"

#include <stdlib.h>
#include <string.h>

#include "core/model/build.h"

struct vlb_captioner {
  vlb_build build;
  vlb_captioner_spec spec;
  vlb_t ids, weights, scale, loss, logits[VLB_MAX_DEPTHS];
  int depth[VLB_MAX_DEPTHS], depths;
  float *context_mask, *answer_mask, scale_value;
  int32_t *context_position, *answer_position;
};

static void list_depths(vlb_captioner *c, int layers) {
  for (int d = c->spec.depth_every; d > 0 && d < layers && c->depths + 1 < VLB_MAX_DEPTHS; d += c->spec.depth_every) c->depth[c->depths++] = d;
  c->depth[c->depths++] = layers;
}

static vlb_code define(vlb_captioner *c, const vlb_model *model, int batch, bool trains, vlb_error *err) {
  vlb_build *b = &c->build;
  VLB_TRY(vlb_build_begin(b, model, batch, false, err));
  vlb_build_captions(b, c->spec.answers);
  c->ids = vlb_ids(b->g, batch, (int64_t)c->spec.answers * VLB_CAPTION_TARGETS);
  c->weights = vlb_input(b->g, 3, (int64_t[]){batch, c->spec.answers, VLB_CAPTION_TARGETS});
  c->scale = vlb_input(b->g, 1, (int64_t[]){1});
  list_depths(c, model->shape.vlm_layers);
  for (int d = 0; d < c->depths; d++) {
    bool last = d + 1 == c->depths;
    c->logits[d] = vlb_build_logits(b, c->depth[d]);
    vlb_t loss = vlb_cross_entropy(b->g, c->logits[d], c->ids, c->weights, last ? 1.0 : c->spec.depth_weight);
    c->loss = d ? vlb_add(b->g, c->loss, loss) : loss;
    if (!trains) vlb_graph_keep(b->g, c->logits[d]);
  }
  vlb_graph_keep(b->g, c->loss);
  for (int i = 0; !trains && i < model->shape.vlm_layers; i++) {
    vlb_graph_keep(b->g, b->kv[i].k[SEGMENT_CONTEXT]);
    vlb_graph_keep(b->g, b->kv[i].v[SEGMENT_CONTEXT]);
  }
  if (trains) vlb_graph_reverse(b->g, c->loss, c->scale);
  return vlb_graph_plan(b->g, err);
}

static vlb_code bind(vlb_captioner *c, vlb_error *err) {
  vlb_build *b = &c->build;
  size_t n = (size_t)b->batch, rows = (size_t)b->rows.context, answers = (size_t)c->spec.answers;
  c->context_mask = calloc(n * rows, sizeof *c->context_mask);
  c->answer_mask = calloc(n * answers * (rows + answers), sizeof *c->answer_mask);
  c->context_position = calloc(n * rows, sizeof *c->context_position);
  c->answer_position = calloc(n * answers, sizeof *c->answer_position);
  if (!c->context_mask || !c->answer_mask || !c->context_position || !c->answer_position)
    return vlb_fail(err, VLB_FAILED, "out of memory for captions of %d samples", b->batch);
  vlb_graph_bind(b->g, b->mask_prefix[SEGMENT_CONTEXT], c->context_mask);
  vlb_graph_bind(b->g, b->mask_prefix[SEGMENT_STATE], c->answer_mask);
  vlb_graph_bind_ids(b->g, b->position[SEGMENT_CONTEXT], c->context_position);
  vlb_graph_bind_ids(b->g, b->position[SEGMENT_STATE], c->answer_position);
  vlb_graph_bind(b->g, c->scale, &c->scale_value);
  return VLB_OK;
}

vlb_code vlb_captioner_create(const vlb_model *model, const vlb_captioner_spec *spec, int batch, bool trains, vlb_captioner **out, vlb_error *err) {
  *out = NULL;
  vlb_captioner *c = calloc(1, sizeof *c);
  if (!c) return vlb_fail(err, VLB_FAILED, "out of memory for captions");
  c->spec = *spec;
  vlb_code code = define(c, model, batch, trains, err);
  if (!code) code = bind(c, err);
  if (code)
    vlb_captioner_free(c);
  else
    *out = c;
  return code;
}

void vlb_captioner_free(vlb_captioner *c) {
  if (!c) return;
  vlb_graph_free(c->build.g);
  vlb_build_end(&c->build);
  free(c->context_mask), free(c->answer_mask), free(c->context_position), free(c->answer_position);
  free(c);
}

/* Images and question see each other; an answer's row sees them and the answer up to itself. Positions count real rows, as a policy's. */
static void fill_sample(vlb_captioner *c, int i, const uint8_t *language) {
  const vlb_build *b = &c->build;
  int rows = b->rows.context, answers = c->spec.answers, images = rows - b->rows.language, position = -1;
  float *context = c->context_mask + i * rows, *mask = c->answer_mask + (size_t)i * (size_t)answers * (size_t)(rows + answers);
  for (int r = 0; r < rows; r++) {
    bool real = r < images || language[r - images];
    position += real;
    context[r] = real;
    c->context_position[i * rows + r] = position;
  }
  for (int a = 0; a < answers; a++, mask += rows + answers) {
    c->answer_position[i * answers + a] = ++position;
    memcpy(mask, context, (size_t)rows * sizeof *mask);
    for (int k = 0; k < answers; k++) mask[rows + k] = k <= a;
  }
}

void vlb_captioner_run(vlb_captioner *c, const vlb_caption_batch *batch, double scale, double *loss, float *gradient) {
  vlb_build *b = &c->build;
  for (int i = 0; i < b->batch; i++) fill_sample(c, i, batch->token_mask + i * b->rows.language);
  c->scale_value = (float)scale;
  vlb_graph_bind(b->g, b->images, batch->images);
  vlb_graph_bind_ids(b->g, b->tokens, batch->tokens);
  vlb_graph_bind_ids(b->g, b->answers, batch->answers);
  vlb_graph_bind_ids(b->g, c->ids, batch->targets);
  vlb_graph_bind(b->g, c->weights, batch->weights);
  vlb_graph_run(b->g, gradient, b->model->gradient_count);
  const float *e = vlb_graph_data(b->g, c->loss);
  double sum = 0;
  for (size_t i = 0; i < vlb_graph_count(b->g, c->loss); i++) sum += (double)e[i];
  *loss = sum * scale;
}

int vlb_captioner_depths(const vlb_captioner *c) { return c->depths; }
int vlb_captioner_depth(const vlb_captioner *c, int d) { return c->depth[d]; }
const float *vlb_captioner_logits(const vlb_captioner *c, int d) { return vlb_graph_data(c->build.g, c->logits[d]); }
const float *vlb_captioner_kv(const vlb_captioner *c, int layer, int what) {
  const vlb_kv *kv = &c->build.kv[layer];
  return vlb_graph_data(c->build.g, what ? kv->v[SEGMENT_CONTEXT] : kv->k[SEGMENT_CONTEXT]);
}
double vlb_captioner_flops(const vlb_captioner *c) { return vlb_graph_flops(c->build.g, true); }
