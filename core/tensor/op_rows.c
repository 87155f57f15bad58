/* Ops that move or broadcast rows: assemble, embedding, broadcast sums, image patches, pixel shuffle. */
#include <stdlib.h>

#include "core/tensor/op.h"
#include "core/tensor/vector.h"

/* y = x * scale, or y += x * scale */
static void move_row(const float *x, float scale, float *y, int64_t width, bool adds) {
  for (int64_t i = 0; i < width; i += VLB_LANES) {
    vf v = v_load(x + i, width - i) * v_set(scale);
    v_store(y + i, adds ? v + v_load(y + i, width - i) : v, width - i);
  }
}

/* ---- assemble ---- */

enum { BATCH, ROWS, WIDTH, PARTS };

static void assemble_run(vlb_graph *g, vlb_node *n) {
  int64_t width = n->attr[WIDTH], at = 0;
  float *y = vlb_out(g, n->out);
  for (int i = 0; i < n->nin; i++) {
    vlb_rows p = n->rows[i];
    int64_t source_rows = vlb_graph_dim(g, p.x, 1);
    const float *x = vlb_in(g, p.x);
    for (int64_t b = 0; b < n->attr[BATCH]; b++)
      for (int64_t r = 0; r < p.rows; r++)
        move_row(x + ((p.first_batch + b) * source_rows + p.first_row + r) * width, (float)p.scale,
                 y + (b * n->attr[ROWS] + at + r) * width, width, false);
    at += p.rows;
  }
}

/* in: dy; out: the distinct tensors' gradients. A gradient that is new starts from zero, since parts may leave rows out. */
static void assemble_back_run(vlb_graph *g, vlb_node *n) {
  int64_t width = n->attr[WIDTH], at = 0;
  const float *dy = vlb_in(g, n->in[0]);
  for (int i = 0; i < n->nouts; i++)
    if (n->outs[i] >= 0 && !n->adds[i]) memset(vlb_out(g, n->outs[i]), 0, vlb_graph_count(g, n->outs[i]) * sizeof(float));
  for (int i = 0; i < n->attr[PARTS]; i++) {
    vlb_rows p = n->rows[i];
    float *dx = vlb_out(g, n->outs[i]);
    int64_t target_rows = vlb_graph_dim(g, p.x, 1);
    for (int64_t b = 0; dx && b < n->attr[BATCH]; b++)
      for (int64_t r = 0; r < p.rows; r++)
        move_row(dy + (b * n->attr[ROWS] + at + r) * width, (float)p.scale,
                 dx + ((p.first_batch + b) * target_rows + p.first_row + r) * width, width, true);
    at += p.rows;
  }
}
static const vlb_op assemble_back_op = {"assemble back", NULL, assemble_back_run, NULL};

static bool copy_rows(vlb_graph *g, vlb_node *n, const vlb_rows *rows, int count) {
  n->rows = malloc((size_t)count * sizeof *rows);
  if (!n->rows) {
    vlb_graph_fail(g, "out of memory defining the graph");
    return false;
  }
  memcpy(n->rows, rows, (size_t)count * sizeof *rows);
  return true;
}

static void assemble_reverse(vlb_graph *g, vlb_node *n) {
  vlb_t dy = vlb_gradient_of(g, n->out);
  vlb_node *b = vlb_node_gradient(g, &assemble_back_op, &dy, 1, n->in, n->nin);
  if (!b || !copy_rows(g, b, n->rows, n->nin)) return;
  memcpy(b->attr, n->attr, sizeof n->attr);
}
static const vlb_op assemble_op = {"assemble", NULL, assemble_run, assemble_reverse};

vlb_t vlb_assemble(vlb_graph *g, int64_t batch, const vlb_rows *parts, int count) {
  int64_t rows = 0, width = vlb_graph_dim(g, parts[0].x, -1);
  vlb_t *in = malloc((size_t)count * sizeof *in);
  if (!in) {
    vlb_graph_fail(g, "out of memory defining the graph");
    return VLB_NONE;
  }
  for (int i = 0; i < count; i++) {
    in[i] = parts[i].x;
    rows += parts[i].rows;
    if (vlb_graph_dim(g, in[i], -1) != width || parts[i].first_batch + batch > vlb_graph_dim(g, in[i], 0) ||
        parts[i].first_row + parts[i].rows > vlb_graph_dim(g, in[i], 1))
      vlb_graph_fail(g, "assemble: part %d does not fit", i);
  }
  vlb_node *n = vlb_node_new(g, &assemble_op, in, count, vlb_tensor_new(g, 3, (int64_t[]){batch, rows, width}));
  free(in);
  if (!n || !copy_rows(g, n, parts, count)) return VLB_NONE;
  n->attr[BATCH] = batch;
  n->attr[ROWS] = rows;
  n->attr[WIDTH] = width;
  n->attr[PARTS] = count;
  return n->out;
}

/* ---- embedding rows ---- */

