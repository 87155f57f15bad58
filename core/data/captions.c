#include "core/data/captions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/safetensors.h"

static const double farthest = 0.8; /* m */

static double clip(double x, double lo, double hi) { return x < lo ? lo : x > hi ? hi : x; }

double vlb_place_in_picture(double fraction) { return clip(fraction, 0, 1) * VLB_PLACES - 0.5; }

double vlb_place_of_offset(double metres) {
  double root = sqrt(fabs(clip(metres, -farthest, farthest)) / farthest);
  return (metres < 0 ? -root : root) * (VLB_PLACES / 2 - 0.5) + (VLB_PLACES / 2 - 0.5);
}

double vlb_offset_of_place(double place) {
  double root = (place - (VLB_PLACES / 2 - 0.5)) / (VLB_PLACES / 2 - 0.5);
  return (root < 0 ? -1 : 1) * root * root * farthest;
}

vlb_code vlb_captions_write(const vlb_captions *s, const char *path, vlb_error *err) {
  int64_t side = s->size, frames = s->frames, bytes = s->at[frames];
  vlb_st_entry entries[] = {
      {.name = (char[]){"at"}, .dtype = VLB_I64, .ndim = 1, .dims = {frames + 1}, .count = (size_t)frames + 1, .data = s->at},
      {.name = (char[]){"episode"}, .dtype = VLB_I32, .ndim = 1, .dims = {frames}, .count = (size_t)frames, .data = s->episode},
      {.name = (char[]){"pixels"},
       .dtype = VLB_U8,
       .ndim = 5,
       .dims = {frames, s->cameras, side, side, 3},
       .count = (size_t)(frames * s->cameras * side * side * 3),
       .data = s->pixels},
      {.name = (char[]){"text"}, .dtype = VLB_U8, .ndim = 1, .dims = {bytes}, .count = (size_t)bytes, .data = s->text},
  };
  return vlb_safetensors_write(path, entries, (int)(sizeof entries / sizeof *entries), err);
}

/* a copy of a tensor; NULL when it is missing, of another kind, or there is no memory */
static void *take(const vlb_safetensors *file, const char *name, vlb_dtype dtype, int ndim) {
  const vlb_st_entry *e = vlb_safetensors_find(file, name);
  if (!e || e->dtype != dtype || e->ndim != ndim) return NULL;
  size_t bytes = e->count * vlb_dtype_size(dtype);
  void *out = malloc(bytes + 1);
  if (out && bytes) memcpy(out, e->data, bytes);
  return out;
}

static int64_t count_of(const vlb_safetensors *file, const char *name) { return (int64_t)vlb_safetensors_find(file, name)->count; }

static int consistent(const vlb_captions *s, const vlb_safetensors *file) {
  const vlb_st_entry *p = vlb_safetensors_find(file, "pixels");
  if (count_of(file, "at") != s->frames + 1 || count_of(file, "episode") != s->frames) return 0;
  if (p->dims[2] != p->dims[3] || p->dims[4] != 3 || p->dims[1] < 1 || p->dims[1] > 16 || s->at[0] != 0 || s->at[s->frames] != count_of(file, "text")) return 0;
  for (int64_t i = 0; i < s->frames; i++)
    if (s->at[i + 1] <= s->at[i] || s->at[i + 1] > s->at[s->frames] || s->text[s->at[i + 1] - 1] != '\n') return 0;
  return 1;
}

static vlb_code take_all(const vlb_safetensors *file, vlb_captions *s, vlb_error *err) {
  s->at = take(file, "at", VLB_I64, 1);
  s->episode = take(file, "episode", VLB_I32, 1);
  s->pixels = take(file, "pixels", VLB_U8, 5);
  s->text = take(file, "text", VLB_U8, 1);
  if (!s->at || !s->episode || !s->pixels || !s->text)
    return vlb_fail(err, VLB_FAILED, "at, episode, pixels or text is missing or of another type: not a file of scenes, or no memory");
  const vlb_st_entry *p = vlb_safetensors_find(file, "pixels");
  s->frames = p->dims[0];
  if (!consistent(s, file)) return vlb_fail(err, VLB_FAILED, "its tensors contradict each other; delete it to have it recorded again");
  s->cameras = (int)p->dims[1];
  s->size = (int)p->dims[2];
  return VLB_OK;
}

vlb_code vlb_captions_read(const char *path, vlb_captions *s, vlb_error *err) {
  vlb_safetensors *file;
  *s = (vlb_captions){0};
  VLB_TRY(vlb_safetensors_open(path, &file, err));
  vlb_code code = take_all(file, s, err);
  vlb_safetensors_close(file);
  if (!code) return VLB_OK;
  vlb_captions_close(s);
  return vlb_fail_at(err, "%s", path);
}

void vlb_captions_close(vlb_captions *s) {
  free(s->pixels), free(s->text), free(s->at), free(s->episode);
  *s = (vlb_captions){0};
}
