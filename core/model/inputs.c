/* The host side of a built graph: masks and positions as the ops want them. */
#include <stdlib.h>
#include <string.h>

#include "core/model/build.h"

static void *block(vlb_inputs *in, size_t count, size_t size, bool *failed) {
  void *p = calloc(count ? count : 1, size);
  *failed |= !p;
  return in->blocks[in->block_count++] = p;
}

static size_t image_floats(const vlb_build *b) {
  return (size_t)b->batch * 3 * (size_t)(b->model->config.image_size * b->model->config.image_size);
}

static float *bound_floats(vlb_inputs *in, const vlb_build *b, vlb_t t, bool *failed) {
  if (t < 0) return NULL;
  float *p = block(in, vlb_graph_count(b->g, t), sizeof *p, failed);
  vlb_graph_bind(b->g, t, p);
  return p;
}

static int32_t *bound_ids(vlb_inputs *in, const vlb_build *b, vlb_t t, bool *failed) {
  if (t < 0) return NULL;
  int32_t *p = block(in, vlb_graph_count(b->g, t), sizeof *p, failed);
  vlb_graph_bind_ids(b->g, t, p);
  return p;
}

static void fill_constants(vlb_inputs *in, const vlb_build *b) {
  const vlb_model_config *c = &b->model->config;
  for (int i = 0; in->special && i < b->batch; i++) {
    in->special[3 * i] = in->special[3 * i + 2] = (int32_t)c->fake_image_token;
    in->special[3 * i + 1] = (int32_t)c->global_image_token;
  }
  size_t present = image_floats(b) * (size_t)c->cameras, all = image_floats(b) * (size_t)b->model->shape.views;
  for (size_t i = present; in->images && i < all; i++) in->images[i] = -1.0f; /* an empty camera is black */
}

vlb_code vlb_inputs_create(vlb_inputs *in, const vlb_build *b, vlb_error *err) {
  memset(in, 0, sizeof *in);
  VLB_TRY(vlb_layout_create(b->model, b->batch, &in->layout, err));
  bool failed = false;
  for (int s = 0; s < SEGMENTS; s++) {
    in->mask_prefix[s] = bound_floats(in, b, b->mask_prefix[s], &failed);
    in->mask_joint[s] = bound_floats(in, b, b->mask_joint[s], &failed);
    in->position[s] = bound_ids(in, b, b->position[s], &failed);
  }
  in->tail = bound_floats(in, b, b->stream[0][SEGMENT_TAIL], &failed);
  in->mask_cross = bound_floats(in, b, b->mask_cross, &failed);
  in->mask_suffix = bound_floats(in, b, b->mask_suffix, &failed);
  in->position_suffix = bound_ids(in, b, b->position_suffix, &failed);
  in->position_chunk = bound_ids(in, b, b->position_chunk, &failed);
  in->special = bound_ids(in, b, b->special, &failed);
  if (b->model->config.empty_cameras) in->images = bound_floats(in, b, b->images, &failed);
  if (failed) {
    vlb_inputs_free(in);
    return vlb_fail(err, VLB_FAILED, "out of memory for the inputs of %d samples", b->batch);
  }
  fill_constants(in, b);
  return VLB_OK;
}

void vlb_inputs_free(vlb_inputs *in) {
  for (int i = 0; i < in->block_count; i++) free(in->blocks[i]);
  vlb_layout_free(&in->layout);
  memset(in, 0, sizeof *in);
}

/* rows first.. of sample b's positions */
static void copy_positions(const vlb_inputs *in, const vlb_build *b, int32_t *to, int first, int rows) {
  for (int i = 0; to && i < b->batch; i++)
    memcpy(to + i * rows, in->layout.positions + i * in->layout.rows.total + first, (size_t)rows * sizeof *to);
}

/* the allowed[] of query rows first.., against the keys 0..keys-1 and then, with suffix, those of the suffix */
static void copy_mask(const vlb_inputs *in, const vlb_build *b, float *to, int first, int rows, int keys, bool suffix) {
  const vlb_row_counts *r = &in->layout.rows;
  for (int i = 0; to && i < b->batch; i++)
    for (int q = 0; q < rows; q++) {
      const uint8_t *from = in->layout.allowed + ((size_t)i * (size_t)r->total + (size_t)(first + q)) * (size_t)r->total;
      for (int k = 0; k < keys; k++) *to++ = from[k];
      for (int k = 0; suffix && k < r->suffix; k++) *to++ = from[r->prefix + k];
    }
}

/* validity of keys 0..keys-1: what every valid row of a block sees; then, with state, that of the state's own key, which all see */
static void copy_pad(const vlb_inputs *in, const vlb_build *b, float *to, int keys, bool state) {
  for (int i = 0; to && i < b->batch; i++) {
    for (int k = 0; k < keys; k++) *to++ = in->layout.pad[i * in->layout.rows.total + k];
    if (state) *to++ = 1;
  }
}

/* Actions at their places in the chunk, behind a state's row, which stays at 0. rows: NULL where the actions are all of it. */
static void place_rows(vlb_inputs *in, const vlb_build *b, const int32_t *rows) {
  int count = (int)b->model->config.chunk_size, before = b->rows.suffix - count;
  for (int i = 0; in->position_chunk && i < b->batch; i++)
    for (int k = 0; k < count; k++) in->position_chunk[i * b->rows.suffix + before + k] = before + (rows ? rows[i * count + k] : k);
}

static void fill_segment(vlb_inputs *in, const vlb_build *b, int s, int first, int rows) {
  copy_positions(in, b, in->position[s], first, rows);
  if (b->joined) {
    copy_mask(in, b, in->mask_prefix[s], first, rows, rows, false);
    return;
  }
  if (!b->literal) {
    copy_pad(in, b, in->mask_prefix[s], first + rows, false);
    return;
  }
  copy_mask(in, b, in->mask_prefix[s], first, rows, in->layout.rows.prefix, false);
  copy_mask(in, b, in->mask_joint[s], first, rows, in->layout.rows.prefix, true);
}

void vlb_inputs_fill(vlb_inputs *in, const vlb_build *b, const vlb_batch *batch) {
  const vlb_row_counts *all = &in->layout.rows; /* with the tail, which only a literal build has */
  int keys = b->rows.context + b->rows.state + b->rows.tail;
  vlb_layout_fill(&in->layout, b->model, batch);
  for (int s = 0, first = 0; s < SEGMENTS; first += vlb_segment_rows(b, s), s++) fill_segment(in, b, s, first, vlb_segment_rows(b, s));
  copy_positions(in, b, in->position_suffix, all->prefix, b->rows.suffix);
  copy_pad(in, b, in->mask_cross, keys, b->model->config.state == VLB_STATE_SUFFIX_SEEN);
  copy_mask(in, b, in->mask_suffix, all->prefix, b->rows.suffix, keys, true);
  place_rows(in, b, batch->chunk_rows);
  vlb_graph_bind_ids(b->g, b->tokens, batch->tokens);
  vlb_graph_bind(b->g, b->state, batch->state);
  if (in->images)
    memcpy(in->images, batch->images, image_floats(b) * (size_t)b->model->config.cameras * sizeof(float));
  else
    vlb_graph_bind(b->g, b->images, batch->images);
}