static void embed_run(vlb_graph *g, vlb_node *n) {
  const int32_t *ids = vlb_in_ids(g, n->in[1]);
  const float *table = vlb_in(g, n->in[0]);
  float *y = vlb_out(g, n->out);
  for (int64_t r = 0; r < n->attr[ROWS]; r++) memcpy(y + r * n->attr[WIDTH], table + ids[r] * n->attr[WIDTH], (size_t)n->attr[WIDTH] * sizeof *y);
}
/* in: dy, ids; out: dtable */
static void embed_back_run(vlb_graph *g, vlb_node *n) {
  const int32_t *ids = vlb_in_ids(g, n->in[1]);
  const float *dy = vlb_in(g, n->in[0]);
  float *d = vlb_out(g, n->outs[0]);
  for (int64_t r = 0; r < n->attr[ROWS]; r++) move_row(dy + r * n->attr[WIDTH], 1.0f, d + ids[r] * n->attr[WIDTH], n->attr[WIDTH], true);
}
static const vlb_op embed_back_op = {"embed back", NULL, embed_back_run, NULL};
static void embed_reverse(vlb_graph *g, vlb_node *n) {
  vlb_node *b = vlb_node_gradient(g, &embed_back_op, (vlb_t[]){vlb_gradient_of(g, n->out), n->in[1]}, 2, &n->in[0], 1);
  if (b) memcpy(b->attr, n->attr, sizeof n->attr);
}
static const vlb_op embed_op = {"embed", NULL, embed_run, embed_reverse};

vlb_t vlb_embed(vlb_graph *g, vlb_t table, vlb_t ids) {
  int64_t batch = vlb_graph_dim(g, ids, 0), rows = vlb_graph_dim(g, ids, 1), width = vlb_graph_dim(g, table, 1);
  vlb_expect_weight(g, table, "embed");
  vlb_node *n = vlb_node_new(g, &embed_op, (vlb_t[]){table, ids}, 2, vlb_tensor_new(g, 3, (int64_t[]){batch, rows, width}));
  if (!n) return VLB_NONE;
  n->attr[ROWS] = batch * rows;
  n->attr[WIDTH] = width;
  return n->out;
}

/* ---- sums with something repeated: one row per batch entry, or one table for all entries ---- */

enum { PER_BATCH = 3 };

/* the addend's row for row s of entry b */
static int64_t addend_row(const vlb_node *n, int64_t b, int64_t s) { return n->attr[PER_BATCH] ? b : s; }

static void repeat_run(vlb_graph *g, vlb_node *n) {
  int64_t width = n->attr[WIDTH], rows = n->attr[ROWS];
  const float *x = vlb_in(g, n->in[0]), *addend = vlb_in(g, n->in[1]);
  float *y = vlb_out(g, n->out);
  for (int64_t b = 0; b < n->attr[BATCH]; b++)
    for (int64_t s = 0; s < rows; s++)
      for (int64_t i = 0; i < width; i += VLB_LANES) {
        int64_t at = (b * rows + s) * width + i;
        v_store(y + at, v_load(x + at, width - i) + v_load(addend + addend_row(n, b, s) * width + i, width - i), width - i);
      }
}
/* in: dy; out: the addend's gradient */
static void repeat_back_run(vlb_graph *g, vlb_node *n) {
  int64_t width = n->attr[WIDTH], rows = n->attr[ROWS];
  const float *dy = vlb_in(g, n->in[0]);
  float *d = vlb_out(g, n->outs[0]);
  if (!n->adds[0]) memset(d, 0, vlb_graph_count(g, n->outs[0]) * sizeof *d);
  for (int64_t b = 0; b < n->attr[BATCH]; b++)
    for (int64_t s = 0; s < rows; s++) move_row(dy + (b * rows + s) * width, 1.0f, d + addend_row(n, b, s) * width, width, true);
}
static const vlb_op repeat_back_op = {"add row back", NULL, repeat_back_run, NULL};
static void repeat_reverse(vlb_graph *g, vlb_node *n) {
  vlb_t dy = vlb_gradient_of(g, n->out);
  if (vlb_needs_gradient(g, n->in[1])) {
    vlb_node *b = vlb_node_gradient(g, &repeat_back_op, &dy, 1, &n->in[1], 1);
    if (b) memcpy(b->attr, n->attr, sizeof n->attr);
  }
  vlb_gradient_pass(g, n->out, n->in[0]);
}
static const vlb_op repeat_op = {"add row", NULL, repeat_run, repeat_reverse};

static vlb_t add_repeated(vlb_graph *g, vlb_t x, vlb_t addend, bool per_batch) {
  int64_t batch = vlb_graph_dim(g, x, 0), rows = vlb_graph_dim(g, x, 1), width = vlb_graph_dim(g, x, 2);
  if (vlb_graph_count(g, addend) != (size_t)((per_batch ? batch : rows) * width)) vlb_graph_fail(g, "add row: addend of another shape");
  vlb_node *n = vlb_node_new(g, &repeat_op, (vlb_t[]){x, addend}, 2, vlb_tensor_like(g, x));
  if (!n) return VLB_NONE;
  n->attr[BATCH] = batch;
  n->attr[ROWS] = rows;
  n->attr[WIDTH] = width;
  n->attr[PER_BATCH] = per_batch;
  return n->out;
}

