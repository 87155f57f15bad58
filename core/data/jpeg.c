#include "core/data/jpeg.h"

#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { MAX_SCANS = 100 }; /* a progressive file has about ten; thousands of empty ones would keep the decoder busy for minutes */

/* One picture being decoded. libjpeg's errors jump to `out`. */
typedef struct {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf out;
  char *why;
  uint8_t *rgb;
} decoder;

static void give_up(decoder *d, const char *why) {
  if (why) snprintf(d->why, VLB_JPEG_MESSAGE, "%s", why);
  longjmp(d->out, 1);
}

static void on_error(j_common_ptr common) {
  decoder *d = common->client_data;
  char text[JMSG_LENGTH_MAX];
  common->err->format_message(common, text);
  give_up(d, text);
}

/* level -1: the data are damaged, and libjpeg would fill up with grey; above: of no interest */
static void on_message(j_common_ptr common, int level) {
  if (level < 0) on_error(common);
}

static void say_nothing(j_common_ptr common) { (void)common; }

static void on_progress(j_common_ptr common) {
  decoder *d = common->client_data;
  if (d->jpeg.input_scan_number > MAX_SCANS) give_up(d, "too many scans");
}

static void begin(decoder *d) {
  d->jpeg.err = jpeg_std_error(&d->errors);
  d->errors.error_exit = on_error;
  d->errors.emit_message = on_message;
  d->errors.output_message = say_nothing;
  d->jpeg.client_data = d;
}

static void read_header(decoder *d, const uint8_t *data, size_t size, int max_side, size_t max_pixels) {
  jpeg_create_decompress(&d->jpeg);
  d->progress.progress_monitor = on_progress;
  d->jpeg.progress = &d->progress;
  jpeg_mem_src(&d->jpeg, data, (unsigned long)size);
  jpeg_read_header(&d->jpeg, TRUE);
  size_t h = d->jpeg.image_height, w = d->jpeg.image_width;
  if (h > (size_t)max_side || w > (size_t)max_side || h * w > max_pixels) give_up(d, "it has too many pixels");
  if (d->jpeg.num_components == 4) give_up(d, "four colours (CMYK) are not supported");
  d->jpeg.out_color_space = JCS_RGB;
  d->jpeg.dct_method = JDCT_ISLOW;
  d->jpeg.do_fancy_upsampling = TRUE;
  d->jpeg.do_block_smoothing = FALSE; /* would guess what a progressive file has not brought */
}

static void read_rows(decoder *d) {
  jpeg_start_decompress(&d->jpeg);
  size_t stride = 3 * (size_t)d->jpeg.output_width;
  d->rgb = malloc(stride * d->jpeg.output_height);
  if (!d->rgb) give_up(d, "out of memory");
  while (d->jpeg.output_scanline < d->jpeg.output_height) {
    JSAMPROW row = d->rgb + stride * d->jpeg.output_scanline;
    jpeg_read_scanlines(&d->jpeg, &row, 1);
  }
  jpeg_finish_decompress(&d->jpeg);
}

/* everything that may jump, in a function whose own variables nobody reads after the jump */
static bool run(decoder *d, const uint8_t *data, size_t size, int max_side, size_t max_pixels) {
  if (setjmp(d->out)) return false;
  read_header(d, data, size, max_side, max_pixels);
  read_rows(d);
  return true;
}

bool vlb_jpeg_decode(const uint8_t *data, size_t size, int max_side, size_t max_pixels, uint8_t **rgb, int *h, int *w, char why[VLB_JPEG_MESSAGE]) {
  decoder *d = calloc(1, sizeof *d);
  *rgb = NULL;
  snprintf(why, VLB_JPEG_MESSAGE, "out of memory");
  if (!d) return false;
  d->why = why;
  begin(d);
  bool good = run(d, data, size, max_side, max_pixels);
  *h = (int)d->jpeg.image_height;
  *w = (int)d->jpeg.image_width;
  jpeg_destroy_decompress(&d->jpeg);
  if (good)
    *rgb = d->rgb;
  else
    free(d->rgb);
  free(d);
  return good;
}
