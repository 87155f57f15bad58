/* A film written through an ffmpeg process. */
#ifndef VLB_SIM_FFMPEG_H
#define VLB_SIM_FFMPEG_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "core/base/status.h"

typedef struct {
  FILE *in;
  pid_t process;
  char path[1024], temp[1100];
  size_t frame; /* bytes */
} vlb_film;

/* Starts ffmpeg; the film appears at path when it is closed without an error. */
vlb_code vlb_film_open(vlb_film *film, const char *path, int width, int height, int rate, vlb_error *err);
vlb_code vlb_film_frame(vlb_film *film, const uint8_t *rgb, vlb_error *err); /* [height,width,3] */
/* Ends ffmpeg; failed: something went wrong before, leave nothing behind. */
vlb_code vlb_film_close(vlb_film *film, int failed, vlb_error *err);

#endif
