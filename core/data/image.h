/* Pixels to model input (specification section 7), and picture files. */
#ifndef VLB_DATA_IMAGE_H
#define VLB_DATA_IMAGE_H

#include <stdint.h>
#include <stdio.h>

#include "core/data/embodiment.h"

/* Resize keeping the aspect ratio (bilinear, half-pixel centres, no antialias), pad left and top with 0, then 2x-1.
 * in: [3,h,w] in [0,1]; out: [3,size,size] in [-1,1]. */
void vlb_image_prepare(const float *in, int h, int w, float *out, int size);

/* The same from 8-bit RGB rows [h,w,3] (value / 255). */
void vlb_image_prepare_u8(const uint8_t *in, int h, int w, float *out, int size);

/* [size,size,3] with rows bottom-up, as a policy of that view sees it. */
void vlb_image_view(const uint8_t *in, int size, vlb_view view, uint8_t *out);

/* A PNG of any kind, or a JPEG but for CMYK, told apart by its content, as 8-bit RGB [h,w,3] (transparency is dropped, grey is repeated, an orientation
 * noted by a camera is not followed): a file, or bytes in memory (`name` is for messages). The pixels are those that Pillow decodes. Caller frees *rgb.
 * Errors (VLB_FAILED): neither, damaged, more than 16384 pixels a side or 64 million. */
vlb_code vlb_image_read(const char *path, uint8_t **rgb, int *h, int *w, vlb_error *err);
vlb_code vlb_image_decode(const void *data, size_t size, const char *name, uint8_t **rgb, int *h, int *w, vlb_error *err);

/* 8-bit RGB PNG [h,w,3], byte-identical for identical pixels: into an open stream; as a file, atomic. */
vlb_code vlb_png_encode(FILE *out, const uint8_t *rgb, int h, int w, vlb_error *err);
vlb_code vlb_png_write(const char *path, const uint8_t *rgb, int h, int w, vlb_error *err);

#endif
