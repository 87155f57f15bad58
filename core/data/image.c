#include "core/data/image.h"

#include <math.h>
#include <spng.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/data/jpeg.h"

/* Where one output coordinate reads: in[at] * (1 - f) + in[next] * f. */
typedef struct {
  int at, next;
  float f;
} tap;

/* Half-pixel centres; the ratio and the coordinates are float32 as in the reference. */
static tap tap_of(int i, int in, int out) {
  float scale = (float)in / (float)out;
  float s = ((float)i + 0.5f) * scale - 0.5f;
  if (s < 0) s = 0;
  tap t = {.at = (int)s};
  if (t.at > in - 1) t.at = in - 1;
  t.next = t.at + (t.at < in - 1);
  t.f = s - (float)t.at;
  return t;
}

/* Height and width inside the square, aspect ratio kept (ratios in double, truncated, as the reference does). */
static void fit(int h, int w, int size, int *rh, int *rw) {
  *rh = *rw = size;
  if (h == size && w == size) return;
  double r = fmax((double)w / size, (double)h / size);
  *rh = (int)(h / r);
  *rw = (int)(w / r);
}

/* One channel of the input: planar floats, or every third byte. */
typedef struct {
  const float *real;
  const uint8_t *bytes;
  const float *levels; /* of bytes: value / 255 */
  int h, w;
} plane;

static float pixel(const plane *p, int y, int x) {
  size_t i = (size_t)y * (size_t)p->w + (size_t)x;
  return p->real ? p->real[i] : p->levels[p->bytes[3 * i]];
}

enum { STRIPE = 64 }; /* columns prepared together, so that their taps are computed once for all rows */

/* Row y of the input at the columns of the taps. */
static void sample_row(const plane *p, int y, const tap *u, int n, float *line) {
  for (int x = 0; x < n; x++) line[x] = pixel(p, y, u[x].at) * (1 - u[x].f) + pixel(p, y, u[x].next) * u[x].f;
}

/* Columns first..first+n-1 of the output. A row of the input serves several of the output: the last two are kept. */
static void prepare_stripe(const plane *p, float *out, int size, int first, int n) {
  int rh, rw, held[2] = {-1, -1};
  float line[2][STRIPE];
  tap u[STRIPE];
  fit(p->h, p->w, size, &rh, &rw);
  int top = size - rh, left = size - rw, pad = left <= first ? 0 : left - first < n ? left - first : n;
  for (int x = pad; x < n; x++) u[x] = tap_of(first + x - left, p->w, rw);
  for (int y = 0; y < size; y++) {
    float *row = out + (size_t)y * (size_t)size + first;
    int padded = y < top ? n : pad;
    for (int x = 0; x < padded; x++) row[x] = -1.0f; /* padding is 0 before 2x-1 */
    if (padded == n) continue;
    tap v = tap_of(y - top, p->h, rh);
    int rows[2] = {v.at, v.next};
    for (int k = 0; k < 2; k++) {
      if (held[rows[k] & 1] != rows[k]) sample_row(p, rows[k], u + pad, n - pad, line[rows[k] & 1] + pad);
      held[rows[k] & 1] = rows[k];
    }
    const float *above = line[v.at & 1], *below = line[v.next & 1];
    for (int x = pad; x < n; x++) row[x] = 2 * (above[x] * (1 - v.f) + below[x] * v.f) - 1;
  }
}

static void prepare_plane(const plane *p, float *out, int size) {
  for (int first = 0; first < size; first += STRIPE) prepare_stripe(p, out, size, first, size - first < STRIPE ? size - first : STRIPE);
}

void vlb_image_prepare(const float *in, int h, int w, float *out, int size) {
  for (size_t c = 0; c < 3; c++) {
    plane p = {.real = in + c * (size_t)h * (size_t)w, .h = h, .w = w};
    prepare_plane(&p, out + c * (size_t)size * (size_t)size, size);
  }
}

void vlb_image_prepare_u8(const uint8_t *in, int h, int w, float *out, int size) {
  float levels[256];
  for (int i = 0; i < 256; i++) levels[i] = (float)i / 255.0f;
  for (size_t c = 0; c < 3; c++) {
    plane p = {.bytes = in + c, .levels = levels, .h = h, .w = w};
    prepare_plane(&p, out + c * (size_t)size * (size_t)size, size);
  }
}

void vlb_image_view(const uint8_t *in, int size, vlb_view view, uint8_t *out) {
  const int mirror = view != VLB_VIEW_UPRIGHT, reverse = view != VLB_VIEW_MIRRORED;
  for (int y = 0; y < size; y++) {
    const uint8_t *row = in + (reverse ? size - 1 - y : y) * size * 3;
    for (int x = 0; x < size; x++, out += 3) memcpy(out, row + (mirror ? size - 1 - x : x) * 3, 3);
  }
}

/* --- files --- */

enum { MAX_SIDE = 16384, MAX_PIXELS = 64000000, MAX_CHUNK = 1 << 24 };