vlb_t vlb_add_row(vlb_graph *g, vlb_t x, vlb_t row) { return add_repeated(g, x, row, true); }
vlb_t vlb_add_table(vlb_graph *g, vlb_t x, vlb_t table) { return add_repeated(g, x, table, false); }

/* ---- patches: what a convolution with kernel = stride sees, channel-major as its weight [N,C,p,p] ---- */

enum { CHANNELS = 1, SIDE, PATCH, PIXELS };

static void patches_run(vlb_graph *g, vlb_node *n) {
  int64_t channels = n->attr[CHANNELS], side = n->attr[SIDE], patch = n->attr[PATCH], pixels = n->attr[PIXELS];
  const float *x = vlb_in(g, n->in[0]);
  float *y = vlb_out(g, n->out);
  for (int64_t b = 0; b < n->attr[BATCH]; b++)
    for (int64_t r = 0; r < side; r++)
      for (int64_t c = 0; c < side; c++)
        for (int64_t ch = 0; ch < channels; ch++)
          for (int64_t i = 0; i < patch; i++, y += patch)
            memcpy(y, x + ((b * channels + ch) * pixels + r * patch + i) * pixels + c * patch, (size_t)patch * sizeof *y);
}
static const vlb_op patches_op = {"patches", NULL, patches_run, NULL};

vlb_t vlb_patches(vlb_graph *g, vlb_t images, int64_t patch) {
  int64_t batch = vlb_graph_dim(g, images, 0), channels = vlb_graph_dim(g, images, 1), pixels = vlb_graph_dim(g, images, 2), side = pixels / patch;
  if (vlb_graph_dim(g, images, 3) != pixels || !side)
    vlb_graph_fail(g, "patches: images of %lld x %lld, patches of %lld", (long long)vlb_graph_dim(g, images, 2),
                   (long long)vlb_graph_dim(g, images, 3), (long long)patch);
  vlb_node *n = vlb_node_new(g, &patches_op, &images, 1, vlb_tensor_new(g, 3, (int64_t[]){batch, side * side, channels * patch * patch}));
  if (!n) return VLB_NONE;
  n->attr[BATCH] = batch;
  n->attr[CHANNELS] = channels;
  n->attr[SIDE] = side;
  n->attr[PATCH] = patch;
  n->attr[PIXELS] = pixels;
  return n->out;
}

/* ---- pixel shuffle: factor^2 neighbouring rows side by side, in the order (dy, dx, channel) ---- */

enum { GRID = 1, FACTOR = 3 };

/* moves every row of width W between x [B,side^2,W] (at) and y [B,(side/f)^2,f*f*W] (to); forward or back */
static void shuffle(const vlb_node *n, const float *from, float *to, bool forward, bool adds) {
  int64_t side = n->attr[GRID], f = n->attr[FACTOR], width = n->attr[WIDTH], small = side / f;
  for (int64_t b = 0; b < n->attr[BATCH]; b++)
    for (int64_t r = 0; r < side; r++)
      for (int64_t c = 0; c < side; c++) {
        int64_t x = ((b * side + r) * side + c) * width;
        int64_t y = (((b * small + r / f) * small + c / f) * f * f + (r % f) * f + c % f) * width;
        move_row(from + (forward ? x : y), 1.0f, to + (forward ? y : x), width, adds);
      }
}
static void shuffle_run(vlb_graph *g, vlb_node *n) { shuffle(n, vlb_in(g, n->in[0]), vlb_out(g, n->out), true, false); }
static void shuffle_back_run(vlb_graph *g, vlb_node *n) { shuffle(n, vlb_in(g, n->in[0]), vlb_out(g, n->outs[0]), false, n->adds[0]); }
static const vlb_op shuffle_back_op = {"shuffle back", NULL, shuffle_back_run, NULL};
static void shuffle_reverse(vlb_graph *g, vlb_node *n) {
  vlb_t dy = vlb_gradient_of(g, n->out);
  vlb_node *b = vlb_node_gradient(g, &shuffle_back_op, &dy, 1, &n->in[0], 1);
  if (b) memcpy(b->attr, n->attr, sizeof n->attr);
}
static const vlb_op shuffle_op = {"shuffle", NULL, shuffle_run, shuffle_reverse};

vlb_t vlb_pixel_shuffle(vlb_graph *g, vlb_t x, int64_t side, int64_t factor) {
  int64_t batch = vlb_graph_dim(g, x, 0), width = vlb_graph_dim(g, x, 2), small = side / factor;
  if (vlb_graph_dim(g, x, 1) != side * side || side % factor) vlb_graph_fail(g, "pixel shuffle: %lld patches per side, factor %lld", (long long)side, (long long)factor);
  vlb_node *n = vlb_node_new(g, &shuffle_op, &x, 1, vlb_tensor_new(g, 3, (int64_t[]){batch, small * small, factor * factor * width}));
  if (!n) return VLB_NONE;
  n->attr[BATCH] = batch;
  n->attr[GRID] = side;
  n->attr[WIDTH] = width;
  n->attr[FACTOR] = factor;
  return n->out;
}
