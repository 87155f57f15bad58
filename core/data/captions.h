/* Scenes with captions, what a vision-language model is pretrained on: pictures as a policy sees them, and lines of text that are
 * true of them. A line is "question<TAB>answer". Places are written as coordinate tokens: {b} with the position b on a scale of
 * VLB_PLACES bins, {} for something that is not to be seen. */
#ifndef VLB_DATA_CAPTIONS_H
#define VLB_DATA_CAPTIONS_H

#include <stdint.h>

#include "core/base/status.h"

enum { VLB_PLACES = 64 };
/* Ids of the coordinate tokens follow the tokenizer's: one per bin, the one for "not to be seen", and one for each coordinate of a line that
 * has been said (whatever it was). */
enum { VLB_PLACE_NONE = VLB_PLACES, VLB_PLACE_SAID, VLB_PLACE_SLOTS = 16, VLB_PLACE_TOKENS = VLB_PLACE_SAID + VLB_PLACE_SLOTS };

/* Positions on the scale, in bins (-0.5 .. 63.5). */
double vlb_place_in_picture(double fraction); /* 0 left or top .. 1 right or bottom: linear */
double vlb_place_of_offset(double metres);    /* -0.8 .. 0.8 m, as the root of its size: fine near 0, where a hand needs it */
double vlb_offset_of_place(double place);     /* and back, m */

/* Frames of one task. pixels [frames,cameras,size,size,3]; text of frame i: text[at[i] .. at[i+1]), its lines each closed by '\n',
 * the first about the instruction; episode [frames]. */
typedef struct {
  int64_t frames;
  int cameras, size;
  uint8_t *pixels;
  char *text;
  int64_t *at; /* [frames + 1] */
  int32_t *episode;
} vlb_captions;

vlb_code vlb_captions_write(const vlb_captions *s, const char *path, vlb_error *err);
/* Errors (VLB_FAILED): damaged, or not such a file. Caller: vlb_captions_close. */
vlb_code vlb_captions_read(const char *path, vlb_captions *s, vlb_error *err);
void vlb_captions_close(vlb_captions *s); /* frees the arrays; zeroed is fine */

#endif