static int decode(spng_ctx *png, const void *data, size_t data_size, uint8_t **rgb, int *h, int *w) {
  struct spng_ihdr header;
  size_t size = 0;
  int code = spng_set_image_limits(png, MAX_SIDE, MAX_SIDE);
  if (!code) code = spng_set_chunk_limits(png, MAX_CHUNK, MAX_CHUNK);
  if (!code) code = spng_set_png_buffer(png, data, data_size);
  if (!code) code = spng_get_ihdr(png, &header);
  if (!code && (size_t)header.height * header.width > MAX_PIXELS) code = SPNG_EWIDTH;
  if (!code) code = spng_decoded_image_size(png, SPNG_FMT_RGB8, &size);
  if (code) return code;
  *rgb = malloc(size ? size : 1);
  if (!*rgb) return SPNG_EMEM;
  *h = (int)header.height;
  *w = (int)header.width;
  return spng_decode_image(png, *rgb, size, SPNG_FMT_RGB8, 0);
}

static vlb_code decode_png(const void *data, size_t size, const char *name, uint8_t **rgb, int *h, int *w, vlb_error *err) {
  spng_ctx *png = spng_ctx_new(0);
  int failed = png ? decode(png, data, size, rgb, h, w) : SPNG_EMEM;
  spng_ctx_free(png);
  if (!failed) return VLB_OK;
  free(*rgb);
  *rgb = NULL;
  return vlb_fail(err, VLB_FAILED, "%s: a PNG that cannot be read: %s", name, spng_strerror(failed));
}

static vlb_code decode_jpeg(const void *data, size_t size, const char *name, uint8_t **rgb, int *h, int *w, vlb_error *err) {
  char why[VLB_JPEG_MESSAGE];
  if (vlb_jpeg_decode(data, size, MAX_SIDE, MAX_PIXELS, rgb, h, w, why)) return VLB_OK;
  return vlb_fail(err, VLB_FAILED, "%s: a JPEG that cannot be read: %s", name, why);
}

vlb_code vlb_image_decode(const void *data, size_t size, const char *name, uint8_t **rgb, int *h, int *w, vlb_error *err) {
  static const char png[] = "\x89PNG\r\n\x1a\n", jpeg[] = "\xff\xd8\xff";
  *rgb = NULL;
  if (size >= sizeof png - 1 && !memcmp(data, png, sizeof png - 1)) return decode_png(data, size, name, rgb, h, w, err);
  if (size >= sizeof jpeg - 1 && !memcmp(data, jpeg, sizeof jpeg - 1)) return decode_jpeg(data, size, name, rgb, h, w, err);
  return vlb_fail(err, VLB_FAILED, "%s: %s; a picture must be a PNG or a JPEG", name, size ? "neither begins like a PNG nor like a JPEG" : "an empty file");
}

vlb_code vlb_image_read(const char *path, uint8_t **rgb, int *h, int *w, vlb_error *err) {
  char *data;
  size_t size;
  *rgb = NULL;
  VLB_TRY(vlb_file_read(path, &data, &size, err));
  vlb_code code = vlb_image_decode(data, size, path, rgb, h, w, err);
  free(data);
  return code;
}

/* spng's only inputs are the pixels and these fixed settings, so equal pixels give equal bytes. */
static int encode(spng_ctx *png, const uint8_t *rgb, int h, int w, FILE *out) {
  struct spng_ihdr header = {.width = (uint32_t)w, .height = (uint32_t)h, .bit_depth = 8, .color_type = SPNG_COLOR_TYPE_TRUECOLOR};
  int code = spng_set_ihdr(png, &header);
  if (!code) code = spng_set_option(png, SPNG_IMG_COMPRESSION_LEVEL, 6);
  if (!code) code = spng_set_png_file(png, out);
  if (!code) code = spng_encode_image(png, rgb, 3 * (size_t)h * (size_t)w, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
  return code;
}

vlb_code vlb_png_encode(FILE *out, const uint8_t *rgb, int h, int w, vlb_error *err) {
  spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
  if (!png) return vlb_fail(err, VLB_FAILED, "no memory for a PNG");
  int failed = encode(png, rgb, h, w, out);
  spng_ctx_free(png);
  return failed ? vlb_fail(err, VLB_FAILED, "cannot encode a picture of %d x %d pixels: %s", w, h, spng_strerror(failed)) : VLB_OK;
}

vlb_code vlb_png_write(const char *path, const uint8_t *rgb, int h, int w, vlb_error *err) {
  spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
  if (!png) return vlb_fail(err, VLB_FAILED, "%s: out of memory", path);
  vlb_writer file;
  vlb_code code = vlb_writer_open(&file, path, err);
  if (!code) {
    int failed = encode(png, rgb, h, w, file.out);
    if (!failed || failed == SPNG_IO_ERROR || ferror(file.out)) { /* the commit says why the file could not be written */
      code = vlb_writer_commit(&file, err);
    } else {
      vlb_writer_abort(&file);
      code = vlb_fail(err, VLB_FAILED, "%s: cannot encode the picture: %s", path, spng_strerror(failed));
    }
  }
  spng_ctx_free(png);
  return code;
}
