/* Any bytes as a picture. */
#include "target.h"

#include "core/data/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  vlb_error err = {VLB_OK, ""};
  uint8_t *rgb;
  int h, w;
  vlb_code code = vlb_image_decode(data, size, "picture", &rgb, &h, &w, &err);
  check_end(code, &err);
  if (code && rgb) abort();
  if (code) return 0;
  unsigned sum = 0; /* every pixel is there */
  for (size_t i = 0; i < 3 * (size_t)h * (size_t)w; i++) sum += rgb[i];
  free(rgb);
  return sum == 1 ? -1 : 0;
}
