/* Private to core/data: JPEG by libjpeg. */
#ifndef VLB_DATA_JPEG_H
#define VLB_DATA_JPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VLB_JPEG_MESSAGE = 256 };

/* A JPEG of any kind but CMYK as 8-bit RGB [h,w,3] (grey is repeated; an orientation in the EXIF data is not followed, as in PIL). Decoded as
 * Pillow and torchvision do: accurate integer DCT, smooth upsampling of chroma; the same pixels with any number of SIMD lanes. *rgb is malloc'd.
 * False: `why` says what is wrong (damaged data too, where libjpeg itself would go on with grey), *rgb is NULL. max_side, max_pixels: refused above. */
bool vlb_jpeg_decode(const uint8_t *data, size_t size, int max_side, size_t max_pixels, uint8_t **rgb, int *h, int *w, char why[VLB_JPEG_MESSAGE]);

#endif
